/* SPDX-License-Identifier: Apache-2.0 */
/* Why the container's user may not go where the host's files are mounted. */
#include "proc/denied-hint.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/str.h"

enum { ID_TEXT = 32 };

/* The innermost of the host's mounts that the path is in. */
static const MountPlan *find_mount(const ProcPlan *plan, const char *path) {
        const MountPlan *found = NULL;

        for (size_t i = 0; i < plan->n_mounts; i++) {
                const MountPlan *m = &plan->mounts[i];
                const char *rest = m->kind == MOUNT_BIND && m->source ? str_after(path, m->destination) : NULL;

                if (rest && (!*rest || *rest == '/'))
                        found = m; /* they are sorted by depth */
        }
        return found;
}

/* "1000:1000", or what cannot be told of IDs that are not mapped. */
static const char *outside(const ProcPlan *plan, uid_t uid, gid_t gid, char text[static ID_TEXT]) {
        uint32_t host_uid, host_gid;

        if (plan->map.host)
                (void) snprintf(text, ID_TEXT, "%u:%u", uid, gid);
        else if (!idmap_to_host(&plan->map.uid, uid, &host_uid) || !idmap_to_host(&plan->map.gid, gid, &host_gid))
                (void) snprintf(text, ID_TEXT, "somebody else");
        else
                (void) snprintf(text, ID_TEXT, "%u:%u", host_uid, host_gid);
        return text;
}

int denied_hint(const ProcPlan *plan, const char *path, const ContainerUser *user, int code, Error *reterr) {
        const MountPlan *m = find_mount(plan, path);
        char owner[ID_TEXT], person[ID_TEXT];
        struct statvfs fs;
        struct stat st;

        if (!m || !reterr || reterr->hint || stat(m->destination, &st) < 0 || statvfs(m->destination, &fs) < 0)
                return code;
        if ((fs.f_flag & ST_NOEXEC) && !S_ISDIR(st.st_mode))
                return error_with_hint(reterr, code, "'%s' is mounted with noexec", m->destination);
        error_hint(reterr,
                          "'%s' is the host's '%s', which belongs to %u:%u (on the host: %s) with mode %04o, and this is %u:%u (on the host: %s); "
                          "the mount option U gives it to that user, --userns keep-id:uid=%u,gid=%u makes that user you",
                          m->destination, m->source, st.st_uid, st.st_gid, outside(plan, st.st_uid, st.st_gid, owner), st.st_mode & 07777,
                          user->uid, user->gid, outside(plan, user->uid, user->gid, person), user->uid, user->gid);
        return code;
}
