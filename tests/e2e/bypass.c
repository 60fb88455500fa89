/* SPDX-License-Identifier: Apache-2.0 */
/* bypass CASE ADDRESS PORT [MORE]: programs' ways to connect, and attacks, from inside a container; prints what it found in one line. The
 * server at ADDRESS sends "canary\n" to who connects. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_storage server;
static socklen_t server_size;
static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

static void resolve(const char *text, int port, struct sockaddr_storage *a, socklen_t *size) {
        struct sockaddr_in *in = (struct sockaddr_in *) a;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) a;

        memset(a, 0, sizeof(*a));
        if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
                in->sin_family = AF_INET;
                in->sin_port = htons(port);
                *size = sizeof(*in);
        } else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
                in6->sin6_family = AF_INET6;
                in6->sin6_port = htons(port);
                *size = sizeof(*in6);
        } else
                exit(2);
}

static int make(int flags) {
        int fd = socket(server.ss_family, SOCK_STREAM | flags, 0);

        if (fd < 0)
                exit(3);
        return fd;
}

static const char *name(int e) {
        return e == 0 ? "ok" : strerrorname_np(e);
}

static const char *call(int r) {
        return name(r < 0 ? errno : 0);
}

static const char *go(int fd) {
        return call(connect(fd, (struct sockaddr *) &server, server_size));
}

/* "host" where the socket's own address is not one of a container's network. */
static const char *side(int fd) {
        struct sockaddr_storage a = { 0 };
        socklen_t size = sizeof(a);
        char text[INET6_ADDRSTRLEN] = "";

        if (getsockname(fd, (struct sockaddr *) &a, &size) < 0)
                return "none";
        if (a.ss_family == AF_INET)
                inet_ntop(AF_INET, &((struct sockaddr_in *) &a)->sin_addr, text, sizeof(text));
        else
                inet_ntop(AF_INET6, &((struct sockaddr_in6 *) &a)->sin6_addr, text, sizeof(text));
        if (!strncmp(text, "10.0.2.", 7) || !strncmp(text, "fd00:", 5) || !strcmp(text, "::ffff:10.0.2.100") || !strncmp(text, "127.", 4) ||
            !strcmp(text, "::1"))
                return "inside";
        return strcmp(text, "0.0.0.0") && strcmp(text, "::") ? "host" : "none";
}

static const char *hear(int fd) {
        static char text[16];
        struct timeval t = { .tv_sec = 5 };
        ssize_t n;

        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
        fcntl(fd, F_SETFL, 0);
        n = read(fd, text, sizeof(text) - 1);
        if (n < 0)
                return name(errno);
        text[n > 0 && text[n - 1] == '\n' ? n - 1 : n] = 0;
        return text;
}

static int wait_for(int fd, int events) {
        struct pollfd p = { .fd = fd, .events = events };

        return poll(&p, 1, 5000) == 1 ? p.revents : 0;
}

static int error_of(int fd) {
        int e = -1;
        socklen_t size = sizeof(e);

        getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &size);
        return e;
}

static int get(int fd, int level, int option) {
        int v = -1;
        socklen_t size = sizeof(v);

        return getsockopt(fd, level, option, &v, &size) < 0 ? -errno : v;
}

static void set(int fd, int level, int option, int v) {
        if (setsockopt(fd, level, option, &v, sizeof(v)) < 0)
                exit(4);
}

static void case_plain(char **more) {
        int fd = make(0), cloexec = make(SOCK_CLOEXEC), r;

        (void) more;
        const char *result = go(fd);
        printf("%s %s %s", result, side(fd), hear(fd));
        result = go(cloexec);
        r = fcntl(cloexec, F_GETFD);
        printf(" cloexec %d %d blocking %d\n", fcntl(fd, F_GETFD), r, !(fcntl(fd, F_GETFL) & O_NONBLOCK));
}

static void case_nonblock(char **more) {
        int fd = make(SOCK_NONBLOCK);

        (void) more;
        printf("%s", go(fd));
        printf(" %d", !!(wait_for(fd, POLLOUT) & POLLOUT));
        printf(" %s", name(error_of(fd)));
        printf(" %s", go(fd));
        printf(" %s", go(fd));
        printf(" %s %d", side(fd), !!(fcntl(fd, F_GETFL) & O_NONBLOCK));
        printf(" %s\n", hear(fd));
}

static void case_refused(char **more) {
        int fd = make(0), other = make(SOCK_NONBLOCK);

        (void) more;
        printf("%s", go(fd));
        const char *first = go(other);
        if (!strcmp(first, "EINPROGRESS")) {
                wait_for(other, POLLOUT);
                first = name(error_of(other));
        }
        printf(" %s\n", first);
}

static void case_options(char **more) {
        int fd = make(0);
        struct linger linger = { 1, 7 };
        socklen_t size = sizeof(linger);

        (void) more;
        set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 77);
        set(fd, SOL_SOCKET, SO_RCVBUF, 30000);
        set(fd, SOL_SOCKET, SO_SNDBUF, 40000);
        set(fd, IPPROTO_IP, IP_TOS, 0x10);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        linger = (struct linger){ 0 };
        const char *result = go(fd);
        getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size);
        printf("%s %s %d %d %d %d %d %d %d\n", result, side(fd), get(fd, IPPROTO_TCP, TCP_NODELAY), get(fd, SOL_SOCKET, SO_KEEPALIVE),
               get(fd, IPPROTO_TCP, TCP_KEEPIDLE), get(fd, SOL_SOCKET, SO_RCVBUF), get(fd, SOL_SOCKET, SO_SNDBUF), get(fd, IPPROTO_IP, IP_TOS),
               linger.l_linger);
}

/* epoll(7) as libraries use it: registered before the connection is made. */
static void case_epoll(char **more) {
        int fd = make(SOCK_NONBLOCK), level = epoll_create1(EPOLL_CLOEXEC), edge = epoll_create1(0);
        struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = 0x1122334455667788 },
                           l = { .events = EPOLLIN, .data.u64 = 42 }, got = { 0 };
        int both = 0;

        (void) more;
        epoll_ctl(edge, EPOLL_CTL_ADD, fd, &e);
        epoll_ctl(level, EPOLL_CTL_ADD, fd, &l);
        const char *result = go(fd);
        for (int i = 0; i < 20 && !(both & EPOLLIN); i++)
                if (epoll_wait(edge, &got, 1, 5000) == 1)
                        both |= got.events;
        printf("%s %s %d %d %llx", result, side(fd), !!(both & EPOLLIN), !!(both & EPOLLOUT), (unsigned long long) got.data.u64);
        got.data.u64 = 0;
        int n = epoll_wait(level, &got, 1, 5000);
        printf(" %d %llu", n, (unsigned long long) got.data.u64);
        l.data.u64 = 43;
        printf(" %s", call(epoll_ctl(level, EPOLL_CTL_MOD, fd, &l)));
        n = epoll_wait(level, &got, 1, 5000);
        printf(" %llu", (unsigned long long) got.data.u64);
        printf(" %s", call(epoll_ctl(level, EPOLL_CTL_DEL, fd, NULL)));
        printf(" %s\n", call(epoll_ctl(edge, EPOLL_CTL_DEL, fd, NULL)));
}

/* What cannot be replaced stays inside, and works. */
static void case_kept(char **more) {
        int twin = make(0), other = dup(twin), bound = make(0), filtered = make(0), async = make(0);
        struct sockaddr_storage here = { .ss_family = server.ss_family };
        struct sock_filter all = { .code = 6, .k = -1 };
        struct { unsigned short n; void *p; } program = { 1, &all };

        (void) more;
        bind(bound, (struct sockaddr *) &here, server_size);
        setsockopt(filtered, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
        fcntl(async, F_SETFL, O_ASYNC);
        fcntl(async, F_SETOWN, 0);
        printf("%s", go(twin));
        printf(" %s %s", side(other), hear(other));
        printf(" %s", go(bound));
        printf(" %s", side(bound));
        printf(" %s", go(filtered));
        printf(" %s", side(filtered));
        printf(" %s", go(async));
        printf(" %s\n", side(async));
}

static void on_signal(int signal) {
        (void) signal;
}

/* PORT takes no more connections: the kernel waits. */
static void case_slow(char **more) {
        int fd = make(0), limited = make(0), slow = make(SOCK_NONBLOCK);
        struct timeval t = { .tv_usec = 200000 };
        struct itimerval timer = { .it_value.tv_usec = 200000 };
        struct sigaction action = { .sa_handler = on_signal };

        (void) more;
        setsockopt(limited, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
        printf("%s", go(limited));
        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &timer, NULL);
        printf(" %s", go(fd));
        printf(" %s", go(slow));
        printf(" %s", go(slow));
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        printf(" %d\n", poll(&p, 1, 0)); /* it goes on connecting */
}

/* SA_RESTART: the call begins again, for the same connection. */
static void case_restart(char **more) {
        int fd = make(0);
        struct itimerval timer = { .it_value.tv_usec = 100000, .it_interval.tv_usec = 100000 };
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

        (void) more;
        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &timer, NULL);
        const char *result = go(fd);
        setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
        printf("%s %s\n", result, side(fd));
}

/* MORE: address and port of what must not be reached by a socket of the host. */
static void case_again(char **more) {
        int fd = make(0);
        struct sockaddr_storage forbidden;
        socklen_t size;

        resolve(more[0], atoi(more[1]), &forbidden, &size);
        printf("%s", go(fd));
        printf(" %s", go(fd));
        printf(" %s", call(connect(fd, &nowhere, sizeof(nowhere))));
        printf(" %s", call(connect(fd, (struct sockaddr *) &forbidden, size)));
        printf(" %s", go(fd));
        printf(" %s %s\n", side(fd), hear(fd));
}

/* A socket of the host takes no place there, and keeps its tie. */
static void case_place(char **more) {
        int fd = make(0), failed = make(SOCK_NONBLOCK), off = 0;
        struct sockaddr_storage any = { .ss_family = server.ss_family }, refusing = server;
        struct sock_filter all = { .code = 6, .k = -1 };
        struct { unsigned short n; void *p; } program = { 1, &all };

        ((struct sockaddr_in *) &any)->sin_port = htons(atoi(more[0]));
        ((struct sockaddr_in *) &refusing)->sin_port = htons(1);
        printf("%s", go(fd));
        connect(failed, (struct sockaddr *) &refusing, server_size);
        wait_for(failed, POLLOUT);
        error_of(failed);
        printf(" %s", call(bind(failed, (struct sockaddr *) &any, server_size)));
        printf(" %s", call(listen(failed, 1)));
        connect(fd, &nowhere, sizeof(nowhere));
        printf(" %s", call(bind(fd, (struct sockaddr *) &any, server_size)));
        printf(" %s", call(listen(fd, 1)));
        printf(" %s", call(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof(off))));
        printf(" %s", call(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &off, sizeof(off))));
        printf(" %s\n", call(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program))));
}

/* Data before an answer, and calls that no filter sees. */
static void case_early(char **more) {
        int fd = make(0), on = 1;
        struct iovec iov = { "early\n", 6 };
        struct mmsghdr message = { .msg_hdr = { .msg_name = &server, .msg_namelen = server_size, .msg_iov = &iov, .msg_iovlen = 1 } };
        char room[128] = { 0 };

        (void) more;
        printf("%s", call(sendto(fd, "early\n", 6, MSG_FASTOPEN, (struct sockaddr *) &server, server_size)));
        printf(" %s", call(sendmsg(fd, &message.msg_hdr, MSG_FASTOPEN)));
        printf(" %s", call(sendmmsg(fd, &message, 1, MSG_FASTOPEN)));
        printf(" %s", call(setsockopt(fd, IPPROTO_TCP, 30 /* TCP_FASTOPEN_CONNECT */, &on, sizeof(on))));
        printf(" %s", call(setsockopt(fd, IPPROTO_TCP, 34 /* TCP_FASTOPEN_NO_COOKIE */, &on, sizeof(on))));
        printf(" %s", call(syscall(425, 8, room))); /* io_uring_setup */
#ifdef __x86_64__
        {
                /* the 32-bit table: socketcall(SYS_SOCKET), with arguments below 4 GiB */
                long r, nr = 102;
                uint32_t *arguments = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

                arguments[0] = AF_INET;
                arguments[1] = SOCK_STREAM;
                arguments[2] = 0;
                __asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(1L), "c"(arguments) : "memory", "r8", "r9", "r10", "r11");
                printf(" %s", name(r < 0 ? (int) -r : 0));
                /* sendto() of it */
                memcpy(arguments, &server, server_size);
                nr = 369;
                register long flags __asm__("rsi") = MSG_FASTOPEN;
                __asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"((long) fd), "c"(arguments), "d"(2L), "r"(flags), "D"(arguments)
                                 : "memory", "r8", "r9", "r10", "r11");
                printf(" %s", name(r < 0 ? (int) -r : 0));
        }
#else
        printf(" ENOSYS EOPNOTSUPP");
#endif
        printf(" %s\n", side(fd));
}

static int raced_fd, local_fd, host_fd;
static _Alignas(64) unsigned char raced_address[128];
static unsigned char outer[128], local[128];
static volatile int stop_race;

static void *race(void *unused) {
        (void) unused;
        while (!stop_race) { /* what is looked at is one thing, what is used another */
                memcpy(raced_address, local, sizeof(local));
                dup2(local_fd, raced_fd);
                memcpy(raced_address, outer, sizeof(outer));
                dup2(host_fd, raced_fd);
        }
        return NULL;
}

/* MORE: address and port of what must not be reached, rounds. Two threads exchange descriptor and address under connect(2), so that the kernel
 * goes on with a call that was looked at as another; any answer heard from there is a way out. */
static void case_race(char **more) {
        int rounds = atoi(more[2]), through = 0, won = 0;
        struct sockaddr_storage forbidden;
        struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/nonexistent" };
        socklen_t size;
        pthread_t thread;

        resolve(more[0], atoi(more[1]), &forbidden, &size);
        memcpy(outer, &forbidden, size);
        memcpy(local, &un, sizeof(un));
        local_fd = socket(AF_UNIX, SOCK_STREAM, 0);
        host_fd = make(0);
        raced_fd = dup(local_fd);
        if (strcmp(go(host_fd), "ok") || strcmp(side(host_fd), "host")) {
                puts("not connected");
                return;
        }
        fcntl(host_fd, F_SETFL, O_NONBLOCK);
        connect(host_fd, &nowhere, sizeof(nowhere));
        pthread_create(&thread, NULL, race, NULL);
        for (int i = 0; i < rounds; i++) {
                int r = connect(raced_fd, (struct sockaddr *) raced_address, sizeof(un));

                if (get(host_fd, IPPROTO_TCP, TCP_INFO) != -1) { /* the state is its first byte */
                        struct tcp_info info = { 0 };
                        socklen_t n = sizeof(info);

                        getsockopt(host_fd, IPPROTO_TCP, TCP_INFO, &info, &n);
                        if (info.tcpi_state == TCP_SYN_SENT)
                                won++;
                        if (info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT)
                                through++;
                        if (info.tcpi_state != TCP_CLOSE)
                                connect(host_fd, &nowhere, sizeof(nowhere));
                }
                (void) r;
        }
        stop_race = 1;
        pthread_join(thread, NULL);
        printf("through %d\n", through);
        fprintf(stderr, "# the race was won %d times in %d rounds: segments without an answer\n", won, rounds);
}

/* As many connections as asked for, one after the other; microseconds for each. */
static void case_rate(char **more) {
        int n = atoi(more[0]);
        struct timespec a, b;

        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int i = 0; i < n; i++) {
                int fd = make(0);
                char c;

                if (connect(fd, (struct sockaddr *) &server, server_size) < 0 || read(fd, &c, 1) != 1) {
                        perror("rate");
                        return;
                }
                close(fd);
        }
        clock_gettime(CLOCK_MONOTONIC, &b);
        printf("%.1f\n", ((b.tv_sec - a.tv_sec) * 1e6 + (b.tv_nsec - a.tv_nsec) / 1e3) / n);
}

/* A descriptor that another process was given is as tied. */
static void case_passed(char **more) {
        int fd = make(0), pair[2], got = -1;
        struct sockaddr_storage forbidden;
        socklen_t size;
        union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int))]; } control = { 0 };
        struct iovec iov = { "x", 1 };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

        resolve(more[0], atoi(more[1]), &forbidden, &size);
        printf("%s", go(fd));
        fflush(stdout);
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        if (fork() == 0) {
                char byte;
                iov.iov_base = &byte;
                recvmsg(pair[1], &m, 0);
                memcpy(&got, CMSG_DATA(&control.h), sizeof(got));
                printf(" %s", side(got));
                printf(" %s", call(connect(got, &nowhere, sizeof(nowhere))));
                printf(" %s\n", call(connect(got, (struct sockaddr *) &forbidden, size)));
                exit(0);
        }
        control.h = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
        memcpy(CMSG_DATA(&control.h), &fd, sizeof(fd));
        sendmsg(pair[0], &m, 0);
        wait(NULL);
}

/* A thread of a process whose first thread has ended, with a table of its own. */
static void *from_thread(void *data) {
        int fd = make(0);

        (void) data;
        unshare(CLONE_FILES);
        fd = dup2(fd, 50);
        close(fd == 50 ? 3 : 50);
        const char *result = go(50);
        printf("%s %s\n", result, hear(50));
        return NULL;
}

static void case_thread(char **more) {
        pthread_t thread;

        (void) more;
        pthread_create(&thread, NULL, from_thread, NULL);
        pthread_join(thread, NULL);
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                void (*run)(char **more);
                int more;
        } cases[] = {
                { "plain", case_plain, 0 },     { "nonblock", case_nonblock, 0 }, { "refused", case_refused, 0 }, { "options", case_options, 0 },
                { "epoll", case_epoll, 0 },     { "kept", case_kept, 0 },         { "slow", case_slow, 0 },       { "restart", case_restart, 0 },
                { "again", case_again, 2 },     { "place", case_place, 1 },       { "early", case_early, 0 },     { "race", case_race, 3 },
                { "passed", case_passed, 2 },   { "thread", case_thread, 0 },     { "rate", case_rate, 1 },
        };

        if (argc < 4)
                return 2;
        resolve(argv[2], atoi(argv[3]), &server, &server_size);
        for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                if (!strcmp(cases[i].name, argv[1]) && argc >= 4 + cases[i].more) {
                        cases[i].run(argv + 4);
                        return 0;
                }
        return 2;
}
