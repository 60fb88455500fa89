/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a container's frames, through the filter and through libslirp, with an oracle where it meets the host: the
 * calls by which libslirp reaches out stand in this program, and end it if they are asked for a forbidden address.
 *
 * The input is a row of frames: one byte of mending, two bytes of length, the frame. Mending sets right what a random frame
 * would never have right (addresses, lengths, checksums), so that mutations get past the first check. One more bit lets
 * libslirp look at its sockets afterwards: they are connected, take what is sent, and have something to say. The corpus is made
 * by make-frames.py. */
#undef _FORTIFY_SOURCE /* else libc's headers define some of the calls that are defined here */

#include "fuzz.h"

#include <libslirp.h>
#include <net/ethernet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/frame-filter.h"

/* slirp_cleanup() leaves half-open connections to the end of the process. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void) {
        return "detect_leaks=0";
}

enum {
        MEND_MAC = 1 << 0,
        MEND_SOURCE = 1 << 1,
        MEND_LENGTHS = 1 << 2,
        MEND_CHECKSUMS = 1 << 3,
        POLL_AFTERWARDS = 1 << 4,
};

static void check_address4(uint32_t address) {
        if (address >> 24 == 0 || address >> 24 == 127 || address >> 24 >= 224 || address >> 16 == 0xa9fe ||
            address >> 8 == 0x0a0002)
                __builtin_trap();
}

static void check_address(const struct sockaddr *address) {
        struct sockaddr_in6 in6;
        struct sockaddr_in in;

        if (address->sa_family == AF_INET) {
                memcpy(&in, address, sizeof(in));
                /* the virtual DNS address became the host's resolver, which may well be on its loopback */
                if (in.sin_port != htons(53) || ntohl(in.sin_addr.s_addr) >> 24 != 127)
                        check_address4(ntohl(in.sin_addr.s_addr));
        } else if (address->sa_family == AF_INET6) {
                memcpy(&in6, address, sizeof(in6));
                if (in6.sin6_port == htons(53) && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr))
                        return;
                if (IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr) ||
                    IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) || IN6_IS_ADDR_V4COMPAT(&in6.sin6_addr) ||
                    IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) || IN6_IS_ADDR_SITELOCAL(&in6.sin6_addr) ||
                    IN6_IS_ADDR_MULTICAST(&in6.sin6_addr))
                        __builtin_trap();
        } else
                __builtin_trap();
}

/* libslirp's calls come here instead of to the C library; nothing leaves. */
__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address, socklen_t size) {
        (void) fd;
        check_address(address);
        /* as slirp-calls.c: a refusal never comes at once, since libslirp would free the segment twice */
        errno = size == sizeof(struct sockaddr_in) ? EINPROGRESS : ENETUNREACH;
        return -1;
}

__attribute__((visibility("default"))) ssize_t sendto(int fd, const void *data, size_t n, int flags,
                                                      const struct sockaddr *address, socklen_t size) {
        (void) fd;
        (void) data;
        (void) flags;
        (void) size;
        if (address)
                check_address(address);
        return (ssize_t) n;
}

/* The peers' side of what was never connected: everything is taken, and what comes is a little of everything. */
static unsigned n_received;

static ssize_t receive(void *data, size_t n) {
        static const char text[] = "\0\1\0\0HTTP/1.0 200\r\n\0\377";
        unsigned turn = n_received++;

        if (turn % 7 == 6)
                return 0;
        if (turn % 5 == 4) {
                errno = turn % 2 ? EAGAIN : ECONNRESET;
                return -1;
        }
        size_t size = MIN(n, turn % 3 ? sizeof(text) - 1 : n);
        memset(data, 'x', size);
        memcpy(data, text, MIN(size, sizeof(text) - 1));
        return (ssize_t) size;
}

__attribute__((visibility("default"))) ssize_t send(int fd, const void *data, size_t n, int flags) {
        (void) fd;
        (void) data;
        (void) flags;
        return (ssize_t) n;
}

__attribute__((visibility("default"))) ssize_t recv(int fd, void *data, size_t n, int flags) {
        (void) fd;
        (void) flags;
        return receive(data, n);
}

__attribute__((visibility("default"))) ssize_t recvfrom(int fd, void *data, size_t n, int flags, struct sockaddr *address, socklen_t *size) {
        struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0xc0000201) };

        (void) fd;
        (void) flags;
        if (address && size) {
                memcpy(address, &peer, MIN((size_t) *size, sizeof(peer)));
                *size = sizeof(peer);
        }
        return receive(data, n);
}

__attribute__((visibility("default"))) ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
        ssize_t n = 0;

        (void) fd;
        (void) flags;
        if (message->msg_name)
                check_address(message->msg_name);
        for (size_t i = 0; i < message->msg_iovlen; i++)
                n += (ssize_t) message->msg_iov[i].iov_len;
        return n;
}

static ssize_t on_send(const void *frame, size_t size, void *context) {
        (void) frame;
        (void) context;
        return (ssize_t) size;
}

static void on_error(const char *message, void *context) {
        (void) message;
        (void) context;
}

static int64_t on_clock(void *context) {
        static int64_t now;

        (void) context;
        return now += 1000000;
}

static void *on_timer(SlirpTimerId id, void *opaque, void *context) {
        (void) id;
        (void) opaque;
        return context;
}

static void on_timer_free(void *timer, void *context) {
        (void) timer;
        (void) context;
}

static void on_timer_mod(void *timer, int64_t when, void *context) {
        (void) timer;
        (void) when;
        (void) context;
}

static void on_fd(int fd, void *context) {
        (void) fd;
        (void) context;
}

static void on_notify(void *context) {
        (void) context;
}

static const SlirpCb callbacks = {
        .send_packet = on_send, .guest_error = on_error, .clock_get_ns = on_clock, .timer_free = on_timer_free,
        .timer_mod = on_timer_mod, .register_poll_fd = on_fd, .unregister_poll_fd = on_fd, .notify = on_notify,
        .timer_new_opaque = on_timer,
};

static Slirp *make_slirp(FrameFilter *filter) {
        NetConfig config = NET_CONFIG_NULL;
        NetAddresses *a = &filter->addresses;

        if (net_addresses_from_config(&config, a, NULL) < 0)
                __builtin_trap();
        SlirpConfig c = { .version = 4, .in_enabled = true, .vnetwork = a->network, .vnetmask = a->netmask, .vhost = a->gateway,
                          .in6_enabled = true, .vprefix_addr6 = a->network6, .vprefix_len = 64, .vhost6 = a->gateway6,
                          .vdhcp_start = a->container, .vnameserver = a->dns, .vnameserver6 = a->dns6, .if_mtu = 16384,
                          .if_mru = 16384, .disable_host_loopback = true, .disable_dhcp = true };
        return slirp_new(&c, &callbacks, filter);
}

static void mend_transport(uint8_t protocol, uint64_t pseudo, uint8_t *p, size_t size, unsigned how) {
        size_t at = protocol == IPPROTO_TCP ? 16 : protocol == IPPROTO_UDP ? 6 : 2;

        if (size < 8 || at + 2 > size)
                return;
        if (protocol == IPPROTO_UDP && (how & MEND_LENGTHS))
                packet_put16(p + 4, size);
        if (!(how & MEND_CHECKSUMS))
                return;
        packet_put16(p + at, 0);
        packet_put16(p + at, packet_checksum(packet_sum(protocol == IPPROTO_ICMP ? 0 : pseudo + protocol + size, p, size)));
}

static void mend(const FrameFilter *filter, unsigned how, uint8_t *frame, size_t size) {
        uint8_t *p = frame + ETHERNET_HEADER;

        if (size < ETHERNET_HEADER)
                return;
        if (how & MEND_MAC)
                memcpy(frame + 6, filter->addresses.mac, 6);
        if (packet_get16(frame + 12) == ETHERTYPE_IP && size >= ETHERNET_HEADER + IP4_HEADER) {
                if (how & MEND_SOURCE)
                        memcpy(p + 12, &filter->addresses.container, 4);
                if (how & MEND_LENGTHS)
                        packet_put16(p + 2, size - ETHERNET_HEADER);
                mend_transport(p[9], packet_sum(0, p + 12, 8), p + IP4_HEADER, size - ETHERNET_HEADER - IP4_HEADER, how);
                if (how & MEND_CHECKSUMS) {
                        packet_put16(p + 10, 0);
                        packet_put16(p + 10, packet_checksum(packet_sum(0, p, IP4_HEADER)));
                }
        } else if (packet_get16(frame + 12) == ETHERTYPE_IPV6 && size >= ETHERNET_HEADER + IP6_HEADER) {
                if (how & MEND_SOURCE)
                        memcpy(p + 8, &filter->addresses.container6, 16);
                if (how & MEND_LENGTHS)
                        packet_put16(p + 4, size - ETHERNET_HEADER - IP6_HEADER);
                mend_transport(p[6], packet_sum(0, p + 8, 32), p + IP6_HEADER, size - ETHERNET_HEADER - IP6_HEADER, how);
        }
}

static int add_poll(int fd, int events, void *context) {
        (void) fd;
        (void) context;
        return events; /* the number of an entry is anybody's to choose */
}

static int get_revents(int index, void *context) {
        (void) context;
        return index; /* all that was asked for has happened */
}

static void poll_sockets(Slirp *slirp) {
        uint32_t timeout = 0;

        slirp_pollfds_fill(slirp, &timeout, add_poll, NULL);
        slirp_pollfds_poll(slirp, 0, get_revents, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FrameFilter filter = {};
        uint8_t answer[256];

        Slirp *slirp = make_slirp(&filter);
        n_received = 0;
        while (size >= 3) {
                size_t n = MIN((size_t) packet_get16(data + 1), size - 3);
                unsigned how = data[0];
                FrameInfo info;

                uint8_t *frame = malloc(n ?: 1);
                if (!frame)
                        abort();
                memcpy(frame, data + 3, n);
                mend(&filter, how, frame, n);
                FrameVerdict verdict = frame_check(&filter, frame, n, &info);
                if (verdict == FRAME_PASS)
                        slirp_input(slirp, frame, (int) n);
                else if (verdict != FRAME_DROP && packet_make_refusal(&filter.addresses, PACKET_PROHIBITED, frame, n, answer) >
                                                          sizeof(answer))
                        __builtin_trap();
                free(frame);
                if (how & POLL_AFTERWARDS)
                        poll_sockets(slirp);
                data += 3 + n;
                size -= 3 + n;
        }
        poll_sockets(slirp);
        slirp_cleanup(slirp);
        return 0;
}
