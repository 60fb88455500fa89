/* SPDX-License-Identifier: Apache-2.0 */
/* Files that change together.
 *
 * The plan has a line for each: what, a number, the name. "new INODE NAME": the staged file of that inode gets a name that was
 * free. "swap INODE NAME": it changes places with the file there. "take 0 NAME": the file there goes into the stage. Where each file
 * lies tells how far it came, so going back needs no further notes.
 *
 * File systems that know no rename without replacing, and no exchange (NFS, for one), get the same by hard links: what is replaced
 * there has a second name in "old" meanwhile. */
#include "quadlet/change.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

static const char plan_name[] = "plan";
static const char files_name[] = "files";
static const char old_name[] = "old";
static const char stage_prefix[] = ".sdpod-";

enum {
        PLAN_MAX = 4 * 1024 * 1024,
        SYNC_EACH_MAX = 16, /* of more files, all of the file system is synced once: faster than each by itself */
};

/* ---- going back ---- */

static bool inode_is(int dir_fd, const char *name, unsigned long long inode) {
        struct stat st;

        return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && st.st_ino == inode;
}

static bool is_there(int dir_fd, const char *name) {
        struct stat st;

        return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0;
}

/* The exchange, or its other half where it was made of links. */
static void undo_swap(int dir_fd, int stage_fd, int files_fd, const char *name) {
        if (is_there(files_fd, name)) {
                (void) renameat2(files_fd, name, dir_fd, name, RENAME_EXCHANGE);
                return;
        }
        _cleanup_fd_ int old_fd = path_open_beneath(stage_fd, old_name, O_RDONLY | O_DIRECTORY, 0);
        if (old_fd >= 0)
                (void) renameat(old_fd, name, dir_fd, name);
}

static void undo_line(int dir_fd, int stage_fd, int files_fd, const char *line) {
        unsigned long long inode;
        char word[8];
        int at = 0;

        if (sscanf(line, "%7s %llu%n", word, &inode, &at) != 2 || line[at] != ' ')
                return;
        const char *name = line + at + 1;
        if (str_equal(word, "new") && inode_is(dir_fd, name, inode))
                (void) unlinkat(dir_fd, name, 0);
        else if (str_equal(word, "swap") && inode_is(dir_fd, name, inode))
                undo_swap(dir_fd, stage_fd, files_fd, name);
        else if (str_equal(word, "take") && is_there(files_fd, name) && !is_there(dir_fd, name))
                (void) renameat(files_fd, name, dir_fd, name);
}

/* Back by the plan, if there is one. */
static void undo(int dir_fd, int stage_fd) {
        _cleanup_free_ char *plan = NULL;
        _cleanup_fd_ int files_fd = path_open_beneath(stage_fd, files_name, O_RDONLY | O_DIRECTORY, 0);

        if (files_fd < 0 || file_read(stage_fd, plan_name, PLAN_MAX, &plan, NULL) < 0)
                return;
        for (char *rest = NULL, *line = strtok_r(plan, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                undo_line(dir_fd, stage_fd, files_fd, line);
        (void) fsync(dir_fd);
}

/* What killed processes have left: nobody else can be at it, as the lock is ours. */
static void recover(int dir_fd) {
        int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *stream = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        if (!stream) {
                (void) fd_close(copy);
                return;
        }
        while ((entry = readdir(stream))) {
                if (!str_after(entry->d_name, stage_prefix))
                        continue;
                _cleanup_fd_ int stage_fd = path_open_beneath(dir_fd, entry->d_name, O_RDONLY | O_DIRECTORY, 0);
                if (stage_fd < 0)
                        continue;
                undo(dir_fd, stage_fd);
                (void) path_remove_tree(dir_fd, entry->d_name);
        }
        (void) closedir(stream);
}

/* ---- a change ---- */

int quadlet_change_begin(const char *path, QuadletChange *ret, Error *reterr) {
        int r = path_mkdirs(path, 0755);

        ret->dir_fd = r < 0 ? -EBADF : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (ret->dir_fd < 0)
                return error_set_errno(reterr, r < 0 ? r : -errno, "cannot open the directory '%s'", path);
        if (RETRY_EINTR(flock(ret->dir_fd, LOCK_EX)) < 0)
                return error_set_errno(reterr, -errno, "cannot lock the directory '%s'", path);
        if (!(ret->path = strdup(path)))
                return error_oom(reterr);
        recover(ret->dir_fd);
        return 0;
}

static int open_stage(QuadletChange *c, Error *reterr) {
        if (c->stage_fd >= 0)
                return 0;
        _cleanup_free_ char *random = str_random_hex(8);
        if (!random)
                return error_oom(reterr);
        (void) snprintf(c->stage, sizeof(c->stage), "%s%s", stage_prefix, random);
        _cleanup_fd_ int stage = path_open_or_make_dir(c->dir_fd, c->stage, 0700);
        c->stage_fd = stage < 0 ? stage : path_open_or_make_dir(stage, files_name, 0700);
        return c->stage_fd < 0 ? error_set_errno(reterr, c->stage_fd, "cannot write to '%s'", c->path) : 0;
}

static int plan_new(QuadletChange *c, const char *name, bool replace, Error *reterr) {
        struct stat st;

        if (fstatat(c->stage_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(reterr, -errno, "cannot write '%s/%s'", c->path, name);
        text_addf(&c->plan, "%s %llu %s\n", replace && is_there(c->dir_fd, name) ? "swap" : "new", (unsigned long long) st.st_ino, name);
        return 0;
}

int quadlet_change_put(QuadletChange *c, const char *name, const void *data, size_t size, mode_t mode, bool replace, Error *reterr) {
        int r = open_stage(c, reterr);

        if (r < 0)
                return r;
        r = file_write_atomic(c->stage_fd, name, data, size, mode, c->n_put++ < SYNC_EACH_MAX ? FILE_DURABLE : FILE_VOLATILE);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write '%s/%s'", c->path, name);
        return plan_new(c, name, replace, reterr);
}

int quadlet_change_take(QuadletChange *c, const char *name, Error *reterr) {
        struct stat st;
        int r = open_stage(c, reterr);

        /* not a directory, whatever a record says */
        if (r >= 0 && fstatat(c->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && !S_ISDIR(st.st_mode))
                text_addf(&c->plan, "take 0 %s\n", name);
        return r;
}

static int put_new(const QuadletChange *c, const char *name) {
        if (renameat2(c->stage_fd, name, c->dir_fd, name, RENAME_NOREPLACE) >= 0)
                return 0;
        if (errno != EINVAL)
                return -errno;
        if (linkat(c->stage_fd, name, c->dir_fd, name, 0) < 0)
                return -errno;
        (void) unlinkat(c->stage_fd, name, 0);
        return 0;
}

static int put_in_place_of(const QuadletChange *c, int stage, const char *name) {
        if (renameat2(c->stage_fd, name, c->dir_fd, name, RENAME_EXCHANGE) >= 0)
                return 0;
        if (errno != EINVAL)
                return -errno;
        _cleanup_fd_ int old_fd = path_open_or_make_dir(stage, old_name, 0700);
        if (old_fd < 0)
                return old_fd;
        if (linkat(c->dir_fd, name, old_fd, name, 0) < 0 || renameat(c->stage_fd, name, c->dir_fd, name) < 0)
                return -errno;
        return 0;
}

static int apply_line(QuadletChange *c, int stage, const char *line) {
        unsigned long long inode;
        char word[8];
        int at = 0;

        if (sscanf(line, "%7s %llu%n", word, &inode, &at) != 2 || line[at] != ' ')
                return -EBADMSG;
        const char *name = line + at + 1;
        if (str_equal(word, "take"))
                return renameat(c->dir_fd, name, c->stage_fd, name) < 0 ? -errno : 0;
        return str_equal(word, "swap") ? put_in_place_of(c, stage, name) : put_new(c, name);
}

static int open_plan_directory(const QuadletChange *c) {
        return path_open_beneath(c->dir_fd, c->stage, O_RDONLY | O_DIRECTORY, 0);
}

int quadlet_change_apply(QuadletChange *c, Error *reterr) {
        if (c->plan.failed)
                return error_oom(reterr);
        if (c->stage_fd < 0 || c->plan.size == 0)
                return 0;
        _cleanup_fd_ int stage = open_plan_directory(c);
        int r = stage;
        if (r >= 0 && c->n_put > SYNC_EACH_MAX && syncfs(stage) < 0)
                r = -errno;
        if (r >= 0)
                r = file_write_atomic(stage, plan_name, c->plan.data, c->plan.size, 0600, FILE_DURABLE);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write to '%s'", c->path);
        c->applied = true;
        for (char *line = c->plan.data, *end; line && *line; line = end + 1) {
                end = strchr(line, '\n');
                *end = '\0';
                r = apply_line(c, stage, line);
                if (r < 0) {
                        const char *name = strchr(strchr(line, ' ') + 1, ' ') + 1;

                        return r == -EEXIST ? error_set(reterr, r, ERROR_EXISTS, "cannot write '%s/%s': it is there already", c->path, name)
                                            : error_set_errno(reterr, r, "cannot change '%s/%s'", c->path, name);
                }
        }
        (void) fsync(c->dir_fd);
        return 0;
}

void quadlet_change_keep(QuadletChange *c) {
        _cleanup_fd_ int stage = c->applied ? open_plan_directory(c) : -EBADF;

        if (stage < 0)
                return;
        (void) unlinkat(stage, plan_name, 0);
        (void) fsync(stage);
        c->applied = false;
}

void quadlet_change_done(QuadletChange *c) {
        if (c->applied) {
                _cleanup_fd_ int stage = open_plan_directory(c);

                if (stage >= 0)
                        undo(c->dir_fd, stage);
        }
        if (c->stage_fd >= 0) {
                (void) fd_close(c->stage_fd);
                (void) path_remove_tree(c->dir_fd, c->stage);
        }
        (void) fd_close(c->dir_fd);
        text_done(&c->plan);
        free(c->path);
        *c = QUADLET_CHANGE_NULL;
}
