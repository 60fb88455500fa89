/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of connections, and the tie that holds a socket to one: tried on the loopback, with real segments. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/test.h"
#include "net/bypass-options.h"
#include "net/bypass-target.h"
#include "net/bypass-wall.h"

static socklen_t make_address(const char *text, uint16_t port, struct sockaddr_storage *ret) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

        *ret = (struct sockaddr_storage){};
        if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
                memcpy(ret, &in, sizeof(in));
                return sizeof(in);
        }
        CHECK_INT(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        memcpy(ret, &in6, sizeof(in6));
        return sizeof(in6);
}

static void parse(const char *text, uint16_t port, BypassTarget *ret) {
        struct sockaddr_storage address;
        socklen_t size = make_address(text, port, &address);

        CHECK_INT(bypass_target_parse(&address, size, ret), 0);
}

TEST(addresses_are_parsed) {
        struct sockaddr_storage address;
        BypassTarget t;

        parse("192.0.2.1", 80, &t);
        CHECK(t.ipv4);
        CHECK_INT(t.port, 80);
        parse("::ffff:192.0.2.1", 80, &t);
        CHECK(t.ipv4);
        CHECK_INT(t.family, AF_INET6);
        CHECK_INT(ntohl(t.address4.s_addr), 0xc0000201);
        parse("2001:db8::1", 80, &t);
        CHECK(!t.ipv4);
        for (socklen_t size = 0; size < 16; size++) {
                (void) make_address("192.0.2.1", 80, &address);
                CHECK(bypass_target_parse(&address, size, &t) < 0);
        }
        for (socklen_t size = 2; size < 28; size++) {
                (void) make_address("2001:db8::1", 80, &address);
                CHECK_INT(bypass_target_parse(&address, size, &t), -EINVAL);
        }
        address.ss_family = AF_UNIX;
        CHECK_INT(bypass_target_parse(&address, sizeof(address), &t), -EAFNOSUPPORT);
        address.ss_family = AF_UNSPEC;
        CHECK_INT(bypass_target_parse(&address, sizeof(address), &t), -EAFNOSUPPORT);
}

TEST(a_scope_is_not_kept) {
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_scope_id = 1, .sin6_port = 1 };
        BypassTarget t;

        CHECK_INT(bypass_target_parse(&in6, sizeof(in6), &t), -EADDRNOTAVAIL);
}

TEST(what_may_be_reached) {
        static const struct {
                const char *address;
                bool allowed;
        } table[] = {
                { "192.0.2.1", true },          { "10.1.2.3", true },          { "2001:db8::1", true },
                { "::ffff:192.0.2.1", true },   { "127.0.0.1", false },        { "127.1.2.3", false },
                { "0.0.0.0", false },           { "0.1.2.3", false },          { "169.254.169.254", false },
                { "224.0.0.1", false },         { "240.0.0.1", false },        { "255.255.255.255", false },
                { "::", false },                { "::1", false },              { "fe80::1", false },
                { "fec0::1", false },           { "ff02::1", false },          { "::ffff:127.0.0.1", false },
                { "::ffff:0.0.0.0", false },    { "::ffff:169.254.1.1", false }, { "::127.0.0.1", false },
        };
        BypassTarget t;

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                for (uint16_t port = 53; port <= 80; port += 27) { /* a name server's port opens nothing */
                        parse(table[i].address, port, &t);
                        if (bypass_target_may_be_reached(&t) != table[i].allowed)
                                test_note("%s port %u", table[i].address, port);
                        CHECK_INT(bypass_target_may_be_reached(&t), table[i].allowed);
                }
        parse("192.0.2.1", 0, &t);
        CHECK(!bypass_target_may_be_reached(&t));
}

/* A listening socket on the loopback of the family; its port. */
static int serve(const char *text, uint16_t *ret_port) {
        struct sockaddr_storage address;
        socklen_t size = make_address(text, 0, &address);
        int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *) &address, size) < 0 || listen(fd, 8) < 0)
                SKIP("there is no such loopback address here");
        CHECK(getsockname(fd, (struct sockaddr *) &address, &size) >= 0);
        struct sockaddr_in in;
        memcpy(&in, &address, sizeof(in));
        *ret_port = ntohs(in.sin_port); /* at the same place in both */
        return fd;
}

/* Connects without waiting for more than the loopback needs. 1: connected; 0: no answer; -errno. */
static int try(int fd, const char *text, uint16_t port, int patience) {
        struct sockaddr_storage address;
        socklen_t size = make_address(text, port, &address);
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        int error = 0;
        socklen_t error_size = sizeof(error);

        if (connect(fd, (struct sockaddr *) &address, size) < 0 && errno != EINPROGRESS)
                return -errno;
        if (poll(&p, 1, patience) == 0)
                return 0;
        CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) >= 0);
        return error ? -error : 1;
}

enum { SHORT = 150, LONG = 5000 };

static void tie(const BypassTarget *target, int fd) {
        int r = bypass_target_tie(target, fd);

        if (r == -EPERM)
                SKIP("this kernel lets nobody but an administrator filter a TCP socket");
        CHECK_INT(r, 0);
}

static void check_tie(const char *own, const char *other, int family) {
        const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
        uint16_t port, other_port;
        BypassTarget target;
        int off = 0;
        char byte;

        _cleanup_fd_ int server = serve(own, &port), stranger = serve(other, &other_port);
        _cleanup_fd_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), plain = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        parse(own, port, &target);
        tie(&target, fd);
        CHECK_INT(try(plain, other, other_port, LONG), 1); /* without a tie it works */
        CHECK_INT(try(fd, own, port, LONG), 1);
        _cleanup_fd_ int peer = accept4(server, NULL, NULL, SOCK_CLOEXEC);
        CHECK_INT(write(peer, "x", 1), 1);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        CHECK_INT(poll(&p, 1, LONG), 1);
        CHECK_INT(read(fd, &byte, 1), 1);
        CHECK_INT(connect(fd, &nowhere, sizeof(nowhere)), 0);
        CHECK_INT(try(fd, other, other_port, SHORT), 0);
        CHECK_INT(connect(fd, &nowhere, sizeof(nowhere)), 0);
        /* and again to the first, unless the kernel has made an IPv4 socket of it in between (tcp_v6_connect()) */
        if (!strncmp(own, "::ffff:", 7) == !strncmp(other, "::ffff:", 7))
                CHECK_INT(try(fd, own, port, LONG), 1);
        /* nobody gets rid of it */
        CHECK(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof(off)) < 0 && errno == EPERM);
        CHECK(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &off, sizeof(off)) < 0 && errno == EPERM);
        CHECK_INT(bypass_target_tie(&target, fd), -EPERM);
}

TEST(a_socket_is_tied_to_its_peer) {
        check_tie("127.0.0.1", "127.0.0.2", AF_INET);
        check_tie("127.0.0.1", "127.0.0.1", AF_INET); /* another port */
}

TEST(a_socket_of_ipv6_is_tied_to_its_peer) {
        check_tie("::1", "::1", AF_INET6);
        check_tie("::ffff:127.0.0.1", "::1", AF_INET6);
        check_tie("::1", "::ffff:127.0.0.1", AF_INET6);
        check_tie("::ffff:127.0.0.1", "::ffff:127.0.0.2", AF_INET6);
}

TEST(a_tied_socket_that_listens_accepts_nobody) {
        const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(in);
        uint16_t port;
        BypassTarget target;

        _cleanup_fd_ int server = serve("127.0.0.1", &port);
        _cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        parse("127.0.0.1", port, &target);
        tie(&target, fd);
        CHECK_INT(try(fd, "127.0.0.1", port, LONG), 1);
        CHECK_INT(connect(fd, &nowhere, sizeof(nowhere)), 0);
        CHECK(bind(fd, (struct sockaddr *) &in, sizeof(in)) >= 0 && listen(fd, 1) >= 0 && getsockname(fd, (struct sockaddr *) &in, &size) >= 0);
        CHECK_INT(try(client, "127.0.0.1", ntohs(in.sin_port), SHORT), 0);
}

TEST(a_mark_stays) {
        _cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int off = 0, found = 0;
        socklen_t size = sizeof(found);

        CHECK_INT(bypass_target_mark(fd), 0);
        CHECK(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &off, sizeof(off)) < 0 && errno == EPERM);
        CHECK(getsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &found, &size) >= 0);
        CHECK_INT(found, 1);
}

/* In a child, which stays under it. */
static int under_the_wall(void) {
        const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(1), .sin6_addr = in6addr_loopback };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0),
            udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || bypass_wall_raise() < 0)
                return 77;
        if (connect(fd, (struct sockaddr *) &in, sizeof(in)) >= 0 || errno != EACCES)
                return 1;
        if (connect(fd6, (struct sockaddr *) &in6, sizeof(in6)) >= 0 || (errno != EACCES && errno != EADDRNOTAVAIL))
                return 2;
        in.sin_port = 0;
        if (bind(fd, (struct sockaddr *) &in, sizeof(in)) >= 0 || errno != EACCES)
                return 3;
        if (connect(fd, &nowhere, sizeof(nowhere)) < 0)
                return 4;
        in.sin_port = htons(1);
        return connect(udp, (struct sockaddr *) &in, sizeof(in)) < 0 ? 5 : 0; /* not its business */
}

TEST(the_wall_of_landlock) {
        int status = 0;

        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
                _exit(under_the_wall());
        CHECK_INT(waitpid(pid, &status, 0), pid);
        if (WEXITSTATUS(status) == 77)
                SKIP("this kernel has no Landlock for the network");
        CHECK_INT(status, 0);
}

TEST(options_go_over) {
        _cleanup_fd_ int fresh = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                         to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        static const struct {
                int level, name, value, found;
        } table[] = {
                { IPPROTO_TCP, TCP_NODELAY, 1, 1 },   { SOL_SOCKET, SO_KEEPALIVE, 1, 1 },    { IPPROTO_TCP, TCP_KEEPIDLE, 17, 17 },
                { IPPROTO_IP, IP_TTL, 9, 9 },         { SOL_SOCKET, SO_RCVBUF, 65536, 131072 }, { IPPROTO_TCP, TCP_USER_TIMEOUT, 500, 500 },
                { IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096, 4096 },
        };
        struct linger linger = { .l_onoff = 1, .l_linger = 3 }, found_linger = {};
        socklen_t size = sizeof(linger);
        BypassDefaults defaults;
        int value;

        bypass_options_read(fresh, &defaults);
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                CHECK_INT(setsockopt(from, table[i].level, table[i].name, &table[i].value, sizeof(int)), 0);
        CHECK_INT(setsockopt(from, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
        CHECK_INT(bypass_options_copy(&defaults, from, to, AF_INET), 0);
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                socklen_t int_size = sizeof(value);
                CHECK_INT(getsockopt(to, table[i].level, table[i].name, &value, &int_size), 0);
                CHECK_INT(value, table[i].found);
        }
        CHECK_INT(getsockopt(to, SOL_SOCKET, SO_LINGER, &found_linger, &size), 0);
        CHECK_INT(found_linger.l_linger, 3);
        value = 1;
        CHECK_INT(setsockopt(from, SOL_SOCKET, SO_DONTROUTE, &value, sizeof(value)), 0);
        CHECK_INT(bypass_options_copy(&defaults, from, to, AF_INET), -EOPNOTSUPP);
}
