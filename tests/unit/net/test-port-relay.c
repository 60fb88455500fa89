/* SPDX-License-Identifier: Apache-2.0 */
/* The relay between real sockets of this host's loopback, with a connector that makes plain ones and can be told to fail. */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/test.h"
#include "net/local-tcp.h"
#include "net/net-config.h"
#include "net/port-relay.h"
#include "net/port-source.h"
#include "net/slirp-calls.h"

enum { MANY = 300, BIG = 8 * 1024 * 1024, PATIENCE = 20000 };

typedef struct Bed {
        PortRelay *relay;
        pid_t connector;
        int server;             /* listens */
        struct sockaddr_in published;
} Bed;

/* What port_connector_serve() would do, without what needs a namespace. */
static void run_connector(int fd) {
        uint8_t family;

        while (read(fd, &family, 1) == 1) {
                struct {
                        uint8_t family;
                        int32_t error;
                } answer = { .family = family };
                int fds[4];

                for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                        fds[i] = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
                if (io_send_fds(fd, &answer, sizeof(answer), fds, ELEMENTSOF(fds)) < 0)
                        break;
                for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                        (void) close(fds[i]);
        }
        _exit(0);
}

static int listen_on_loopback(struct sockaddr_in *ret, int flags) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

        CHECK(fd >= 0);
        CHECK_INT(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_INT(listen(fd, 1024), 0);
        CHECK_INT(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        *ret = address;
        return fd;
}

static void bed_make(Bed *bed) {
        struct sockaddr_in server;
        int pair[2];

        slirp_calls_allow_loopback(); /* this program has its connect(2) */
        (void) signal(SIGPIPE, SIG_IGN);
        fflush(stdout);
        CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        bed->connector = fork();
        if (bed->connector == 0) {
                (void) close(pair[0]);
                run_connector(pair[1]);
        }
        (void) close(pair[1]);
        CHECK_INT(port_relay_new(pair[0], &bed->relay), 0);
        port_relay_set_namespace(bed->relay, /* ipv6= */ false, /* transparent= */ false);
        bed->server = listen_on_loopback(&server, 0);
        PortTarget target = { .address = server.sin_addr, .port = ntohs(server.sin_port) };
        int fd = listen_on_loopback(&bed->published, SOCK_NONBLOCK);
        CHECK_INT(port_relay_add(bed->relay, fd, 7, &target), 0);
}

static void bed_done(Bed *bed) {
        (void) port_relay_free(bed->relay);
        (void) close(bed->server);
        CHECK_INT(waitpid(bed->connector, NULL, 0), bed->connector); /* it ends by itself */
}

/* Runs the relay until `fd` (of a client or server) has what is asked for. */
static void until(Bed *bed, int fd, short events) {
        for (;;) {
                struct pollfd fds[] = { { .fd = fd, .events = events }, { .fd = port_relay_fd(bed->relay), .events = POLLIN } };
                bool more = port_relay_run(bed->relay, 0);

                CHECK(poll(fds, 2, more ? 0 : PATIENCE) > 0 || more);
                if (fds[0].revents)
                        return;
        }
}

/* Runs it until it has nothing to do. */
static void settle(Bed *bed) {
        struct pollfd fd = { .fd = port_relay_fd(bed->relay), .events = POLLIN };

        while (port_relay_run(bed->relay, 0) || poll(&fd, 1, 0) > 0)
                ;
}

static int client_of(const Bed *bed) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK_INT(connect(fd, (const struct sockaddr *) &bed->published, sizeof(bed->published)), 0);
        return fd;
}

static void pair_of(Bed *bed, int *ret_client, int *ret_server) {
        *ret_client = client_of(bed);
        until(bed, bed->server, POLLIN);
        *ret_server = accept4(bed->server, NULL, NULL, SOCK_CLOEXEC);
        CHECK(*ret_server >= 0);
}

static ssize_t receive(Bed *bed, int fd, void *data, size_t size) {
        until(bed, fd, POLLIN);
        return recv(fd, data, size, MSG_DONTWAIT);
}

TEST(bytes_go_both_ways_and_ends_follow_one_by_one) {
        Bed bed;
        int client, server;
        char data[16];

        bed_make(&bed);
        pair_of(&bed, &client, &server);
        CHECK_INT(send(client, "ping", 4, 0), 4);
        CHECK_INT(receive(&bed, server, data, sizeof(data)), 4);
        CHECK_INT(shutdown(client, SHUT_WR), 0);
        CHECK_INT(receive(&bed, server, data, sizeof(data)), 0);
        /* the other way is still open */
        CHECK_INT(send(server, "answer", 6, 0), 6);
        CHECK_INT(receive(&bed, client, data, sizeof(data)), 6);
        CHECK_INT(close(server), 0);
        CHECK_INT(receive(&bed, client, data, sizeof(data)), 0);
        CHECK(!port_relay_is_delivering(bed.relay));
        (void) close(client);
        bed_done(&bed);
}

static void reset(int fd) {
        struct linger linger = { .l_onoff = 1 };

        CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
        CHECK_INT(close(fd), 0);
}

TEST(a_reset_goes_through_either_way) {
        for (int i = 0; i < 2; i++) {
                Bed bed;
                int client, server;
                char data[16];

                bed_make(&bed);
                pair_of(&bed, &client, &server);
                settle(&bed);
                reset(i == 0 ? client : server);
                CHECK_INT(receive(&bed, i == 0 ? server : client, data, sizeof(data)), -1);
                CHECK_INT(errno, ECONNRESET);
                (void) close(i == 0 ? server : client);
                bed_done(&bed);
        }
}

TEST(a_reset_after_the_end_is_seen_too) {
        Bed bed;
        int client, server;
        char data[16];

        bed_make(&bed);
        pair_of(&bed, &client, &server);
        CHECK_INT(shutdown(client, SHUT_WR), 0);
        CHECK_INT(receive(&bed, server, data, sizeof(data)), 0);
        reset(client);
        until(&bed, server, 0);
        int error = 0;
        socklen_t size = sizeof(error);
        CHECK_INT(getsockopt(server, SOL_SOCKET, SO_ERROR, &error, &size), 0);
        CHECK_INT(error, EPIPE); /* after an end of data, that is what a reset is called */
        (void) close(server);
        bed_done(&bed);
}

TEST(a_server_that_refuses_is_a_reset_at_once) {
        Bed bed;
        char data;

        bed_make(&bed);
        CHECK_INT(close(bed.server), 0);
        int client = client_of(&bed);
        CHECK_INT(receive(&bed, client, &data, 1), -1);
        CHECK_INT(errno, ECONNRESET);
        (void) close(client);
        bed.server = -EBADF;
        bed_done(&bed);
}

TEST(without_its_connector_every_peer_is_told) {
        Bed bed;
        char data;

        bed_make(&bed);
        CHECK_INT(kill(bed.connector, SIGKILL), 0);
        for (int i = 0; i < 3; i++) {
                int client = client_of(&bed);

                CHECK_INT(receive(&bed, client, &data, 1), -1);
                CHECK_INT(errno, ECONNRESET);
                (void) close(client);
        }
        bed_done(&bed);
}

/* Sends without reading at the other end until nothing more goes in; returns how much went. */
static size_t stuff(Bed *bed, int fd) {
        static char block[65536];
        size_t total = 0;

        for (;;) {
                ssize_t n = send(fd, block, sizeof(block), MSG_DONTWAIT);

                if (n > 0) {
                        total += (size_t) n;
                        settle(bed);
                        continue;
                }
                settle(bed);
                if (send(fd, block, 1, MSG_DONTWAIT) == 1) {
                        total++;
                        continue;
                }
                return total;
        }
}

TEST(a_reader_that_stops_holds_up_nobody_and_costs_no_turn) {
        enum { STOPPED = 20 }; /* more than there are pipes */
        int clients[STOPPED + 1], servers[STOPPED + 1];
        size_t sent[STOPPED];
        char data[16];
        Bed bed;

        bed_make(&bed);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                pair_of(&bed, clients + i, servers + i);
        for (size_t i = 0; i < STOPPED; i++)
                sent[i] = stuff(&bed, servers[i]);
        /* nothing left to do: no busy loop */
        struct pollfd fd = { .fd = port_relay_fd(bed.relay), .events = POLLIN };
        CHECK(!port_relay_run(bed.relay, 0));
        CHECK_INT(poll(&fd, 1, 0), 0);
        CHECK_INT(send(clients[STOPPED], "ping", 4, 0), 4);
        CHECK_INT(receive(&bed, servers[STOPPED], data, sizeof(data)), 4);
        /* all of it is still there */
        for (size_t i = 0; i < STOPPED; i++) {
                static char block[65536];
                size_t got = 0;

                CHECK_INT(shutdown(servers[i], SHUT_WR), 0);
                for (ssize_t n = 1; n > 0; got += (size_t) MAX(n, (ssize_t) 0))
                        n = receive(&bed, clients[i], block, sizeof(block));
                CHECK_INT(got, sent[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(clients); i++) {
                (void) close(clients[i]);
                (void) close(servers[i]);
        }
        bed_done(&bed);
}

TEST(much_stays_intact) {
        uint8_t *sent = malloc(BIG), *got = malloc(BIG);
        size_t out = 0, in = 0;
        int client, server;
        Bed bed;

        CHECK(sent && got);
        for (size_t i = 0; i < BIG; i++)
                sent[i] = (uint8_t) (i * 2654435761U >> 13);
        bed_make(&bed);
        pair_of(&bed, &client, &server);
        while (in < BIG) {
                ssize_t n = out < BIG ? send(client, sent + out, MIN((size_t) BIG - out, (size_t) 300000), MSG_DONTWAIT) : 0;

                out += n > 0 ? (size_t) n : 0;
                (void) port_relay_run(bed.relay, 0);
                n = recv(server, got + in, BIG - in, MSG_DONTWAIT);
                in += n > 0 ? (size_t) n : 0;
        }
        CHECK_INT(memcmp(sent, got, BIG), 0);
        free(sent);
        free(got);
        (void) close(client);
        (void) close(server);
        bed_done(&bed);
}

TEST(many_connections_at_once) {
        static int clients[MANY], servers[MANY];
        char data[4];
        Bed bed;

        bed_make(&bed);
        for (size_t i = 0; i < MANY; i++)
                clients[i] = client_of(&bed);
        for (size_t i = 0; i < MANY; i++) {
                until(&bed, bed.server, POLLIN);
                servers[i] = accept4(bed.server, NULL, NULL, SOCK_CLOEXEC);
        }
        for (size_t i = 0; i < MANY; i++)
                CHECK_INT(send(servers[i], "x", 1, 0), 1);
        for (size_t i = 0; i < MANY; i++)
                CHECK_INT(receive(&bed, clients[i], data, sizeof(data)), 1);
        for (size_t i = 0; i < MANY; i++) {
                (void) close(clients[i]);
                (void) close(servers[i]);
        }
        settle(&bed);
        bed_done(&bed);
}

TEST(removing_resets_connections_and_frees_the_port) {
        Bed bed;
        int client, server;
        char data;

        bed_make(&bed);
        pair_of(&bed, &client, &server);
        port_relay_remove(bed.relay, 8);
        CHECK_INT(send(client, "x", 1, 0), 1);
        CHECK_INT(receive(&bed, server, &data, 1), 1);
        port_relay_remove(bed.relay, 7);
        CHECK_INT(receive(&bed, client, &data, 1), -1);
        CHECK_INT(errno, ECONNRESET);
        (void) close(client);
        client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_INT(slirp_calls_connect(client, (struct sockaddr *) &bed.published, sizeof(bed.published)), -1);
        CHECK_INT(errno, ECONNREFUSED);
        (void) close(client);
        (void) close(server);
        bed_done(&bed);
}

TEST(what_was_said_last_is_delivered) {
        static char block[65536];
        Bed bed;
        int client, server;
        size_t sent, got = 0;

        bed_make(&bed);
        pair_of(&bed, &client, &server);
        sent = stuff(&bed, server);
        CHECK_INT(close(server), 0);
        port_relay_finish(bed.relay);
        settle(&bed);
        CHECK(port_relay_is_delivering(bed.relay));
        for (ssize_t n = 1; n > 0; got += (size_t) MAX(n, (ssize_t) 0))
                n = receive(&bed, client, block, sizeof(block));
        CHECK_INT(got, sent);
        CHECK(!port_relay_is_delivering(bed.relay));
        (void) close(client);
        bed_done(&bed);
}

static const char *congestion_of(int fd) {
        static char name[16];
        socklen_t size = sizeof(name) - 1;

        CHECK_INT(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
        return name;
}

TEST(what_a_hastened_listener_accepts) {
        const TcpCongestion usual = local_tcp_default();
        struct sockaddr_in address;
        PortAddress peer;
        socklen_t size = sizeof(peer);
        int listener = listen_on_loopback(&address, 0);

        CHECK_STR(congestion_of(listener), usual.name);
        local_tcp_hasten(listener);
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_INT(connect(client, (struct sockaddr *) &address, sizeof(address)), 0);
        int fd = accept(listener, &peer.any, &size);
        CHECK(fd >= 0);
        CHECK(local_tcp_is(fd, &peer));
        CHECK_STR(congestion_of(fd), "reno");
        local_tcp_restore(fd, &usual);
        CHECK_STR(congestion_of(fd), usual.name);
        local_tcp_restore(fd, &(TcpCongestion){}); /* not known: it stays */
        CHECK_STR(congestion_of(fd), usual.name);
        (void) close(fd);
        (void) close(client);
        (void) close(listener);
}

TEST(who_is_this_machine) {
        static const struct {
                const char *peer;
                bool here; /* for a socket that is bound to 127.0.0.1 */
        } cases[] = {
                { "127.0.0.1", true },  { "127.9.9.9", true }, { "::1", true },          { "126.255.255.255", false },
                { "128.0.0.1", false }, { "::2", false },      { "2001:db8::9", false }, { "192.0.2.1", false },
        };
        struct sockaddr_in address;
        int fd = listen_on_loopback(&address, 0);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct in6_addr parsed = {};
                PortAddress peer;
                int family;

                CHECK_INT(net_parse_address(cases[i].peer, &family, &parsed), 0);
                (void) port_address_fill(family, &parsed, 4711, &peer);
                if (local_tcp_is(fd, &peer) != cases[i].here)
                        test_note("%s", cases[i].peer);
                CHECK_INT(local_tcp_is(fd, &peer), cases[i].here);
        }
        (void) close(fd);
}

TEST(one_question_for_the_relay_and_its_caller) {
        Bed bed;
        bool others;
        int pipe_fds[2];

        bed_make(&bed);
        CHECK_INT(pipe2(pipe_fds, O_CLOEXEC), 0);
        CHECK_INT(port_relay_watch_other(bed.relay, pipe_fds[0]), 0);
        CHECK_INT(port_relay_wait(bed.relay, 0, &others), 0);
        CHECK(!others);
        CHECK_INT(write(pipe_fds[1], "x", 1), 1);
        CHECK_INT(port_relay_wait(bed.relay, PATIENCE, &others), 1);
        CHECK(others);
        CHECK(!port_relay_run(bed.relay, 0));
        CHECK_INT(port_relay_wait(bed.relay, PATIENCE, &others), 1); /* until it is read */
        port_relay_unwatch_other(bed.relay, pipe_fds[0]);
        CHECK(!port_relay_run(bed.relay, 0));
        CHECK_INT(port_relay_wait(bed.relay, 0, &others), 0);
        (void) close(pipe_fds[0]);
        (void) close(pipe_fds[1]);
        bed_done(&bed);
}

static const PortTarget *example(void) {
        static PortTarget target = { .prefix = 24, .prefix6 = 64, .port = 80 };
        int family;
        struct in6_addr a;

        CHECK_INT(net_parse_address("10.0.2.100", &family, &a), 0);
        memcpy(&target.address, &a, sizeof(target.address));
        CHECK_INT(net_parse_address("10.0.2.2", &family, &a), 0);
        memcpy(&target.gateway, &a, sizeof(target.gateway));
        CHECK_INT(net_parse_address("fd00::100", &family, &target.address6), 0);
        CHECK_INT(net_parse_address("fd00::2", &family, &target.gateway6), 0);
        return &target;
}

TEST(who_the_container_sees) {
        static const struct {
                const char *peer;
                int server;
                const char *seen;
        } cases[] = {
                { "192.0.2.9", AF_INET, "192.0.2.9" },
                { "10.0.3.1", AF_INET, "10.0.3.1" },
                { "127.0.0.1", AF_INET, "10.0.2.2" },
                { "127.9.9.9", AF_INET, "10.0.2.2" },
                { "0.0.0.0", AF_INET, "10.0.2.2" },
                { "169.254.1.1", AF_INET, "10.0.2.2" },
                { "224.0.0.1", AF_INET, "10.0.2.2" },
                { "10.0.2.100", AF_INET, "10.0.2.2" },
                { "10.0.2.77", AF_INET, "10.0.2.2" },
                { "2001:db8::9", AF_INET6, "2001:db8::9" },
                { "2001:db8::9", AF_INET, "10.0.2.2" },
                { "::1", AF_INET6, "fd00::2" },
                { "::1", AF_INET, "10.0.2.2" },
                { "fe80::9", AF_INET6, "fd00::2" },
                { "::ffff:127.0.0.1", AF_INET6, "fd00::2" },
                { "fd00::100", AF_INET6, "fd00::2" },
                { "192.0.2.9", AF_INET6, "fd00::2" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct in6_addr address = {}, seen = {}, wanted = {};
                PortAddress peer;
                int family, wanted_family;

                CHECK_INT(net_parse_address(cases[i].peer, &family, &address), 0);
                CHECK_INT(net_parse_address(cases[i].seen, &wanted_family, &wanted), 0);
                (void) port_address_fill(family, &address, 4711, &peer);
                PortSource source = port_source_of(&peer);
                CHECK_INT(source.port, 4711);
                port_source_choose(&source, example(), cases[i].server, &seen);
                if (memcmp(&seen, &wanted, wanted_family == AF_INET ? 4 : 16) != 0)
                        test_note("%s before a server of family %d", cases[i].peer, cases[i].server);
                CHECK_INT(memcmp(&seen, &wanted, wanted_family == AF_INET ? 4 : 16), 0);
        }
}
