/* SPDX-License-Identifier: Apache-2.0 */
/* Images to a registry (distribution-spec, "Push"). */
#include "image/target-registry.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "image/limits.h"

enum { MOUNT_TRIES = 4, PIPE_SIZE = 1024 * 1024 };

/* An upload under way, or whose end nobody has asked for yet. */
typedef struct Upload {
        bool used;
        unsigned id;
        RegistryState state;
        uint64_t bytes;                 /* that have gone */
        char digest[DIGEST_LENGTH + 1]; /* of what was sent, once it is done */
        Error error;
} Upload;

typedef struct TargetRegistry {
        Target target;
        RegistryClient *client;
        char *host, *repository; /* "localhost:5000/a/b" */
        char *under;             /* the tag or digest of the manifest */
        Upload uploads[IMAGE_WORKERS_LIMIT + 1];
} TargetRegistry;

static TargetRegistry *self(Target *target) {
        return (TargetRegistry *) target;
}

/* The upload of this blob. */
static Upload *find_upload(TargetRegistry *t, unsigned id) {
        for (size_t i = 0; i < ELEMENTSOF(t->uploads); i++)
                if (t->uploads[i].used && t->uploads[i].id == id)
                        return t->uploads + i;
        return NULL;
}

static Upload *add_upload(TargetRegistry *t) {
        for (size_t i = 0; i < ELEMENTSOF(t->uploads); i++)
                if (!t->uploads[i].used)
                        return t->uploads + i;
        return NULL;
}

static void forget_upload(Upload *upload) {
        error_done(&upload->error);
        *upload = (Upload){};
}

/* Takes what the fetcher has said, without waiting. */
static int registry_dispatch(Target *target, Error *reterr) {
        TargetRegistry *t = self(target);

        for (;;) {
                _cleanup_registry_event_ RegistryEvent event = {};
                int r = registry_next_event(t->client, &event, reterr);
                Upload *upload;

                if (r <= 0)
                        return r;
                upload = find_upload(t, event.id);
                if (!upload)
                        continue;
                upload->state = event.state;
                upload->bytes = event.bytes;
                (void) stpcpy(upload->digest, event.digest);
                if (event.state == REGISTRY_FAILED)
                        (void) error_move(&upload->error, &event.error);
        }
}

static int registry_target_events_fd(Target *target) {
        return registry_events_fd(self(target)->client);
}

static uint64_t registry_target_sent(Target *target, const TargetBlob *blob) {
        const Upload *upload = find_upload(self(target), blob->id);

        return upload ? upload->bytes : 0;
}

/* Waits until all of the upload's bytes have gone, or it failed. */
static int wait_for(TargetRegistry *t, Upload *upload, Error *reterr) {
        for (;;) {
                struct pollfd fd = { .fd = registry_events_fd(t->client), .events = POLLIN };
                int r = registry_dispatch(&t->target, reterr);

                if (r < 0)
                        return r;
                if (upload->state == REGISTRY_FAILED)
                        return error_move(reterr, &upload->error);
                if (upload->state == REGISTRY_DONE)
                        return 0;
                if (poll(&fd, 1, -1) < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait");
        }
}

/* From another repository of the same registry. */
static int mount_blob(TargetRegistry *t, const char *digest, char *const *repositories, Error *reterr) {
        int tries = 0;

        for (; repositories && *repositories && tries < MOUNT_TRIES; repositories++) {
                const char *path = str_after(*repositories, t->host);

                if (!path || *path != '/' || str_equal(*repositories, t->repository))
                        continue;
                tries++;
                int r = registry_blob_mount(t->client, digest, path + 1, reterr);
                if (r != 0) {
                        log_debug("blob %s from %s: %s", digest, *repositories, r > 0 ? "mounted" : "not mounted");
                        return r;
                }
        }
        return 0;
}

static int registry_target_has(Target *target, const char *digest, uint64_t size, char *const *repositories, Error *reterr) {
        TargetRegistry *t = self(target);
        int64_t there = -1;
        int r = registry_blob_exists(t->client, digest, &there, reterr);

        if (r > 0)
                return there < 0 || (uint64_t) there == size;
        return r < 0 ? r : mount_blob(t, digest, repositories, reterr);
}

static int registry_target_begin(Target *target, _unused_ const char *digest, _unused_ uint64_t size, TargetBlob *ret, Error *reterr) {
        TargetRegistry *t = self(target);
        Upload *upload = add_upload(t);
        int fds[2];

        assert(upload); /* `parallel` keeps them fewer */
        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a pipe");
        _cleanup_fd_ int reader = fds[0], writer = fds[1];
        (void) fcntl(writer, F_SETPIPE_SZ, PIPE_SIZE); /* a user's limit on pipes may not allow it */
        int r = registry_blob_push_start(t->client, /* digest= */ NULL, -1, reader, &upload->id, reterr);
        if (r < 0)
                return r;
        upload->used = true;
        upload->state = REGISTRY_PROGRESS;
        *ret = (TargetBlob){ .fd = TAKE_FD(writer), .id = upload->id };
        return 0;
}

static void registry_target_cancel(Target *target, TargetBlob *blob) {
        Upload *upload = find_upload(self(target), blob->id);

        (void) fd_close(blob->fd);
        if (upload) {
                registry_cancel(self(target)->client, upload->id);
                forget_upload(upload);
        }
        *blob = TARGET_BLOB_NULL;
}

/* Whether the fetcher has given the upload up: it reads no more. */
static bool is_given_up(int fd) {
        struct pollfd poll_fd = { .fd = fd };

        return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLERR);
}

static int registry_target_end(Target *target, TargetBlob *blob, const char *digest, _unused_ uint64_t size, Error *reterr) {
        TargetRegistry *t = self(target);
        Upload *upload = find_upload(t, blob->id);

        if (!digest && !is_given_up(blob->fd)) {
                registry_target_cancel(target, blob);
                return 0;
        }
        blob->fd = fd_close(blob->fd); /* the fetcher sees the end */
        int r = wait_for(t, upload, reterr);
        if (r >= 0 && digest && !str_equal(upload->digest, digest))
                r = error_set(reterr, -EPIPE, ERROR_INTERNAL, "what was sent has the digest %s, what was made %s", upload->digest, digest);
        forget_upload(upload);
        *blob = TARGET_BLOB_NULL;
        return r;
}

static int registry_target_config(Target *target, const char *digest, const char *bytes, size_t size, Error *reterr) {
        TargetRegistry *t = self(target);
        int64_t there = -1;

        int r = registry_blob_exists(t->client, digest, &there, reterr);
        if (r == 0)
                r = registry_blob_push(t->client, digest, bytes, size, reterr);
        return r < 0 ? error_prefix(reterr, r, "the image config") : 0;
}

static int registry_target_manifest(Target *target, const TargetManifest *m, Error *reterr) {
        TargetRegistry *t = self(target);
        char found[DIGEST_LENGTH + 1];

        if (!m->nested && digest_is_valid(t->under) && !str_equal(t->under, m->digest)) {
                (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot push as '%s@%s': its digest there is %s", t->repository, t->under,
                                 m->digest);
                return error_with_hint(reterr, -EINVAL, "push to a tag");
        }
        return registry_manifest_put(t->client, m->nested ? m->digest : t->under, m->bytes, m->size, m->media_type, found, reterr);
}

static int registry_target_finish(_unused_ Target *target, _unused_ Error *reterr) {
        return 0;
}

static Target *registry_target_free(Target *target) {
        TargetRegistry *t = self(target);

        (void) registry_client_free(t->client);
        for (size_t i = 0; i < ELEMENTSOF(t->uploads); i++)
                error_done(&t->uploads[i].error);
        free(t->host);
        free(t->repository);
        free(t->under);
        free(t);
        return NULL;
}

static const TargetOps registry_ops = {
        .has = registry_target_has,
        .begin = registry_target_begin,
        .end = registry_target_end,
        .cancel = registry_target_cancel,
        .config = registry_target_config,
        .manifest = registry_target_manifest,
        .finish = registry_target_finish,
        .free = registry_target_free,
        .events_fd = registry_target_events_fd,
        .dispatch = registry_dispatch,
        .sent = registry_target_sent,
};

int target_registry_new(const Reference *reference, const RegistryOptions *options, Target **ret, Error *reterr) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        RegistryOptions push = *options;
        TargetRegistry *t = calloc(1, sizeof(*t));
        int r;

        if (!t)
                return error_oom(reterr);
        push.push = true;
        t->target = (Target){ .ops = &registry_ops, .parallel = (size_t) MAX(2L, MIN(processors, (long) IMAGE_WORKERS_LIMIT)) };
        t->host = strdup(reference->domain);
        t->repository = reference_repository(reference, NULL);
        t->target.repository = t->repository;
        t->under = strdup(reference->digest ?: reference->tag ?: "latest");
        r = !t->host || !t->repository || !t->under ? error_oom(reterr) : registry_client_new(&push, reference, &t->client, reterr);
        if (r < 0) {
                (void) registry_target_free(&t->target);
                return r;
        }
        *ret = &t->target;
        return 0;
}
