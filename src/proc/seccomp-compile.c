/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a BPF program of the table: a binary search over ranges of system call numbers, then the tests of the few rules
 * that look at arguments.
 *
 * libseccomp's own trees hold one leaf a number, some fourteen hundred instructions for three ABIs. The kernel translates
 * every instruction when a filter is loaded and runs the filter once for every number it knows (seccomp_cache_prepare()),
 * and that is what loading costs. Numbers that stand side by side mostly share a verdict, so ranges make a tree of a fifth
 * of the size. Splits balance the count of numbers and not of ranges, so the long ranges are found in few steps.
 *
 * BPF jumps only forward, so the program is written from its end: what is jumped to is there before the jump, and every
 * distance is known when it is needed. */
#include "proc/seccomp-table.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

enum { INTERVAL_MAX = 512, RULE_MAX = 64, RETURN_MAX = 8, NEAR = 254 };

/* Where a number leads: a constant action, or the tests of a rule. */
typedef struct Target {
        bool tests;
        uint32_t value; /* the action, or the rule's number */
} Target;

typedef struct Interval {
        uint32_t first;
        Target target;
} Interval;

/* A place in the program is counted from its end: the instruction written last is at `n_code`, and 0 is none. */
typedef struct Compiler {
        const SeccompTable *table;
        uint64_t open;
        struct sock_filter *code; /* filled from code[SECCOMP_CODE_MAX - 1] down */
        size_t n_code;
        bool overflow;
        struct {
                uint32_t action;
                size_t place;     /* of the copy written last */
        } returns[RETURN_MAX];
        size_t n_returns;
        size_t tests[RULE_MAX];   /* where a rule's tests begin; 0: not written */
} Compiler;

static bool step_counts(const SeccompStep *step, uint64_t open) {
        return (step->opened_by == 0 || (open & step->opened_by)) && !(open & step->closed_by);
}

static size_t emit(Compiler *c, uint16_t op, uint8_t jump_true, uint8_t jump_false, uint32_t k) {
        if (c->n_code >= SECCOMP_CODE_MAX) {
                c->overflow = true;
                return c->n_code;
        }
        c->n_code++;
        c->code[SECCOMP_CODE_MAX - c->n_code] = (struct sock_filter){ .code = op, .jt = jump_true, .jf = jump_false, .k = k };
        return c->n_code;
}

/* A place that does `action`: the last copy of that instruction while a jump reaches it, otherwise a new one. */
static size_t emit_return(Compiler *c, uint32_t action) {
        size_t i;

        for (i = 0; i < c->n_returns; i++)
                if (c->returns[i].action == action)
                        break;
        if (i < c->n_returns && c->n_code - c->returns[i].place <= NEAR)
                return c->returns[i].place;
        if (i >= RETURN_MAX) {
                c->overflow = true;
                return c->n_code;
        }
        c->n_returns = MAX(c->n_returns, i + 1);
        c->returns[i].action = action;
        c->returns[i].place = emit(c, BPF_RET | BPF_K, 0, 0, action);
        return c->returns[i].place;
}

/* A place from which a conditional jump, at most two instructions on, reaches `place`: a jump reaches 255 instructions. */
static size_t bring_near(Compiler *c, size_t place) {
        const struct sock_filter *in = &c->code[SECCOMP_CODE_MAX - place];

        if (c->n_code - place <= NEAR)
                return place;
        if (in->code == (BPF_RET | BPF_K))
                return emit_return(c, in->k);
        return emit(c, BPF_JMP | BPF_JA, 0, 0, (uint32_t) (c->n_code - place));
}

static size_t emit_branch(Compiler *c, uint16_t op, uint32_t k, size_t if_true, size_t if_false) {
        if_true = bring_near(c, if_true);
        if_false = bring_near(c, if_false);
        return emit(c, BPF_JMP | op | BPF_K, (uint8_t) (c->n_code - if_true), (uint8_t) (c->n_code - if_false), k);
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

/* All numbers from `start` on as intervals in ascending order; 0 where there are too many. */
static size_t make_intervals(const Compiler *c, const SeccompRange *ranges, size_t n_ranges, uint32_t start,
                             Interval intervals[static INTERVAL_MAX]) {
        const Target otherwise = { .value = c->table->default_action };
        size_t n = 0;

        add_interval(intervals, &n, start, otherwise);
        for (size_t i = 0; i < n_ranges; i++) {
                if (n + 2 > INTERVAL_MAX)
                        return 0;
                add_interval(intervals, &n, ranges[i].first, resolve(c, ranges[i].rule));
                add_interval(intervals, &n, ranges[i].last + 1, otherwise);
        }
        return n;
}

static uint32_t low_half(unsigned argument) {
        size_t offset = offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);

        return (uint32_t) offset + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
}

/* Whether a step leaves its argument whole in the accumulator when its test fails. */
static bool leaves_loaded(const SeccompStep *step, unsigned argument) {
        return step->n_tests == 1 && step->tests[0].mask == UINT32_MAX && step->tests[0].argument == argument;
}

static size_t emit_step(Compiler *c, const SeccompStep *step, const SeccompStep *before, size_t otherwise) {
        size_t place = emit_return(c, step->action);

        for (size_t j = step->n_tests; j-- > 0;) {
                const SeccompTest *test = &step->tests[j];

                place = emit_branch(c, BPF_JEQ, test->value, place, otherwise);
                if (test->mask != UINT32_MAX)
                        place = emit(c, BPF_ALU | BPF_AND | BPF_K, 0, 0, test->mask);
                if (j > 0 || !before || !leaves_loaded(before, test->argument))
                        place = emit(c, BPF_LD | BPF_W | BPF_ABS, 0, 0, low_half(test->argument));
        }
        return place;
}

/* The tests of a rule, from the last step to the first; written once. */
static size_t emit_tests(Compiler *c, uint32_t number) {
        const SeccompRule *rule = &c->table->rules[number];
        const SeccompStep *steps[32];
        size_t n = 0, place;

        if (number >= RULE_MAX || rule->n_steps > ELEMENTSOF(steps)) {
                c->overflow = true;
                return c->n_code;
        }
        if (c->tests[number] > 0)
                return c->tests[number];
        for (size_t i = 0; i < rule->n_steps && (n == 0 || steps[n - 1]->n_tests > 0); i++)
                if (step_counts(&rule->steps[i], c->open))
                        steps[n++] = &rule->steps[i];
        place = emit_return(c, c->table->default_action);
        for (; n > 0; n--)
                place = emit_step(c, steps[n - 1], n > 1 ? steps[n - 2] : NULL, place);
        c->tests[number] = place;
        return place;
}

static size_t emit_target(Compiler *c, Target target) {
        return target.tests ? emit_tests(c, target.value) : emit_return(c, target.value);
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

static size_t emit_tree(Compiler *c, const Interval *intervals, size_t low, size_t high, uint32_t end) {
        size_t split, left, right;

        if (high - low == 1)
                return emit_target(c, intervals[low].target);
        if (is_exception(intervals, low, high)) {
                left = emit_target(c, intervals[low].target);
                right = emit_target(c, intervals[low + 1].target);
                return emit_branch(c, BPF_JEQ, intervals[low + 1].first, right, left);
        }
        split = choose_split(intervals, low, high, end);
        right = emit_tree(c, intervals, split, high, end);
        left = emit_tree(c, intervals, low, split, intervals[split].first);
        return emit_branch(c, BPF_JGE, intervals[split].first, right, left);
}

static size_t emit_ranges(Compiler *c, const SeccompRange *ranges, size_t n_ranges, uint32_t start) {
        Interval intervals[INTERVAL_MAX];
        size_t n = make_intervals(c, ranges, n_ranges, start, intervals);

        if (n == 0) {
                c->overflow = true;
                return c->n_code;
        }
        return emit_tree(c, intervals, 0, n, start + SECCOMP_X32_FIRST);
}

static size_t emit_abi(Compiler *c, const SeccompAbi *abi) {
        size_t x32 = 0, native, place;

        if (abi->n_x32_ranges > 0)
                x32 = emit_ranges(c, abi->x32_ranges, abi->n_x32_ranges, SECCOMP_X32_BIT + SECCOMP_X32_FIRST);
        native = place = emit_ranges(c, abi->ranges, abi->n_ranges, 0);
        if (x32 > 0) {
                if (native != c->n_code)
                        (void) emit(c, BPF_JMP | BPF_JA, 0, 0, (uint32_t) (c->n_code - native));
                place = emit(c, BPF_ALU | BPF_AND | BPF_K, 0, 0, SECCOMP_X32_BIT - 1);
                place = emit_branch(c, BPF_JGE, SECCOMP_X32_BIT + SECCOMP_X32_FIRST, x32, place);
                place = emit_branch(c, BPF_JGE, SECCOMP_X32_BIT, place, native);
        }
        if (place != c->n_code)
                (void) emit(c, BPF_JMP | BPF_JA, 0, 0, (uint32_t) (c->n_code - place));
        return emit(c, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
}

int seccomp_compile(const SeccompTable *table, uint64_t open, struct sock_filter code[static SECCOMP_CODE_MAX]) {
        Compiler c = { .table = table, .open = open, .code = code };
        size_t place = emit_return(&c, SECCOMP_RET_KILL_PROCESS); /* an ABI that the kernel should not have */

        for (size_t i = table->n_abis; i-- > 0;) {
                size_t abi = emit_abi(&c, &table->abis[i]);

                place = emit_branch(&c, BPF_JEQ, table->abis[i].audit_arch, abi, place);
        }
        (void) emit(&c, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
        if (c.overflow)
                return -E2BIG;
        memmove(code, code + SECCOMP_CODE_MAX - c.n_code, c.n_code * sizeof(*code));
        return (int) c.n_code;
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
