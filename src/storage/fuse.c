/* SPDX-License-Identifier: Apache-2.0 */
/* fuse-overlayfs: where the kernel's overlay does not work, and for containers with an ID map of their own, as it shows the
 * same files under other owners without a copy.
 *
 * Theory of operation. A child enters a user and mount namespace with the user's default map, runs fuse-overlayfs there,
 * waits until its mount is up, clones that into a detached mount for the starter and takes the mount itself off. From then
 * on the only references are the container's: when they go, the kernel closes the connection and fuse-overlayfs ends. */
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "ns/userns.h"
#include "storage/rootfs.h"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

#define PROGRAM "/usr/bin/fuse-overlayfs"

/* "uidmapping=CONTAINER:USER'S VIEW:SIZE:..." (fuse-overlayfs(1)). */
static char *mapping_option(const char *name, const IdMap *map, const IdMap *base) {
        _cleanup_free_ char *text = str_format("%s=", name);

        for (size_t i = 0; text && i < map->n; i++) {
                uint32_t id;
                char *longer = !idmap_from_host(base, map->ranges[i].host_id, &id)
                                       ? NULL
                                       : str_format("%s%s%u:%u:%u", text, i > 0 ? ":" : "", map->ranges[i].container_id, id,
                                                    map->ranges[i].size);
                free(text);
                text = longer;
        }
        return TAKE_PTR(text);
}

static char *all_options(const Container *container, char *const *lower, const UserMap *base, const UserMap *map) {
        _cleanup_free_ char *layers = strv_join(lower, ":");
        _cleanup_free_ char *uids = map->own ? mapping_option("uidmapping", &map->uid, &base->uid) : NULL;
        _cleanup_free_ char *gids = map->own ? mapping_option("gidmapping", &map->gid, &base->gid) : NULL;

        if (!layers || (map->own && (!uids || !gids)))
                return NULL;
        return str_format("lowerdir=%s,upperdir=containers/%s/upper,workdir=containers/%s/work%s%s%s%s", layers, container->config.id,
                          container->config.id, uids ? "," : "", uids ?: "", gids ? "," : "", gids ?: "");
}

/* It mounts from its own process: until then the directory is what it was. */
static int wait_for_mount(int pidfd, const char *path, Error *reterr) {
        for (;;) {
                struct statfs fs;

                if (statfs(path, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC)
                        return 0;
                int r = process_wait_end(pidfd, /* timeout_usec= */ 1000);
                if (r >= 0)
                        return error_set(reterr, -EIO, ERROR_INTERNAL, "fuse-overlayfs ended at once");
                if (r != -ETIMEDOUT)
                        return error_set_errno(reterr, r, "cannot wait for fuse-overlayfs");
        }
}

/* What it printed belongs to its failure; where it works it prints warnings that concern nobody, and before a failure, too. */
static int explain(int words, int code, Error *reterr) {
        _cleanup_free_ char *text = NULL;

        if (lseek(words, 0, SEEK_SET) != 0 || io_read_all(words, 4096, &text, /* ret_size= */ NULL) < 0)
                return code;
        const char *line = text;
        while (str_after(line, "unknown argument ignored") && strchr(line, '\n'))
                line = strchr(line, '\n') + 1;
        int size = (int) strcspn(line, "\n");
        return size == 0 ? code : error_set(reterr, code, ERROR_INTERNAL, "cannot mount with fuse-overlayfs: %.*s", size, line);
}

static int mount_inside(int socket, const Store *store, const char *options, const UserMap *base, int inside_fd, Error *reterr) {
        char *const argv[] = { (char *) PROGRAM, (char *) "-f", (char *) "-o", (char *) options, (char *) "mnt", NULL };
        char *const environment[] = { (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
        _cleanup_fd_ int pidfd = -EBADF, tree = -EBADF, userns = -EBADF, words = io_memfd("fuse-overlayfs", "", 0);
        const int stdio[] = { -EBADF, words, words };

        int r = inside_fd >= 0 ? userns_join(inside_fd, CLONE_NEWNS, reterr) : userns_enter(base, CLONE_NEWNS, reterr);
        if (r < 0)
                return r;
        if (chdir(store->data_path) < 0) /* by path: the descriptor belongs to the mount namespace that was left */
                return error_set_errno(reterr, -errno, "cannot enter the data directory");
        r = process_spawn(PROGRAM, argv, environment, stdio, ELEMENTSOF(stdio), /* ret_pid= */ NULL, &pidfd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run '%s'", PROGRAM);
        r = wait_for_mount(pidfd, "mnt", reterr);
        if (r < 0)
                return explain(words, r, reterr);
        tree = open_tree(AT_FDCWD, "mnt", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (tree < 0 || umount2("mnt", MNT_DETACH) < 0)
                return error_set_errno(reterr, -errno, "cannot take over the mount of fuse-overlayfs");
        userns = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
        if (userns < 0)
                return error_set_errno(reterr, -errno, "cannot take over the namespace of fuse-overlayfs");
        r = wire_send_result_fd(socket, 0, /* error= */ NULL, tree);
        return r < 0 ? r : wire_send_result_fd(socket, 0, /* error= */ NULL, userns);
}

int rootfs_fuse_mount(const Store *store, const Container *container, char *const *lower, const UserMap *base, const UserMap *map,
                      int *ret_tree_fd, int *userns_fd, Error *reterr) {
        _cleanup_free_ char *options = all_options(container, lower, base, map);
        int pair[2];

        if (!options)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot describe the ID map to fuse-overlayfs");
        if (access(PROGRAM, X_OK) < 0) {
                int r = error_set_errno(reterr, -errno, "cannot run '%s'", PROGRAM);
                return error_with_hint(reterr, r, "install fuse-overlayfs: containers with an ID map of their own need it");
        }
        if (mkdirat(store->data_fd, "mnt", 0700) < 0 && errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make the mount point");
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        pid_t pid = fork();
        if (pid == 0) {
                _cleanup_error_ Error error = ERROR_NULL;

                (void) fd_close(pair[0]);
                int r = mount_inside(pair[1], store, options, base, *userns_fd, &error);
                if (r < 0)
                        (void) wire_send_result(pair[1], r, &error);
                _exit(0);
        }
        (void) fd_close(pair[1]);
        _cleanup_fd_ int fd = pair[0];
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        int r = wire_receive_result_fd(fd, ret_tree_fd, reterr);
        int userns = -EBADF;
        if (r >= 0)
                r = wire_receive_result_fd(fd, &userns, reterr);
        if (userns >= 0) {
                (void) fd_close(*userns_fd);
                *userns_fd = userns;
        }
        (void) process_reap(pid);
        return r;
}
