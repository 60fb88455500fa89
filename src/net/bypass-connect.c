/* SPDX-License-Identifier: Apache-2.0 */
/* Decides about connections, and makes those of the host. */
#include "net/bypass-connect.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <netinet/tcp.h>

#include "base/io.h"
#include "net/bypass-sandbox.h"
#include "net/bypass-task.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

enum {
        FD_MAX = 4096, /* a number that we can have, too */
};

/* One question, while it is looked at. */
typedef struct Question {
        const BypassHost *host;
        const BypassListener *listener;
        const struct seccomp_notif *request;
        int fd;             /* the caller's number */
        int pidfd, copy;    /* the caller, and the same open file */
        int flags;          /* of the caller's descriptor */
        ino_t inode;
        BypassTarget target;
        BypassFdUse use;
} Question;

static void question_done(Question *q) {
        (void) fd_close(q->pidfd);
        (void) fd_close(q->copy);
}

static int get_int(int fd, int level, int name) {
        int value = 0;
        socklen_t size = sizeof(value);

        return getsockopt(fd, level, name, &value, &size) < 0 ? -errno : value;
}

int bypass_socket_cookie(int fd, uint64_t *ret) {
        socklen_t size = sizeof(*ret);

        return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &size) < 0 ? -errno : 0;
}

static int read_defaults(int family, BypassDefaults *ret) {
        _cleanup_fd_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        bypass_options_read(fd, ret);
        return 0;
}

int bypass_host_prepare(BypassHost *host) {
        _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        int r = bypass_socket_cookie(fd, &host->cookie);
        if (r >= 0)
                r = read_defaults(AF_INET, &host->defaults4);
        if (r >= 0 && read_defaults(AF_INET6, &host->defaults6) < 0)
                host->gateways.gateway6 = in6addr_any; /* a host without IPv6 */
        return r;
}

bool bypass_is_waiting(const BypassListener *listener, uint64_t id) {
        return ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) >= 0;
}

static void answer_return(BypassAnswer *answer, int error) {
        *answer = (BypassAnswer){ .verdict = BYPASS_RETURN, .error = error, .fd = -EBADF };
}

/* TCP_ESTABLISHED, ... of netinet/tcp.h; or -errno. */
static int tcp_state(int fd) {
        uint8_t state = 0;
        socklen_t size = sizeof(state);

        return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &size) < 0 ? -errno : state;
}

/* Whether it is one of ours: in the host's network, and marked so (bypass_target_mark()). Others of the host were given in by the user. */
static bool is_ours(const Question *q, uint64_t cookie) {
        return cookie == q->host->cookie && get_int(q->copy, SOL_SOCKET, SO_LOCK_FILTER) > 0;
}

static bool is_unbound(int fd) {
        union {
                struct sockaddr any;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
        } name = {};
        socklen_t size = sizeof(name);

        if (getsockname(fd, &name.any, &size) < 0)
                return false;
        if (name.any.sa_family == AF_INET)
                return name.in.sin_port == 0 && name.in.sin_addr.s_addr == 0;
        return name.any.sa_family == AF_INET6 && name.in6.sin6_port == 0 && IN6_IS_ADDR_UNSPECIFIED(&name.in6.sin6_addr);
}

/* A filter of the program's own, which cannot be carried over: the new socket has another, and for good. */
static bool has_filter(int fd) {
        socklen_t size = 0;

        return getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &size) < 0 || size > 0;
}

/* Whether the socket is one that can be replaced: TCP, of the address's family, not used yet. */
static bool is_fresh(const Question *q) {
        return !has_filter(q->copy) &&
               get_int(q->copy, SOL_SOCKET, SO_TYPE) == SOCK_STREAM && get_int(q->copy, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP &&
               get_int(q->copy, SOL_SOCKET, SO_DOMAIN) == q->target.family && tcp_state(q->copy) == TCP_CLOSE && is_unbound(q->copy);
}

/* Whether the address is the world's, by our own list and by the container's routes. */
static bool leads_out(const Question *q) {
        return bypass_target_may_be_reached(&q->target) &&
               bypass_route_leads_out(q->listener->route_fd, &q->target, &q->host->gateways) > 0;
}

/* Who else has the socket would go on with the old one. */
static bool can_be_replaced(Question *q) {
        struct stat st;

        q->flags = bypass_task_fd_flags(q->host->proc_fd, (pid_t) q->request->pid, q->fd);
        if (q->flags < 0 || (q->flags & (O_ASYNC | O_PATH)) || fstat(q->copy, &st) < 0)
                return false;
        q->inode = st.st_ino;
        if (q->fd > FD_MAX)
                return false;
        return bypass_task_fd_use(q->host->proc_fd, (pid_t) q->request->pid, q->fd, q->inode, &q->use) >= 0 && !q->use.duplicated &&
               !q->use.unknown;
}

static int bind_source(const BypassHost *host, const BypassTarget *target, int fd) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = host->source4 };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = host->source6 };
        int on = 1;

        if (target->ipv4 && host->source4.s_addr == 0)
                return 0;
        if (!target->ipv4 && IN6_IS_ADDR_UNSPECIFIED(&host->source6))
                return 0;
        if (target->ipv4 && target->family == AF_INET6) { /* ::ffff:a.b.c.d */
                in6.sin6_addr = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
                memcpy(in6.sin6_addr.s6_addr + 12, &host->source4, sizeof(host->source4));
        }
        (void) setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)); /* the port is chosen with the peer in sight */
        int r = target->family == AF_INET ? bind(fd, (struct sockaddr *) &in, sizeof(in)) : bind(fd, (struct sockaddr *) &in6, sizeof(in6));
        return r < 0 ? -errno : 0;
}

/* A socket of the host that is like the caller's, and tied to the target before it is anywhere. */
static int make_socket(const Question *q) {
        const BypassDefaults *defaults = q->target.family == AF_INET ? &q->host->defaults4 : &q->host->defaults6;
        _cleanup_fd_ int fd = socket(q->target.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        int r = bypass_options_copy(defaults, q->copy, fd, q->target.family);
        if (r >= 0)
                r = q->host->wall == BYPASS_WALL_TIE ? bypass_target_tie(&q->target, fd) : bypass_target_mark(fd);
        if (r >= 0)
                r = bind_source(q->host, &q->target, fd);
        return r < 0 ? r : TAKE_FD(fd);
}

/* epoll(7) knows a file by the number under which it was added: it is given the caller's for a moment. */
static int epoll_under_number(int epoll, int operation, int number, int fd, struct epoll_event *event) {
        _cleanup_fd_ int saved = fcntl(number, F_DUPFD_CLOEXEC, number + 1);
        int r = 0;

        if (saved < 0 && errno != EBADF)
                return -errno;
        if (dup3(fd, number, O_CLOEXEC) < 0)
                return -errno;
        if (epoll_ctl(epoll, operation, number, event) < 0)
                r = -errno;
        if (saved >= 0)
                return dup3(saved, number, O_CLOEXEC) < 0 ? -errno : r;
        (void) close(number);
        return r;
}

/* Has an epoll instance that watched the caller's socket watch the new one. */
static void move_watch(const Question *q, int epoll, int fd) {
        struct epoll_event event = {};
        uint32_t events;
        uint64_t data;

        if (bypass_task_epoll_watch(q->host->proc_fd, (pid_t) q->request->pid, epoll, q->fd, q->inode, &events, &data) <= 0)
                return;
        _cleanup_fd_ int copy = pidfd_getfd(q->pidfd, epoll, 0);
        if (copy < 0)
                return;
        event.events = events;
        event.data.u64 = data;
        /* our own descriptors may have these numbers while the caller's is in their place */
        _cleanup_fd_ int high = fcntl(copy, F_DUPFD_CLOEXEC, q->fd + 2), old = fcntl(q->copy, F_DUPFD_CLOEXEC, q->fd + 2),
                         new = fcntl(fd, F_DUPFD_CLOEXEC, q->fd + 2);
        if (high < 0 || old < 0 || new < 0)
                return;
        (void) epoll_under_number(high, EPOLL_CTL_DEL, q->fd, old, &event);
        (void) epoll_under_number(high, EPOLL_CTL_ADD, q->fd, new, &event);
}

/* Puts the socket in the place of the caller's. */
static int install(const Question *q, int fd) {
        struct seccomp_notif_addfd add = {
                .id = q->request->id,
                .flags = SECCOMP_ADDFD_FLAG_SETFD,
                .srcfd = (uint32_t) fd,
                .newfd = (uint32_t) q->fd,
                .newfd_flags = (uint32_t) q->flags & O_CLOEXEC,
        };

        if (ioctl(q->listener->fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0)
                return -errno;
        for (size_t i = 0; i < q->use.n_epolls; i++)
                move_watch(q, q->use.epolls[i], fd);
        return 0;
}

static int64_t send_timeout(int fd) {
        struct timeval t = {};
        socklen_t size = sizeof(t);

        return getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, &size) < 0 ? 0 : (int64_t) t.tv_sec * 1000000 + t.tv_usec;
}

/* False: it cannot be; it works inside, only slower. */
static bool replace(Question *q, BypassAnswer *answer) {
        _cleanup_fd_ int fd = make_socket(q);

        if (fd < 0)
                return false;
        int r = connect(fd, (const struct sockaddr *) &q->target.sockaddr, q->target.size) < 0 ? -errno : 0;
        if (r < 0 && r != -EINPROGRESS) {
                answer_return(answer, r);
                return true;
        }
        if (!(q->flags & O_NONBLOCK) && fcntl(fd, F_SETFL, 0) < 0)
                return false;
        if (install(q, fd) < 0) {
                answer->verdict = BYPASS_GONE;
                return true;
        }
        answer_return(answer, r);
        if (r < 0 && !(q->flags & O_NONBLOCK))
                *answer = (BypassAnswer){ .verdict = BYPASS_WAIT, .timeout_usec = send_timeout(q->copy), .fd = TAKE_FD(fd) };
        return true;
}

/* What connect(2) says of a socket on its way, or there. The kernel looks at the address of one that is neither, and no TCP
 * connection can be made to these. */
static int ask_state(int fd) {
        const struct sockaddr_in nowhere = { .sin_family = AF_INET, .sin_addr.s_addr = INADDR_BROADCAST };
        const struct sockaddr_in6 nowhere6 = { .sin6_family = AF_INET6, .sin6_addr.s6_addr = { 0xff, 0x02, [15] = 1 } };
        int r = get_int(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET6 ? connect(fd, (const struct sockaddr *) &nowhere6, sizeof(nowhere6))
                                                               : connect(fd, (const struct sockaddr *) &nowhere, sizeof(nowhere));

        return r < 0 ? -errno : 0;
}

int bypass_connect_finish(int fd) {
        int r = tcp_state(fd) == TCP_CLOSE ? -get_int(fd, SOL_SOCKET, SO_ERROR) : 0, asked = ask_state(fd);

        if (r < 0)
                return r;
        return asked == -EISCONN ? 0 : asked;
}

/* A socket of ours is asked again: how it went, or for another peer. */
static void again(Question *q, bool is_address, BypassAnswer *answer) {
        int state = tcp_state(q->copy);

        if (state == TCP_SYN_SENT && !(fcntl(q->copy, F_GETFL) & O_NONBLOCK)) {
                *answer = (BypassAnswer){ .verdict = BYPASS_WAIT, .timeout_usec = send_timeout(q->copy), .fd = TAKE_FD(q->copy) };
                return;
        }
        if (state != TCP_CLOSE) {
                answer_return(answer, ask_state(q->copy));
                return;
        }
        int error = get_int(q->copy, SOL_SOCKET, SO_ERROR);
        (void) ask_state(q->copy); /* what went wrong is known, and it can be used anew */
        answer_return(answer, error > 0 ? -error : -EADDRNOTAVAIL); /* inside again it cannot be */
        if (error <= 0 && is_address && get_int(q->copy, SOL_SOCKET, SO_DOMAIN) == q->target.family && leads_out(q) && can_be_replaced(q))
                (void) replace(q, answer);
}

static void disconnect(int fd, BypassAnswer *answer) {
        const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

        answer_return(answer, connect(fd, &nowhere, sizeof(nowhere)) < 0 ? -errno : 0);
        (void) get_int(fd, SOL_SOCKET, SO_ERROR); /* that it was cut off is no answer to the next question */
}

/* Takes what the question is about. False: there is nothing to say about it. */
static bool take(Question *q, uint64_t *ret_cookie) {
        q->fd = (int) (uint32_t) q->request->data.args[0];
        q->pidfd = bypass_task_open(q->host->proc_fd, (pid_t) q->request->pid);
        if (q->pidfd < 0)
                return false;
        q->copy = pidfd_getfd(q->pidfd, q->fd, 0);
        return q->copy >= 0 && bypass_socket_cookie(q->copy, ret_cookie) >= 0;
}

static bool is_tcp(int fd) {
        return get_int(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM && get_int(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP;
}

typedef struct Address {
        union {
                struct sockaddr any;
                struct sockaddr_storage storage;
        } name;
        size_t size;
} Address;

/* Our own copy of the address that the second and third argument are. False: the answer is there. */
static bool take_address(const Question *q, Address *ret, BypassAnswer *answer) {
        *ret = (Address){ .size = (size_t) (int) q->request->data.args[2] };
        if (ret->size < sizeof(sa_family_t) || ret->size > sizeof(ret->name)) {
                answer_return(answer, -EINVAL);
                return false;
        }
        int r = bypass_task_read((pid_t) q->request->pid, q->request->data.args[1], &ret->name, ret->size);
        if (!bypass_is_waiting(q->listener, q->request->id)) { /* so all that was read is another's */
                answer->verdict = BYPASS_GONE;
                return false;
        }
        if (r < 0)
                answer_return(answer, r);
        return r >= 0;
}

/* The call itself, on the same socket: it stays in the container's network, where the socket was made. */
static void connect_inside(const Question *q, const Address *address, BypassAnswer *answer) {
        int flags = fcntl(q->copy, F_GETFL);
        bool waits = !(flags & O_NONBLOCK);

        if (waits && tcp_state(q->copy) == TCP_SYN_SENT) {
                *answer = (BypassAnswer){ .verdict = BYPASS_WAIT, .timeout_usec = send_timeout(q->copy), .fd = fcntl(q->copy, F_DUPFD_CLOEXEC, 3) };
                if (answer->fd < 0)
                        answer_return(answer, -errno);
                return;
        }
        if (waits && fcntl(q->copy, F_SETFL, flags | O_NONBLOCK) < 0) {
                answer_return(answer, -errno);
                return;
        }
        int r = connect(q->copy, &address->name.any, (socklen_t) address->size) < 0 ? -errno : 0;
        if (waits)
                (void) fcntl(q->copy, F_SETFL, flags);
        answer_return(answer, r);
        if (!waits || r != -EINPROGRESS)
                return;
        int fd = fcntl(q->copy, F_DUPFD_CLOEXEC, 3);
        if (fd >= 0)
                *answer = (BypassAnswer){ .verdict = BYPASS_WAIT, .timeout_usec = send_timeout(q->copy), .fd = fd };
}

static void answer_connect(Question *q, BypassAnswer *answer) {
        Address address;
        uint64_t cookie;

        if (!take(q, &cookie) || !is_tcp(q->copy) || !take_address(q, &address, answer))
                return;
        int r = bypass_target_parse(&address.name, address.size, &q->target);
        bool unspecific = address.name.any.sa_family == AF_UNSPEC;
        if (is_ours(q, cookie)) {
                if (unspecific)
                        disconnect(q->copy, answer);
                else
                        again(q, r >= 0, answer);
        } else if (cookie == q->host->cookie && !unspecific && (r < 0 || !bypass_target_may_be_reached(&q->target)))
                answer_return(answer, -EPERM); /* one that the user gave in */
        else if (r < 0 || cookie != q->listener->cookie || !is_fresh(q) || !leads_out(q) || !can_be_replaced(q) || !replace(q, answer))
                connect_inside(q, &address, answer);
}

/* Low ports take a capability, which is used for who has it. */
static int bind_as(const Question *q, const Address *address) {
        const uint32_t low = 1U << CAP_NET_BIND_SERVICE;

        if (bind(q->copy, &address->name.any, (socklen_t) address->size) >= 0)
                return 0;
        if (errno != EACCES || !bypass_task_may(q->host->proc_fd, (pid_t) q->request->pid, CAP_NET_BIND_SERVICE))
                return -errno;
        int r = bypass_sandbox_raise(low);
        if (r >= 0)
                r = bind(q->copy, &address->name.any, (socklen_t) address->size) < 0 ? -errno : 0;
        (void) bypass_sandbox_raise(0);
        return r;
}

static void answer_bind(Question *q, BypassAnswer *answer) {
        Address address;
        uint64_t cookie;

        if (!take(q, &cookie) || !is_tcp(q->copy))
                return;
        if (is_ours(q, cookie))
                answer_return(answer, -EINVAL);
        else if (take_address(q, &address, answer))
                answer_return(answer, bind_as(q, &address));
}

/* A socket of ours has its place on the host, and takes none there. */
static void answer_listen(Question *q, BypassAnswer *answer) {
        uint64_t cookie;

        if (take(q, &cookie) && is_ours(q, cookie))
                answer_return(answer, -EINVAL);
}

void bypass_connect_answer(const BypassHost *host, const BypassListener *listener, const struct seccomp_notif *request,
                           BypassAnswer *ret) {
        static const struct {
                int number;
                void (*answer)(Question *q, BypassAnswer *answer);
        } calls[] = {
                { SYS_connect, answer_connect },
                { SYS_bind, answer_bind },
                { SYS_listen, answer_listen },
#ifdef __x86_64__
                { 362, answer_connect }, /* of i386 */
                { 361, answer_bind },
                { 363, answer_listen },
                { SYS_connect | 0x40000000, answer_connect }, /* of x32 */
                { SYS_bind | 0x40000000, answer_bind },
                { SYS_listen | 0x40000000, answer_listen },
#elif defined(__aarch64__)
                { 283, answer_connect }, /* of arm */
                { 282, answer_bind },
                { 284, answer_listen },
#endif
        };
        _cleanup_(question_done) Question q = { .host = host, .listener = listener, .request = request, .pidfd = -EBADF, .copy = -EBADF };

        *ret = (BypassAnswer){ .verdict = BYPASS_CONTINUE, .fd = -EBADF };
        for (size_t i = 0; i < ELEMENTSOF(calls); i++)
                if (request->data.nr == calls[i].number)
                        calls[i].answer(&q, ret);
}
