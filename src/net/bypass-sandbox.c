/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what sdpod-bypass gives up; see the header. */
#include "net/bypass-sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "base/syscall-filter.h"

enum {
        OPEN_FILES = 16384,
        MEMORY_LIMIT = 512 * 1024 * 1024,
        SOCKET_TYPES = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
        MAP_FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
};

#define USED_CAPABILITIES (1U << CAP_NET_BIND_SERVICE)
#define KEPT_CAPABILITIES ((1U << CAP_SYS_PTRACE) | (1U << CAP_DAC_READ_SEARCH))

static int empty_root(void) {
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2,mode=0555") < 0)
                return -errno;
        if (chdir("/tmp") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return -errno;
        return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? -errno : 0;
}

int bypass_sandbox_raise(uint32_t capabilities) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct kept[2] = { { .effective = KEPT_CAPABILITIES | capabilities, .permitted = KEPT_CAPABILITIES | USED_CAPABILITIES } };

        return syscall(SYS_capset, &header, kept) < 0 ? -errno : 0;
}

static int drop_capabilities(void) {
        for (int i = 0; i < 64; i++)
                if (prctl(PR_CAPBSET_DROP, i) < 0)
                        break; /* EINVAL behind the last */
        (void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        return bypass_sandbox_raise(0);
}

static int set_limits(void) {
        static const struct {
                int resource;
                rlim_t value;
        } limits[] = {
                { RLIMIT_NOFILE, OPEN_FILES }, { RLIMIT_CORE, 0 },     { RLIMIT_NPROC, 0 },
                { RLIMIT_MEMLOCK, 0 },         { RLIMIT_MSGQUEUE, 0 }, { RLIMIT_FSIZE, 0 },
                { RLIMIT_AS, MEMORY_LIMIT },
        };

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                struct rlimit now;

                if (getrlimit(limits[i].resource, &now) < 0)
                        return -errno;
                now.rlim_cur = now.rlim_max = MIN(now.rlim_max, limits[i].value);
                if (setrlimit(limits[i].resource, &now) < 0)
                        return -errno;
        }
        return 0;
}

int bypass_sandbox_enter(int userns_fd, Error *reterr) {
        if (userns_fd >= 0 && setns(userns_fd, CLONE_NEWUSER) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the container's user namespace");
        if (unshare(CLONE_NEWNS) < 0)
                return error_set_errno(reterr, -errno, "cannot make a mount namespace for sdpod-bypass");
        int r = empty_root();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make an empty root for sdpod-bypass");
        r = set_limits();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot limit sdpod-bypass");
        r = drop_capabilities();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot drop the capabilities of sdpod-bypass");
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot restrict sdpod-bypass");
        return 0;
}

#define LOW_IS(n, v) SYSCALL_ARG(n, LOW_IS, v)
#define WITHIN(n, v) SYSCALL_ARG(n, LOW_WITHIN, v)

static const SyscallRule rules[] = {
#ifdef __NR_epoll_wait
        { __NR_epoll_wait, {} },
#endif
        { __NR_epoll_pwait, {} },
        { __NR_ioctl, { LOW_IS(1, SECCOMP_IOCTL_NOTIF_RECV) } },
        { __NR_ioctl, { LOW_IS(1, SECCOMP_IOCTL_NOTIF_SEND) } },
        { __NR_ioctl, { LOW_IS(1, SECCOMP_IOCTL_NOTIF_ID_VALID) } },
        { __NR_ioctl, { LOW_IS(1, SECCOMP_IOCTL_NOTIF_ADDFD) } },
        { __NR_ioctl, { LOW_IS(1, SECCOMP_IOW(4, uint64_t)) } }, /* SECCOMP_IOCTL_NOTIF_SET_FLAGS */
        { __NR_getsockopt, {} },
        { __NR_setsockopt, {} },
        { __NR_process_vm_readv, {} },
        { __NR_pidfd_open, {} },
        { __NR_pidfd_getfd, {} },
        { __NR_close, {} },
        /* no socket but TCP, and nothing listens */
        { __NR_socket, { LOW_IS(0, AF_INET), WITHIN(1, SOCKET_TYPES), LOW_IS(2, 0) } },
        { __NR_socket, { LOW_IS(0, AF_INET6), WITHIN(1, SOCKET_TYPES), LOW_IS(2, 0) } },
        { __NR_connect, {} },
        { __NR_bind, {} },
        { __NR_accept4, {} },
        { __NR_getsockname, {} },
        { __NR_sendto, {} },
        { __NR_recvfrom, {} },
        { __NR_sendmsg, {} },
        { __NR_recvmsg, {} },
        { __NR_epoll_create1, {} },
        { __NR_epoll_ctl, {} },
        { __NR_dup3, {} },
        { __NR_fcntl, { LOW_IS(1, F_GETFL) } },
        { __NR_fcntl, { LOW_IS(1, F_SETFL) } },
        { __NR_fcntl, { LOW_IS(1, F_DUPFD_CLOEXEC) } },
        { __NR_read, {} },
        { __NR_getdents64, {} },
        { __NR_fstat, {} },
        { __NR_newfstatat, { SYSCALL_ARG(3, LOW_IS, AT_EMPTY_PATH) } },
        { __NR_capset, {} },
        { __NR_brk, {} },
        { __NR_mmap, { SYSCALL_ARG(0, IS, 0), WITHIN(2, PROT_READ | PROT_WRITE), WITHIN(3, MAP_FLAGS) } },
        { __NR_munmap, {} },
        { __NR_mremap, { LOW_IS(3, MREMAP_MAYMOVE) } },
        { __NR_madvise, {} },
        { __NR_clock_gettime, {} },
        { __NR_rt_sigreturn, {} },
        { __NR_restart_syscall, {} },
        { __NR_exit_group, {} },
};

int bypass_sandbox_lock(int proc_fd, Error *reterr) {
        const SyscallRule own[] = {
                { __NR_openat, { LOW_IS(0, proc_fd), WITHIN(2, O_RDONLY | O_DIRECTORY | O_CLOEXEC) } },
                { __NR_readlinkat, {} },
        };
        SyscallFilter filter;

        syscall_filter_begin(&filter);
        syscall_filter_allow(&filter, rules, ELEMENTSOF(rules));
        syscall_filter_allow(&filter, own, ELEMENTSOF(own));
        int r = syscall_filter_install(&filter, EPERM);
        return r < 0 ? error_set_errno(reterr, r, "cannot install the seccomp filter of sdpod-bypass") : 0;
}
