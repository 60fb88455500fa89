/* SPDX-License-Identifier: Apache-2.0 */
/* Making sandboxed children and hearing from them. */
#include "image/worker.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/wire.h"
#include "image/archive-library.h"
#include "image/compress.h"
#include "image/hasher.h"
#include "image/record.h"
#include "image/sandbox.h"
#include "ns/userns.h"

enum { WORKER_FUNCTION_FILES = 1024 };

static int copy_out(Stream *stream, int out_fd, UnpackResult *ret, Error *reterr) {
        for (;;) {
                const uint8_t *p;
                size_t n;
                int r = stream_peek(stream, &p, &n, reterr);

                if (r < 0)
                        return r;
                if (n == 0)
                        break;
                r = io_write_full(out_fd, p, n);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write a temporary file");
                stream_consume(stream, n);
        }
        int r = stream_finish(stream, reterr);
        if (r < 0)
                return r;
        stream_digests(stream, ret->digest, ret->diff_id);
        ret->size_in = stream_size_in(stream);
        ret->size_out = stream_position(stream);
        return 0;
}

static int replay(Stream *record, int root, const WorkerJob *job, UnpackResult *ret, Error *reterr) {
        _cleanup_compressor_ Compressor *out = NULL;
        Compressed done;

        int r = compressor_new(job->compression, job->level, job->out_fd, &out, reterr);
        if (r >= 0)
                r = record_replay(record, root, compressor_write, out, reterr);
        if (r >= 0)
                r = compressor_finish(out, &done, reterr);
        if (r < 0)
                return r;
        (void) stpcpy(ret->digest, done.digest_out);
        (void) stpcpy(ret->diff_id, done.digest_in);
        ret->size_in = done.size_out;
        ret->size_out = done.size_in;
        return 0;
}

/* Where a worker's bytes come from, and where they are hashed. */
typedef struct Rings {
        Ring in, apart;
} Rings;

/* Locks the sandbox. Where there is much to decompress, that is done by another process, on another processor, while this one
 * writes files. It has the same sandbox, or rather less: no directory, and not where the results go. */
static int lock_and_split(const WorkerJob *job, Stream *stream, Rings *rings, Error *reterr) {
        const SandboxLimits limits = { .file_size = job->size_limit };
        Ring filler;
        int r;

        if (!stream_is_heavy(stream))
                return sandbox_lock(&limits, reterr);
        r = ring_make(&filler, &rings->in, reterr);
        if (r < 0)
                return r;
        pid_t pid = process_fork_bound(SIGKILL);
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot start a worker");
        if (pid == 0) {
                _cleanup_error_ Error error = ERROR_NULL;
                int in_fd = job->in_fd;
                int *const kept[] = { &in_fd, &filler.socket };

                /* the stream reads at the input's number, which it keeps as the first; the socket for results makes way */
                if (fd_keep(kept, ELEMENTSOF(kept)) < 0 || in_fd != job->in_fd)
                        _exit(1);
                if (sandbox_lock(&(SandboxLimits){}, &error) >= 0)
                        (void) stream_fill_ring(stream, &filler, &error);
                _exit(0);
        }
        ring_done(&filler, /* unmap= */ false);
        stream_take_ring(stream, &rings->in);
        r = job->large ? hasher_start(&rings->apart, reterr) : 0;
        if (r < 0)
                return r;
        if (job->large)
                stream_hash_apart(stream, &rings->apart);
        return sandbox_lock(&limits, reterr);
}

static int call_function(const WorkerJob *job, int root, UnpackResult *ret, Error *reterr) {
        int r = sandbox_lock(&(SandboxLimits){ .file_size = job->size_limit, .files = WORKER_FUNCTION_FILES }, reterr);

        if (r < 0)
                return r;
        (void) snprintf(ret->digest, sizeof(ret->digest), "sha256:%064d", 0); /* it has none */
        (void) snprintf(ret->diff_id, sizeof(ret->diff_id), "sha256:%064d", 0);
        return job->function(job->data, root, job->out_fd, reterr);
}

static UnpackOptions unpack_options(const WorkerJob *job, const UserMap *map) {
        return (UnpackOptions){
                .size_limit = job->size_limit,
                .n_uids = map->host ? UINT32_MAX : idmap_size(&map->uid),
                .n_gids = map->host ? UINT32_MAX : idmap_size(&map->gid),
                .devices = map->host,
                .record_fd = job->out_fd,
        };
}

static void prepare(void) {
        /* a change of IDs has reset it (prctl(2)) */
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) umask(0);
        (void) signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit is then EFBIG */
}

/* A tar stream can be longer than its files by a header for each of them. */
static int open_stream(const WorkerJob *job, Stream **ret, Error *reterr) {
        return stream_open(job->in_fd, job->offset, job->size, job->task == WORKER_DECOMPRESS ? job->size_limit : UINT64_MAX,
                           STREAM_HASH, ret, reterr);
}

/* Inside: only what the sandbox leaves is possible from here on. */
static int work(const WorkerJob *job, const UserMap *map, UnpackResult *ret, Error *reterr) {
        _cleanup_stream_ Stream *stream = NULL;
        Rings rings = { .in = RING_NULL, .apart = RING_NULL };
        _cleanup_fd_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const UnpackOptions options = unpack_options(job, map);

        if (root < 0)
                return error_set_errno(reterr, -errno, "cannot make the sandbox");
        prepare();
        if (job->task == WORKER_FUNCTION)
                return call_function(job, root, ret, reterr);
        int r = open_stream(job, &stream, reterr); /* which reads, but looks at nothing besides the first bytes */
        if (r >= 0)
                r = lock_and_split(job, stream, &rings, reterr);
        if (r < 0)
                return r;
        switch (job->task) {
        case WORKER_UNPACK:
                return unpack_layer(root, stream, &options, ret, reterr);
        case WORKER_DECOMPRESS:
                return copy_out(stream, job->out_fd, ret, reterr);
        default:
                return replay(stream, root, job, ret, reterr);
        }
}

int worker_keep_fds(WorkerJob *job, int *socket) {
        int *const fds[] = { &job->in_fd, socket, &job->out_fd };

        return fd_keep(fds, ELEMENTSOF(fds));
}

static void answer(int socket, int r, const UnpackResult *result, const Error *error) {
        if (send(socket, result, sizeof(*result), MSG_NOSIGNAL) == sizeof(*result))
                (void) wire_send_result(socket, r, error);
}

_noreturn_ void worker_serve(const WorkerJob *job, const UserMap *map, int socket) {
        _cleanup_error_ Error error = ERROR_NULL;
        UnpackResult result = {};
        int r = work(job, map, &result, &error);

        answer(socket, r, &result, &error);
        _exit(0);
}

int worker_lock(uint64_t size_limit, Error *reterr) {
        prepare();
        return sandbox_lock(&(SandboxLimits){ .file_size = size_limit }, reterr);
}

void worker_unpack(const WorkerJob *job, const UserMap *map, int root_fd, int socket) {
        const UnpackOptions options = unpack_options(job, map);
        _cleanup_stream_ Stream *stream = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        UnpackResult result = {};

        int r = open_stream(job, &stream, &error);
        if (r >= 0)
                r = unpack_layer(root_fd, stream, &options, &result, &error);
        answer(socket, r, &result, &error);
}

_noreturn_ static void worker_main(WorkerJob job, const UserMap *map, int socket) {
        _cleanup_error_ Error error = ERROR_NULL;

        int r = fchdir(job.dir_fd) < 0 ? error_set_errno(&error, -errno, "cannot make the sandbox") : 0;
        if (r >= 0)
                r = userns_enter(map, WORKER_NAMESPACES, &error);
        if (r >= 0 && (r = worker_keep_fds(&job, &socket)) < 0)
                (void) error_set_errno(&error, r, "cannot make the sandbox");
        if (r >= 0)
                r = sandbox_change_root(&error);
        if (r >= 0)
                worker_serve(&job, map, socket);
        answer(socket, r, &(UnpackResult){}, &error);
        _exit(0);
}

int worker_start(const WorkerJob *job, const UserMap *map, Worker *ret, Error *reterr) {
        int pair[2], r = job->task == WORKER_FUNCTION ? 0 : archive_library_load(reterr);

        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a worker");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        pid_t pid = process_fork_bound(SIGKILL);
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot start a worker");
        if (pid == 0)
                worker_main(*job, map, theirs);
        *ret = (Worker){ .pid = pid, .socket = TAKE_FD(ours) };
        return 0;
}

/* Nothing that a worker says is believed beyond its form. */
static bool result_is_sane(UnpackResult *result) {
        result->digest[DIGEST_LENGTH] = result->diff_id[DIGEST_LENGTH] = 0;
        return digest_is_valid(result->digest) && digest_is_valid(result->diff_id);
}

int worker_finish(Worker *worker, UnpackResult *ret, Error *reterr) {
        UnpackResult result;

        ssize_t n = RETRY_EINTR(recv(worker->socket, &result, sizeof(result), 0));
        int r = n == sizeof(result) ? wire_receive_result(worker->socket, reterr)
                                    : error_set(reterr, -EPIPE, ERROR_INTERNAL, "the unpacking process was killed");
        if (r >= 0 && !result_is_sane(&result))
                r = error_set(reterr, -EPIPE, ERROR_INTERNAL, "the unpacking process gave no result");
        if (worker->common)
                result.n_shareable = 0;
        worker_done(worker);
        if (r < 0)
                return r;
        *ret = result;
        return 0;
}

void worker_done(Worker *worker) {
        (void) fd_close(worker->socket);
        if (worker->pid > 0) {
                (void) kill(worker->pid, SIGKILL); /* not reaped yet, so the number is still its own */
                (void) process_reap(worker->pid);
        }
        *worker = WORKER_NULL;
}
