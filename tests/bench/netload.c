/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of the network benchmarks (network.py), static, so that it runs in any image.
 *
 *   netload serve PORT [ADDRESS]              TCP and UDP, until killed
 *   netload tcp ADDRESS PORT S|G N MSEC       Gbit/s of N streams that we send (S) or get (G), as the receiver counted
 *   netload connect ADDRESS PORT N MSEC       connections a second, N at a time: connect, a byte there, a byte back, close; at most
 *                                             a thousand each, as every one keeps a port busy for a minute
 *   netload request ADDRESS PORT COUNT [CPU CPU]
 *                                             median and 99th percentile of the time of a small request, in microseconds; with us and
 *                                             the server each on a processor of its own
 *   netload udp ADDRESS PORT MBIT SIZE MSEC   percent lost at this rate, and Mbit/s that came through
 *   netload wait ADDRESS PORT                 until there is an answer
 *   netload names PREFIX N PORT FIRST COUNT   how many of PREFIX0 to PREFIX(N-1) have an address of their own; and how many of COUNT of
 *                                             these, from FIRST on and around, have a server there. More at once than the kernel's
 *                                             table of neighbours holds (gc_thresh3, 1024 for all namespaces) cannot be reached.
 *
 * The first byte of a connection says what the server does with it: S takes everything and then says how much it was, G sends
 * until the other side closes, E sends back what comes, a digit does so on that processor, C sends one byte and closes. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024, CONNECTIONS = 4096, REQUEST = 64, STREAMS_MAX = 64, ANY_CPU = -1 };

static char buffer[BUFFER];

static uint64_t now_usec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static void die(const char *what) {
        perror(what);
        exit(1);
}

static socklen_t parse(const char *address, const char *port, struct sockaddr_storage *ret) {
        struct sockaddr_in *in = (struct sockaddr_in *) ret;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) ret;

        memset(ret, 0, sizeof(*ret));
        if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
                in->sin_family = AF_INET;
                in->sin_port = htons((uint16_t) atoi(port));
                return sizeof(*in);
        }
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t) atoi(port));
        return inet_pton(AF_INET6, address, &in6->sin6_addr) == 1 ? sizeof(*in6) : 0;
}

static int open_socket(const char *address, const char *port, int type, int (*attach)(int, const struct sockaddr *, socklen_t)) {
        struct sockaddr_storage to;
        int one = 1;
        socklen_t size = parse(address, port, &to);
        int fd = socket(to.ss_family, type, 0);

        if (fd < 0)
                return -1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (type == SOCK_STREAM)
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (attach(fd, (struct sockaddr *) &to, size) < 0) {
                close(fd);
                return -1;
        }
        return fd;
}

static int is_cpu(char what) {
        return what >= '0' && what <= '9';
}

static void run_on(int cpu) {
        cpu_set_t set;

        CPU_ZERO(&set);
        for (int i = 0; i < CPU_SETSIZE; i++)
                if (cpu == ANY_CPU || cpu == i)
                        CPU_SET(i, &set);
        if (sched_setaffinity(0, sizeof(set), &set) < 0)
                die("netload: sched_setaffinity");
}

/* ---- the server ---- */

static char kind[CONNECTIONS];
static uint64_t taken[CONNECTIONS];
static int epoll_fd;

static void watch(int fd, uint32_t events, int how) {
        struct epoll_event e = { .events = events, .data.fd = fd };

        epoll_ctl(epoll_fd, how, fd, &e);
}

static void serve_udp(int fd) {
        static uint64_t count, bytes;
        struct sockaddr_storage from;
        char text[64];

        for (;;) {
                socklen_t size = sizeof(from);
                ssize_t n = recvfrom(fd, buffer, sizeof(buffer), MSG_DONTWAIT, (struct sockaddr *) &from, &size);

                if (n < 1)
                        return;
                if (buffer[0] == 'D') {
                        count++;
                        bytes += (uint64_t) n;
                        continue;
                }
                int length = snprintf(text, sizeof(text), "%llu %llu", (unsigned long long) count, (unsigned long long) bytes);
                sendto(fd, text, (size_t) length, 0, (struct sockaddr *) &from, size);
                if (buffer[0] == 'R')
                        count = bytes = 0;
        }
}

static void accept_all(int fd) {
        int one = 1, c;

        while ((c = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                if (c >= CONNECTIONS) {
                        close(c);
                        continue;
                }
                setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                kind[c] = 0;
                taken[c] = 0;
                watch(c, EPOLLIN, EPOLL_CTL_ADD);
        }
}

/* Returns false when the connection is over. */
static int serve_tcp(int fd, uint32_t events) {
        if (kind[fd] == 'G' && (events & EPOLLOUT))
                return write(fd, buffer, sizeof(buffer)) >= 0 || errno == EAGAIN;
        ssize_t n = read(fd, buffer, kind[fd] ? sizeof(buffer) : 1);
        if (n < 0)
                return errno == EAGAIN;
        if (n == 0 && kind[fd] == 'S')
                (void) !write(fd, &taken[fd], sizeof(taken[fd]));
        if (n == 0 && is_cpu(kind[fd]))
                run_on(ANY_CPU);
        if (n == 0)
                return 0;
        if (!kind[fd]) {
                kind[fd] = buffer[0];
                if (is_cpu(kind[fd]))
                        run_on(kind[fd] - '0');
                if (kind[fd] == 'C')
                        return write(fd, "C", 1) != 1;
                if (kind[fd] == 'G')
                        watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
                return 1;
        }
        taken[fd] += (uint64_t) n;
        return (kind[fd] != 'E' && !is_cpu(kind[fd])) || write(fd, buffer, (size_t) n) == n;
}

__attribute__((noreturn)) static void serve(const char *port, const char *address) {
        int tcp = open_socket(address, port, SOCK_STREAM | SOCK_NONBLOCK, bind), udp = open_socket(address, port, SOCK_DGRAM, bind);
        int size = 8 * 1024 * 1024;
        struct epoll_event events[64];

        if (tcp < 0 || udp < 0 || listen(tcp, 1024) < 0)
                die("netload: serve");
        setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        watch(tcp, EPOLLIN, EPOLL_CTL_ADD);
        watch(udp, EPOLLIN, EPOLL_CTL_ADD);
        for (;;) {
                int n = epoll_wait(epoll_fd, events, 64, -1);

                for (int i = 0; i < n; i++) {
                        int fd = events[i].data.fd;

                        if (fd == tcp)
                                accept_all(fd);
                        else if (fd == udp)
                                serve_udp(fd);
                        else if (!serve_tcp(fd, events[i].events))
                                close(fd);
                }
        }
}

/* ---- the clients ---- */

static int dial(const char *address, const char *port, char what) {
        int fd = open_socket(address, port, SOCK_STREAM, connect);

        if (fd >= 0 && write(fd, &what, 1) != 1) {
                close(fd);
                return -1;
        }
        return fd;
}

static int run_tcp(const char *address, const char *port, char what, int n, uint64_t msec) {
        struct pollfd fds[STREAMS_MAX];
        uint64_t bytes = 0, start;

        if (n > STREAMS_MAX)
                return 2;
        for (int i = 0; i < n; i++) {
                fds[i] = (struct pollfd){ .fd = dial(address, port, what), .events = what == 'S' ? POLLOUT : POLLIN };
                if (fds[i].fd < 0)
                        die("netload: connect");
        }
        start = now_usec();
        while (now_usec() - start < msec * 1000) {
                if (poll(fds, (nfds_t) n, 1000) < 0)
                        die("netload: poll");
                for (int i = 0; i < n; i++) {
                        if (!fds[i].revents)
                                continue;
                        ssize_t k = what == 'S' ? send(fds[i].fd, buffer, sizeof(buffer), MSG_DONTWAIT)
                                                : recv(fds[i].fd, buffer, sizeof(buffer), MSG_DONTWAIT);
                        if (k == 0 || (k < 0 && errno != EAGAIN))
                                die("netload: the stream broke");
                        bytes += what == 'G' && k > 0 ? (uint64_t) k : 0;
                }
        }
        for (int i = 0; i < n && what == 'S'; i++) {
                uint64_t count;

                shutdown(fds[i].fd, SHUT_WR);
                if (recv(fds[i].fd, &count, sizeof(count), MSG_WAITALL) != sizeof(count))
                        die("netload: no count");
                bytes += count;
        }
        printf("%.4f\n", (double) bytes * 8 / 1000 / (double) (now_usec() - start));
        return 0;
}

static int run_connect(const char *address, const char *port, int n, uint64_t msec) {
        uint64_t *counts = mmap(NULL, sizeof(*counts) * (size_t) n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        uint64_t start = now_usec(), sum = 0;
        int status, failed = 0;

        for (int i = 0; i < n; i++) {
                if (fork() != 0)
                        continue;
                while (now_usec() - start < msec * 1000 && counts[i] < 1000) {
                        char c;
                        int fd = dial(address, port, 'C');

                        if (fd < 0 || read(fd, &c, 1) != 1)
                                die("netload: connect");
                        (void) !read(fd, &c, 1); /* the server closes first: the waiting is on its side */
                        close(fd);
                        counts[i]++;
                }
                _exit(0);
        }
        while (wait(&status) > 0)
                failed |= status;
        for (int i = 0; i < n; i++)
                sum += counts[i];
        printf("%.1f\n", (double) sum * 1e6 / (double) (now_usec() - start));
        return failed != 0;
}

static int compare(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return x < y ? -1 : x > y;
}

static int run_request(const char *address, const char *port, size_t count, const char *own_cpu, const char *server_cpu) {
        uint64_t *times = calloc(count, sizeof(*times));
        int fd = dial(address, port, server_cpu ? *server_cpu : 'E');

        if (own_cpu)
                run_on(atoi(own_cpu));

        if (fd < 0 || !times)
                die("netload: connect");
        for (size_t i = 0; i < count; i++) {
                struct timespec a, b;

                clock_gettime(CLOCK_MONOTONIC, &a);
                if (send(fd, buffer, REQUEST, 0) != REQUEST || recv(fd, buffer, REQUEST, MSG_WAITALL) != REQUEST)
                        die("netload: request");
                clock_gettime(CLOCK_MONOTONIC, &b);
                times[i] = (uint64_t) ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec);
        }
        qsort(times, count, sizeof(*times), compare);
        printf("%.1f %.1f\n", (double) times[count / 2] / 1000, (double) times[count * 99 / 100] / 1000);
        return 0;
}

static int ask_udp(int fd, const char *what, unsigned long long *ret_count, unsigned long long *ret_bytes) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        char text[65];

        for (int i = 0; i < 20; i++) {
                (void) !send(fd, what, 1, 0);
                if (poll(&p, 1, 250) <= 0)
                        continue;
                ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
                if (n <= 0)
                        continue;
                text[n] = 0;
                return sscanf(text, "%llu %llu", ret_count, ret_bytes) == 2;
        }
        return 0;
}

static int run_udp(const char *address, const char *port, double mbit, size_t size, uint64_t msec) {
        int fd = open_socket(address, port, SOCK_DGRAM, connect);
        unsigned long long count, bytes;
        uint64_t sent = 0;

        if (fd < 0 || size > sizeof(buffer) || !ask_udp(fd, "R", &count, &bytes))
                die("netload: no answer by UDP");
        buffer[0] = 'D';
        uint64_t start = now_usec(), passed;
        while ((passed = now_usec() - start) < msec * 1000) {
                uint64_t due = (uint64_t) (mbit * (double) passed / 8 / (double) size);

                while (sent < due) {
                        (void) !send(fd, buffer, size, 0);
                        sent++;
                }
                usleep(500);
        }
        usleep(200000); /* what is under way arrives */
        if (!ask_udp(fd, "Q", &count, &bytes))
                die("netload: no answer by UDP");
        printf("%.3f %.1f\n", 100.0 * (double) (sent - (count > sent ? sent : count)) / (double) sent, (double) bytes * 8 / (double) passed);
        return 0;
}

static int wait_for(const char *address, const char *port) {
        for (int i = 0; i < 2000; i++) {
                char c;
                int fd = dial(address, port, 'C');

                if (fd >= 0 && read(fd, &c, 1) == 1)
                        return 0;
                if (fd >= 0)
                        close(fd);
                usleep(5000);
        }
        fprintf(stderr, "netload: nobody answers at %s:%s\n", address, port);
        return 1;
}

/* The IPv4 address of a name, by a query (RFC 1035) to the first server of resolv.conf; false: there is none. */
static int resolve(int fd, const char *name, struct in_addr *ret) {
        unsigned char packet[512] = { 7, 7, 1, 0, 0, 1 };
        struct pollfd p = { .fd = fd, .events = POLLIN };
        size_t n = 12, length = strlen(name);

        packet[n++] = (unsigned char) length;
        memcpy(packet + n, name, length + 1);
        n += length + 1;
        memcpy(packet + n, "\0\1\0\1", 4);
        n += 4;
        for (int i = 0; i < 5; i++) {
                unsigned char answer[512];

                if (send(fd, packet, n, 0) < 0 || poll(&p, 1, 2000) <= 0)
                        continue;
                ssize_t got = recv(fd, answer, sizeof(answer), 0);
                /* the answer repeats the question, and then has one record: a pointer to the name, ten bytes, the address */
                if (got < (ssize_t) n + 16 || memcmp(answer + 12, packet + 12, n - 12) != 0)
                        continue;
                if (answer[7] == 0 || answer[n + 11] != 4)
                        return 0;
                memcpy(ret, answer + n + 12, sizeof(*ret));
                return 1;
        }
        return 0;
}

static int reaches(struct in_addr address, const char *port) {
        char text[INET_ADDRSTRLEN], c;

        for (int i = 0; i < 100; i++) {
                int fd = dial(inet_ntop(AF_INET, &address, text, sizeof(text)), port, 'C'), ok = fd >= 0 && read(fd, &c, 1) == 1;

                if (fd >= 0)
                        close(fd);
                if (ok)
                        return 1;
                usleep(100000);
        }
        return 0;
}

static int run_names(const char *prefix, int count, const char *port, int first, int n_reached) {
        struct in_addr *found = calloc((size_t) count, sizeof(*found));
        char line[256], server[64] = "", name[32];
        FILE *f = fopen("/etc/resolv.conf", "r");
        int own = 0, reached = 0;

        while (f && !*server && fgets(line, sizeof(line), f))
                (void) sscanf(line, "nameserver %63s", server);
        int fd = open_socket(server, "53", SOCK_DGRAM, connect);
        if (fd < 0 || !found || strlen(prefix) > 20)
                die("netload: the name server");
        for (int i = 0; i < count; i++) {
                int alone = 1;

                snprintf(name, sizeof(name), "%s%d", prefix, i);
                if (!resolve(fd, name, found + i))
                        continue;
                for (int k = 0; k < i; k++)
                        alone &= found[k].s_addr != found[i].s_addr;
                own += alone;
        }
        for (int i = 0; i < n_reached; i++)
                reached += reaches(found[(first + i) % count], port);
        printf("%d %d\n", own, reached);
        return 0;
}

int main(int argc, char **argv) {
        signal(SIGPIPE, SIG_IGN);
        if (argc >= 3 && strcmp(argv[1], "serve") == 0)
                serve(argv[2], argc > 3 ? argv[3] : "0.0.0.0");
        if (argc == 4 && strcmp(argv[1], "wait") == 0)
                return wait_for(argv[2], argv[3]);
        if (argc == 7 && strcmp(argv[1], "tcp") == 0)
                return run_tcp(argv[2], argv[3], argv[4][0], atoi(argv[5]), (uint64_t) atoll(argv[6]));
        if (argc == 6 && strcmp(argv[1], "connect") == 0)
                return run_connect(argv[2], argv[3], atoi(argv[4]), (uint64_t) atoll(argv[5]));
        if ((argc == 5 || argc == 7) && strcmp(argv[1], "request") == 0)
                return run_request(argv[2], argv[3], (size_t) atoll(argv[4]), argc == 7 ? argv[5] : NULL, argc == 7 ? argv[6] : NULL);
        if (argc == 7 && strcmp(argv[1], "udp") == 0)
                return run_udp(argv[2], argv[3], atof(argv[4]), (size_t) atoll(argv[5]), (uint64_t) atoll(argv[6]));
        if (argc == 7 && strcmp(argv[1], "names") == 0 && atoi(argv[3]) > 0)
                return run_names(argv[2], atoi(argv[3]), argv[4], atoi(argv[5]), atoi(argv[6]));
        fprintf(stderr, "usage: netload serve|tcp|connect|request|udp|wait|names ...\n");
        return 2;
}
