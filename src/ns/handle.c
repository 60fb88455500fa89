/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces as descriptors. */
#include "ns/handle.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/process.h"
#include "base/str.h"

enum { MAP_LIMIT = 65536, MAP_RANGES_LIMIT = 340 /* user_namespaces(7) */ };

int ns_open(const char *path, int type, Error *reterr) {
        /* it may be anybody's file: opening a FIFO must not wait */
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct statfs fs;

        if (fd < 0 || fstatfs(fd, &fs) < 0)
                return error_set_errno(reterr, -errno, "cannot open the namespace '%s'", path);
        if (fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != type)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot open the namespace '%s': it is not one of this kind", path);
        return TAKE_FD(fd);
}

int ns_open_of_process(int pidfd, pid_t pid, const char *name, Error *reterr) {
        _cleanup_free_ char *path = str_format("/proc/%d/ns/%s", (int) pid, name);

        if (!path)
                return error_oom(reterr);
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(reterr, errno == ENOENT ? -ESRCH : -errno, "cannot open '%s'", path);
        /* it lives, so its PID was that of no other process meanwhile */
        if (process_has_ended(pidfd))
                return error_set_errno(reterr, -ESRCH, "cannot open '%s'", path);
        return TAKE_FD(fd);
}

bool ns_is_own(int fd, const char *name) {
        char path[48];
        struct stat own, st;

        (void) snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
        return stat(path, &own) >= 0 && fstat(fd, &st) >= 0 && own.st_dev == st.st_dev && own.st_ino == st.st_ino;
}

int ns_owner(int fd) {
        int owner = ioctl(fd, NS_GET_USERNS);

        return owner < 0 ? -errno : owner; /* close-on-exec, as the kernel makes it */
}

int ns_parent(int fd) {
        int parent = ioctl(fd, NS_GET_PARENT);

        return parent < 0 ? -errno : parent;
}

int ns_check_user(int userns_fd, uid_t uid) {
        uid_t owner;

        if (ioctl(userns_fd, NS_GET_OWNER_UID, &owner) < 0)
                return -errno;
        return owner == uid ? 0 : -EPERM;
}

static int read_half(pid_t pid, const char *name, IdMap *ret) {
        _cleanup_free_ char *text = NULL, *path = str_format("/proc/%d/%s", (int) pid, name);
        int r = path ? file_read(AT_FDCWD, path, MAP_LIMIT, &text, /* ret_size= */ NULL) : -ENOMEM;
        unsigned container_id, host_id, size;
        int n;

        for (const char *line = text; r >= 0 && sscanf(line, " %u %u %u%n", &container_id, &host_id, &size, &n) == 3; line += n) {
                if (ret->n >= MAP_RANGES_LIMIT)
                        return -E2BIG;
                ContainerIdMapping *range = container_array_add((void **) &ret->ranges, &ret->n, sizeof(*range));
                if (!range)
                        return -ENOMEM;
                *range = (ContainerIdMapping){ container_id, host_id, size };
        }
        return r;
}

static int read_maps(pid_t pid, UserMap *ret, Error *reterr) {
        _cleanup_user_map_ UserMap map = {};
        int r = read_half(pid, "uid_map", &map.uid);

        if (r >= 0)
                r = read_half(pid, "gid_map", &map.gid);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read an ID map");
        *ret = map;
        map = (UserMap){};
        return 0;
}

/* The kernel tells the map of a namespace only through a process in it. */
static int read_maps_from_inside(int userns_fd, UserMap *ret, Error *reterr) {
        int pair[2];
        char byte = 0;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        pid_t pid = process_fork_bound(SIGKILL);
        if (pid == 0) {
                ours = fd_close(ours);
                if (setns(userns_fd, CLONE_NEWUSER) < 0 || write(theirs, "", 1) != 1)
                        _exit(1);
                (void) RETRY_EINTR(read(theirs, &byte, 1));
                _exit(0);
        }
        theirs = fd_close(theirs);
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        int r = RETRY_EINTR(read(ours, &byte, 1)) == 1 ? read_maps(pid, ret, reterr)
                                                       : error_set_errno(reterr, -EPERM, "cannot enter the user namespace");
        ours = fd_close(ours);
        (void) process_reap(pid);
        return r;
}

int ns_read_map(pid_t pid, int userns_fd, UserMap *ret, Error *reterr) {
        return pid > 0 ? read_maps(pid, ret, reterr) : read_maps_from_inside(userns_fd, ret, reterr);
}

/* Each ID at an edge of a range of `a` leads to the same one in `b`: with the same number of IDs all others do. */
static bool half_within(const IdMap *a, const IdMap *b) {
        for (size_t i = 0; i < a->n; i++) {
                const ContainerIdMapping *range = &a->ranges[i];
                uint32_t first, last;

                if (!idmap_to_host(b, range->container_id, &first) || first != range->host_id ||
                    !idmap_to_host(b, range->container_id + range->size - 1, &last) || last != range->host_id + range->size - 1)
                        return false;
        }
        return true;
}

bool user_map_equal(const UserMap *a, const UserMap *b) {
        const struct {
                const IdMap *a, *b;
        } halves[] = { { &a->uid, &b->uid }, { &a->gid, &b->gid } };

        for (size_t i = 0; i < ELEMENTSOF(halves); i++)
                if (idmap_size(halves[i].a) != idmap_size(halves[i].b) || !half_within(halves[i].a, halves[i].b) ||
                    !half_within(halves[i].b, halves[i].a))
                        return false;
        return true;
}
