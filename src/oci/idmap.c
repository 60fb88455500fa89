/* SPDX-License-Identifier: Apache-2.0 */
/* ID-mapped mounts. */
#include "oci/idmap.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "ns/handle.h"
#include "ns/userns.h"

/* The kernel takes a map by a user namespace that has it. One is made with a process that only stays until it is held. */
static int make_namespace(const RuntimeMount *mount, Error *reterr) {
        const UserMap map = {
                .uid = { .ranges = mount->uid_mappings, .n = mount->n_uid_mappings },
                .gid = { .ranges = mount->gid_mappings, .n = mount->n_gid_mappings },
        };
        _cleanup_fd_ int pidfd = -EBADF, fd = -EBADF;
        struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd, .exit_signal = SIGCHLD };
        long pid = syscall(SYS_clone3, &args, sizeof(args));

        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        (void) pause();
        }
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot make a user namespace");
        int r = userns_write_maps_directly((pid_t) pid, &map, reterr);
        if (r >= 0)
                fd = r = ns_open_of_process(pidfd, (pid_t) pid, "user", reterr);
        (void) process_signal(pidfd, SIGKILL);
        (void) process_reap((pid_t) pid);
        return r < 0 ? r : TAKE_FD(fd);
}

static int open_namespace(const RuntimeMount *mount, const OciNamespaces *namespaces, int pidfd, pid_t pid, Error *reterr) {
        if ((mount->n_uid_mappings > 0) != (mount->n_gid_mappings > 0))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "uidMappings and gidMappings go together");
        if (mount->n_uid_mappings > 0)
                return make_namespace(mount, reterr);
        if (!oci_namespaces_has(namespaces, CLONE_NEWUSER))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "idmap needs mappings, or a user namespace that has them");
        return ns_open_of_process(pidfd, pid, "user", reterr);
}

int oci_idmap_mount(int tree_fd, const RuntimeMount *mount, const OciMountOptions *options, const OciNamespaces *namespaces, int pidfd,
                    pid_t pid, Error *reterr) {
        _cleanup_fd_ int fd = open_namespace(mount, namespaces, pidfd, pid, reterr);
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t) fd };

        if (fd < 0)
                return fd;
        if (mount_setattr(tree_fd, "", AT_EMPTY_PATH | (options->idmap_below ? AT_RECURSIVE : 0), &attr, sizeof(attr)) == 0)
                return 0;
        int r = error_set_errno(reterr, -errno, "cannot map its IDs");
        return r == -EINVAL ? error_with_hint(reterr, r, "not every file system can (mount_setattr(2), ID-mapped mounts)") : r;
}
