/* SPDX-License-Identifier: Apache-2.0 */
/* Removing images, and sweeping what is referred to by nothing. */
#include "image/remove.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "image/layout.h"
#include "image/list.h"
#include "image/pull-lock.h"
#include "image/stage.h"
#include "spec/digest.h"
#include "state/events.h"

void image_use_free_many(ImageUse *uses, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(uses[i].container_id);
                free(uses[i].image_id);
                strv_free(uses[i].layers);
        }
        free(uses);
}

void image_removal_done(ImageRemoval *removal) {
        strv_free(removal->untagged);
        free(removal->id);
        *removal = (ImageRemoval){};
}

/* Hex names that are still needed. A set: JSON objects are hash tables. */
typedef struct Needed {
        json_t *blobs, *layers;
} Needed;

static void needed_done(Needed *needed) {
        json_decref(needed->blobs);
        json_decref(needed->layers);
}

static int need(json_t *set, const char *digest) {
        return digest_is_valid(digest) ? json_object_set_new(set, digest_hex(digest), json_true()) : 0;
}

/* What an image needs. */
static int need_image(const Store *store, const char *digest, Needed *needed, Error *reterr) {
        _cleanup_manifest_ Manifest manifest = {};
        _cleanup_json_ json_t *config = NULL;
        const json_t *diff_id;
        size_t k;

        if (json_object_get(needed->blobs, digest_hex(digest)))
                return 0;
        int r = layout_read_manifest(store, digest, &manifest, reterr);
        if (r >= 0)
                r = layout_read_blob(store, manifest.config.digest, &config, reterr);
        if (r < 0)
                return r;
        if (need(needed->blobs, digest) < 0 || need(needed->blobs, manifest.config.digest) < 0)
                return error_oom(reterr);
        json_array_foreach(json_object_get(json_object_get(config, "rootfs"), "diff_ids"), k, diff_id)
                if (need(needed->layers, json_string_value(diff_id)) < 0)
                        return error_oom(reterr);
        return 0;
}

/* A manifest list needs those of its images that are here. */
static int need_list(const Store *store, const char *digest, Needed *needed, Error *reterr) {
        _cleanup_json_ json_t *document = NULL;
        const json_t *entry;
        size_t i;

        int r = list_read(store, digest, &document, reterr);
        if (r < 0)
                return r;
        if (need(needed->blobs, digest) < 0)
                return error_oom(reterr);
        json_array_foreach(list_entries(document), i, entry) {
                if (!list_has_blob(store, layout_entry_digest(entry)))
                        continue;
                r = need_image(store, layout_entry_digest(entry), needed, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What the images of the index need. An image that cannot be read might need anything: then nothing is swept. */
static int collect_needed(const Store *store, const json_t *index, const ImageUse *uses, size_t n_uses, Needed *needed, Error *reterr) {
        const json_t *entry;
        size_t i;

        json_array_foreach(layout_entries(index), i, entry) {
                const char *digest = layout_entry_digest(entry);
                int r = list_entry_is_list(entry) ? need_list(store, digest, needed, reterr) : need_image(store, digest, needed, reterr);

                if (r < 0)
                        return r;
        }
        for (i = 0; i < n_uses; i++)
                for (char **layer = uses[i].layers; layer && *layer; layer++)
                        if (need(needed->layers, *layer) < 0)
                                return error_oom(reterr);
        return 0;
}

/* Moves whatever of a directory is not needed, nor held by a pull, into the stage, whose end it then shares. */
static int sweep(int from_fd, const json_t *needed, const Stage *stage, Error *reterr) {
        _cleanup_fd_ int fd = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        int r = 0;

        if (!dir)
                return error_set_errno(reterr, -errno, "cannot read a directory of images");
        (void) TAKE_FD(fd);
        for (struct dirent *e; (e = readdir(dir)) && r >= 0;) {
                bool temporary = str_after(e->d_name, ".tmp-"); /* of an interrupted write; we hold the writers' lock */

                if ((!temporary && !digest_hex_is_valid(e->d_name)) || json_object_get(needed, e->d_name) ||
                    pull_lock_is_held(stage->store, e->d_name))
                        continue;
                if (renameat(from_fd, e->d_name, stage->fd, e->d_name) < 0 && errno != ENOENT)
                        r = error_set_errno(reterr, -errno, "cannot remove '%s'", e->d_name);
        }
        (void) closedir(dir);
        return r;
}

/* The index is on the disk as it is here: containers that are made from now on find no other image in it. */
static int sweep_all(const Store *store, const json_t *index, ImageUsesRead read_uses, const Stage *stage, Error *reterr) {
        _cleanup_(needed_done) Needed needed = { json_object(), json_object() };
        _cleanup_fd_ int layers = -EBADF, blobs = -EBADF;
        ImageUse *uses = NULL;
        size_t n_uses = 0;

        if (!needed.blobs || !needed.layers)
                return error_oom(reterr);
        int r = read_uses(store, &uses, &n_uses, reterr);
        if (r >= 0)
                r = collect_needed(store, index, uses, n_uses, &needed, reterr);
        image_use_free_many(uses, n_uses);
        if (r >= 0)
                r = layers = store_open_data(store, "layers", reterr);
        if (r >= 0)
                r = sweep(layers, needed.layers, stage, reterr);
        if (r < 0)
                return r;
        blobs = openat(store->data_fd, "images/blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return blobs < 0 ? 0 : sweep(blobs, needed.blobs, stage, reterr);
}

static int refuse_in_use(const ImageInfo *info, const char *reference, const ImageUse *uses, size_t n_uses, Error *reterr) {
        for (size_t i = 0; i < n_uses; i++) {
                if (!str_equal(uses[i].image_id, info->id))
                        continue;
                (void) error_set(reterr, -EBUSY, ERROR_IN_USE, "cannot remove image '%s': image is in use by the container %.12s",
                                 reference, uses[i].container_id);
                return error_with_hint(reterr, -EBUSY, "remove the container first, or both with --force");
        }
        return 0;
}

/* A manifest list goes with its last name, or by its ID. 1: it was one. */
static int update_list(const Store *store, json_t *index, const char *reference, ImageRemoveFlags flags, ImageRemoval *removal, Error *reterr) {
        _cleanup_json_ json_t *document = NULL;
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *digest = NULL;
        const json_t *entry, *other;
        bool by_name;
        size_t i;

        int r = image_store_find(store, index, reference, &entry, &by_name, reterr);
        if (r < 0 || !list_entry_is_list(entry))
                return r;
        r = list_read(store, layout_entry_digest(entry), &document, reterr);
        if (r < 0)
                return r;
        digest = strdup(layout_entry_digest(entry));
        json_array_foreach(layout_entries(index), i, other)
                if (str_equal(layout_entry_digest(other), digest) && layout_entry_name(other) &&
                    strv_append(&names, layout_entry_name(other)) < 0)
                        return error_oom(reterr);
        if (by_name && strv_length(names) > 1) {
                if (strv_append(&removal->untagged, layout_entry_name(entry)) < 0)
                        return error_oom(reterr);
                (void) layout_remove(index, /* digest= */ NULL, removal->untagged[0]);
                removal->id = strdup(list_id(document));
                return removal->id ? 1 : error_oom(reterr);
        }
        if (strv_length(names) > 1 && !(flags & (IMAGE_REMOVE_FORCE | IMAGE_REMOVE_ALL_NAMES)))
                return error_set(reterr, -EBUSY, ERROR_IN_USE, "cannot remove manifest list '%s': it has several names", reference);
        removal->id = strdup(list_id(document));
        removal->deleted = true;
        if (!digest || !removal->id)
                return error_oom(reterr);
        removal->untagged = TAKE_PTR(names);
        (void) layout_remove(index, digest, /* name= */ NULL);
        return 1;
}

/* Takes what was asked for out of the index. */
static int update(const Store *store, json_t *index, const char *reference, const ImageUse *uses, size_t n_uses,
                  ImageRemoveFlags flags, ImageRemoval *removal, Error *reterr) {
        _cleanup_image_info_ ImageInfo info = {};
        bool by_name;
        size_t n;

        int r = update_list(store, index, reference, flags, removal, reterr);
        if (r != 0)
                return r < 0 ? r : 0;
        r = image_store_resolve_whole(store, reference, &info, reterr);
        if (r < 0)
                return r;
        n = strv_length(info.names);
        /* a person who writes a name means the name; an ID, or NAME@DIGEST, is the image */
        by_name = info.found_by_name;
        if (by_name && n > 1) {
                (void) layout_remove(index, /* digest= */ NULL, info.name);
                removal->id = TAKE_PTR(info.id);
                return strv_append(&removal->untagged, info.name) < 0 ? error_oom(reterr) : 0;
        }
        if (n > 1 && !(flags & (IMAGE_REMOVE_FORCE | IMAGE_REMOVE_ALL_NAMES))) {
                _cleanup_free_ char *list = strv_join(info.names, ", ");

                (void) error_set(reterr, -EBUSY, ERROR_IN_USE, "cannot remove image '%s': it has several names: %s", reference, list ?: "");
                return error_with_hint(reterr, -EBUSY, "remove it by its names, or with --force");
        }
        if (!(flags & IMAGE_REMOVE_FORCE)) {
                r = refuse_in_use(&info, reference, uses, n_uses, reterr);
                if (r < 0)
                        return r;
        }
        for (char **digest = info.digests; *digest; digest++)
                (void) layout_remove(index, *digest, /* name= */ NULL);
        removal->untagged = TAKE_PTR(info.names);
        removal->id = TAKE_PTR(info.id);
        removal->deleted = true;
        return 0;
}

int image_store_remove(const Store *store, const char *reference, ImageUsesRead read_uses, ImageRemoveFlags flags, ImageRemoval *ret,
                       Error *reterr) {
        _cleanup_image_removal_ ImageRemoval removal = {};
        _cleanup_stage_ Stage stage = STAGE_NULL;
        _cleanup_layout_edit_ LayoutEdit edit = LAYOUT_EDIT_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        ImageUse *uses = NULL;
        size_t n_uses = 0;

        int r = stage_open(store, &stage, reterr);
        if (r >= 0)
                r = layout_edit_open(store, &edit, reterr);
        if (r >= 0)
                r = read_uses(store, &uses, &n_uses, reterr);
        if (r >= 0)
                r = update(store, edit.index, reference, uses, n_uses, flags, &removal, reterr);
        image_use_free_many(uses, n_uses);
        if (r >= 0)
                r = layout_edit_save(&edit, reterr);
        if (r < 0)
                return r;
        for (char **name = removal.untagged; name && *name; name++)
                event_named(store, "image", "untag", removal.id, *name);
        if (removal.deleted)
                event_named(store, "image", "remove", removal.id, removal.untagged ? removal.untagged[0] : NULL);
        /* the image is gone; what it leaves can wait for another time if it must */
        if (removal.deleted && sweep_all(store, edit.index, read_uses, &stage, &error) < 0)
                log_warning("%s, leaving layers that may not be needed", error.message);
        *ret = removal;
        removal = (ImageRemoval){};
        return 0;
}

int image_store_sweep(const Store *store, ImageUsesRead read_uses, Error *reterr) {
        _cleanup_stage_ Stage stage = STAGE_NULL;
        _cleanup_json_ json_t *index = NULL;
        _cleanup_fd_ int lock = -EBADF;

        int r = stage_open(store, &stage, reterr);
        if (r >= 0)
                r = lock = layout_lock(store, reterr);
        if (r >= 0)
                r = layout_load(store, &index, reterr);
        if (r >= 0)
                r = sweep_all(store, index, read_uses, &stage, reterr);
        return r < 0 ? r : 0;
}
