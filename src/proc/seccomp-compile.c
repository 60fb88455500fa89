/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a BPF program of the table: a binary search over ranges of system call numbers, then the tests of the few rules
 * that look at arguments.
 *
 * libseccomp's own trees hold one leaf a number, about a thousand instructions for three ABIs, and at each load the kernel
 * runs the filter once for every number it knows (seccomp_cache_prepare()): that is most of what loading costs. Numbers
 * that stand side by side mostly share a verdict, so ranges make a tree of a fifth of the size. Splits balance the
 * count of numbers and not of ranges, so the long ranges are found in few steps. */
#include "proc/seccomp-table.h"

#include <linux/seccomp.h>
#include <stddef.h>

enum { INTERVAL_MAX = 512, BODY_JUMP_MAX = 64 };

/* Where a number leads: a constant action, or the tests of a rule. */
typedef struct Target {
        bool tests;
        uint32_t value; /* the action, or the rule's number */
} Target;

typedef struct Interval {
        uint32_t first;
        Target target;
} Interval;

typedef struct Compiler {
        const SeccompTable *table;
        uint64_t open;
        struct sock_filter *code;
        size_t n_code;
        bool overflow;
        struct {
                size_t at;     /* a JA whose distance is filled in when the rule's tests are placed */
                uint32_t rule;
        } jumps[BODY_JUMP_MAX];
        size_t n_jumps;
} Compiler;

static bool step_counts(const SeccompStep *step, uint64_t open) {
        return (step->opened_by == 0 || (open & step->opened_by)) && !(open & step->closed_by);
}

static size_t emit(Compiler *c, uint16_t op, uint8_t jump_true, uint8_t jump_false, uint32_t k) {
        if (c->n_code >= SECCOMP_CODE_MAX) {
                c->overflow = true;
                return 0;
        }
        c->code[c->n_code] = (struct sock_filter){ .code = op, .jt = jump_true, .jf = jump_false, .k = k };
        return c->n_code++;
}

static Target resolve(const Compiler *c, uint32_t rule) {
        const SeccompRule *r = &c->table->rules[rule];

        for (size_t i = 0; i < r->n_steps; i++)
                if (step_counts(&r->steps[i], c->open)) {
                        if (r->steps[i].n_tests > 0)
                                return (Target){ .tests = true, .value = rule };
                        return (Target){ .value = r->steps[i].action };
                }
        return (Target){ .value = c->table->default_action };
}

static bool same_target(Target a, Target b) {
        return a.tests == b.tests && a.value == b.value;
}

static void add_interval(Interval *intervals, size_t *n, uint32_t first, Target target) {
        if (*n > 0 && intervals[*n - 1].first == first)
                (*n)--; /* nothing lay between */
        if (*n > 0 && same_target(intervals[*n - 1].target, target))
                return;
        intervals[(*n)++] = (Interval){ first, target };
}

/* The whole number space as intervals in ascending order, the first at 0. */
static int make_intervals(const Compiler *c, const SeccompRange *ranges, size_t n_ranges, uint32_t start,
                          Interval intervals[static INTERVAL_MAX], size_t *ret_n) {
        const Target otherwise = { .value = c->table->default_action };
        size_t n = 0;

        add_interval(intervals, &n, start, otherwise);
        for (size_t i = 0; i < n_ranges; i++) {
                if (n + 2 > INTERVAL_MAX)
                        return -E2BIG;
                add_interval(intervals, &n, ranges[i].first, resolve(c, ranges[i].rule));
                add_interval(intervals, &n, ranges[i].last + 1, otherwise);
        }
        *ret_n = n;
        return 0;
}

static void emit_leaf(Compiler *c, Target target) {
        if (!target.tests) {
                (void) emit(c, BPF_RET | BPF_K, 0, 0, target.value);
                return;
        }
        if (c->n_jumps >= BODY_JUMP_MAX) {
                c->overflow = true;
                return;
        }
        c->jumps[c->n_jumps].rule = target.value;
        c->jumps[c->n_jumps++].at = emit(c, BPF_JMP | BPF_JA, 0, 0, 0);
}

/* The interval that starts the right half of [low, high): the split that leaves the numbers most evenly divided. */
static size_t choose_split(const Interval *intervals, size_t low, size_t high, uint32_t end) {
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
static bool is_exception(const Interval *intervals, size_t low, size_t high) {
        return high - low == 3 && intervals[low + 2].first == intervals[low + 1].first + 1 &&
               same_target(intervals[low].target, intervals[low + 2].target);
}

static size_t tree_size(const Interval *intervals, size_t low, size_t high, uint32_t end) {
        size_t split, left;

        if (high - low == 1)
                return 1;
        if (is_exception(intervals, low, high))
                return 3;
        split = choose_split(intervals, low, high, end);
        left = tree_size(intervals, low, split, intervals[split].first);
        return 1 + (left > UINT8_MAX) + left + tree_size(intervals, split, high, end);
}

static void emit_tree(Compiler *c, const Interval *intervals, size_t low, size_t high, uint32_t end) {
        size_t split, left;

        if (high - low == 1) {
                emit_leaf(c, intervals[low].target);
                return;
        }
        if (is_exception(intervals, low, high)) {
                (void) emit(c, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, intervals[low + 1].first);
                emit_leaf(c, intervals[low].target);
                emit_leaf(c, intervals[low + 1].target);
                return;
        }
        split = choose_split(intervals, low, high, end);
        left = tree_size(intervals, low, split, intervals[split].first);
        if (left <= UINT8_MAX)
                (void) emit(c, BPF_JMP | BPF_JGE | BPF_K, (uint8_t) left, 0, intervals[split].first);
        else { /* a conditional jump reaches 255 instructions, an unconditional one any number */
                (void) emit(c, BPF_JMP | BPF_JGE | BPF_K, 0, 1, intervals[split].first);
                (void) emit(c, BPF_JMP | BPF_JA, 0, 0, (uint32_t) left);
        }
        emit_tree(c, intervals, low, split, intervals[split].first);
        emit_tree(c, intervals, split, high, end);
}

static int emit_ranges(Compiler *c, const SeccompRange *ranges, size_t n_ranges, uint32_t start) {
        Interval intervals[INTERVAL_MAX];
        size_t n;
        int r;

        r = make_intervals(c, ranges, n_ranges, start, intervals, &n);
        if (r < 0)
                return r;
        emit_tree(c, intervals, 0, n, start + SECCOMP_X32_FIRST);
        return 0;
}

static uint32_t low_half(unsigned argument) {
        size_t offset = offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);

        return (uint32_t) offset + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
}

/* The number of instructions from the start of test `i` of a step to the step after it. */
static size_t distance_from_test(const SeccompStep *step, size_t i, bool loaded) {
        size_t n = 1; /* the return */

        for (size_t j = i; j < step->n_tests; j++)
                n += (j > i || !loaded ? 1U : 0U) + (step->tests[j].mask != UINT32_MAX ? 1U : 0U) + 1U;
        return n;
}

static void emit_tests(Compiler *c, const SeccompRule *rule) {
        int loaded = -1; /* the argument that is in the accumulator, whole, when the step begins */

        for (size_t i = 0; i < rule->n_steps; i++) {
                const SeccompStep *step = &rule->steps[i];

                if (!step_counts(step, c->open))
                        continue;
                for (size_t j = 0; j < step->n_tests; j++) {
                        const SeccompTest *test = &step->tests[j];
                        bool there = j == 0 && loaded == test->argument;
                        size_t rest = distance_from_test(step, j, there) - (there ? 0 : 1) -
                                      (test->mask != UINT32_MAX ? 1 : 0) - 1;

                        if (!there)
                                (void) emit(c, BPF_LD | BPF_W | BPF_ABS, 0, 0, low_half(test->argument));
                        if (test->mask != UINT32_MAX)
                                (void) emit(c, BPF_ALU | BPF_AND | BPF_K, 0, 0, test->mask);
                        (void) emit(c, BPF_JMP | BPF_JEQ | BPF_K, 0, (uint8_t) rest, test->value);
                        loaded = step->n_tests == 1 && test->mask == UINT32_MAX ? test->argument : -1;
                }
                (void) emit(c, BPF_RET | BPF_K, 0, 0, step->action);
                if (step->n_tests == 0)
                        return; /* what follows is never reached */
        }
        (void) emit(c, BPF_RET | BPF_K, 0, 0, c->table->default_action);
}

/* Places the tests of each rule that some leaf leads to, once, and points the leaves there. */
static void emit_bodies(Compiler *c) {
        for (uint32_t rule = 0; rule < c->table->n_rules; rule++) {
                bool placed = false;
                size_t start = c->n_code;

                for (size_t i = 0; i < c->n_jumps && !c->overflow; i++) {
                        if (c->jumps[i].rule != rule)
                                continue;
                        if (!placed)
                                emit_tests(c, &c->table->rules[rule]);
                        placed = true;
                        c->code[c->jumps[i].at].k = (uint32_t) (start - c->jumps[i].at - 1);
                }
        }
}

static int emit_abi(Compiler *c, const SeccompAbi *abi) {
        size_t skip, native, x32;
        int r;

        /* an ABI's part is jumped over by its size, which is known when it is there */
        (void) emit(c, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, abi->audit_arch);
        skip = emit(c, BPF_JMP | BPF_JA, 0, 0, 0);
        (void) emit(c, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
        if (abi->n_x32_ranges > 0) {
                (void) emit(c, BPF_JMP | BPF_JGE | BPF_K, 1, 0, SECCOMP_X32_BIT);
                native = emit(c, BPF_JMP | BPF_JA, 0, 0, 0);
                (void) emit(c, BPF_JMP | BPF_JGE | BPF_K, 2, 0, SECCOMP_X32_BIT + SECCOMP_X32_FIRST);
                (void) emit(c, BPF_ALU | BPF_AND | BPF_K, 0, 0, SECCOMP_X32_BIT - 1);
                x32 = emit(c, BPF_JMP | BPF_JA, 0, 0, 0);
                r = emit_ranges(c, abi->x32_ranges, abi->n_x32_ranges, SECCOMP_X32_BIT + SECCOMP_X32_FIRST);
                if (r < 0)
                        return r;
                c->code[native].k = (uint32_t) (c->n_code - native - 1);
                c->code[x32].k = (uint32_t) (c->n_code - x32 - 1);
        }
        r = emit_ranges(c, abi->ranges, abi->n_ranges, 0);
        if (r < 0)
                return r;
        c->code[skip].k = (uint32_t) (c->n_code - skip - 1);
        return 0;
}

int seccomp_compile(const SeccompTable *table, uint64_t open, struct sock_filter code[static SECCOMP_CODE_MAX]) {
        Compiler c = { .table = table, .open = open, .code = code };

        (void) emit(&c, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
        for (size_t i = 0; i < table->n_abis; i++) {
                int r = emit_abi(&c, &table->abis[i]);

                if (r < 0)
                        return r;
        }
        (void) emit(&c, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS); /* an ABI that the kernel should not have */
        emit_bodies(&c);
        return c.overflow ? -E2BIG : (int) c.n_code;
}

static const SeccompRange *find_range(const SeccompRange *ranges, size_t n, uint32_t nr) {
        for (size_t i = 0; i < n; i++)
                if (nr >= ranges[i].first && nr <= ranges[i].last)
                        return &ranges[i];
        return NULL;
}

static uint32_t rule_verdict(const SeccompTable *table, const SeccompRule *rule, uint64_t open, const uint64_t *arguments) {
        for (size_t i = 0; i < rule->n_steps; i++) {
                const SeccompStep *step = &rule->steps[i];
                bool holds = step_counts(step, open);

                for (size_t j = 0; j < step->n_tests; j++)
                        holds = holds && ((uint32_t) arguments[step->tests[j].argument] & step->tests[j].mask) ==
                                                 step->tests[j].value;
                if (holds)
                        return step->action;
        }
        return table->default_action;
}

uint32_t seccomp_table_verdict(const SeccompTable *table, uint64_t open, uint32_t audit_arch, uint32_t nr,
                               const uint64_t arguments[static 6]) {
        for (size_t i = 0; i < table->n_abis; i++) {
                const SeccompAbi *abi = &table->abis[i];
                const SeccompRange *range;

                if (abi->audit_arch != audit_arch)
                        continue;
                if (abi->n_x32_ranges > 0 && nr >= SECCOMP_X32_BIT + SECCOMP_X32_FIRST)
                        range = find_range(abi->x32_ranges, abi->n_x32_ranges, nr);
                else
                        range = find_range(abi->ranges, abi->n_ranges,
                                           abi->n_x32_ranges > 0 ? nr & (SECCOMP_X32_BIT - 1) : nr);
                return range ? rule_verdict(table, &table->rules[range->rule], open, arguments) : table->default_action;
        }
        return SECCOMP_RET_KILL_PROCESS;
}
