/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the fetcher, and what is made of its answers. */
#include "registry/client.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/process.h"
#include "base/str.h"
#include "registry/endpoint.h"
#include "registry/fetcher.h"
#include "registry/protocol.h"
#include "spec/manifest.h"

enum { TAGS_LIMIT = 100000, TAGS_PAGES_LIMIT = 10000 };

struct RegistryClient {
        pid_t pid;
        int socket;
        unsigned last_id;
        char *name;             /* "docker.io/library/busybox", for messages */
        FetchAnswer *queue;     /* answers for registry_next_event(), oldest first; at most two for each transfer */
        size_t n_queue;
};

static int hash(const void *data, size_t size, char ret[static DIGEST_LENGTH + 1]) {
        unsigned char md[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (EVP_Digest(data, size, md, &n, EVP_sha256(), NULL) != 1)
                return -ENOMEM;
        (void) stpcpy(ret, "sha256:");
        for (unsigned i = 0; i < n; i++)
                (void) snprintf(ret + 7 + 2 * i, 3, "%02x", md[i]);
        return 0;
}

RegistryClient *registry_client_free(RegistryClient *client) {
        if (!client)
                return NULL;
        (void) fd_close(client->socket);
        if (client->pid > 0) {
                (void) kill(client->pid, SIGKILL); /* it holds nothing that has to be put away */
                (void) RETRY_EINTR(waitpid(client->pid, NULL, 0));
        }
        free(client->queue);
        free(client->name);
        free(client);
        return NULL;
}

/* The parent has had passwords in its memory until the fork: no core file of it. (It must stay dumpable: its children get their
 * ID maps through /proc.) */
static void no_core_file(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_CORE, &limit) == 0) {
                limit.rlim_cur = 0;
                (void) setrlimit(RLIMIT_CORE, &limit);
        }
}

int registry_client_new(const RegistryOptions *options, const Reference *reference, RegistryClient **ret, Error *reterr) {
        _cleanup_endpoints_ Endpoints endpoints = {};
        _cleanup_registry_client_ RegistryClient *client = calloc(1, sizeof(RegistryClient));
        int pair[2];

        if (!client)
                return error_oom(reterr);
        client->socket = -EBADF;
        client->name = reference_repository(reference, reference->domain);
        if (!client->name)
                return error_oom(reterr);
        no_core_file();
        int r = endpoints_find(options, reference, &endpoints, reterr);
        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start the network process");
        client->socket = pair[0];
        client->pid = process_fork_bound(SIGKILL);
        if (client->pid == 0)
                fetcher_main(&endpoints, options, pair[1]);
        (void) fd_close(pair[1]);
        if (client->pid < 0)
                return error_set_errno(reterr, -errno, "cannot start the network process");
        *ret = TAKE_PTR(client);
        return 0;
}

static int gone(Error *reterr) {
        return error_set(reterr, -EPIPE, ERROR_INTERNAL, "the network process ended before it was done");
}

/* One message of the fetcher: 1, or 0 if `wait` is not set and there is none. Nothing of it is believed beyond its form. */
static int receive(RegistryClient *client, bool wait, FetchAnswer *ret, Error *reterr) {
        ssize_t n = RETRY_EINTR(recv(client->socket, ret, sizeof(*ret), wait ? 0 : MSG_DONTWAIT));

        if (n < 0 && errno == EAGAIN)
                return 0;
        if (n != sizeof(*ret) || ret->state > FETCH_FAILED)
                return gone(reterr);
        ret->digest[DIGEST_LENGTH] = 0;
        ret->media_type[sizeof(ret->media_type) - 1] = ret->next[sizeof(ret->next) - 1] = 0;
        ret->message[sizeof(ret->message) - 1] = ret->hint[sizeof(ret->hint) - 1] = 0;
        if (*ret->digest && !digest_is_valid(ret->digest))
                return gone(reterr);
        if (ret->kind < 0 || ret->kind >= _ERROR_KIND_MAX)
                ret->kind = ERROR_INTERNAL;
        if (ret->code >= 0 || ret->code < -4095)
                ret->code = -EIO;
        return 1;
}

static int enqueue(RegistryClient *client, const FetchAnswer *answer) {
        FetchAnswer *queue;

        /* only the last progress of a transfer counts */
        for (size_t i = 0; i < client->n_queue; i++)
                if (client->queue[i].id == answer->id && client->queue[i].state == FETCH_PROGRESS) {
                        client->queue[i] = *answer;
                        return 0;
                }
        queue = reallocarray(client->queue, client->n_queue + 1, sizeof(*queue));
        if (!queue)
                return -ENOMEM;
        client->queue = queue;
        client->queue[client->n_queue++] = *answer;
        return 0;
}

static int failure(const FetchAnswer *answer, Error *reterr) {
        (void) error_set(reterr, answer->code, (ErrorKind) answer->kind, "%s", answer->message);
        if (*answer->hint)
                error_hint(reterr, "%s", answer->hint);
        return answer->code;
}

static int submit(RegistryClient *client, FetchRequest *request, const char *target, int fd, Error *reterr) {
        if (strlen(target) >= sizeof(request->target))
                return error_set(reterr, -ENAMETOOLONG, ERROR_INVALID, "cannot ask for '%.80s...': it is too long", target);
        (void) stpcpy(request->target, target);
        if (request->type != FETCH_CANCEL)
                request->id = ++client->last_id;
        int r = io_send_fds(client->socket, request, sizeof(*request), &fd, fd >= 0 ? 1 : 0);
        return r < 0 ? gone(reterr) : 0;
}

/* One request and its answer. */
static int call(RegistryClient *client, FetchRequest *request, const char *target, int fd, FetchAnswer *ret, Error *reterr) {
        int r = submit(client, request, target, fd, reterr);

        while (r >= 0) {
                r = receive(client, true, ret, reterr);
                if (r < 0)
                        break;
                if (ret->id != request->id)
                        r = enqueue(client, ret) < 0 ? error_oom(reterr) : 0;
                else if (ret->state == FETCH_FAILED)
                        return failure(ret, reterr);
                else if (ret->state == FETCH_DONE)
                        return 0;
        }
        return r;
}

/* The same where a body comes back: through a file in memory, which is read once. */
static int call_for_body(RegistryClient *client, FetchRequest *request, const char *target, FetchAnswer *answer, char **ret,
                         size_t *ret_size, Error *reterr) {
        _cleanup_fd_ int fd = io_memfd("sdpod-body", "", 0);
        _cleanup_free_ char *data = NULL;
        ssize_t n;

        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot make room for an answer");
        int r = call(client, request, target, fd, answer, reterr);
        if (r < 0)
                return r;
        if (answer->bytes > FETCH_BODY_LIMIT || !(data = malloc(answer->bytes + 1)))
                return answer->bytes > FETCH_BODY_LIMIT ? gone(reterr) : error_oom(reterr);
        if (lseek(fd, 0, SEEK_SET) < 0 || (n = io_read_full(fd, data, answer->bytes)) < 0 || (uint64_t) n != answer->bytes)
                return gone(reterr);
        data[n] = 0;
        *ret = TAKE_PTR(data);
        *ret_size = (size_t) n;
        return 0;
}

static int check_digest(const RegistryClient *client, const char *wanted, const char *found, Error *reterr) {
        if (str_equal(wanted, found))
                return 0;
        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot use what the registry sent for '%s@%s': its digest is %s", client->name,
                         wanted, found);
}

int registry_manifest_get(RegistryClient *client, const char *tag_or_digest, char **ret_bytes, size_t *ret_size,
                          char **ret_media_type, char ret_digest[static DIGEST_LENGTH + 1], Error *reterr) {
        FetchRequest request = { .type = FETCH_MANIFEST_GET, .size = FETCH_SIZE_UNKNOWN, .limit = MANIFEST_SIZE_LIMIT };
        _cleanup_free_ char *bytes = NULL, *media_type = NULL;
        FetchAnswer answer;
        size_t size;

        int r = call_for_body(client, &request, tag_or_digest, &answer, &bytes, &size, reterr);
        if (r < 0)
                return r;
        media_type = strdup(answer.media_type);
        if (!media_type || hash(bytes, size, ret_digest) < 0)
                return error_oom(reterr);
        if (digest_is_valid(tag_or_digest))
                r = check_digest(client, tag_or_digest, ret_digest, reterr);
        if (r < 0)
                return r;
        *ret_bytes = TAKE_PTR(bytes);
        *ret_size = size;
        if (ret_media_type)
                *ret_media_type = TAKE_PTR(media_type);
        return 0;
}

int registry_manifest_head(RegistryClient *client, const char *tag_or_digest, char ret_digest[static DIGEST_LENGTH + 1],
                           Error *reterr) {
        FetchRequest request = { .type = FETCH_MANIFEST_HEAD, .size = FETCH_SIZE_UNKNOWN };
        _cleanup_free_ char *bytes = NULL;
        FetchAnswer answer;
        size_t size;

        int r = call(client, &request, tag_or_digest, -EBADF, &answer, reterr);
        if (r < 0)
                return r;
        if (!*answer.digest)
                return registry_manifest_get(client, tag_or_digest, &bytes, &size, NULL, ret_digest, reterr);
        (void) stpcpy(ret_digest, answer.digest);
        return 0;
}

int registry_blob_get(RegistryClient *client, const char *digest, int64_t size, size_t limit, char **ret, size_t *ret_size,
                      Error *reterr) {
        FetchRequest request = { .type = FETCH_BLOB_GET, .size = size < 0 ? FETCH_SIZE_UNKNOWN : (uint64_t) size,
                                 .limit = MIN(limit, (size_t) FETCH_BODY_LIMIT) };
        _cleanup_free_ char *bytes = NULL;
        char found[DIGEST_LENGTH + 1];
        FetchAnswer answer;
        size_t n;

        int r = call_for_body(client, &request, digest, &answer, &bytes, &n, reterr);
        if (r < 0)
                return r;
        if (hash(bytes, n, found) < 0)
                return error_oom(reterr);
        r = check_digest(client, digest, found, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bytes);
        *ret_size = n;
        return 0;
}

/* A request whose end is an event. */
static int start(RegistryClient *client, FetchRequest *request, const char *target, int fd, unsigned *ret_id, Error *reterr) {
        int r = submit(client, request, target, fd, reterr);

        if (r >= 0)
                *ret_id = request->id;
        return r;
}

int registry_blob_start(RegistryClient *client, const char *digest, int64_t size, int out_fd, unsigned *ret_id, Error *reterr) {
        FetchRequest request = { .type = FETCH_BLOB_GET, .size = size < 0 ? FETCH_SIZE_UNKNOWN : (uint64_t) size, .limit = UINT64_MAX };

        return start(client, &request, digest, out_fd, ret_id, reterr);
}

void registry_event_done(RegistryEvent *event) {
        error_done(&event->error);
        *event = (RegistryEvent){};
}

int registry_events_fd(RegistryClient *client) {
        return client->socket;
}

int registry_next_event(RegistryClient *client, RegistryEvent *ret, Error *reterr) {
        FetchAnswer answer;

        if (client->n_queue > 0) {
                answer = client->queue[0];
                memmove(client->queue, client->queue + 1, --client->n_queue * sizeof(*client->queue));
        } else {
                int r = receive(client, false, &answer, reterr);
                if (r <= 0)
                        return r;
        }
        *ret = (RegistryEvent){ .id = answer.id, .bytes = answer.bytes };
        (void) stpcpy(ret->digest, answer.digest);
        switch (answer.state) {
        case FETCH_PROGRESS:
                ret->state = REGISTRY_PROGRESS;
                break;
        case FETCH_DONE:
                ret->state = REGISTRY_DONE;
                break;
        case FETCH_FAILED:
        default:
                ret->state = REGISTRY_FAILED;
                (void) failure(&answer, &ret->error);
                break;
        }
        return 1;
}

int registry_blob_exists(RegistryClient *client, const char *digest, int64_t *ret_size, Error *reterr) {
        FetchRequest request = { .type = FETCH_BLOB_HEAD, .size = FETCH_SIZE_UNKNOWN };
        _cleanup_error_ Error error = ERROR_NULL;
        FetchAnswer answer;

        int r = call(client, &request, digest, -EBADF, &answer, &error);
        if (r < 0)
                return error.kind == ERROR_NOT_FOUND ? 0 : error_move(reterr, &error);
        if (ret_size)
                *ret_size = answer.size > INT64_MAX ? -1 : (int64_t) answer.size;
        return 1;
}

int registry_blob_mount(RegistryClient *client, const char *digest, const char *from_repository, Error *reterr) {
        FetchRequest request = { .type = FETCH_BLOB_MOUNT, .size = FETCH_SIZE_UNKNOWN };
        FetchAnswer answer;

        if (strlen(from_repository) >= sizeof(request.from))
                return 0;
        (void) stpcpy(request.from, from_repository);
        int r = call(client, &request, digest, -EBADF, &answer, reterr);
        return r < 0 ? r : answer.status == 201;
}

int registry_blob_push_start(RegistryClient *client, const char *digest, int64_t size, int in_fd, unsigned *ret_id, Error *reterr) {
        FetchRequest request = { .type = FETCH_BLOB_PUSH, .size = size < 0 ? FETCH_SIZE_UNKNOWN : (uint64_t) size };

        return start(client, &request, digest ?: "", in_fd, ret_id, reterr);
}

int registry_blob_push(RegistryClient *client, const char *digest, const void *bytes, size_t size, Error *reterr) {
        FetchRequest request = { .type = FETCH_BLOB_PUSH, .size = size };
        _cleanup_fd_ int fd = io_memfd("sdpod-blob", bytes, size);
        FetchAnswer answer;

        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot push a blob");
        return call(client, &request, digest, fd, &answer, reterr);
}

void registry_cancel(RegistryClient *client, unsigned id) {
        FetchRequest request = { .type = FETCH_CANCEL, .id = id };
        size_t n = 0;

        (void) submit(client, &request, "", -EBADF, NULL);
        for (size_t i = 0; i < client->n_queue; i++)
                if (client->queue[i].id != id)
                        client->queue[n++] = client->queue[i];
        client->n_queue = n;
}

int registry_manifest_put(RegistryClient *client, const char *tag_or_digest, const void *bytes, size_t size, const char *media_type,
                          char ret_digest[DIGEST_LENGTH + 1], Error *reterr) {
        FetchRequest request = { .type = FETCH_MANIFEST_PUT, .size = size };
        _cleanup_fd_ int fd = -EBADF;
        char digest[DIGEST_LENGTH + 1];
        FetchAnswer answer;

        if (strlen(media_type) >= sizeof(request.media_type))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot push a manifest of the type '%.80s...': it is too long", media_type);
        (void) stpcpy(request.media_type, media_type);
        fd = io_memfd("sdpod-manifest", bytes, size);
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot push a manifest");
        if (hash(bytes, size, digest) < 0)
                return error_oom(reterr);
        int r = call(client, &request, tag_or_digest, fd, &answer, reterr);
        if (r >= 0 && *answer.digest)
                r = check_digest(client, digest, answer.digest, reterr);
        if (r >= 0 && ret_digest)
                (void) stpcpy(ret_digest, digest);
        return r;
}

int registry_get(RegistryClient *client, const char *path, char **ret, size_t *ret_size, char **ret_next, Error *reterr) {
        FetchRequest request = { .type = FETCH_PATH, .size = FETCH_SIZE_UNKNOWN, .limit = FETCH_BODY_LIMIT };
        _cleanup_free_ char *next = NULL;
        FetchAnswer answer;

        int r = call_for_body(client, &request, path, &answer, ret, ret_size, reterr);
        if (r < 0)
                return r;
        if (*answer.next && ret_next && !(next = strdup(answer.next))) {
                free(TAKE_PTR(*ret));
                return error_oom(reterr);
        }
        if (ret_next)
                *ret_next = TAKE_PTR(next);
        return 0;
}

static int add_tags(const char *text, size_t size, char ***tags, size_t *n_tags, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;
        const json_t *tag;
        size_t i;

        int r = json_parse(text, size, "the registry's list of tags", &json, reterr);
        if (r < 0)
                return r;
        json_array_foreach(json_object_get(json, "tags"), i, tag) {
                if (!json_is_string(tag))
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the registry's list of tags is not of strings");
                if (++*n_tags > TAGS_LIMIT)
                        return error_set(reterr, -E2BIG, ERROR_INVALID, "the repository has more than %d tags", TAGS_LIMIT);
                if (strv_append(tags, json_string_value(tag)) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

int registry_tags_list(RegistryClient *client, char ***ret, Error *reterr) {
        _cleanup_strv_ char **tags = NULL;
        char next[FETCH_TARGET_SIZE] = "";
        size_t n_tags = 0;

        for (unsigned page = 0; page < TAGS_PAGES_LIMIT && (page == 0 || *next); page++) {
                FetchRequest request = { .type = FETCH_TAGS, .size = FETCH_SIZE_UNKNOWN, .limit = FETCH_BODY_LIMIT };
                _cleanup_free_ char *text = NULL;
                FetchAnswer answer;
                size_t size;

                int r = call_for_body(client, &request, next, &answer, &text, &size, reterr);
                if (r >= 0)
                        r = add_tags(text, size, &tags, &n_tags, reterr);
                if (r < 0)
                        return r;
                (void) stpcpy(next, answer.next);
        }
        if (*next)
                return error_set(reterr, -E2BIG, ERROR_INVALID, "the repository's tags are on more than %d pages", TAGS_PAGES_LIMIT);
        *ret = TAKE_PTR(tags);
        return 0;
}
