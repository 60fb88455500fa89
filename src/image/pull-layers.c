/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that fetches layers. */
#include "image/pull-layers.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "image/layer-dir.h"
#include "image/limits.h"
#include "image/nursery.h"
#include "image/pull-lock.h"
#include "image/pull-sync.h"

enum {
        DOWNLOADS = 6,                   /* at once */
        WAITS = 6,                       /* for other commands, at once */
        PIPE_SIZE = 1024 * 1024,
        SYNC_MSEC = 200,                 /* at least so long from the end of one syncfs(2) to the start of the next */
        EARLY_SYNC_SIZE = 48 * 1024 * 1024, /* after so many bytes one starts also where no layer is complete */
        EVENT_MSEC = 1000,               /* how long a worker's end may come before its transfer's */
};

typedef enum LayerState {
        LAYER_TODO,
        LAYER_WAITING,
        LAYER_RUNNING,
        LAYER_STAGED,
        LAYER_SYNCING,
        LAYER_STORED,
        LAYER_SAME,
} LayerState;

typedef struct Layer {
        LayerState state;
        const Descriptor *blob;     /* borrowed */
        const char *diff_id;        /* borrowed */
        int lock_fd;
        PullWait wait;              /* WAITING */
        /* RUNNING */
        Worker worker;
        int dir_fd, record_fd;
        char path[LAYER_DIR_NAME_SIZE];
        unsigned transfer;
        uint64_t bytes;             /* that came, as far as was told */
        bool small;
        int small_fd;               /* a pipe with the bytes of a small one, which is unpacked when all are there */
        bool transfer_over, worker_over;
        int64_t worker_over_msec;
        Error transfer_error, worker_error;
        UnpackResult result;
} Layer;

struct PullLayers {
        Stage *stage;
        RegistryClient *client;
        Progress *progress;
        Layer *layers;
        size_t n;
        int locks_fd, layers_fd;
        Nursery nursery;
        PullSync sync;
        int64_t synced_msec;        /* when the last one ended */
        uint64_t unsynced;          /* bytes that came since the last one began */
        uint64_t size_limit;        /* of a layer unpacked */
};

int pull_layers_new(Stage *stage, RegistryClient *client, Progress *progress, const NewImage *image, const Manifest *manifest,
                    PullLayers **ret, Error *reterr) {
        _cleanup_pull_layers_ PullLayers *l = calloc(1, sizeof(*l));

        if (!l)
                return error_oom(reterr);
        *l = (PullLayers){ .stage = stage, .client = client, .progress = progress, .locks_fd = -EBADF, .layers_fd = -EBADF,
                           .nursery = NURSERY_NULL, .sync = PULL_SYNC_NULL, .synced_msec = time_monotonic_usec() / 1000 };
        l->layers = calloc(MAX(manifest->n_layers, (size_t) 1), sizeof(*l->layers));
        if (!l->layers)
                return error_oom(reterr);
        for (l->n = 0; l->n < manifest->n_layers; l->n++) {
                Layer *layer = l->layers + l->n;

                *layer = (Layer){ .blob = manifest->layers + l->n, .diff_id = image->layers[l->n].diff_id, .lock_fd = -EBADF,
                                  .wait = PULL_WAIT_NULL, .worker = WORKER_NULL, .dir_fd = -EBADF, .record_fd = -EBADF,
                                  .small_fd = -EBADF };
                for (size_t i = 0; i < l->n; i++)
                        if (str_equal(l->layers[i].diff_id, layer->diff_id))
                                layer->state = LAYER_SAME;
        }
        int r = l->locks_fd = pull_lock_open(stage->store, reterr);
        if (r >= 0)
                r = l->layers_fd = store_open_data(stage->store, "layers", reterr);
        if (r >= 0)
                r = stage_free_space(stage, &l->size_limit, reterr);
        if (r < 0)
                return r;
        l->size_limit = MIN(l->size_limit, IMAGE_LAYER_SIZE_LIMIT);
        *ret = TAKE_PTR(l);
        return 0;
}

/* Ends what a running layer has under way. The nursery is gone, or its worker is. */
static void layer_stop(PullLayers *l, Layer *layer) {
        if (layer->state == LAYER_RUNNING && !layer->transfer_over)
                registry_cancel(l->client, layer->transfer);
        nursery_worker_wait_gone(&layer->worker);
        layer->dir_fd = fd_close(layer->dir_fd);
        layer->record_fd = fd_close(layer->record_fd);
        layer->small_fd = fd_close(layer->small_fd);
        error_done(&layer->transfer_error);
        error_done(&layer->worker_error);
        pull_wait_done(&layer->wait);
        if (layer->state == LAYER_RUNNING || layer->state == LAYER_WAITING)
                layer->state = LAYER_TODO;
}

PullLayers *pull_layers_free(PullLayers *l) {
        if (!l)
                return NULL;
        nursery_done(&l->nursery);
        pull_sync_done(&l->sync);
        for (size_t i = 0; i < l->n; i++) {
                layer_stop(l, l->layers + i);
                pull_lock_release(l->locks_fd, digest_hex(l->layers[i].diff_id), l->layers[i].lock_fd);
        }
        (void) fd_close(l->locks_fd);
        (void) fd_close(l->layers_fd);
        free(l->layers);
        free(l);
        return NULL;
}

static size_t count(const PullLayers *l, LayerState state) {
        size_t n = 0;

        for (size_t i = 0; i < l->n; i++)
                n += l->layers[i].state == state;
        return n;
}

static bool is_stored(const PullLayers *l, const Layer *layer) {
        uint64_t size;

        return layer_dir_is_in(l->layers_fd, layer->diff_id, &size);
}

static void layer_here(PullLayers *l, Layer *layer) {
        (void) pull_lock_share(layer->lock_fd);
        layer->state = LAYER_STORED;
        progress_line(l->progress, "Copying blob %s skipped: already exists", layer->blob->digest);
}

static int start_transfer(PullLayers *l, Layer *layer, int *ret_read_fd, Error *reterr) {
        int pair[2];

        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot start a transfer");
        _cleanup_fd_ int read_fd = pair[0], write_fd = pair[1];
        (void) fcntl(write_fd, F_SETPIPE_SZ, PIPE_SIZE); /* a smaller one does, too */
        /* a pipe has as many writes as pages, so there is room for a small one that comes in many pieces */
        layer->small = layer->blob->size <= NURSERY_SMALL_SIZE && fcntl(write_fd, F_GETPIPE_SZ) >= 4 * NURSERY_SMALL_SIZE;
        int r = registry_blob_start(l->client, layer->blob->digest, layer->blob->size, write_fd, &layer->transfer, reterr);
        if (r >= 0)
                *ret_read_fd = TAKE_FD(read_fd);
        return r;
}

static int start_worker(PullLayers *l, Layer *layer, int read_fd, Error *reterr) {
        _cleanup_fd_ int record = TAKE_FD(layer->record_fd);
        const WorkerJob job = { .task = WORKER_UNPACK, .in_fd = read_fd, .size = UINT64_MAX, .dir_fd = -EBADF, .out_fd = record,
                                .size_limit = l->size_limit, .large = layer->blob->size >= IMAGE_LARGE_SIZE };

        return nursery_start_worker(&l->nursery, &job, layer->small, layer->path, &layer->worker, reterr);
}

static int layer_start(PullLayers *l, size_t number, Error *reterr) {
        Layer *layer = l->layers + number;
        _cleanup_fd_ int read_fd = -EBADF;
        int r = 0;

        if (l->nursery.pid == 0)
                r = nursery_start(l->stage->fd, &l->stage->map, &l->nursery, reterr);
        if (r >= 0)
                r = start_transfer(l, layer, &read_fd, reterr);
        if (r < 0)
                return r;
        layer->state = LAYER_RUNNING;
        layer->transfer_over = layer->worker_over = false;
        layer->bytes = 0;
        r = layer_dir_make(l->stage, number, layer->path, &layer->dir_fd, &layer->record_fd, reterr);
        if (r < 0)
                return r;
        if (layer->small)
                layer->small_fd = TAKE_FD(read_fd);
        else
                r = start_worker(l, layer, read_fd, reterr);
        if (r >= 0)
                (void) progress_begin(l->progress, number, layer->blob->digest, (uint64_t) layer->blob->size);
        return r;
}

static int layer_wait(PullLayers *l, Layer *layer, PullLockState state, Error *reterr) {
        if (count(l, LAYER_WAITING) >= WAITS)
                return 0;
        int r = pull_wait_start(l->locks_fd, digest_hex(layer->diff_id), state, &layer->wait, reterr);
        if (r < 0)
                return r;
        layer->state = LAYER_WAITING;
        progress_line(l->progress, "Copying blob %s: another command is fetching it", layer->blob->digest);
        return 0;
}

/* What can be done with a layer that is to do: found, fetched, or waited for. */
static int layer_begin(PullLayers *l, size_t number, Error *reterr) {
        Layer *layer = l->layers + number;
        _cleanup_fd_ int fd = -EBADF;

        int state = pull_lock_try(l->locks_fd, digest_hex(layer->diff_id), &fd, reterr);
        if (state < 0)
                return state;
        if (state == PULL_LOCK_BUSY)
                return layer_wait(l, layer, PULL_LOCK_SHARED, reterr);
        if (is_stored(l, layer)) {
                layer->lock_fd = TAKE_FD(fd);
                layer_here(l, layer);
                return 0;
        }
        if (state == PULL_LOCK_SHARED) {
                fd = fd_close(fd);
                return layer_wait(l, layer, PULL_LOCK_OURS, reterr);
        }
        if (count(l, LAYER_RUNNING) >= DOWNLOADS)
                return 0; /* the lock is for who can begin now */
        layer->lock_fd = TAKE_FD(fd);
        return layer_start(l, number, reterr);
}

static int begin_all(PullLayers *l, Error *reterr) {
        size_t running = count(l, LAYER_RUNNING);
        int r = 0;

        for (size_t i = 0; i < l->n && r >= 0 && running < DOWNLOADS; i++) {
                if (l->layers[i].state != LAYER_TODO)
                        continue;
                r = layer_begin(l, i, reterr);
                running += l->layers[i].state == LAYER_RUNNING;
        }
        return r;
}

/* The lock that was waited for is there. The blob may be, too, or the one who fetched it has given up. */
static void layer_waited(PullLayers *l, Layer *layer) {
        layer->lock_fd = TAKE_FD(layer->wait.lock_fd);
        pull_wait_done(&layer->wait);
        layer->state = LAYER_TODO;
        if (is_stored(l, layer))
                layer_here(l, layer);
        else
                layer->lock_fd = fd_close(layer->lock_fd); /* taken anew, to be ours */
}

/* The transfer's fault is the cause where a worker was cut off; a transfer that found nobody reading is the worker's. */
static int layer_fault(Layer *layer, Error *reterr) {
        bool transfer = layer->transfer_error.code < 0 && (layer->transfer_error.code != -EPIPE || layer->worker_error.code == 0);

        return error_move(reterr, transfer ? &layer->transfer_error : &layer->worker_error);
}

static int layer_finish(PullLayers *l, size_t number, Error *reterr) {
        Layer *layer = l->layers + number;
        char *diff_id = (char *) layer->diff_id; /* it is set, and stays as it is */
        int r = layer->transfer_error.code < 0 || layer->worker_error.code < 0 ? layer_fault(layer, reterr) : 0;

        if (r >= 0 && layer->result.size_in != (uint64_t) layer->blob->size)
                r = error_set(reterr, -EBADMSG, ERROR_CORRUPT, "it is damaged: %llu bytes, expected %lld",
                              (unsigned long long) layer->result.size_in, (long long) layer->blob->size);
        if (r >= 0)
                r = layer_dir_finish(l->stage, number, layer->dir_fd, &layer->result, layer->blob->digest, &diff_id, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "layer %zu %s", number + 1, layer->blob->digest);
        layer->dir_fd = fd_close(layer->dir_fd);
        layer->state = LAYER_STAGED;
        progress_end(l->progress, number, "done");
        return 0;
}

/* A layer is done when both have ended, the transfer and the worker. */
static int layer_check(PullLayers *l, size_t number, Error *reterr) {
        Layer *layer = l->layers + number;

        if (layer->state != LAYER_RUNNING || !layer->worker_over)
                return 0;
        /* it may not have been the transfer's fault: that waits for the server, and for nobody to read what comes */
        if (!layer->transfer_over && (layer->worker_error.code == 0 || time_monotonic_usec() / 1000 - layer->worker_over_msec < EVENT_MSEC))
                return 0;
        return layer_finish(l, number, reterr);
}

static void worker_ended(Layer *layer) {
        (void) worker_finish(&layer->worker, &layer->result, &layer->worker_error);
        layer->worker_over = true;
        layer->worker_over_msec = time_monotonic_usec() / 1000;
}

/* What is known at the end of a transfer. A small layer is unpacked now, if it is there. */
static int transfer_ended(PullLayers *l, Layer *layer, RegistryEvent *event, Error *reterr) {
        _cleanup_fd_ int small_fd = TAKE_FD(layer->small_fd);
        int r = 0;

        layer->transfer_over = true;
        if (event->state == REGISTRY_FAILED) {
                (void) error_move(&layer->transfer_error, &event->error);
                if (layer->transfer_error.code >= 0)
                        (void) error_set(&layer->transfer_error, -EIO, ERROR_UNREACHABLE, "the transfer failed");
        }
        if (small_fd >= 0 && layer->transfer_error.code < 0)
                layer->worker_over = true; /* it never began */
        else if (small_fd >= 0)
                r = start_worker(l, layer, small_fd, reterr);
        return r;
}

static Layer *layer_of_transfer(PullLayers *l, unsigned transfer) {
        for (size_t i = 0; i < l->n; i++)
                if (l->layers[i].state == LAYER_RUNNING && l->layers[i].transfer == transfer)
                        return l->layers + i;
        return NULL; /* it was given up */
}

static int take_events(PullLayers *l, Error *reterr) {
        for (;;) {
                _cleanup_registry_event_ RegistryEvent event = {};

                int r = registry_next_event(l->client, &event, reterr);
                if (r <= 0)
                        return r;
                Layer *layer = layer_of_transfer(l, event.id);
                if (!layer)
                        continue;
                if (event.bytes > layer->bytes) {
                        l->unsynced += event.bytes - layer->bytes;
                        layer->bytes = event.bytes;
                }
                progress_bytes(l->progress, (size_t) (layer - l->layers), event.bytes);
                if (event.state == REGISTRY_PROGRESS)
                        continue;
                progress_note(l->progress, (size_t) (layer - l->layers), "unpacking");
                r = transfer_ended(l, layer, &event, reterr);
                if (r < 0)
                        return r;
        }
}

/* Layers that are on the disk get their names. */
static int store_synced(PullLayers *l, Error *reterr) {
        _cleanup_fd_ int lock = layout_lock(l->stage->store, reterr);
        int r = lock < 0 ? lock : 0;

        for (size_t i = 0; i < l->n && r >= 0; i++) {
                Layer *layer = l->layers + i;
                const char *hex = digest_hex(layer->diff_id);

                if (layer->state != LAYER_SYNCING)
                        continue;
                if (!is_stored(l, layer) && renameat(l->stage->fd, hex, l->layers_fd, hex) < 0)
                        r = error_set_errno(reterr, -errno, "cannot move a layer into '%s/layers'", l->stage->store->data_path);
        }
        lock = fd_close(lock);
        if (r >= 0 && fsync(l->layers_fd) < 0)
                r = error_set_errno(reterr, -errno, "cannot write '%s/layers'", l->stage->store->data_path);
        for (size_t i = 0; i < l->n && r >= 0; i++)
                if (l->layers[i].state == LAYER_SYNCING) {
                        l->layers[i].state = LAYER_STORED;
                        (void) pull_lock_share(l->layers[i].lock_fd);
                }
        return r < 0 ? r : 0;
}

static int sync_start(PullLayers *l, Error *reterr) {
        int r = pull_sync_start(l->stage->fd, &l->sync, reterr);

        l->unsynced = 0;
        for (size_t i = 0; i < l->n && r >= 0; i++)
                if (l->layers[i].state == LAYER_STAGED)
                        l->layers[i].state = LAYER_SYNCING;
        return r;
}

static int sync_finish(PullLayers *l, Error *reterr) {
        int r = pull_sync_finish(&l->sync, reterr);

        l->synced_msec = time_monotonic_usec() / 1000;
        return r < 0 || count(l, LAYER_SYNCING) == 0 ? r : store_synced(l, reterr);
}

/* Milliseconds until a syncfs(2) may start; -1: there is none to start. The last layers go with the image. Of a large layer, most is on
 * the disk when it is complete: without, all its small files would be written then, while nobody else has anything to do. */
static int sync_timeout(const PullLayers *l) {
        const bool wanted = count(l, LAYER_STAGED) > 0 || l->unsynced >= EARLY_SYNC_SIZE;

        if (l->sync.pid > 0 || !wanted || count(l, LAYER_RUNNING) + count(l, LAYER_TODO) + count(l, LAYER_WAITING) == 0)
                return -1;
        return (int) MAX(0, l->synced_msec + SYNC_MSEC - time_monotonic_usec() / 1000);
}

static int earlier(int a, int b) {
        return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

typedef struct PollSet {
        struct pollfd fds[2 + DOWNLOADS + WAITS];
        size_t layer[2 + DOWNLOADS + WAITS];
        size_t n;
} PollSet;

static void poll_add(PollSet *set, int fd, size_t layer) {
        assert(set->n < ELEMENTSOF(set->fds));
        set->layer[set->n] = layer;
        set->fds[set->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static int wait_for_something(PullLayers *l, Error *reterr) {
        PollSet set = {};
        int timeout = earlier(progress_timeout(l->progress), sync_timeout(l));

        poll_add(&set, registry_events_fd(l->client), l->n);
        poll_add(&set, l->sync.pid > 0 ? l->sync.pipe_fd : -1, l->n);
        for (size_t i = 0; i < l->n; i++) {
                const Layer *layer = l->layers + i;

                if (layer->state == LAYER_RUNNING && !layer->worker_over)
                        poll_add(&set, layer->worker.socket, i);
                else if (layer->state == LAYER_RUNNING && !layer->transfer_over && layer->worker_error.code < 0)
                        timeout = earlier(timeout, EVENT_MSEC);
                else if (layer->state == LAYER_WAITING)
                        poll_add(&set, layer->wait.pipe_fd, i);
        }
        if (RETRY_EINTR(poll(set.fds, set.n, timeout)) < 0)
                return error_set_errno(reterr, -errno, "cannot wait");
        for (size_t i = 2; i < set.n; i++) {
                Layer *layer = l->layers + set.layer[i];

                if (!set.fds[i].revents)
                        continue;
                if (layer->state == LAYER_WAITING)
                        layer_waited(l, layer);
                else
                        worker_ended(layer);
        }
        return set.fds[1].revents ? sync_finish(l, reterr) : 0;
}

static int step(PullLayers *l, Error *reterr) {
        int r = take_events(l, reterr);

        if (r >= 0)
                r = wait_for_something(l, reterr);
        if (r >= 0)
                r = take_events(l, reterr);
        for (size_t i = 0; i < l->n && r >= 0; i++)
                r = layer_check(l, i, reterr);
        if (r >= 0 && sync_timeout(l) == 0)
                r = sync_start(l, reterr);
        progress_tick(l->progress);
        return r;
}

/* What is complete is kept, whatever went wrong with the others. */
static void keep_complete(PullLayers *l) {
        _cleanup_error_ Error error = ERROR_NULL;
        int r = 0;

        nursery_done(&l->nursery);
        for (size_t i = 0; i < l->n; i++)
                layer_stop(l, l->layers + i);
        if (l->sync.pid > 0)
                r = sync_finish(l, &error);
        if (r >= 0 && count(l, LAYER_STAGED) > 0) {
                r = sync_start(l, &error);
                if (r >= 0)
                        r = sync_finish(l, &error);
        }
        if (r < 0)
                log_info("%s, complete layers are fetched again the next time", error.message);
}

/* What is here needs nothing; the rest is what is expected. */
static int look_first(PullLayers *l, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < l->n && r >= 0; i++) {
                Layer *layer = l->layers + i;
                uint64_t size;

                /* somebody removed it meanwhile, by force */
                if ((layer->state == LAYER_STORED && !is_stored(l, layer)) ||
                    (layer->state == LAYER_STAGED && !is_stored(l, layer) && !layer_dir_is_in(l->stage->fd, layer->diff_id, &size))) {
                        layer->lock_fd = fd_close(layer->lock_fd);
                        layer->state = LAYER_TODO;
                }
                if (layer->state == LAYER_TODO && is_stored(l, layer))
                        r = layer_begin(l, i, reterr);
                if (layer->state != LAYER_STORED && layer->state != LAYER_SAME)
                        progress_expect(l->progress, (uint64_t) layer->blob->size);
        }
        return r;
}

int pull_layers_run(PullLayers *l, Error *reterr) {
        int r = look_first(l, reterr);

        while (r >= 0) {
                r = begin_all(l, reterr);
                if (r < 0 || count(l, LAYER_TODO) + count(l, LAYER_RUNNING) + count(l, LAYER_WAITING) == 0)
                        break;
                r = step(l, reterr);
                if (r < 0)
                        break;
        }
        if (r >= 0 && l->sync.pid > 0)
                r = sync_finish(l, reterr);
        if (r < 0)
                keep_complete(l);
        return r < 0 ? r : 0;
}
