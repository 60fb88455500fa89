/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a monitor. */
#include "monitor/client.h"

#include <endian.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "ns/pinned.h"

enum {
        TRIES = 20,        /* each one outlives a monitor */
        TIMEOUT_SEC = 60,  /* for one answer */
        USERNS_TIMEOUT_MSEC = 100, /* the helpers take less long */
        FRAME_MAX = 64 * 1024 * 1024,
};

static bool has_systemd(const char *runtime) {
        _cleanup_free_ char *path = str_format("%s/systemd/private", runtime);

        return path && access(path, F_OK) == 0;
}

static int connect_user(Error *reterr) {
        _cleanup_free_ char *runtime = path_user_runtime(), *dir = runtime ? str_format("%s/sdpod", runtime) : NULL;

        if (!dir)
                return error_oom(reterr);
        _cleanup_fd_ int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd = dir_fd < 0 ? -errno : io_unix_connect(dir_fd, MONITOR_SOCKET_NAME, SOCK_SEQPACKET);
        if (fd >= 0)
                return fd;
        if (!has_systemd(runtime))
                return error_set(reterr, fd, ERROR_UNREACHABLE, "cannot reach the monitor: no systemd manager in '%s'", runtime);
        (void) error_set_errno(reterr, fd, "cannot reach the monitor at '%s/" MONITOR_SOCKET_NAME "'", dir);
        error_hint(reterr, "systemctl %senable --now sdpod-monitor.socket", geteuid() == 0 ? "" : "--user ");
        return fd;
}

static int connect_monitor(int runtime_fd, const char *id, Error *reterr) {
        _cleanup_free_ char *dir = id ? str_format("containers/%s", id) : NULL;

        if (id && !dir)
                return error_oom(reterr);
        _cleanup_fd_ int dir_fd = dir && runtime_fd >= 0 ? openat(runtime_fd, dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        if (dir_fd >= 0) {
                int fd = io_unix_connect(dir_fd, MONITOR_SOCKET_NAME, SOCK_SEQPACKET);

                if (fd >= 0)
                        return fd; /* a socket that a dead one left behind refuses: then the user's */
        }
        return connect_user(reterr);
}

/* Sends a request and receives the answer. -EPIPE when the monitor went away in between. */
static int ask_once(int fd, const char *text, const int *fds, size_t n_fds, char *reply, size_t *size) {
        const struct timeval timeout = { .tv_sec = TIMEOUT_SEC };

        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
                return -errno;
        int r = io_send_fds(fd, text, strlen(text), fds, n_fds);
        if (r < 0)
                return r == -ECONNRESET ? -EPIPE : r;
        ssize_t n = RETRY_EINTR(recv(fd, reply, *size, 0));
        if (n <= 0)
                return n == 0 || errno == ECONNRESET ? -EPIPE : errno == EAGAIN ? -ETIMEDOUT : -errno;
        *size = (size_t) n;
        return 0;
}

/* The whole dialogue; `request` is taken over. The answer in *ret may be wanted or not (NULL). */
static int ask(int runtime_fd, const char *id, json_t *request, const int *fds, size_t n_fds, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *owned = request, *answer = NULL;
        _cleanup_free_ char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL, *reply = malloc(MONITOR_MESSAGE_MAX);
        size_t size = 0;
        int r = -EPIPE;

        if (!text || !reply)
                return error_oom(reterr);
        for (int i = 0; i < TRIES && r == -EPIPE; i++) {
                _cleanup_fd_ int fd = connect_monitor(runtime_fd, id, reterr);

                if (fd < 0)
                        return fd;
                size = MONITOR_MESSAGE_MAX;
                r = ask_once(fd, text, fds, n_fds, reply, &size);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot ask the monitor");
        r = json_parse(reply, size, "the monitor's answer", &answer, reterr);
        if (r >= 0)
                r = monitor_error_from_json(answer, reterr);
        if (r >= 0 && ret)
                *ret = TAKE_PTR(answer);
        return r;
}

int monitor_client_watch(int runtime_fd, const MonitorConfig *config, const int *fds, size_t n_fds, Error *reterr) {
        json_t *request;
        int r = monitor_config_check(config, reterr);

        if (r < 0)
                return r;
        if (n_fds != monitor_config_n_fds(config))
                return error_set(reterr, -EINVAL, ERROR_INTERNAL, "cannot watch '%s': %zu descriptors, not %zu", config->id,
                                 n_fds, monitor_config_n_fds(config));
        request = json_fields_save(monitor_config_fields, config);
        if (!request || json_object_set_new(request, "op", json_string("watch")) < 0) {
                json_decref(request);
                return error_oom(reterr);
        }
        return ask(runtime_fd, config->id, request, fds, n_fds, NULL, reterr);
}

int monitor_client_attach(int runtime_fd, const char *id, MonitorAttachFlags flags, MonitorAttached *ret, Error *reterr) {
        _cleanup_json_ json_t *answer = NULL;
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot attach to '%s'", id);
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        json_t *request = json_pack("{s:s, s:s, s:b, s:b, s:b, s:b}", "op", "attach", "id", id, "stdin",
                                    !!(flags & MONITOR_ATTACH_STDIN), "closeStdin", !!(flags & MONITOR_ATTACH_CLOSE_STDIN),
                                    "wait", !!(flags & MONITOR_ATTACH_WAIT), "logs", !!(flags & MONITOR_ATTACH_LOGS));
        int r = ask(runtime_fd, id, request, &theirs, 1, &answer, reterr);
        if (r < 0)
                return r;
        *ret = (MonitorAttached){
                .fd = TAKE_FD(ours),
                .waiting = json_get_bool(answer, "waiting", false),
                .terminal = json_get_bool(answer, "terminal", false),
                .log_offset = (uint64_t) json_get_integer(answer, "logOffset", 0),
                .log_inode = (uint64_t) json_get_integer(answer, "logInode", 0),
        };
        return 0;
}

int monitor_client_resize(int runtime_fd, const char *id, unsigned rows, unsigned cols, Error *reterr) {
        json_t *request = json_pack("{s:s, s:s, s:i, s:i}", "op", "resize", "id", id, "rows", (int) rows, "cols", (int) cols);

        return ask(runtime_fd, id, request, NULL, 0, NULL, reterr);
}

int monitor_client_detach(int runtime_fd, const char *id, Error *reterr) {
        return ask(runtime_fd, id, json_pack("{s:s, s:s}", "op", "detach", "id", id), NULL, 0, NULL, reterr);
}

int monitor_client_stat(int runtime_fd, const char *id, json_t **ret, Error *reterr) {
        json_t *request = id ? json_pack("{s:s, s:s}", "op", "stat", "id", id) : json_pack("{s:s}", "op", "stat");

        return ask(runtime_fd, id, request, NULL, 0, ret, reterr);
}

static int send_userns(int socket, const char *op, const char *map, const int *fd) {
        _cleanup_json_ json_t *request = json_pack("{s:s, s:s}", "op", op, "map", map);
        _cleanup_free_ char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;

        return text ? io_send_fds(socket, text, strlen(text), fd, fd ? 1 : 0) : -ENOMEM;
}

int monitor_client_userns_ask(const char *map) {
        _cleanup_free_ char *runtime = path_user_runtime(), *dir = runtime ? str_format("%s/sdpod", runtime) : NULL;

        if (!dir)
                return -ENOMEM;
        _cleanup_fd_ int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        _cleanup_fd_ int fd = io_unix_connect(dir_fd, MONITOR_SOCKET_NAME, SOCK_SEQPACKET | SOCK_NONBLOCK);
        int r = fd < 0 ? fd : send_userns(fd, "get-userns", map, /* fd= */ NULL);
        return r < 0 ? r : TAKE_FD(fd);
}

int monitor_client_userns_take(int socket) {
        struct pollfd poll_fd = { .fd = socket, .events = POLLIN };
        _cleanup_json_ json_t *answer = NULL;
        char reply[1024];
        int fd = -EBADF, r = poll(&poll_fd, 1, USERNS_TIMEOUT_MSEC);
        size_t n_fds = 1;

        if (r <= 0)
                return r == 0 ? -ETIMEDOUT : -errno;
        ssize_t n = io_receive_fds(socket, reply, sizeof(reply), &fd, &n_fds);
        if (n <= 0)
                return n < 0 ? (int) n : -EPIPE;
        _cleanup_fd_ int ours = n_fds == 1 ? fd : -EBADF;
        r = json_parse(reply, (size_t) n, "the monitor's answer", &answer, /* reterr= */ NULL);
        if (r >= 0)
                r = monitor_error_from_json(answer, /* reterr= */ NULL);
        if (r >= 0)
                r = userns_pin_check(ours, geteuid());
        return r < 0 ? r : TAKE_FD(ours);
}

void monitor_client_userns_keep(int socket, const char *map, int fd) {
        (void) send_userns(socket, "keep-userns", map, &fd); /* the answer finds nobody */
}

int monitor_frame_parse(const unsigned char *header, int *ret_stream, size_t *ret_size) {
        uint32_t size;

        memcpy(&size, header + 4, sizeof(size));
        size = be32toh(size);
        if ((header[0] != 1 && header[0] != 2) || header[1] || header[2] || header[3] || size > FRAME_MAX)
                return -EBADMSG;
        *ret_stream = header[0];
        *ret_size = size;
        return 0;
}
