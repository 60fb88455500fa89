/* SPDX-License-Identifier: Apache-2.0 */
/* Carries socket options over. */
#include "net/bypass-options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef TCP_TX_DELAY
#define TCP_TX_DELAY 37
#endif

/* What is done with an option that is not as on a fresh socket. */
typedef enum OptionKind {
        OPTION_COPIED,  /* set; where the kernel refuses that, it is left */
        OPTION_STAYS,   /* the socket belongs where it is */
} OptionKind;

static const struct {
        int level, name;
        OptionKind kind;
        int family; /* 0: all */
} options[] = {
        { SOL_SOCKET, SO_KEEPALIVE, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_OOBINLINE, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_PRIORITY, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_RCVLOWAT, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_REUSEADDR, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_REUSEPORT, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_TIMESTAMP, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_TIMESTAMPNS, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_TIMESTAMPING, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_BUSY_POLL, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_ZEROCOPY, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_MAX_PACING_RATE, OPTION_COPIED, 0 },
        { SOL_SOCKET, SO_DONTROUTE, OPTION_STAYS, 0 },
        { SOL_SOCKET, SO_MARK, OPTION_STAYS, 0 },
        { SOL_SOCKET, SO_BINDTOIFINDEX, OPTION_STAYS, 0 },
        { IPPROTO_TCP, TCP_NODELAY, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_CORK, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_MAXSEG, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_KEEPIDLE, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_KEEPINTVL, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_KEEPCNT, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_SYNCNT, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_LINGER2, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_DEFER_ACCEPT, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_WINDOW_CLAMP, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_QUICKACK, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_NOTSENT_LOWAT, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_SAVE_SYN, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_INQ, OPTION_COPIED, 0 },
        { IPPROTO_TCP, TCP_REPAIR, OPTION_STAYS, 0 },
        { IPPROTO_TCP, TCP_TX_DELAY, OPTION_COPIED, 0 },
        { IPPROTO_IP, IP_TOS, OPTION_COPIED, 0 },
        { IPPROTO_IP, IP_TTL, OPTION_COPIED, 0 },
        { IPPROTO_IP, IP_MTU_DISCOVER, OPTION_COPIED, 0 },
        { IPPROTO_IP, IP_RECVERR, OPTION_COPIED, 0 },
        { IPPROTO_IP, IP_MINTTL, OPTION_COPIED, 0 },
        { IPPROTO_IP, IP_TRANSPARENT, OPTION_STAYS, 0 },
        { IPPROTO_IP, IP_UNICAST_IF, OPTION_STAYS, 0 },
        { IPPROTO_IPV6, IPV6_V6ONLY, OPTION_COPIED, AF_INET6 },
        { IPPROTO_IPV6, IPV6_UNICAST_HOPS, OPTION_COPIED, AF_INET6 },
        { IPPROTO_IPV6, IPV6_TCLASS, OPTION_COPIED, AF_INET6 },
        { IPPROTO_IPV6, IPV6_MTU_DISCOVER, OPTION_COPIED, AF_INET6 },
        { IPPROTO_IPV6, IPV6_RECVERR, OPTION_COPIED, AF_INET6 },
        { IPPROTO_IPV6, IPV6_MINHOPCOUNT, OPTION_COPIED, AF_INET6 },
        { IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, OPTION_COPIED, AF_INET6 },
};
static_assert(ELEMENTSOF(options) <= BYPASS_OPTIONS_MAX, "raise BYPASS_OPTIONS_MAX");

/* What a kernel does not know is as on a fresh socket. */
static int get(int fd, size_t i, int otherwise) {
        int value = 0;
        socklen_t size = sizeof(value);

        return getsockopt(fd, options[i].level, options[i].name, &value, &size) < 0 ? otherwise : value;
}

void bypass_options_read(int fd, BypassDefaults *ret) {
        *ret = (BypassDefaults){};
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                ret->value[i] = get(fd, i, 0);
}

/* Options that are no int; those whose fresh value is all zero. */
static const struct {
        int name;
        socklen_t size;
} structures[] = {
        { SO_LINGER, sizeof(struct linger) },
        { SO_RCVTIMEO, sizeof(struct timeval) },
        { SO_SNDTIMEO, sizeof(struct timeval) },
};

static void copy_structures(int from, int to) {
        for (size_t i = 0; i < ELEMENTSOF(structures); i++) {
                static const char zero[32];
                char value[32] = {};
                socklen_t size = structures[i].size;

                if (getsockopt(from, SOL_SOCKET, structures[i].name, value, &size) >= 0 && memcmp(value, zero, size) != 0)
                        (void) setsockopt(to, SOL_SOCKET, structures[i].name, value, size);
        }
}

/* Sizes that somebody has set (SO_BUF_LOCK, Linux 5.14); the kernel doubles what it is told. */
static void copy_buffers(int from, int to) {
        static const struct {
                int lock, name;
        } buffers[] = { { 1, SO_SNDBUF }, { 2, SO_RCVBUF } };
        int locked = 0, value;
        socklen_t size = sizeof(locked);

        if (getsockopt(from, SOL_SOCKET, SO_BUF_LOCK, &locked, &size) < 0)
                return;
        for (size_t i = 0; i < ELEMENTSOF(buffers); i++) {
                size = sizeof(value);
                if (!(locked & buffers[i].lock) || getsockopt(from, SOL_SOCKET, buffers[i].name, &value, &size) < 0)
                        continue;
                value /= 2;
                (void) setsockopt(to, SOL_SOCKET, buffers[i].name, &value, sizeof(value));
        }
}

/* Reno is what sockets in containers begin with (proc/sysctl.h), not what a program has chosen: the host's own default stays. */
static void copy_congestion(int from, int to) {
        static const char unchosen[16] = "reno";
        char wanted[16] = {}, now[16] = {};
        socklen_t size = sizeof(wanted), now_size = sizeof(now);

        if (getsockopt(from, IPPROTO_TCP, TCP_CONGESTION, wanted, &size) < 0 || memcmp(wanted, unchosen, sizeof(wanted)) == 0 ||
            getsockopt(to, IPPROTO_TCP, TCP_CONGESTION, now, &now_size) < 0 || memcmp(wanted, now, sizeof(now)) == 0)
                return;
        (void) setsockopt(to, IPPROTO_TCP, TCP_CONGESTION, wanted, (socklen_t) strnlen(wanted, sizeof(wanted)));
}

/* Source routes and the like. */
static bool has_ip_options(int fd) {
        char value[64];
        socklen_t size = sizeof(value);

        return getsockopt(fd, IPPROTO_IP, IP_OPTIONS, value, &size) >= 0 && size > 0;
}

int bypass_options_copy(const BypassDefaults *defaults, int from, int to, int family) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                if (options[i].family != 0 && options[i].family != family)
                        continue;
                int value = get(from, i, defaults->value[i]);
                if (value == defaults->value[i])
                        continue;
                if (options[i].kind == OPTION_STAYS)
                        return -EOPNOTSUPP;
                (void) setsockopt(to, options[i].level, options[i].name, &value, sizeof(value));
        }
        if (has_ip_options(from))
                return -EOPNOTSUPP;
        copy_structures(from, to);
        copy_buffers(from, to);
        copy_congestion(from, to);
        return 0;
}
