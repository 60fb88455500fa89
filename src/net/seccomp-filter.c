/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which system calls sdpod-net may make, by number and arguments.
 *
 * The list is short enough to be put together as BPF here, in microseconds; libseccomp takes milliseconds for the same and
 * would be one more library. Rules are tried in order, the calls of the data path first; a call that matches none gets
 * EPERM. Each rule has up to three tests, all of which must hold. */
#include "net/seccomp-filter.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_PPC64LE
#elif defined(__loongarch64)
#define ARCH AUDIT_ARCH_LOONGARCH64
#else
#error "sdpod-net has no seccomp filter for this architecture: add its AUDIT_ARCH here"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HALF_LOW 0
#define HALF_HIGH 4
#else
#define HALF_LOW 4
#define HALF_HIGH 0
#endif

typedef enum Test {
        TEST_NONE,
        TEST_LOW_IS,       /* the low 32 bits are the value: for int arguments */
        TEST_LOW_IS_NOT,
        TEST_LOW_WITHIN,   /* no bit of the low 32 beyond the value */
        TEST_IS,           /* all 64 bits */
        TEST_HIGH_ABOVE,   /* the high 32 bits are above the value's */
} Test;

typedef struct Condition {
        Test test;
        unsigned argument;
        uint64_t value;
} Condition;

typedef struct Rule {
        long number;
        Condition conditions[3];
} Rule;

enum {
        OPEN_FLAGS = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
        MAP_FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
        SOCKET_TYPES = SOCK_STREAM | SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
};

#define LOW_IS(n, v) { TEST_LOW_IS, (n), (uint64_t) (v) }
#define LOW_IS_NOT(n, v) { TEST_LOW_IS_NOT, (n), (uint64_t) (v) }
#define WITHIN(n, v) { TEST_LOW_WITHIN, (n), (uint64_t) (v) }

static const Rule rules[] = {
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
        { __NR_clock_gettime, {} },
        /* sockets: internet only, no raw ones; nothing new listens */
        { __NR_socket, { LOW_IS(0, AF_INET), WITHIN(1, SOCKET_TYPES) } },
        { __NR_socket, { LOW_IS(0, AF_INET6), WITHIN(1, SOCKET_TYPES) } },
        { __NR_connect, {} },
        { __NR_bind, {} },
        { __NR_accept, {} },
        { __NR_accept4, {} },
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
        /* files: what the empty root has, read-only; the copy of resolv.conf through its descriptor */
        { __NR_openat, { LOW_IS(0, AT_FDCWD), WITHIN(2, OPEN_FLAGS) } },
        { __NR_fstat, {} },
        { __NR_lseek, {} },
        { __NR_pwrite64, {} },
        { __NR_ftruncate, {} },
        /* memory: anonymous, never executable, where the kernel chooses */
        { __NR_mmap, { { TEST_IS, 0, 0 }, WITHIN(2, PROT_READ | PROT_WRITE), WITHIN(3, MAP_FLAGS) } },
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

typedef struct Program {
        struct sock_filter code[512];
        unsigned short n;
} Program;

static void emit(Program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) {
        assert(p->n < ELEMENTSOF(p->code));
        p->code[p->n++] = (struct sock_filter){ .code = code, .k = k, .jt = jt, .jf = jf };
}

static void emit_load(Program *p, size_t offset) {
        emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset, 0, 0);
}

static size_t argument_offset(unsigned argument, unsigned half) {
        return offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) + half;
}

/* Each comparison that fails jumps over the rule's remaining instructions; `to_end` holds where to patch. */
static void emit_condition(Program *p, const Condition *c, unsigned short *to_end, size_t *n) {
        uint32_t low = (uint32_t) c->value, high = (uint32_t) (c->value >> 32);

        emit_load(p, argument_offset(c->argument, c->test == TEST_HIGH_ABOVE ? HALF_HIGH : HALF_LOW));
        switch (c->test) {
        case TEST_LOW_IS_NOT:
        case TEST_LOW_WITHIN:
                /* taken: the rule does not match */
                to_end[(*n)++] = p->n;
                emit(p, BPF_JMP | (c->test == TEST_LOW_WITHIN ? BPF_JSET : BPF_JEQ) | BPF_K,
                     c->test == TEST_LOW_WITHIN ? ~low : low, UINT8_MAX, 0);
                break;
        case TEST_HIGH_ABOVE:
                to_end[(*n)++] = p->n;
                emit(p, BPF_JMP | BPF_JGT | BPF_K, high, 0, UINT8_MAX);
                break;
        case TEST_IS:
                to_end[(*n)++] = p->n;
                emit(p, BPF_JMP | BPF_JEQ | BPF_K, low, 0, UINT8_MAX);
                emit_load(p, argument_offset(c->argument, HALF_HIGH));
                to_end[(*n)++] = p->n;
                emit(p, BPF_JMP | BPF_JEQ | BPF_K, high, 0, UINT8_MAX);
                break;
        case TEST_LOW_IS:
        case TEST_NONE:
        default:
                to_end[(*n)++] = p->n;
                emit(p, BPF_JMP | BPF_JEQ | BPF_K, low, 0, UINT8_MAX);
                break;
        }
}

static void emit_rule(Program *p, const Rule *rule) {
        unsigned short to_end[8];
        size_t n = 0;
        bool conditional = false;

        to_end[n++] = p->n;
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) rule->number, 0, UINT8_MAX);
        for (size_t i = 0; i < ELEMENTSOF(rule->conditions); i++)
                if (rule->conditions[i].test != TEST_NONE) {
                        emit_condition(p, rule->conditions + i, to_end, &n);
                        conditional = true;
                }
        emit(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
        for (size_t i = 0; i < n; i++) {
                struct sock_filter *jump = p->code + to_end[i];
                uint8_t distance = (uint8_t) (p->n - to_end[i] - 1);

                if (jump->jt == UINT8_MAX)
                        jump->jt = distance;
                else
                        jump->jf = distance;
        }
        if (conditional) /* the accumulator was used for arguments */
                emit_load(p, offsetof(struct seccomp_data, nr));
}

int seccomp_filter_install(int dir_fd, const char *name) {
        uint64_t sealed = (uint64_t) (uintptr_t) name;
        /* The name that may be opened stays what it is: nothing can be unmapped or moved in the part of the address space
         * (4 GiB and below) where the program's own data lies, and nothing can be mapped or made writable there. */
        const Condition above = { TEST_HIGH_ABOVE, 0, sealed };
        const Rule own[] = {
                { __NR_openat, { LOW_IS(0, dir_fd), { TEST_IS, 1, sealed }, WITHIN(2, OPEN_FLAGS) } },
                { __NR_newfstatat, { LOW_IS_NOT(0, dir_fd) } },
                { __NR_munmap, { above } },
                { __NR_madvise, { above } },
                { __NR_mremap, { above, LOW_IS(3, MREMAP_MAYMOVE) } },
        };
        Program p = {};

        emit_load(&p, offsetof(struct seccomp_data, arch));
        emit(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
        emit(&p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
        emit_load(&p, offsetof(struct seccomp_data, nr));
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                emit_rule(&p, rules + i);
        for (size_t i = name && dir_fd >= 0 ? 0 : 1; i < ELEMENTSOF(own); i++)
                emit_rule(&p, own + i);
        emit(&p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA), 0, 0);

        struct sock_fprog program = { .len = p.n, .filter = p.code };
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
                return -errno;
        return 0;
}
