/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking in parallel, and the one moment in which an image appears. */
#include "image/commit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "image/limits.h"
#include "image/worker.h"

void new_image_done(NewImage *image) {
        for (size_t i = 0; i < image->n_layers; i++) {
                source_file_done(&image->layers[i].file);
                free(image->layers[i].digest);
                free(image->layers[i].diff_id);
        }
        free(image->layers);
        free(image->manifest);
        free(image->config);
        free(image->manifest_type);
        strv_free(image->names);
        *image = (NewImage){};
}

NewLayer *new_image_add_layer(NewImage *image) {
        NewLayer *grown = realloc(image->layers, (image->n_layers + 1) * sizeof(*grown));

        if (!grown)
                return NULL;
        image->layers = grown;
        grown[image->n_layers] = (NewLayer){ .file = SOURCE_FILE_NULL };
        return grown + image->n_layers++;
}

/* A layer being unpacked: in the directory "layer-N" of the stage. */
typedef struct Slot {
        Worker worker;
        size_t layer;
        int fd; /* of the directory */
} Slot;

static int open_layers(const Store *store, Error *reterr) {
        return store_open_data(store, "layers", reterr);
}

/* Whether the layer is in the store, or unpacked in the stage (for another image, or twice in one): what is there under
 * its name is complete. */
static bool layer_is_in(int layers_fd, const char *diff_id, uint64_t *ret_size) {
        _cleanup_json_ json_t *record = NULL;
        char path[DIGEST_HEX_LENGTH + 16];

        (void) snprintf(path, sizeof(path), "%s/layer.json", digest_hex(diff_id));
        if (json_read(layers_fd, path, JSON_RECORD_LIMIT, &record, /* reterr= */ NULL) < 0)
                return false;
        *ret_size = (uint64_t) json_get_integer(record, "size", 0);
        return true;
}


static int start(const NewLayer *layer, size_t number, const Stage *stage, uint64_t limit, Slot *slot, Error *reterr) {
        char name[32];
        _cleanup_fd_ int diff = -EBADF, record = -EBADF;

        (void) snprintf(name, sizeof(name), "layer-%zu", number);
        int r = stage_remove_tree(&stage->map, stage->fd, name, reterr); /* of an earlier try */
        if (r < 0)
                return r;
        if (mkdirat(stage->fd, name, 0700) < 0)
                return error_set_errno(reterr, -errno, "cannot make a temporary directory");
        slot->fd = openat(stage->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (slot->fd < 0 || mkdirat(slot->fd, "diff", 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make a temporary directory");
        diff = openat(slot->fd, "diff", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        /* whatever the umask: a tree whose archive does not name its root is readable for all users in a container */
        if (diff < 0 || fchmod(diff, 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make a temporary directory");
        record = openat(slot->fd, IMAGE_LAYER_RECORD, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (record < 0)
                return error_set_errno(reterr, -errno, "cannot make a temporary file");
        slot->layer = number;
        WorkerJob job = { .task = WORKER_UNPACK, .in_fd = layer->file.fd, .offset = layer->file.offset, .size = layer->file.size,
                          .dir_fd = diff, .out_fd = record, .size_limit = limit };
        return worker_start(&job, &stage->map, &slot->worker, reterr);
}

static int write_record(int fd, const UnpackResult *result, Error *reterr) {
        _cleanup_json_ json_t *record = json_pack("{s:i, s:s, s:I, s:s, s:I, s:I}", "version", 1, "diffID", result->diff_id, "size",
                                                  (json_int_t) result->size_out, "digest", result->digest, "compressedSize",
                                                  (json_int_t) result->size_in, "created", (json_int_t) time(NULL));

        if (record && result->exact)
                (void) json_object_set_new(record, "exact", json_true());
        else
                (void) unlinkat(fd, IMAGE_LAYER_RECORD, 0); /* it could not be used */
        if (record && result->n_devices_skipped > 0)
                (void) json_object_set_new(record, "devicesSkipped", json_integer((json_int_t) result->n_devices_skipped));
        if (record && result->n_xattrs_skipped > 0)
                (void) json_object_set_new(record, "attributesSkipped", json_integer((json_int_t) result->n_xattrs_skipped));
        return json_write(fd, "layer.json", record, 0600, FILE_VOLATILE, reterr);
}

static int check(NewLayer *layer, const UnpackResult *result, Error *reterr) {
        if (layer->digest && !str_equal(layer->digest, result->digest))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "it is damaged: its digest is %s", result->digest);
        if (!layer->diff_id && !(layer->diff_id = strdup(result->diff_id)))
                return error_oom(reterr);
        if (!str_equal(layer->diff_id, result->diff_id))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its content has the diff ID %s, the image config says %s",
                                 result->diff_id, layer->diff_id);
        return 0;
}

/* Takes the result of a worker that is done; the directory gets the layer's name. */
static int finish(NewImage *image, Slot *slot, const Stage *stage, Error *reterr) {
        NewLayer *layer = image->layers + slot->layer;
        UnpackResult result;
        uint64_t size;
        char name[32];

        int r = worker_finish(&slot->worker, &result, reterr);
        if (r >= 0)
                r = check(layer, &result, reterr);
        if (r >= 0)
                r = write_record(slot->fd, &result, reterr);
        slot->fd = fd_close(slot->fd);
        if (r < 0)
                return error_prefix(reterr, r, "layer %zu%s%s", slot->layer + 1, layer->digest ? " " : "", layer->digest ?: "");
        if (result.n_devices_skipped > 0)
                log_info("layer %zu has %llu device nodes that an ordinary user cannot make, leaving them out", slot->layer + 1,
                         (unsigned long long) result.n_devices_skipped);
        (void) snprintf(name, sizeof(name), "layer-%zu", slot->layer);
        if (!layer_is_in(stage->fd, layer->diff_id, &size) &&
            renameat(stage->fd, name, stage->fd, digest_hex(layer->diff_id)) < 0)
                return error_set_errno(reterr, -errno, "cannot rename a temporary directory");
        return 0;
}

static size_t wait_for_one(const Slot *slots, size_t n) {
        struct pollfd fds[IMAGE_WORKERS_LIMIT];

        for (size_t i = 0; i < n; i++)
                fds[i] = (struct pollfd){ .fd = slots[i].worker.socket, .events = POLLIN };
        while (poll(fds, n, -1) < 0)
                ;
        for (size_t i = 0; i < n; i++)
                if (fds[i].revents)
                        return i;
        return 0;
}

/* Whether the layer needs no unpacking: here, staged, or the same as one before it in this image. */
static bool layer_is_known(NewImage *image, size_t number, const Stage *stage, int layers_fd) {
        NewLayer *layer = image->layers + number;
        uint64_t size;

        if (!layer->diff_id)
                return false;
        if (layer_is_in(layers_fd, layer->diff_id, &size) || layer_is_in(stage->fd, layer->diff_id, &size))
                return true;
        for (size_t i = 0; i < number; i++)
                if (str_equal(image->layers[i].diff_id, layer->diff_id))
                        return true;
        return false;
}

int new_image_unpack(NewImage *image, Stage *stage, Error *reterr) {
        _cleanup_fd_ int layers_fd = open_layers(stage->store, reterr);
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        size_t room = (size_t) MAX(1L, MIN(processors, (long) IMAGE_WORKERS_LIMIT)), running = 0, next = 0;
        Slot slots[IMAGE_WORKERS_LIMIT];
        uint64_t limit;
        int r;

        if (layers_fd < 0)
                return layers_fd;
        r = stage_free_space(stage, &limit, reterr);
        limit = MIN(limit, IMAGE_LAYER_SIZE_LIMIT);
        for (size_t i = 0; i < ELEMENTSOF(slots); i++)
                slots[i] = (Slot){ .worker = WORKER_NULL, .fd = -EBADF };
        while (r >= 0 && (next < image->n_layers || running > 0)) {
                if (next < image->n_layers && running < room) {
                        if (!layer_is_known(image, next, stage, layers_fd))
                                r = start(image->layers + next, next, stage, limit, slots + running++, reterr);
                        next++;
                        continue;
                }
                size_t done = wait_for_one(slots, running);
                r = finish(image, slots + done, stage, reterr);
                running--;
                Slot last = slots[running];
                slots[running] = (Slot){ .worker = WORKER_NULL, .fd = -EBADF };
                if (done != running)
                        slots[done] = last;
        }
        for (size_t i = 0; i < ELEMENTSOF(slots); i++) {
                worker_done(&slots[i].worker);
                (void) fd_close(slots[i].fd);
        }
        return r < 0 ? r : 0;
}

/* Docker's archives have no manifest: one is made that names the layers as they are, uncompressed. */
static int make_manifest(NewImage *image, const Stage *stage, int layers_fd, Error *reterr) {
        _cleanup_json_ json_t *json = json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:[]}", "schemaVersion", 2, "mediaType",
                                                MEDIA_TYPE_OCI_MANIFEST, "config", "mediaType", MEDIA_TYPE_OCI_CONFIG, "digest",
                                                image->config_digest, "size", (json_int_t) image->config_size, "layers");

        for (size_t i = 0; i < image->n_layers; i++) {
                const char *diff_id = image->layers[i].diff_id;
                uint64_t size;
                json_t *descriptor;

                if (!layer_is_in(stage->fd, diff_id, &size) && !layer_is_in(layers_fd, diff_id, &size))
                        return -EAGAIN;
                descriptor = json_pack("{s:s, s:s, s:I}", "mediaType", MEDIA_TYPE_OCI_LAYER, "digest", diff_id, "size",
                                       (json_int_t) size);
                if (json_array_append_new(json_object_get(json, "layers"), descriptor) < 0)
                        return error_oom(reterr);
        }
        image->manifest = json ? json_dumps(json, JSON_COMPACT) : NULL;
        if (!image->manifest)
                return error_oom(reterr);
        image->manifest_size = strlen(image->manifest);
        return sha256_buffer(image->manifest, image->manifest_size, image->manifest_digest) < 0 ? error_oom(reterr) : 0;
}

/* Moves staged layers into the store. All of the image must be there afterwards. */
static int move_layers(const NewImage *image, const Stage *stage, int layers_fd, Error *reterr) {
        for (size_t i = 0; i < image->n_layers; i++) {
                const char *hex = digest_hex(image->layers[i].diff_id);
                uint64_t size;

                if (layer_is_in(layers_fd, image->layers[i].diff_id, &size))
                        continue;
                if (renameat(stage->fd, hex, layers_fd, hex) < 0) {
                        if (errno == ENOENT)
                                return -EAGAIN;
                        return error_set_errno(reterr, -errno, "cannot move a layer into '%s/layers'", stage->store->data_path);
                }
        }
        return fsync(layers_fd) < 0 ? error_set_errno(reterr, -errno, "cannot write '%s/layers'", stage->store->data_path) : 0;
}

static int write_blob(int images_fd, const char *digest, const char *data, size_t size, Error *reterr) {
        char hex[DIGEST_HEX_LENGTH + 1];
        _cleanup_fd_ int fd = openat(images_fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open 'blobs/sha256'");
        (void) snprintf(hex, sizeof(hex), "%s", digest_hex(digest));
        int r = file_write_atomic(fd, hex, data, size, 0600, FILE_DURABLE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write the blob '%s'", digest) : 0;
}

static int write_index(const NewImage *image, const Store *store, int images_fd, Error *reterr) {
        const char *type = image->manifest_type ?: MEDIA_TYPE_OCI_MANIFEST;
        int64_t size = (int64_t) image->manifest_size;
        _cleanup_json_ json_t *index = NULL;

        int r = layout_load(store, &index, reterr);
        if (r >= 0 && !image->names)
                r = layout_add(index, image->manifest_digest, size, type, /* name= */ NULL, reterr);
        for (char **name = image->names; name && *name && r >= 0; name++)
                r = layout_add(index, image->manifest_digest, size, type, *name, reterr);
        return r < 0 ? r : layout_save(images_fd, index, reterr);
}

int new_image_commit(NewImage *image, Stage *stage, Error *reterr) {
        _cleanup_fd_ int layers_fd = open_layers(stage->store, reterr), images_fd = -EBADF, lock = -EBADF;
        int r = layers_fd;

        if (r >= 0 && !image->manifest)
                r = make_manifest(image, stage, layers_fd, reterr);
        if (r < 0)
                return r;
        /* before a layer has its name, its files are on the disk (syncfs(2)) */
        if (image->n_layers > 0 && syncfs(stage->fd) < 0)
                return error_set_errno(reterr, -errno, "cannot write '%s' to the disk", stage->store->data_path);
        r = lock = layout_lock(stage->store, reterr);
        if (r >= 0)
                r = images_fd = layout_open(stage->store, reterr);
        if (r >= 0)
                r = move_layers(image, stage, layers_fd, reterr);
        if (r >= 0)
                r = write_blob(images_fd, image->config_digest, image->config, image->config_size, reterr);
        if (r >= 0)
                r = write_blob(images_fd, image->manifest_digest, image->manifest, image->manifest_size, reterr);
        if (r >= 0)
                r = write_index(image, stage->store, images_fd, reterr);
        return r < 0 ? r : 0;
}
