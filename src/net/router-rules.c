/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the router's ruleset. Nothing in it comes from outside but what records have, which is checked when they are read:
 * interface names and subnets. */
#include "net/router-rules.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/process.h"
#include "base/str.h"
#include "config.h"
#include "net/port-route.h"
#include "net/names.h"
#include "net/plumb-driver.h"
#include "ns/visit.h"

enum {
        RULES_ANSWER_LIMIT = 65536,
        MARK_OUT = PORT_ROUTE_MARK + 2, /* of connections that sdpod-net carries out */
};

typedef enum Isolation {
        ISOLATION_NONE,
        ISOLATION_SOME, /* from others that are isolated */
        ISOLATION_ALL,  /* from all others */
} Isolation;

static Isolation isolation_of(const NetworkConfig *network) {
        const char *word = plumb_option(network, "isolate");

        if (network->internal || str_equal(word, "strict"))
                return ISOLATION_ALL;
        return word && (str_equal(word, "true") || str_equal(word, "1")) ? ISOLATION_SOME : ISOLATION_NONE;
}

/* `others6` are IPv6 sources beside the network's own. */
static void write_source_check(FILE *f, const NetworkConfig *network, const char *others6) {
        static const struct {
                const char *word;
                char mark;
        } families[] = { { "ip", '.' }, { "ip6", ':' } };

        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                const char *separator = "";

                fprintf(f, "    iifname \"%s\" %s saddr != { ", network->network_interface, families[i].word);
                if (families[i].mark == ':' && *others6) {
                        fputs(others6, f);
                        separator = ", ";
                }
                for (size_t k = 0; k < network->n_subnets; k++)
                        if (strchr(network->subnets[k].subnet, families[i].mark)) {
                                fprintf(f, "%s%s", separator, network->subnets[k].subnet);
                                separator = ", ";
                        }
                /* a set must not be empty: nobody's own address stands for none */
                fprintf(f, "%s } drop\n", *separator ? "" : i == 0 ? "0.0.0.0" : "::");
        }
}

/* What keeps a network away from others; within it all pass before this. */
static void write_isolation(FILE *f, const NetworkConfig *const *networks, size_t n) {
        const char *separator = "";
        _cleanup_free_ char *set = NULL;
        size_t size, n_some = 0;
        FILE *names = open_memstream(&set, &size);

        for (size_t i = 0; i < n; i++) {
                const char *name = networks[i]->network_interface, *but_uplink = networks[i]->internal ? "" : " oifname != \"" PLUMB_UPLINK "\"",
                           *but_from_uplink = networks[i]->internal ? "" : " iifname != \"" PLUMB_UPLINK "\"";

                if (isolation_of(networks[i]) == ISOLATION_ALL)
                        fprintf(f, "    iifname \"%s\"%s drop\n    oifname \"%s\"%s drop\n", name, but_uplink, name, but_from_uplink);
                if (isolation_of(networks[i]) != ISOLATION_SOME || !names)
                        continue;
                fprintf(names, "%s\"%s\"", separator, name);
                separator = ", ";
                n_some++;
        }
        if (names && fclose(names) == 0 && n_some > 0)
                fprintf(f, "    iifname { %s } oifname { %s } drop\n", set, set);
}

/* How many connections (as connection tracking knows them) one address may have through the router. */
static uint32_t quota_of(const NetworkConfig *network) {
        const char *text = plumb_option(network, "connections");
        uint32_t n;

        return text && parse_u32(text, &n) >= 0 ? n : ROUTER_CONNECTIONS;
}

static void write_quota(FILE *f, const NetworkConfig *const *networks, size_t n) {
        for (size_t i = 0; i < n; i++) {
                uint32_t quota = quota_of(networks[i]);

                if (quota == 0)
                        continue;
                fprintf(f, "    iifname \"%s\" ct state new add @busy4 { ip saddr ct count over %u } goto full\n", networks[i]->network_interface, quota);
                fprintf(f, "    iifname \"%s\" ct state new add @busy6 { ip6 saddr ct count over %u } goto full\n", networks[i]->network_interface, quota);
        }
}

static void write_forward(FILE *f, const NetworkConfig *const *networks, size_t n, bool limited) {
        fputs("  chain forward {\n    type filter hook forward priority filter; policy drop;\n", f);
        for (size_t i = 0; i < n; i++) /* bridged packets come by here, too, where the kernel has br_netfilter */
                fprintf(f, "    iifname \"%s\" oifname \"%s\" accept\n", networks[i]->network_interface, networks[i]->network_interface);
        for (size_t i = 0; i < n; i++)
                write_source_check(f, networks[i], "");
        write_isolation(f, networks, n);
        fputs("    ct state established,related accept\n"
              "    ct state invalid drop\n"
              "    iifname \"" PLUMB_UPLINK "\" oifname \"" PLUMB_UPLINK "\" drop\n",
              f);
        if (limited)
                write_quota(f, networks, n);
        for (size_t i = 0; i < n; i++)
                fprintf(f, "    iifname \"%s\" accept\n    iifname \"" PLUMB_UPLINK "\" oifname \"%s\" accept\n", networks[i]->network_interface,
                        networks[i]->network_interface);
        fputs("  }\n", f);
}

/* The other hosts' ends of a tunnel, and nobody else: what comes by it is not looked at any further. */
static void write_tunnel(FILE *f, const NetworkConfig *network) {
        _cleanup_strv_ char **remotes = NULL;
        const char *port = plumb_option(network, "port");
        uint32_t number = PLUMB_VXLAN_PORT;

        if (!str_equal(network->driver, "vxlan") || (port && parse_u32(port, &number) < 0) || plumb_remotes(network, &remotes) < 0)
                return;
        for (char **text = remotes; text && *text; text++) {
                IpAddress address;

                if (ip_parse(*text, &address) >= 0)
                        fprintf(f, "    iifname \"" PLUMB_UPLINK "\" %s saddr %s udp dport %u accept\n", address.family == AF_INET ? "ip" : "ip6",
                                ip_text(&address), number);
        }
}

/* What is one too many is lost, as on a busy wire, and the sender repeats it: until then others of its may have ended. The router is told
 * of some. */
static void write_full(FILE *f) {
        fprintf(f,
                "  set busy4 {\n    type ipv4_addr\n    size 65535\n    flags dynamic\n  }\n"
                "  set busy6 {\n    type ipv6_addr\n    size 65535\n    flags dynamic\n  }\n"
                "  chain full {\n    limit rate 6/minute burst 1 packets log group %d\n    drop\n  }\n",
                ROUTER_LOG_GROUP);
}

/* Questions for names are no connections: each would be one for half a minute. */
static void write_untracked(FILE *f, const NetworkConfig *const *networks, size_t n) {
        static const struct {
                const char *chain, *interface, *address, *port;
        } ways[] = { { "prerouting", "iifname", "daddr", "dport" }, { "output", "oifname", "saddr", "sport" } };

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                fprintf(f, "  chain untracked_%s {\n    type filter hook %s priority raw;\n", ways[i].chain, ways[i].chain);
                for (size_t k = 0; k < n; k++)
                        for (size_t m = 0; m < networks[k]->n_subnets; m++) {
                                const char *gateway = networks[k]->subnets[m].gateway;

                                if (gateway)
                                        fprintf(f, "    %s \"%s\" %s %s %s meta l4proto 17 th %s 53 notrack\n", ways[i].interface, networks[k]->network_interface,
                                                strchr(gateway, ':') ? "ip6" : "ip", ways[i].address, gateway, ways[i].port);
                        }
                fputs("  }\n", f);
        }
}

/* A network's own resolver, and no other's: dnsmasq would take its connections first. */
static void write_resolver(FILE *f, const NetworkConfig *network) {
        for (size_t i = 0; i < network->n_subnets; i++)
                if (network->subnets[i].gateway)
                        fprintf(f, "    iifname \"%s\" %s daddr %s meta l4proto { 6, 17 } th dport 53 accept\n", network->network_interface,
                                strchr(network->subnets[i].gateway, ':') ? "ip6" : "ip", network->subnets[i].gateway);
}

/* Who pretends to be another network's container, or the uplink's resolver, is stopped before the answers to what the router itself has
 * asked pass. Those to published ports (marked) may come by another of their container's networks. Of ICMP only what must be: echo
 * requests, neighbour discovery, and that a container's own firewall refuses. An error about a packet that was never sent would change
 * the routes' MTU for all networks.
 * Protocols stand as numbers (ICMP 1 and 58, TCP 6, UDP 17): names would be looked up in /etc/protocols, which not every machine has. */
static void write_input(FILE *f, const NetworkConfig *const *networks, size_t n, bool limited) {
        fprintf(f,
                "  chain input {\n"
                "    type filter hook input priority filter; policy drop;\n"
                "    iifname \"lo\" accept\n"
                "    meta mark 0x%x meta l4proto 6 ct direction reply ct state established accept\n"
                "    iifname \"" PLUMB_UPLINK "\" meta mark 0x%x ct state untracked accept\n"
                "    iifname \"" PLUMB_UPLINK "\" ct state established,related accept\n",
                PORT_ROUTE_MARK, PORT_ROUTE_MARK);
        for (size_t i = 0; i < n; i++)
                write_source_check(f, networks[i], "::, fe80::/10");
        fputs("    meta l4proto != { 1, 58 } ct state established,related accept\n"
              "    icmp type 3 icmp code != 4 ct state related accept\n"
              "    icmpv6 type 1 ct state related accept\n",
              f);
        if (limited)
                write_quota(f, networks, n);
        fputs("    icmp type 8 accept\n"
              "    icmpv6 type { 128, 135, 136 } accept\n",
              f);
        for (size_t i = 0; i < n; i++)
                write_resolver(f, networks[i]);
        for (size_t i = 0; i < n; i++) {
                if (plumb_option(networks[i], "dns_peers"))
                        fprintf(f, "    iifname \"%s\" meta l4proto { 6, 17 } th dport %d accept\n", networks[i]->network_interface, NAMES_PEER_PORT);
                write_tunnel(f, networks[i]);
        }
        fputs("  }\n", f);
}

/* Connections of published ports are made here under their clients' addresses (net/port-route.h): the mark of their sockets is that of
 * the connection, and so of the container's answers, which then are for this machine whatever address they go to. Connections that
 * sdpod-net carries out (net/outlet-rules.h) have a mark of their own, from the answer to their first segment, and only that was
 * forwarded. Their segments are this machine's, too, but have to come from the container's own network. */
static void write_marks(FILE *f) {
        fprintf(f,
                "  chain output {\n"
                "    type filter hook output priority mangle;\n"
                "    meta mark 0x%x ct direction original ct mark set 0x%x\n"
                "    meta mark 0x%x ct direction reply ct mark set 0x%x\n"
                "  }\n"
                "  chain prerouting {\n"
                "    type filter hook prerouting priority mangle;\n"
                "    iifname != \"" PLUMB_UPLINK "\" ct direction reply ct mark 0x%x meta mark set 0x%x\n"
                "    iifname != \"" PLUMB_UPLINK "\" ct direction original ct mark 0x%x meta mark set 0x%x\n"
                "  }\n",
                PORT_ROUTE_MARK, PORT_ROUTE_MARK, PORT_ROUTE_MARK, MARK_OUT, PORT_ROUTE_MARK, PORT_ROUTE_MARK, MARK_OUT, PORT_ROUTE_MARK);
}

char *router_rules_text(const RouterRules *rules) {
        const NetworkConfig *const *networks = rules->networks;
        const size_t n_networks = rules->n_networks;
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        /* made if it is not there, so that it can be deleted: all of it is one transaction */
        fputs("table inet sdpod {}\ndelete table inet sdpod\ntable inet sdpod {\n", f);
        if (!rules->without_quota)
                write_full(f);
        write_forward(f, networks, n_networks, !rules->without_quota);
        write_input(f, networks, n_networks, !rules->without_quota);
        write_untracked(f, networks, n_networks);
        write_marks(f);
        fputs("  chain postrouting {\n    type nat hook postrouting priority srcnat;\n    oifname \"" PLUMB_UPLINK "\" masquerade\n  }\n}\n", f);
        if (!rules->without_guard)
                guard_write(f, networks, n_networks, rules->containers, rules->n_containers);
        if (fclose(f) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

typedef struct RulesVisit {
        int text_fd, answer_fd;
        pid_t pid;
} RulesVisit;

static int visit_apply(void *data, Error *reterr) {
        static const char program[] = SDPOD_LIBEXECDIR "/sdpod-rules";
        RulesVisit *visit = data;
        char *argv[] = { (char *) program, NULL }, *envp[] = { NULL };
        const int fds[] = { visit->text_fd, visit->answer_fd, visit->answer_fd };
        pid_t pid;
        int r = process_spawn(program, argv, envp, fds, ELEMENTSOF(fds), &pid, /* ret_pidfd= */ NULL);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot start '%s'", program);
        return process_reap(pid);
}

int router_rules_apply(const Router *router, const RouterRules *rules, Error *reterr) {
        _cleanup_free_ char *text = router_rules_text(rules), *answer = NULL;
        _cleanup_fd_ int text_fd = -EBADF, answer_fd = -EBADF;

        if (!text)
                return error_oom(reterr);
        text_fd = io_memfd("sdpod-rules", text, strlen(text));
        answer_fd = io_memfd("sdpod-rules-answer", "", 0);
        if (text_fd < 0 || answer_fd < 0)
                return error_set_errno(reterr, text_fd < 0 ? text_fd : answer_fd, "cannot write the rules of the networks");
        RulesVisit visit = { .text_fd = text_fd, .answer_fd = answer_fd };
        int r = ns_visit(router->userns_fd, router->netns_fd, visit_apply, &visit, reterr);
        if (r <= 0)
                return r;
        (void) lseek(answer_fd, 0, SEEK_SET);
        (void) io_read_all(answer_fd, RULES_ANSWER_LIMIT, &answer, /* ret_size= */ NULL);
        if (answer)
                answer[strcspn(answer, "\n")] = '\0';
        r = error_set(reterr, -EIO, ERROR_INTERNAL, "cannot set the rules of the networks: %s",
                      !str_empty(answer) ? answer : "sdpod-rules has failed (is it installed?)");
        return error_with_hint(reterr, r, "bridge networks need nf_tables in the kernel (modules nf_tables, nft_masq, nft_ct)");
}
