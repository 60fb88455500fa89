/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a port: a process that shows its descriptors, and one that only says so in its arguments, as sdpod-net does. */
#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "net/port-holder.h"

/* A process that looks like sdpod-net with this port; in a network of its own or not. It is there when this returns; -ENOTSUP: it could
 * not have that. It ends with the test. */
static pid_t start_helper(uint16_t port, const char *name, bool own_network, int *ret_input) {
        _cleanup_free_ char *publish = str_format("--publish=%u/tcp", port), *named = str_format("--name=%s", name);
        int input[2], ready[2];
        char byte = 0;

        CHECK_INT(pipe(input), 0);
        CHECK_INT(pipe(ready), 0);
        pid_t pid = fork();
        if (pid == 0) {
                if (own_network && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
                        _exit(1);
                (void) dup2(input[0], 0);
                (void) dup2(ready[1], 1);
                (void) close(input[1]);
                (void) close(ready[0]);
                (void) execl("/bin/sh", "/there/sdpod-net", "-c", "echo; read -r x", publish, named, NULL);
                _exit(1);
        }
        (void) close(input[0]);
        (void) close(ready[1]);
        ssize_t n = read(ready[0], &byte, 1);
        (void) close(ready[0]);
        *ret_input = input[1];
        return n == 1 ? pid : -ENOTSUP;
}

static void end_helper(pid_t pid, int input) {
        (void) kill(pid, SIGKILL);
        (void) close(input);
        (void) waitpid(pid, NULL, 0);
}

static int listen_somewhere(uint16_t *ret_port) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK(fd >= 0);
        CHECK_INT(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_INT(listen(fd, 1), 0);
        CHECK_INT(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        *ret_port = ntohs(address.sin_port);
        return fd;
}

/* The one that has it comes after the others in /proc, so that they are looked at first. */
static pid_t start_holder(int fd, int *ret_input) {
        int input[2];
        char byte;

        CHECK_INT(pipe(input), 0);
        pid_t pid = fork();
        if (pid == 0) {
                (void) close(input[1]);
                (void) !read(input[0], &byte, 1);
                _exit(0);
        }
        (void) close(input[0]);
        (void) close(fd);
        *ret_input = input[1];
        return pid;
}

static void check(bool own_network) {
        uint16_t port;
        int fd = listen_somewhere(&port), helper_input, holder_input;
        pid_t helper = start_helper(port, "wrong", own_network, &helper_input);

        if (helper < 0) {
                (void) close(fd);
                (void) close(helper_input);
                (void) wait(NULL);
                SKIP("no network namespace of its own can be made here");
        }
        pid_t holder = start_holder(fd, &holder_input);
        _cleanup_free_ char *found = port_holder_find(AF_INET, /* tcp= */ true, port);
        _cleanup_free_ char *wanted = own_network ? str_format("(process %d)", holder) : strdup("container 'wrong'");
        end_helper(helper, helper_input);
        end_helper(holder, holder_input);
        CHECK(found && strstr(found, wanted));
}

TEST(who_says_so_is_believed) {
        check(/* own_network= */ false);
}

TEST(who_says_so_of_another_network_is_not) {
        check(/* own_network= */ true);
}

TEST(nobody) {
        uint16_t port;

        (void) close(listen_somewhere(&port));
        CHECK(!port_holder_find(AF_INET, /* tcp= */ true, port));
}
