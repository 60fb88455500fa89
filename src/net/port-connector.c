/* SPDX-License-Identifier: Apache-2.0 */
/* Makes sockets in a container's network namespace, and keeps a stock of them outside. */
#include "net/port-connector.h"

#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/syscall-filter.h"
#include "net/local-tcp.h"
#include "net/port-route.h"

enum { SOCKET_TYPE = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC };

typedef struct Answer {
        uint8_t family;
        int32_t error;
} Answer;

#define LOW_IS(n, v) SYSCALL_ARG(n, LOW_IS, v)
#define OPTION(level, name) { __NR_setsockopt, { LOW_IS(1, level), LOW_IS(2, name) } }

static const SyscallRule rules[] = {
        { __NR_read, {} },
        { __NR_sendmsg, {} },
        { __NR_socket, { LOW_IS(0, AF_INET), LOW_IS(1, SOCKET_TYPE), LOW_IS(2, 0) } },
        { __NR_socket, { LOW_IS(0, AF_INET6), LOW_IS(1, SOCKET_TYPE), LOW_IS(2, 0) } },
        OPTION(IPPROTO_IP, IP_TRANSPARENT),
        OPTION(IPPROTO_IPV6, IPV6_TRANSPARENT),
        OPTION(IPPROTO_TCP, TCP_NODELAY),
        OPTION(IPPROTO_TCP, TCP_CONGESTION),
        OPTION(SOL_SOCKET, SO_MARK),
        OPTION(SOL_SOCKET, SO_REUSEADDR),
        OPTION(SOL_SOCKET, SO_OOBINLINE),
        OPTION(SOL_SOCKET, SO_KEEPALIVE),
        { __NR_close, {} },
        { __NR_rt_sigreturn, {} },
        { __NR_restart_syscall, {} },
        { __NR_exit_group, {} },
};

static int keep_one_capability(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { { .effective = 1U << CAP_NET_ADMIN, .permitted = 1U << CAP_NET_ADMIN } };

        for (int i = 0; i < 64; i++)
                if (prctl(PR_CAPBSET_DROP, i) < 0)
                        break; /* EINVAL behind the last */
        (void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int confine(void) {
        static const struct {
                int resource;
                rlim_t value;
        } limits[] = { { RLIMIT_CORE, 0 }, { RLIMIT_NPROC, 0 }, { RLIMIT_FSIZE, 0 }, { RLIMIT_NOFILE, 64 } };
        SyscallFilter filter;

        (void) prctl(PR_SET_NAME, "sdpod-connect");
        int r = keep_one_capability();
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(limits); i++)
                if (setrlimit((__rlimit_resource_t) limits[i].resource, &(struct rlimit){ limits[i].value, limits[i].value }) < 0)
                        return -errno;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;
        syscall_filter_begin(&filter);
        syscall_filter_allow(&filter, rules, ELEMENTSOF(rules));
        return syscall_filter_install(&filter, EPERM);
}

static int make_socket(int family) {
        const struct {
                int level, name, value;
        } options[] = {
                { family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, family == AF_INET ? IP_TRANSPARENT : IPV6_TRANSPARENT, 1 },
                { SOL_SOCKET, SO_MARK, PORT_ROUTE_MARK },
                { SOL_SOCKET, SO_REUSEADDR, 1 }, /* one client's port may serve several connections */
                { SOL_SOCKET, SO_OOBINLINE, 1 },
                { SOL_SOCKET, SO_KEEPALIVE, 1 },
                { IPPROTO_TCP, TCP_NODELAY, 1 },
        };
        _cleanup_fd_ int fd = socket(family, SOCKET_TYPE, 0);

        if (fd < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value)) < 0)
                        return -errno;
        local_tcp_hasten(fd);
        return TAKE_FD(fd);
}

static int answer(int socket_fd, int family) {
        int fds[PORT_CONNECTOR_BATCH];
        Answer message = { .family = (uint8_t) family };
        size_t n = 0;

        for (; n < ELEMENTSOF(fds); n++) {
                fds[n] = make_socket(family);
                if (fds[n] < 0) {
                        message.error = fds[n];
                        break;
                }
        }
        int r = io_send_fds(socket_fd, &message, sizeof(message), fds, n);
        while (n > 0)
                (void) close(fds[--n]);
        return r;
}

int port_connector_serve(int socket_fd) {
        uint8_t family;

        int r = fd_keep((int *const[]){ &socket_fd }, 1);
        if (r < 0)
                return r;
        (void) close_range(0, 2, 0);
        (void) signal(SIGPIPE, SIG_IGN);
        r = confine();
        if (r < 0)
                return r;
        for (;;) {
                ssize_t n = RETRY_EINTR(read(socket_fd, &family, sizeof(family)));

                if (n != (ssize_t) sizeof(family) || (family != AF_INET && family != AF_INET6))
                        return 0;
                r = answer(socket_fd, family);
                if (r < 0)
                        return r;
        }
}

static size_t pool_of(int family) {
        return family == AF_INET ? 0 : 1;
}

bool port_connector_has(PortConnector *connector, int family, size_t n) {
        size_t pool = pool_of(family);
        uint8_t question = (uint8_t) family;

        if (connector->pools[pool].n < PORT_CONNECTOR_BATCH / 2 && !connector->pools[pool].asked && connector->fd >= 0)
                connector->pools[pool].asked = send(connector->fd, &question, sizeof(question), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
        return connector->pools[pool].n >= n;
}

int port_connector_take(PortConnector *connector, int family) {
        size_t pool = pool_of(family);

        return connector->pools[pool].n > 0 ? connector->pools[pool].fds[--connector->pools[pool].n] : -EAGAIN;
}

/* One answer; -EAGAIN: there is none. */
static int receive_one(PortConnector *connector) {
        struct pollfd none_yet = { .fd = connector->fd, .events = POLLIN };
        int fds[PORT_CONNECTOR_BATCH];
        size_t n_fds = ELEMENTSOF(fds);
        Answer message = {};

        if (poll(&none_yet, 1, 0) <= 0)
                return -EAGAIN;
        ssize_t n = io_receive_fds(connector->fd, &message, sizeof(message), fds, &n_fds);
        if (n < 0)
                return (int) n;
        size_t pool = pool_of(message.family), kept = 0;
        bool asked = n == (ssize_t) sizeof(message) && connector->pools[pool].asked;
        for (; asked && kept < n_fds && connector->pools[pool].n < ELEMENTSOF(connector->pools[pool].fds); kept++)
                connector->pools[pool].fds[connector->pools[pool].n++] = fds[kept];
        while (n_fds > kept)
                (void) fd_close(fds[--n_fds]);
        if (!asked)
                return -EPIPE; /* the end, or nothing that it should say */
        connector->pools[pool].asked = false;
        return kept == 0 && message.error < 0 ? message.error : 0;
}

int port_connector_receive(PortConnector *connector) {
        int r = 0;

        while (r >= 0)
                r = receive_one(connector);
        return r == -EAGAIN ? 0 : r;
}

void port_connector_done(PortConnector *connector) {
        for (size_t i = 0; i < ELEMENTSOF(connector->pools); i++)
                while (connector->pools[i].n > 0)
                        (void) fd_close(connector->pools[i].fds[--connector->pools[i].n]);
        connector->fd = fd_close(connector->fd);
}
