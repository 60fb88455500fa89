/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "net/resolv.h"

static const char host[] = "# made by hand\n"
                           "domain old.example\n"
                           "search example.com corp.example ; and a comment\n"
                           "nameserver 127.0.0.53\n"
                           "nameserver\t192.168.1.1 # the router\n"
                           "nameserver ::1\n"
                           "options edns0 trust-ad\r\n";

static ResolvRequest base(ResolvReach reach, const char *text) {
        return (ResolvRequest){ .reach = reach, .host_text = text, .dns4 = "10.0.2.3", .dns6 = "fd00::3" };
}

static void check_resolv(const ResolvRequest *request, const char *wanted) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *text = NULL;

        CHECK_INT(resolv_conf_text(request, &text, &error), 0);
        CHECK_STR(text, wanted);
}

TEST(the_virtual_address_stands_for_the_hosts_resolver) {
        ResolvRequest q = base(RESOLV_VIRTUAL, host);

        check_resolv(&q, "search example.com corp.example\nnameserver 10.0.2.3\nnameserver fd00::3\noptions edns0 trust-ad\n");
        q.dns6 = NULL;
        check_resolv(&q, "search example.com corp.example\nnameserver 10.0.2.3\noptions edns0 trust-ad\n");
        q = base(RESOLV_VIRTUAL, "nameserver 192.168.1.1\n");
        check_resolv(&q, "nameserver 10.0.2.3\n");
        q = base(RESOLV_VIRTUAL, "nameserver 2001:db8::1\n");
        check_resolv(&q, "nameserver fd00::3\n");
        q = base(RESOLV_VIRTUAL, NULL);
        check_resolv(&q, "nameserver 10.0.2.3\n");
}

TEST(the_hosts_network_has_the_hosts_resolver) {
        ResolvRequest q = base(RESOLV_HOST, host);

        check_resolv(&q, "search example.com corp.example\nnameserver 127.0.0.53\nnameserver 192.168.1.1\nnameserver ::1\n"
                         "options edns0 trust-ad\n");
        q.reach = RESOLV_DIRECT;
        check_resolv(&q, "search example.com corp.example\nnameserver 192.168.1.1\noptions edns0 trust-ad\n");
}

TEST(networks_with_names_have_resolvers_of_their_own) {
        static char *const servers[] = { (char *) "10.89.0.1", (char *) "fd00:89::1", NULL }, *const dns[] = { (char *) "1.1.1.1", NULL },
                          *const search[] = { (char *) "a.b", NULL }, *const none[] = { (char *) ".", NULL };
        ResolvRequest q = base(RESOLV_NAMES, host);

        q.servers = servers;
        check_resolv(&q, "search dns.podman example.com corp.example\nnameserver 10.89.0.1\nnameserver fd00:89::1\noptions edns0 trust-ad\n");
        q.host_text = NULL;
        check_resolv(&q, "search dns.podman\nnameserver 10.89.0.1\nnameserver fd00:89::1\n");
        q.search = search;
        check_resolv(&q, "search a.b\nnameserver 10.89.0.1\nnameserver fd00:89::1\n");
        q.search = none;
        check_resolv(&q, "nameserver 10.89.0.1\nnameserver fd00:89::1\n");
        q.search = NULL;
        q.dns = dns;
        check_resolv(&q, "search dns.podman\nnameserver 10.89.0.1\nnameserver fd00:89::1\n");
}

TEST(options_replace_what_the_host_has) {
        static char *const dns[] = { (char *) "1.1.1.1", (char *) "2606:4700::1111", NULL }, *const search[] = { (char *) "a.b", NULL },
                          *const none[] = { (char *) ".", NULL }, *const options[] = { (char *) "ndots:2", NULL };
        ResolvRequest q = base(RESOLV_VIRTUAL, host);

        q.dns = dns;
        q.search = search;
        q.options = options;
        check_resolv(&q, "search a.b\nnameserver 1.1.1.1\nnameserver 2606:4700::1111\noptions ndots:2\n");
        q.search = none;
        check_resolv(&q, "nameserver 1.1.1.1\nnameserver 2606:4700::1111\noptions ndots:2\n");
}

TEST(options_that_would_be_other_lines_are_refused) {
        static const char *const bad[] = { "", "a b", "a\nnameserver 6.6.6.6", "a#", "\t" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char *const words[] = { (char *) bad[i], NULL };
                ResolvRequest q = base(RESOLV_VIRTUAL, host);
                _cleanup_error_ Error error = ERROR_NULL;
                char *text = NULL;

                q.dns = words;
                CHECK_INT(resolv_conf_text(&q, &text, &error), -EINVAL);
                q.dns = NULL;
                q.search = words;
                CHECK_INT(resolv_conf_text(&q, &text, &error), -EINVAL);
                q.search = NULL;
                q.options = words;
                CHECK_INT(resolv_conf_text(&q, &text, &error), -EINVAL);
        }
}

static void check_hosts(const HostsRequest *request, const char *wanted) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *text = NULL;

        CHECK_INT(hosts_text(request, &text, &error), 0);
        CHECK_STR(text, wanted);
}

#define LOCALHOST "127.0.0.1 localhost localhost.localdomain\n::1 localhost localhost.localdomain\n"

TEST(hosts_name_the_container_and_the_host) {
        HostsRequest q = { .hostname = "web", .name = "pod-web", .address = "10.0.2.100", .host_address = "192.168.1.5" };

        check_hosts(&q, LOCALHOST "192.168.1.5 host.containers.internal host.docker.internal\n10.0.2.100 web pod-web\n");
        q = (HostsRequest){ .hostname = "web", .name = "web" };
        check_hosts(&q, LOCALHOST "127.0.1.1 web\n");
        char *const several[] = { (char *) "10.91.1.2", (char *) "fd91::2", NULL };
        q = (HostsRequest){ .hostname = "web", .name = "pod-web", .addresses = several };
        check_hosts(&q, LOCALHOST "10.91.1.2 web pod-web\nfd91::2 web pod-web\n");
        q = (HostsRequest){ .host_text = "127.0.0.1 localhost me\n::1 ip6-localhost\n192.168.1.9\tnas nas.lan # disk\n\n" };
        check_hosts(&q, LOCALHOST "192.168.1.9 nas nas.lan\n");
}

TEST(added_hosts_come_first) {
        static char *const added[] = { (char *) "db:10.1.1.1", (char *) "a;b:2001:db8::1", (char *) "c:[::1]",
                                       (char *) "gw:host-gateway", NULL };
        HostsRequest q = { .add_hosts = added, .host_address = "192.168.1.5" };

        check_hosts(&q, "10.1.1.1 db\n2001:db8::1 a b\n::1 c\n192.168.1.5 gw\n" LOCALHOST
                        "192.168.1.5 host.containers.internal host.docker.internal\n");
}

TEST(added_hosts_that_are_not_are_refused) {
        static const char *const bad[] = { "", "db", ":1.2.3.4", "db:", "db:1.2.3", "db:host", "a b:1.2.3.4", "a\n:1.2.3.4", "a;;b:1.2.3.4",
                                           "gw:host-gateway" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char *const words[] = { (char *) bad[i], NULL };
                HostsRequest q = { .add_hosts = words };
                _cleanup_error_ Error error = ERROR_NULL;
                char *text = NULL;

                CHECK(hosts_text(&q, &text, &error) < 0);
                CHECK(error.message);
        }
}
