/* SPDX-License-Identifier: Apache-2.0 */
/* The receiving end of sd_notify(3). */
#include <fcntl.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "monitor/notify-socket.h"

static void check(const char *dir, bool file) {
        _cleanup_fd_ int dir_fd = open(dir, O_DIRECTORY | O_CLOEXEC);
        NotifySocket socket;
        NotifyNews news = {};

        CHECK_INT(notify_socket_open(&socket, dir_fd, dir), 0);
        CHECK((socket.address[0] == '/') == file);
        CHECK_INT(notify_socket_read(&socket, &news), 0);
        CHECK(!news.ready && news.main_pid == 0);
        CHECK_INT(setenv("NOTIFY_SOCKET", socket.address, 1), 0);
        CHECK(sd_notify(0, "MAINPID=4711\nSTATUS=no such image\nERRNO=2\nWATCHDOG=1") > 0);
        CHECK(sd_notify(0, "READY=1") > 0);
        CHECK_INT(notify_socket_read(&socket, &news), 0);
        CHECK_INT(news.main_pid, 4711);
        CHECK_INT(news.error, 2);
        CHECK_STR(news.status, "no such image");
        CHECK(news.ready);
        CHECK(sd_notify(0, "MAINPID=1\nERRNO=99999\nMAINPID=x\nMAINPID=-5") > 0);
        CHECK_INT(notify_socket_read(&socket, &news), 0);
        CHECK_INT(news.main_pid, 4711);
        CHECK_INT(news.error, 2);
        free(news.status);
        notify_socket_done(&socket);
        CHECK(faccessat(dir_fd, NOTIFY_SOCKET_NAME, F_OK, 0) < 0);
}

TEST(news) {
        char dir[] = "/tmp/sdpod-test-XXXXXX";

        CHECK(mkdtemp(dir));
        check(dir, true);
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
}

TEST(a_path_that_is_too_long) {
        char base[] = "/tmp/sdpod-test-XXXXXX";

        CHECK(mkdtemp(base));
        _cleanup_free_ char *dir = str_format("%s/%0100d", base, 0);
        CHECK_INT(mkdir(dir, 0700), 0);
        check(dir, false);
        CHECK_INT(path_remove_tree(AT_FDCWD, base), 0);
}
