/* SPDX-License-Identifier: Apache-2.0 */
/* Writing BPF programs that search for a number: what the compiler of the default profile and the shortener of others'
 * filters have in common. BPF jumps only forward, so the program is written from its end: what is jumped to is there
 * before the jump, and every distance is known when it is needed. */
#pragma once

#include "proc/seccomp-table.h"

enum { SECCOMP_RETURN_MAX = 64 };

/* A place in the program is counted from its end: the instruction written last is at `n_code`, and 0 is none. */
typedef struct SeccompEmitter {
        struct sock_filter *code; /* room for SECCOMP_CODE_MAX, filled from the last one down */
        size_t n_code;
        bool overflow;            /* what was written is worth nothing */
        struct {
                uint32_t action;
                size_t place;     /* of the copy written last */
        } returns[SECCOMP_RETURN_MAX];
        size_t n_returns;
} SeccompEmitter;

/* All numbers from `first` to the next interval's lead to the same target. */
typedef struct SeccompInterval {
        uint32_t first;
        uint64_t target; /* what it means is the caller's */
} SeccompInterval;

size_t seccomp_emit(SeccompEmitter *e, uint16_t op, uint8_t jump_true, uint8_t jump_false, uint32_t k);

/* A place that does `action`: the last copy of that instruction while a jump reaches it, otherwise a new one. */
size_t seccomp_emit_return(SeccompEmitter *e, uint32_t action);

/* A conditional jump on the accumulator (BPF_JEQ, BPF_JGE, ...), with what it takes to reach both places. */
size_t seccomp_emit_branch(SeccompEmitter *e, uint16_t op, uint32_t k, size_t if_true, size_t if_false);

/* Makes `place` what comes next, by a jump where it does not stand there. */
size_t seccomp_emit_onward(SeccompEmitter *e, size_t place);

/* A search over the number in the accumulator. The numbers below `end` are found in about as many steps each. */
typedef size_t (*SeccompTargetFunction)(void *userdata, uint64_t target);
size_t seccomp_emit_tree(SeccompEmitter *e, const SeccompInterval *intervals, size_t n, uint32_t end, SeccompTargetFunction target,
                         void *userdata);

/* Moves the program to the beginning of its room. Its length, or -E2BIG. */
int seccomp_emit_finish(SeccompEmitter *e);
