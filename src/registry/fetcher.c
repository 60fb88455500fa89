/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher's loop. */
#include "registry/fetcher.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/time.h"
#include "registry/sandbox.h"
#include "registry/transfer.h"

enum {
        DEFAULT_RETRIES = 3,
        PROGRESS_USEC = 100000,
        TLS_USEC = 10 * 1000000,
        ROUND_MSEC = 1000,         /* stalls are looked for so often */
        TRANSFERS_LIMIT = 64,
        CONNECTIONS_KEPT = 16,
};

/* Waits for nothing: a parent that does not read its answers must not stop the transfers of others. */
static bool try_send(Fetcher *f, const FetchAnswer *answer) {
        if (send(f->socket, answer, sizeof(*answer), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
                return true;
        if (errno != EAGAIN && errno != EINTR)
                _exit(0); /* the parent has gone */
        return false;
}

void fetcher_answer(Fetcher *f, const FetchAnswer *answer) {
        FetchAnswer *outbox;

        if (f->n_outbox == 0 && try_send(f, answer))
                return;
        outbox = reallocarray(f->outbox, f->n_outbox + 1, sizeof(*outbox));
        if (!outbox)
                _exit(1);
        f->outbox = outbox;
        outbox[f->n_outbox++] = *answer;
}

static void send_outbox(Fetcher *f) {
        size_t n = 0;

        while (n < f->n_outbox && try_send(f, f->outbox + n))
                n++;
        f->n_outbox -= n;
        if (n > 0 && f->n_outbox > 0)
                memmove(f->outbox, f->outbox + n, f->n_outbox * sizeof(*f->outbox));
}

void fetcher_progress(Transfer *t) {
        Fetcher *f = t->fetcher;

        if (f->now_usec - t->reported_usec < PROGRESS_USEC || f->n_outbox > 0)
                return;
        t->reported_usec = f->now_usec;
        (void) try_send(f, &(FetchAnswer){ .id = t->request.id, .state = FETCH_PROGRESS, .bytes = t->written });
}

static Transfer *find_transfer(const Fetcher *f, uint32_t id) {
        Transfer *t;

        for (t = f->transfers; t && t->request.id != id; t = t->next)
                ;
        return t;
}

static void refuse(Fetcher *f, uint32_t id, int fd, const char *message) {
        FetchAnswer answer = { .id = id, .state = FETCH_FAILED, .code = -EINVAL, .kind = ERROR_INTERNAL };

        (void) fd_close(fd);
        (void) stpcpy(answer.message, message);
        fetcher_answer(f, &answer);
}

static void handle_request(Fetcher *f, const FetchRequest *request, int fd) {
        Transfer *other;
        size_t n = 0;

        for (const Transfer *t = f->transfers; t; t = t->next)
                n++;
        switch ((FetchType) request->type) {
        case FETCH_CANCEL:
                (void) fd_close(fd);
                other = find_transfer(f, request->id);
                if (other)
                        other->finished = true;
                return;
        default:
                if (request->type >= _FETCH_TYPE_MAX || n >= TRANSFERS_LIMIT)
                        refuse(f, request->id, fd, "cannot start a transfer: there are too many");
                else if (transfer_new(f, request, fd) < 0)
                        refuse(f, request->id, -EBADF, "cannot start a transfer: out of memory");
                return;
        }
}

static void read_request(Fetcher *f) {
        FetchRequest request;
        int fd = -EBADF;
        size_t n_fds = 1;

        ssize_t n = io_receive_fds(f->socket, &request, sizeof(request), &fd, &n_fds);
        if (n_fds == 0 || n < 0)
                fd = -EBADF;
        if (n != sizeof(request))
                _exit(0);
        request.target[sizeof(request.target) - 1] = request.media_type[sizeof(request.media_type) - 1] = 0;
        request.from[sizeof(request.from) - 1] = 0;
        handle_request(f, &request, fd);
}

/* A handshake has its own limit, which libcurl does not know. */
static void check_handshake(Transfer *t) {
        curl_off_t connected = 0, ready = 0;

        if (!t->running || !t->url.https || t->response.header_bytes > 0)
                return;
        (void) curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
        (void) curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
        if (connected > 0 && ready == 0 && t->fetcher->now_usec - t->attempt_usec > (uint64_t) connected + TLS_USEC)
                transfer_exchange_done(t, CURLE_OPERATION_TIMEDOUT);
}

static void read_messages(Fetcher *f) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(f->multi, &left))) {
                Transfer *t = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &t);
                transfer_exchange_done(t, message->data.result);
        }
}

/* Until when there is nothing to do but for what descriptors bring, in milliseconds. */
static int next_timeout(const Fetcher *f) {
        int timeout = f->transfers ? ROUND_MSEC : -1;

        for (const Transfer *t = f->transfers; t; t = t->next)
                if (t->start_usec > 0) {
                        uint64_t left = t->start_usec > f->now_usec ? t->start_usec - f->now_usec : 0;
                        timeout = MIN(timeout, (int) MIN(left / 1000 + 1, (uint64_t) ROUND_MSEC));
                }
        return timeout;
}

static size_t fill_poll(const Fetcher *f, struct pollfd *fds) {
        size_t n = 0;

        fds[n++] = (struct pollfd){ .fd = f->socket, .events = (short) (POLLIN | (f->n_outbox > 0 ? POLLOUT : 0)) };
        for (const Transfer *t = f->transfers; t; t = t->next)
                if (t->waiting && t->fd >= 0)
                        fds[n++] = (struct pollfd){ .fd = t->fd, .events = (short) t->waiting };
        return n;
}

/* libcurl's sockets and ours. What libcurl tells of ours leaves out errors, so they are asked for again. */
static void wait_for_all(Fetcher *f, struct pollfd *fds, size_t n) {
        struct curl_waitfd extra[TRANSFERS_LIMIT + 1];
        int timeout = next_timeout(f);

        if (timeout < 0) {
                (void) poll(fds, n, -1);
                return;
        }
        for (size_t i = 0; i < n; i++)
                extra[i] = (struct curl_waitfd){
                        .fd = fds[i].fd,
                        .events = (short) ((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
                                           (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0)),
                };
        (void) curl_multi_poll(f->multi, extra, (unsigned) n, timeout, NULL);
        if (poll(fds, n, 0) <= 0)
                for (size_t i = 0; i < n; i++)
                        fds[i].revents = 0;
}

static void sweep(Fetcher *f) {
        for (Transfer **at = &f->transfers; *at;)
                if ((*at)->finished) {
                        Transfer *t = *at;
                        *at = t->next;
                        transfer_free(t);
                } else
                        at = &(*at)->next;
}

static void run_round(Fetcher *f) {
        struct pollfd fds[TRANSFERS_LIMIT + 1];
        size_t n = fill_poll(f, fds);
        int running;

        wait_for_all(f, fds, n);
        f->now_usec = (uint64_t) time_monotonic_usec();
        for (size_t i = 1; i < n; i++)
                for (Transfer *t = f->transfers; t && fds[i].revents; t = t->next)
                        if (t->waiting && t->fd == fds[i].fd && !t->finished)
                                body_ready(t);
        if (fds[0].revents & POLLOUT)
                send_outbox(f);
        if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
                read_request(f);
        for (Transfer *t = f->transfers; t; t = t->next)
                if (!t->finished && t->start_usec > 0 && t->start_usec <= f->now_usec)
                        transfer_begin(t);
        (void) curl_multi_perform(f->multi, &running);
        read_messages(f);
        for (Transfer *t = f->transfers; t; t = t->next)
                check_handshake(t);
        sweep(f);
}

void fetcher_main(const Endpoints *endpoints, const RegistryOptions *options, int socket) {
        _cleanup_error_ Error error = ERROR_NULL;
        Fetcher f = {
                .endpoints = endpoints,
                .retries = options->retries < 0 ? DEFAULT_RETRIES : (unsigned) options->retries,
                .retry_delay_usec = options->retry_delay_usec,
                .push = options->push,
                .anonymous = options->anonymous,
                .eager = options->retries >= 0,
        };

        (void) signal(SIGPIPE, SIG_IGN);
        /* a terminal's Ctrl-C is for the parent, which then decides; its end is the end of this process too */
        (void) signal(SIGINT, SIG_IGN);
        (void) signal(SIGTERM, SIG_IGN);
        int r = fetcher_keep_fds(&(int *){ &socket }, 1);
        if (r < 0)
                (void) error_set_errno(&error, r, "cannot start the network process");
        else
                r = curl_library_load(&error);
        f.socket = socket;
        f.states = calloc(endpoints->n, sizeof(*f.states));
        if (r >= 0 && (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(f.multi = curl_multi_init()) || !f.states))
                r = error_oom(&error);
        if (r >= 0)
                r = fetcher_sandbox(&error);
        if (r < 0) {
                error_print(&error);
                _exit(1);
        }
        (void) curl_multi_setopt(f.multi, CURLMOPT_MAXCONNECTS, (long) CONNECTIONS_KEPT);
        f.now_usec = (uint64_t) time_monotonic_usec();
        for (;;)
                run_round(&f);
}
