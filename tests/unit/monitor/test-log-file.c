/* SPDX-License-Identifier: Apache-2.0 */
/* Log files: appending, rotation, what others do to them. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "monitor/log-file.h"

static char dir[64], path[128];
static int dir_fd;

static void set_up(void) {
        strcpy(dir, "/tmp/sdpod-test-XXXXXX");
        CHECK(mkdtemp(dir));
        dir_fd = open(dir, O_DIRECTORY | O_CLOEXEC);
        CHECK(dir_fd >= 0);
        (void) snprintf(path, sizeof(path), "%s/ctr.log", dir);
}

static void tear_down(void) {
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
        dir_fd = fd_close(dir_fd);
}

static char *content(const char *name) {
        char *data = NULL;

        return file_read(dir_fd, name, 1 << 24, &data, NULL) < 0 ? NULL : data;
}

/* The entries without their times. */
static char *entries(const char *name) {
        _cleanup_free_ char *data = content(name);
        char *result = data ? calloc(1, strlen(data) + 1) : NULL;

        for (char *p = data; p && *p;) {
                char *end = strchr(p, '\n');

                CHECK(end && end - p >= LOG_HEADER_SIZE);
                strncat(result, p + LOG_TIME_SIZE + 1, (size_t) (end - p - LOG_TIME_SIZE));
                p = end + 1;
        }
        return result;
}

TEST(the_foreground_writes_and_completes) {
        LogWriter writer;
        LogState state;

        set_up();
        CHECK_INT(log_writer_open(&writer, dir_fd, path, 0, NULL), 0);
        CHECK_INT(log_write(&writer, LOG_STDOUT, "a\nb", 3), 0);
        CHECK_INT(log_write(&writer, LOG_STDERR, "e\n", 2), 0);
        CHECK_INT(log_write(&writer, LOG_STDOUT, "c\n", 2), 0);
        CHECK_INT(log_state_read(dir_fd, LOG_STATE_NAME, &state), 0);
        CHECK(!(state.flags & LOG_STATE_COMPLETE));
        log_writer_finish(&writer);
        CHECK_INT(log_state_read(dir_fd, LOG_STATE_NAME, &state), 0);
        CHECK(state.flags & LOG_STATE_COMPLETE);
        _cleanup_free_ char *text = entries("ctr.log");
        CHECK_STR(text, "stdout F a\nstdout P b\nstderr F e\nstdout F c\n");
        tear_down();
}

TEST(a_new_run_ends_the_last_line) {
        LogWriter writer;

        set_up();
        CHECK_INT(log_writer_open(&writer, dir_fd, path, 0, NULL), 0);
        CHECK_INT(log_write(&writer, LOG_STDERR, "no newline", 10), 0);
        log_writer_finish(&writer);
        CHECK_INT(log_writer_open(&writer, dir_fd, path, 0, NULL), 0);
        CHECK_INT(log_write(&writer, LOG_STDOUT, "next\n", 5), 0);
        log_writer_finish(&writer);
        _cleanup_free_ char *text = entries("ctr.log");
        CHECK_STR(text, "stderr P no newline\nstderr F \nstdout F next\n");
        tear_down();
}

TEST(a_torn_line_is_ended) {
        LogWriter writer;

        set_up();
        CHECK_INT(file_write_atomic(dir_fd, "ctr.log", "2026-1", 6, 0600, FILE_VOLATILE), 0);
        CHECK_INT(log_writer_open(&writer, dir_fd, path, 0, NULL), 0);
        log_writer_finish(&writer);
        _cleanup_free_ char *text = content("ctr.log");
        CHECK_STR(text, "2026-1\n");
        tear_down();
}

TEST(a_full_log_becomes_the_old_one) {
        LogWriter writer;
        struct stat st;

        set_up();
        CHECK_INT(log_writer_open(&writer, dir_fd, path, 1000, NULL), 0);
        for (int i = 0; i < 100; i++) {
                char line[32];

                CHECK_INT(log_write(&writer, LOG_STDOUT, line, (size_t) snprintf(line, sizeof(line), "line %d\n", i)), 0);
        }
        log_writer_finish(&writer);
        CHECK_INT(fstatat(dir_fd, "ctr.log", &st, 0), 0);
        CHECK(st.st_size <= 1000);
        CHECK_INT(fstatat(dir_fd, "ctr.log.1", &st, 0), 0);
        CHECK(st.st_size <= 1000 && st.st_size > 900);
        CHECK(fstatat(dir_fd, "ctr.log.2", &st, 0) < 0);
        _cleanup_free_ char *text = entries("ctr.log");
        CHECK(str_has_suffix(text, "stdout F line 99\n"));
        tear_down();
}

TEST(an_emptied_log_begins_again) {
        LogWriter writer;

        set_up();
        CHECK_INT(log_writer_open(&writer, dir_fd, path, 0, NULL), 0);
        CHECK_INT(log_write(&writer, LOG_STDOUT, "one\n", 4), 0);
        CHECK_INT(truncate(path, 0), 0);
        CHECK_INT(log_write(&writer, LOG_STDOUT, "two\n", 4), 0);
        CHECK_INT(unlink(path), 0);
        CHECK_INT(log_write(&writer, LOG_STDOUT, "three\n", 6), 0);
        log_writer_finish(&writer);
        _cleanup_free_ char *text = entries("ctr.log");
        CHECK_STR(text, "stdout F three\n");
        tear_down();
}

TEST(only_regular_files) {
        _cleanup_log_file_ LogFile file = LOG_FILE_NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        set_up();
        CHECK_INT(mkfifo(path, 0600), 0);
        CHECK_INT(log_file_open(&file, path, 0, &error), -EINVAL);
        CHECK(strstr(error.message, "not a regular file"));
        CHECK_INT(unlink(path), 0);
        CHECK_INT(symlink("/etc/passwd", path), 0);
        CHECK_INT(log_file_open(&file, path, 0, NULL), -ELOOP);
        CHECK_INT(log_file_open(&file, "ctr.log", 0, NULL), -EINVAL);
        CHECK_INT(log_file_open(&file, "/", 0, NULL), -EINVAL);
        tear_down();
}

TEST(rotation_twice_is_once) {
        _cleanup_log_file_ LogFile file = LOG_FILE_NULL;

        set_up();
        CHECK_INT(file_write_atomic(dir_fd, "ctr.log", "first\n", 6, 0600, FILE_VOLATILE), 0);
        CHECK_INT(log_file_open(&file, path, 0, NULL), 0);
        uint64_t inode = file.inode;
        CHECK_INT(log_file_rotate(&file, inode), 0);
        CHECK_INT(log_file_rotate(&file, inode), 0);
        CHECK_INT(file.offset, 0);
        _cleanup_free_ char *old = content("ctr.log.1");
        CHECK_STR(old, "first\n");
        tear_down();
}
