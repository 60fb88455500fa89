/* SPDX-License-Identifier: Apache-2.0 */
/* Lines in the container's passwd and group for users that the image does not know: --user with a number, and whoever keeps
 * their ID. Programs ask for the name of the user they run as, and many (ssh, sudo, shells) end where there is none. */
#include "proc/init.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/user.h"

/* Whether the file lies in the root file system itself: what somebody mounted there is theirs. */
static bool is_of_root(int root_fd, int fd) {
        struct statx root, file;

        return statx(root_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &root) == 0 &&
               statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_TYPE, &file) == 0 && S_ISREG(file.stx_mode) &&
               root.stx_mnt_id == file.stx_mnt_id;
}

/* A list that cannot be written (a root without an upper layer, a full disk) stays as it is: the process runs without a name. */
static void append_line(int root_fd, const char *path, const char *line) {
        _cleanup_fd_ int fd = path_open_in_root(root_fd, path, O_RDWR | O_APPEND | O_NONBLOCK | O_NOCTTY, 0);
        _cleanup_free_ char *text = NULL;
        struct stat st;
        char last = '\n';

        if (fd < 0 || !is_of_root(root_fd, fd) || fstat(fd, &st) < 0 ||
            (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1))
                return;
        text = str_format("%s%s\n", last == '\n' ? "" : "\n", line);
        if (text && io_write_full(fd, text, strlen(text)) < 0 && ftruncate(fd, st.st_size) < 0)
                return;
}

static const char *home_of(const ContainerConfig *config) {
        const char *home = config->workdir;

        return str_empty(home) || strpbrk(home, ":\n") ? "/" : home;
}

static int list(const Init *init, const char *name, const char *comment, uid_t uid, gid_t gid, const char *group, Error *reterr) {
        _cleanup_free_ char *user_line = str_format("%s:*:%u:%u:%s:%s:/bin/sh", name, uid, gid, comment, home_of(init->plan->config));
        _cleanup_free_ char *group_line = str_format("%s:x:%u:%s", group, gid, name);

        if (!user_line || !group_line)
                return error_oom(reterr);
        if (user_is_listed(init->root_fd, "etc/passwd", name, uid))
                return 0;
        append_line(init->root_fd, "etc/passwd", user_line);
        if (!user_is_listed(init->root_fd, "etc/group", group, gid))
                append_line(init->root_fd, "etc/group", group_line);
        return 0;
}

int init_list_user(Init *init, Error *reterr) {
        const ProcPlan *plan = init->plan;
        const char *user = plan->config->user;
        _cleanup_container_user_ ContainerUser found = CONTAINER_USER_NULL;
        char uid[16], gid[16];
        int r = 0;

        if (plan->rootfs.kind == ROOTFS_DIRECTORY) /* --rootfs: a directory of the user's, who keeps its lists */
                return 0;
        if (plan->kept_name)
                r = list(init, plan->kept_name, "", plan->kept_uid, plan->kept_gid, plan->kept_name, reterr);
        if (r < 0 || !user || *user < '1' || *user > '9') /* a name has its line */
                return r;
        r = user_resolve(init->root_fd, user, NULL, &found, reterr);
        if (r < 0 || found.name)
                return r;
        (void) snprintf(uid, sizeof(uid), "%u", found.uid);
        (void) snprintf(gid, sizeof(gid), "%u", found.gid);
        return list(init, uid, "container user", found.uid, found.gid, gid, reterr);
}
