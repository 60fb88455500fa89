/* SPDX-License-Identifier: Apache-2.0 */
/* Root directory, capabilities, limits, system calls. */
#include "image/sandbox.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "image/limits.h"

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define SANDBOX_ARCH AUDIT_ARCH_RISCV64
#else
#error "the system calls of this architecture are not listed in image/sandbox.c"
#endif

/* What unpacking, decompressing, allocating and ending need. None makes a socket or a process, or leaves the root. */
static const int allowed[] = {
        SYS_read,       SYS_pread64,    SYS_readv,        SYS_write,       SYS_pwrite64,   SYS_writev,     SYS_sendmsg,
        SYS_sendto,     SYS_close,      SYS_openat,       SYS_openat2,     SYS_fstat,      SYS_newfstatat, SYS_statx,
        SYS_lseek,      SYS_fcntl,      SYS_dup,          SYS_getdents64,  SYS_mkdirat,    SYS_mknodat,    SYS_unlinkat,
        SYS_renameat2,  SYS_linkat,     SYS_symlinkat,    SYS_fchown,      SYS_fchownat,   SYS_fchmod,     SYS_fchmodat,
        SYS_utimensat,  SYS_fsetxattr,  SYS_ftruncate,    SYS_fallocate,   SYS_mmap,       SYS_munmap,     SYS_mremap,
        SYS_mprotect,   SYS_madvise,    SYS_brk,          SYS_futex,       SYS_getrandom,  SYS_gettid,     SYS_getpid,
        SYS_tgkill,     SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_clock_gettime, SYS_exit, SYS_exit_group,
        SYS_ppoll,      SYS_readlinkat, SYS_fgetxattr,    SYS_flistxattr,  SYS_recvmsg,    SYS_sync_file_range,
#if defined(__SANITIZE_ADDRESS__)
        SYS_sigaltstack, /* the sanitizer's end */
#endif
};

enum { ALLOWED_MAX = 200 };
static_assert(ELEMENTSOF(allowed) < ALLOWED_MAX, "BPF jumps reach 255 instructions");

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
        struct sock_filter code[ALLOWED_MAX + 8];
        unsigned short n = 0;
        const unsigned char n_allowed = ELEMENTSOF(allowed);

        code[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
        code[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0);
        code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
        code[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        for (unsigned char i = 0; i < n_allowed; i++)
                code[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) allowed[i],
                                                          (unsigned char) (n_allowed - i), 0);
        /* not there, rather than killed: another libc may try something newer first */
        code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
        code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

        struct sock_fprog program = { .len = n, .filter = code };
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
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
