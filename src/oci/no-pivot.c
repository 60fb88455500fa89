/* SPDX-License-Identifier: Apache-2.0 */
/* Entering a root file system without pivot_root(2), which does not work on an initramfs: its mount is moved on top of the namespace's root,
 * whence no ".." leads out.
 *
 * Theory of operation. The host's mounts stay in the namespace, beneath. A procfs or sysfs of the host among them has none of the masks that
 * the container's own have, and the kernel lets root of a user namespace mount another such where it finds one that is wholly visible
 * (mount_namespaces(7)). So these are taken off first; where that is denied, as they came from a namespace above, they are covered. */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "oci/inside.h"

enum { MOUNTINFO_LIMIT = 16 * 1024 * 1024, FIELD_PATH = 4 };

typedef struct Line {
        uint32_t id, parent;
        char *path;
        bool is_kernel; /* procfs, sysfs */
} Line;

/* "\040" and the like, in place. */
static void unescape(char *text) {
        char *to = text;

        for (const char *from = text; *from; to++) {
                if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
                        *to = (char) ((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        }
        *to = 0;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" (proc_pid_mountinfo(5)); false for what is not such a line. */
static bool parse_line(char *text, Line *line) {
        char *type = strstr(text, " - "), *save = NULL, *field = NULL;

        if (!type)
                return false;
        *type = 0;
        type += strlen(" - ");
        line->is_kernel = str_after(type, "proc ") || str_after(type, "sysfs ");
        for (int i = 0; i <= FIELD_PATH; i++) {
                field = strtok_r(i == 0 ? text : NULL, " ", &save);
                if (!field)
                        return false;
                if (i < 2 && parse_u32(field, i == 0 ? &line->id : &line->parent) < 0)
                        return false;
        }
        unescape(field);
        line->path = field;
        return true;
}

/* The lines borrow from `text`. */
static int parse(char *text, Line **ret, size_t *ret_n) {
        size_t n = 0, limit = 1;
        char *save = NULL;

        for (const char *c = text; *c; c++)
                limit += *c == '\n';
        Line *lines = calloc(limit, sizeof(*lines));
        if (!lines)
                return -ENOMEM;
        for (char *word = strtok_r(text, "\n", &save); word; word = strtok_r(NULL, "\n", &save))
                n += parse_line(word, &lines[n]);
        *ret = lines;
        *ret_n = n;
        return 0;
}

static const Line *find(const Line *lines, size_t n, uint32_t id) {
        for (size_t i = 0; i < n; i++)
                if (lines[i].id == id)
                        return &lines[i];
        return NULL;
}

static bool is_below(const Line *lines, size_t n, const Line *line, uint32_t root_id) {
        for (size_t depth = 0; line && depth <= n; depth++) {
                if (line->id == root_id)
                        return true;
                line = line->parent == line->id ? NULL : find(lines, n, line->parent);
        }
        return false;
}

static int take_off(const char *path, Error *reterr) {
        if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
                return 0;
        if (errno != EINVAL && errno != EPERM)
                return error_set_errno(reterr, -errno, "cannot unmount the host's '%s'", path);
        /* locked */
        return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=4k,nr_inodes=1") < 0
                       ? error_set_errno(reterr, -errno, "cannot cover the host's '%s'", path) : 0;
}

static int take_off_all(const OciInside *inside, const Line *lines, size_t n, Error *reterr) {
        struct statx root;

        if (statx(inside->root_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &root) < 0)
                return error_set_errno(reterr, -errno, "cannot look at the root file system");
        /* what is unmounted here stays on the host: elsewhere the whole namespace follows it already (rootfs.c) */
        for (size_t i = 0; i < n && oci_root_stays_shared(inside); i++)
                if (!is_below(lines, n, &lines[i], (uint32_t) root.stx_mnt_id) && mount(NULL, lines[i].path, NULL, MS_SLAVE, NULL) < 0)
                        return error_set_errno(reterr, -errno, "cannot separate the host's '%s'", lines[i].path);
        /* what is above first, as the kernel lists them in the order of their parents */
        for (size_t i = n; i-- > 0;) {
                if (!lines[i].is_kernel || is_below(lines, n, &lines[i], (uint32_t) root.stx_mnt_id))
                        continue;
                int r = take_off(lines[i].path, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int hide_host(const OciInside *inside, Error *reterr) {
        _cleanup_fd_ int fd = openat(inside->proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *text = NULL;
        _cleanup_free_ Line *lines = NULL;
        size_t n;
        int r = fd < 0 ? -errno : io_read_all(fd, MOUNTINFO_LIMIT, &text, /* ret_size= */ NULL);

        if (r >= 0)
                r = parse(text, &lines, &n);
        return r < 0 ? error_set_errno(reterr, r, "cannot read the host's mounts") : take_off_all(inside, lines, n, reterr);
}

int oci_move_root(const OciInside *inside, Error *reterr) {
        int r = hide_host(inside, reterr);
        _cleanup_fd_ int old = r < 0 ? -EBADF : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (r < 0)
                return r;
        if (old < 0)
                return error_set_errno(reterr, -errno, "cannot open the host's root");
        if (mount(NULL, "/", NULL, MS_SLAVE, NULL) < 0 ||
            move_mount(inside->root_fd, "", old, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return error_set_errno(reterr, -errno, "cannot move the root file system");
        return 0;
}
