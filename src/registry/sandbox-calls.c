/* SPDX-License-Identifier: Apache-2.0 */
/* A seccomp filter, put together here: the list is short. */
#include "registry/sandbox-calls.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/macro.h"

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define SANDBOX_ARCH AUDIT_ARCH_RISCV64
#else
#error "the system calls of this architecture are not listed in registry/sandbox-calls.c"
#endif

/* Allowed whatever the arguments are. */
static const int allowed[] = {
        SYS_read,        SYS_write,        SYS_readv,      SYS_writev,       SYS_pread64,     SYS_recvfrom,   SYS_sendto,
        SYS_recvmsg,     SYS_sendmsg,      SYS_recvmmsg,   SYS_sendmmsg,     SYS_connect,     SYS_bind,       SYS_shutdown,
        SYS_getsockname, SYS_getpeername,  SYS_setsockopt, SYS_getsockopt,   SYS_ppoll,       SYS_close,      SYS_lseek,
        SYS_fstat,       SYS_newfstatat,   SYS_statx,      SYS_pipe2,        SYS_eventfd2,    SYS_munmap,     SYS_mremap,
        SYS_madvise,     SYS_brk,          SYS_futex,      SYS_getrandom,    SYS_gettid,      SYS_getpid,     SYS_getuid,
        SYS_geteuid,     SYS_getgid,       SYS_getegid,    SYS_uname,        SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday,
        SYS_clock_nanosleep, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_sigaltstack, SYS_set_robust_list, SYS_rseq,
        SYS_sched_getaffinity, SYS_sched_yield, SYS_restart_syscall, SYS_exit, SYS_exit_group,
#ifdef SYS_poll
        SYS_poll,
#endif
#ifdef SYS_access
        SYS_access,
#else
        SYS_faccessat,
#endif
#ifdef SYS_time
        SYS_time,
#endif
};

typedef enum Test {
        TEST_ONE_OF,   /* the argument is one of the values */
        TEST_NONE_OF,  /* it has no bit of the first value */
        TEST_HAS,      /* it has all bits of the first value */
} Test;

enum { VALUES_MAX = 6 };

/* Allowed where the low half of one argument passes. */
static const struct {
        int number;
        unsigned argument;
        Test test;
        uint32_t values[VALUES_MAX]; /* 0 ends them */
} conditional[] = {
        { SYS_socket, 0, TEST_ONE_OF, { AF_INET, AF_INET6, AF_NETLINK } },
        { SYS_socketpair, 0, TEST_ONE_OF, { AF_UNIX } }, /* how libcurl's threads wake it: it has no name */
        { SYS_clone, 0, TEST_HAS, { CLONE_THREAD } },
        { SYS_mmap, 2, TEST_NONE_OF, { PROT_EXEC } },
        { SYS_mprotect, 2, TEST_NONE_OF, { PROT_EXEC } },
        { SYS_openat, 2, TEST_NONE_OF, { O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | __O_TMPFILE } },
        { SYS_ioctl, 1, TEST_ONE_OF, { FIONREAD, FIONBIO } },
        { SYS_prctl, 0, TEST_ONE_OF, { PR_SET_NAME } },
        { SYS_fcntl, 1, TEST_ONE_OF, { F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_SETPIPE_SZ, F_DUPFD_CLOEXEC } },
};

enum { CODE_MAX = 256, CONDITION_MAX = VALUES_MAX + 4 };
static_assert(ELEMENTSOF(allowed) + CONDITION_MAX * ELEMENTSOF(conditional) + 8 < CODE_MAX, "BPF jumps reach 255 instructions");

typedef struct Code {
        struct sock_filter at[CODE_MAX];
        unsigned short n;
} Code;

static void emit(Code *c, uint16_t code, uint32_t k, unsigned jt, unsigned jf) {
        assert(c->n < CODE_MAX && jt < 256 && jf < 256);
        c->at[c->n++] = (struct sock_filter){ .code = code, .k = k, .jt = (uint8_t) jt, .jf = (uint8_t) jf };
}

/* One conditional call: behind it the accumulator is the number again. */
static void emit_condition(Code *c, size_t row) {
        unsigned n = 0, size;
        const uint32_t *values = conditional[row].values;

        while (n < VALUES_MAX && values[n])
                n++;
        size = 1 + (conditional[row].test == TEST_HAS ? 2 : n) + 2; /* load, tests, two verdicts */
        emit(c, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) conditional[row].number, 0, size);
        emit(c, BPF_LD | BPF_W | BPF_ABS, (uint32_t) (offsetof(struct seccomp_data, args) + conditional[row].argument * sizeof(uint64_t)), 0, 0);
        switch (conditional[row].test) {
        case TEST_ONE_OF:
                for (unsigned i = 0; i < n; i++)
                        emit(c, BPF_JMP | BPF_JEQ | BPF_K, values[i], n - i, 0);
                break;
        case TEST_NONE_OF:
                emit(c, BPF_JMP | BPF_JSET | BPF_K, values[0], 0, 1);
                break;
        case TEST_HAS:
        default:
                emit(c, BPF_ALU | BPF_AND | BPF_K, values[0], 0, 0);
                emit(c, BPF_JMP | BPF_JEQ | BPF_K, values[0], 1, 0);
                break;
        }
        emit(c, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
        emit(c, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

int sandbox_filter_calls(void) {
        Code c = {};
        const unsigned n = ELEMENTSOF(allowed);

        emit(&c, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
        emit(&c, BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0);
        emit(&c, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
        emit(&c, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
        for (size_t i = 0; i < ELEMENTSOF(conditional); i++)
                emit_condition(&c, i);
        for (unsigned i = 0; i < n; i++)
                emit(&c, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) allowed[i], n - i, 0);
        /* not there, rather than killed: another libc may try something newer first (clone3 before clone) */
        emit(&c, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
        emit(&c, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);

        struct sock_fprog program = { .len = c.n, .filter = c.at };
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}
