/* SPDX-License-Identifier: Apache-2.0 */
/* The mount API by descriptors. */
#include "proc/mount.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

/* The file system context hands out one message a read, "e overlay: text" for errors (fsopen(2), Linux 5.2). */
static int explain(int context, int code, const char *type, Error *reterr) {
        char words[256], *line = NULL;
        ssize_t n;

        while ((n = read(context, words, sizeof(words) - 1)) > 0) {
                words[n] = 0;
                words[strcspn(words, "\n")] = 0;
                if (words[0] == 'e' && words[1] == ' ') {
                        free(line);
                        line = strdup(words + 2);
                }
        }
        int r = error_set_errno(reterr, code, "cannot make a file system of type '%s'%s%s%s", type, line ? " (" : "",
                                line ?: "", line ? ")" : "");
        free(line);
        return r;
}

int mount_new(const char *type, const char *source, const MountOption *options, uint64_t attributes, Error *reterr) {
        _cleanup_fd_ int context = fsopen(type, FSOPEN_CLOEXEC);

        if (context < 0)
                return error_set_errno(reterr, -errno, "cannot make a file system of type '%s'", type);
        /* what stands first in /proc/self/mounts; an option can say otherwise */
        if (fsconfig(context, FSCONFIG_SET_STRING, "source", source, 0) < 0)
                return explain(context, -errno, type, reterr);
        for (const MountOption *o = options; o && o->key; o++)
                if (fsconfig(context, o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, o->key, o->value, 0) < 0)
                        return explain(context, -errno, type, reterr);
        if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return explain(context, -errno, type, reterr);
        int fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned) attributes);
        if (fd < 0)
                return explain(context, -errno, type, reterr);
        return fd;
}

int mount_new_words(const char *type, const char *text, uint64_t attributes, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(text ?: "", ",");
        MountOption options[16] = {};
        size_t n = 0;

        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w; w++) {
                char *value = strchr(*w, '=');

                if (!**w)
                        continue;
                if (n + 1 >= ELEMENTSOF(options)) /* the last one ends the list */
                        return error_set(reterr, -E2BIG, ERROR_INVALID, "more than %zu options", ELEMENTSOF(options) - 1);
                if (value)
                        *value++ = 0;
                options[n++] = (MountOption){ *w, value };
        }
        return mount_new(type, type, options, attributes, reterr);
}

/* Descriptors by name: a directory's own name may have letters that the options of a mount take for their own. */
static char *fd_path(int fd) {
        return str_format("/proc/self/fd/%d", fd);
}

int mount_new_overlay(const int *lower_fds, size_t n, int upper_fd, int work_fd, Error *reterr) {
        _cleanup_free_ MountOption *options = calloc(n + 4, sizeof(MountOption));
        _cleanup_free_ char *upper = fd_path(upper_fd), *work = fd_path(work_fd), *joined = NULL;
        _cleanup_strv_ char **lower = NULL;
        bool writable = upper_fd >= 0;
        size_t k = 0;

        if (!options || !upper || !work)
                return error_oom(reterr);
        for (size_t i = 0; i < n; i++)
                if (strv_consume(&lower, fd_path(lower_fds[i])) < 0)
                        return error_oom(reterr);
        options[k++] = (MountOption){ "userxattr", NULL };
        if (writable) {
                options[k++] = (MountOption){ "upperdir", upper };
                options[k++] = (MountOption){ "workdir", work };
        }
        for (size_t i = 0; i < n; i++)
                options[k + i] = (MountOption){ "lowerdir+", lower[i] };
        options[k + n] = (MountOption){};
        int fd = mount_new("overlay", "overlay", options, writable ? 0 : MOUNT_ATTR_RDONLY, reterr);
        if (fd != -EINVAL)
                return fd;
        /* Linux before 6.5 takes all layers in one word */
        if (!(joined = strv_join(lower, ":")))
                return error_oom(reterr);
        error_done(reterr);
        options[k] = (MountOption){ "lowerdir", joined };
        options[k + 1] = (MountOption){};
        return mount_new("overlay", "overlay", options, writable ? 0 : MOUNT_ATTR_RDONLY, reterr);
}

int mount_clone(int dir_fd, const char *path, bool recursive, Error *reterr) {
        unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) | (*path ? 0 : AT_EMPTY_PATH);
        int fd = open_tree(dir_fd, path, flags);

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot mount '%s'", *path ? path : "a directory");
        return fd;
}

int mount_set(int mount_fd, uint64_t attributes, uint64_t propagation, bool recursive, Error *reterr) {
        struct mount_attr attr = { .attr_set = attributes, .propagation = propagation };

        if (attributes & MOUNT_ATTR__ATIME) /* one of several values: the old one is cleared (mount_setattr(2)) */
                attr.attr_clr = MOUNT_ATTR__ATIME;

        if (attributes == 0 && propagation == 0)
                return 0;
        if (mount_setattr(mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) < 0)
                return error_set_errno(reterr, -errno, "cannot set the options of a mount");
        return 0;
}

int mount_unset(int mount_fd, uint64_t attributes, Error *reterr) {
        struct mount_attr attr = { .attr_clr = attributes };

        if (mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
                return error_set_errno(reterr, -errno, "cannot clear the options of a mount");
        return 0;
}

int mount_attach(int mount_fd, int target_fd, Error *reterr) {
        if (move_mount(mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return error_set_errno(reterr, -errno, "cannot mount");
        return 0;
}
