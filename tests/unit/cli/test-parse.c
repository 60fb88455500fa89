/* SPDX-License-Identifier: Apache-2.0 */
/* Values of options that have no test file of their own. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "cli/detach-keys.h"
#include "cli/parse-blkio.h"
#include "cli/parse-env.h"
#include "cli/parse-life.h"
#include "cli/parse-limit.h"
#include "cli/parse-namespace.h"
#include "cli/parse-port.h"
#include "cli/parse-process.h"
#include "cli/parse-security.h"

typedef int (*Parser)(ContainerConfig *config, const char *value, Error *reterr);
typedef struct Row {
        const char *value, *wanted;
} Row;

TEST(ports) {
        static const Row rows[] = {
                { "80", "|0|80|tcp" },
                { "8080:80", "|8080|80|tcp" },
                { "8080:80/udp", "|8080|80|udp" },
                { "8080:80/UDP", "|8080|80|udp" },
                { "127.0.0.1:8080:80", "127.0.0.1|8080|80|tcp" },
                { "127.0.0.1::80", "127.0.0.1|0|80|tcp" },
                { "0.0.0.0:8080:80", "|8080|80|tcp" },
                { "[::1]:8080:80", "::1|8080|80|tcp" },
                { "[::]:8080:80", "::|8080|80|tcp" },
                { "[0:0:0:0:0:0:0:1]::80", "::1|0|80|tcp" },
                { ":80", "|0|80|tcp" },
                { "8000-8002:80-82", "|8000|80|tcp |8001|81|tcp |8002|82|tcp" },
                { "80-81", "|0|80|tcp |0|81|tcp" },
                { "", "-EINVAL" },
                { "0", "-EINVAL" },
                { "0:80", "-EINVAL" },
                { "65536", "-EINVAL" },
                { "80:", "-EINVAL" },
                { "80:http", "-EINVAL" },
                { "-1:80", "-EINVAL" },
                { "+80:80", "-EINVAL" },
                { " 80:80", "-EINVAL" },
                { "80-70", "-EINVAL" },
                { "80-:80", "-EINVAL" },
                { "8000-8001:80", "-EINVAL" },
                { "8000:80-81", "-EINVAL" },
                { "80/icmp", "-EINVAL" },
                { "80/", "-EINVAL" },
                { "80/tcp/udp", "-EINVAL" },
                { ":8080:80", "-EINVAL" },
                { "localhost:8080:80", "-EINVAL" },
                { "::1:8080:80", "-EINVAL" },
                { "[::1]:80", "-EINVAL" },
                { "[::1:8080:80", "-EINVAL" },
                { "[::1]:1:2:3", "-EINVAL" },
                { "[127.0.0.1]:80:80:80", "-EINVAL" },
                { "1.2.3:8080:80", "-EINVAL" },
                { "80/sctp", "-EOPNOTSUPP" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
                int r = parse_publish(&config, rows[i].value, NULL);
                _cleanup_free_ char *text = r < 0 ? str_format("-%s", strerrorname_np(-r)) : strdup("");

                for (size_t p = 0; r >= 0 && p < config.n_ports; p++) {
                        const ContainerPort *port = &config.ports[p];
                        char *more = str_format("%s%s%s|%u|%u|%s", text, p > 0 ? " " : "", port->host_ip ?: "",
                                                port->host_port, port->container_port, port->protocol);
                        free(text);
                        text = more;
                }
                test_note("%s", rows[i].value);
                CHECK_STR(text, rows[i].wanted);
        }
}

TEST(a_host_port_is_published_once) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;

        CHECK_INT(parse_publish(&config, "8080:80", NULL), 0);
        CHECK_INT(parse_publish(&config, "8080:80/udp", NULL), 0);
        CHECK_INT(parse_publish(&config, "127.0.0.1:8080:80", NULL), 0);
        CHECK_INT(parse_publish(&config, "81", NULL), 0);
        CHECK_INT(parse_publish(&config, "81", NULL), 0);
        CHECK_INT(parse_ports_check(&config, NULL), 0);
        CHECK_INT(parse_publish(&config, "8079-8080:1-2", NULL), 0);
        CHECK_INT(parse_ports_check(&config, NULL), -EINVAL);
}

TEST(ports_have_a_limit) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;

        CHECK_INT(parse_publish(&config, "1-65535", NULL), 0);
        CHECK_INT(parse_publish(&config, "1-65535/udp", NULL), 0);
        CHECK_INT(parse_publish(&config, "1-65535", NULL), -EINVAL);
        CHECK_INT(config.n_ports, 2 * 65535);
        CHECK_INT(config.ports[65534].container_port, 65535);
        CHECK_INT(parse_expose(&config, "80", NULL), 0);
        CHECK_INT(parse_expose(&config, "1-65535/udp", NULL), 0);
        CHECK_INT(strv_length(config.expose), 65536);
        CHECK_STR(config.expose[0], "80/tcp");
        CHECK_STR(config.expose[65535], "65535/udp");
        CHECK_INT(parse_expose(&config, "1-65535,", NULL), -EINVAL);
        CHECK_INT(parse_expose(&config, "90-80", NULL), -EINVAL);
        CHECK_INT(parse_expose(&config, "80/x", NULL), -EINVAL);
}

TEST(environment) {
        char *host[] = { (char *) "HOME=/root", (char *) "LC_ALL=C", (char *) "LC_TIME=de", (char *) "EMPTY=", NULL };
        _cleanup_strv_ char **env = NULL;

        CHECK_INT(parse_env("A=1", host, &env, NULL), 0);
        CHECK_INT(parse_env("A=2=3", host, &env, NULL), 0);
        CHECK_INT(parse_env("HOME", host, &env, NULL), 0);
        CHECK_INT(parse_env("NOT_THERE", host, &env, NULL), 0);
        CHECK_INT(parse_env("LC_*", host, &env, NULL), 0);
        CHECK_INT(parse_env("EMPTY", host, &env, NULL), 0);
        CHECK_INT(parse_env("STAR*=x", host, &env, NULL), 0);
        CHECK_INT(parse_env("", host, &env, NULL), -EINVAL);
        CHECK_INT(parse_env("=x", host, &env, NULL), -EINVAL);
        _cleanup_free_ char *text = strv_join(env, " ");
        CHECK_STR(text, "A=2=3 HOME=/root LC_ALL=C LC_TIME=de EMPTY= STAR*=x");
}

static char *write_file(const char *text, size_t size) {
        char *path = strdup("/tmp/sdpod-test-XXXXXX");
        _cleanup_fd_ int fd = mkstemp(path);

        CHECK(fd >= 0);
        CHECK_INT(io_write_full(fd, text, size), 0);
        return path;
}

TEST(environment_files) {
        static const char content[] = "# comment\n#D=1\n \t#E=1\n\n  A=1\nB= \"quoted\" \r\n\tHOME\n  # another\nC=#x\nNOT_THERE\nA=2";
        char *host[] = { (char *) "HOME=/root", NULL };
        _cleanup_free_ char *path = write_file(content, sizeof(content) - 1), *nul = write_file("A=\0", 3),
                            *bad = write_file("A=1\n=x\n", 7);
        _cleanup_strv_ char **env = NULL, **labels = NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK_INT(parse_env_file(path, host, &env, NULL), 0);
        _cleanup_free_ char *text = strv_join(env, "|");
        CHECK_STR(text, "A=2|B= \"quoted\" |HOME=/root|C=#x");
        CHECK_INT(parse_label_file(path, &labels, NULL), 0);
        CHECK_STR(strv_env_get(labels, "NOT_THERE"), "");
        CHECK_INT(parse_env_file(nul, host, &env, NULL), -EBADMSG);
        CHECK_INT(parse_env_file(bad, host, &env, &error), -EINVAL);
        CHECK_STR(error.message, "line 2: the name is missing");
        CHECK_INT(parse_env_file("/not/there", host, &env, NULL), -ENOENT);
        CHECK_INT(parse_env_file("-", host, &env, NULL), -ENOENT);
        CHECK_INT(parse_env_file("-/not/there", host, &env, NULL), 0);
        _cleanup_free_ char *optional = str_format("-%s", path);
        _cleanup_strv_ char **again = NULL;
        CHECK_INT(parse_env_file(optional, host, &again, NULL), 0);
        CHECK_STR(strv_env_get(again, "A"), "2");
        CHECK_INT(unlink(path) | unlink(nul) | unlink(bad), 0);
}

static void check_codes(Parser parse, const Row *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                int r = parse(&config, rows[i].value, &error);

                test_note("'%s': %s", rows[i].value, error.message ?: "");
                CHECK_STR(r < 0 ? strerrorname_np(-r) : "", rows[i].wanted);
                CHECK(r >= 0 || error.message);
        }
}

TEST(cpus) {
        static const struct {
                const char *value;
                int64_t quota;
        } good[] = { { "1", 100000 }, { "1.5", 150000 }, { "0.01", 1000 }, { "0", 0 }, { "0.0", 0 }, { "2.", 200000 },
                     { "0.123456789", 12345 } };
        static const Row bad[] = { { "", "EINVAL" }, { "-1", "EINVAL" }, { ".5", "EINVAL" }, { "1e3", "EINVAL" },
                                   { "0.001", "EINVAL" }, { "99999999999999999999", "EINVAL" }, { "1,5", "EINVAL" } };

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                ContainerConfig config = CONTAINER_CONFIG_NULL;

                CHECK_INT(parse_cpus(&config, good[i].value, NULL), 0);
                CHECK_INT(config.resources.cpu_quota, good[i].quota);
        }
        check_codes(parse_cpus, bad, ELEMENTSOF(bad));
}

static int parse_cpus_list(ContainerConfig *config, const char *value, Error *reterr) {
        return parse_cpu_list(value, &config->resources.cpuset_cpus, reterr);
}

TEST(cpu_lists) {
        static const Row rows[] = { { "0", "" }, { "0-3,7,11-15", "" }, { "", "EINVAL" }, { ",", "EINVAL" }, { "1,", "EINVAL" },
                                    { "3-1", "EINVAL" }, { "a", "EINVAL" }, { "1-", "EINVAL" }, { "0 1", "EINVAL" },
                                    { "99999", "EINVAL" }, { "1\n2", "EINVAL" } };

        check_codes(parse_cpus_list, rows, ELEMENTSOF(rows));
}

TEST(limits) {
        static const Row ulimits[] = { { "nofile=1024", "" }, { "nofile=1024:2048", "" }, { "core=-1", "" }, { "core=0:-1", "" },
                                       { "host", "" }, { "nofile", "EINVAL" }, { "nofile=", "EINVAL" }, { "nofile=2:1", "EINVAL" },
                                       { "nofile=-1:1", "EINVAL" }, { "nofile=-2", "EINVAL" }, { "nofile=1:", "EINVAL" },
                                       { "files=1", "EINVAL" }, { "=1", "EINVAL" }, { "nofile=1:2:3", "EINVAL" } };
        static const Row pids[] = { { "-1", "" }, { "0", "" }, { "100", "" }, { "-2", "EINVAL" }, { "x", "EINVAL" } };
        static const Row swap[] = { { "-1", "" }, { "1g", "" }, { "-2", "EINVAL" }, { "", "EINVAL" } };
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
        struct rlimit mine;

        check_codes(parse_ulimit, ulimits, ELEMENTSOF(ulimits));
        check_codes(parse_pids_limit, pids, ELEMENTSOF(pids));
        check_codes(parse_memory_swap, swap, ELEMENTSOF(swap));
        CHECK_INT(parse_ulimit(&config, "nofile=5:6", NULL), 0);
        CHECK_INT(parse_ulimit(&config, "nofile=-1", NULL), 0);
        CHECK_INT(config.n_rlimits, 1);
        CHECK_STR(config.rlimits[0].type, "RLIMIT_NOFILE");
        CHECK(config.rlimits[0].hard == UINT64_MAX && config.rlimits[0].soft == UINT64_MAX);
        CHECK_INT(parse_ulimit(&config, "host", NULL), 0);
        CHECK_INT(getrlimit(RLIMIT_NOFILE, &mine), 0);
        CHECK(config.rlimits[0].soft == mine.rlim_cur);
        CHECK_INT(parse_pids_limit(&config, "0", NULL), 0);
        CHECK_INT(config.resources.pids_limit, -1);
}

TEST(sysctls) {
        static const Row rows[] = {
                { "net.ipv4.ip_forward=1", "" }, { "net.core.somaxconn=", "" }, { "net.ipv4.conf.eth0/1.forwarding=1", "" },
                { "kernel.sem=1 2 3 4", "" }, { "fs.mqueue.msg_max=10", "" }, { "kernel.shm_rmid_forced=1", "" },
                { "kernel.panic=1", "EINVAL" }, { "vm.swappiness=1", "EINVAL" }, { "net.ipv4", "EINVAL" }, { "=1", "EINVAL" },
                { "net.=1", "EINVAL" }, { "net=1", "EINVAL" }, { "net..ipv4=1", "EINVAL" },
                { "net./../kernel/panic=1", "EINVAL" }, { "net.a/../../b=1", "EINVAL" }, { "kernel.semx=1", "EINVAL" },
                { "fs.mqueue./../../x=1", "EINVAL" }, { "net.a b=1", "EINVAL" }, { "/net.a=1", "EINVAL" },
        };

        check_codes(parse_sysctl, rows, ELEMENTSOF(rows));
}

TEST(devices) {
        static const Row rows[] = {
                { "/dev/fuse", "" }, { "/dev/fuse:/dev/x", "" }, { "/dev/fuse:r", "" }, { "/dev/fuse:/dev/x:mrw", "" },
                { "", "EINVAL" }, { "fuse", "EINVAL" }, { "/dev/fuse:x", "EINVAL" }, { "/dev/fuse:rr", "EINVAL" },
                { "/dev/fuse:", "EINVAL" }, { "/dev/fuse:/dev/x:", "EINVAL" }, { "/dev/fuse:x:rwm", "EINVAL" },
                { "/dev/a:/dev/b:r:w", "EINVAL" }, { "/dev/fuse:/", "EINVAL" }, { "vendor.com/class=name", "EOPNOTSUPP" },
        };
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;

        check_codes(parse_device, rows, ELEMENTSOF(rows));
        CHECK_INT(parse_device(&config, "/dev/fuse:rw", NULL), 0);
        CHECK_STR(config.devices[0].destination, "/dev/fuse");
        CHECK_STR(config.devices[0].permissions, "rw");
}

TEST(user_namespaces) {
        static const Row rows[] = {
                { "", "" }, { "host", "" }, { "keep-id", "" }, { "keep-id:uid=1000,gid=5", "" }, { "auto", "" },
                { "auto:size=4096", "" }, { "nomap", "" }, { "keep-id:", "EINVAL" }, { "keep-id:uid", "EINVAL" },
                { "keep-id:uid=x", "EINVAL" }, { "keep-id:uid=1,uid=2", "EINVAL" }, { "auto:uid=1", "EINVAL" },
                { "private:x", "EINVAL" }, { "container:x", "" }, { "container:", "EINVAL" }, { "ns:/x", "" }, { "ns:x", "EINVAL" }, { "ns:", "EINVAL" },
                { "keep-id:size=5", "" },
                { "auto:uidmapping=0:0:1", "" }, { "auto:size=5,uidmapping=0:1:2,uidmapping=5:6,gidmapping=0:1", "" },
                { "auto:uidmapping=0", "EINVAL" }, { "auto:uidmapping=0:0:0", "EINVAL" }, { "keep-id:uidmapping=0:0:1", "EINVAL" },
        };

        check_codes(parse_userns, rows, ELEMENTSOF(rows));
}

TEST(id_maps) {
        static const Row rows[] = {
                { "0:1:1000", "" }, { "0:5", "" }, { "4294967294:0:1", "" }, { "0:0:0", "EINVAL" }, { "0", "EINVAL" },
                { "0:0:1:1", "EINVAL" }, { "-1:0:1", "EINVAL" }, { "4294967295:0:1", "EINVAL" },
                { "4294967294:0:2", "EINVAL" }, { "0:4294967290:100", "EINVAL" }, { "0:0:4294967296", "EINVAL" },
                { "+0:0:1", "EINVAL" }, { "0:@5:1", "EINVAL" }, { "u0:0:1", "EINVAL" }, /* these are engine/id-maps's */
        };
        ContainerIdMapping *items = NULL;
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ContainerIdMapping *one = NULL;
                size_t n_one = 0;
                int r = parse_id_map(rows[i].value, &one, &n_one, NULL);

                test_note("%s", rows[i].value);
                CHECK_STR(r < 0 ? strerrorname_np(-r) : "", rows[i].wanted);
                free(one);
        }
        CHECK_INT(parse_id_map("0:100:10", &items, &n, NULL), 0);
        CHECK_INT(parse_id_map("10:110:10", &items, &n, NULL), 0);
        CHECK_INT(parse_id_map("9:200:1", &items, &n, NULL), -EINVAL);
        CHECK_INT(parse_id_map("50:119:1", &items, &n, NULL), -EINVAL);
        CHECK_INT(n, 2);
        free(items);
}

static int parse_pid_mode(ContainerConfig *config, const char *value, Error *reterr) {
        return parse_namespace(value, &config->pid_mode, reterr);
}

static int parse_ipc_mode(ContainerConfig *config, const char *value, Error *reterr) {
        return parse_ipc(value, &config->ipc_mode, reterr);
}

static int parse_search(ContainerConfig *config, const char *value, Error *reterr) {
        return parse_resolv_word(value, &config->dns_search, reterr);
}

TEST(namespaces_and_names) {
        static const Row modes[] = { { "", "" }, { "private", "" }, { "host", "" }, { "container:x", "" }, { "ns:/x", "" },
                                     { "ns:x", "EINVAL" }, { "container:", "EINVAL" }, { "HOST", "EINVAL" },
                                     { "none", "EINVAL" }, { "shareable", "EINVAL" }, { "pod", "EOPNOTSUPP" } };
        static const Row ipc[] = { { "", "" }, { "private", "" }, { "shareable", "" }, { "none", "" }, { "host", "" }, { "container:x", "" },
                                   { "ns:/x", "" }, { "ns:x", "EINVAL" }, { "container:", "EINVAL" }, { "Private", "EINVAL" } };
        static const Row dns[] = { { "1.2.3.4", "" }, { "::1", "" }, { "none", "" }, { "1.2.3", "EINVAL" },
                                   { "example.org", "EINVAL" }, { "1.2.3.4\nsearch x", "EINVAL" }, { "", "EINVAL" } };
        static const Row search[] = { { "example.org", "" }, { ".", "" }, { "", "EINVAL" }, { "a b", "EINVAL" },
                                      { "a\nnameserver 1.2.3.4", "EINVAL" }, { "a#", "EINVAL" } };
        static const Row hosts[] = { { "db:1.2.3.4", "" }, { "db:::1", "" }, { "db", "EINVAL" }, { ":1.2.3.4", "EINVAL" },
                                     { "db:", "EINVAL" }, { "db:x", "EINVAL" }, { "a b:1.2.3.4", "EINVAL" },
                                     { "a\n1.1.1.1 b:1.2.3.4", "EINVAL" }, { "db:host-gateway", "EOPNOTSUPP" } };
        static const Row hostnames[] = { { "a", "" }, { "a-b_c.d", "" }, { "", "EINVAL" }, { "-a", "EINVAL" }, { "a b", "EINVAL" },
                                         { "a\033[m", "EINVAL" },
                                         { "0123456789012345678901234567890123456789012345678901234567890123", "" },
                                         { "01234567890123456789012345678901234567890123456789012345678901234", "EINVAL" } };
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;

        check_codes(parse_pid_mode, modes, ELEMENTSOF(modes));
        check_codes(parse_ipc_mode, ipc, ELEMENTSOF(ipc));
        check_codes(parse_dns, dns, ELEMENTSOF(dns));
        check_codes(parse_search, search, ELEMENTSOF(search));
        check_codes(parse_add_host, hosts, ELEMENTSOF(hosts));
        check_codes(parse_hostname, hostnames, ELEMENTSOF(hostnames));
        CHECK_INT(parse_dns(&config, "1.2.3.4", NULL), 0);
        CHECK_INT(parse_dns(&config, "none", NULL), -EINVAL);
}

TEST(capabilities) {
        _cleanup_strv_ char **caps = NULL;

        CHECK_INT(parse_capability("chown", &caps, NULL), 0);
        CHECK_INT(parse_capability("CAP_CHOWN", &caps, NULL), 0);
        CHECK_INT(parse_capability("cap_Sys_Admin", &caps, NULL), 0);
        CHECK_INT(parse_capability("all", &caps, NULL), 0);
        CHECK_INT(parse_capability("", &caps, NULL), -EINVAL);
        CHECK_INT(parse_capability("CAP_", &caps, NULL), -EINVAL);
        CHECK_INT(parse_capability("sysadmin", &caps, NULL), -EINVAL);
        _cleanup_free_ char *text = strv_join(caps, " ");
        CHECK_STR(text, "CAP_CHOWN CAP_SYS_ADMIN ALL");
}

TEST(block_devices) {
        static const Row weights[] = { { "10", "" }, { "1000", "" }, { "9", "EINVAL" }, { "1001", "EINVAL" }, { "", "EINVAL" }, { "x", "EINVAL" } };
        static const Row confs[] = {
                { "memory.high=1", "" }, { "cgroup.max.depth=1", "" }, { "memory.high=", "" }, { "memory.high", "EINVAL" }, { "=1", "EINVAL" },
                { "memory=1", "EINVAL" }, { "../x.y=1", "EINVAL" }, { "a/b.c=1", "EINVAL" }, { "cgroup.procs=1", "EINVAL" }, { ".x=1", "EINVAL" },
                { "hugetlb.2MB.max=4194304", "" },
        };
        static const struct {
                const char *value;
                uint64_t wanted; /* 0: refused */
        } limits[] = {
                { "/dev/sda:1mb", 1048576 }, { "/dev/sda:5", 5 },  { "/dev/a:b:7", 7 }, { "/dev/sda", 0 }, { "/dev/sda:", 0 },
                { "sda:1", 0 },              { "/etc/x:1", 0 },    { "/dev/sda:0", 0 }, { "/dev/sda:x", 0 },
        };

        check_codes(parse_blkio_weight, weights, ELEMENTSOF(weights));
        check_codes(parse_cgroup_conf, confs, ELEMENTSOF(confs));
        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
                ContainerResources *r = &config.resources;

                test_note("%s", limits[i].value);
                CHECK_INT(parse_device_bps(limits[i].value, &r->read_bps, &r->n_read_bps, NULL), limits[i].wanted ? 0 : -EINVAL);
                CHECK_INT(r->n_read_bps > 0 ? r->read_bps[0].value : 0, limits[i].wanted);
        }
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
        ContainerResources *r = &config.resources;
        CHECK_INT(parse_device_iops("/dev/sda:5", &r->read_iops, &r->n_read_iops, NULL), 0);
        CHECK_INT(parse_device_iops("/dev/sda:6", &r->read_iops, &r->n_read_iops, NULL), 0);
        CHECK_INT(r->n_read_iops, 1); /* the later one */
        CHECK_INT(r->read_iops[0].value, 6);
        CHECK_INT(parse_device_iops("/dev/sda:1mb", &r->read_iops, &r->n_read_iops, NULL), -EINVAL);
        CHECK_INT(parse_device_weight("/dev/sda:5", &r->weight_devices, &r->n_weight_devices, NULL), -EINVAL);
}

TEST(preserved_descriptors) {
        int *fds = NULL, low = fcntl(0, F_DUPFD, 700), high = fcntl(0, F_DUPFD, 705), ours = fcntl(0, F_DUPFD_CLOEXEC, 710);
        char *list[] = { (char *) "705", (char *) "700", (char *) "705", NULL }, *own[] = { (char *) "710", NULL },
             *closed[] = { (char *) "720", NULL }, *standard[] = { (char *) "2", NULL }, *word[] = { (char *) "x", NULL };
        size_t n = 0;

        CHECK(low == 700 && high == 705 && ours == 710);
        CHECK_INT(parse_preserved_fds(0, list, &fds, &n, NULL), 0);
        CHECK(n == 2 && fds[0] == 700 && fds[1] == 705);
        free(fds);
        CHECK_INT(parse_preserved_fds(0, own, &fds, &n, NULL), -EINVAL); /* not the caller's */
        CHECK_INT(parse_preserved_fds(0, closed, &fds, &n, NULL), -EINVAL);
        CHECK_INT(parse_preserved_fds(0, standard, &fds, &n, NULL), -EINVAL);
        CHECK_INT(parse_preserved_fds(0, word, &fds, &n, NULL), -EINVAL);
        CHECK_INT(parse_preserved_fds(100000, NULL, &fds, &n, NULL), -EINVAL);
        close(low);
        close(high);
        close(ours);
}

TEST(small_files) {
        static const Row zones[] = { { "local", "" }, { "", "" }, { "../../etc/passwd", "EINVAL" }, { "/etc/passwd", "EINVAL" },
                                     { "No/Such", "ENOENT" }, { "a b", "EINVAL" }, { "Europe/", "EINVAL" } };
        static const Row entries[] = { { "$USERNAME:x", "" }, { "", "EINVAL" }, { "a\nb", "EINVAL" } };
        static const Row hosts[] = { { "none", "" }, { "image", "" }, { "/etc/hosts", "" }, { "hosts", "EINVAL" }, { "", "EINVAL" } };
        static const Row roots[] = { { "/srv/a", "" }, { "/", "EINVAL" }, { "srv", "EINVAL" }, { "", "EINVAL" } };
        static const Row personalities[] = { { "LINUX", "" }, { "LINUX32", "" }, { "", "" }, { "linux", "EINVAL" } };

        check_codes(parse_timezone, zones, ELEMENTSOF(zones));
        check_codes(parse_passwd_entry, entries, ELEMENTSOF(entries));
        check_codes(parse_group_entry, entries, ELEMENTSOF(entries));
        check_codes(parse_hosts_file, hosts, ELEMENTSOF(hosts));
        check_codes(parse_chrootdir, roots, ELEMENTSOF(roots));
        check_codes(parse_personality, personalities, ELEMENTSOF(personalities));
}

TEST(security_options) {
        static const Row rows[] = {
                { "no-new-privileges", "" }, { "no-new-privileges:true", "" }, { "no-new-privileges=false", "" },
                { "seccomp=unconfined", "" }, { "seccomp=p.json", "" }, { "seccomp:unconfined", "" }, { "mask=/a:/b", "" },
                { "unmask=ALL", "" }, { "unmask=/proc/*:/sys/x", "" }, { "systempaths=unconfined", "" },
                { "label=disable", "" }, { "label:disable", "" }, { "apparmor=unconfined", "" }, { "nested-userns", "" },
                { "", "EINVAL" }, { "nested-userns=1", "EINVAL" },
                { "no-new-privileges=maybe", "EINVAL" }, { "seccomp", "EINVAL" }, { "seccomp=", "EINVAL" },
                { "mask=a", "EINVAL" }, { "mask=/a::/b", "EINVAL" }, { "mask=/a*", "EINVAL" }, { "unmask=", "EINVAL" },
                { "systempaths=x", "EINVAL" }, { "nonsense=1", "EINVAL" }, { "labels=disable", "EINVAL" },
                { "label=nosuch:x", "EINVAL" }, { "label=type:", "EINVAL" }, { "apparmor=", "EINVAL" }, { "apparmor=a b", "EINVAL" },
                { "proc-opts=hidepid=2", "" }, { "proc-opts=hidepid=invisible,gid=5,subset=pid", "" }, { "proc-opts=hidepid=9", "EINVAL" },
                { "proc-opts=gid=x", "EINVAL" }, { "proc-opts=", "EINVAL" },
        };
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;

        CHECK_INT(chdir("/tmp"), 0);
        check_codes(parse_security_opt, rows, ELEMENTSOF(rows));
        CHECK_INT(parse_security_opt(&config, "no-new-privileges", NULL), 0);
        CHECK(config.no_new_privileges);
        CHECK_INT(parse_security_opt(&config, "no-new-privileges:false", NULL), 0);
        CHECK(!config.no_new_privileges);
        CHECK_INT(parse_security_opt(&config, "seccomp=p.json", NULL), 0);
        CHECK_STR(config.seccomp, "/tmp/p.json");
}

TEST(lives) {
        static const Row restarts[] = {
                { "no", "" }, { "never", "" }, { "", "" }, { "always", "" }, { "unless-stopped", "" }, { "on-failure", "" },
                { "on-failure:3", "" }, { "on-failure:", "EINVAL" }, { "on-failure:-1", "EINVAL" }, { "always:3", "EINVAL" },
                { "no:1", "EINVAL" }, { "sometimes", "EINVAL" },
        };
        static const Row timeouts[] = { { "10", "" }, { "-1", "" }, { "0", "" }, { "-2", "EINVAL" }, { "10s", "EINVAL" } };
        static const Row logs[] = { { "path=x", "" }, { "max-size=10m", "" }, { "tag={{.Name}}", "" }, { "path=", "EINVAL" },
                                    { "max-size=0", "EINVAL" }, { "max-size", "EINVAL" }, { "max-file=3", "EOPNOTSUPP" } };
        static const Row users[] = { { "0", "" }, { "a:b", "" }, { "1000:1000", "" }, { "", "EINVAL" }, { ":b", "EINVAL" },
                                     { "a:", "EINVAL" }, { "a:b:c", "EINVAL" }, { "a b", "EINVAL" }, { "a\n", "EINVAL" } };
        static const Row umasks[] = { { "0022", "" }, { "7", "" }, { "8", "EINVAL" }, { "1777", "EINVAL" }, { "", "EINVAL" } };
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;

        check_codes(parse_restart, restarts, ELEMENTSOF(restarts));
        check_codes(parse_stop_timeout, timeouts, ELEMENTSOF(timeouts));
        check_codes(parse_log_opt, logs, ELEMENTSOF(logs));
        check_codes(parse_user, users, ELEMENTSOF(users));
        check_codes(parse_umask, umasks, ELEMENTSOF(umasks));
        CHECK_INT(parse_restart(&config, "on-failure:3", NULL), 0);
        CHECK_STR(config.restart_policy, "on-failure");
        CHECK_INT(config.restart_retries, 3);
        CHECK_INT(parse_restart(&config, "no", NULL), 0);
        CHECK_STR(config.restart_policy, NULL);
        CHECK_INT(parse_shm_size(&config, "0", NULL), 0);
        CHECK(config.shm_size == UINT64_MAX);
}

TEST(commands) {
        static const struct {
                Parser parse;
                const char *value, *wanted;
        } rows[] = {
                { parse_entrypoint, "/bin/sh", "/bin/sh" },
                { parse_entrypoint, "/bin/sh -c", "/bin/sh -c" },
                { parse_entrypoint, "[\"/bin/sh\",\"-c\"]", "/bin/sh|-c" },
                { parse_entrypoint, "[\"a\",1]", "[\"a\",1]" },
                { parse_entrypoint, "[", "[" },
                { parse_entrypoint, "", "" },
                { parse_entrypoint, "[]", "" },
                { parse_health_cmd, "curl  -f x || exit 1", "CMD-SHELL|curl  -f x || exit 1" },
                { parse_health_cmd, "CMD-SHELL curl  x", "CMD-SHELL|curl  x" },
                { parse_health_cmd, "CMD curl  x", "CMD|curl|x" },
                { parse_health_cmd, "[\"curl\",\"-f\"]", "CMD|curl|-f" },
                { parse_health_cmd, "[\"CMD\",\"curl\"]", "CMD|curl" },
                { parse_health_cmd, "[\"CMD-SHELL\",\"a\",\"b\"]", "CMD-SHELL|a b" },
                { parse_health_cmd, "[\"curl -f\"]", "CMD-SHELL|curl -f" },
                { parse_health_cmd, "none", "NONE" },
                { parse_health_cmd, "[\"NONE\"]", "NONE" },
                { parse_health_cmd, "", NULL },
                { parse_health_cmd, "[]", NULL },
                { parse_health_cmd, "CMD", NULL },
                { parse_health_cmd, "CMD-SHELL ", NULL },
                { parse_health_cmd, "[\"CMD\"]", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
                int r = rows[i].parse(&config, rows[i].value, NULL);
                char **words = config.entrypoint ?: config.health.test;
                _cleanup_free_ char *text = strv_join(words ?: (char *[]){ NULL }, "|");

                test_note("%s", rows[i].value);
                CHECK_INT(r, rows[i].wanted ? 0 : -EINVAL);
                CHECK_STR(text, rows[i].wanted ?: "");
        }
}

TEST(detach_keys) {
        static const struct {
                const char *text, *wanted; /* NULL: refused */
        } rows[] = {
                { NULL, "\x10\x11" }, { "", "" }, { "q", "q" }, { "a,ctrl-b,C", "a\x02""C" }, { "ctrl-],ctrl-_", "\x1d\x1f" },
                { "ctrl-@", NULL }, { "ctrl-$", NULL }, { "ctrl-", NULL }, { "ab", NULL }, { "a,,b", NULL }, { ",", NULL }, { " ", NULL },
                { "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_error_ Error error = ERROR_NULL;
                char keys[DETACH_KEYS_MAX];

                CHECK_INT(detach_keys_parse(rows[i].text, keys, &error), rows[i].wanted ? 0 : -EINVAL);
                if (rows[i].wanted)
                        CHECK_STR(keys, rows[i].wanted);
        }
}
