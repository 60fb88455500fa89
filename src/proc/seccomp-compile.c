/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a BPF program of the table: a binary search over ranges of system call numbers, then the tests of the few rules
 * that look at arguments.
 *
 * libseccomp's own trees hold one leaf a number, some fourteen hundred instructions for three ABIs. The kernel translates
 * every instruction when a filter is loaded and runs the filter once for every number it knows (seccomp_cache_prepare()),
 * and that is what loading costs. Numbers that stand side by side mostly share a verdict, so ranges make a tree of a fifth
 * of the size. Splits balance the count of numbers and not of ranges, so the long ranges are found in few steps. */
#include "proc/seccomp-emit.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

enum { INTERVAL_MAX = 512, RULE_MAX = 64 };

/* Where a number leads: a constant action, or with this bit the tests of the rule of that number. */
#define TARGET_TESTS (UINT64_C(1) << 32)

typedef struct Compiler {
        const SeccompTable *table;
        uint64_t open;
        SeccompEmitter e;
        size_t tests[RULE_MAX];   /* where a rule's tests begin; 0: not written */
} Compiler;

static bool step_counts(const SeccompStep *step, uint64_t open) {
        return (step->opened_by == 0 || (open & step->opened_by)) && !(open & step->closed_by);
}

static uint64_t resolve(const Compiler *c, uint32_t rule) {
        const SeccompRule *r = &c->table->rules[rule];

        for (size_t i = 0; i < r->n_steps; i++)
                if (step_counts(&r->steps[i], c->open)) {
                        if (r->steps[i].n_tests > 0)
                                return TARGET_TESTS | rule;
                        return r->steps[i].action;
                }
        return c->table->default_action;
}

static void add_interval(SeccompInterval *intervals, size_t *n, uint32_t first, uint64_t target) {
        if (*n > 0 && intervals[*n - 1].first == first)
                (*n)--; /* nothing lay between */
        if (*n > 0 && intervals[*n - 1].target == target)
                return;
        intervals[(*n)++] = (SeccompInterval){ first, target };
}

/* All numbers from `start` on as intervals in ascending order; 0 where there are too many. */
static size_t make_intervals(const Compiler *c, const SeccompRange *ranges, size_t n_ranges, uint32_t start,
                             SeccompInterval intervals[static INTERVAL_MAX]) {
        const uint64_t otherwise = c->table->default_action;
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
        size_t place = seccomp_emit_return(&c->e, step->action);

        for (size_t j = step->n_tests; j-- > 0;) {
                const SeccompTest *test = &step->tests[j];

                place = seccomp_emit_branch(&c->e, BPF_JEQ, test->value, place, otherwise);
                if (test->mask != UINT32_MAX)
                        place = seccomp_emit(&c->e, BPF_ALU | BPF_AND | BPF_K, 0, 0, test->mask);
                if (j > 0 || !before || !leaves_loaded(before, test->argument))
                        place = seccomp_emit(&c->e, BPF_LD | BPF_W | BPF_ABS, 0, 0, low_half(test->argument));
        }
        return place;
}

/* The tests of a rule, from the last step to the first; written once. */
static size_t emit_tests(Compiler *c, uint32_t number) {
        const SeccompRule *rule = &c->table->rules[number];
        const SeccompStep *steps[32];
        size_t n = 0, place;

        if (number >= RULE_MAX || rule->n_steps > ELEMENTSOF(steps)) {
                c->e.overflow = true;
                return c->e.n_code;
        }
        if (c->tests[number] > 0)
                return c->tests[number];
        for (size_t i = 0; i < rule->n_steps && (n == 0 || steps[n - 1]->n_tests > 0); i++)
                if (step_counts(&rule->steps[i], c->open))
                        steps[n++] = &rule->steps[i];
        place = seccomp_emit_return(&c->e, c->table->default_action);
        for (; n > 0; n--)
                place = emit_step(c, steps[n - 1], n > 1 ? steps[n - 2] : NULL, place);
        c->tests[number] = place;
        return place;
}

static size_t emit_target(void *userdata, uint64_t target) {
        Compiler *c = userdata;

        return target & TARGET_TESTS ? emit_tests(c, (uint32_t) target) : seccomp_emit_return(&c->e, (uint32_t) target);
}

static size_t emit_ranges(Compiler *c, const SeccompRange *ranges, size_t n_ranges, uint32_t start) {
        SeccompInterval intervals[INTERVAL_MAX];
        size_t n = make_intervals(c, ranges, n_ranges, start, intervals);

        if (n == 0) {
                c->e.overflow = true;
                return c->e.n_code;
        }
        return seccomp_emit_tree(&c->e, intervals, n, start + SECCOMP_X32_FIRST, emit_target, c);
}

static size_t emit_abi(Compiler *c, const SeccompAbi *abi) {
        size_t x32 = 0, native, place;

        if (abi->n_x32_ranges > 0)
                x32 = emit_ranges(c, abi->x32_ranges, abi->n_x32_ranges, SECCOMP_X32_BIT + SECCOMP_X32_FIRST);
        native = place = emit_ranges(c, abi->ranges, abi->n_ranges, 0);
        if (x32 > 0) {
                (void) seccomp_emit_onward(&c->e, native);
                place = seccomp_emit(&c->e, BPF_ALU | BPF_AND | BPF_K, 0, 0, SECCOMP_X32_BIT - 1);
                place = seccomp_emit_branch(&c->e, BPF_JGE, SECCOMP_X32_BIT + SECCOMP_X32_FIRST, x32, place);
                place = seccomp_emit_branch(&c->e, BPF_JGE, SECCOMP_X32_BIT, place, native);
        }
        (void) seccomp_emit_onward(&c->e, place);
        return seccomp_emit(&c->e, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
}

int seccomp_compile(const SeccompTable *table, uint64_t open, struct sock_filter code[static SECCOMP_CODE_MAX]) {
        Compiler c = { .table = table, .open = open, .e.code = code };
        size_t place = seccomp_emit_return(&c.e, SECCOMP_RET_KILL_PROCESS); /* an ABI that the kernel should not have */

        for (size_t i = table->n_abis; i-- > 0;) {
                size_t abi = emit_abi(&c, &table->abis[i]);

                place = seccomp_emit_branch(&c.e, BPF_JEQ, table->abis[i].audit_arch, abi, place);
        }
        (void) seccomp_emit(&c.e, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
        return seccomp_emit_finish(&c.e);
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
