/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what the fetcher may call. */
#include "registry/sandbox-calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "base/syscall-filter.h"

enum { WRITING = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | __O_TMPFILE };

static const SyscallRule allowed[] = {
        { __NR_read }, { __NR_write }, { __NR_readv }, { __NR_writev }, { __NR_pread64 }, { __NR_recvfrom },
        { __NR_sendto }, { __NR_recvmsg }, { __NR_sendmsg }, { __NR_recvmmsg }, { __NR_sendmmsg }, { __NR_connect },
        { __NR_bind }, { __NR_shutdown }, { __NR_getsockname }, { __NR_getpeername }, { __NR_setsockopt },
        { __NR_getsockopt }, { __NR_ppoll }, { __NR_close }, { __NR_lseek }, { __NR_fstat }, { __NR_newfstatat },
        { __NR_statx }, { __NR_pipe2 }, { __NR_eventfd2 }, { __NR_munmap }, { __NR_mremap }, { __NR_madvise },
        { __NR_brk }, { __NR_futex }, { __NR_getrandom }, { __NR_gettid }, { __NR_getpid }, { __NR_getuid },
        { __NR_geteuid }, { __NR_getgid }, { __NR_getegid }, { __NR_uname }, { __NR_clock_gettime },
        { __NR_clock_getres }, { __NR_gettimeofday }, { __NR_clock_nanosleep }, { __NR_rt_sigreturn },
        { __NR_rt_sigprocmask }, { __NR_rt_sigaction }, { __NR_sigaltstack }, { __NR_set_robust_list }, { __NR_rseq },
        { __NR_sched_getaffinity }, { __NR_sched_yield }, { __NR_restart_syscall }, { __NR_exit },
        { __NR_exit_group },
#ifdef __NR_poll
        { __NR_poll },
#endif
#ifdef __NR_access
        { __NR_access },
#else
        { __NR_faccessat },
#endif
#ifdef __NR_time
        { __NR_time },
#endif
        { __NR_socket, { SYSCALL_ARG(0, LOW_IS, AF_INET) } },
        { __NR_socket, { SYSCALL_ARG(0, LOW_IS, AF_INET6) } },
        { __NR_socket, { SYSCALL_ARG(0, LOW_IS, AF_NETLINK) } },
        { __NR_socketpair, { SYSCALL_ARG(0, LOW_IS, AF_UNIX) } }, /* how libcurl's threads wake it: it has no name */
        { __NR_clone, { SYSCALL_ARG(0, LOW_HAS, CLONE_THREAD) } },
        { __NR_mmap, { SYSCALL_ARG_WITHOUT(2, PROT_EXEC) } },
        { __NR_mprotect, { SYSCALL_ARG_WITHOUT(2, PROT_EXEC) } },
        { __NR_openat, { SYSCALL_ARG_WITHOUT(2, WRITING) } },
        { __NR_ioctl, { SYSCALL_ARG(1, LOW_IS, FIONREAD) } },
        { __NR_ioctl, { SYSCALL_ARG(1, LOW_IS, FIONBIO) } },
        { __NR_prctl, { SYSCALL_ARG(0, LOW_IS, PR_SET_NAME) } },
        { __NR_fcntl, { SYSCALL_ARG(1, LOW_IS, F_GETFL) } },
        { __NR_fcntl, { SYSCALL_ARG(1, LOW_IS, F_SETFL) } },
        { __NR_fcntl, { SYSCALL_ARG(1, LOW_IS, F_GETFD) } },
        { __NR_fcntl, { SYSCALL_ARG(1, LOW_IS, F_SETFD) } },
        { __NR_fcntl, { SYSCALL_ARG(1, LOW_IS, F_SETPIPE_SZ) } },
        { __NR_fcntl, { SYSCALL_ARG(1, LOW_IS, F_DUPFD_CLOEXEC) } },
};

int sandbox_filter_calls(void) {
        SyscallFilter filter;

        syscall_filter_begin(&filter);
        syscall_filter_allow(&filter, allowed, ELEMENTSOF(allowed));
        /* not there, rather than killed: another libc may try something newer first (clone3 before clone) */
        return syscall_filter_install(&filter, ENOSYS);
}
