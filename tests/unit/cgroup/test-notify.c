/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "cgroup/notify.h"

static int make_socket(const char *path, size_t length) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, path, length);
        CHECK(bind(fd, (struct sockaddr *) &address, (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length)) == 0);
        return fd;
}

TEST(a_message_comes_by_path_and_by_abstract_name) {
        char dir[] = "/tmp/sdpod-test-XXXXXX", text[64] = "", name[64];

        CHECK(mkdtemp(dir));
        _cleanup_free_ char *path = str_format("%s/notify", dir);
        _cleanup_fd_ int by_path = make_socket(path, strlen(path) + 1);
        setenv("NOTIFY_SOCKET", path, 1);
        CHECK_INT(notify_send("READY=1"), 1);
        CHECK_INT(recv(by_path, text, sizeof(text), 0), 7);
        CHECK_STR(text, "READY=1");
        (void) unlink(path);
        (void) rmdir(dir);
        CHECK_INT(notify_send("READY=1"), -ENOENT);

        int n = snprintf(name, sizeof(name), "@sdpod-test-%d", getpid());
        setenv("NOTIFY_SOCKET", name, 1);
        name[0] = 0;
        _cleanup_fd_ int abstract = make_socket(name, (size_t) n);
        CHECK_INT(notify_send("MAINPID=5"), 1);
        CHECK_INT(recv(abstract, text, sizeof(text), 0), 9);
}

TEST(where_nobody_listens) {
        unsetenv("NOTIFY_SOCKET");
        CHECK_INT(notify_send("READY=1"), 0);
        CHECK_INT(notify_barrier(1000000), 0);
        setenv("NOTIFY_SOCKET", "relative", 1);
        CHECK_INT(notify_send("READY=1"), -EAFNOSUPPORT);
        char path[200];
        memset(path, 'a', sizeof(path));
        path[0] = '/';
        path[199] = 0;
        setenv("NOTIFY_SOCKET", path, 1);
        CHECK_INT(notify_send("READY=1"), -ENAMETOOLONG);
}

TEST(a_barrier_ends_when_it_was_read) {
        char name[64], text[64] = "";
        int status, fds[4];
        size_t n_fds = 4;
        int n = snprintf(name, sizeof(name), "@sdpod-test-barrier-%d", getpid());

        setenv("NOTIFY_SOCKET", name, 1);
        name[0] = 0;
        _cleanup_fd_ int fd = make_socket(name, (size_t) n);
        CHECK_INT(notify_barrier(1000), -ETIMEDOUT); /* nobody reads */
        CHECK(io_receive_fds(fd, text, sizeof(text), fds, &n_fds) > 0);
        CHECK_INT(n_fds, 1);
        close(fds[0]);
        pid_t pid = fork();
        if (pid == 0)
                _exit(notify_barrier(60000000) == 1 ? 0 : 1);
        n_fds = 4;
        CHECK_INT(io_receive_fds(fd, text, sizeof(text), fds, &n_fds), 9);
        CHECK(memcmp(text, "BARRIER=1", 9) == 0);
        CHECK_INT(waitpid(pid, &status, WNOHANG), 0);
        close(fds[0]);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
}

TEST(passed_sockets_are_counted_and_closed_on_exec) {
        char pid[16];

        snprintf(pid, sizeof(pid), "%d", getpid());
        unsetenv("LISTEN_PID");
        CHECK_INT(notify_listen_fds(), 0);
        setenv("LISTEN_FDS", "1", 1);
        setenv("LISTEN_PID", "1", 1);
        CHECK_INT(notify_listen_fds(), 0); /* somebody else's */
        setenv("LISTEN_PID", pid, 1);
        CHECK_INT(dup2(0, 3), 3);
        CHECK_INT(notify_listen_fds(), 1);
        CHECK_INT(fcntl(3, F_GETFD), FD_CLOEXEC);
        setenv("LISTEN_FDS", "-1", 1);
        CHECK_INT(notify_listen_fds(), -EINVAL);
        setenv("LISTEN_FDS", "1000000", 1);
        CHECK_INT(notify_listen_fds(), -EINVAL);
}
