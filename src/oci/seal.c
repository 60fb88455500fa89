/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the runtime's own file out of its containers' reach. */
#include "oci/seal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/io.h"
#include "proc/mount.h"

#define OWN_PROGRAM "/proc/self/exe"
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Through this mount, or through this file, nobody can write. */
static bool is_sealed(void) {
        struct statvfs about;

        if (statvfs(OWN_PROGRAM, &about) == 0 && (about.f_flag & ST_RDONLY))
                return true;
        _cleanup_fd_ int fd = open(OWN_PROGRAM, O_RDONLY | O_CLOEXEC);
        int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);
        return seals >= 0 && (seals & SEALS) == SEALS;
}

/* An ordinary user's containers have no say over a file that is root's. */
static bool is_out_of_reach(void) {
        struct stat st;

        return geteuid() != 0 && stat(OWN_PROGRAM, &st) == 0 && st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int open_read_only(void) {
        _cleanup_fd_ int fd = open_tree(AT_FDCWD, OWN_PROGRAM, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

        if (fd < 0)
                return -errno;
        return mount_set(fd, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, /* reterr= */ NULL) < 0 ? -EPERM : TAKE_FD(fd);
}

static int copy_and_seal(void) {
        _cleanup_fd_ int from = open(OWN_PROGRAM, O_RDONLY | O_CLOEXEC), fd = memfd_create("sdpod-oci", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        ssize_t n = 1;

        if (from < 0 || fd < 0)
                return -errno;
        while (n > 0)
                n = RETRY_EINTR(sendfile(fd, from, NULL, 1 << 24));
        return n < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : TAKE_FD(fd);
}

int oci_seal_program(char **argv, Error *reterr) {
        if (is_out_of_reach())
                return 0;
        if (is_sealed()) {
                (void) prctl(PR_SET_NAME, "sdpod-oci"); /* else the number of the descriptor that was executed */
                return 0;
        }
        _cleanup_fd_ int fd = open_read_only();
        if (fd < 0)
                fd = copy_and_seal();
        if (fd >= 0)
                (void) fexecve(fd, argv, environ);
        return error_set_errno(reterr, fd < 0 ? fd : -errno, "cannot protect the program's own file");
}
