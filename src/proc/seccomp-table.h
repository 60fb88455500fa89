/* SPDX-License-Identifier: Apache-2.0 */
/* The default profile as data: what tools make of seccomp-default.txt at build time, and what the compiler reads. */
#pragma once

#include <linux/filter.h>
#include <stdint.h>

#include "base/macro.h"

enum {
        SECCOMP_TEST_MAX = 3,     /* comparisons of one step, all of which must hold */
        SECCOMP_CODE_MAX = 4096,  /* BPF_MAXINSNS: what the kernel takes */
};

/* One comparison, of the low 32 bits of an argument. The arguments judged here are ints and flag words whose upper halves
 * the kernel itself does not read, so a test on all 64 bits could be passed by setting one above. */
typedef struct SeccompTest {
        uint8_t argument;
        uint32_t mask, value; /* (argument & mask) == value */
} SeccompTest;

/* One line of a rule: where all tests hold (none: always) the verdict is `action`. The line counts where one of the bits
 * `opened_by` is set (0: always), and not where one of `closed_by` is. */
typedef struct SeccompStep {
        uint64_t opened_by, closed_by;
        uint32_t action; /* SECCOMP_RET_* with its data */
        uint32_t n_tests;
        SeccompTest tests[SECCOMP_TEST_MAX];
} SeccompStep;

/* The steps of a group of system calls, tried in order; the last one that counts has no tests. */
typedef struct SeccompRule {
        const char *name;
        const SeccompStep *steps;
        size_t n_steps;
} SeccompRule;

/* System call numbers that follow one rule. */
typedef struct SeccompRange {
        uint32_t first, last;
        uint16_t rule;
} SeccompRange;

typedef struct SeccompAbi {
        const char *name;
        uint32_t audit_arch;       /* AUDIT_ARCH_* */
        const SeccompRange *ranges; /* in ascending order, no overlap; numbers outside get the default action */
        size_t n_ranges;
        /* x86_64 only: numbers with bit 30 set are x32's. Those below 512 beyond the bit are judged as x86_64's (the kernel
         * gives the same calls the same numbers, the build checks it), the others by these ranges. */
        const SeccompRange *x32_ranges;
        size_t n_x32_ranges;
} SeccompAbi;

typedef struct SeccompTable {
        const SeccompAbi *abis;
        size_t n_abis;
        const SeccompRule *rules;
        size_t n_rules;
        uint64_t relevant;         /* bits that some step looks at: two containers that agree in them share a filter */
        uint32_t default_action;
} SeccompTable;

/* A filter that was compiled at build time. */
typedef struct SeccompEmbedded {
        uint64_t open; /* of the relevant bits */
        const struct sock_filter *code;
        size_t n_code;
} SeccompEmbedded;

enum { SECCOMP_X32_BIT = 0x40000000, SECCOMP_X32_FIRST = 512, SECCOMP_NR_LIMIT = 1024 };

/* Compiles the table for the bits `open` (capabilities and openings). Returns the number of instructions written to `code`,
 * or -E2BIG. Needs no library and a few microseconds. */
int seccomp_compile(const SeccompTable *table, uint64_t open, struct sock_filter code[static SECCOMP_CODE_MAX]);

/* The verdict that the table itself gives, by reading it step by step: what a filter is compared with. `audit_arch` and
 * `nr` as in struct seccomp_data. */
uint32_t seccomp_table_verdict(const SeccompTable *table, uint64_t open, uint32_t audit_arch, uint32_t nr,
                               const uint64_t arguments[static 6]);

/* The table of the default profile on this machine. */
const SeccompTable *seccomp_default(void);
