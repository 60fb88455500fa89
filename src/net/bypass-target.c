/* SPDX-License-Identifier: Apache-2.0 */
/* Reads addresses, and writes the filter that ties a socket to one. */
#include "net/bypass-target.h"

#include <linux/filter.h>
#include <stdint.h>
#include <string.h>

#include "net/reach.h"

int bypass_target_parse(const void *address, size_t size, BypassTarget *ret) {
        BypassTarget t = {};
        sa_family_t family;

        if (size < sizeof(family))
                return -EINVAL;
        memcpy(&family, address, sizeof(family));
        t.family = family;
        if (family == AF_INET && size >= sizeof(struct sockaddr_in)) {
                struct sockaddr_in in;

                memcpy(&in, address, sizeof(in));
                in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = in.sin_port, .sin_addr = in.sin_addr };
                t.ipv4 = true;
                t.address4 = in.sin_addr;
                t.port = ntohs(in.sin_port);
                t.size = sizeof(in);
                memcpy(&t.sockaddr, &in, sizeof(in));
        } else if (family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
                struct sockaddr_in6 in6;

                memcpy(&in6, address, sizeof(in6));
                if (in6.sin6_scope_id != 0)
                        return -EADDRNOTAVAIL;
                in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = in6.sin6_port, .sin6_addr = in6.sin6_addr };
                t.ipv4 = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
                memcpy(&t.address4, in6.sin6_addr.s6_addr + 12, sizeof(t.address4));
                t.address6 = in6.sin6_addr;
                t.port = ntohs(in6.sin6_port);
                t.size = sizeof(in6);
                memcpy(&t.sockaddr, &in6, sizeof(in6));
        } else
                return family == AF_INET || family == AF_INET6 ? -EINVAL : -EAFNOSUPPORT;
        *ret = t;
        return 0;
}

bool bypass_target_may_be_reached(const BypassTarget *target) {
        const ReachRules rules = {};

        if (target->port == 0)
                return false;
        return target->ipv4 ? reach_allows4(ntohl(target->address4.s_addr), rules) : reach_allows6(&target->address6, rules);
}

enum {
        VERSION_BITS = 0xf0,
        IPV4_SOURCE = 12, /* RFC 791, section 3.1 */
        IPV6_SOURCE = 8,  /* RFC 8200, section 3 */
        FILTER_MAX = 24,
};

static void emit(struct sock_filter *code, size_t *n, uint16_t operation, uint32_t k) {
        code[(*n)++] = (struct sock_filter){ .code = operation, .k = k };
}

/* What is not so is dropped: the jumps are set at the end, when it is known where that stands. */
static void emit_must_be(struct sock_filter *code, size_t *n, uint32_t value) {
        emit(code, n, BPF_JMP | BPF_JEQ | BPF_K, value);
}

/* A filter for incoming segments (socket(7), SO_ATTACH_FILTER): those from this address and port, and no others. Returns the
 * number of instructions. */
static size_t make_filter(const BypassTarget *target, struct sock_filter code[static FILTER_MAX]) {
        size_t n = 0;

        emit(code, &n, BPF_LD | BPF_B | BPF_ABS, (uint32_t) SKF_NET_OFF);
        emit(code, &n, BPF_ALU | BPF_AND | BPF_K, VERSION_BITS);
        emit_must_be(code, &n, target->ipv4 ? 4U << 4 : 6U << 4);
        if (target->ipv4) {
                emit(code, &n, BPF_LD | BPF_W | BPF_ABS, (uint32_t) (SKF_NET_OFF + IPV4_SOURCE));
                emit_must_be(code, &n, ntohl(target->address4.s_addr));
        } else
                for (uint32_t i = 0; i < 4; i++) {
                        uint32_t word;

                        memcpy(&word, target->address6.s6_addr + 4 * i, sizeof(word));
                        emit(code, &n, BPF_LD | BPF_W | BPF_ABS, (uint32_t) (SKF_NET_OFF + IPV6_SOURCE) + 4 * i);
                        emit_must_be(code, &n, ntohl(word));
                }
        emit(code, &n, BPF_LD | BPF_H | BPF_ABS, 0); /* the filter's data begins with the TCP header: its source port */
        emit_must_be(code, &n, target->port);
        emit(code, &n, BPF_RET | BPF_K, UINT32_MAX);
        emit(code, &n, BPF_RET | BPF_K, 0);
        for (size_t i = 0; i < n; i++)
                if (code[i].code == (BPF_JMP | BPF_JEQ | BPF_K))
                        code[i].jf = (uint8_t) (n - 1 - i - 1);
        return n;
}

int bypass_target_mark(int fd) {
        int on = 1;

        return setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0 ? -errno : 0;
}

int bypass_target_tie(const BypassTarget *target, int fd) {
        struct sock_filter code[FILTER_MAX];
        struct sock_fprog program = { .filter = code, .len = (unsigned short) make_filter(target, code) };

        return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : bypass_target_mark(fd);
}
