/* SPDX-License-Identifier: Apache-2.0 */
/* Rules become BPF. */
#include "base/syscall-filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
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
#error "this architecture has no name here: add its AUDIT_ARCH"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { HALF_LOW = 0, HALF_HIGH = 4 };
#else
enum { HALF_LOW = 4, HALF_HIGH = 0 };
#endif

enum { PATCHES_MAX = 8 };

/* Too many instructions are counted, and refused at the end. */
static void emit(SyscallFilter *f, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) {
        if (f->n < ELEMENTSOF(f->code))
                f->code[f->n] = (struct sock_filter){ .code = code, .k = k, .jt = jt, .jf = jf };
        f->n++;
}

static void emit_load(SyscallFilter *f, size_t offset) {
        emit(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset, 0, 0);
}

static void emit_load_argument(SyscallFilter *f, unsigned argument, size_t half) {
        emit_load(f, offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) + half);
}

/* Comparisons whose failure leads over the rest of the rule: the side that does is UINT8_MAX until that is known. */
typedef struct Patches {
        unsigned short at[PATCHES_MAX];
        size_t n;
} Patches;

static void emit_test(SyscallFilter *f, Patches *patches, uint16_t comparison, uint32_t k, bool wanted) {
        assert(patches->n < ELEMENTSOF(patches->at));
        patches->at[patches->n++] = f->n;
        emit(f, BPF_JMP | comparison | BPF_K, k, wanted ? 0 : UINT8_MAX, wanted ? UINT8_MAX : 0);
}

static void emit_condition(SyscallFilter *f, const SyscallCondition *c, Patches *patches) {
        const uint32_t low = (uint32_t) c->value, high = (uint32_t) (c->value >> 32);

        emit_load_argument(f, c->argument, c->test == SYSCALL_HIGH_ABOVE ? HALF_HIGH : HALF_LOW);
        switch (c->test) {
        case SYSCALL_LOW_IS_NOT:
                emit_test(f, patches, BPF_JEQ, low, false);
                break;
        case SYSCALL_LOW_WITHIN:
                emit_test(f, patches, BPF_JSET, ~low, false);
                break;
        case SYSCALL_LOW_HAS:
                emit(f, BPF_ALU | BPF_AND | BPF_K, low, 0, 0);
                emit_test(f, patches, BPF_JEQ, low, true);
                break;
        case SYSCALL_HIGH_ABOVE:
                emit_test(f, patches, BPF_JGT, high, true);
                break;
        case SYSCALL_IS:
                emit_test(f, patches, BPF_JEQ, low, true);
                emit_load_argument(f, c->argument, HALF_HIGH);
                emit_test(f, patches, BPF_JEQ, high, true);
                break;
        case SYSCALL_ANY:
        case SYSCALL_LOW_IS:
        default:
                emit_test(f, patches, BPF_JEQ, low, true);
                break;
        }
}

static void patch(SyscallFilter *f, const Patches *patches) {
        for (size_t i = 0; i < patches->n && f->n <= ELEMENTSOF(f->code); i++) {
                struct sock_filter *jump = f->code + patches->at[i];
                uint8_t distance = (uint8_t) (f->n - patches->at[i] - 1);

                if (jump->jt == UINT8_MAX)
                        jump->jt = distance;
                else
                        jump->jf = distance;
        }
}

static void emit_rule(SyscallFilter *f, const SyscallRule *rule) {
        Patches patches = {};
        bool conditional = false;

        emit_test(f, &patches, BPF_JEQ, (uint32_t) rule->number, true);
        for (size_t i = 0; i < ELEMENTSOF(rule->conditions); i++)
                if (rule->conditions[i].test != SYSCALL_ANY) {
                        emit_condition(f, rule->conditions + i, &patches);
                        conditional = true;
                }
        emit(f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
        patch(f, &patches);
        if (conditional) /* the accumulator was used for arguments */
                emit_load(f, offsetof(struct seccomp_data, nr));
}

void syscall_filter_begin(SyscallFilter *f) {
        f->n = 0;
        emit_load(f, offsetof(struct seccomp_data, arch));
        emit(f, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
        emit(f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
        emit_load(f, offsetof(struct seccomp_data, nr));
}

void syscall_filter_allow(SyscallFilter *f, const SyscallRule *rules, size_t n) {
        for (size_t i = 0; i < n; i++)
                emit_rule(f, rules + i);
}

int syscall_filter_install(SyscallFilter *f, int refusal) {
        emit(f, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned) refusal & SECCOMP_RET_DATA), 0, 0);
        if (f->n > ELEMENTSOF(f->code))
                return -E2BIG;
        struct sock_fprog program = { .len = f->n, .filter = f->code };
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}
