/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp filters for processes of our own that read a stranger's bytes: a short list of what they may call, by number and arguments.
 *
 * It is put together as BPF here, in microseconds; libseccomp takes milliseconds for the same and would be one more library in
 * small programs. (The filter of a container is another matter: proc/seccomp.h.) Rules are tried in order, so the calls of the data
 * path stand first. A call that no rule allows gets the filter's errno; one of another architecture ends the process. */
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

typedef enum SyscallTest {
        SYSCALL_ANY,            /* no test */
        SYSCALL_LOW_IS,         /* the low 32 bits of the argument are the value: for arguments that are an int */
        SYSCALL_LOW_IS_NOT,
        SYSCALL_LOW_WITHIN,     /* they have no bit beyond the value */
        SYSCALL_LOW_HAS,        /* they have all bits of the value */
        SYSCALL_IS,             /* all 64 bits are the value */
        SYSCALL_HIGH_ABOVE,     /* the high 32 bits are above the value's */
} SyscallTest;

typedef struct SyscallCondition {
        SyscallTest test;
        unsigned argument;      /* from 0 */
        uint64_t value;
} SyscallCondition;

/* Allows a call where all conditions hold. */
typedef struct SyscallRule {
        long number;            /* __NR_* */
        SyscallCondition conditions[3];
} SyscallRule;

/* { __NR_socket, { SYSCALL_ARG(0, LOW_IS, AF_INET) } } */
#define SYSCALL_ARG(number, test, value) { SYSCALL_##test, (number), (uint64_t) (value) }
#define SYSCALL_ARG_WITHOUT(number, bits) { SYSCALL_LOW_WITHIN, (number), (uint32_t) ~(uint32_t) (bits) }

typedef struct SyscallFilter {
        struct sock_filter code[512];
        unsigned short n;
} SyscallFilter;

/* Begins a filter for this architecture, adds rules to it, and installs it for this thread and its children; needs no_new_privs or
 * CAP_SYS_ADMIN (seccomp(2)). `refusal` is the errno of what is not allowed. 0 or -errno; -E2BIG: there are too many rules. */
void syscall_filter_begin(SyscallFilter *filter);
void syscall_filter_allow(SyscallFilter *filter, const SyscallRule *rules, size_t n);
int syscall_filter_install(SyscallFilter *filter, int refusal);
