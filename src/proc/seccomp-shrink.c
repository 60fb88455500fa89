/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a filter for every call there can be, and writes down what came out.
 *
 * A filter looks at the architecture, at the number and at arguments. Numbers between which it makes no difference, because no constant
 * of the program lies between them, need one run. In a run architecture and number are known, so what remains of the program is
 * a graph of tests of arguments with verdicts at its ends, and equal graphs are kept once. What is written is a search for the
 * number (proc/seccomp-emit.h) that leads to these graphs: the runs cover all numbers, so nothing is assumed about what made
 * the filter. The gain is that libseccomp has a leaf for each number, and the kernel translates and tries every instruction
 * at every start of a container. */
#include "proc/seccomp-shrink.h"

#include <linux/seccomp.h>
#include <string.h>

#include "proc/seccomp-emit.h"

enum {
        NODES_MAX = 8192, BUCKETS = 16384, ARCHS_MAX = 8, DEPTH_MAX = 256,
        STEPS_MAX = 20 * 1000 * 1000, /* far beyond what any profile takes */
};

/* A verdict (op 0), or a test of an argument. Nodes are numbered from 1 on. */
typedef struct Node {
        uint16_t op;           /* BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JSET */
        uint32_t offset, mask; /* of the word in struct seccomp_data that is tested */
        uint32_t k;            /* or the verdict */
        uint32_t yes, no;
} Node;

typedef enum Holds { HOLDS_CONSTANT, HOLDS_NUMBER, HOLDS_ARCH, HOLDS_ARGUMENT } Holds;

/* What is in the accumulator. */
typedef struct Accumulator {
        Holds holds;
        uint32_t value, mask;  /* the constant; or the offset of the word, and the bits that are left of it */
} Accumulator;

typedef struct Memory {
        unsigned run;
        Accumulator a;
        uint32_t node;
} Memory;

typedef struct Arch {
        uint32_t value;
        SeccompInterval *intervals; /* targets are nodes */
        size_t n_intervals;
} Arch;

typedef struct Shrinker {
        const struct sock_filter *code;
        size_t n_code, steps;
        uint32_t *points;           /* where the numbers begin that have a run of their own */
        size_t n_points;
        Arch archs[ARCHS_MAX + 1];  /* the last one stands for all others */
        size_t n_archs;
        Node *nodes;
        size_t n_nodes;
        uint16_t *buckets;
        Memory *memory;             /* by instruction: what it came to in this run */
        size_t *places, *loaded;    /* by node: where it is written, and where with its word in the accumulator */
        SeccompEmitter e;

        /* of a run */
        unsigned run;
        const Arch *arch;           /* NULL: another one */
        uint32_t number;
} Shrinker;

static uint32_t add_node(Shrinker *s, const Node *node) {
        uint32_t h = node->op * 31 + node->offset;

        if (node->op && node->yes == node->no)
                return node->yes;
        h = (h * 0x9e3779b1 + node->mask) * 0x9e3779b1 + node->k;
        h = ((h * 0x9e3779b1 + node->yes) * 0x9e3779b1 + node->no) * 0x9e3779b1;
        for (h >>= 16;; h++) {
                uint16_t *bucket = &s->buckets[h % BUCKETS];

                if (*bucket == 0) {
                        if (s->n_nodes + 1 >= NODES_MAX)
                                return 0;
                        s->nodes[++s->n_nodes] = *node;
                        return *bucket = (uint16_t) s->n_nodes;
                }
                const Node *other = &s->nodes[*bucket];
                if (other->op == node->op && other->offset == node->offset && other->mask == node->mask && other->k == node->k &&
                    other->yes == node->yes && other->no == node->no)
                        return *bucket;
        }
}

static bool compare(uint16_t op, uint32_t a, uint32_t k) {
        return op == BPF_JEQ ? a == k : op == BPF_JGE ? a >= k : op == BPF_JGT ? a > k : (a & k) != 0;
}

/* Whether the architecture at hand is `k`, which becomes one of those that are asked for. */
static bool is_arch(Shrinker *s, uint32_t k) {
        bool known = false;

        for (size_t i = 0; i < MIN(s->n_archs, (size_t) ARCHS_MAX); i++)
                known |= s->archs[i].value == k;
        if (!known && s->n_archs < ARCHS_MAX)
                s->archs[s->n_archs++].value = k;
        else if (!known)
                s->n_archs = ARCHS_MAX + 1; /* too many */
        return s->arch && s->arch->value == k;
}

static bool load(uint32_t offset, Accumulator *a) {
        if (offset % sizeof(uint32_t) != 0 || offset >= sizeof(struct seccomp_data))
                return false;
        *a = (Accumulator){ .holds = offset == offsetof(struct seccomp_data, nr)     ? HOLDS_NUMBER
                                     : offset == offsetof(struct seccomp_data, arch) ? HOLDS_ARCH
                                                                                     : HOLDS_ARGUMENT,
                            .value = offset, .mask = UINT32_MAX };
        return true;
}

/* Where a jump on what is known leads: 1 or 0; -1: it cannot be told. */
static int decide(Shrinker *s, uint16_t op, const Accumulator *a, uint32_t k) {
        if (a->holds == HOLDS_CONSTANT)
                return compare(op, a->value, k);
        if (a->holds == HOLDS_NUMBER) /* the bits of numbers are not among the points */
                return op == BPF_JSET ? -1 : compare(op, s->number, k);
        return op == BPF_JEQ ? is_arch(s, k) : -1;
}

/* The node that the program comes to from here; 0 where it cannot be followed. */
static uint32_t follow(Shrinker *s, size_t pc, Accumulator a, unsigned depth) {
        const Accumulator before = a;
        Memory *memory = &s->memory[MIN(pc, s->n_code - 1)];
        uint32_t node = 0;

        if (memory->run == s->run && memory->a.holds == a.holds && memory->a.value == a.value && memory->a.mask == a.mask)
                return memory->node;
        for (; pc < s->n_code && ++s->steps < STEPS_MAX && depth < DEPTH_MAX; pc++) {
                const struct sock_filter *in = &s->code[pc];
                const uint16_t op = BPF_OP(in->code);

                if (in->code == (BPF_RET | BPF_K)) {
                        node = add_node(s, &(Node){ .k = in->k });
                        break;
                }
                if (in->code == (BPF_LD | BPF_W | BPF_ABS)) {
                        if (!load(in->k, &a))
                                return 0;
                } else if (in->code == (BPF_ALU | BPF_AND | BPF_K) && a.holds == HOLDS_ARGUMENT)
                        a.mask &= in->k;
                else if (in->code == (BPF_JMP | BPF_JA))
                        pc += in->k;
                else if (BPF_CLASS(in->code) != BPF_JMP || BPF_SRC(in->code) != BPF_K ||
                         (op != BPF_JEQ && op != BPF_JGE && op != BPF_JGT && op != BPF_JSET))
                        return 0;
                else if (a.holds != HOLDS_ARGUMENT) {
                        int taken = decide(s, op, &a, in->k);

                        if (taken < 0)
                                return 0;
                        pc += taken ? in->jt : in->jf;
                } else {
                        uint32_t yes = follow(s, pc + 1 + in->jt, a, depth + 1), no = yes ? follow(s, pc + 1 + in->jf, a, depth + 1) : 0;

                        node = no ? add_node(s, &(Node){ op, a.value, a.mask, in->k, yes, no }) : 0;
                        break;
                }
        }
        *memory = (Memory){ s->run, before, node }; /* ways that meet again are not gone twice */
        return node;
}

static int compare_points(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return x < y ? -1 : x > y;
}

/* Each constant and the number after it: between two of them all comparisons come out the same. */
static void find_points(Shrinker *s) {
        size_t n = 0;

        s->points[n++] = 0;
        s->points[n++] = SECCOMP_X32_BIT; /* where the search is cut in two */
        for (size_t i = 0; i < s->n_code; i++)
                if (BPF_CLASS(s->code[i].code) == BPF_JMP && BPF_OP(s->code[i].code) != BPF_JA) {
                        s->points[n++] = s->code[i].k;
                        if (s->code[i].k != UINT32_MAX)
                                s->points[n++] = s->code[i].k + 1;
                }
        qsort(s->points, n, sizeof(*s->points), compare_points);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || s->points[i] != s->points[i - 1])
                        s->points[s->n_points++] = s->points[i];
}

/* One architecture's numbers; `arch` may be the place of the others. */
static int run_arch(Shrinker *s, Arch *arch, bool others) {
        free(arch->intervals);
        arch->n_intervals = 0;
        arch->intervals = calloc(s->n_points, sizeof(*arch->intervals));
        if (!arch->intervals)
                return -ENOMEM;
        s->arch = others ? NULL : arch;
        for (size_t i = 0; i < s->n_points; i++) {
                s->number = s->points[i];
                s->run++;
                uint32_t node = follow(s, 0, (Accumulator){}, 0);

                if (node == 0 || s->n_archs > ARCHS_MAX)
                        return -ENOTSUP;
                if (i == 0 || node != arch->intervals[arch->n_intervals - 1].target || s->number == SECCOMP_X32_BIT)
                        arch->intervals[arch->n_intervals++] = (SeccompInterval){ s->number, node };
        }
        return 0;
}

/* All architectures that the program asks for, which are known only when it was run, and the others. */
static int run_all(Shrinker *s) {
        for (size_t done = SIZE_MAX; done != s->n_archs;) {
                done = s->n_archs;
                for (size_t i = 0; i < done; i++) {
                        int r = run_arch(s, &s->archs[i], false);

                        if (r < 0)
                                return r;
                }
                int r = run_arch(s, &s->archs[ARCHS_MAX], true);
                if (r < 0)
                        return r;
        }
        return 0;
}

static size_t emit_node(void *userdata, uint64_t target) {
        Shrinker *s = userdata;
        const Node *node = &s->nodes[target];
        size_t next[2];

        if (node->op == 0)
                return seccomp_emit_return(&s->e, node->k);
        if (s->places[target] > 0)
                return s->places[target];
        for (size_t i = 0; i < ELEMENTSOF(next); i++) {
                const uint32_t to = i == 0 ? node->yes : node->no;
                const Node *other = &s->nodes[to];

                next[i] = emit_node(s, to);
                if (other->op && other->offset == node->offset && other->mask == node->mask)
                        next[i] = s->loaded[to]; /* the word is there already */
        }
        s->loaded[target] = seccomp_emit_branch(&s->e, node->op, node->k, next[0], next[1]);
        if (node->mask != UINT32_MAX)
                (void) seccomp_emit(&s->e, BPF_ALU | BPF_AND | BPF_K, 0, 0, node->mask);
        return s->places[target] = seccomp_emit(&s->e, BPF_LD | BPF_W | BPF_ABS, 0, 0, node->offset);
}

static size_t emit_arch(Shrinker *s, const Arch *arch) {
        size_t cut = 0, high, low;

        while (arch->intervals[cut].first < SECCOMP_X32_BIT)
                cut++; /* there is one that begins there */
        high = seccomp_emit_tree(&s->e, arch->intervals + cut, arch->n_intervals - cut, SECCOMP_X32_BIT + SECCOMP_X32_FIRST, emit_node, s);
        low = seccomp_emit_tree(&s->e, arch->intervals, cut, SECCOMP_X32_FIRST, emit_node, s);
        if (arch->n_intervals == 2 && high == low)
                return low; /* the number does not matter */
        (void) seccomp_emit_branch(&s->e, BPF_JGE, SECCOMP_X32_BIT, high, low);
        return seccomp_emit(&s->e, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
}

static int emit_all(Shrinker *s) {
        size_t place = emit_arch(s, &s->archs[ARCHS_MAX]);

        for (size_t i = s->n_archs; i-- > 0;) {
                size_t arch = emit_arch(s, &s->archs[i]);

                place = seccomp_emit_branch(&s->e, BPF_JEQ, s->archs[i].value, arch, place);
        }
        if (s->n_archs > 0)
                (void) seccomp_emit(&s->e, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
        else
                (void) seccomp_emit_onward(&s->e, place);
        int n = seccomp_emit_finish(&s->e);
        return n < 0 || (size_t) n >= s->n_code ? -ENOTSUP : n;
}

static void shrinker_done(Shrinker *s) {
        for (size_t i = 0; i < ELEMENTSOF(s->archs); i++)
                free(s->archs[i].intervals);
        free(s->points);
        free(s->nodes);
        free(s->buckets);
        free(s->memory);
        free(s->places);
        free(s->loaded);
        free(s->e.code);
}

int seccomp_shrink(const struct sock_filter *code, size_t n_code, struct sock_filter **ret, size_t *ret_n) {
        _cleanup_(shrinker_done) Shrinker s = {
                .code = code, .n_code = n_code, .points = calloc(2 * n_code + 2, sizeof(uint32_t)),
                .nodes = calloc(NODES_MAX, sizeof(Node)), .buckets = calloc(BUCKETS, sizeof(uint16_t)),
                .memory = calloc(MAX(n_code, (size_t) 1), sizeof(Memory)), .places = calloc(NODES_MAX, sizeof(size_t)),
                .loaded = calloc(NODES_MAX, sizeof(size_t)), .e.code = calloc(SECCOMP_CODE_MAX, sizeof(struct sock_filter)),
        };

        if (!s.points || !s.nodes || !s.buckets || !s.memory || !s.places || !s.loaded || !s.e.code)
                return -ENOMEM;
        if (n_code == 0 || n_code > SECCOMP_CODE_MAX)
                return -ENOTSUP;
        find_points(&s);
        int n = run_all(&s);
        if (n >= 0)
                n = emit_all(&s);
        if (n < 0)
                return n;
        *ret = TAKE_PTR(s.e.code);
        *ret_n = (size_t) n;
        return 0;
}
