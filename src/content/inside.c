/* SPDX-License-Identifier: Apache-2.0 */
/* Entering containers to work on their files. */
#include "content/inside.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "image/sandbox.h"
#include "ns/handle.h"
#include "ns/userns.h"
#include "proc/mount.h"
#include "storage/rootfs.h"
#include "storage/volume.h"

enum { FILES = 1024, OVERLAY_OPTIONS_MAX = 8, END_TIMEOUT_USEC = 10 * 1000 * 1000 };

/* What is prepared outside for a container that does not run. */
typedef struct Stopped {
        UserMap map;             /* the user's own: IDs on disk are the container's */
        char **lower;            /* below the data directory, highest first */
        char *upper, *work;
        char *copy;              /* of the driver vfs, absolute; NULL: another driver */
        int tree_fd, userns_fd;  /* of fuse-overlayfs; -EBADF: the kernel's overlay, or a directory */
} Stopped;

static void stopped_done(Stopped *stopped) {
        user_map_done(&stopped->map);
        strv_free(stopped->lower);
        free(stopped->upper);
        free(stopped->work);
        free(stopped->copy);
        (void) fd_close(stopped->tree_fd);
        (void) fd_close(stopped->userns_fd);
}

int inside_open(int root_fd, const char *path, int flags) {
        if (root_fd != AT_FDCWD)
                return path_open_in_root(root_fd, path, flags, 0);
        int fd = open(path, flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Whether the container's processes have a user namespace of their own. */
static int has_own_userns(const Container *c, bool *ret) {
        char path[64];
        struct stat own, theirs;

        (void) snprintf(path, sizeof(path), "/proc/%d/ns/user", c->process.pid);
        if (stat(path, &theirs) < 0 || stat("/proc/self/ns/user", &own) < 0)
                return -errno;
        *ret = own.st_ino != theirs.st_ino || own.st_dev != theirs.st_dev;
        return 0;
}

static int become_root(Error *reterr) {
        if (setgroups(0, NULL) < 0 && errno != EPERM) /* denied in a namespace of a single ID, where there are none */
                return error_set_errno(reterr, -errno, "cannot become root of the user namespace");
        if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot become root of the user namespace");
        return 0;
}

static int enter_running(const Container *c, int *ret_root, Error *reterr) {
        bool own = false;
        int r = has_own_userns(c, &own);

        if (r >= 0 && setns(c->pidfd, (own ? CLONE_NEWUSER : 0) | CLONE_NEWNS) < 0)
                r = -errno;
        if (r == -ESRCH || (r < 0 && process_has_ended(c->pidfd)))
                return error_set(reterr, -ESRCH, ERROR_STATE, "it ended meanwhile");
        if (r < 0)
                return error_set_errno(reterr, r, "cannot enter the container");
        r = own ? become_root(reterr) : 0;
        if (r < 0)
                return r;
        *ret_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return *ret_root < 0 ? error_set_errno(reterr, -errno, "cannot open the container's root") : 0;
}

static int mount_overlay(const Store *store, const Stopped *s, Error *reterr) {
        size_t n = 0, room = strv_length(s->lower) + OVERLAY_OPTIONS_MAX;
        _cleanup_free_ MountOption *options = calloc(room, sizeof(MountOption));
        _cleanup_free_ char *joined = strv_join(s->lower, ":");

        if (!options || !joined)
                return error_oom(reterr);
        /* by path: the descriptor's mounts are those of the namespace it was opened in */
        if (chdir(store->data_path) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the data directory");
        for (char **lower = s->lower; *lower; lower++)
                options[n++] = (MountOption){ "lowerdir+", *lower };
        options[n++] = (MountOption){ "upperdir", s->upper };
        options[n++] = (MountOption){ "workdir", s->work };
        options[n++] = (MountOption){ "userxattr", NULL };
        int fd = mount_new("overlay", "overlay", options, 0, reterr);
        if (fd != -EINVAL)
                return fd;
        /* Linux before 6.5 takes all layers in one word */
        error_done(reterr);
        const MountOption old[] = { { "lowerdir", joined }, { "upperdir", s->upper }, { "workdir", s->work }, { "userxattr", NULL }, {} };
        return mount_new("overlay", "overlay", old, 0, reterr);
}

/* NULL: what it has is not there while nobody runs that has it. */
static char *volume_path(const Store *store, const char *name) {
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        const char *device;

        if (volume_load(store, name, &volume, /* reterr= */ NULL) < 0)
                return NULL;
        switch (volume_kind(&volume)) {
        case VOLUME_DIRECTORY:
                return volume_data_path(store, name);
        case VOLUME_BIND:
                device = strv_env_get(volume.options, "device");
                return device ? strdup(device) : NULL;
        default:
                return NULL;
        }
}

/* A volume or directory of the host at its place. What cannot be there is left out: the container's start would say so. */
static int add_mount(const Store *store, const ContainerMount *m, int root_fd, Error *reterr) {
        _cleanup_free_ char *volume = str_equal(m->type, "volume") && m->source ? volume_path(store, m->source) : NULL;
        const char *source = volume ?: str_equal(m->type, "bind") ? m->source : NULL;
        _cleanup_fd_ int tree = -EBADF, target = -EBADF, from = -EBADF;
        /* what is written to an overlay goes elsewhere, and only while the container runs */
        bool read_only = strv_contains(m->options, "ro") || strv_contains(m->options, "O");
        struct stat st;

        if (!source || stat(source, &st) < 0 || strv_contains(m->options, "no-dereference"))
                return 0;
        from = open(source, O_PATH | O_CLOEXEC);
        for (char **o = m->options; o && *o && from >= 0; o++)
                if (str_after(*o, "subpath=")) {
                        int below = path_open_in_root(from, str_after(*o, "subpath="), O_PATH, 0);

                        (void) fd_close(from);
                        from = below;
                }
        if (from < 0 || fstat(from, &st) < 0)
                return 0;
        target = path_open_in_root(root_fd, m->destination, O_PATH, 0);
        if (target == -ENOENT && S_ISDIR(st.st_mode))
                target = path_mkdirs_in_root(root_fd, m->destination, 0755, 0, 0);
        if (target < 0)
                return 0;
        tree = mount_clone(from, "", /* recursive= */ true, reterr);
        if (tree < 0)
                return tree;
        int r = read_only ? mount_set(tree, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, reterr) : 0;
        return r < 0 ? r : mount_attach(tree, target, reterr);
}

static int enter_stopped(const Store *store, const Container *c, const Stopped *s, int *ret_root, Error *reterr) {
        _cleanup_fd_ int tree = -EBADF, target = -EBADF;
        int r = 0;

        if (s->userns_fd < 0)
                r = userns_enter(&s->map, CLONE_NEWNS, reterr);
        else if ((!ns_is_own(s->userns_fd, "user") && setns(s->userns_fd, CLONE_NEWUSER) < 0) || unshare(CLONE_NEWNS) < 0 ||
                 mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                r = error_set_errno(reterr, -errno, "cannot enter the namespace of fuse-overlayfs");
        else
                r = become_root(reterr);
        if (r < 0)
                return r;
        if (c->config.rootfs || s->copy)
                tree = mount_clone(AT_FDCWD, s->copy ?: c->config.rootfs, /* recursive= */ true, reterr);
        else if (s->tree_fd >= 0)
                tree = fcntl(s->tree_fd, F_DUPFD_CLOEXEC, 3);
        else
                tree = mount_overlay(store, s, reterr);
        if (tree < 0)
                return reterr->message ? tree : error_set_errno(reterr, tree, "cannot open the container's files");
        /* on the root: what is looked up by path still is what lies below (proc/rootfs.c) */
        target = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = target < 0 ? error_set_errno(reterr, -errno, "cannot open '/'") : mount_attach(tree, target, reterr);
        for (size_t i = 0; i < c->config.n_mounts && r >= 0; i++)
                r = add_mount(store, c->config.mounts + i, tree, reterr);
        if (r < 0)
                return r;
        *ret_root = TAKE_FD(tree);
        return 0;
}

static int prepare_stopped(const Store *store, Container *c, Stopped *s, Error *reterr) {
        StorageDriver driver;

        if (c->config.rootfs && c->config.rootfs_overlay)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot reach the files above a --rootfs directory while the container does not run");
        int r = user_map_default(&s->map, reterr);
        if (r < 0 || c->config.rootfs)
                return r;
        r = storage_driver_for_container(store, c, /* wanted= */ NULL, &driver, reterr);
        if (r >= 0)
                r = rootfs_lower_paths(store, c->config.layers, &s->lower, reterr);
        if (r >= 0 && driver == STORAGE_VFS) {
                s->copy = str_format("%s/containers/%s/vfs", store->data_path, c->config.id);
                return s->copy ? rootfs_vfs_make(store, c, s->lower, &s->map, reterr) : error_oom(reterr);
        }
        if (r >= 0)
                r = rootfs_make_directories(c, store, reterr);
        if (r < 0)
                return r;
        if (driver == STORAGE_FUSE)
                return rootfs_fuse_mount(store, c, s->lower, &s->map, &s->map, &s->tree_fd, &s->userns_fd, reterr);
        s->upper = str_format("containers/%s/upper", c->config.id);
        s->work = str_format("containers/%s/work", c->config.id);
        return s->upper && s->work ? 0 : error_oom(reterr);
}

static int work(const Store *store, const Container *c, const Stopped *s, InsideFunction function, void *data, int data_fd, int *socket,
                Error *reterr) {
        int root_fd = AT_FDCWD, r = 0;
        int *const kept[] = { &root_fd, &data_fd, socket };

        (void) signal(SIGPIPE, SIG_IGN);
        if (!c)
                return function(data, root_fd, data_fd, *socket, reterr);
        r = c->pidfd >= 0 ? enter_running(c, &root_fd, reterr) : enter_stopped(store, c, s, &root_fd, reterr);
        if (r < 0)
                return r;
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of IDs has reset it */
        (void) umask(0);
        r = fd_keep(kept, ELEMENTSOF(kept));
        if (r >= 0)
                r = wire_send_result(*socket, 0, /* error= */ NULL); /* it is entered */
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make the sandbox");
        r = sandbox_lock(&(SandboxLimits){ .file_size = UINT64_MAX, .files = FILES }, reterr);
        return r < 0 ? r : function(data, root_fd, data_fd, *socket, reterr);
}

int inside_receive(Inside *inside, Error *reterr) {
        return wire_receive_result(inside->socket, reterr);
}

/* The child's word that it has entered. What ends gave its namespaces up a moment before it counts as ended. */
static int wait_entered(const Container *c, Inside *inside, Error *reterr) {
        int r = inside_receive(inside, reterr);

        if (r == -ESRCH && process_wait_end(c->pidfd, END_TIMEOUT_USEC) < 0)
                return error_set(reterr, -EBUSY, ERROR_STATE, "the container is ending, and its processes do not go away");
        return r < 0 ? r : 0;
}

int inside_start(const Store *store, Container *c, InsideFunction function, void *data, int data_fd, Inside *ret, Error *reterr) {
        _cleanup_(stopped_done) Stopped s = { .tree_fd = -EBADF, .userns_fd = -EBADF };
        int pair[2], r = c && c->pidfd < 0 ? prepare_stopped(store, c, &s, reterr) : 0;

        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        pid_t pid = process_fork_bound(SIGKILL);
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        if (pid == 0) {
                _cleanup_error_ Error error = ERROR_NULL;

                r = work(store, c, &s, function, data, data_fd, &theirs, &error);
                (void) wire_send_result(theirs, r, &error);
                _exit(0);
        }
        theirs = fd_close(theirs); /* a child that is killed is no word for ever */
        *ret = (Inside){ .pid = pid, .socket = TAKE_FD(ours) };
        return c ? wait_entered(c, ret, reterr) : 0;
}

void inside_done(Inside *inside) {
        (void) fd_close(inside->socket);
        if (inside->pid > 0) {
                (void) kill(inside->pid, SIGKILL); /* not reaped yet, so the number is still its own */
                (void) process_reap(inside->pid);
        }
        *inside = INSIDE_NULL;
}
