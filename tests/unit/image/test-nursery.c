/* SPDX-License-Identifier: Apache-2.0 */
#include "image/nursery.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"

static pid_t parent_of(const char *pid) {
        char path[64], line[512] = "";
        long parent = 0;

        (void) snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
        FILE *file = fopen(path, "re");
        const char *after = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
        if (after)
                (void) sscanf(after, ") %*c %ld", &parent);
        if (file)
                (void) fclose(file);
        return (pid_t) parent;
}

static pid_t child_of(pid_t parent) {
        DIR *dir = opendir("/proc");
        pid_t found = 0;

        for (struct dirent *e; dir && (e = readdir(dir));)
                if (*e->d_name >= '1' && *e->d_name <= '9' && parent_of(e->d_name) == parent)
                        found = (pid_t) strtol(e->d_name, NULL, 10);
        if (dir)
                (void) closedir(dir);
        return found;
}

static unsigned count_entries(const char *path) {
        DIR *dir = opendir(path);
        unsigned n = 0;

        CHECK(dir);
        for (struct dirent *e; dir && (e = readdir(dir));)
                n += !str_equal(e->d_name, ".") && !str_equal(e->d_name, "..");
        if (dir)
                (void) closedir(dir);
        return n;
}

/* Its directories, and how many of them have something above them. */
static void look_at(pid_t pid, unsigned *ret_directories, unsigned *ret_open) {
        *ret_directories = *ret_open = 0;
        for (int fd = 0; fd < 64; fd++) {
                char path[64];
                struct stat here, above;

                (void) snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
                if (stat(path, &here) < 0 || !S_ISDIR(here.st_mode))
                        continue;
                (void) snprintf(path, sizeof(path), "/proc/%d/fd/%d/..", pid, fd);
                (*ret_directories)++;
                *ret_open += stat(path, &above) < 0 || above.st_ino != here.st_ino || above.st_dev != here.st_dev;
        }
}

/* Inside: 1 where there is a way out. */
static int look_around(void *data, int root_fd, int out_fd, Error *reterr) {
        (void) data, (void) out_fd;
        for (int fd = 3; fd < 64; fd++) {
                struct stat st;

                if (fd != root_fd && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
                        return error_set(reterr, -EXDEV, ERROR_INTERNAL, "descriptor %d is a directory", fd);
        }
        return 0;
}

TEST(a_worker_has_no_descriptor_that_it_was_not_given) {
        char top[] = "/tmp/sdpod-test-XXXXXX";
        _cleanup_user_map_ UserMap map = {};
        _cleanup_error_ Error error = ERROR_NULL;
        int dirs[3];
        Worker worker = WORKER_NULL;
        UnpackResult result;

        CHECK(mkdtemp(top));
        for (int i = 0; i < 3; i++)
                CHECK((dirs[i] = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
        const WorkerJob job = { .task = WORKER_FUNCTION, .in_fd = -EBADF, .dir_fd = dirs[0], .out_fd = -EBADF, .size_limit = 4096,
                                .function = look_around };
        CHECK_INT(user_map_default(&map, NULL), 0);
        CHECK_INT(worker_start(&job, &map, &worker, NULL), 0);
        CHECK_INT(worker_finish(&worker, &result, &error), 0);
        CHECK_STR(error.message, NULL);
        for (int i = 0; i < 3; i++)
                (void) close(dirs[i]);
}

TEST(the_common_worker_has_one_tree_and_nothing_around_it) {
        char top[] = "/tmp/sdpod-test-XXXXXX", root[64];
        _cleanup_nursery_ Nursery nursery = NURSERY_NULL;
        _cleanup_user_map_ UserMap map = {};
        unsigned directories = 0, open_above = 0;
        Worker worker = WORKER_NULL;
        int pair[2];

        if (geteuid() != 0)
                SKIP("only root sees the descriptors of a process that is not dumpable");
        CHECK(mkdtemp(top));
        _cleanup_fd_ int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int record = openat(dir, "record", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CHECK(mkdirat(dir, "layer-0", 0700) == 0 && mkdirat(dir, "layer-0/diff", 0755) == 0);
        CHECK_INT(user_map_default(&map, NULL), 0);
        CHECK_INT(nursery_start(dir, &map, &nursery, NULL), 0);
        /* a layer that never comes */
        CHECK_INT(pipe2(pair, O_CLOEXEC), 0);
        _cleanup_fd_ int in = pair[0], out = pair[1];
        const WorkerJob job = { .task = WORKER_UNPACK, .in_fd = in, .size = UINT64_MAX, .dir_fd = -EBADF, .out_fd = record,
                                .size_limit = 1024 * 1024 };
        CHECK_INT(nursery_start_worker(&nursery, &job, /* small= */ true, "layer-0/diff", &worker, NULL), 0);
        for (unsigned tries = 0; directories == 0 && tries < 1000000; tries++) {
                pid_t pid = child_of(nursery.pid);

                if (pid <= 0)
                        continue;
                (void) snprintf(root, sizeof(root), "/proc/%d/root", pid);
                look_at(pid, &directories, &open_above);
        }
        CHECK(directories > 0);
        CHECK_INT(open_above, 0);
        CHECK_INT(count_entries(root), 0);
        worker_done(&worker);
}
