/* SPDX-License-Identifier: Apache-2.0 */
/* A container's terminal: opened, put in place, handed out. */
#include "oci/console.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "oci/inside.h"
#include "oci/target.h"
#include "proc/mount.h"

static int settle(int console_fd, const RuntimeProcess *process) {
        struct termios attributes;
        struct winsize size = {
                .ws_row = (unsigned short) process->console_height,
                .ws_col = (unsigned short) process->console_width,
        };

        if (tcgetattr(console_fd, &attributes) < 0)
                return -errno;
        /* as runc: the engine's side sees what the process wrote */
        attributes.c_oflag &= ~(tcflag_t) ONLCR;
        if (tcsetattr(console_fd, TCSANOW, &attributes) < 0)
                return -errno;
        if ((size.ws_row || size.ws_col) && ioctl(console_fd, TIOCSWINSZ, &size) < 0)
                return -errno;
        return fchown(console_fd, process->user.uid, (gid_t) -1) < 0 && errno != EPERM && errno != EINVAL ? -errno : 0;
}

int oci_console_open(int pts_fd, const RuntimeProcess *process, int *ret_master, int *ret_console, Error *reterr) {
        _cleanup_fd_ int master = openat(pts_fd, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC), console = -EBADF;
        struct statfs about;
        int unlock = 0;

        if (master < 0)
                return error_set_errno(reterr, -errno, "cannot open a terminal");
        if (fstatfs(master, &about) < 0 || about.f_type != DEVPTS_SUPER_MAGIC)
                return error_set(reterr, -EPERM, ERROR_DENIED, "cannot open a terminal: /dev/pts is not the kernel's");
        if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || (console = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
                return error_set_errno(reterr, -errno, "cannot open a terminal");
        int r = settle(console, process);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set up the terminal");
        *ret_master = TAKE_FD(master);
        *ret_console = TAKE_FD(console);
        return 0;
}

int oci_console_send(int socket, int fd, const char *name, Error *reterr) {
        int r = io_send_fds(socket, name, strlen(name), &fd, 1);

        return r < 0 ? error_set_errno(reterr, r, "cannot send the descriptor of '%s' over the socket", name) : 0;
}

/* /dev/console becomes the very terminal, by its descriptor: whoever exchanges names in /dev meanwhile changes nothing (CVE-2025-52565). */
static int put_in_place(const OciInside *inside, Error *reterr) {
        _cleanup_fd_ int tree = mount_clone(inside->console_fd, "", /* recursive= */ false, reterr), target = -EBADF;
        struct stat st;

        if (tree < 0)
                return tree;
        target = path_open_in_root(inside->root_fd, "/dev/console", O_PATH | O_NOFOLLOW, 0);
        if (target == -ENOENT)
                target = oci_target_open(inside->root_fd, "/dev/console", /* as_file= */ true, reterr);
        if (target == -EROFS || target == -EACCES) { /* a /dev that nothing can be made in does without */
                error_done(reterr);
                return 0;
        }
        if (target < 0)
                return reterr && reterr->message ? target : error_set_errno(reterr, target, "cannot open the place for it");
        if (fstat(target, &st) < 0 || S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
                return error_set(reterr, -EEXIST, ERROR_DENIED, "something else is there already");
        return mount_attach(tree, target, reterr);
}

int oci_make_console(OciInside *inside, Error *reterr) {
        const RuntimeProcess *process = &inside->spec->process;

        if (!process->terminal)
                return 0;
        _cleanup_fd_ int pts = path_open_in_root(inside->root_fd, "/dev/pts", O_PATH | O_DIRECTORY, 0);
        struct statfs about;
        /* a container without a devpts of its own gets one of the host's */
        if (pts < 0 || fstatfs(pts, &about) < 0 || about.f_type != DEVPTS_SUPER_MAGIC) {
                (void) fd_close(pts);
                pts = open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
        }
        int r = pts < 0 ? error_set_errno(reterr, -errno, "cannot open a terminal")
                        : oci_console_open(pts, process, &inside->master_fd, &inside->console_fd, reterr);
        if (r >= 0) {
                r = put_in_place(inside, reterr);
                if (r < 0)
                        r = error_prefix(reterr, r, "cannot make '/dev/console'");
        }
        return r;
}
