/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's socket: who may ask, what is asked, what is answered (see monitor/protocol.h). */
#include <malloc.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "monitor/monitor.h"

enum { MMAP_THRESHOLD = 64 * 1024 };

typedef struct Request {
        Monitor *monitor;
        const json_t *json;
        int fds[MONITOR_FDS_MAX];
        size_t n_fds;
        int reply_fd; /* goes with the answer; borrowed */
} Request;

int monitor_init(Monitor *monitor, sd_event *event, Error *reterr) {
        /* buffers of slow clients go back to the system when they are freed; left alone, glibc learns to keep them */
        (void) mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
        *monitor = (Monitor){ .event = event, .index_fd = -EBADF, .userns_fd = -EBADF, .uid = geteuid() };
        return recorder_shared_init(&monitor->shared) < 0 ? error_oom(reterr) : 0;
}

static void connection_free(Connection *c) {
        for (Connection **p = &c->monitor->connections; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        c->monitor->n_connections--;
                        break;
                }
        (void) sd_event_source_disable_unref(c->io);
        (void) fd_close(c->fd);
        free(c);
}

void monitor_done(Monitor *monitor) {
        while (monitor->connections)
                connection_free(monitor->connections);
        while (monitor->clients)
                client_free(monitor->clients);
        while (monitor->watches)
                watch_free(monitor->watches);
        monitor->listen = sd_event_source_disable_unref(monitor->listen);
        monitor->journal = sd_event_source_disable_unref(monitor->journal);
        monitor->index_fd = fd_close(monitor->index_fd);
        monitor->userns_fd = fd_close(monitor->userns_fd);
        free(monitor->userns_map);
        recorder_shared_done(&monitor->shared);
}

static int want_fds(const Request *q, size_t n, Error *reterr) {
        if (q->n_fds == n)
                return 0;
        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot serve the request: %zu descriptors, not %zu", q->n_fds, n);
}

static int want_id(const Request *q, const char **ret, Error *reterr) {
        *ret = json_get_string(q->json, "id");
        if (monitor_id_is_valid(*ret))
                return 0;
        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot serve the request: no container's ID in it");
}

static int want_watch(const Request *q, Watch **ret, Error *reterr) {
        const char *id;
        int r = want_id(q, &id, reterr);

        if (r < 0)
                return r;
        *ret = watch_find(q->monitor, id);
        return *ret ? 0
                    : error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find container '%s': its output is not recorded here",
                                id);
}

static bool same_file(int a, int b) {
        struct stat st_a, st_b;

        return fstat(a, &st_a) >= 0 && fstat(b, &st_b) >= 0 && st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino &&
               st_a.st_rdev == st_b.st_rdev;
}

/* Two masters of one devpts share an inode's numbers; the terminal's own number tells them apart. */
static bool same_terminal(int a, int b) {
        unsigned number_a, number_b;

        return ioctl(a, TIOCGPTN, &number_a) >= 0 && ioctl(b, TIOCGPTN, &number_b) >= 0 && number_a == number_b &&
               same_file(a, b);
}

static int do_watch(Request *q, json_t **ret, Error *reterr) {
        _cleanup_monitor_config_ MonitorConfig config = {};
        WatchFds fds = WATCH_FDS_NULL;
        size_t i = 0;
        int r = json_fields_load(q->json, monitor_config_fields, &config, reterr);

        if (r >= 0)
                r = monitor_config_check(&config, reterr);
        if (r >= 0)
                r = want_fds(q, monitor_config_n_fds(&config), reterr);
        if (r < 0)
                return r;
        Watch *before = watch_find(q->monitor, config.id);
        if (before && (config.terminal ? same_terminal : same_file)(q->fds[0], before->streams[0].fd)) {
                *ret = json_pack("{s:b}", "ok", 1); /* asked again, as the answer was lost with an earlier life */
                return 0;
        }
        if (before)
                watch_end(before);
        fds.streams[0] = TAKE_FD(q->fds[i++]);
        if (!config.terminal)
                fds.streams[1] = TAKE_FD(q->fds[i++]);
        if (!config.terminal && config.open_stdin)
                fds.input = TAKE_FD(q->fds[i++]);
        if (config.pidfd)
                fds.pidfd = TAKE_FD(q->fds[i]);
        r = watch_add(q->monitor, &config, &fds, /* resume= */ false, reterr);
        if (r >= 0)
                *ret = json_pack("{s:b}", "ok", 1);
        return r;
}

static int do_attach(Request *q, json_t **ret, Error *reterr) {
        bool wait = json_get_bool(q->json, "wait", false), logs = json_get_bool(q->json, "logs", false);
        const ClientOptions options = {
                .wants_stdin = json_get_bool(q->json, "stdin", false),
                .close_stdin = json_get_bool(q->json, "closeStdin", false),
        };
        Watch *w = NULL;
        const char *id;
        int r = want_fds(q, 1, reterr);

        if (r >= 0)
                r = want_id(q, &id, reterr);
        if (r >= 0 && !(wait && !watch_find(q->monitor, id)))
                r = want_watch(q, &w, reterr);
        if (r < 0)
                return r;
        if (logs && w && w->recorder.driver != LOG_DRIVER_FILE)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot attach to '%s' with its log: the log is not a file", id);
        if (logs && w)
                watch_flush(w);
        r = client_add(q->monitor, w, id, TAKE_FD(q->fds[0]), options, reterr);
        if (r < 0)
                return r;
        *ret = w ? json_pack("{s:b, s:b, s:I, s:I}", "ok", 1, "terminal", w->config.terminal, "logOffset",
                             (json_int_t) w->recorder.file.offset, "logInode", (json_int_t) w->recorder.file.inode)
                 : json_pack("{s:b, s:b}", "ok", 1, "waiting", 1);
        return 0;
}

static int do_resize(Request *q, json_t **ret, Error *reterr) {
        int64_t rows = json_get_integer(q->json, "rows", -1), cols = json_get_integer(q->json, "cols", -1);
        Watch *w;
        int r = want_fds(q, 0, reterr);

        if (r >= 0)
                r = want_watch(q, &w, reterr);
        if (r < 0)
                return r;
        if (rows < 0 || rows > UINT16_MAX || cols < 0 || cols > UINT16_MAX)
                return error_set(reterr, -ERANGE, ERROR_INVALID, "cannot resize the terminal: not a size");
        if (!w->config.terminal)
                return error_set(reterr, -ENOTTY, ERROR_STATE, "cannot resize the terminal of '%s': it has none", w->config.id);
        const struct winsize size = { .ws_row = (unsigned short) rows, .ws_col = (unsigned short) cols };
        if (ioctl(w->streams[0].fd, TIOCSWINSZ, &size) < 0)
                return error_set_errno(reterr, -errno, "cannot resize the terminal of '%s'", w->config.id);
        *ret = json_pack("{s:b}", "ok", 1);
        return 0;
}

static int do_detach(Request *q, json_t **ret, Error *reterr) {
        Watch *w;
        int r = want_fds(q, 0, reterr);

        if (r >= 0)
                r = want_watch(q, &w, reterr);
        if (r >= 0)
                *ret = json_pack("{s:b, s:i}", "ok", 1, "clients", (int) clients_leave(w));
        return r;
}

static int do_stat(Request *q, json_t **ret, Error *reterr) {
        Watch *w;
        int r = want_fds(q, 0, reterr);

        if (r < 0)
                return r;
        if (!json_object_get(q->json, "id")) {
                *ret = json_pack("{s:b, s:I, s:I, s:i}", "ok", 1, "containers", (json_int_t) q->monitor->n_watches, "clients",
                                 (json_int_t) q->monitor->n_clients, "pid", (int) getpid());
                return 0;
        }
        r = want_watch(q, &w, reterr);
        if (r < 0)
                return r;
        *ret = json_pack("{s:b, s:s, s:s, s:b, s:i, s:I, s:I, s:I}", "ok", 1, "driver", w->config.driver, "path",
                         w->config.path ?: "", "terminal", w->config.terminal, "clients", (int) w->n_clients, "pending",
                         (json_int_t) (recorder_pending(&w->recorder, LOG_STDOUT) + recorder_pending(&w->recorder, LOG_STDERR)),
                         "lost", (json_int_t) w->recorder.state.lost, "failing", (json_int_t) w->recorder.state.failure);
        return 0;
}

static int want_map(const Request *q, const char **ret, Error *reterr) {
        *ret = json_get_string(q->json, "map");
        if (!q->monitor->use_store)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot keep a user namespace: this is not the user's monitor");
        if (str_empty(*ret) || strlen(*ret) >= MONITOR_MAP_MAX)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot serve the request: no user namespace's map in it");
        return 0;
}

static int do_get_userns(Request *q, json_t **ret, Error *reterr) {
        const char *map;
        int r = want_fds(q, 0, reterr);

        if (r >= 0)
                r = want_map(q, &map, reterr);
        if (r < 0)
                return r;
        q->reply_fd = kept_userns_get(q->monitor, map);
        if (q->reply_fd < 0)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find a user namespace with this map");
        *ret = json_pack("{s:b}", "ok", 1);
        return 0;
}

static int do_keep_userns(Request *q, json_t **ret, Error *reterr) {
        const char *map;
        int r = want_fds(q, 1, reterr);

        if (r >= 0)
                r = want_map(q, &map, reterr);
        if (r >= 0)
                r = kept_userns_keep(q->monitor, map, TAKE_FD(q->fds[0]), reterr);
        if (r >= 0)
                *ret = json_pack("{s:b}", "ok", 1);
        return r;
}

/* The keys of a request, of the right types; the values are read by name. */
typedef struct RequestKeys {
        char *id, *map;
        bool stdin_, close_stdin, wait, logs;
        int64_t rows, cols;
} RequestKeys;

static const JsonField id_keys[] = { JSON_FIELD(RequestKeys, id, "id", JSON_FIELD_STRING), {} };
static const JsonField map_keys[] = { JSON_FIELD(RequestKeys, map, "map", JSON_FIELD_STRING), {} };
static const JsonField attach_keys[] = {
        JSON_FIELD(RequestKeys, id, "id", JSON_FIELD_STRING),
        JSON_FIELD(RequestKeys, stdin_, "stdin", JSON_FIELD_BOOL),
        JSON_FIELD(RequestKeys, close_stdin, "closeStdin", JSON_FIELD_BOOL),
        JSON_FIELD(RequestKeys, wait, "wait", JSON_FIELD_BOOL),
        JSON_FIELD(RequestKeys, logs, "logs", JSON_FIELD_BOOL),
        {},
};
static const JsonField resize_keys[] = {
        JSON_FIELD(RequestKeys, id, "id", JSON_FIELD_STRING),
        JSON_FIELD(RequestKeys, rows, "rows", JSON_FIELD_INT64),
        JSON_FIELD(RequestKeys, cols, "cols", JSON_FIELD_INT64),
        {},
};

static const struct {
        const char *op;
        const JsonField *keys;
        int (*serve)(Request *q, json_t **ret, Error *reterr);
} operations[] = {
        { "attach", attach_keys, do_attach }, { "detach", id_keys, do_detach },
        { "get-userns", map_keys, do_get_userns }, { "keep-userns", map_keys, do_keep_userns },
        { "resize", resize_keys, do_resize }, { "stat", id_keys, do_stat },
        { "watch", monitor_config_fields, do_watch },
};

static int check_types(const Request *q, const JsonField *keys, Error *reterr) {
        RequestKeys values = {};
        int r = monitor_check_keys(q->json, keys, reterr);

        if (r < 0 || keys == monitor_config_fields) /* loaded as a whole later */
                return r;
        r = json_fields_load(q->json, keys, &values, reterr);
        json_fields_done(keys, &values);
        return r;
}

static int serve(Request *q, json_t **ret, Error *reterr) {
        const char *op = json_get_string(q->json, "op");

        for (size_t i = 0; i < ELEMENTSOF(operations); i++) {
                if (!str_equal(operations[i].op, op))
                        continue;
                int r = check_types(q, operations[i].keys, reterr);
                return r < 0 ? r : operations[i].serve(q, ret, reterr);
        }
        return error_set(reterr, -EOPNOTSUPP, ERROR_INVALID, "cannot serve the request: unknown operation '%s'", op ?: "");
}

static int answer(Connection *c, Request *q, const char *text, size_t size) {
        _cleanup_json_ json_t *json = NULL, *reply = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *out = NULL;

        int r = json_parse(text, size, "request", &json, &error);
        if (r >= 0 && !json_is_object(json))
                r = error_set(&error, -EBADMSG, ERROR_INVALID, "cannot serve the request: not an object");
        if (r >= 0) {
                q->json = json;
                r = serve(q, &reply, &error);
        }
        if (r < 0)
                reply = monitor_error_to_json(r, &error);
        out = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
        if (!out)
                return -ENOMEM;
        return io_send_fds(c->fd, out, strlen(out), &q->reply_fd, r >= 0 && q->reply_fd >= 0 ? 1 : 0); /* it does not block */
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        static const char too_big[] = "{\"ok\":false,\"errno\":90,\"kind\":\"invalid\",\"error\":\"cannot serve the request: too big\"}";
        Connection *c = userdata;
        Request q = { .monitor = c->monitor, .n_fds = MONITOR_FDS_MAX, .reply_fd = -EBADF };
        char *text = c->monitor->shared.in; /* free between events, and larger than any request */

        (void) source;
        (void) revents;
        c->last_usec = monitor_now(c->monitor);
        ssize_t n = io_receive_fds(fd, text, MONITOR_MESSAGE_MAX, q.fds, &q.n_fds);
        if (n == -EAGAIN)
                return 0;
        if (n == -EMSGSIZE)
                (void) send(fd, too_big, sizeof(too_big) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0) {
                connection_free(c);
                return 0;
        }
        int r = answer(c, &q, text, (size_t) n);
        for (size_t i = 0; i < q.n_fds; i++)
                (void) fd_close(q.fds[i]);
        if (r < 0)
                connection_free(c);
        return 0;
}

/* Room for one more: the connection that was quiet longest gives way. */
static void limit_connections(Monitor *monitor) {
        Connection *oldest = monitor->connections;

        if (monitor->n_connections < MONITOR_CONNECTIONS_MAX)
                return;
        for (Connection *c = oldest; c; c = c->next)
                if (c->last_usec < oldest->last_usec)
                        oldest = c;
        connection_free(oldest);
}

static int on_listen(sd_event_source *source, int listen_fd, uint32_t revents, void *userdata) {
        Monitor *monitor = userdata;
        struct ucred peer;
        socklen_t size = sizeof(peer);

        (void) source;
        (void) revents;
        _cleanup_fd_ int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
                if (errno == EMFILE || errno == ENFILE)
                        log_warning("cannot accept a connection: %s", strerror(errno));
                return 0;
        }
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != monitor->uid)
                return 0;
        limit_connections(monitor);
        Connection *c = calloc(1, sizeof(*c));
        if (!c)
                return 0;
        *c = (Connection){ .monitor = monitor, .next = monitor->connections, .fd = TAKE_FD(fd) };
        c->last_usec = monitor_now(monitor);
        monitor->connections = c;
        monitor->n_connections++;
        if (sd_event_add_io(monitor->event, &c->io, c->fd, EPOLLIN, on_connection, c) < 0)
                connection_free(c);
        return 0;
}

int monitor_listen(Monitor *monitor, int fd) {
        int r = sd_event_add_io(monitor->event, &monitor->listen, fd, EPOLLIN, on_listen, monitor);

        if (r < 0)
                return r;
        r = sd_event_source_set_io_fd_own(monitor->listen, true);
        /* without descriptors left, accept() fails at once and for ever: not in a busy loop */
        return r < 0 ? r : sd_event_source_set_ratelimit(monitor->listen, 1000000, 5000);
}
