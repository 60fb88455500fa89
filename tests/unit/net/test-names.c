/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a network's containers: the files, and dnsmasq with them, asked over a bridge from another namespace. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/test.h"
#include "net/names.h"

static char *const web_addresses[] = { (char *) "10.89.0.2", (char *) "fd00:89::2", NULL };
static char *const web_names[] = { (char *) "web", (char *) "www.example.org", (char *) "0123456789ab", (char *) "no good", NULL };

static int make_directory(char *path) {
        CHECK(mkdtemp(path));
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        CHECK(fd >= 0);
        return fd;
}

TEST(names_that_dns_cannot_have) {
        static const char *const fine[] = { "a", "web-1", "my_db", "a.b.c", "0123456789ab", "A9", NULL };
        static const char *const wrong[] = { "", ".", "a.", ".a", "a..b", "-a", "a b", "a\nb", "a/b", "#", "a#b", "\xc3\xa4", "*", NULL };
        char label[65];

        for (const char *const *s = fine; *s; s++)
                CHECK(names_is_valid(*s));
        for (const char *const *s = wrong; *s; s++)
                CHECK(!names_is_valid(*s));
        memset(label, 'x', sizeof(label));
        label[64] = '\0';
        CHECK(!names_is_valid(label));
        label[63] = '\0';
        CHECK(names_is_valid(label));
}

TEST(a_file_for_each_container) {
        char path[] = "/tmp/sdpod-test-names-XXXXXX";
        _cleanup_fd_ int fd = make_directory(path);
        _cleanup_free_ char *text = NULL;
        char *const wrong[] = { (char *) "../x", NULL };

        CHECK_INT(names_add(fd, "net", web_addresses, web_names, NULL), 0);
        CHECK_INT(file_read(fd, "names/net/10.89.0.2", 4096, &text, NULL), 0);
        CHECK_STR(text, "10.89.0.2 web web.dns.podman www.example.org www.example.org.dns.podman 0123456789ab 0123456789ab.dns.podman\n"
                        "fd00:89::2 web web.dns.podman www.example.org www.example.org.dns.podman 0123456789ab 0123456789ab.dns.podman\n");
        CHECK_INT(names_add(fd, "net", wrong, web_names, NULL), -EINVAL);
        CHECK_INT(names_add(fd, "../net", web_addresses, web_names, NULL), -EINVAL);
        CHECK_INT(names_remove(fd, "net", web_addresses), 0);
        CHECK_INT(names_remove(fd, "net", web_addresses), 0);
        CHECK_INT(names_remove(fd, "none", web_addresses), 0);
        CHECK_INT(faccessat(fd, "names/net/10.89.0.2", F_OK, 0), -1);
        CHECK_INT(names_add(fd, "net", web_addresses, web_names, NULL), 0);
        CHECK_INT(names_clear(fd, "net"), 0);
        CHECK_INT(faccessat(fd, "names", F_OK, 0), -1);
        CHECK_INT(names_clear(fd, "net"), 0);
        CHECK_INT(rmdir(path), 0);
}

/* A router's namespaces with two bridges, and a container on each. */
typedef struct Lab {
        pid_t router, container, stranger; /* processes that hold the namespaces */
        int userns_fd, netns_fd, directory_fd;
        char path[40];
        NetworkSubnet subnets[2];
        NetworkConfig network;
} Lab;

static pid_t holder(int flags, int userns_of) {
        int ready[2];
        char byte;

        CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
                char path[48];
                uid_t uid = geteuid();
                gid_t gid = getegid();

                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (userns_of > 0) {
                        (void) snprintf(path, sizeof(path), "/proc/%d/ns/user", userns_of);
                        int fd = open(path, O_RDONLY | O_CLOEXEC);
                        if (fd < 0 || setns(fd, CLONE_NEWUSER) < 0)
                                _exit(1);
                }
                if (unshare(flags) < 0)
                        _exit(1);
                if (flags & CLONE_NEWUSER) {
                        char line[64];

                        (void) file_write_string(AT_FDCWD, "/proc/self/setgroups", "deny");
                        (void) snprintf(line, sizeof(line), "0 %u 1", uid);
                        if (file_write_string(AT_FDCWD, "/proc/self/uid_map", line) < 0)
                                _exit(1);
                        (void) snprintf(line, sizeof(line), "0 %u 1", gid);
                        if (file_write_string(AT_FDCWD, "/proc/self/gid_map", line) < 0)
                                _exit(1);
                }
                if (write(ready[1], "", 1) != 1)
                        _exit(1);
                for (;;)
                        (void) pause();
        }
        (void) close(ready[1]);
        bool fine = read(ready[0], &byte, 1) == 1;
        (void) close(ready[0]);
        if (fine)
                return pid;
        (void) waitpid(pid, NULL, 0);
        return -1;
}

static int open_namespace(pid_t pid, const char *name) {
        char path[48];

        (void) snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
        return open(path, O_RDONLY | O_CLOEXEC);
}

/* In a child that has entered the namespaces of the holders. */
static int in_namespaces(pid_t userns_of, pid_t netns_of, int (*function)(const void *data), const void *data) {
        int status;

        (void) fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
                int user = open_namespace(userns_of, "user"), net = open_namespace(netns_of, "net");

                if (user < 0 || net < 0 || setns(user, CLONE_NEWUSER) < 0 || setns(net, CLONE_NEWNET) < 0)
                        _exit(99);
                _exit(function(data));
        }
        return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int shell(const void *script) {
        (void) execl("/bin/sh", "sh", "-ec", (const char *) script, NULL);
        return 98;
}

static bool lab_up(Lab *lab) {
        _cleanup_free_ char *script = NULL;

        *lab = (Lab){ .path = "/tmp/sdpod-test-names-XXXXXX" };
        lab->router = holder(CLONE_NEWUSER | CLONE_NEWNET, 0);
        if (lab->router < 0) {
                test_skipped = "no user namespaces here";
                return false;
        }
        lab->container = holder(CLONE_NEWNET, lab->router);
        lab->stranger = holder(CLONE_NEWNET, lab->router);
        CHECK(lab->container > 0 && lab->stranger > 0);
        script = str_format("PATH=$PATH:/usr/sbin:/sbin; ip link set lo up\n"
                            "for n in 0 1; do ip link add br$n type bridge; ip addr add 10.89.$n.1/24 dev br$n; ip addr add fd00:89:$n::1/48 nodad dev br$n;"
                            " ip link set br$n up; ip link add c$n type veth peer name eth0 netns $( [ $n = 0 ] && echo %d || echo %d );"
                            " ip link set c$n master br$n up; done\n",
                            lab->container, lab->stranger);
        if (in_namespaces(lab->router, lab->router, shell, script) != 0) {
                test_skipped = "no bridges here (or no iproute2)";
                return false;
        }
        CHECK_INT(in_namespaces(lab->router, lab->container, shell,
                                "PATH=$PATH:/usr/sbin:/sbin; ip addr add 10.89.0.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.89.0.1"), 0);
        CHECK_INT(in_namespaces(lab->router, lab->stranger, shell,
                                "PATH=$PATH:/usr/sbin:/sbin; ip addr add 10.89.1.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.89.1.1"), 0);
        lab->userns_fd = open_namespace(lab->router, "user");
        lab->netns_fd = open_namespace(lab->router, "net");
        lab->directory_fd = make_directory(lab->path);
        lab->subnets[0].subnet = (char *) "10.89.0.0/24";
        lab->subnets[1].subnet = (char *) "fd00:89::/64";
        lab->network = (NetworkConfig){ .name = (char *) "net", .subnets = lab->subnets, .n_subnets = 2, .dns_enabled = true };
        return true;
}

static void lab_down(Lab *lab) {
        const pid_t pids[] = { lab->router, lab->container, lab->stranger };

        for (size_t i = 0; i < ELEMENTSOF(pids); i++)
                if (pids[i] > 0) {
                        (void) kill(pids[i], SIGKILL);
                        (void) waitpid(pids[i], NULL, 0);
                }
        if (lab->directory_fd > 0) {
                (void) names_clear(lab->directory_fd, "net");
                (void) rmdir(lab->path);
                (void) close(lab->userns_fd);
                (void) close(lab->netns_fd);
                (void) close(lab->directory_fd);
        }
}

static int start(Lab *lab, char *const *upstream, const char *program, Names *ret, Error *error) {
        const NetworkConfig *network = &lab->network;
        const NamesRequest request = { .subject = "network 'net'", .networks = &network, .n_networks = 1, .interface = "br0", .userns_fd = lab->userns_fd, .netns_fd = lab->netns_fd,
                                       .directory_fd = lab->directory_fd, .upstream = upstream, .program = program };

        return names_start(&request, ret, error);
}

/* True where dnsmasq is there, and runs. */
static bool start_or_skip(Lab *lab, char *const *upstream, Names *ret) {
        _cleanup_error_ Error error = ERROR_NULL;
        int r = start(lab, upstream, NULL, ret, &error);

        if (r == -ENOENT) {
                test_skipped = "no dnsmasq here";
                return false;
        }
        if (r < 0)
                test_note("%s", error.message);
        CHECK_INT(r, 0);
        return true;
}

static void stop(Names *names) {
        (void) process_signal(names->pidfd, SIGKILL);
        (void) waitpid(names->pid, NULL, 0);
        names_done(names);
}

enum { A = 1, PTR = 12, AAAA = 28, NO_ANSWER = 77, NXDOMAIN = 3, FOUND = 0, NOTHING = 50, OTHER = 51 };

typedef struct Question {
        const char *server, *name, *wanted; /* bytes of the first answer's data */
        size_t wanted_size;
        uint16_t type;
        bool tcp, once; /* once: do not wait long */
} Question;

static size_t build(const Question *q, uint8_t message[512]) {
        static const uint8_t header[12] = { 0, 7, 1, 0, 0, 1 };
        size_t at = sizeof(header);

        memcpy(message, header, at);
        for (const char *label = q->name; *label;) {
                size_t n = strcspn(label, ".");

                message[at++] = (uint8_t) n;
                memcpy(message + at, label, n);
                at += n;
                label += n + (label[n] == '.');
        }
        const uint8_t tail[] = { 0, 0, (uint8_t) q->type, 0, 1 };
        memcpy(message + at, tail, sizeof(tail));
        return at + sizeof(tail);
}

/* Exits with what the answer's code is: FOUND with that very data, NOTHING without any, OTHER with another, or the code itself. */
static int ask_inside(const void *data) {
        const Question *q = data;
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
        struct timeval limit = { .tv_sec = q->once ? 1 : 10 };
        uint8_t message[512], reply[1024], framed[514];
        int fd = socket(AF_INET, q->tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
        size_t size = build(q, message);
        ssize_t n;

        (void) inet_pton(AF_INET, q->server, &to.sin_addr);
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        if (connect(fd, (struct sockaddr *) &to, sizeof(to)) < 0)
                return NO_ANSWER;
        if (q->tcp) {
                framed[0] = (uint8_t) (size >> 8);
                framed[1] = (uint8_t) size;
                memcpy(framed + 2, message, size);
                if (send(fd, framed, size + 2, 0) < 0)
                        return NO_ANSWER;
                n = recv(fd, reply, 2, MSG_WAITALL) == 2 ? recv(fd, reply, sizeof(reply), 0) : -1;
        } else {
                if (send(fd, message, size, 0) < 0)
                        return NO_ANSWER;
                n = recv(fd, reply, sizeof(reply), 0);
        }
        if (n < (ssize_t) size)
                return NO_ANSWER;
        if ((reply[3] & 15) != 0)
                return reply[3] & 15;
        if (reply[7] == 0)
                return NOTHING;
        return (size_t) n >= size + 12 + q->wanted_size && (q->wanted_size == 0 || memcmp(reply + size + 12, q->wanted, q->wanted_size) == 0) ? FOUND : OTHER;
}

static int ask(const Lab *lab, const char *name, uint16_t type, const char *wanted, size_t size) {
        const Question q = { .server = "10.89.0.1", .name = name, .wanted = wanted, .wanted_size = size, .type = type };

        return in_namespaces(lab->router, lab->container, ask_inside, &q);
}

#define WEB4 "\x0a\x59\x00\x02", 4

TEST(names_are_answered_both_ways) {
        _cleanup_(lab_down) Lab lab;
        Names names = NAMES_NULL;

        if (!lab_up(&lab) || !start_or_skip(&lab, NULL, &names))
                return;
        CHECK_INT(names_add(lab.directory_fd, "net", web_addresses, web_names, NULL), 0);
        CHECK_INT(ask(&lab, "web", A, WEB4), FOUND);
        CHECK_INT(ask(&lab, "WEB.dns.podman", A, WEB4), FOUND);
        CHECK_INT(ask(&lab, "www.example.org", A, WEB4), FOUND);
        CHECK_INT(ask(&lab, "0123456789ab", A, WEB4), FOUND);
        CHECK_INT(ask(&lab, "web", AAAA, "\xfd\x00\x00\x89\0\0\0\0\0\0\0\0\0\0\0\x02", 16), FOUND);
        CHECK_INT(ask(&lab, "2.0.89.10.in-addr.arpa", PTR, "\3web", 5), FOUND);
        CHECK_INT(ask(&lab, "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.9.8.0.0.0.0.d.f.ip6.arpa", PTR, "\3web", 5), FOUND);
        CHECK_INT(ask(&lab, "3.0.89.10.in-addr.arpa", PTR, "", 0), NXDOMAIN);
        CHECK_INT(ask(&lab, "nobody", A, "", 0), NXDOMAIN);
        CHECK_INT(ask(&lab, "nobody.dns.podman", A, "", 0), NXDOMAIN);
        CHECK_INT(ask(&lab, "nobody.example.org", A, "", 0), NXDOMAIN);
        const Question tcp = { .server = "10.89.0.1", .name = "web", .wanted = "\x0a\x59\x00\x02", .wanted_size = 4, .type = A, .tcp = true };
        CHECK_INT(in_namespaces(lab.router, lab.container, ask_inside, &tcp), FOUND);
        /* whoever is not on the bridge gets no answer, though the router would lead him here */
        const Question strange = { .server = "10.89.0.1", .name = "web", .type = A, .once = true };
        const Question strange_tcp = { .server = "10.89.0.1", .name = "web", .type = A, .tcp = true, .once = true };
        CHECK_INT(in_namespaces(lab.router, lab.stranger, ask_inside, &strange), NO_ANSWER);
        CHECK_INT(in_namespaces(lab.router, lab.stranger, ask_inside, &strange_tcp), NO_ANSWER);
        stop(&names);
}

TEST(a_name_is_there_at_once_and_gone_at_once) {
        _cleanup_(lab_down) Lab lab;
        Names names = NAMES_NULL;

        if (!lab_up(&lab) || !start_or_skip(&lab, NULL, &names))
                return;
        for (int i = 0; i < 100; i++) {
                CHECK_INT(names_add(lab.directory_fd, "net", web_addresses, web_names, NULL), 0);
                CHECK_INT(ask(&lab, "web", A, WEB4), FOUND);
                CHECK_INT(names_remove(lab.directory_fd, "net", web_addresses), 0);
                CHECK_INT(ask(&lab, "web", A, "", 0), NXDOMAIN);
        }
        /* two of one name, and one of them goes */
        char *const other[] = { (char *) "10.89.0.3", NULL }, *const last[] = { (char *) "web", NULL };
        CHECK_INT(names_add(lab.directory_fd, "net", web_addresses, web_names, NULL), 0);
        CHECK_INT(names_add(lab.directory_fd, "net", other, last, NULL), 0);
        CHECK_INT(names_remove(lab.directory_fd, "net", web_addresses), 0);
        CHECK_INT(ask(&lab, "web", A, "\x0a\x59\x00\x03", 4), FOUND);
        CHECK_INT(ask(&lab, "www.example.org", A, "", 0), NXDOMAIN);
        /* what was noted before dnsmasq started */
        stop(&names);
        CHECK(start_or_skip(&lab, NULL, &names));
        CHECK_INT(ask(&lab, "web", A, "\x0a\x59\x00\x03", 4), FOUND);
        stop(&names);
}

/* A server that gives 192.0.2.7 for everything, in the router's namespace. */
static int serve(const void *data) {
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(5300), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, from;
        static const uint8_t answer[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7 };
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        const int *ready = data;
        uint8_t message[1024];

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (bind(fd, (struct sockaddr *) &at, sizeof(at)) < 0 || write(*ready, "", 1) != 1)
                return 1;
        for (;;) {
                socklen_t length = sizeof(from);
                ssize_t n = recvfrom(fd, message, 512, 0, (struct sockaddr *) &from, &length);

                if (n < 12)
                        return 1;
                size_t end = 12;
                while (message[end])
                        end += message[end] + 1U;
                end += 5;
                message[2] = 0x81, message[3] = 0x80, message[7] = 1, message[11] = 0;
                memcpy(message + end, answer, sizeof(answer));
                (void) sendto(fd, message, end + sizeof(answer), 0, (struct sockaddr *) &from, length);
        }
}

TEST(other_names_are_asked_for_elsewhere) {
        static char *const upstream[] = { (char *) "127.0.0.1#5300", NULL };
        _cleanup_(lab_down) Lab lab;
        Names names = NAMES_NULL;
        int ready[2];
        char byte;

        if (!lab_up(&lab))
                return;
        CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
        (void) fflush(stdout);
        pid_t server = fork();
        if (server == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                int user = open_namespace(lab.router, "user"), net = open_namespace(lab.router, "net");
                _exit(setns(user, CLONE_NEWUSER) < 0 || setns(net, CLONE_NEWNET) < 0 ? 1 : serve(ready + 1));
        }
        CHECK(read(ready[0], &byte, 1) == 1);
        if (start_or_skip(&lab, upstream, &names)) {
                CHECK_INT(ask(&lab, "www.example.org", A, "\xc0\x00\x02\x07", 4), FOUND);
                CHECK_INT(ask(&lab, "nobody", A, "", 0), NXDOMAIN);
                CHECK_INT(ask(&lab, "nobody.dns.podman", A, "", 0), NXDOMAIN);
                CHECK_INT(ask(&lab, "3.0.89.10.in-addr.arpa", PTR, "", 0), NXDOMAIN);
                CHECK_INT(names_add(lab.directory_fd, "net", web_addresses, web_names, NULL), 0);
                CHECK_INT(ask(&lab, "www.example.org", A, WEB4), FOUND);
                stop(&names);
                lab.network.internal = true;
                CHECK(start_or_skip(&lab, upstream, &names));
                CHECK_INT(ask(&lab, "other.example.org", A, "", 0), NXDOMAIN);
                CHECK_INT(ask(&lab, "web", A, WEB4), FOUND);
                stop(&names);
        }
        (void) kill(server, SIGKILL);
        (void) waitpid(server, NULL, 0);
        (void) close(ready[0]);
        (void) close(ready[1]);
}

TEST(a_container_has_its_own_for_several_networks) {
        static char *const more_addresses[] = { (char *) "10.90.0.9", NULL }, *const more_names[] = { (char *) "far", NULL };
        _cleanup_(lab_down) Lab lab;
        _cleanup_error_ Error error = ERROR_NULL;
        Names names = NAMES_NULL;

        if (!lab_up(&lab))
                return;
        NetworkConfig other = { .name = (char *) "other", .dns_enabled = true };
        const NetworkConfig *const networks[] = { &lab.network, &other };
        _cleanup_fd_ int netns = open_namespace(lab.container, "net");
        const NamesRequest request = { .role = NAMES_OF_CONTAINER, .subject = "container 'c'", .networks = networks, .n_networks = 2,
                                       .userns_fd = lab.userns_fd, .netns_fd = netns, .directory_fd = lab.directory_fd };
        const Question web = { .server = NAMES_ADDRESS, .name = "web", .wanted = "\x0a\x59\x00\x02", .wanted_size = 4, .type = A };
        const Question far = { .server = NAMES_ADDRESS, .name = "far", .wanted = "\x0a\x5a\x00\x09", .wanted_size = 4, .type = A };
        const Question none = { .server = NAMES_ADDRESS, .name = "none", .type = A };
        static const char is_1024[] = "[ $(cat /proc/sys/net/ipv4/ip_unprivileged_port_start) = 1024 ]";

        CHECK_INT(in_namespaces(lab.router, lab.container, shell, "PATH=$PATH:/usr/sbin:/sbin; ip link set lo up"), 0);
        CHECK_INT(names_add(lab.directory_fd, "net", web_addresses, web_names, NULL), 0);
        int r = names_start(&request, &names, &error);
        if (r == -ENOENT) {
                test_skipped = "no dnsmasq here";
                return;
        }
        if (r < 0)
                test_note("%s", error.message);
        CHECK_INT(r, 0);
        CHECK_INT(names_add(lab.directory_fd, "other", more_addresses, more_names, NULL), 0);
        CHECK_INT(in_namespaces(lab.router, lab.container, ask_inside, &web), FOUND);
        CHECK_INT(in_namespaces(lab.router, lab.container, ask_inside, &far), FOUND);
        CHECK_INT(in_namespaces(lab.router, lab.container, ask_inside, &none), NXDOMAIN);
        CHECK_INT(in_namespaces(lab.router, lab.container, shell, is_1024), 0);
        stop(&names);
        CHECK_INT(names_clear(lab.directory_fd, NULL), 0);
}

enum { REFUSED = 5 };

TEST(peers_ask_each_other_and_nobody_else) {
        static char *const peers[] = { (char *) "10.89.1.1", NULL }, *const several[] = { (char *) "10.89.0.1", (char *) "10.89.2.1", NULL };
        static char *const more_addresses[] = { (char *) "10.89.0.200", NULL }, *const more_names[] = { (char *) "far", NULL };
        _cleanup_(lab_down) Lab lab;
        Names names = NAMES_NULL, theirs = NAMES_NULL;

        if (!lab_up(&lab))
                return;
        NetworkConfig other = { .name = (char *) "other", .dns_enabled = true };
        const NetworkConfig *const ours = &lab.network, *const far = &other;
        const NamesRequest request = { .subject = "network 'net'", .networks = &ours, .n_networks = 1, .interface = "br0", .userns_fd = lab.userns_fd,
                                       .netns_fd = lab.netns_fd, .directory_fd = lab.directory_fd, .peers = peers };
        NamesRequest for_peers = request;
        for_peers.role = NAMES_FOR_PEERS;
        for_peers.networks = &far;
        for_peers.interface = "br1";
        int r = names_start(&request, &names, NULL);
        if (r == -ENOENT) {
                test_skipped = "no dnsmasq here";
                return;
        }
        CHECK_INT(r, 0);
        CHECK_INT(names_start(&for_peers, &theirs, NULL), 0);
        CHECK_INT(names_add(lab.directory_fd, "net", web_addresses, web_names, NULL), 0);
        CHECK_INT(names_add(lab.directory_fd, "other", more_addresses, more_names, NULL), 0);
        CHECK_INT(ask(&lab, "web", A, WEB4), FOUND);
        CHECK_INT(ask(&lab, "far", A, "\x0a\x59\x00\xc8", 4), FOUND);
        CHECK_INT(ask(&lab, "far.dns.podman", A, "\x0a\x59\x00\xc8", 4), FOUND);
        CHECK_INT(ask(&lab, "far", AAAA, "", 0), NOTHING);
        CHECK_INT(ask(&lab, "nobody", A, "", 0), NXDOMAIN);
        CHECK_INT(ask(&lab, "nobody.dns.podman", A, "", 0), NXDOMAIN);
        CHECK_INT(ask(&lab, "www.example.com", A, "", 0), NXDOMAIN);
        stop(&theirs);
        for_peers.peers = several;
        CHECK_INT(names_start(&for_peers, &theirs, NULL), 0);
        CHECK_INT(ask(&lab, "far", A, "\x0a\x59\x00\xc8", 4), FOUND);
        CHECK_INT(ask(&lab, "nobody", A, "", 0), REFUSED);
        stop(&theirs);
        stop(&names);
        CHECK_INT(names_clear(lab.directory_fd, NULL), 0);
}

static char *proc_text(pid_t pid, const char *name) {
        char path[48];
        char *text = NULL;
        size_t size;

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        CHECK(fd >= 0 && io_read_all(fd, 65536, &text, &size) >= 0);
        return text;
}

TEST(it_can_do_nothing_else) {
        static const char *const lines[] = { "\nCapPrm:\t0000000000000400\n", "\nCapBnd:\t0000000000000400\n", "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n" };
        _cleanup_free_ char *status = NULL;
        _cleanup_(lab_down) Lab lab;
        Names names = NAMES_NULL;
        char path[48], ours[64] = "", theirs[64] = "";
        size_t n = 0;

        if (!lab_up(&lab) || !start_or_skip(&lab, NULL, &names))
                return;
        status = proc_text(names.pid, "status");
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                if (!strstr(status, lines[i])) {
                        test_note("missing: %s", lines[i] + 1);
                        CHECK(false);
                }
        for (const char *const *ns = (const char *const[]){ "user", "mnt", "pid", "ipc", "uts", NULL }; *ns; ns++) {
                (void) snprintf(path, sizeof(path), "/proc/%d/ns/%s", names.pid, *ns);
                CHECK(readlink(path, theirs, sizeof(theirs) - 1) > 0);
                (void) snprintf(path, sizeof(path), "/proc/self/ns/%s", *ns);
                CHECK(readlink(path, ours, sizeof(ours) - 1) > 0);
                CHECK(!str_equal(ours, theirs));
        }
        (void) snprintf(path, sizeof(path), "/proc/%d/root", names.pid);
        DIR *root = opendir(path);
        CHECK(root);
        for (const struct dirent *entry; (entry = readdir(root));) {
                static const char *const wanted[] = { ".", "..", "dev", "etc", "lib", "lib64", "names", "usr" };
                bool known = false;

                for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
                        known = known || str_equal(entry->d_name, wanted[i]);
                CHECK(known);
                n++;
        }
        (void) closedir(root);
        CHECK(n >= 6);
        stop(&names);
}

static int send_garbage(const void *data _unused_) {
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
        int udp = socket(AF_INET, SOCK_DGRAM, 0);
        uint32_t x = 1;

        (void) inet_pton(AF_INET, "10.89.0.1", &to.sin_addr);
        for (int i = 0; i < 20000; i++) {
                uint8_t message[600];
                size_t size = i % sizeof(message);

                for (size_t k = 0; k < size; k++) {
                        x = x * 1664525U + 1013904223U;
                        message[k] = (uint8_t) (x >> 24);
                }
                if (i % 2 && size > 12) /* looks like a query with names that point at themselves */
                        memcpy(message, (uint8_t[]){ 0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0 }, 13);
                (void) sendto(udp, message, size, MSG_DONTWAIT, (struct sockaddr *) &to, sizeof(to));
        }
        for (int i = 0; i < 50; i++) {
                int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

                (void) connect(tcp, (struct sockaddr *) &to, sizeof(to));
                if (i % 2)
                        (void) send(tcp, "\xff\xff" "garbage", 9, MSG_NOSIGNAL);
        }
        return 0;
}

TEST(garbage_does_not_end_it) {
        _cleanup_(lab_down) Lab lab;
        Names names = NAMES_NULL;

        if (!lab_up(&lab) || !start_or_skip(&lab, NULL, &names))
                return;
        CHECK_INT(names_add(lab.directory_fd, "net", web_addresses, web_names, NULL), 0);
        CHECK_INT(in_namespaces(lab.router, lab.container, send_garbage, NULL), 0);
        /* its queue may be full yet: a resolver asks again, too */
        const Question impatient = { .server = "10.89.0.1", .name = "web", .type = A, .once = true };
        int answer = NO_ANSWER;
        for (int i = 0; i < 20 && answer == NO_ANSWER; i++)
                answer = in_namespaces(lab.router, lab.container, ask_inside, &impatient);
        CHECK_INT(answer, FOUND);
        CHECK(!process_has_ended(names.pidfd));
        stop(&names);
}

TEST(it_ends_with_who_started_it) {
        _cleanup_(lab_down) Lab lab;
        int fds[2];

        if (!lab_up(&lab))
                return;
        CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        (void) fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
                Names names = NAMES_NULL;
                int r = start(&lab, NULL, NULL, &names, NULL);

                (void) io_send_fds(fds[1], &r, sizeof(r), &names.pidfd, r < 0 ? 0 : 1);
                _exit(0);
        }
        int r = 0, pidfd = -EBADF;
        size_t n = 1;
        CHECK(io_receive_fds(fds[0], &r, sizeof(r), &pidfd, &n) == sizeof(r));
        (void) waitpid(pid, NULL, 0);
        (void) close(fds[0]);
        (void) close(fds[1]);
        if (r == -ENOENT) {
                test_skipped = "no dnsmasq here";
                return;
        }
        CHECK_INT(r, 0);
        CHECK_INT(process_wait_end(pidfd, 10 * 1000 * 1000), 0);
        (void) close(pidfd);
}

TEST(a_start_that_fails_says_why) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_(lab_down) Lab lab;
        Names names = NAMES_NULL;
        static char *const wrong[] = { (char *) "no-address", NULL };

        if (!lab_up(&lab))
                return;
        CHECK_INT(start(&lab, NULL, "/nowhere/dnsmasq", &names, &error), -ENOENT);
        CHECK(strstr(error.hint, "dnsmasq-base"));
        CHECK_INT(start(&lab, NULL, "/bin/false", &names, &error), -EIO);
        CHECK_STR(error.message, "cannot answer the names of network 'net': cannot start dnsmasq for network 'net': it ended at once");
        int r = start(&lab, wrong, NULL, &names, &error);
        if (r == -ENOENT)
                return;
        CHECK_INT(r, -EIO);
        CHECK(strstr(error.message, "server"));
}
