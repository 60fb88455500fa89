/* SPDX-License-Identifier: Apache-2.0 */
/* Puts an nftables table into a namespace (linux/netfilter/nf_tables.h, nft(8)), as one batch and without a library: the start of every
 * container waits for it. */
#include "net/outlet-rules.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/io.h"
#include "net/local-tcp.h"
#include "net/nft-batch.h"
#include "net/port-route.h"

enum {
        BACKLOG = 4096,
        KEEP_IDLE_SEC = 120,
        KEEP_INTERVAL_SEC = 15,
        MARK_BACK = PORT_ROUTE_MARK + 1, /* from the tap to `lo`: published ports are marked there, too */
        PRIORITY_RAW = -300, /* before connection tracking */
        PRIORITY_MANGLE = -150,
        TCP_FLAGS = 13, /* RFC 9293, section 3.1 */
        TCP_SYN = 0x02,
        TCP_SYN_ACK = 0x12,
        IP4_TTL = 8, /* RFC 791, section 3.1; in a word with the protocol */
        IP4_CHECKSUM = 10,
        IP4_DESTINATION = 16,
        IP6_NEXT_HEADER = 6, /* RFC 8200, section 3; in a word with the hop limit */
        IP6_DESTINATION = 24,
};

static const char table_name[] = "sdpod-outlet", out_name[] = "out", in_name[] = "in", back_name[] = "back";

void outlet_sockets_done(OutletSockets *sockets) {
        sockets->rules_fd = fd_close(sockets->rules_fd);
        sockets->listener4 = fd_close(sockets->listener4);
        sockets->listener6 = fd_close(sockets->listener6);
}

static void add_table(NetlinkBatch *b, uint8_t family) {
        size_t start = nft_begin(b, family, NFT_MSG_NEWTABLE, NLM_F_CREATE);

        nft_text(b, NFTA_TABLE_NAME, table_name);
        nft_number(b, NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
        netlink_end(b, start);
}

/* `interface` is that of a chain which sees what a link receives, before all else; NULL: of no link. */
static void add_chain(NetlinkBatch *b, const char *name, const char *type, uint32_t hook, int priority, const char *interface) {
        size_t start = nft_begin(b, interface ? NFPROTO_NETDEV : NFPROTO_INET, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

        nft_text(b, NFTA_CHAIN_TABLE, table_name);
        nft_text(b, NFTA_CHAIN_NAME, name);
        size_t inner = nft_nest(b, NFTA_CHAIN_HOOK);
        nft_number(b, NFTA_HOOK_HOOKNUM, hook);
        nft_number(b, NFTA_HOOK_PRIORITY, (uint32_t) priority);
        if (interface)
                nft_text(b, NFTA_HOOK_DEV, interface);
        netlink_attribute_end(b, inner);
        nft_text(b, NFTA_CHAIN_TYPE, type);
        netlink_end(b, start);
}

/* A rule is a list of expressions on one register; where a comparison fails, the rule is over. */
typedef struct Rule {
        NetlinkBatch *b;
        size_t start, expressions, element, data;
} Rule;

static Rule rule_begin(NetlinkBatch *b, const char *chain) {
        uint8_t family = chain == back_name ? NFPROTO_NETDEV : NFPROTO_INET;
        Rule rule = { .b = b, .start = nft_begin(b, family, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND) };

        nft_text(b, NFTA_RULE_TABLE, table_name);
        nft_text(b, NFTA_RULE_CHAIN, chain);
        rule.expressions = nft_nest(b, NFTA_RULE_EXPRESSIONS);
        return rule;
}

static void rule_end(Rule *rule) {
        netlink_attribute_end(rule->b, rule->expressions);
        netlink_end(rule->b, rule->start);
}

static void expression_begin(Rule *rule, const char *name) {
        rule->element = nft_nest(rule->b, NFTA_LIST_ELEM);
        nft_text(rule->b, NFTA_EXPR_NAME, name);
        rule->data = nft_nest(rule->b, NFTA_EXPR_DATA);
}

static void expression_end(Rule *rule) {
        netlink_attribute_end(rule->b, rule->data);
        netlink_attribute_end(rule->b, rule->element);
}

static void load_meta(Rule *rule, uint32_t key) {
        expression_begin(rule, "meta");
        nft_number(rule->b, NFTA_META_KEY, key);
        nft_number(rule->b, NFTA_META_DREG, NFT_REG_1);
        expression_end(rule);
}

static void load_payload(Rule *rule, uint32_t base, uint32_t offset, uint32_t size) {
        expression_begin(rule, "payload");
        nft_number(rule->b, NFTA_PAYLOAD_DREG, NFT_REG_1);
        nft_number(rule->b, NFTA_PAYLOAD_BASE, base);
        nft_number(rule->b, NFTA_PAYLOAD_OFFSET, offset);
        nft_number(rule->b, NFTA_PAYLOAD_LEN, size);
        expression_end(rule);
}

/* `checksum` is where an Internet checksum of what is changed stands; 0: there is none. */
static void store_payload(Rule *rule, uint32_t base, uint32_t offset, uint32_t size, uint32_t checksum) {
        expression_begin(rule, "payload");
        nft_number(rule->b, NFTA_PAYLOAD_SREG, NFT_REG_1);
        nft_number(rule->b, NFTA_PAYLOAD_BASE, base);
        nft_number(rule->b, NFTA_PAYLOAD_OFFSET, offset);
        nft_number(rule->b, NFTA_PAYLOAD_LEN, size);
        nft_number(rule->b, NFTA_PAYLOAD_CSUM_TYPE, checksum ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE);
        nft_number(rule->b, NFTA_PAYLOAD_CSUM_OFFSET, checksum);
        expression_end(rule);
}

static void mask(Rule *rule, const void *and, const void *xor, uint32_t size) {
        expression_begin(rule, "bitwise");
        nft_number(rule->b, NFTA_BITWISE_SREG, NFT_REG_1);
        nft_number(rule->b, NFTA_BITWISE_DREG, NFT_REG_1);
        nft_number(rule->b, NFTA_BITWISE_LEN, size);
        nft_value(rule->b, NFTA_BITWISE_MASK, and, size);
        nft_value(rule->b, NFTA_BITWISE_XOR, xor, size);
        expression_end(rule);
}

static void compare(Rule *rule, uint32_t how, const void *with, size_t size) {
        expression_begin(rule, "cmp");
        nft_number(rule->b, NFTA_CMP_SREG, NFT_REG_1);
        nft_number(rule->b, NFTA_CMP_OP, how);
        nft_value(rule->b, NFTA_CMP_DATA, with, size);
        expression_end(rule);
}

static void verdict(Rule *rule, int code) {
        expression_begin(rule, "immediate");
        nft_number(rule->b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        size_t data = nft_nest(rule->b, NFTA_IMMEDIATE_DATA), inner = nft_nest(rule->b, NFTA_DATA_VERDICT);
        nft_number(rule->b, NFTA_VERDICT_CODE, (uint32_t) code);
        netlink_attribute_end(rule->b, inner);
        netlink_attribute_end(rule->b, data);
        expression_end(rule);
}

static void load_immediate(Rule *rule, const void *data, size_t size) {
        expression_begin(rule, "immediate");
        nft_number(rule->b, NFTA_IMMEDIATE_DREG, NFT_REG_1);
        nft_value(rule->b, NFTA_IMMEDIATE_DATA, data, size);
        expression_end(rule);
}

static void set_mark(Rule *rule, uint32_t mark) {
        load_immediate(rule, &mark, sizeof(mark));
        expression_begin(rule, "meta");
        nft_number(rule->b, NFTA_META_KEY, NFT_META_MARK);
        nft_number(rule->b, NFTA_META_SREG, NFT_REG_1);
        expression_end(rule);
}

static void link_is(Rule *rule, uint32_t key, uint32_t how, int ifindex) {
        load_meta(rule, key);
        compare(rule, how, &ifindex, sizeof(ifindex));
}

static void byte_is(Rule *rule, uint32_t key, uint32_t how, uint8_t byte) {
        load_meta(rule, key);
        compare(rule, how, &byte, sizeof(byte));
}

static void is_opening(Rule *rule, uint32_t how) {
        const uint8_t and = TCP_SYN_ACK, xor = 0, syn = TCP_SYN;

        load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1);
        mask(rule, &and, &xor, 1);
        compare(rule, how, &syn, 1);
}

/* What goes to the container's own network is libslirp's: its gateway and its name server. */
static void skip_own4(NetlinkBatch *b, const NetAddresses *a) {
        const uint8_t zero[4] = {};
        Rule rule = rule_begin(b, out_name);

        byte_is(&rule, NFT_META_NFPROTO, NFT_CMP_EQ, NFPROTO_IPV4);
        load_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, IP4_DESTINATION, sizeof(a->netmask));
        mask(&rule, &a->netmask, zero, sizeof(a->netmask));
        compare(&rule, NFT_CMP_EQ, &a->network, sizeof(a->network));
        verdict(&rule, NFT_RETURN);
        rule_end(&rule);
}

static void skip_own6(NetlinkBatch *b, const NetAddresses *a) {
        uint8_t and[16] = {}, zero[16] = {};
        Rule rule = rule_begin(b, out_name);

        for (unsigned i = 0; i < a->prefix6 && i < 128; i++)
                and[i / 8] |= (uint8_t) (0x80 >> i % 8);
        byte_is(&rule, NFT_META_NFPROTO, NFT_CMP_EQ, NFPROTO_IPV6);
        load_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, IP6_DESTINATION, sizeof(and));
        mask(&rule, and, zero, sizeof(and));
        compare(&rule, NFT_CMP_EQ, &a->network6, sizeof(a->network6));
        verdict(&rule, NFT_RETURN);
        rule_end(&rule);
}

/* Writes the time to live of an opening segment, a byte in a word of two. */
static void set_hops(NetlinkBatch *b, uint8_t family, uint32_t offset, const uint8_t and[2], const uint8_t xor[2], uint32_t checksum) {
        Rule rule = rule_begin(b, out_name);

        byte_is(&rule, NFT_META_NFPROTO, NFT_CMP_EQ, family);
        is_opening(&rule, NFT_CMP_EQ);
        load_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, offset, 2);
        mask(&rule, and, xor, 2);
        store_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, offset, 2, checksum);
        rule_end(&rule);
}

static void add_out_rules(NetlinkBatch *b, OutletKind kind, const NetAddresses *a, int ifindex, bool ipv6) {
        static const uint8_t and4[2] = { 0, 0xff }, xor4[2] = { OUTLET_HOPS, 0 }, and6[2] = { 0xff, 0 }, xor6[2] = { 0, OUTLET_HOPS };
        Rule rule = rule_begin(b, out_name);

        link_is(&rule, NFT_META_OIF, NFT_CMP_NEQ, ifindex);
        verdict(&rule, NFT_RETURN);
        rule_end(&rule);
        rule = rule_begin(b, out_name);
        byte_is(&rule, NFT_META_L4PROTO, NFT_CMP_NEQ, IPPROTO_TCP);
        verdict(&rule, NFT_RETURN);
        rule_end(&rule);
        skip_own4(b, a);
        if (ipv6)
                skip_own6(b, a);
        if (kind == OUTLET_OWN) {
                rule = rule_begin(b, out_name);
                is_opening(&rule, NFT_CMP_NEQ);
                set_mark(&rule, PORT_ROUTE_MARK);
                rule_end(&rule);
        }
        set_hops(b, NFPROTO_IPV4, IP4_TTL, and4, xor4, IP4_CHECKSUM);
        if (ipv6)
                set_hops(b, NFPROTO_IPV6, IP6_NEXT_HEADER, and6, xor6, /* checksum= */ 0);
}

/* What comes back by the tap comes by `lo` then, marked: a container's own firewall lets that pass, which would not let a connection in. */
static void add_back_rule(NetlinkBatch *b) {
        static const uint8_t loopback_mac[6];
        const uint32_t loopback = LOOPBACK;
        Rule rule = rule_begin(b, back_name);

        byte_is(&rule, NFT_META_L4PROTO, NFT_CMP_EQ, IPPROTO_TCP);
        is_opening(&rule, NFT_CMP_EQ);
        set_mark(&rule, MARK_BACK);
        load_immediate(&rule, loopback_mac, sizeof(loopback_mac));
        store_payload(&rule, NFT_PAYLOAD_LL_HEADER, 0, sizeof(loopback_mac), /* checksum= */ 0);
        load_immediate(&rule, &loopback, sizeof(loopback));
        expression_begin(&rule, "fwd");
        nft_number(b, NFTA_FWD_SREG_DEV, NFT_REG_1);
        expression_end(&rule);
        rule_end(&rule);
}

/* A router's own rules know what comes by `lo` as its own, so there it comes by the tap. */
static void add_in_rule(NetlinkBatch *b, OutletKind kind, int ifindex) {
        const uint32_t mark = MARK_BACK;
        const uint16_t port = htons(OUTLET_PORT);
        Rule rule = rule_begin(b, in_name);

        link_is(&rule, NFT_META_IIF, NFT_CMP_EQ, kind == OUTLET_OWN ? LOOPBACK : ifindex);
        byte_is(&rule, NFT_META_L4PROTO, NFT_CMP_EQ, IPPROTO_TCP);
        if (kind == OUTLET_OWN) {
                load_meta(&rule, NFT_META_MARK);
                compare(&rule, NFT_CMP_EQ, &mark, sizeof(mark));
        }
        is_opening(&rule, NFT_CMP_EQ);
        load_immediate(&rule, &port, sizeof(port));
        expression_begin(&rule, "tproxy");
        nft_number(b, NFTA_TPROXY_FAMILY, NFPROTO_UNSPEC);
        nft_number(b, NFTA_TPROXY_REG_PORT, NFT_REG_1);
        expression_end(&rule);
        set_mark(&rule, PORT_ROUTE_MARK);
        if (kind == OUTLET_FORWARDED) {
                expression_begin(&rule, "notrack");
                expression_end(&rule);
        }
        verdict(&rule, NF_ACCEPT);
        rule_end(&rule);
}

static int add_rules(int fd, OutletKind kind, const NetAddresses *addresses, const char *interface, int ifindex, bool ipv6) {
        NetlinkBatch batch = {};

        nft_bracket(&batch, NFNL_MSG_BATCH_BEGIN);
        add_table(&batch, NFPROTO_INET);
        if (kind == OUTLET_OWN)
                add_chain(&batch, out_name, "route", NF_INET_LOCAL_OUT, PRIORITY_MANGLE, /* interface= */ NULL);
        else
                add_chain(&batch, out_name, "filter", NF_INET_FORWARD, PRIORITY_MANGLE, /* interface= */ NULL);
        add_chain(&batch, in_name, "filter", NF_INET_PRE_ROUTING, PRIORITY_RAW, /* interface= */ NULL);
        add_out_rules(&batch, kind, addresses, ifindex, ipv6);
        add_in_rule(&batch, kind, ifindex);
        if (kind == OUTLET_OWN) {
                add_table(&batch, NFPROTO_NETDEV);
                add_chain(&batch, back_name, "filter", NF_NETDEV_INGRESS, 0, interface);
                add_back_rule(&batch);
        }
        nft_bracket(&batch, NFNL_MSG_BATCH_END);
        return netlink_run(fd, &batch);
}

static int make_listener(int family) {
        const struct {
                int level, name, value;
        } options[] = {
                { family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, family == AF_INET ? IP_TRANSPARENT : IPV6_TRANSPARENT, 1 },
                { SOL_SOCKET, SO_REUSEADDR, 1 }, /* or a server that wants the port of a peer of ours would not get it */
                { IPPROTO_TCP, TCP_SYNCNT, 1 },  /* nothing is lost on the way: who does not answer at once has dropped it */
                /* what it accepts has these, too (tcp(7)): a container on a bridge may vanish without a word */
                { SOL_SOCKET, SO_KEEPALIVE, 1 },
                { IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_SEC },
                { IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_SEC },
        };
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(OUTLET_PORT) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(OUTLET_PORT) };
        int one = 1;

        _cleanup_fd_ int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value)) < 0)
                        return -errno;
        local_tcp_hasten(fd);
        if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
                return -errno;
        int r = family == AF_INET ? bind(fd, (struct sockaddr *) &in, sizeof(in)) : bind(fd, (struct sockaddr *) &in6, sizeof(in6));
        return r < 0 || listen(fd, BACKLOG) < 0 ? -errno : TAKE_FD(fd);
}

/* The opening segment comes with the container's own address (ip-sysctl: accept_local), and the answers to it by `lo` from any. */
static int allow_own_address(const char *interface) {
        const struct {
                const char *interface, *name, *value;
        } settings[] = { { interface, "accept_local", "1" }, { interface, "rp_filter", "0" }, { "all", "rp_filter", "0" }, { "lo", "rp_filter", "0" } };

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                char path[96];

                (void) snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", settings[i].interface, settings[i].name);
                int r = file_write_string(AT_FDCWD, path, settings[i].value);
                if (r < 0)
                        return r;
        }
        return 0;
}

int outlet_rules_set_up(OutletKind kind, const NetAddresses *addresses, const char *interface, int ifindex, bool ipv6, OutletSockets *ret) {
        OutletSockets sockets = OUTLET_SOCKETS_NULL;

        int r = allow_own_address(kind == OUTLET_OWN ? "lo" : interface);
        if (r >= 0)
                r = sockets.listener4 = make_listener(AF_INET);
        if (r >= 0 && ipv6)
                r = sockets.listener6 = make_listener(AF_INET6);
        if (r >= 0) {
                sockets.rules_fd = nft_open();
                r = sockets.rules_fd < 0 ? sockets.rules_fd : add_rules(sockets.rules_fd, kind, addresses, interface, ifindex, ipv6);
        }
        if (r < 0) {
                outlet_sockets_done(&sockets);
                return r;
        }
        *ret = sockets;
        return 0;
}
