/* SPDX-License-Identifier: Apache-2.0 */
/* The sets of what containers may say on a bridge, and the chains that look them up. */
#include "net/guard.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "net/nft-batch.h"
#include "net/plumb-driver.h"
#include "ns/visit.h"

static const char table_name[] = "sdpod";

/* ---- what there is to say of a container ---- */

typedef enum GuardSet {
        SET_MEMBERS,     /* ports of containers */
        SET_FORWARDERS,  /* ... that forward for others */
        SET_UNNUMBERED,  /* ... that have no address from here */
        SET_FREE,        /* what is not looked at */
        SET_TUNNELS,     /* to other hosts */
        SET_MACS,     /* port, MAC */
        SET_OWN4,     /* port, address */
        SET_OWN6,
        SET_TAKEN,    /* MACs of all: nobody comes with them from another host */
        SET_TAKEN4,   /* addresses of all */
        SET_TAKEN6,
        SET_MAX,
} GuardSet;

/* IPv6 addresses are raw bytes here: only so can the same set be asked for the target of an advertisement, for which nft(8) has had no
 * name for long. They follow the port (16 bytes) in a key. */
static const struct {
        const char *name, *type;
        bool has_port;
} sets[SET_MAX] = {
        [SET_MEMBERS] = { "members", "type ifname", true },
        [SET_FORWARDERS] = { "forwarders", "type ifname", true },
        [SET_UNNUMBERED] = { "unnumbered", "type ifname", true },
        [SET_FREE] = { "free", "type ifname", true },
        [SET_TUNNELS] = { "tunnels", "type ifname", true },
        [SET_MACS] = { "macs", "type ifname . ether_addr", true },
        [SET_OWN4] = { "own4", "type ifname . ipv4_addr", true },
        [SET_OWN6] = { "own6", "typeof iifname . @nh,64,128", true },
        [SET_TAKEN] = { "taken", "type ether_addr", false },
        [SET_TAKEN4] = { "taken4", "type ipv4_addr", false },
        [SET_TAKEN6] = { "taken6", "typeof @nh,64,128", false },
};

typedef struct Element {
        GuardSet set;
        const char *port;      /* as sets[] says */
        const uint8_t *bytes;  /* MAC or address; NULL: the port alone */
        size_t link, address_link; /* which links it is due to */
} Element;

typedef int (*Sink)(const Element *element, void *data);

static size_t width(GuardSet set) {
        static const uint8_t widths[SET_MAX] = { [SET_MACS] = 6, [SET_TAKEN] = 6, [SET_OWN4] = 4, [SET_TAKEN4] = 4, [SET_OWN6] = 16, [SET_TAKEN6] = 16 };

        return widths[set];
}

bool guard_is_free(const NetworkConfig *network) {
        const char *word = plumb_option(network, "spoofing");
        bool is = false;

        return word && parse_bool(word, &is) >= 0 && is;
}

/* Whether the network has a route by one of the link's addresses: what it forwards has others' sources. */
static bool is_forwarder(const PlumbLink *link) {
        for (size_t i = 0; i < link->network->n_routes; i++) {
                IpAddress gateway;

                if (ip_parse(link->network->routes[i].gateway, &gateway) < 0)
                        continue;
                for (size_t k = 0; k < link->n_addresses; k++)
                        if (ip_equal(&gateway, &link->addresses[k].address))
                                return true;
        }
        return false;
}

static GuardSet ports_of(const PlumbLink *link) {
        if (guard_is_free(link->network))
                return SET_FREE;
        return link->n_addresses == 0 ? SET_UNNUMBERED : is_forwarder(link) ? SET_FORWARDERS : SET_MEMBERS;
}

static int say_address(const PlumbLink *link, size_t i, const IpAddress *address, size_t address_link, Sink sink, void *data) {
        bool ip6 = address->family == AF_INET6;
        Element e = { .set = ip6 ? SET_OWN6 : SET_OWN4, .port = link->name, .bytes = address->bytes, .link = i, .address_link = address_link };

        int r = sink(&e, data);
        if (r < 0 || address_link != i)
                return r;
        e.set = ip6 ? SET_TAKEN6 : SET_TAKEN4;
        return sink(&e, data);
}

static int say_link(const GuardContainer *c, size_t i, Sink sink, void *data) {
        const PlumbLink *link = &c->links[i];
        IpAddress local = { .family = AF_INET6 };
        GuardSet ports = ports_of(link);
        const Element elements[] = {
                { .set = ports, .port = link->name, .link = i, .address_link = i },
                { .set = SET_MACS, .port = link->name, .bytes = link->mac, .link = i, .address_link = i },
                { .set = SET_TAKEN, .bytes = link->mac, .link = i, .address_link = i },
        };
        int r = 0;

        for (size_t k = 0; k < (ports != SET_FREE ? ELEMENTSOF(elements) : 1) && r >= 0; k++)
                r = sink(&elements[k], data);
        if (r < 0 || ports == SET_FREE)
                return r;
        plumb_link_local(link->mac, local.bytes);
        r = say_address(link, i, &local, i, sink, data);
        for (size_t k = 0; k < c->n_links; k++)
                for (size_t m = 0; m < c->links[k].n_addresses && r >= 0; m++)
                        r = say_address(link, i, &c->links[k].addresses[m].address, k, sink, data);
        return r;
}

/* Calls `sink` with each element, port by port. */
static int say_all(const GuardContainer *c, Sink sink, void *data) {
        int r = 0;

        for (size_t i = 0; i < c->n_links && r >= 0; i++)
                if (!plumb_has_children(c->links[i].network)) /* those are no ports of a bridge */
                        r = say_link(c, i, sink, data);
        return r;
}

/* ---- as text ---- */

static const char chains[] =
        /* who asks whether an address is in use has none yet (RFC 5227) */
        "  chain check_sender {\n"
        "    iifname . arp saddr ip @own4 accept\n"
        "    arp operation 1 arp saddr ip 0.0.0.0 accept\n"
        "    drop\n"
        "  }\n"
        "  chain check_arp {\n"
        "    arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4 arp operation { 1, 2 } iifname . arp saddr ether @macs goto check_sender\n"
        "    drop\n"
        "  }\n"
        /* nobody here is a DHCP server */
        "  chain check4 {\n"
        "    meta l4proto 17 th sport 67 th dport 68 drop\n"
        "    iifname . ip saddr @own4 accept\n"
        "  }\n"
        "  chain member4 {\n"
        "    jump check4\n"
        "    drop\n"
        "  }\n"
        "  chain forwarder4 {\n"
        "    jump check4\n"
        "    ip saddr @taken4 drop\n"
        "    accept\n"
        "  }\n"
        /* an advertisement is about its target, whoever sends it; what is cut off before that is dropped as well */
        "  chain check_target {\n"
        "    iifname . @th,64,128 @own6 return\n"
        "    drop\n"
        "  }\n"
        /* who asks whether an address is in use has none yet (RFC 4862), nor who joins the group for that (RFC 3810) */
        "  chain check6 {\n"
        "    meta l4proto 17 th sport 547 th dport 546 drop\n"
        "    meta l4proto 58 icmpv6 type { 134, 137 } drop\n"
        "    meta l4proto 58 icmpv6 type 136 jump check_target\n"
        "    iifname . @nh,64,128 @own6 accept\n"
        "    ip6 saddr :: meta l4proto 58 icmpv6 type { 131, 132, 143 } accept\n"
        "    ip6 saddr :: meta l4proto 58 icmpv6 type 135 iifname . @th,64,128 @own6 accept\n"
        "    ip6 saddr :: drop\n"
        "  }\n"
        "  chain member6 {\n"
        "    jump check6\n"
        "    drop\n"
        "  }\n"
        "  chain forwarder6 {\n"
        "    jump check6\n"
        "    ip6 saddr fe80::/10 drop\n"
        "    @nh,64,128 @taken6 drop\n"
        "    accept\n"
        "  }\n"
        /* other protocols, and tags of VLANs, say nothing that could be checked */
        "  chain member {\n"
        "    iifname . ether saddr != @macs drop\n"
        "    ether type vmap { 0x0800 : goto member4, 0x86dd : goto member6, 0x0806 : goto check_arp }\n"
        "    drop\n"
        "  }\n"
        "  chain forwarder {\n"
        "    iifname . ether saddr != @macs drop\n"
        "    ether type vmap { 0x0800 : goto forwarder4, 0x86dd : goto forwarder6, 0x0806 : goto check_arp }\n"
        "    drop\n"
        "  }\n"
        "  chain unnumbered_member {\n"
        "    iifname . ether saddr != @macs drop\n"
        "    accept\n"
        "  }\n"
        /* what comes from another host has its own addresses */
        "  chain tunnel_arp {\n"
        "    arp saddr ip @taken4 drop\n"
        "  }\n"
        "  chain tunnel4 {\n"
        "    meta l4proto 17 th sport 67 th dport 68 drop\n"
        "    ip saddr @taken4 drop\n"
        "  }\n"
        "  chain tunnel6 {\n"
        "    meta l4proto 17 th sport 547 th dport 546 drop\n"
        "    meta l4proto 58 icmpv6 type { 134, 137 } drop\n"
        "    meta l4proto 58 icmpv6 type 136 @th,64,128 @taken6 drop\n"
        "    @nh,64,128 @taken6 drop\n"
        "  }\n"
        "  chain tunnel {\n"
        "    ether saddr @taken drop\n"
        "    ether type vmap { 0x0800 : goto tunnel4, 0x86dd : goto tunnel6, 0x0806 : goto tunnel_arp, 0x8100 : drop, 0x88a8 : drop }\n"
        "  }\n"
        "  chain prerouting {\n"
        "    type filter hook prerouting priority filter;\n"
        "    iifname @members goto member\n"
        "    iifname @free accept\n"
        "    iifname @tunnels goto tunnel\n"
        "    iifname @forwarders goto forwarder\n"
        "    iifname @unnumbered goto unnumbered_member\n"
        "    iifname \"v*\" drop\n"
        "  }\n"
        "}\n";

/* The elements of each set. */
typedef struct Lists {
        FILE *files[SET_MAX];
        char *texts[SET_MAX];
        size_t sizes[SET_MAX];
} Lists;

static int print_element(const Element *e, void *data) {
        const Lists *lists = data;
        FILE *f = lists->files[e->set];

        fputs("      ", f);
        if (sets[e->set].has_port)
                fprintf(f, "\"%s\"%s", e->port, e->bytes ? " . " : "");
        if (width(e->set) == 4)
                fprintf(f, "%u.%u.%u.%u", e->bytes[0], e->bytes[1], e->bytes[2], e->bytes[3]);
        else if (width(e->set) == 6)
                fprintf(f, "%02x:%02x:%02x:%02x:%02x:%02x", e->bytes[0], e->bytes[1], e->bytes[2], e->bytes[3], e->bytes[4], e->bytes[5]);
        else if (e->bytes) {
                fputs("0x", f);
                for (size_t i = 0; i < 16; i++)
                        fprintf(f, "%02x", e->bytes[i]);
        }
        fputs(",\n", f);
        return 0;
}

/* The tunnel of a vxlan network is a port of its bridge, too; the gateways' addresses are the router's. */
static void print_network(const NetworkConfig *network, Lists *lists) {
        bool is_tunnel = str_equal(network->driver, "vxlan");
        char name[IFNAMSIZ];

        if (is_tunnel) {
                plumb_tunnel_name(network, name);
                (void) print_element(&(Element){ .set = guard_is_free(network) ? SET_FREE : SET_TUNNELS, .port = name }, lists);
        }
        for (size_t i = 0; i < network->n_subnets && !guard_is_free(network); i++) {
                IpAddress gateway;

                if (network->subnets[i].gateway && ip_parse(network->subnets[i].gateway, &gateway) >= 0)
                        (void) print_element(&(Element){ .set = gateway.family == AF_INET6 ? SET_TAKEN6 : SET_TAKEN4, .bytes = gateway.bytes }, lists);
        }
}

void guard_write(FILE *f, const NetworkConfig *const *networks, size_t n_networks, const GuardContainer *containers, size_t n_containers) {
        Lists lists = {};
        bool whole = true;

        for (size_t i = 0; i < SET_MAX; i++) {
                lists.files[i] = open_memstream(&lists.texts[i], &lists.sizes[i]);
                whole = whole && lists.files[i];
        }
        for (size_t i = 0; i < n_networks && whole; i++)
                print_network(networks[i], &lists);
        for (size_t i = 0; i < n_containers && whole; i++)
                (void) say_all(&containers[i], print_element, &lists);
        fprintf(f, "table bridge %s {}\ndelete table bridge %s\ntable bridge %s {\n", table_name, table_name, table_name);
        for (size_t i = 0; i < SET_MAX; i++) {
                whole = lists.files[i] && fclose(lists.files[i]) == 0 && whole;
                fprintf(f, "  set %s {\n    %s\n    flags timeout\n    gc-interval 10m\n", sets[i].name, sets[i].type);
                if (lists.sizes[i] > 0)
                        fprintf(f, "    elements = {\n%s    }\n", lists.texts[i]);
                fputs("  }\n", f);
                free(lists.texts[i]);
        }
        fputs(chains, f);
        if (!whole)
                fputs("memory is exhausted\n", f); /* no rule: nothing is changed */
}

/* ---- by netlink ---- */

enum {
        ROOM = 768,          /* for one element, three times, and the end of the batch */
        LAST_MSEC = 10000,   /* for what a container that has ended said last: the kernel sends it when its processes are gone */
};

typedef struct Change {
        const GuardContainer *container;
        GuardChange kind;
        int which;
        int fd;
        NetlinkBatch batch;
} Change;

static void change_begin(Change *c) {
        c->batch = (NetlinkBatch){};
        nft_bracket(&c->batch, NFNL_MSG_BATCH_BEGIN);
}

static int change_commit(Change *c) {
        nft_bracket(&c->batch, NFNL_MSG_BATCH_END);
        return netlink_run(c->fd, &c->batch);
}

static void put_element(NetlinkBatch *b, const Element *e, int message, uint64_t timeout_msec) {
        uint8_t key[32] = {};
        size_t port = sets[e->set].has_port ? IFNAMSIZ : 0, bytes = width(e->set);

        if (port > 0)
                memcpy(key, e->port, strnlen(e->port, IFNAMSIZ - 1));
        if (bytes > 0)
                memcpy(key + port, e->bytes, bytes);
        size_t start = nft_begin(b, NFPROTO_BRIDGE, message, message == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
        nft_text(b, NFTA_SET_ELEM_LIST_TABLE, table_name);
        nft_text(b, NFTA_SET_ELEM_LIST_SET, sets[e->set].name);
        size_t list = nft_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS), element = nft_nest(b, NFTA_LIST_ELEM);
        /* the parts of a key are whole words */
        nft_value(b, NFTA_SET_ELEM_KEY, key, port > 0 ? port + (bytes + 3) / 4 * 4 : bytes);
        if (timeout_msec > 0) {
                uint64_t wire = htobe64(timeout_msec);

                (void) netlink_attribute(b, NFTA_SET_ELEM_TIMEOUT, &wire, sizeof(wire));
        }
        netlink_attribute_end(b, element);
        netlink_attribute_end(b, list);
        netlink_end(b, start);
}

/* Only one that is there can be deleted, and one that is there keeps its time: so it is added, deleted, and added as it should be. */
static int change_element(const Element *e, void *data) {
        Change *c = data;

        if (c->which != GUARD_ALL && e->link != (size_t) c->which && e->address_link != (size_t) c->which)
                return 0;
        if (c->batch.size + ROOM > sizeof(c->batch.data)) {
                int r = change_commit(c);
                if (r < 0)
                        return r;
                change_begin(c);
        }
        put_element(&c->batch, e, NFT_MSG_NEWSETELEM, 0);
        put_element(&c->batch, e, NFT_MSG_DELSETELEM, 0);
        if (c->kind != GUARD_REMOVE)
                put_element(&c->batch, e, NFT_MSG_NEWSETELEM, c->kind == GUARD_LAST ? LAST_MSEC : 0);
        return 0;
}

static int visit_probe(_unused_ void *data, _unused_ Error *reterr) {
        _cleanup_fd_ int fd = nft_open();
        NetlinkBatch batch = {};

        if (fd < 0)
                return fd;
        nft_bracket(&batch, NFNL_MSG_BATCH_BEGIN);
        size_t start = nft_begin(&batch, NFPROTO_BRIDGE, NFT_MSG_NEWTABLE, NLM_F_CREATE);
        nft_text(&batch, NFTA_TABLE_NAME, table_name);
        netlink_end(&batch, start);
        start = nft_begin(&batch, NFPROTO_BRIDGE, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        nft_text(&batch, NFTA_CHAIN_TABLE, table_name);
        nft_text(&batch, NFTA_CHAIN_NAME, "prerouting");
        size_t hook = nft_nest(&batch, NFTA_CHAIN_HOOK);
        nft_number(&batch, NFTA_HOOK_HOOKNUM, NF_BR_PRE_ROUTING);
        nft_number(&batch, NFTA_HOOK_PRIORITY, (uint32_t) NF_BR_PRI_FILTER_BRIDGED);
        netlink_attribute_end(&batch, hook);
        nft_text(&batch, NFTA_CHAIN_TYPE, "filter");
        netlink_end(&batch, start);
        nft_bracket(&batch, NFNL_MSG_BATCH_END);
        return netlink_run(fd, &batch);
}

bool guard_is_possible(const Router *router) {
        return ns_visit(router->userns_fd, router->netns_fd, visit_probe, /* data= */ NULL, /* reterr= */ NULL) >= 0;
}

static int visit_open(void *data, Error *reterr) {
        int r = nft_open();

        if (r < 0)
                return error_set_errno(reterr, r, "cannot note the addresses that containers may use");
        *(int *) data = r;
        return 0;
}

int guard_open(const Router *router, Error *reterr) {
        int fd = -EBADF, r = ns_visit(router->userns_fd, router->netns_fd, visit_open, &fd, reterr);

        return r < 0 ? r : fd;
}

int guard_change(int fd, GuardChange kind, const GuardContainer *container, int which, Error *reterr) {
        Change change = { .container = container, .kind = kind, .which = which, .fd = fd };

        change_begin(&change);
        int r = say_all(container, change_element, &change);
        if (r >= 0)
                r = change_commit(&change);
        return r < 0 ? error_set_errno(reterr, r, "cannot %s the addresses that a container may use", kind == GUARD_ADD ? "note" : "forget") : 0;
}
