/* SPDX-License-Identifier: Apache-2.0 */
/* Giving a container its own cgroup (config-linux.md, "Cgroup ownership"): what the kernel says may be handed to another user, and no
 * limit. Where it has a cgroup namespace and may write to the file system of it, a systemd in it could not work otherwise. */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"
#include "oci/inside.h"

enum { LIST_LIMIT = 4096 };

static bool is_writable_inside(const OciInside *inside) {
        for (size_t i = 0; i < inside->spec->n_mounts; i++) {
                const char *type = inside->spec->mounts[i].type;

                if ((str_equal(type, "cgroup") || str_equal(type, "cgroup2")) && !inside->options[i].bind)
                        return !(inside->options[i].set & MOUNT_ATTR_RDONLY);
        }
        return false;
}

static int give(int fd, uid_t uid, Error *reterr) {
        static const char fallback[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
        _cleanup_free_ char *list = NULL;
        char *save = NULL;

        if (file_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", LIST_LIMIT, &list, /* ret_size= */ NULL) < 0 && !(list = strdup(fallback)))
                return error_oom(reterr);
        if (fchown(fd, uid, (gid_t) -1) < 0)
                return error_set_errno(reterr, -errno, "cannot give the container its cgroup");
        for (char *name = strtok_r(list, "\n", &save); name; name = strtok_r(NULL, "\n", &save))
                /* not each of them is in each cgroup */
                if (!strchr(name, '/') && fchownat(fd, name, uid, (gid_t) -1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
                        return error_set_errno(reterr, -errno, "cannot give the container the file '%s' of its cgroup", name);
        return 0;
}

int oci_give_cgroup(const OciInside *inside, Error *reterr) {
        const RuntimeSpec *spec = inside->spec;

        /* version 1 hierarchies are nothing to be given away */
        if (geteuid() != 0 || !spec->has_process || !inside->create->cgroup->is_made || !(inside->namespaces->made & CLONE_NEWCGROUP) ||
            (inside->namespaces->joined & CLONE_NEWUSER) || !is_writable_inside(inside) || !cgroup_is_unified())
                return 0;
        uint32_t uid = spec->process.user.uid;
        const IdMap map = oci_uid_map(spec);
        if ((inside->namespaces->made & CLONE_NEWUSER) && !idmap_to_host(&map, uid, &uid))
                return 0;
        _cleanup_fd_ int fd = uid == 0 ? -EBADF : runtime_cgroup_open_unified(inside->create->cgroup);
        return fd >= 0 ? give(fd, uid, reterr) : 0;
}
