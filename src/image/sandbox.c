/* SPDX-License-Identifier: Apache-2.0 */
/* Root directory, capabilities, limits, system calls. */
#include "image/sandbox.h"

#include <fcntl.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/syscall-filter.h"
#include "image/limits.h"

/* What unpacking, decompressing, allocating and ending need. None makes a socket or a process, or leaves the root. */
static const SyscallRule allowed[] = {
        { __NR_read }, { __NR_pread64 }, { __NR_readv }, { __NR_write }, { __NR_pwrite64 }, { __NR_writev },
        { __NR_sendmsg }, { __NR_sendto }, { __NR_close }, { __NR_openat }, { __NR_openat2 }, { __NR_fstat },
        { __NR_newfstatat }, { __NR_statx }, { __NR_lseek }, { __NR_fcntl }, { __NR_dup }, { __NR_getdents64 },
        { __NR_mkdirat }, { __NR_mknodat }, { __NR_unlinkat }, { __NR_renameat2 }, { __NR_linkat },
        { __NR_symlinkat }, { __NR_fchown }, { __NR_fchownat }, { __NR_fchmod }, { __NR_fchmodat },
        { __NR_utimensat }, { __NR_fsetxattr }, { __NR_ftruncate }, { __NR_fallocate }, { __NR_mmap },
        { __NR_munmap }, { __NR_mremap }, { __NR_mprotect }, { __NR_madvise }, { __NR_brk }, { __NR_futex },
        { __NR_getrandom }, { __NR_gettid }, { __NR_getpid }, { __NR_tgkill }, { __NR_rt_sigreturn },
        { __NR_rt_sigprocmask }, { __NR_rt_sigaction }, { __NR_clock_gettime }, { __NR_exit }, { __NR_exit_group },
        { __NR_ppoll }, { __NR_readlinkat }, { __NR_fgetxattr }, { __NR_flistxattr }, { __NR_recvmsg },
        { __NR_sync_file_range },
#if defined(__SANITIZE_ADDRESS__)
        { __NR_sigaltstack }, /* the sanitizer's end */
#endif
};

int sandbox_change_root(Error *reterr) {
        _cleanup_fd_ int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int tree = (int) syscall(SYS_open_tree, here, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        struct mount_attr attributes = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

        if (tree < 0)
                return error_set_errno(reterr, -errno, "cannot make the sandbox: open_tree");
        if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
                return error_set_errno(reterr, -errno, "cannot make the sandbox: mount_setattr");
        /* pivot_root(2) wants a mount point; the directory becomes one over itself, in this mount namespace only */
        if (syscall(SYS_move_mount, tree, "", here, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return error_set_errno(reterr, -errno, "cannot make the sandbox: move_mount");
        if (fchdir(tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
                return error_set_errno(reterr, -errno, "cannot make the sandbox: pivot_root");
        if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot make the sandbox: umount");
        return 0;
}

static int limit_resources(const SandboxLimits *limits) {
        const struct {
                int resource;
                rlim_t value;
        } rows[] = {
                { RLIMIT_CORE, 0 },
                { RLIMIT_NOFILE, limits->files ?: 64 },
                { RLIMIT_FSIZE, limits->file_size },
#if !defined(__SANITIZE_ADDRESS__) /* which reserves terabytes of address space */
                { RLIMIT_AS, IMAGE_MEMORY_LIMIT },
#endif
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct rlimit limit = { rows[i].value, rows[i].value }, now;

                if (getrlimit((__rlimit_resource_t) rows[i].resource, &now) < 0)
                        return -errno;
                limit.rlim_cur = limit.rlim_max = MIN(rows[i].value, now.rlim_max);
                if (setrlimit((__rlimit_resource_t) rows[i].resource, &limit) < 0)
                        return -errno;
        }
        return 0;
}

static int drop_capabilities(void) {
        static const cap_value_t kept[] = { CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
                                            CAP_FSETID, CAP_MKNOD,        CAP_SETFCAP };
        cap_t caps = cap_init();
        int r = 0;

        if (!caps)
                return -ENOMEM;
        for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
                bool keep = false;

                for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                        keep = keep || kept[i] == cap;
                if (!keep && cap_get_bound(cap) > 0 && cap_drop_bound(cap) < 0 && errno != EINVAL)
                        r = -errno;
        }
        /* who may not drop from the bounding set has none of them anyway */
        if (r == -EPERM)
                r = 0;
        if (cap_set_flag(caps, CAP_PERMITTED, ELEMENTSOF(kept), kept, CAP_SET) < 0 ||
            cap_set_flag(caps, CAP_EFFECTIVE, ELEMENTSOF(kept), kept, CAP_SET) < 0 || cap_set_proc(caps) < 0)
                r = -errno;
        (void) cap_free(caps);
        return r;
}

static int filter_system_calls(void) {
        SyscallFilter filter;

        syscall_filter_begin(&filter);
        syscall_filter_allow(&filter, allowed, ELEMENTSOF(allowed));
        /* not there, rather than killed: another libc may try something newer first */
        return syscall_filter_install(&filter, ENOSYS);
}

int sandbox_lock(const SandboxLimits *limits, Error *reterr) {
        int r = limit_resources(limits);

        if (r >= 0)
                r = drop_capabilities();
        if (r >= 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0))
                r = -errno;
        if (r >= 0)
                r = filter_system_calls();
        return r < 0 ? error_set_errno(reterr, r, "cannot make the sandbox") : 0;
}
