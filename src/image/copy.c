/* SPDX-License-Identifier: Apache-2.0 */
/* Copying images out of the store. */
#include "image/copy.h"

#include <poll.h>
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "image/known-blobs.h"
#include "image/limits.h"
#include "image/pack.h"
#include "image/progress.h"

/* A layer on its way. */
typedef struct CopySlot {
        Worker worker;       /* pid 0: the slot is free */
        TargetBlob blob;
        size_t layer;
} CopySlot;

typedef struct Copy {
        const Stage *stage;
        const ImageInfo *image;
        Target *target;
        const CopyOptions *options;
        Manifest manifest;       /* as it is stored */
        char *bytes, *config;    /* of it, and of the image config */
        size_t size, config_size;
        char **repositories;     /* that the image has names in */
        PlacedLayer *placed;
        unsigned *tries;
        Progress *progress;      /* NULL: lines are enough */
        CopySlot slots[IMAGE_WORKERS_LIMIT];
} Copy;

static void copy_done(Copy *c) {
        for (size_t i = 0; i < ELEMENTSOF(c->slots); i++) {
                worker_done(&c->slots[i].worker);
                if (c->slots[i].blob.fd >= 0)
                        c->target->ops->cancel(c->target, &c->slots[i].blob);
        }
        (void) progress_free(c->progress);
        manifest_done(&c->manifest);
        free(c->bytes);
        free(c->config);
        strv_free(c->repositories);
        free(c->placed);
        free(c->tries);
}
#define _cleanup_copy_ _cleanup_(copy_done)

void copy_say(const CopyOptions *options, const char *text, const char *subject) {
        if (!options->quiet)
                (void) fprintf(stderr, "%s%s%s\n", text, subject ? " " : "", subject ?: "");
}

static int read_blob(const Store *store, const char *digest, char **ret, size_t *ret_size, Error *reterr) {
        char path[32 + DIGEST_HEX_LENGTH];

        (void) snprintf(path, sizeof(path), "images/blobs/sha256/%s", digest_hex(digest));
        int r = file_read(store->data_fd, path, MANIFEST_SIZE_LIMIT, ret, ret_size);
        return r < 0 ? error_set_errno(reterr, r, "cannot read '%s'", path) : 0;
}

/* "HOST/PATH" of each name. */
static int find_repositories(Copy *c, Error *reterr) {
        for (char *const *name = c->image->names; name && *name; name++) {
                const char *colon = strrchr(*name, ':');

                if (colon && strv_consume(&c->repositories, strndup(*name, (size_t) (colon - *name))) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int prepare(Copy *c, Error *reterr) {
        const Store *store = c->stage->store;
        _cleanup_json_ json_t *json = NULL;

        int r = read_blob(store, c->image->digest, &c->bytes, &c->size, reterr);
        if (r >= 0)
                r = json_parse(c->bytes, c->size, c->image->digest, &json, reterr);
        if (r >= 0)
                r = manifest_load(json, c->image->digest, &c->manifest, reterr);
        if (r >= 0)
                r = read_blob(store, c->manifest.config.digest, &c->config, &c->config_size, reterr);
        if (r >= 0)
                r = find_repositories(c, reterr);
        if (r < 0)
                return r;
        if (strv_length(c->image->layers) != c->manifest.n_layers)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its manifest and its config do not agree on the number of layers");
        c->placed = calloc(c->manifest.n_layers + 1, sizeof(*c->placed));
        c->tries = calloc(c->manifest.n_layers + 1, sizeof(*c->tries));
        return c->placed && c->tries ? 0 : error_oom(reterr);
}

/* The compression that the layer gets if it is made anew. */
static Compression wanted_compression(const Copy *c) {
        return c->target->uncompressed ? COMPRESSION_NONE : c->options->compression;
}

/* The repositories that may have a blob: those of the image's names, and those that it was pushed to. */
static int collect_repositories(const Copy *c, const KnownBlob *known, char ***ret) {
        int r = known ? strv_extend(ret, known->repositories) : 0;

        return r < 0 ? r : strv_extend(ret, c->repositories);
}

/* Asks the target for one blob that the layer could be. */
static int blob_is_there(Copy *c, size_t i, const char *digest, uint64_t size, Compression compression, const KnownBlob *known,
                         Error *reterr) {
        _cleanup_strv_ char **repositories = NULL;

        if (collect_repositories(c, known, &repositories) < 0)
                return error_oom(reterr);
        int r = c->target->ops->has(c->target, digest, size, repositories, reterr);
        if (r <= 0)
                return r;
        c->placed[i] = (PlacedLayer){ .size = size, .compression = compression };
        (void) stpcpy(c->placed[i].digest, digest);
        log_debug("layer %zu is there as %s", i + 1, digest);
        return 1;
}

/* Whether there is nothing to send: the target has the blob that the manifest names, or one that the layer once became. */
static int layer_is_there(Copy *c, size_t i, Error *reterr) {
        const Descriptor *d = c->manifest.layers + i;
        const char *diff_id = c->image->layers[i];
        Compression compression = compression_from_media_type(d->media_type), wanted = wanted_compression(c);
        _cleanup_known_blobs_ KnownBlobs known = {};
        bool plain = str_equal(d->digest, diff_id), usable;
        int r = 0;

        if (plain) /* whatever its media type says */
                compression = COMPRESSION_NONE;
        usable = (!c->target->uncompressed || plain) && (!c->options->force || compression == wanted) &&
                 (c->options->type != MANIFEST_DOCKER || compression != COMPRESSION_ZSTD);
        if (c->target->repository)
                known_blobs_load(c->stage->store, diff_id, &known);
        if (usable)
                r = blob_is_there(c, i, d->digest, (uint64_t) d->size, compression, known_blobs_find(&known, d->digest), reterr);
        for (size_t k = known.n_items; k-- > 0 && r == 0;) {
                const KnownBlob *blob = known.items + k;

                if (str_equal(blob->digest, d->digest) || !str_equal(blob->compression, compression_to_string(wanted)) ||
                    blob->level != c->options->level)
                        continue;
                r = blob_is_there(c, i, blob->digest, (uint64_t) blob->size, wanted, blob, reterr);
        }
        return r;
}

/* For the next time. */
static void note_layer(const Copy *c, size_t i) {
        const PlacedLayer *placed = c->placed + i;

        if (c->target->repository)
                known_blobs_note(c->stage->store, c->image->layers[i], placed->digest, placed->size, placed->compression,
                                 c->options->level, c->target->repository);
}

static size_t same_layer_before(const Copy *c, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (str_equal(c->image->layers[k], c->image->layers[i]))
                        return k;
        return i;
}

static int start(Copy *c, size_t i, CopySlot *slot, Error *reterr) {
        Compression compression = wanted_compression(c);
        const char *diff_id = c->image->layers[i];
        uint64_t size = UINT64_MAX;

        int r = compression == COMPRESSION_NONE ? image_layer_size(c->stage->store, diff_id, &size, reterr) : 0;
        if (r >= 0)
                r = c->target->ops->begin(c->target, compression == COMPRESSION_NONE ? diff_id : NULL, size, &slot->blob, reterr);
        if (r >= 0)
                r = pack_start(c->stage, diff_id, compression, c->options->level, slot->blob.fd, &slot->worker, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "layer %s", diff_id);
        slot->layer = i;
        return 0;
}

/* Takes in what a worker has done. 1: the layer was lost on the way, and is started again. */
static int finish(Copy *c, CopySlot *slot, Error *reterr) {
        const char *diff_id = c->image->layers[slot->layer];
        PlacedLayer *placed = c->placed + slot->layer;
        _cleanup_error_ Error error = ERROR_NULL;
        UnpackResult result;

        int worked = worker_finish(&slot->worker, &result, &error);
        if (worked >= 0)
                worked = pack_check(diff_id, &result, &error);
        if (worked < 0 && error.code != -EPIPE) {
                c->target->ops->cancel(c->target, &slot->blob);
                (void) error_move(reterr, &error);
                return error_prefix(reterr, worked, "layer %s", diff_id);
        }
        /* a worker that could not write (-EPIPE) does not know why: the target does */
        int r = c->target->ops->end(c->target, &slot->blob, worked < 0 ? NULL : result.digest, worked < 0 ? 0 : result.size_in, reterr);
        if (r == -EAGAIN && c->tries[slot->layer] < c->options->retries) {
                c->tries[slot->layer]++;
                log_warning("layer %s was lost on the way, sending it again", diff_id);
                error_done(reterr);
                r = start(c, slot->layer, slot, reterr);
                return r < 0 ? r : 1;
        }
        if (r < 0)
                return error_prefix(reterr, r, "layer %s", diff_id);
        if (worked < 0)
                return error_move(reterr, &error);
        *placed = (PlacedLayer){ .size = result.size_in, .compression = wanted_compression(c) };
        (void) stpcpy(placed->digest, result.digest);
        placed->same = str_equal(placed->digest, c->manifest.layers[slot->layer].digest);
        return 0;
}

/* What a layer has in the store is about what it becomes. */
static void show_begin(Copy *c, size_t layer) {
        const Descriptor *d = c->manifest.layers + layer;

        if (!c->progress) {
                copy_say(c->options, "Copying blob", d->digest);
                return;
        }
        progress_expect(c->progress, (uint64_t) d->size);
        (void) progress_begin(c->progress, layer, d->digest, (uint64_t) d->size);
}

static void show_bytes(Copy *c) {
        for (size_t i = 0; i < ELEMENTSOF(c->slots) && c->progress; i++)
                if (c->slots[i].worker.pid > 0)
                        progress_bytes(c->progress, c->slots[i].layer, c->target->ops->sent(c->target, &c->slots[i].blob));
        if (c->progress)
                progress_tick(c->progress);
}

/* Waits until a worker is done, and looks after the target meanwhile. NULL: a fault. */
static CopySlot *wait_for_one(Copy *c, Error *reterr) {
        struct pollfd fds[IMAGE_WORKERS_LIMIT + 1];
        nfds_t n = ELEMENTSOF(c->slots);

        for (;;) {
                for (size_t i = 0; i < ELEMENTSOF(c->slots); i++)
                        fds[i] = (struct pollfd){ .fd = c->slots[i].worker.pid > 0 ? c->slots[i].worker.socket : -1, .events = POLLIN };
                fds[n] = (struct pollfd){ .fd = c->target->ops->events_fd ? c->target->ops->events_fd(c->target) : -1, .events = POLLIN };
                if (poll(fds, n + 1, c->progress ? progress_timeout(c->progress) : -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        (void) error_set_errno(reterr, -errno, "cannot wait");
                        return NULL;
                }
                if (fds[n].revents && c->target->ops->dispatch(c->target, reterr) < 0)
                        return NULL;
                show_bytes(c);
                for (size_t i = 0; i < ELEMENTSOF(c->slots); i++)
                        if (fds[i].revents)
                                return c->slots + i;
        }
}

static CopySlot *free_slot(Copy *c) {
        size_t n = c->target->in_order && wanted_compression(c) == COMPRESSION_NONE ? 1 : MIN(c->target->parallel, ELEMENTSOF(c->slots));

        for (size_t i = 0; i < n; i++)
                if (c->slots[i].worker.pid == 0)
                        return c->slots + i;
        return NULL;
}

static int copy_layers(Copy *c, Error *reterr) {
        size_t n = c->manifest.n_layers, running = 0;

        for (size_t next = 0; next < n || running > 0;) {
                CopySlot *slot = next < n ? free_slot(c) : NULL;
                int r;

                if (slot) {
                        r = same_layer_before(c, next) < next ? 1 : layer_is_there(c, next, reterr);
                        if (r == 0) {
                                show_begin(c, next);
                                r = start(c, next, slot, reterr);
                                running++;
                        }
                        next++;
                } else {
                        slot = wait_for_one(c, reterr);
                        r = slot ? finish(c, slot, reterr) : -EIO;
                        if (r == 0) {
                                running--;
                                if (c->progress)
                                        progress_end(c->progress, slot->layer, "done");
                        }
                }
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n; i++) {
                size_t first = same_layer_before(c, i);
                bool same = str_equal(c->placed[first].digest, c->manifest.layers[i].digest);

                c->placed[i] = c->placed[first];
                c->placed[i].same = same;
                if (first == i)
                        note_layer(c, i);
        }
        return 0;
}

static int put_manifest(Copy *c, char *const *names, bool nested, CopyResult *ret, Error *reterr) {
        _cleanup_free_ const char **layers = calloc(c->manifest.n_layers + 1, sizeof(*layers));
        _cleanup_edited_manifest_ EditedManifest edited = {};
        TargetManifest m = { .config_digest = c->manifest.config.digest, .layers = layers, .names = names, .nested = nested };

        if (!layers)
                return error_oom(reterr);
        for (size_t i = 0; i < c->manifest.n_layers; i++)
                layers[i] = c->placed[i].digest;
        int r = manifest_edit(c->bytes, c->size, c->placed, c->manifest.n_layers, c->options->type, &edited, reterr);
        if (r < 0)
                return r;
        m.bytes = edited.bytes;
        m.size = edited.size;
        m.media_type = edited.media_type;
        if (sha256_buffer(m.bytes, m.size, m.digest) < 0)
                return error_oom(reterr);
        r = c->target->ops->manifest(c->target, &m, reterr);
        if (r < 0)
                return r;
        *ret = (CopyResult){ .size = m.size, .media_type = m.media_type };
        (void) stpcpy(ret->digest, m.digest);
        (void) stpcpy(ret->config_digest, c->manifest.config.digest);
        return 0;
}

int copy_image(const Stage *stage, const ImageInfo *image, Target *target, const CopyOptions *options, char *const *names, bool nested,
               CopyResult *ret, Error *reterr) {
        _cleanup_copy_ Copy c = { .stage = stage, .image = image, .target = target, .options = options };

        for (size_t i = 0; i < ELEMENTSOF(c.slots); i++)
                c.slots[i] = (CopySlot){ .worker = WORKER_NULL, .blob = TARGET_BLOB_NULL };
        int r = prepare(&c, reterr);
        if (r >= 0 && target->ops->sent) {
                _cleanup_free_ char *what = str_format("Pushing to %s", target->repository);

                c.progress = what ? progress_new(what, options->quiet) : NULL;
                r = c.progress ? 0 : error_oom(reterr);
        }
        if (r >= 0)
                r = copy_layers(&c, reterr);
        c.progress = progress_free(c.progress);
        if (r < 0)
                return r;
        copy_say(options, "Copying config", c.manifest.config.digest);
        r = target->ops->config(target, c.manifest.config.digest, c.config, c.config_size, reterr);
        if (r < 0)
                return r;
        copy_say(options, "Writing manifest to image destination", NULL);
        return put_manifest(&c, names, nested, ret, reterr);
}
