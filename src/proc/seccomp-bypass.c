/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the filter of sdpod-bypass together, and in force. */
#include "proc/seccomp-bypass.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/wire.h"

#ifndef TCP_FASTOPEN_NO_COOKIE
#define TCP_FASTOPEN_NO_COOKIE 34
#endif

enum { ALL_BITS = ~0U, WITHOUT_X32 = ~0x40000000U };
enum { CODE_MAX = 256 };

/* System call numbers of one ABI; 0: it has none such. */
typedef struct BypassAbi {
        uint32_t arch;   /* AUDIT_ARCH_* */
        uint32_t bits;   /* of the number */
        uint16_t asked[3]; /* connect, bind, listen */
        struct {
                uint16_t number;
                uint8_t argument; /* where the flags are */
        } sends[4];
        uint16_t setsockopt[2], getsockopt[2];
        uint16_t missing[2]; /* io_uring_setup; socketcall */
} BypassAbi;

/* The 64-bit ABIs with the generic table (asm-generic/unistd.h). */
#define GENERIC_ABI(audit_arch)                                                                                       \
        { .arch = (audit_arch), .bits = ALL_BITS, .asked = { 203, 200, 201 }, .sends = { { 206, 3 }, { 211, 2 }, { 269, 3 } }, \
          .setsockopt = { 208 }, .getsockopt = { 209 }, .missing = { 425 } }

static const BypassAbi abis[] = {
#if defined(__x86_64__)
        /* x32 has the same numbers with a bit above, but for a few: the second ones */
        { .arch = AUDIT_ARCH_X86_64, .bits = WITHOUT_X32, .asked = { 42, 49, 50 }, .sends = { { 44, 3 }, { 46, 2 }, { 307, 3 }, { 518, 2 } },
          .setsockopt = { 54, 541 }, .getsockopt = { 55, 542 }, .missing = { 425 } },
        { .arch = AUDIT_ARCH_X86_64, .bits = WITHOUT_X32, .sends = { { 538, 3 } } },
        { .arch = AUDIT_ARCH_I386, .bits = ALL_BITS, .asked = { 362, 361, 363 }, .sends = { { 369, 3 }, { 370, 2 }, { 345, 3 } },
          .setsockopt = { 366 }, .getsockopt = { 365 }, .missing = { 425, 102 } },
#elif defined(__aarch64__)
        GENERIC_ABI(AUDIT_ARCH_AARCH64),
        { .arch = AUDIT_ARCH_ARM, .bits = ALL_BITS, .asked = { 283, 282, 284 }, .sends = { { 290, 3 }, { 296, 2 }, { 374, 3 } },
          .setsockopt = { 294 }, .getsockopt = { 295 }, .missing = { 425 } },
#elif defined(__riscv) && __riscv_xlen == 64
        GENERIC_ABI(AUDIT_ARCH_RISCV64),
#elif defined(__loongarch64)
        GENERIC_ABI(AUDIT_ARCH_LOONGARCH64),
#endif
        {},
};

/* Options that let the first bytes go before the answer; and the count of answers that a socket threw away. */
static const uint32_t refused_to_set[] = { TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE };
enum { REFUSED_TO_GET = 55 /* SO_MEMINFO */ };

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the low half of an argument is elsewhere"
#endif

typedef struct Program {
        struct sock_filter *code;
        size_t n;
} Program;

static struct sock_filter *emit(Program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) {
        p->code[p->n] = (struct sock_filter){ .code = code, .k = k, .jt = jt, .jf = jf };
        return p->code + p->n++;
}

static void emit_load(Program *p, size_t offset) {
        (void) emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset, 0, 0);
}

static void emit_load_argument(Program *p, unsigned argument) {
        emit_load(p, offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t));
}

static void emit_return(Program *p, uint32_t action) {
        (void) emit(p, BPF_RET | BPF_K, action, 0, 0);
}

static void emit_refusal(Program *p, int error) {
        emit_return(p, SECCOMP_RET_ERRNO | (uint32_t) error);
}

/* The part of one system call: skipped where the number in the accumulator is another. Each part ends with a return. */
static size_t begin_call(Program *p, uint32_t number) {
        (void) emit(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 0);
        return p->n;
}

static void end_call(Program *p, size_t start) {
        p->code[start - 1].jf = (uint8_t) (p->n - start);
}

static void emit_send(Program *p, uint32_t number, unsigned argument) {
        size_t start = begin_call(p, number);

        emit_load_argument(p, argument);
        (void) emit(p, BPF_JMP | BPF_JSET | BPF_K, MSG_FASTOPEN, 0, 1);
        emit_refusal(p, EOPNOTSUPP);
        emit_return(p, SECCOMP_RET_ALLOW);
        end_call(p, start);
}

static void emit_option(Program *p, uint32_t number, uint32_t level, const uint32_t *names, size_t n, int error) {
        size_t start = begin_call(p, number);

        emit_load_argument(p, 1);
        (void) emit(p, BPF_JMP | BPF_JEQ | BPF_K, level, 1, 0);
        emit_return(p, SECCOMP_RET_ALLOW);
        emit_load_argument(p, 2);
        for (size_t i = 0; i < n; i++) {
                (void) emit(p, BPF_JMP | BPF_JEQ | BPF_K, names[i], 0, 1);
                emit_refusal(p, error);
        }
        emit_return(p, SECCOMP_RET_ALLOW);
        end_call(p, start);
}

static void emit_plain(Program *p, uint32_t number, uint32_t action) {
        size_t start = begin_call(p, number);

        emit_return(p, action);
        end_call(p, start);
}

static void emit_abi(Program *p, const BypassAbi *abi) {
        const uint32_t refused_to_get = REFUSED_TO_GET;

        for (size_t i = 0; i < ELEMENTSOF(abi->asked); i++)
                if (abi->asked[i])
                        emit_plain(p, abi->asked[i], SECCOMP_RET_USER_NOTIF);
        for (size_t i = 0; i < ELEMENTSOF(abi->sends); i++)
                if (abi->sends[i].number)
                        emit_send(p, abi->sends[i].number, abi->sends[i].argument);
        for (size_t i = 0; i < ELEMENTSOF(abi->setsockopt); i++)
                if (abi->setsockopt[i])
                        emit_option(p, abi->setsockopt[i], IPPROTO_TCP, refused_to_set, ELEMENTSOF(refused_to_set), EOPNOTSUPP);
        for (size_t i = 0; i < ELEMENTSOF(abi->getsockopt); i++)
                if (abi->getsockopt[i])
                        emit_option(p, abi->getsockopt[i], SOL_SOCKET, &refused_to_get, 1, ENOPROTOOPT);
        for (size_t i = 0; i < ELEMENTSOF(abi->missing); i++)
                if (abi->missing[i])
                        emit_plain(p, abi->missing[i], SECCOMP_RET_ERRNO | ENOSYS);
}

bool seccomp_bypass_is_known(void) {
        return abis[0].arch != 0;
}

/* Writes the program; returns its number of instructions. */
static size_t compile(struct sock_filter code[static CODE_MAX]) {
        Program p = { .code = code };

        for (const BypassAbi *abi = abis; abi->arch != 0;) {
                uint32_t arch = abi->arch;

                emit_load(&p, offsetof(struct seccomp_data, arch));
                size_t start = begin_call(&p, arch);
                emit_load(&p, offsetof(struct seccomp_data, nr));
                if (abi->bits != (uint32_t) ALL_BITS)
                        (void) emit(&p, BPF_ALU | BPF_AND | BPF_K, abi->bits, 0, 0);
                for (; abi->arch == arch; abi++)
                        emit_abi(&p, abi);
                emit_return(&p, SECCOMP_RET_ALLOW);
                end_call(&p, start);
        }
        emit_return(&p, SECCOMP_RET_ALLOW); /* another ABI: its sockets are the container's own, whatever it does */
        return p.n;
}

int seccomp_bypass_load(int sync_fd, BypassWall wall) {
        struct sock_filter code[CODE_MAX];
        struct sock_fprog program = { .filter = code, .len = (unsigned short) compile(code) };
        _cleanup_fd_ int route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

        if (route < 0)
                return -errno;
        int r = wall == BYPASS_WALL_LANDLOCK ? bypass_wall_raise() : 0;
        if (r < 0)
                return r;
        _cleanup_fd_ int listener = (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
        if (listener < 0)
                return -errno;
        r = wire_send_result_fd(sync_fd, 0, /* error= */ NULL, listener);
        return r < 0 ? r : wire_send_result_fd(sync_fd, 0, /* error= */ NULL, route);
}

int seccomp_bypass_receive(int sync_fd, int *ret_listener, int *ret_route, Error *reterr) {
        _cleanup_fd_ int listener = -EBADF, route = -EBADF;
        int r = wire_receive_result_fd(sync_fd, &listener, reterr);

        if (r >= 0)
                r = wire_receive_result_fd(sync_fd, &route, reterr);
        if (r < 0)
                return r;
        if (listener < 0 || route < 0)
                return error_set(reterr, -EPROTO, ERROR_INTERNAL, "cannot watch the container's connections: it has sent no descriptor");
        *ret_listener = TAKE_FD(listener);
        *ret_route = TAKE_FD(route);
        return 0;
}
