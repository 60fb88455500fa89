/* SPDX-License-Identifier: Apache-2.0 */
/* Outgoing connections between their first segment and its answer, with sockets of this host's loopback. The way back, and bytes, are
 * in tests/net. */
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/test.h"
#include "net/outlet.h"
#include "net/slirp-calls.h"

enum { SYN_SIZE = ETHERNET_HEADER + IP4_HEADER + 20, SYN = 0x02, RESET = 0x04, FLAGS = 13, MANY = 4096 };

typedef struct Bed {
        NetAddresses addresses;
        Outlet *outlet;
        bool room;
        int asked, sent;      /* how often for room; frames to the container */
        uint8_t last[256];    /* of those */
        size_t last_size;
        int server, first;    /* listens; the one connection that it takes */
        uint16_t port, own_port; /* of that; of the outlet's own listener */
} Bed;

static bool has_room(void *context, size_t n_dials) {
        Bed *bed = context;

        (void) n_dials;
        bed->asked++;
        return bed->room;
}

static void send_frame(void *context, const uint8_t *frame, size_t size) {
        Bed *bed = context;

        bed->sent++;
        bed->last_size = size;
        memcpy(bed->last, frame, MIN(size, sizeof(bed->last)));
}

static int join(void *context, int inside_fd, int host_fd) {
        (void) context;
        (void) close(inside_fd);
        (void) close(host_fd);
        return 0;
}

static int listen_somewhere(int backlog, uint16_t *ret_port) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        CHECK(fd >= 0);
        CHECK_INT(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        if (backlog >= 0)
                CHECK_INT(listen(fd, backlog), 0);
        CHECK_INT(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        *ret_port = ntohs(address.sin_port);
        return fd;
}

/* A server of which nobody hears: the one connection that waits to be accepted is all that it has room for. */
static void make_silent_server(Bed *bed) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

        bed->server = listen_somewhere(0, &bed->port);
        address.sin_port = htons(bed->port);
        bed->first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_INT(connect(bed->first, (struct sockaddr *) &address, sizeof(address)), 0);
}

static void bed_make(Bed *bed) {
        const OutletOps ops = { .send_frame = send_frame, .join = join, .has_room = has_room, .context = bed };
        OutletSockets sockets = OUTLET_SOCKETS_NULL;

        *bed = (Bed){ .room = true, .server = -EBADF, .first = -EBADF };
        bed->addresses.network.s_addr = htonl(0x0a000200);
        bed->addresses.netmask.s_addr = htonl(0xffffff00);
        slirp_calls_allow_loopback();
        sockets.listener4 = listen_somewhere(16, &bed->own_port);
        CHECK_INT(outlet_new(&bed->addresses, NULL, NULL, &ops, &sockets, &bed->outlet), 0);
}

static void bed_done(Bed *bed) {
        bed->outlet = outlet_free(bed->outlet);
        (void) fd_close(bed->first);
        (void) fd_close(bed->server);
}

/* An opening segment of `size` bytes from that port, `sequence` in it. */
static void open_from(Bed *bed, uint16_t from, uint8_t sequence, size_t size) {
        uint8_t frame[SYN_SIZE + 4] = { [12] = 0x08, [ETHERNET_HEADER] = 0x45, [ETHERNET_HEADER + 8] = OUTLET_HOPS,
                                        [ETHERNET_HEADER + 9] = IPPROTO_TCP };
        FrameInfo info = { .family = AF_INET, .protocol = IPPROTO_TCP, .source = { .port = from }, .destination = { .port = bed->port } };
        const uint8_t source[4] = { 10, 0, 2, 100 }, destination[4] = { 127, 0, 0, 1 };

        memcpy(info.source.address, source, sizeof(source));
        memcpy(info.destination.address, destination, sizeof(destination));
        frame[ETHERNET_HEADER + IP4_HEADER + 7] = sequence;
        frame[ETHERNET_HEADER + IP4_HEADER + FLAGS] = SYN;
        CHECK(outlet_take(bed->outlet, &info, frame, size));
}

static void run_until_sent(Bed *bed, int sent) {
        while (bed->sent < sent) {
                struct pollfd fd = { .fd = outlet_fd(bed->outlet), .events = POLLIN };

                CHECK_INT(poll(&fd, 1, 60000), 1);
                outlet_run(bed->outlet);
        }
}

TEST(without_room_the_segment_is_lost) {
        Bed bed;

        bed_make(&bed);
        make_silent_server(&bed);
        bed.room = false;
        open_from(&bed, 1, 1, SYN_SIZE);
        CHECK_INT(outlet_count(bed.outlet), 0);
        CHECK_INT(bed.sent, 0);
        bed.room = true;
        open_from(&bed, 1, 1, SYN_SIZE);
        CHECK_INT(outlet_count(bed.outlet), 1);
        bed_done(&bed);
}

TEST(a_refusal_is_a_reset) {
        Bed bed;

        bed_make(&bed);
        bed.server = listen_somewhere(-1, &bed.port); /* nobody else has the port */
        open_from(&bed, 1, 1, SYN_SIZE);
        run_until_sent(&bed, 1);
        CHECK(bed.last[ETHERNET_HEADER + IP4_HEADER + FLAGS] & RESET);
        CHECK_INT(outlet_count(bed.outlet), 0);
        CHECK_INT(outlet_timeout(bed.outlet), -1);
        bed_done(&bed);
}

/* Nobody says that a client has given up. */
TEST(one_that_is_not_answered_has_its_time) {
        Bed bed;

        bed_make(&bed);
        make_silent_server(&bed);
        CHECK_INT(outlet_timeout(bed.outlet), -1);
        open_from(&bed, 1, 1, SYN_SIZE);
        CHECK_INT(outlet_count(bed.outlet), 1);
        CHECK(outlet_timeout(bed.outlet) >= 0 && outlet_timeout(bed.outlet) <= 4000);
        bed_done(&bed);
}

TEST(the_last_segment_is_the_one_that_is_answered) {
        Bed bed;
        int fd;

        bed_make(&bed);
        make_silent_server(&bed);
        open_from(&bed, 1, 1, SYN_SIZE + 4);
        open_from(&bed, 1, 2, SYN_SIZE);
        CHECK_INT(bed.sent, 0);
        CHECK_INT(bed.asked, 1);
        fd = accept(bed.server, NULL, NULL); /* now there is room for the next */
        run_until_sent(&bed, 1);
        CHECK_INT(bed.last_size, SYN_SIZE);
        CHECK_INT(bed.last[ETHERNET_HEADER + IP4_HEADER + 7], 2);
        open_from(&bed, 1, 3, SYN_SIZE + 4);
        CHECK_INT(bed.sent, 2);
        CHECK_INT(bed.last_size, SYN_SIZE + 4);
        CHECK_INT(bed.last[ETHERNET_HEADER + IP4_HEADER + 7], 3);
        (void) fd_close(fd);
        bed_done(&bed);
}

TEST(one_more_than_all_takes_the_place_of_the_oldest) {
        struct rlimit limit;
        Bed bed;

        CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        if (limit.rlim_max < MANY + 64 || setrlimit(RLIMIT_NOFILE, &limit) < 0)
                SKIP("too few descriptors for it");
        bed_make(&bed);
        make_silent_server(&bed);
        open_from(&bed, 1, 1, SYN_SIZE);
        (void) poll(NULL, 0, 2); /* so that it is older */
        for (int i = 2; i <= MANY + 1; i++)
                open_from(&bed, (uint16_t) i, 1, SYN_SIZE);
        CHECK_INT(outlet_count(bed.outlet), MANY);
        CHECK_INT(bed.asked, MANY + 1);
        open_from(&bed, MANY + 1, 1, SYN_SIZE); /* this one is known */
        CHECK_INT(bed.asked, MANY + 1);
        open_from(&bed, 1, 1, SYN_SIZE);
        CHECK_INT(bed.asked, MANY + 2);
        CHECK_INT(outlet_count(bed.outlet), MANY);
        bed_done(&bed);
}

/* A program in the container that connects to the listener by itself, while there is no descriptor for it. */
TEST(a_listener_that_cannot_accept_does_not_keep_the_process_awake) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct rlimit limit, none;
        Bed bed;
        int fd, n = 0;

        bed_make(&bed);
        address.sin_port = htons(bed.own_port);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_INT(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        struct pollfd p = { .fd = outlet_fd(bed.outlet), .events = POLLIN };
        CHECK_INT(poll(&p, 1, 60000), 1);
        CHECK_INT(outlet_timeout(bed.outlet), -1);
        CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
        none = limit;
        none.rlim_cur = 0; /* those that are open stay so */
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
        outlet_run(bed.outlet);
        CHECK_INT(outlet_timeout(bed.outlet) >= 0, 1);
        none = limit;
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
        CHECK_INT(poll(&p, 1, 0), 0);
        /* it is tried again: then it is accepted, and closed, as nobody knows it */
        while (outlet_timeout(bed.outlet) >= 0 && n++ < 100) {
                (void) poll(NULL, 0, outlet_timeout(bed.outlet) + 1);
                outlet_run(bed.outlet);
        }
        p.fd = outlet_fd(bed.outlet);
        CHECK_INT(poll(&p, 1, 60000), 1);
        outlet_run(bed.outlet);
        p = (struct pollfd){ .fd = fd, .events = POLLIN };
        CHECK_INT(poll(&p, 1, 60000), 1);
        (void) fd_close(fd);
        bed_done(&bed);
}
