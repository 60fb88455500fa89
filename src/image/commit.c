/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking in parallel, and the one moment in which an image appears. */
#include "image/commit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "image/limits.h"
#include "image/layer-dir.h"
#include "image/nursery.h"

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
        free(image->index_digest);
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

static int start(const NewLayer *layer, size_t number, const Stage *stage, uint64_t limit, Nursery *nursery, Slot *slot,
                 Error *reterr) {
        char path[LAYER_DIR_NAME_SIZE];
        _cleanup_fd_ int record = -EBADF;

        int r = layer_dir_make(stage, number, path, &slot->fd, &record, reterr);
        if (r < 0)
                return r;
        slot->layer = number;
        WorkerJob job = { .task = WORKER_UNPACK, .in_fd = layer->file.fd, .offset = layer->file.offset, .size = layer->file.size,
                          .dir_fd = -EBADF, .out_fd = record, .size_limit = limit };
        job.large = layer->file.size >= IMAGE_LARGE_SIZE;
        return nursery_start_worker(nursery, &job, layer->file.size <= NURSERY_SMALL_SIZE, path, &slot->worker, reterr);
}

/* Takes the result of a worker that is done; the directory gets the layer's name. */
static int finish(NewImage *image, Slot *slot, const Stage *stage, Error *reterr) {
        NewLayer *layer = image->layers + slot->layer;
        UnpackResult result;

        int r = worker_finish(&slot->worker, &result, reterr);
        if (r >= 0)
                r = layer_dir_finish(stage, slot->layer, slot->fd, &result, layer->digest, &layer->diff_id, reterr);
        slot->fd = fd_close(slot->fd);
        return r < 0 ? error_prefix(reterr, r, "layer %zu%s%s", slot->layer + 1, layer->digest ? " " : "", layer->digest ?: "") : 0;
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

/* Whether the layer needs no unpacking: here with its record, staged, or the same as one before it in this image. */
static bool layer_is_known(NewImage *image, size_t number, const Stage *stage, int layers_fd) {
        NewLayer *layer = image->layers + number;
        uint64_t size;

        if (!layer->diff_id)
                return false;
        if (layer_dir_is_in(stage->fd, layer->diff_id, &size) ||
            (layer_dir_is_in(layers_fd, layer->diff_id, &size) && !layer_dir_lacks_record(layers_fd, layer->diff_id)))
                return true;
        for (size_t i = 0; i < number; i++)
                if (str_equal(image->layers[i].diff_id, layer->diff_id))
                        return true;
        return false;
}

int new_image_unpack(NewImage *image, Stage *stage, Error *reterr) {
        _cleanup_fd_ int layers_fd = open_layers(stage->store, reterr);
        _cleanup_nursery_ Nursery nursery = NURSERY_NULL;
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
                        if (!layer_is_known(image, next, stage, layers_fd)) {
                                if (nursery.pid == 0)
                                        r = nursery_start(stage->fd, &stage->map, &nursery, reterr);
                                if (r >= 0)
                                        r = start(image->layers + next, next, stage, limit, &nursery, slots + running++, reterr);
                        }
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
        nursery_done(&nursery);
        for (size_t i = 0; i < ELEMENTSOF(slots); i++) {
                nursery_worker_wait_gone(&slots[i].worker);
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

                if (!layer_dir_is_in(stage->fd, diff_id, &size) && !layer_dir_is_in(layers_fd, diff_id, &size))
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

                if (layer_dir_is_in(layers_fd, image->layers[i].diff_id, &size)) {
                        bool mend = layer_dir_lacks_record(layers_fd, image->layers[i].diff_id) &&
                                    layer_dir_is_in(stage->fd, image->layers[i].diff_id, &size);
                        int r = mend ? layer_dir_mend(layers_fd, stage->fd, image->layers[i].diff_id, reterr) : 0;

                        if (r < 0)
                                return r;
                        continue;
                }
                if (renameat(stage->fd, hex, layers_fd, hex) < 0) {
                        if (errno == ENOENT)
                                return -EAGAIN;
                        return error_set_errno(reterr, -errno, "cannot move a layer into '%s/layers'", stage->store->data_path);
                }
        }
        return fsync(layers_fd) < 0 ? error_set_errno(reterr, -errno, "cannot write '%s/layers'", stage->store->data_path) : 0;
}

/* A blob in the stage, for the syncfs(2) that the layers need anyway. */
static int stage_blob(const Stage *stage, const char *digest, const char *data, size_t size, Error *reterr) {
        int r = file_write_atomic(stage->fd, digest_hex(digest), data, size, 0600, FILE_VOLATILE);

        return r < 0 ? error_set_errno(reterr, r, "cannot write the blob '%s'", digest) : 0;
}

static int move_blobs(const NewImage *image, const Stage *stage, int images_fd, Error *reterr) {
        const char *const digests[] = { image->config_digest, image->manifest_digest };
        _cleanup_fd_ int fd = openat(images_fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open 'blobs/sha256'");
        for (size_t i = 0; i < ELEMENTSOF(digests); i++)
                if (renameat(stage->fd, digest_hex(digests[i]), fd, digest_hex(digests[i])) < 0)
                        return error_set_errno(reterr, -errno, "cannot write the blob '%s'", digests[i]);
        return fsync(fd) < 0 ? error_set_errno(reterr, -errno, "cannot write '%s/images'", stage->store->data_path) : 0;
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
        if (r >= 0 && image->index_digest)
                r = layout_set_index_digest(index, image->manifest_digest, image->index_digest, reterr);
        return r < 0 ? r : layout_save(images_fd, index, reterr);
}

int new_image_commit(NewImage *image, Stage *stage, Error *reterr) {
        _cleanup_fd_ int layers_fd = open_layers(stage->store, reterr), images_fd = -EBADF, lock = -EBADF;
        int r = layers_fd;

        if (r >= 0 && !image->manifest)
                r = make_manifest(image, stage, layers_fd, reterr);
        if (r < 0)
                return r;
        r = stage_blob(stage, image->config_digest, image->config, image->config_size, reterr);
        if (r >= 0)
                r = stage_blob(stage, image->manifest_digest, image->manifest, image->manifest_size, reterr);
        if (r < 0)
                return r;
        /* before a layer or blob has its name, its bytes are on the disk (syncfs(2)) */
        if (syncfs(stage->fd) < 0)
                return error_set_errno(reterr, -errno, "cannot write '%s' to the disk", stage->store->data_path);
        r = lock = layout_lock(stage->store, reterr);
        if (r >= 0)
                r = images_fd = layout_open(stage->store, reterr);
        if (r >= 0)
                r = move_layers(image, stage, layers_fd, reterr);
        if (r >= 0)
                r = move_blobs(image, stage, images_fd, reterr);
        if (r >= 0)
                r = write_index(image, stage->store, images_fd, reterr);
        return r < 0 ? r : 0;
}
