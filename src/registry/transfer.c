/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a transfer: exchanges one after the other, and what follows when one fails. */
#include "registry/transfer.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

enum {
        PROGRESS_THAT_COUNTS = 1024 * 1024, /* bytes after which the failures before are forgotten; or so much of the body: */
        PROGRESS_PART = 16,
        DELAY_FIRST_USEC = 1000000,
        DELAY_LIMIT_USEC = 60 * 1000000,
        PIPE_SIZE = 1024 * 1024,
};

static const struct {
        const char *verb, *what;
} words[] = {
        [FETCH_MANIFEST_GET] = { "get", "manifest" },       [FETCH_MANIFEST_HEAD] = { "look for", "manifest" },
        [FETCH_MANIFEST_PUT] = { "push", "manifest" },
        [FETCH_BLOB_GET] = { "get", "blob" },               [FETCH_BLOB_HEAD] = { "look for", "blob" },
        [FETCH_BLOB_MOUNT] = { "push", "blob" },            [FETCH_BLOB_PUSH] = { "push", "blob" },
        [FETCH_TAGS] = { "list", "tags of" },               [FETCH_PATH] = { "ask", "registry" },
};
static_assert(ELEMENTSOF(words) == FETCH_CANCEL, "every request has its words");

int transfer_error(const Transfer *t, int code, ErrorKind kind, Error *reterr, const char *format, ...) {
        const Endpoint *e = transfer_endpoint(t);
        const char *target = t->request.target;
        char reason[600];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(reason, sizeof(reason), format, ap);
        va_end(ap);
        if (t->request.type == FETCH_PATH)
                return error_set(reterr, code, kind, "cannot ask registry '%s': %s", e->name, reason);
        if (t->request.type == FETCH_TAGS)
                target = "";
        return error_set(reterr, code, kind, "cannot %s %s '%s/%s%s%s': %s", words[t->request.type].verb, words[t->request.type].what,
                         e->name, e->repository, digest_is_valid(target) ? "@" : *target ? ":" : "", target, reason);
}

void transfer_free(Transfer *t) {
        if (t->running)
                (void) curl_multi_remove_handle(t->fetcher->multi, t->easy);
        curl_easy_cleanup(t->easy);
        curl_slist_free_all(t->headers);
        EVP_MD_CTX_free(t->hash);
        response_done(&t->response);
        url_done(&t->url);
        url_done(&t->upload);
        error_done(&t->error);
        error_done(&t->last_error);
        (void) fd_close(t->fd);
        free(t->scope);
        free(t->text);
        free(t);
}

/* What tokens are asked for (distribution spec's "token scope"). */
static char *make_scope(const Transfer *t) {
        const char *path = transfer_endpoint(t)->repository;

        switch (t->request.type) {
        case FETCH_PATH:
                return strdup(str_after(t->request.target, "/v2/_catalog") ? "registry:catalog:*" : "");
        case FETCH_BLOB_MOUNT:
                return str_format("repository:%s:pull,push repository:%s:pull", path, t->request.from);
        default:
                return str_format("repository:%s:%s", path, t->fetcher->push ? "pull,push" : "pull");
        }
}

/* Pipes must not block the others; what is sent from a file can be sent again. */
static int prepare_fd(Transfer *t) {
        struct stat st;
        off_t origin;

        if (t->fd < 0)
                return 0;
        if (fstat(t->fd, &st) < 0)
                return -errno;
        t->pipe = !S_ISREG(st.st_mode);
        if (t->pipe) {
                int flags = fcntl(t->fd, F_GETFL);
                if (flags < 0 || fcntl(t->fd, F_SETFL, flags | O_NONBLOCK) < 0)
                        return -errno;
                (void) fcntl(t->fd, F_SETPIPE_SZ, PIPE_SIZE); /* fewer turns; beyond the user's limit it stays as it is */
                return 0;
        }
        origin = lseek(t->fd, 0, SEEK_CUR);
        if (origin < 0)
                return -errno;
        t->origin = (uint64_t) origin;
        return 0;
}

int transfer_new(Fetcher *fetcher, const FetchRequest *request, int fd) {
        Transfer *t = calloc(1, sizeof(*t));
        _cleanup_error_ Error error = ERROR_NULL;

        if (!t) {
                (void) fd_close(fd);
                return -ENOMEM;
        }
        t->fetcher = fetcher;
        t->request = *request;
        t->fd = fd;
        t->endpoint = t->first_endpoint = fetcher->good_endpoint;
        t->total = request->size;
        t->response.content_length = FETCH_SIZE_UNKNOWN;
        t->next = fetcher->transfers;
        fetcher->transfers = t;
        t->easy = curl_easy_init();
        t->scope = make_scope(t);
        int r = t->easy && t->scope ? prepare_fd(t) : -ENOMEM;
        if (r < 0) {
                (void) transfer_error(t, r, error_kind_from_errno(r), &error, "%s", strerror(-r));
                transfer_fail(t, &error);
                return 0;
        }
        transfer_begin(t);
        return 0;
}

static void answer_init(const Transfer *t, FetchState state, FetchAnswer *ret) {
        *ret = (FetchAnswer){ .id = t->request.id, .state = state, .bytes = t->written, .size = t->response.content_length };
}

/* The reader sees its end before the parent hears of it, or after: both are right. */
static void finish(Transfer *t, const FetchAnswer *answer) {
        t->finished = true;
        t->fd = fd_close(t->fd);
        fetcher_answer(t->fetcher, answer);
}

void transfer_succeed(Transfer *t) {
        FetchAnswer answer;
        long status = 0;

        answer_init(t, FETCH_DONE, &answer);
        (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        answer.status = (int32_t) status;
        (void) stpcpy(answer.digest, t->request.type == FETCH_BLOB_PUSH ? t->digest : t->response.digest);
        (void) snprintf(answer.media_type, sizeof(answer.media_type), "%s", t->response.media_type ?: "");
        if (t->response.link) {
                _cleanup_free_ char *target = NULL;
                _cleanup_url_ Url url = {};

                /* a next page is of this registry or is none */
                if (link_next_parse(t->response.link, &target) >= 0 && url_parse(target, &t->url, &url) >= 0 &&
                    str_equal(url.host, t->url.host)) {
                        const char *path = strchr(strstr(url.text, "://") + 3, '/');
                        if (path && strlen(path) < sizeof(answer.next))
                                (void) stpcpy(answer.next, path);
                }
        }
        t->fetcher->good_endpoint = t->endpoint;
        finish(t, &answer);
}

void transfer_fail(Transfer *t, Error *error) {
        FetchAnswer answer;

        answer_init(t, FETCH_FAILED, &answer);
        answer.code = error->code < 0 ? error->code : -EIO;
        answer.kind = (int32_t) error->kind;
        (void) snprintf(answer.message, sizeof(answer.message), "%s", error->message ?: "out of memory");
        (void) snprintf(answer.hint, sizeof(answer.hint), "%s", error->hint ?: "");
        error_done(error);
        finish(t, &answer);
}

static bool is_read(const Transfer *t) {
        return t->request.type == FETCH_MANIFEST_GET || t->request.type == FETCH_MANIFEST_HEAD || t->request.type == FETCH_BLOB_GET ||
               t->request.type == FETCH_BLOB_HEAD || t->request.type == FETCH_TAGS;
}

/* Back to the beginning of what was asked for; the body stays where it is. */
void transfer_rewind(Transfer *t) {
        t->phase = PHASE_MAIN;
        t->hops = 0;
        url_done(&t->url);
        url_done(&t->upload);
        if (!transfer_wants_body(t))
                t->written = 0; /* an upload that broke begins anew */
}

void transfer_give_up(Transfer *t, Error *error) {
        unsigned next = (t->endpoint + 1) % (unsigned) t->fetcher->endpoints->n;

        if (!is_read(t) || next == t->first_endpoint) {
                transfer_fail(t, error);
                return;
        }
        log_info("%s; trying '%s'", error->message ?: "a mirror failed", t->fetcher->endpoints->items[next].name);
        error_done(&t->last_error);
        t->last_error = *error;
        *error = ERROR_NULL;
        t->endpoint = next;
        t->failures = t->token_tries = 0;
        transfer_rewind(t);
        free(t->scope);
        t->scope = make_scope(t);
        t->start_usec = t->fetcher->now_usec;
}

static uint64_t delay_for(const Fetcher *f, unsigned failures) {
        uint64_t delay = f->retry_delay_usec, jitter = 0;

        if (delay > 0)
                return delay;
        delay = MIN((uint64_t) DELAY_FIRST_USEC << MIN(failures - 1, 10U), (uint64_t) DELAY_LIMIT_USEC);
        /* many clients that were cut off at once do not come back at once */
        if (getrandom(&jitter, sizeof(jitter), GRND_NONBLOCK) < 0)
                jitter = 0;
        return delay + jitter % (delay / 4);
}

void transfer_retry(Transfer *t, Error *error, uint64_t delay_usec) {
        Fetcher *f = t->fetcher;

        if (transfer_wants_body(t) && t->written > t->attempt_from &&
            t->written - t->attempt_from >= MIN(t->total / PROGRESS_PART, (uint64_t) PROGRESS_THAT_COUNTS))
                t->failures = 0;
        if (t->request.type == FETCH_BLOB_PUSH && t->pipe && t->written > 0) {
                error->code = -EAGAIN; /* the bytes are gone: who made them can make them again */
                transfer_fail(t, error);
                return;
        }
        if (++t->failures > f->retries) {
                transfer_give_up(t, error);
                return;
        }
        if (delay_usec == UINT64_MAX)
                delay_usec = delay_for(f, t->failures);
        delay_usec = MIN(delay_usec, (uint64_t) DELAY_LIMIT_USEC);
        log_info("%s; trying again in %.1f s", error->message ?: "an exchange failed", (double) delay_usec / 1e6);
        error_done(error);
        transfer_rewind(t);
        t->start_usec = f->now_usec + delay_usec;
}

void transfer_begin(Transfer *t) {
        _cleanup_error_ Error error = ERROR_NULL;

        t->start_usec = 0;
        response_done(&t->response);
        error_done(&t->error);
        t->cut = t->body_began = t->paused = t->over = t->stalled = false;
        t->waiting = 0;
        t->n_text = 0;
        t->skip = 0;
        t->attempt_from = t->written;
        t->attempt_usec = t->fetcher->now_usec;
        *t->curl_text = 0;
        curl_slist_free_all(TAKE_PTR(t->headers));
        curl_easy_reset(t->easy);
        int r = transfer_setup(t, &error);
        if (r < 0) {
                transfer_fail(t, &error);
                return;
        }
        t->running = curl_multi_add_handle(t->fetcher->multi, t->easy) == CURLM_OK;
        if (!t->running) {
                (void) error_oom(&error);
                transfer_fail(t, &error);
        }
}

/* An insecure registry that speaks no https may be spoken to by http: if it has not been otherwise before. */
static bool may_be_plain(const Transfer *t, CURLcode result) {
        const EndpointState *state = transfer_state(t);

        return transfer_endpoint(t)->insecure && !state->settled && !state->plain && t->trusted &&
               (result == CURLE_SSL_CONNECT_ERROR || result == CURLE_COULDNT_CONNECT || result == CURLE_RECV_ERROR ||
                result == CURLE_GOT_NOTHING);
}

void transfer_exchange_done(Transfer *t, CURLcode result) {
        _cleanup_error_ Error error = ERROR_NULL;
        long status = 0;

        if (t->running) {
                (void) curl_multi_remove_handle(t->fetcher->multi, t->easy);
                t->running = false;
        }
        if (t->n_piece > 0 && t->error.code == 0) {
                t->over = true; /* the pipe takes the last bytes first */
                t->result = result;
                t->waiting = POLLOUT;
                return;
        }
        t->over = false;
        if (t->error.code < 0) {
                (void) error_move(&error, &t->error);
                /* a server that sends nonsense may have a mirror that does not; what happened here is final */
                if (error.kind == ERROR_CORRUPT && t->written == 0)
                        transfer_give_up(t, &error);
                else
                        transfer_fail(t, &error);
                return;
        }
        (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status != 0 && t->trusted)
                transfer_state(t)->settled = true;
        if (result == CURLE_OK || t->cut) {
                transfer_answered(t, status);
                return;
        }
        if (may_be_plain(t, result)) {
                log_debug("registry '%s' speaks no https, trying http", transfer_endpoint(t)->name);
                transfer_state(t)->plain = true;
                transfer_rewind(t);
                transfer_begin(t);
                return;
        }
        bool again = transfer_curl_error(t, result, &error) > 0;
        if (again)
                transfer_retry(t, &error, UINT64_MAX);
        else
                transfer_give_up(t, &error);
}
