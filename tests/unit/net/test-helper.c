/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's side, against programs that behave well and badly. */
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "net/helper.h"
#include "net/netns.h"

/* A script that stands in for sdpod-net. Owned path; the caller unlinks. */
static char *script(const char *body) {
        char *path = strdup("/tmp/sdpod-test-helper-XXXXXX");
        int fd = path ? mkstemp(path) : -1;

        CHECK(fd >= 0);
        CHECK(dprintf(fd, "#!/bin/sh\n%s\n", body) > 0);
        CHECK_INT(fchmod(fd, 0700), 0);
        (void) close(fd);
        return path;
}

/* Starts the script and returns what waiting for it gives. */
static int start(const char *body, NetPort **ports, size_t *n_ports, Error *error) {
        _cleanup_net_helper_ NetHelper helper = NET_HELPER_NULL;
        NetPort port = { NULL, 4000, 80, (char *) "tcp" };
        NetConfig config = { .name = (char *) "web", .ports = &port, .n_ports = 1 };
        _cleanup_fd_ int self = pidfd_open(getpid(), 0);
        char *path = script(body);
        NetHelperRequest request = { .config = &config, .program = path, .init_pidfd = self,
                                     .userns_fd = -EBADF, .netns_fd = -EBADF, .control_fd = -EBADF };

        int r = net_helper_start(&request, &helper, error);
        if (r >= 0)
                r = net_helper_wait_ready(&helper, ports, n_ports, error);
        (void) unlink(path);
        free(path);
        if (r >= 0)
                (void) waitpid(helper.pid, NULL, 0);
        return r;
}

TEST(the_program_gets_its_descriptors_and_its_answer_is_heard) {
        _cleanup_error_ Error error = ERROR_NULL;
        NetPort *ports = NULL;
        size_t n = 0;

        /* the script checks what it was given; its stdin and stdout are nothing */
        int r = start("[ \"$*\" = '--config-fd=3 --init-pidfd=4 --ready-fd=5 --name=web --publish=4000/tcp' ] || exit 9\n"
                      "[ \"$(cat <&3)\" = '{\"name\":\"web\",\"ports\":[{\"hostPort\":4000,\"containerPort\":80,\"protocol\":\"tcp\"}]}' ] || exit 8\n"
                      "[ -e /proc/$$/fd/5 ] && [ ! -e /proc/$$/fd/6 ] && [ ! -e /proc/$$/fd/7 ] || exit 7\n"
                      "echo '{\"ok\":true,\"ports\":[{\"hostPort\":40001,\"containerPort\":80,\"protocol\":\"tcp\"}]}' >&5",
                      &ports, &n, &error);
        test_note("%s", error.message ?: "no error");
        CHECK_INT(r, 0);
        CHECK_INT(n, 1);
        CHECK_INT(ports[0].host_port, 40001);
        net_ports_free(ports, n);
}

TEST(its_error_is_ours) {
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK(start("echo '{\"error\":{\"kind\":\"in-use\",\"message\":\"cannot publish\",\"hint\":\"another\"}}' >&5; exit 1", NULL, NULL,
                    &error) < 0);
        CHECK_INT(error.kind, ERROR_IN_USE);
        CHECK_STR(error.message, "cannot publish");
        CHECK_STR(error.hint, "another");
}

TEST(silence_is_an_error) {
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK(start("exit 3", NULL, NULL, &error) < 0);
        CHECK_STR(error.message, "cannot set up the network: sdpod-net ended with status 3");
        error_done(&error);
        CHECK(start("echo nonsense >&5", NULL, NULL, &error) < 0);
        CHECK(strstr(error.message, "the answer of sdpod-net"));
}

TEST(bad_configs_start_nothing) {
        _cleanup_net_helper_ NetHelper helper = NET_HELPER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        NetConfig config = { .mtu = 5 };
        NetHelperRequest request = { .config = &config, .program = "/nonexistent", .init_pidfd = 0,
                                     .userns_fd = -EBADF, .netns_fd = -EBADF, .control_fd = -EBADF };

        CHECK_INT(net_helper_start(&request, &helper, &error), -ERANGE);
        CHECK_INT(helper.pid, 0);
}

static bool loopback_is_up(void) {
        struct ifreq request = { .ifr_name = "lo" };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        return fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) >= 0 && (request.ifr_flags & IFF_UP);
}

TEST(the_loopback_comes_up) {
        pid_t pid = fork();

        if (pid == 0) {
                if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
                        _exit(77);
                /* twice: what is up stays up */
                _exit(netns_loopback_up() < 0 || netns_loopback_up() < 0 || !loopback_is_up());
        }
        int status = 0;
        CHECK_INT(waitpid(pid, &status, 0), pid);
        if (WEXITSTATUS(status) == 77)
                SKIP("user namespaces cannot be made here");
        CHECK_INT(status, 0);
}
