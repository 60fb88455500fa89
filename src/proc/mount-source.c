/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount is made of, found again in another mount namespace. */
#include "proc/mount-source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "proc/mount.h"

int mount_source_open(const MountPlan *plan, Error *reterr) {
        _cleanup_fd_ int base = open(plan->source, O_PATH | O_CLOEXEC), below = -EBADF;
        struct stat wanted, found;

        if (base < 0)
                return error_set_errno(reterr, -errno, "cannot mount '%s'", plan->source);
        if (plan->subpath) {
                below = path_open_in_root(base, plan->subpath, O_PATH, 0);
                if (below < 0)
                        return error_set_errno(reterr, below, "cannot mount '%s' of '%s'", plan->subpath, plan->source);
        }
        if (fstat(plan->subpath ? below : base, &found) < 0 || fstat(plan->source_fd, &wanted) < 0)
                return error_set_errno(reterr, -errno, "cannot mount '%s'", plan->source);
        if (wanted.st_dev != found.st_dev || wanted.st_ino != found.st_ino)
                return error_set(reterr, -ESTALE, ERROR_DENIED, "cannot mount '%s': it was exchanged meanwhile", plan->source);
        return plan->subpath ? TAKE_FD(below) : TAKE_FD(base);
}

int mount_source_clone(const MountPlan *plan, Error *reterr) {
        _cleanup_fd_ int fd = mount_source_open(plan, reterr);

        if (fd < 0)
                return fd;
        int tree = mount_clone(fd, "", plan->recursive, reterr);
        if (tree == -EINVAL && !plan->recursive) /* what covers a directory must not be taken off (mount_namespaces(7)) */
                error_hint(reterr, "with other mounts below it a directory can only be mounted with them: use rbind");
        return tree;
}
