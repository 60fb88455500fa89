/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a conversation, for network-matrix.sh; static, so that it runs in any image.
 *
 *   talk serve [4|6] FIRST-LAST          TCP and UDP, IPv4 and IPv6 (or only one), until killed
 *   talk send ADDRESS PORT BYTES         by TCP: sends, closes its side, prints what the server says of it
 *   talk get ADDRESS PORT BYTES          by TCP: asks for as much, checks it, prints
 *   talk udp ADDRESS PORT BYTES          one datagram there, one of the same size back
 *   talk hold ADDRESS PORT COUNT         opens as many TCP connections at once, prints how many there are after a while, and keeps them
 *
 * The answer is "PEER PORT BYTES ok", with the client's address and the port as the server sees them; "bad" where the bytes are not
 * those that were sent. An error is its name in one word. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_MSEC = 5000, TRIES = 5, SOCKETS_MAX = 64, HOLD_MSEC = 500 };

static unsigned char data[65536];

static unsigned char byte_at(size_t i) {
        return (unsigned char) (i * 131 + (i >> 8) * 7);
}

static void fill(size_t from, size_t n) {
        for (size_t i = 0; i < n; i++)
                data[i] = byte_at(from + i);
}

static int is_right(size_t from, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (data[i] != byte_at(from + i))
                        return 0;
        return 1;
}

static int fail(void) {
        const char *name = errno == EAGAIN ? "timeout" : strerrorname_np(errno);

        puts(name ? name : "error");
        return 1;
}

static socklen_t parse(const char *address, int port, struct sockaddr_storage *ret) {
        struct sockaddr_in *in = (struct sockaddr_in *) ret;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) ret;

        memset(ret, 0, sizeof(*ret));
        if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
                in->sin_family = AF_INET;
                in->sin_port = htons((unsigned short) port);
                return sizeof(*in);
        }
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((unsigned short) port);
        return inet_pton(AF_INET6, address, &in6->sin6_addr) == 1 ? sizeof(*in6) : 0;
}

static int describe(const struct sockaddr_storage *peer, int port, size_t bytes, int right, char *text, size_t room) {
        char name[64] = "?";

        if (peer->ss_family == AF_INET)
                inet_ntop(AF_INET, &((struct sockaddr_in *) peer)->sin_addr, name, sizeof(name));
        else
                inet_ntop(AF_INET6, &((struct sockaddr_in6 *) peer)->sin6_addr, name, sizeof(name));
        return snprintf(text, room, "%s %d %zu %s", name, port, bytes, right ? "ok" : "bad");
}

/* ---- the server ---- */

static void serve_stream(int fd, const struct sockaddr_storage *peer, int port) {
        char head[32] = "", text[128];
        size_t n_head = 0, n = 0;
        int right = 1;
        ssize_t k;

        while (n_head < sizeof(head) - 1 && read(fd, head + n_head, 1) == 1 && head[n_head] != '\n')
                n_head++;
        head[n_head] = 0;
        if (head[0] == 'G') {
                for (size_t size = (size_t) atoll(head + 1); n < size; n += (size_t) k) {
                        size_t part = size - n < sizeof(data) ? size - n : sizeof(data);

                        fill(n, part);
                        if ((k = write(fd, data, part)) <= 0)
                                _exit(1);
                }
        } else
                for (; (k = read(fd, data, sizeof(data))) > 0; n += (size_t) k)
                        right = right && is_right(n, (size_t) k);
        int length = describe(peer, port, n, right, text, sizeof(text));
        (void) !write(fd, text, (size_t) length);
        shutdown(fd, SHUT_WR);
        (void) !read(fd, data, 1);
}

static int listen_on(const char *address, int port, int type) {
        struct sockaddr_storage here;
        int one = 1, size = 4 * 1024 * 1024;
        socklen_t n = parse(address, port, &here);
        int fd = socket(here.ss_family, type, 0);

        if (fd < 0)
                return -1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        if (here.ss_family == AF_INET6)
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
        if (bind(fd, (struct sockaddr *) &here, n) < 0 || (type == SOCK_STREAM && listen(fd, 128) < 0)) {
                close(fd);
                return -1;
        }
        return fd;
}

static void serve_one(int fd, int port, int is_stream) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof(peer);
        char text[128];

        if (is_stream) {
                int c = accept(fd, (struct sockaddr *) &peer, &size);

                if (c >= 0 && fork() == 0) {
                        serve_stream(c, &peer, port);
                        _exit(0);
                }
                close(c);
                return;
        }
        ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *) &peer, &size);
        if (n < 0)
                return;
        int length = describe(&peer, port, (size_t) n, is_right(0, (size_t) n), text, sizeof(text)) + 1;
        fill(0, sizeof(data));
        memcpy(data, text, (size_t) length < (size_t) n ? (size_t) length : (size_t) n);
        sendto(fd, data, (size_t) n, 0, (struct sockaddr *) &peer, size);
}

static int serve(const char *families, const char *range) {
        static const char *const addresses[] = { "0.0.0.0", "::" };
        struct pollfd fds[SOCKETS_MAX];
        int ports[SOCKETS_MAX], streams[SOCKETS_MAX], n = 0, first = atoi(range);
        int last = strchr(range, '-') ? atoi(strchr(range, '-') + 1) : first;

        signal(SIGCHLD, SIG_IGN);
        for (int port = first; port <= last; port++)
                for (int i = 0; i < 4 && n < SOCKETS_MAX; i++) {
                        if (!strchr(families, i / 2 ? '6' : '4'))
                                continue;
                        ports[n] = port;
                        streams[n] = i % 2;
                        fds[n].fd = listen_on(addresses[i / 2], port, i % 2 ? SOCK_STREAM : SOCK_DGRAM);
                        fds[n].events = POLLIN;
                        if (fds[n++].fd < 0)
                                return fail();
                }
        puts("listening");
        fflush(stdout);
        while (poll(fds, (nfds_t) n, -1) >= 0)
                for (int i = 0; i < n; i++)
                        if (fds[i].revents)
                                serve_one(fds[i].fd, ports[i], streams[i]);
        return fail();
}

/* ---- the clients ---- */

static int dial(const char *address, const char *port, int type) {
        struct timeval patience = { .tv_sec = TIMEOUT_MSEC / 1000 };
        struct sockaddr_storage to;
        socklen_t size = parse(address, atoi(port), &to);
        int fd = socket(to.ss_family, type, 0);

        if (fd < 0)
                return -1;
        if (type == SOCK_DGRAM)
                patience = (struct timeval){ .tv_usec = 500000 };
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        return connect(fd, (struct sockaddr *) &to, size) < 0 ? -1 : fd;
}

static int send_stream(const char *address, const char *port, size_t size) {
        int fd = dial(address, port, SOCK_STREAM);
        char text[129];
        ssize_t k;

        if (fd < 0 || write(fd, "S\n", 2) != 2)
                return fail();
        for (size_t n = 0; n < size; n += (size_t) k) {
                size_t part = size - n < sizeof(data) ? size - n : sizeof(data);

                fill(n, part);
                if ((k = write(fd, data, part)) <= 0)
                        return fail();
        }
        shutdown(fd, SHUT_WR);
        if ((k = recv(fd, text, sizeof(text) - 1, MSG_WAITALL)) <= 0) {
                errno = k == 0 ? ECONNABORTED : errno;
                return fail();
        }
        text[k] = 0;
        puts(text);
        return 0;
}

static int get_stream(const char *address, const char *port, size_t size) {
        int fd = dial(address, port, SOCK_STREAM), right = 1;
        char text[129];
        ssize_t k;

        snprintf(text, sizeof(text), "G%zu\n", size);
        if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t) strlen(text))
                return fail();
        for (size_t n = 0; n < size; n += (size_t) k) {
                size_t part = size - n < sizeof(data) ? size - n : sizeof(data);

                if ((k = read(fd, data, part)) <= 0) {
                        errno = k == 0 ? ECONNABORTED : errno;
                        return fail();
                }
                right = right && is_right(n, (size_t) k);
        }
        if ((k = recv(fd, text, sizeof(text) - 1, MSG_WAITALL)) <= 0)
                return fail();
        text[k] = 0;
        puts(right ? text : "bad");
        return !right;
}

static int ask_datagram(const char *address, const char *port, size_t size) {
        int fd = dial(address, port, SOCK_DGRAM);

        if (fd < 0)
                return fail();
        for (int i = 0; i < TRIES; i++) {
                fill(0, size);
                if (send(fd, data, size, 0) != (ssize_t) size)
                        return fail();
                ssize_t k = recv(fd, data, sizeof(data), 0);
                if (k < 0 && errno == EAGAIN)
                        continue;
                if (k < 0)
                        return fail();
                size_t head = strnlen((char *) data, (size_t) k);
                int right = k == (ssize_t) size;
                for (size_t at = head + 1; at < (size_t) k; at++)
                        right = right && data[at] == byte_at(at);
                printf("%.*s%s\n", (int) head, (char *) data, right ? "" : " bad");
                return !right;
        }
        errno = EAGAIN;
        return fail();
}

static int hold(const char *address, const char *port, int count) {
        struct sockaddr_storage to;
        socklen_t size = parse(address, atoi(port), &to), error_size = sizeof(int);
        struct pollfd *fds = calloc((size_t) count, sizeof(*fds));
        int n = 0, error;

        for (int i = 0; i < count; i++) {
                fds[i] = (struct pollfd){ .fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0), .events = POLLOUT };
                if (fds[i].fd < 0 || (connect(fds[i].fd, (struct sockaddr *) &to, size) < 0 && errno != EINPROGRESS))
                        return fail();
        }
        usleep(HOLD_MSEC * 1000);
        poll(fds, (nfds_t) count, 0);
        for (int i = 0; i < count; i++)
                n += fds[i].revents == POLLOUT && getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 && error == 0;
        printf("%d held\n", n);
        fflush(stdout);
        pause();
        return 0;
}

int main(int argc, char **argv) {
        signal(SIGPIPE, SIG_IGN);
        if (argc >= 3 && strcmp(argv[1], "serve") == 0)
                return argc > 3 ? serve(argv[2], argv[3]) : serve("46", argv[2]);
        if (argc == 5 && strcmp(argv[1], "send") == 0)
                return send_stream(argv[2], argv[3], (size_t) atoll(argv[4]));
        if (argc == 5 && strcmp(argv[1], "get") == 0)
                return get_stream(argv[2], argv[3], (size_t) atoll(argv[4]));
        if (argc == 5 && strcmp(argv[1], "udp") == 0)
                return ask_datagram(argv[2], argv[3], (size_t) atoll(argv[4]));
        if (argc == 5 && strcmp(argv[1], "hold") == 0)
                return hold(argv[2], argv[3], atoi(argv[4]));
        fprintf(stderr, "usage: talk serve|send|get|udp|hold ...\n");
        return 2;
}
