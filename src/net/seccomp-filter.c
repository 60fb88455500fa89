/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which system calls sdpod-net may make, by number and arguments; the calls of the data path first. */
#include "net/seccomp-filter.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "base/syscall-filter.h"

enum {
        OPEN_FLAGS = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
        MAP_FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
        SOCKET_TYPES = SOCK_STREAM | SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
};

#define LOW_IS(n, v) SYSCALL_ARG(n, LOW_IS, v)
#define WITHIN(n, v) SYSCALL_ARG(n, LOW_WITHIN, v)

static const SyscallRule rules[] = {
        { __NR_read, {} },
        { __NR_write, {} },
#ifdef __NR_poll
        { __NR_poll, {} },
#endif
        { __NR_ppoll, {} },
        { __NR_recvfrom, {} },
        { __NR_sendto, {} },
        { __NR_recvmsg, {} },
        { __NR_sendmsg, {} },
        { __NR_splice, {} },
#ifdef __NR_epoll_wait
        { __NR_epoll_wait, {} },
#endif
        { __NR_epoll_pwait, {} },
        { __NR_clock_gettime, {} },
        /* sockets: internet only, no raw ones; nothing new listens */
        { __NR_socket, { LOW_IS(0, AF_INET), WITHIN(1, SOCKET_TYPES) } },
        { __NR_socket, { LOW_IS(0, AF_INET6), WITHIN(1, SOCKET_TYPES) } },
        { __NR_connect, {} },
        { __NR_bind, {} },
        { __NR_accept, {} },
        { __NR_accept4, {} },
        { __NR_epoll_ctl, {} },
        { __NR_shutdown, {} },
        { __NR_close, {} },
        { __NR_getsockname, {} },
        { __NR_getpeername, {} },
        { __NR_setsockopt, {} },
        { __NR_getsockopt, {} },
        { __NR_ioctl, { LOW_IS(1, FIONREAD) } },
        { __NR_ioctl, { LOW_IS(1, FIONBIO) } },
        { __NR_fcntl, { LOW_IS(1, F_GETFL) } },
        { __NR_fcntl, { LOW_IS(1, F_SETFL) } },
        { __NR_fcntl, { LOW_IS(1, F_GETFD) } },
        { __NR_fcntl, { LOW_IS(1, F_SETFD) } },
        /* the pipes that splice(2) needs */
        { __NR_pipe2, { WITHIN(1, O_CLOEXEC | O_NONBLOCK) } },
        { __NR_fcntl, { LOW_IS(1, F_SETPIPE_SZ) } },
        /* files: what the empty root has, read-only; the copy of resolv.conf through its descriptor */
        { __NR_openat, { LOW_IS(0, AT_FDCWD), WITHIN(2, OPEN_FLAGS) } },
        { __NR_fstat, {} },
        { __NR_lseek, {} },
        { __NR_pwrite64, {} },
        { __NR_ftruncate, {} },
        /* memory: anonymous, never executable, where the kernel chooses */
        { __NR_mmap, { SYSCALL_ARG(0, IS, 0), WITHIN(2, PROT_READ | PROT_WRITE), WITHIN(3, MAP_FLAGS) } },
        { __NR_brk, {} },
        { __NR_futex, {} },
        { __NR_getrandom, {} },
        { __NR_gettimeofday, {} },
        { __NR_getpid, {} },
        { __NR_rt_sigreturn, {} },
        { __NR_rt_sigprocmask, {} },
        { __NR_restart_syscall, {} },
        { __NR_exit, {} },
        { __NR_exit_group, {} },
};

int seccomp_filter_install(int dir_fd, const char *name) {
        uint64_t sealed = (uint64_t) (uintptr_t) name;
        /* The name that may be opened stays what it is: nothing can be unmapped or moved in the part of the address space
         * (4 GiB and below) where the program's own data lies, and nothing can be mapped or made writable there. */
        const SyscallCondition above = SYSCALL_ARG(0, HIGH_ABOVE, sealed);
        const SyscallRule own[] = {
                { __NR_openat, { LOW_IS(0, dir_fd), SYSCALL_ARG(1, IS, sealed), WITHIN(2, OPEN_FLAGS) } },
                { __NR_newfstatat, { SYSCALL_ARG(0, LOW_IS_NOT, dir_fd) } },
                { __NR_munmap, { above } },
                { __NR_madvise, { above } },
                { __NR_mremap, { above, LOW_IS(3, MREMAP_MAYMOVE) } },
        };
        const size_t skipped = name && dir_fd >= 0 ? 0 : 1;
        SyscallFilter filter;

        syscall_filter_begin(&filter);
        syscall_filter_allow(&filter, rules, ELEMENTSOF(rules));
        syscall_filter_allow(&filter, own + skipped, ELEMENTSOF(own) - skipped);
        return syscall_filter_install(&filter, EPERM);
}
