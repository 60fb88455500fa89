/* SPDX-License-Identifier: Apache-2.0 */
/* The state's two slots: the newest whole one counts. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/test.h"
#include "monitor/log-state.h"

static int open_state(void) {
        char dir[] = "/tmp/sdpod-test-XXXXXX";

        CHECK(mkdtemp(dir));
        _cleanup_fd_ int dir_fd = open(dir, O_DIRECTORY | O_CLOEXEC);
        int fd = log_state_open(dir_fd, LOG_STATE_NAME, /* create= */ true);
        LogState state;
        CHECK_INT(log_state_read(dir_fd, LOG_STATE_NAME, &state), -ENODATA);
        CHECK_INT(log_state_read(dir_fd, "none", &state), -ENOENT);
        CHECK_INT(symlinkat("/etc/passwd", dir_fd, "link"), 0);
        CHECK_INT(log_state_read(dir_fd, "link", &state), -ELOOP);
        CHECK_INT(mkfifoat(dir_fd, "fifo", 0600), 0);
        CHECK_INT(log_state_read(dir_fd, "fifo", &state), -EINVAL);
        CHECK_INT(unlinkat(dir_fd, "link", 0), 0);
        CHECK_INT(unlinkat(dir_fd, "fifo", 0), 0);
        CHECK_INT(unlinkat(dir_fd, LOG_STATE_NAME, 0), 0);
        CHECK_INT(rmdir(dir), 0);
        CHECK(fd >= 0);
        return fd;
}

TEST(the_newest_counts) {
        _cleanup_fd_ int fd = open_state();
        LogState state = {}, found;

        for (uint64_t i = 1; i < 6; i++) {
                state.log_offset = i * 100;
                CHECK_INT(log_state_save(fd, &state), 0);
                CHECK_INT(log_state_load(fd, &found), 0);
                CHECK_INT(found.log_offset, i * 100);
                CHECK_INT(found.generation, i);
        }
}

/* Every byte of the newer slot, broken, lets the older one come back; never a mixture. */
TEST(a_torn_slot_does_not_count) {
        _cleanup_fd_ int fd = open_state();
        LogState state = {}, found;

        state.log_offset = 1;
        CHECK_INT(log_state_save(fd, &state), 0);
        state.log_offset = 2;
        CHECK_INT(log_state_save(fd, &state), 0); /* generation 2: slot 0 */
        for (off_t i = 0; i < (off_t) sizeof(LogState) + 16; i++) {
                char byte, broken;

                CHECK_INT(pread(fd, &byte, 1, i), 1);
                broken = (char) (byte ^ 0x41);
                CHECK_INT(pwrite(fd, &broken, 1, i), 1);
                CHECK_INT(log_state_load(fd, &found), 0);
                CHECK_INT(found.log_offset, 1);
                CHECK_INT(pwrite(fd, &byte, 1, i), 1);
        }
        CHECK_INT(log_state_load(fd, &found), 0);
        CHECK_INT(found.log_offset, 2);
}

TEST(an_empty_file_has_no_state) {
        _cleanup_fd_ int fd = open_state();
        LogState found;

        CHECK_INT(ftruncate(fd, 0), 0);
        CHECK_INT(log_state_load(fd, &found), -ENODATA);
}
