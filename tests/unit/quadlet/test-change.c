/* SPDX-License-Identifier: Apache-2.0 */
/* Files that change together: all, or none, whatever goes wrong; and going back for a process that was killed. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "quadlet/change.h"

/* Linked with --wrap=renameat2: a file system that knows no flags. */
int __real_renameat2(int old_dir, const char *old, int new_dir, const char *new, unsigned flags);
int __wrap_renameat2(int old_dir, const char *old, int new_dir, const char *new, unsigned flags);

static bool no_flags;

int __wrap_renameat2(int old_dir, const char *old, int new_dir, const char *new, unsigned flags) {
        if (!no_flags || flags == 0)
                return __real_renameat2(old_dir, old, new_dir, new, flags);
        errno = EINVAL;
        return -1;
}

static char *make_directory(void) {
        char *path = strdup("/tmp/sdpod-test-change-XXXXXX");

        CHECK(mkdtemp(path));
        return path;
}

static void write_file(const char *dir, const char *name, const char *text) {
        _cleanup_fd_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        CHECK(file_write_atomic(fd, name, text, strlen(text), 0644, FILE_VOLATILE) == 0);
}

/* "a=1 b=2": all names, sorted, and what is in them. */
static char *describe(const char *dir) {
        _cleanup_fd_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent **entries;
        int n = scandir(dir, &entries, NULL, alphasort);
        char *all = strdup("");

        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *text = NULL, *before = all;

                if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0) {
                        (void) file_read(fd, entries[i]->d_name, 4096, &text, NULL);
                        all = str_format("%s%s%s=%s", before, *before ? " " : "", entries[i]->d_name, text ?: "?");
                } else
                        before = NULL;
                free(entries[i]);
        }
        free(entries);
        return all;
}

#define CHECK_DIRECTORY(dir, wanted)                      \
        do {                                              \
                _cleanup_free_ char *_now = describe(dir); \
                CHECK_STR(_now, wanted);                  \
        } while (0)

static int prepare(const char *dir, QuadletChange *c) {
        int r = quadlet_change_begin(dir, c, NULL);

        if (r >= 0)
                r = quadlet_change_put(c, "new", "N", 1, 0644, /* replace= */ false, NULL);
        if (r >= 0)
                r = quadlet_change_put(c, "old", "O2", 2, 0644, /* replace= */ true, NULL);
        if (r >= 0)
                r = quadlet_change_take(c, "gone", NULL);
        return r < 0 ? r : quadlet_change_take(c, "never", NULL);
}

TEST(all_of_it_once_it_is_kept) {
        _cleanup_free_ char *dir = make_directory();
        QuadletChange c = QUADLET_CHANGE_NULL;

        write_file(dir, "old", "O");
        write_file(dir, "gone", "G");
        CHECK_INT(prepare(dir, &c), 0);
        CHECK_INT(quadlet_change_apply(&c, NULL), 0);
        quadlet_change_keep(&c);
        quadlet_change_done(&c);
        CHECK_DIRECTORY(dir, "new=N old=O2");
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
}

TEST(none_of_it_otherwise) {
        _cleanup_free_ char *dir = make_directory();

        write_file(dir, "old", "O");
        write_file(dir, "gone", "G");
        for (int apply = 0; apply < 2; apply++) {
                QuadletChange c = QUADLET_CHANGE_NULL;

                CHECK_INT(prepare(dir, &c), 0);
                CHECK_INT(apply ? quadlet_change_apply(&c, NULL) : 0, 0);
                quadlet_change_done(&c);
                CHECK_DIRECTORY(dir, "gone=G old=O");
        }
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
}

TEST(a_name_that_is_taken_undoes_those_before_it) {
        _cleanup_free_ char *dir = make_directory();
        _cleanup_error_ Error error = ERROR_NULL;
        QuadletChange c = QUADLET_CHANGE_NULL;

        write_file(dir, "old", "O");
        CHECK_INT(prepare(dir, &c), 0);
        CHECK_INT(quadlet_change_put(&c, "taken", "T", 1, 0644, /* replace= */ false, NULL), 0);
        write_file(dir, "taken", "T0");
        CHECK_INT(quadlet_change_apply(&c, &error), -EEXIST);
        CHECK(strstr(error.message, "/taken': it is there already"));
        quadlet_change_done(&c);
        CHECK_DIRECTORY(dir, "old=O taken=T0");
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
}

/* Ends by SIGKILL, so to say, with all, or with a part of it done. */
TEST(a_killed_process_is_undone_by_the_next) {
        for (int part = 0; part < 2; part++) {
                _cleanup_free_ char *dir = make_directory();
                QuadletChange next = QUADLET_CHANGE_NULL;
                int status;

                write_file(dir, "old", "O");
                write_file(dir, "gone", "G");
                if (part) /* in the way of a later line */
                        write_file(dir, "zz", "Z");
                pid_t pid = fork();
                if (pid == 0) {
                        QuadletChange c = QUADLET_CHANGE_NULL;
                        int r = prepare(dir, &c);

                        if (r >= 0 && part)
                                r = quadlet_change_put(&c, "zz", "Z1", 2, 0644, /* replace= */ false, NULL);
                        (void) quadlet_change_apply(&c, NULL);
                        _exit(r < 0);
                }
                CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
                CHECK_INT(quadlet_change_begin(dir, &next, NULL), 0);
                quadlet_change_done(&next);
                CHECK_DIRECTORY(dir, part ? "gone=G old=O zz=Z" : "gone=G old=O");
                CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
        }
}

TEST(the_same_on_a_file_system_without_flags) {
        no_flags = true;
        test_all_of_it_once_it_is_kept();
        test_none_of_it_otherwise();
        test_a_name_that_is_taken_undoes_those_before_it();
        test_a_killed_process_is_undone_by_the_next();
        no_flags = false;
}

TEST(directories_and_links_are_not_followed) {
        _cleanup_free_ char *dir = make_directory(), *sub = str_format("%s/sub", dir), *link = str_format("%s/link", dir),
                            *target = str_format("%s/target", dir);
        QuadletChange c = QUADLET_CHANGE_NULL;

        write_file(dir, "target", "T");
        CHECK(mkdir(sub, 0755) == 0 && symlink(target, link) == 0);
        CHECK_INT(quadlet_change_begin(dir, &c, NULL), 0);
        CHECK_INT(quadlet_change_take(&c, "sub", NULL), 0);
        CHECK_INT(quadlet_change_put(&c, "link", "L", 1, 0644, /* replace= */ true, NULL), 0);
        CHECK_INT(quadlet_change_apply(&c, NULL), 0);
        quadlet_change_keep(&c);
        quadlet_change_done(&c);
        CHECK_DIRECTORY(dir, "link=L sub=? target=T");
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
}
