/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what nothing uses. */
#include "cli/prune.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/container-filter.h"
#include "cli/image-json.h"
#include "cli/image-use.h"
#include "cli/volume-json.h"
#include "cli/volume-use.h"
#include "engine/collect.h"
#include "engine/inspect.h"
#include "engine/pod.h"
#include "engine/remove.h"
#include "state/pending.h"
#include "storage/mapped.h"

void pruned_done(Pruned *pruned) {
        strv_free(pruned->names);
        *pruned = (Pruned){};
}

int prune_ask(const char *text, const char *what, Error *reterr) {
        char answer[16];

        printf("%sAre you sure you want to continue? [y/N] ", text);
        (void) fflush(stdout);
        if (!fgets(answer, sizeof(answer), stdin)) {
                printf("\n");
                (void) error_set(reterr, -EIO, ERROR_INVALID, "cannot %s: there was no answer", what);
                return error_with_hint(reterr, -EIO, "use --force where nobody can answer");
        }
        return answer[0] == 'y' || answer[0] == 'Y';
}

/* Notes what went, or prints why not: one failure is no reason to leave all others. */
static int note(Pruned *pruned, const char *name, int r, const Error *error, Error *reterr) {
        if (r >= 0)
                return strv_append(&pruned->names, name) < 0 ? error_oom(reterr) : 0;
        error_print(error);
        pruned->failed = true;
        return 0;
}

/* Bytes that go with an image: its own blobs, and the layers that no other image of the list has. */
static uint64_t own_size(const Store *store, const ImageInfo *images, size_t n, size_t which) {
        const ImageInfo *image = images + which;
        uint64_t total = image->blobs_size, size;

        for (char **layer = image->layers; layer && *layer; layer++) {
                bool shared = false;

                for (size_t i = 0; i < n && !shared; i++)
                        shared = i != which && strv_contains(images[i].layers, *layer);
                if (!shared && image_layer_size(store, *layer, &size, /* reterr= */ NULL) >= 0)
                        total += size;
        }
        return total;
}

static int prune_image(const Store *store, const ImageInfo *image, Error *reterr) {
        _cleanup_image_removal_ ImageRemoval removal = {};
        _cleanup_free_ char *id = str_format("sha256:%s", image->id);

        /* by its ID all names go at once; that no container uses it is checked again under the lock */
        return !id ? error_oom(reterr)
                   : image_store_remove(store, id, image_uses, IMAGE_REMOVE_ALL_NAMES, &removal, reterr);
}

int prune_images(const Store *store, bool all, char *const *filters, Pruned *ret, Error *reterr) {
        ImageInfo *images = NULL;
        ImageUse *uses = NULL;
        size_t n = 0, n_uses = 0;

        int r = image_matches(store, /* image= */ NULL, filters, 0, reterr);
        if (r >= 0)
                r = image_store_list(store, &images, &n, reterr);
        if (r >= 0)
                r = image_uses(store, &uses, &n_uses, reterr);
        for (size_t i = 0; i < n && r >= 0;) {
                size_t users = image_uses_count(uses, n_uses, images[i].id);
                _cleanup_error_ Error error = ERROR_NULL;

                r = users > 0 || (images[i].names && !all) ? 0 : image_matches(store, images + i, filters, users, reterr);
                if (r <= 0) {
                        i++;
                        continue;
                }
                uint64_t size = own_size(store, images, n, i);
                r = prune_image(store, images + i, &error);
                if (r >= 0)
                        ret->bytes += size;
                if (r == -ENOENT || (r == -EBUSY && error.kind == ERROR_IN_USE))
                        r = 0; /* another command has removed, or taken, it meanwhile */
                else
                        r = note(ret, images[i].id, r, &error, reterr);
                /* what it shared with the next one is that one's own now */
                image_info_done(images + i);
                memmove(images + i, images + i + 1, (--n - i) * sizeof(*images));
        }
        if (r >= 0)
                r = image_store_sweep(store, image_uses, reterr);
        image_info_free_many(images, n);
        image_use_free_many(uses, n_uses);
        return r < 0 ? r : 0;
}

static int prune_container(const Store *store, const char *id, const ContainerFilter *filter, Pruned *pruned, bool *needed, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        const RemoveOptions options = { .volumes = true };
        uint64_t written = 0;

        int r = container_load(store, id, &c, &error);
        if (r == -ENOENT)
                return 0; /* somebody else's removal */
        if (r < 0)
                return note(pruned, id, r, &error, reterr);
        if (c.config.infra || (c.status != CONTAINER_CREATED && c.status != CONTAINER_INITIALIZED && c.status != CONTAINER_EXITED) || !container_filter_matches(filter, &c))
                return 0;
        (void) inspect_container_size(store, &c, &written, /* ret_rootfs= */ NULL, /* reterr= */ NULL);
        r = engine_remove(store, &c, &options, &error);
        if (r == -EBUSY || r == -ENOENT)
                return 0; /* it was started, or removed, meanwhile */
        if (r == -EEXIST) { /* by others, which may go themselves */
                *needed = true;
                return 0;
        }
        if (r >= 0)
                pruned->bytes += written;
        return note(pruned, id, r, &error, reterr);
}

int prune_containers(const Store *store, char *const *filters, Pruned *ret, Error *reterr) {
        _cleanup_container_filter_ ContainerFilter *filter = NULL;
        _cleanup_strv_ char **ids = NULL;

        int r = container_filter_parse(store, filters, time_now_usec(), &filter, reterr);
        if (r >= 0)
                r = container_list(store, &ids, reterr);
        for (bool again = true; again && r >= 0;) {
                size_t before = strv_length(ret->names);
                bool needed = false;

                for (char **id = ids; r >= 0 && id && *id; id++)
                        r = prune_container(store, *id, filter, ret, &needed, reterr);
                again = needed && strv_length(ret->names) > before;
        }
        if (r >= 0)
                engine_collect(store);
        return r;
}

/* What has run and runs no more, and what a killed `pod create` has left. */
static bool pod_is_over(const Store *store, const Pod *pod, const PodMembers *members) {
        const char *state = pod_members_state(members);
        _cleanup_fd_ int mark = -EBADF;

        if (pod->config.infra_id && !pod_members_infra(members))
                return (mark = pending_try(store, pod->config.id)) != -EAGAIN; /* it is just being made */
        return str_equal(state, "Exited") || str_equal(state, "Stopped");
}

int prune_pods(const Store *store, Pruned *ret, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int r = pod_list(store, &ids, reterr);

        pod_collect(store);
        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_pod_members_ PodMembers members = {};
                _cleanup_error_ Error error = ERROR_NULL;
                _cleanup_pod_ Pod pod = POD_NULL;

                r = pod_load(store, *id, &pod, &error);
                if (r >= 0)
                        r = engine_pod_members(store, &pod, &members, &error);
                if (r == -ENOENT || (r >= 0 && !pod_is_over(store, &pod, &members))) {
                        r = 0;
                        continue;
                }
                if (r >= 0)
                        r = engine_pod_remove(store, &pod, /* force= */ false, /* timeout= */ NULL, &error);
                r = note(ret, *id, r, &error, reterr);
        }
        return r;
}

static uint64_t volume_size(const Store *store, const char *name) {
        _cleanup_free_ char *path = str_format("volumes/%s", name);
        _cleanup_fd_ int fd = path ? openat(store->data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -EBADF;
        uint64_t size = 0;

        if (fd >= 0)
                (void) mapped_measure_tree(fd, "_data", &size, /* reterr= */ NULL);
        return size;
}

int prune_volumes(const Store *store, char *const *filters, Pruned *ret, Error *reterr) {
        _cleanup_json_ json_t *volumes = NULL;
        const json_t *volume;
        size_t i;

        int r = volumes_to_json(store, filters, /* unused= */ true, &volumes, reterr);
        if (r < 0)
                return r;
        json_array_foreach(volumes, i, volume) {
                const char *name = json_get_string(volume, "Name");
                _cleanup_error_ Error error = ERROR_NULL;
                uint64_t size = volume_size(store, name);

                r = volume_remove_unused(store, name, volume_refuse_used, &error);
                if (r == -ENOENT || (r == -EBUSY && error.kind == ERROR_IN_USE))
                        continue; /* another command has removed, or taken, it meanwhile */
                if (r >= 0)
                        ret->bytes += size;
                r = note(ret, name, r, &error, reterr);
                if (r < 0)
                        return r;
        }
        volume_collect(store);
        return 0;
}
