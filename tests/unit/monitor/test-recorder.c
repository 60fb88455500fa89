/* SPDX-License-Identifier: Apache-2.0 */
/* The recorder against SIGKILL, a full disk and its own past, with real pipes. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "monitor/recorder.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char dir[64], path[128];
static int dir_fd, ends[2];
static RecorderShared shared;
static MonitorConfig config;

static void set_up(uint64_t max_size) {
        strcpy(dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/sdpod-test-XXXXXX" : "/tmp/sdpod-test-XXXXXX");
        CHECK(mkdtemp(dir));
        dir_fd = open(dir, O_DIRECTORY | O_CLOEXEC);
        CHECK(dir_fd >= 0);
        (void) snprintf(path, sizeof(path), "%s/ctr.log", dir);
        CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
        CHECK_INT(recorder_shared_init(&shared), 0);
        config = (MonitorConfig){
                .id = (char *) ID, .name = (char *) "n", .runtime_dir = dir, .driver = (char *) "k8s-file", .path = path,
                .max_size = max_size,
        };
}

static void tear_down(void) {
        recorder_shared_done(&shared);
        ends[0] = fd_close(ends[0]);
        ends[1] = fd_close(ends[1]);
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
        dir_fd = fd_close(dir_fd);
}

static void put(const char *text) {
        CHECK_INT(io_write_full(ends[1], text, strlen(text)), 0);
}

/* The texts of all entries of old and new log, P without a newline; `ret` is owned. */
static char *logged(void) {
        _cleanup_free_ char *old = NULL, *new = NULL, *all = NULL;
        size_t n = 0;

        (void) file_read(dir_fd, "ctr.log.1", 1 << 26, &old, NULL);
        CHECK_INT(file_read(dir_fd, "ctr.log", 1 << 26, &new, NULL), 0);
        CHECK(asprintf(&all, "%s%s", old ?: "", new) >= 0);
        char *result = calloc(1, strlen(all) + 1);
        for (char *p = all; *p;) {
                char *end = strchr(p, '\n');

                CHECK(end && end - p >= LOG_HEADER_SIZE);
                size_t size = (size_t) (end - p) - LOG_HEADER_SIZE + (p[LOG_TIME_SIZE + 8] == 'F' ? 1 : 0);
                memcpy(result + n, p + LOG_HEADER_SIZE, size);
                n += size;
                p = end + 1;
        }
        return result;
}

static ssize_t fill_all(Recorder *r, LogStream stream) {
        ssize_t n;

        while ((n = recorder_fill(r, stream, ends[0], 1 << 20)) > 0)
                ;
        return n;
}

TEST(lines_wait_for_their_end) {
        Recorder r;

        set_up(0);
        CHECK_INT(recorder_begin(&r, &shared, &config, dir_fd, NULL), 0);
        put("one\ntw");
        CHECK_INT(fill_all(&r, LOG_STDOUT), -EAGAIN);
        CHECK_INT(recorder_drain(&r, LOG_STDOUT, false), 0);
        CHECK_INT(recorder_pending(&r, LOG_STDOUT), 2);
        put("o\nthree");
        CHECK_INT(fill_all(&r, LOG_STDOUT), -EAGAIN);
        CHECK_INT(recorder_drain(&r, LOG_STDOUT, false), 0);
        CHECK_INT(recorder_drain(&r, LOG_STDOUT, true), 0);
        CHECK_INT(recorder_pending(&r, LOG_STDOUT), 0);
        ends[1] = fd_close(ends[1]);
        CHECK_INT(fill_all(&r, LOG_STDOUT), 0);
        CHECK_INT(recorder_finish(&r, false), 0);
        recorder_done(&r);
        _cleanup_free_ char *text = logged();
        CHECK_STR(text, "one\ntwo\nthree");
        LogState state;
        CHECK_INT(log_state_read(dir_fd, LOG_STATE_NAME, &state), 0);
        CHECK(state.flags & LOG_STATE_COMPLETE);
        CHECK(faccessat(dir_fd, "log.stdout", F_OK, 0) < 0);
        CHECK(faccessat(dir_fd, RECORDER_CONFIG_NAME, F_OK, 0) < 0);
        tear_down();
}

TEST(begins_anew_after_a_run) {
        Recorder r;

        set_up(0);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(recorder_begin(&r, &shared, &config, dir_fd, NULL), 0);
                put("again\n");
                CHECK_INT(fill_all(&r, LOG_STDOUT), -EAGAIN);
                CHECK_INT(recorder_finish(&r, true), 0);
                recorder_done(&r);
        }
        _cleanup_free_ char *text = logged();
        CHECK_STR(text, "again\nagain\n");
        tear_down();
}

/* What an earlier life left: a spool with this text, a log, and a state with an open intent. */
static void leave(const char *spooled, const char *log, LogState state) {
        _cleanup_fd_ int fd = log_state_open(dir_fd, LOG_STATE_NAME, /* create= */ true);
        struct stat st;

        CHECK_INT(file_write_atomic(dir_fd, "log.stdout", spooled, strlen(spooled), 0600, FILE_VOLATILE), 0);
        if (log)
                CHECK_INT(file_write_atomic(dir_fd, "ctr.log", log, strlen(log), 0600, FILE_VOLATILE), 0);
        if (state.log_inode == 0 && stat(path, &st) >= 0)
                state.log_inode = (uint64_t) st.st_ino;
        CHECK_INT(log_state_save(fd, &state), 0);
}

static char *resume_and_finish(void) {
        Recorder r;
        char *text = NULL;

        CHECK_INT(recorder_resume(&r, &shared, &config, dir_fd, NULL), 0);
        CHECK_INT(recorder_finish(&r, false), 0);
        recorder_done(&r);
        CHECK_INT(file_read(dir_fd, "ctr.log", 1 << 20, &text, NULL), 0);
        return text;
}

#define OLD_TIME "2026-11-22T10:00:00.000000000+00:00 stdout "

/* However far the write had come: a reader that has seen it sees no change. */
TEST(an_open_batch_is_written_again_as_it_was) {
        const char *whole = OLD_TIME "F before\n" OLD_TIME "F one\n" OLD_TIME "F two\n";
        const LogState state = {
                .intent = LOG_INTENT_BATCH, .intent_size = 8, .intent_nsec = 1795341600000000000, .consumed = { 7 },
                .log_offset = strlen(OLD_TIME "F before\n"),
        };

        for (size_t n = state.log_offset; n <= strlen(whole); n += 5) {
                _cleanup_free_ char *log = strndup(whole, n), *text = NULL;

                set_up(0);
                leave("before\none\ntwo\nthree\n", log, state);
                text = resume_and_finish();
                CHECK_INT(strncmp(text, whole, strlen(whole)), 0);
                CHECK(str_has_suffix(text, " stdout F three\n"));
                CHECK_INT(strlen(text), strlen(whole) + strlen(OLD_TIME "F three\n"));
                tear_down();
        }
}

TEST(an_open_rotation_is_finished) {
        struct stat st;

        for (int renamed = 0; renamed < 3; renamed++) {
                LogState state = { .intent = LOG_INTENT_ROTATE };

                set_up(0);
                leave("next\n", OLD_TIME "F old\n", state);
                CHECK_INT(stat(path, &st), 0);
                state.log_inode = (uint64_t) st.st_ino;
                if (renamed > 0)
                        CHECK_INT(renameat(dir_fd, "ctr.log", dir_fd, "ctr.log.1"), 0);
                leave("next\n", renamed == 2 ? "" : NULL, state);
                _cleanup_free_ char *text = resume_and_finish(), *old = NULL;
                CHECK_INT(strlen(text), strlen(OLD_TIME "F next\n"));
                CHECK(str_has_suffix(text, " stdout F next\n"));
                CHECK_INT(file_read(dir_fd, "ctr.log.1", 1 << 20, &old, NULL), 0);
                CHECK_STR(old, OLD_TIME "F old\n");
                tear_down();
        }
}

/* Killed after the spool was emptied and before that was saved, and once more after it was filled again. */
TEST(an_emptied_spool_begins_at_its_beginning) {
        Recorder r;

        set_up(0);
        leave("new\n", "", (LogState){ .consumed = { 100 } });
        CHECK_INT(recorder_resume(&r, &shared, &config, dir_fd, NULL), 0);
        char more[300];
        memset(more, 'm', sizeof(more));
        more[sizeof(more) - 2] = '\n';
        more[sizeof(more) - 1] = 0;
        put(more);
        CHECK_INT(fill_all(&r, LOG_STDOUT), -EAGAIN);
        recorder_done(&r); /* as if killed: nothing of it was logged */
        _cleanup_free_ char *text = resume_and_finish();
        CHECK_INT(strncmp(text + LOG_HEADER_SIZE, "new\n", 4), 0);
        CHECK(str_has_suffix(text, more));
        tear_down();
}

static void record(bool first) {
        Recorder r;
        int k = first ? recorder_begin(&r, &shared, &config, dir_fd, NULL)
                      : recorder_resume(&r, &shared, &config, dir_fd, NULL);

        if (first)
                CHECK_INT(raise(SIGSTOP), 0); /* the parent knows now that the run has begun */
        for (ssize_t n = 1; k >= 0 && n != 0;) {
                n = recorder_fill(&r, LOG_STDOUT, ends[0], 1 << 16);
                if (n == -EAGAIN)
                        (void) usleep(50);
                else if (n < 0 && n != -ENOBUFS)
                        _exit(2);
                k = recorder_drain(&r, LOG_STDOUT, false);
        }
        if (k < 0 || recorder_finish(&r, false) < 0)
                _exit(3);
        _exit(0);
}

static void writer(int n_lines) {
        static char block[8192];
        size_t n = 0;

        for (int i = 0; i < n_lines; i++) {
                n += (size_t) snprintf(block + n, sizeof(block) - n, "line %d %.*s\n", i, i % 97,
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
                if (n > sizeof(block) - 256 || i % 5 == 0) {
                        if (io_write_full(ends[1], block, n) < 0)
                                _exit(1);
                        n = 0;
                }
        }
        (void) io_write_full(ends[1], block, n);
        _exit(0);
}

/* Kills the recording process again and again while another writes; ends when one recorder comes through. */
static int kill_and_resume(int n_lines) {
        pid_t writer_pid = fork();
        int status, kills = 0;

        if (writer_pid == 0)
                writer(n_lines);
        for (bool first = true;; first = false) {
                pid_t pid = fork();

                if (pid == 0) {
                        ends[1] = fd_close(ends[1]);
                        record(first);
                }
                if (first) {
                        ends[1] = fd_close(ends[1]);
                        CHECK_INT(waitpid(pid, &status, WUNTRACED), pid);
                        CHECK_INT(kill(pid, SIGCONT), 0);
                }
                (void) usleep((useconds_t) (200 + random() % 2500));
                (void) kill(pid, SIGKILL);
                CHECK_INT(waitpid(pid, &status, 0), pid);
                if (WIFEXITED(status)) {
                        CHECK_INT(WEXITSTATUS(status), 0);
                        break;
                }
                kills++;
        }
        CHECK_INT(waitpid(writer_pid, &status, 0), writer_pid);
        CHECK_INT(status, 0);
        return kills;
}

static void check_lines(const char *text, int from, int n_lines) {
        int i = from;

        for (const char *p = text; *p; i++) {
                const char *end = strchr(p, '\n');
                char head[32];

                CHECK(end);
                size_t n = (size_t) snprintf(head, sizeof(head), "line %d ", i);
                if (memcmp(p, head, n) != 0)
                        test_note("found '%.*s', wanted '%s'", (int) MIN(end - p, 60), p, head);
                CHECK(memcmp(p, head, n) == 0);
                CHECK_INT(end - p, (long) n + i % 97);
                p = end + 1;
        }
        CHECK_INT(i, n_lines);
}

TEST(killed_at_any_moment_loses_and_doubles_nothing) {
        set_up(UINT64_MAX);
        srandom((unsigned) getpid());
        int kills = kill_and_resume(300000);
        test_note("%d kills", kills);
        CHECK(kills > 10);
        _cleanup_free_ char *text = logged();
        check_lines(text, 0, 300000);
        tear_down();
}

TEST(killed_while_rotating_loses_and_doubles_nothing) {
        set_up(3 * 1024 * 1024);
        int kills = kill_and_resume(200000);
        test_note("%d kills", kills);
        CHECK(kills > 5);
        _cleanup_free_ char *text = logged(); /* the end of it: older files are gone */
        int from = 0;
        CHECK_INT(sscanf(text, "line %d", &from), 1);
        CHECK(from > 0);
        check_lines(text, from, 200000);
        tear_down();
}

static void map_self(uid_t uid, gid_t gid) {
        char text[32];

        (void) file_write_string(AT_FDCWD, "/proc/self/setgroups", "deny");
        (void) snprintf(text, sizeof(text), "0 %u 1", uid);
        (void) file_write_string(AT_FDCWD, "/proc/self/uid_map", text);
        (void) snprintf(text, sizeof(text), "0 %u 1", gid);
        (void) file_write_string(AT_FDCWD, "/proc/self/gid_map", text);
}

/* A log on a tiny tmpfs of its own mount namespace. */
static bool tiny_disk(const char *size) {
        char options[32];

        uid_t uid = geteuid();
        gid_t gid = getegid();
        if (unshare(CLONE_NEWNS) < 0) {
                if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                        return false;
                map_self(uid, gid);
        }
        (void) mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
        CHECK_INT(mkdirat(dir_fd, "disk", 0700), 0);
        (void) snprintf(path, sizeof(path), "%s/disk", dir);
        (void) snprintf(options, sizeof(options), "size=%s", size);
        if (mount("tmpfs", path, "tmpfs", 0, options) < 0)
                return false;
        (void) snprintf(path, sizeof(path), "%s/disk/ctr.log", dir);
        return true;
}

static int full_disk(void) {
        Recorder r;
        int k;
        char block[1024];

        if (!tiny_disk("64k"))
                return 77;
        memset(block, 'x', sizeof(block));
        block[sizeof(block) - 1] = '\n';
        if (recorder_begin(&r, &shared, &config, dir_fd, NULL) < 0)
                return 1;
        for (int i = 0; i < 24576; i++) { /* far more than a spool holds: never blocks; the last losses find no room for a note */
                if (io_write_full(ends[1], block, sizeof(block)) < 0)
                        return 2;
                while ((k = (int) recorder_fill(&r, LOG_STDOUT, ends[0], 1 << 20)) != -EAGAIN) {
                        if (k != -ENOBUFS && k <= 0)
                                return 3;
                        if (k == -ENOBUFS)
                                recorder_drop(&r, LOG_STDOUT, -ENOSPC);
                }
                k = recorder_drain(&r, LOG_STDOUT, false);
                if (k != 0 && k != -ENOSPC)
                        return 4;
        }
        if (k != -ENOSPC || r.state.lost == 0 || r.state.failure != ENOSPC)
                return 5;
        _cleanup_free_ char *text = NULL;
        if (file_read(AT_FDCWD, path, 1 << 20, &text, NULL) < 0 || !str_has_suffix(text, "\n") || strlen(text) < 60000)
                return 6; /* whole entries only */
        if (truncate(path, 0) < 0) /* there is room again */
                return 7;
        uint64_t lost = r.state.lost, untold = lost - r.state.lost_noted;
        k = recorder_drain(&r, LOG_STDOUT, false);
        if (k != -ENOSPC || r.state.lost_noted != lost)
                return 8;
        free(text);
        if (file_read(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
                return 9;
        _cleanup_free_ char *note = str_format(" stderr F sdpod-monitor: %llu bytes of output were lost: No space left on "
                                               "device\n", (unsigned long long) untold);
        if (strncmp(text + LOG_TIME_SIZE, note, strlen(note)) != 0) {
                test_note("found '%.160s', wanted '%s'", text, note);
                fflush(stdout);
                return 10;
        }
        return recorder_finish(&r, true) < 0 || !(r.state.flags & LOG_STATE_COMPLETE) ? 11 : 0;
}

static int full_spool(void) {
        Recorder r;
        char block[1024];
        ssize_t n;

        if (!tiny_disk("16k")) /* the runtime directory is the tiny one now, the log is not */
                return 77;
        _cleanup_fd_ int tiny_fd = openat(dir_fd, "disk", O_DIRECTORY | O_CLOEXEC);
        (void) snprintf(path, sizeof(path), "%s/ctr.log", dir);
        memset(block, 'x', sizeof(block));
        block[sizeof(block) - 1] = '\n';
        if (recorder_begin(&r, &shared, &config, tiny_fd, NULL) < 0)
                return 1;
        for (int round = 0; round < 20; round++) {
                for (int i = 0; i < 40; i++)
                        if (io_write_full(ends[1], block, sizeof(block)) < 0)
                                return 2;
                while ((n = recorder_fill(&r, LOG_STDOUT, ends[0], 1 << 20)) != -EAGAIN) {
                        if (n != -ENOBUFS && n <= 0)
                                return 3;
                        if (recorder_drain(&r, LOG_STDOUT, n == -ENOBUFS) < 0)
                                return 4;
                }
        }
        if (recorder_finish(&r, false) < 0 || r.state.lost != 0)
                return 5;
        _cleanup_free_ char *text = logged();
        return strlen(text) == sizeof(block) * 40 * 20 ? 0 : 6;
}

static void in_child(int (*run)(void)) {
        int status;

        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
                _exit(run());
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
                SKIP("no mount namespace here");
        CHECK_INT(WEXITSTATUS(status), 0);
}

TEST(a_full_disk_drops_counts_and_tells) {
        set_up(0);
        in_child(full_disk);
        tear_down();
}

TEST(a_full_runtime_directory_holds_nobody_up) {
        set_up(0);
        in_child(full_spool);
        tear_down();
}
