/* SPDX-License-Identifier: Apache-2.0 */
/* Writes BPF programs from their end. */
#include "proc/seccomp-emit.h"

#include <string.h>

enum { NEAR = 254 };

typedef struct Tree {
        SeccompEmitter *e;
        const SeccompInterval *intervals;
        SeccompTargetFunction target;
        void *userdata;
} Tree;

size_t seccomp_emit(SeccompEmitter *e, uint16_t op, uint8_t jump_true, uint8_t jump_false, uint32_t k) {
        if (e->n_code >= SECCOMP_CODE_MAX) {
                e->overflow = true;
                return e->n_code;
        }
        e->n_code++;
        e->code[SECCOMP_CODE_MAX - e->n_code] = (struct sock_filter){ .code = op, .jt = jump_true, .jf = jump_false, .k = k };
        return e->n_code;
}

size_t seccomp_emit_return(SeccompEmitter *e, uint32_t action) {
        size_t i;

        for (i = 0; i < e->n_returns; i++)
                if (e->returns[i].action == action)
                        break;
        if (i < e->n_returns && e->n_code - e->returns[i].place <= NEAR)
                return e->returns[i].place;
        if (i >= SECCOMP_RETURN_MAX) {
                e->overflow = true;
                return e->n_code;
        }
        e->n_returns = MAX(e->n_returns, i + 1);
        e->returns[i].action = action;
        e->returns[i].place = seccomp_emit(e, BPF_RET | BPF_K, 0, 0, action);
        return e->returns[i].place;
}

/* A place from which a conditional jump, at most two instructions on, reaches `place`: a jump reaches 255 instructions. */
static size_t bring_near(SeccompEmitter *e, size_t place) {
        const struct sock_filter *in = &e->code[SECCOMP_CODE_MAX - place];

        if (e->n_code - place <= NEAR)
                return place;
        if (in->code == (BPF_RET | BPF_K))
                return seccomp_emit_return(e, in->k);
        return seccomp_emit(e, BPF_JMP | BPF_JA, 0, 0, (uint32_t) (e->n_code - place));
}

size_t seccomp_emit_branch(SeccompEmitter *e, uint16_t op, uint32_t k, size_t if_true, size_t if_false) {
        if (e->overflow)
                return e->n_code;
        if_true = bring_near(e, if_true);
        if_false = bring_near(e, if_false);
        return seccomp_emit(e, BPF_JMP | op | BPF_K, (uint8_t) (e->n_code - if_true), (uint8_t) (e->n_code - if_false), k);
}

size_t seccomp_emit_onward(SeccompEmitter *e, size_t place) {
        if (place == e->n_code)
                return place;
        return seccomp_emit(e, BPF_JMP | BPF_JA, 0, 0, (uint32_t) (e->n_code - place));
}

/* The interval that starts the right half of [low, high): the split that leaves the numbers most evenly divided. */
static size_t choose_split(const SeccompInterval *intervals, size_t low, size_t high, uint32_t end) {
        size_t best = low + 1;
        uint32_t best_distance = UINT32_MAX, start = intervals[low].first;

        for (size_t i = low + 1; i < high; i++) {
                uint32_t left = intervals[i].first - start, right = end > intervals[i].first ? end - intervals[i].first : 0;
                uint32_t distance = left > right ? left - right : right - left;

                if (distance < best_distance) {
                        best_distance = distance;
                        best = i;
                }
        }
        return best;
}

/* One number with a verdict of its own inside numbers that share another is one comparison for equality. */
static bool is_exception(const SeccompInterval *intervals, size_t low, size_t high) {
        return high - low == 3 && intervals[low + 2].first == intervals[low + 1].first + 1 &&
               intervals[low].target == intervals[low + 2].target;
}

static size_t emit_part(const Tree *t, size_t low, size_t high, uint32_t end) {
        const SeccompInterval *intervals = t->intervals;
        size_t split, left, right;

        if (t->e->overflow)
                return t->e->n_code;
        if (high - low == 1)
                return t->target(t->userdata, intervals[low].target);
        if (is_exception(intervals, low, high)) {
                left = t->target(t->userdata, intervals[low].target);
                right = t->target(t->userdata, intervals[low + 1].target);
                return seccomp_emit_branch(t->e, BPF_JEQ, intervals[low + 1].first, right, left);
        }
        split = choose_split(intervals, low, high, end);
        right = emit_part(t, split, high, end);
        left = emit_part(t, low, split, intervals[split].first);
        return seccomp_emit_branch(t->e, BPF_JGE, intervals[split].first, right, left);
}

size_t seccomp_emit_tree(SeccompEmitter *e, const SeccompInterval *intervals, size_t n, uint32_t end, SeccompTargetFunction target,
                         void *userdata) {
        return emit_part(&(Tree){ e, intervals, target, userdata }, 0, n, end);
}

int seccomp_emit_finish(SeccompEmitter *e) {
        if (e->overflow)
                return -E2BIG;
        memmove(e->code, e->code + SECCOMP_CODE_MAX - e->n_code, e->n_code * sizeof(*e->code));
        return (int) e->n_code;
}
