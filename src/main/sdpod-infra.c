/* SPDX-License-Identifier: Apache-2.0 */
/* What runs in the infra container of a pod: it holds the pod's namespaces by being there, reaps the orphans of a PID namespace
 * that is shared, and ends when it is told to. It is alone in an empty root, so it needs no library; without a C library it is
 * one page of code, and there is one such process a pod. */
#include <linux/wait.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static long call(long number, long a, long b, long c, long d) {
        register long r10 __asm__("r10") = d;
        long result;

        __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
        return result;
}
#elif defined(__aarch64__)
static long call(long number, long a, long b, long c, long d) {
        register long x8 __asm__("x8") = number;
        register long x0 __asm__("x0") = a;
        register long x1 __asm__("x1") = b;
        register long x2 __asm__("x2") = c;
        register long x3 __asm__("x3") = d;

        __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
        return x0;
}
#elif defined(__riscv) && __riscv_xlen == 64
static long call(long number, long a, long b, long c, long d) {
        register long a7 __asm__("a7") = number;
        register long a0 __asm__("a0") = a;
        register long a1 __asm__("a1") = b;
        register long a2 __asm__("a2") = c;
        register long a3 __asm__("a3") = d;

        __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3) : "memory");
        return a0;
}
#else
#error "the system call of this processor is missing here"
#endif

/* What the kernel takes for a set of signals: bit N-1 for signal N. */
#define SIGNAL_BIT(n) (1UL << ((n) - 1))

void _start(void);

#if defined(__x86_64__)
__attribute__((force_align_arg_pointer))
#endif
__attribute__((noreturn)) void _start(void) {
        /* blocked signals wait for us; what an init neither blocks nor handles never reaches it (pid_namespaces(7)) */
        const unsigned long signals = SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT);

        (void) call(SYS_rt_sigprocmask, SIG_BLOCK, (long) &signals, 0, sizeof(signals));
        for (;;) {
                long signal = call(SYS_rt_sigtimedwait, (long) &signals, 0, 0, sizeof(signals));

                while (call(SYS_wait4, -1, 0, WNOHANG, 0) > 0)
                        ;
                if (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT)
                        for (;;)
                                (void) call(SYS_exit_group, 0, 0, 0, 0);
        }
}
