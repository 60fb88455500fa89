/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of sdpod-net.
 *
 * Theory of operation: poll(2) over the tap, the container's pidfd, published UDP sockets, the relay of published TCP ports
 * (an epoll set of its own), and whatever libslirp asks for; libslirp renews its list every round, so there is nothing an epoll set could keep. A round reads a batch of
 * frames from the tap, so that a busy sender does not pay for a poll a frame and a busy receiver still gets its turn. */
#include "net/slirp-loop.h"

#include <libslirp.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "net/dns-source.h"
#include "net/frame-filter.h"
#include "net/listen-probe.h"
#include "net/outlet.h"
#include "net/port-publish.h"
#include "net/sandbox.h"
#include "net/slirp-calls.h"
#include "net/udp-forward.h"

enum {
        READ_BATCH = 64,
        TCP_SYN = 2,
        SYN_RESERVE = 256 * 1024 * 1024, /* for everything but the buffers of connections */
        POLL_TAP = 0,
        POLL_INIT = 1,
        POLL_PORTS = 2,
        POLL_CONTROL = 3,
        POLL_OUTLET = 4,
        POLL_FIXED = 5, /* what comes after these is UDP's and libslirp's */
        LAST_MSEC = 2000, /* for the last bytes of published ports, once the container has ended */
        QUIET_MSEC = 300 * 1000, /* longer than any timer of libslirp's runs on its own: UDP's idle time is four minutes */
};

struct SlirpLoop {
        Slirp *slirp;
        FrameFilter filter;
        Tap tap;
        UdpForward *udp;
        PortRelay *ports; /* published TCP ports, and outgoing connections */
        bool more;        /* they could go on at once */
        Outlet *outlet;   /* outgoing TCP connections; NULL: they are libslirp's */
        DnsSource *dns;
        struct pollfd *fds;
        size_t n_fds, room;
        int64_t active_msec; /* when libslirp last had something to do; 0: never */
        int control_fd; /* -EBADF: not a router's */
        struct sockaddr_in outbound;
        struct sockaddr_in6 outbound6;
        uint8_t *frame;
};

static int64_t now_nsec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

static void write_frame(void *context, const uint8_t *frame, size_t size) {
        SlirpLoop *loop = context;

        /* a full queue drops the frame, as a wire would; TCP repeats it */
        (void) RETRY_EINTR(write(loop->tap.fd, frame, size));
}

static ssize_t on_send_packet(const void *frame, size_t size, void *context) {
        write_frame(context, frame, size);
        return (ssize_t) size;
}

static void on_guest_error(const char *message, void *context) {
        (void) message; /* the container's own fault, and it could say it as often as it likes */
        (void) context;
}

static int64_t on_clock(void *context) {
        (void) context;
        return now_nsec();
}

/* libslirp's only timer sends router advertisements; the container has its addresses already, so none ever runs. */
static void *on_timer_new(SlirpTimerId id, void *opaque, void *context) {
        (void) id;
        (void) opaque;
        return context;
}

static void on_timer_free(void *timer, void *context) {
        (void) timer;
        (void) context;
}

static void on_timer_mod(void *timer, int64_t expire, void *context) {
        (void) timer;
        (void) expire;
        (void) context;
}

/* poll(2) needs no registering, and a notification only shortens a sleep that one thread is not in. */
static void on_fd(int fd, void *context) {
        (void) fd;
        (void) context;
}

static void on_notify(void *context) {
        (void) context;
}

static const SlirpCb callbacks = {
        .send_packet = on_send_packet,
        .guest_error = on_guest_error,
        .clock_get_ns = on_clock,
        .timer_free = on_timer_free,
        .timer_mod = on_timer_mod,
        .register_poll_fd = on_fd,
        .unregister_poll_fd = on_fd,
        .notify = on_notify,
        .timer_new_opaque = on_timer_new,
};

static bool on_listens6(void *context, uint16_t port) {
        SlirpLoop *loop = context;

        if (loop->filter.router)
                return true; /* who has an IPv6 address there is spoken to by it */
        return listen_probe6(loop->tap.diag_fd, IPPROTO_UDP, &loop->filter.addresses.container6, port);
}

static void fill_outbound(SlirpLoop *loop, const NetConfig *config, SlirpConfig *c) {
        struct in6_addr address;
        int family;

        if (config->outbound_addr && net_parse_address(config->outbound_addr, &family, &address) >= 0) {
                loop->outbound = (struct sockaddr_in){ .sin_family = AF_INET };
                memcpy(&loop->outbound.sin_addr, &address, sizeof(loop->outbound.sin_addr));
                c->outbound_addr = &loop->outbound;
        }
        if (config->outbound_addr6 && net_parse_address(config->outbound_addr6, &family, &address) >= 0) {
                loop->outbound6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = address };
                c->outbound_addr6 = &loop->outbound6;
        }
}

static Slirp *make_slirp(SlirpLoop *loop, const NetConfig *config) {
        const NetAddresses *a = &loop->filter.addresses;
        SlirpConfig c = {
                .version = 4, /* what libslirp 4.7 knows; later fields keep their defaults */
                .in_enabled = true,
                .vnetwork = a->network,
                .vnetmask = a->netmask,
                .vhost = a->gateway,
                .in6_enabled = a->ipv6,
                .vprefix_addr6 = a->network6,
                .vprefix_len = (uint8_t) a->prefix6,
                .vhost6 = a->gateway6,
                .vdhcp_start = a->container,
                .vnameserver = a->dns,
                .vnameserver6 = a->dns6,
                .if_mtu = config->mtu ?: NET_MTU_DEFAULT,
                .if_mru = config->mtu ?: NET_MTU_DEFAULT,
                .disable_host_loopback = !config->allow_host_loopback,
                .disable_dhcp = true,
        };

        fill_outbound(loop, config, &c);
        if (config->allow_host_loopback)
                slirp_calls_allow_loopback();
        return slirp_new(&c, &callbacks, loop);
}

int slirp_loop_new(const NetConfig *config, const NetAddresses *addresses, int connector_fd, SlirpLoop **ret, Error *reterr) {
        _cleanup_fd_ int owned_fd = connector_fd;
        _cleanup_(slirp_loop_freep) SlirpLoop *loop = calloc(1, sizeof(*loop));

        if (!loop)
                return error_oom(reterr);
        int r = port_relay_new(TAKE_FD(owned_fd), &loop->ports);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot prepare TCP connections");
        loop->tap = TAP_NULL;
        loop->control_fd = -EBADF;
        loop->filter = (FrameFilter){ .addresses = *addresses, .allow_host_loopback = config->allow_host_loopback };
        UdpForwardOps ops = { .send_frame = write_frame, .listens6 = on_listens6, .context = loop };
        loop->udp = udp_forward_new(addresses, config->mtu ?: NET_MTU_DEFAULT, &ops);
        loop->frame = malloc(FRAME_LIMIT);
        if (!loop->udp || !loop->frame)
                return error_oom(reterr);
        loop->slirp = make_slirp(loop, config);
        if (!loop->slirp)
                return error_set(reterr, -EINVAL, ERROR_INTERNAL, "cannot start libslirp %s", slirp_version_string());
        *ret = TAKE_PTR(loop);
        return 0;
}

SlirpLoop *slirp_loop_free(SlirpLoop *loop) {
        if (!loop)
                return NULL;
        if (loop->slirp)
                slirp_cleanup(loop->slirp);
        (void) udp_forward_free(loop->udp);
        (void) outlet_free(loop->outlet);
        (void) port_relay_free(loop->ports);
        tap_done(&loop->tap);
        free(loop->fds);
        free(loop->frame);
        free(loop);
        return NULL;
}

int slirp_loop_publish(SlirpLoop *loop, const NetPort *port, PortSockets *sockets, Error *reterr) {
        return port_publish(loop->ports, loop->udp, &loop->filter.addresses, port, sockets, reterr);
}

void slirp_loop_set_control(SlirpLoop *loop, int fd) {
        loop->control_fd = fd;
        loop->filter.router = true;
}

void slirp_loop_set_dns(SlirpLoop *loop, DnsSource *dns) {
        loop->dns = dns;
}

/* Tells libslirp where the container is, as the container would, so that the first connection from outside need not wait
 * for it to be asked. */
static void announce(SlirpLoop *loop) {
        uint8_t frame[128];

        slirp_input(loop->slirp, frame, (int) packet_make_arp_announcement(&loop->filter.addresses, frame));
        if (loop->filter.addresses.ipv6)
                slirp_input(loop->slirp, frame, (int) packet_make_advertisement(&loop->filter.addresses, frame));
}

static int on_join(void *context, int inside_fd, int host_fd) {
        SlirpLoop *loop = context;

        return port_relay_join(loop->ports, inside_fd, host_fd);
}

static bool on_has_room(void *context, size_t n_dials) {
        SlirpLoop *loop = context;

        return port_relay_has_room(loop->ports, n_dials, loop->n_fds);
}

void slirp_loop_attach(SlirpLoop *loop, Tap *tap) {
        const OutletOps ops = { .send_frame = write_frame, .join = on_join, .has_room = on_has_room, .context = loop };

        port_relay_set_namespace(loop->ports, tap->ipv6, tap->transparent);
        /* without memory for it the rules go with their sockets */
        if (tap->outlet.rules_fd >= 0)
                (void) outlet_new(&loop->filter.addresses, loop->outbound.sin_family ? &loop->outbound : NULL,
                                  loop->outbound6.sin6_family ? &loop->outbound6 : NULL, &ops, &tap->outlet, &loop->outlet);
        loop->tap = *tap;
        *tap = TAP_NULL;
        if (!loop->tap.ipv6)
                loop->filter.addresses.ipv6 = false;
        announce(loop);
}

static void refuse(SlirpLoop *loop, PacketRefusal refusal, const uint8_t *frame, size_t size) {
        uint8_t answer[256];

        write_frame(loop, answer, packet_make_refusal(&loop->filter.addresses, refusal, frame, size, answer));
}

/* Every connection of libslirp's takes two buffers, which stay for ten seconds after its end; without memory it would end this
 * process. A SYN that finds no room is lost, as on a busy wire, and the sender repeats it a second later. */
static bool has_room(const uint8_t *frame, const FrameInfo *info) {
        const uint8_t *transport = frame + ETHERNET_HEADER + (info->family == AF_INET ? IP4_HEADER : IP6_HEADER);

        return info->protocol != IPPROTO_TCP || !(transport[13] & TCP_SYN) || mallinfo2().hblkhd < SANDBOX_MEMORY - SYN_RESERVE;
}

static void handle_frame(SlirpLoop *loop, const uint8_t *frame, size_t size, int64_t now) {
        FrameInfo info;

        FrameVerdict verdict = frame_check(&loop->filter, frame, size, &info);
        if (verdict == FRAME_DROP || udp_forward_reply(loop->udp, &info, now) || verdict == FRAME_REPLY)
                return;
        if (verdict == FRAME_PASS) {
                if (loop->outlet && outlet_take(loop->outlet, &info, frame, size))
                        return;
                if (!has_room(frame, &info))
                        return;
                loop->active_msec = now;
                if (info.to_dns && loop->dns)
                        dns_source_refresh(loop->dns, now);
                slirp_input(loop->slirp, frame, (int) size);
        } else
                refuse(loop, verdict == FRAME_REFUSE ? PACKET_PORT_UNREACHABLE : PACKET_PROHIBITED, frame, size);
}

/* Returns -errno when the tap is gone. */
static int read_frames(SlirpLoop *loop, int64_t now) {
        for (int i = 0; i < READ_BATCH; i++) {
                ssize_t n = read(loop->tap.fd, loop->frame, FRAME_LIMIT);

                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                handle_frame(loop, loop->frame, (size_t) n, now);
        }
        return 0;
}

/* Returns the index, or -1: the descriptor is left out of this round. */
static int add_poll(SlirpLoop *loop, int fd, short events) {
        if (loop->n_fds == loop->room) {
                size_t room = loop->room ? loop->room * 2 : 64;
                struct pollfd *fds = reallocarray(loop->fds, room, sizeof(*fds));

                if (!fds)
                        return -1;
                loop->fds = fds;
                loop->room = room;
        }
        loop->fds[loop->n_fds] = (struct pollfd){ .fd = fd, .events = events };
        return (int) loop->n_fds++;
}

static const struct {
        int slirp;
        short events;
} poll_map[] = {
        { SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
        { SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

static int on_add_poll(int fd, int wanted, void *context) {
        SlirpLoop *loop = context;
        short events = 0;

        for (size_t i = 0; i < ELEMENTSOF(poll_map); i++)
                if (wanted & poll_map[i].slirp)
                        events |= poll_map[i].events;
        return add_poll(loop, fd, events & (POLLIN | POLLOUT | POLLPRI));
}

static int on_get_revents(int index, void *context) {
        SlirpLoop *loop = context;
        int found = 0;

        for (size_t i = 0; i < ELEMENTSOF(poll_map); i++)
                if (loop->fds[index].revents & poll_map[i].events)
                        found |= poll_map[i].slirp;
        return found;
}

/* What one round waits for, and where its parts begin in the poll array. */
typedef struct Round {
        size_t udp;
        int timeout;
} Round;

/* libslirp wants to be called every second, and twice a second once it has a TCP socket. A container that has nothing to say
 * should cost nothing: without any socket, and with nothing left that could run on a timer unseen, only an event ends the sleep. */
static int choose_timeout(const SlirpLoop *loop, size_t n_slirp, uint32_t timeout) {
        if (n_slirp == 0 && (loop->active_msec == 0 || now_nsec() / 1000000 - loop->active_msec > QUIET_MSEC))
                return -1;
        return timeout > INT32_MAX ? -1 : (int) timeout;
}

static void list_fixed(const SlirpLoop *loop, int init_pidfd, int ret[static POLL_FIXED]) {
        ret[POLL_TAP] = loop->tap.fd;
        ret[POLL_INIT] = init_pidfd;
        ret[POLL_PORTS] = port_relay_fd(loop->ports);
        ret[POLL_CONTROL] = loop->control_fd;
        ret[POLL_OUTLET] = loop->outlet ? outlet_fd(loop->outlet) : -EBADF;
}

static int fill_round(SlirpLoop *loop, int init_pidfd, Round *ret) {
        Round round = {};
        uint32_t timeout = UINT32_MAX;
        int fds[POLL_FIXED];

        loop->n_fds = 0;
        list_fixed(loop, init_pidfd, fds);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                if (add_poll(loop, fds[i], POLLIN) < 0)
                        return -ENOMEM;
        round.udp = loop->n_fds;
        for (size_t i = 0; i < udp_forward_count(loop->udp); i++)
                if (add_poll(loop, udp_forward_fd(loop->udp, i), POLLIN) < 0)
                        return -ENOMEM;
        size_t first = loop->n_fds;
        slirp_pollfds_fill(loop->slirp, &timeout, on_add_poll, loop);
        round.timeout = choose_timeout(loop, loop->n_fds - first, timeout);
        *ret = round;
        return 0;
}

static int run_round(SlirpLoop *loop, const Round *round) {
        int64_t now = now_nsec() / 1000000;
        int r = 0;

        for (size_t i = 0; i < udp_forward_count(loop->udp); i++)
                if (loop->fds[round->udp + i].revents)
                        udp_forward_receive(loop->udp, i, now);
        /* libslirp reads the clock only here, and gives new sockets their time by it: after a long sleep, first of all */
        if (round->timeout < 0)
                slirp_pollfds_poll(loop->slirp, /* select_error= */ 1, on_get_revents, loop);
        /* frames before sockets: the acknowledgements among them make the room that sockets are read into */
        if (loop->fds[POLL_TAP].revents)
                r = read_frames(loop, now);
        slirp_pollfds_poll(loop->slirp, /* select_error= */ 0, on_get_revents, loop);
        return r;
}

/* Where neither libslirp nor a published UDP port has a socket, the relay's set holds all that there is to wait for, and is asked alone:
 * for a small request the questions are most of the work. Returns the number of descriptors in the array that have something, or -errno. */
static int wait_once(SlirpLoop *loop, int timeout) {
        struct pollfd *ports = loop->fds + POLL_PORTS;
        bool others = true;
        int told = 0, n = 0;

        if (loop->n_fds == POLL_FIXED) {
                told = port_relay_wait(loop->ports, timeout, &others);
                if (told < 0)
                        return told;
                timeout = 0;
        }
        if (others) {
                n = (int) RETRY_EINTR(poll(loop->fds, loop->n_fds, timeout));
                if (n < 0)
                        return -errno;
        } else
                for (size_t i = 0; i < loop->n_fds; i++)
                        loop->fds[i].revents = 0;
        if (told > 0 && !ports->revents) { /* an edge is told once */
                ports->revents = POLLIN;
                n++;
        }
        return n;
}

/* Waits until something but published TCP ports has its turn, and serves those meanwhile: they are no reason to ask libslirp
 * again what it waits for. Returns the number of events, 0 when it is libslirp's time, -errno. */
static int wait_for_others(SlirpLoop *loop, int timeout) {
        struct pollfd *ports = loop->fds + POLL_PORTS, *outlet = loop->fds + POLL_OUTLET;
        int64_t end = timeout < 0 ? 0 : now_nsec() / 1000000 + timeout;

        for (;;) {
                int sweep = loop->outlet ? outlet_timeout(loop->outlet) : -1;
                int shorter = sweep >= 0 && (timeout < 0 || sweep < timeout) ? sweep : timeout;
                int n = wait_once(loop, loop->more ? 0 : shorter);
                if (n < 0)
                        return n;
                bool idle = n == 0 && shorter == timeout;
                if (outlet->revents || sweep == 0 || (n == 0 && sweep > 0)) { /* due is due, however much else there is */
                        n -= outlet->revents != 0;
                        outlet_run(loop->outlet);
                }
                if (ports->revents || loop->more) {
                        n -= ports->revents != 0;
                        loop->more = port_relay_run(loop->ports, loop->n_fds + (loop->outlet ? outlet_count(loop->outlet) : 0));
                } else if (idle)
                        return 0;
                if (timeout >= 0)
                        timeout = (int) MAX(end - now_nsec() / 1000000, (int64_t) 0);
                if (n > 0 || timeout == 0)
                        return n;
        }
}

/* The container has ended; what it said last is still on its way to peers. */
static void deliver_rest(SlirpLoop *loop, int init_pidfd) {
        int64_t end = now_nsec() / 1000000 + LAST_MSEC, now;
        int fds[POLL_FIXED];

        list_fixed(loop, init_pidfd, fds);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                port_relay_unwatch_other(loop->ports, fds[i]);
        port_relay_finish(loop->ports);
        for (;;) {
                struct pollfd fd = { .fd = port_relay_fd(loop->ports), .events = POLLIN };
                bool more = port_relay_run(loop->ports, 0);

                now = now_nsec() / 1000000;
                if (now >= end || (!more && !port_relay_is_delivering(loop->ports)))
                        return;
                if (poll(&fd, 1, more ? 0 : (int) (end - now)) < 0)
                        return;
        }
}

static int watch_fixed(SlirpLoop *loop, int init_pidfd) {
        int fds[POLL_FIXED], r = 0;

        list_fixed(loop, init_pidfd, fds);
        for (size_t i = 0; i < ELEMENTSOF(fds) && r >= 0; i++)
                if (i != POLL_PORTS && fds[i] >= 0)
                        r = port_relay_watch_other(loop->ports, fds[i]);
        return r;
}

int slirp_loop_run(SlirpLoop *loop, int init_pidfd) {
        int r = watch_fixed(loop, init_pidfd);
        if (r < 0)
                return r;
        for (;;) {
                Round round;

                r = fill_round(loop, init_pidfd, &round);
                if (r < 0)
                        return r;
                int n = wait_for_others(loop, round.timeout);
                if (n < 0)
                        return n;
                if (n > (loop->fds[POLL_TAP].revents != 0)) /* frames count once they pass the filter */
                        loop->active_msec = now_nsec() / 1000000;
                if (loop->fds[POLL_INIT].revents) {
                        deliver_rest(loop, init_pidfd);
                        return 0;
                }
                r = run_round(loop, &round);
                if (r < 0)
                        return r;
                /* last: it changes what the round's array stands for */
                if (loop->fds[POLL_CONTROL].revents && !port_publish_hear(loop->ports, loop->udp, loop->control_fd))
                        return 0;
        }
}
