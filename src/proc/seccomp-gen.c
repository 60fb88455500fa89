/* SPDX-License-Identifier: Apache-2.0 */
/* Runs at build time: seccomp-default.txt -> a header with the table by system call number for one machine, and the
 * embedded filters. libseccomp knows the numbers. Usage: seccomp-gen CPU-FAMILY PROFILE OUTPUT */
#include <ctype.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include "proc/seccomp-table.h"
#include "proc/seccomp.h"

enum { RULES_MAX = 64, STEPS_MAX = 16, EMBED_MAX = 8, WORD_MAX = 64 };

typedef struct Abi {
        const char *name;   /* as after `calls on` */
        uint32_t scmp, audit;
        uint16_t rule[SECCOMP_NR_LIMIT]; /* 0: none; otherwise the rule's number plus one */
} Abi;

typedef struct Rule {
        char name[WORD_MAX];
        SeccompStep steps[STEPS_MAX];
        size_t n_steps;
} Rule;

typedef struct Profile {
        Abi abis[3]; /* x32 stands right after x86_64 */
        size_t n_abis;
        Rule rules[RULES_MAX];
        size_t n_rules;
        uint64_t embed[EMBED_MAX];
        size_t n_embed;
        uint64_t relevant;
        const char *path;
        unsigned line;
} Profile;

static const struct {
        const char *cpu_family;
        Abi abis[3];
} machines[] = {
        { "x86_64", { { "x86_64", SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64 }, { "x32", SCMP_ARCH_X32, AUDIT_ARCH_X86_64 },
                      { "i386", SCMP_ARCH_X86, AUDIT_ARCH_I386 } } },
        { "x86", { { "i386", SCMP_ARCH_X86, AUDIT_ARCH_I386 } } },
        { "aarch64", { { "aarch64", SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64 }, { "arm", SCMP_ARCH_ARM, AUDIT_ARCH_ARM } } },
        { "arm", { { "arm", SCMP_ARCH_ARM, AUDIT_ARCH_ARM } } },
};

/* On i386 libseccomp has made-up numbers for what socketcall(2) and ipc(2) multiplex; these are the kernel's own. */
static const struct {
        const char *name;
        int nr;
} i386_calls[] = {
        { "socket", 359 },      { "socketpair", 360 },  { "bind", 361 },       { "connect", 362 },  { "listen", 363 },
        { "accept4", 364 },     { "getsockopt", 365 },  { "setsockopt", 366 }, { "getsockname", 367 },
        { "getpeername", 368 }, { "sendto", 369 },      { "sendmsg", 370 },    { "recvfrom", 371 }, { "recvmsg", 372 },
        { "shutdown", 373 },    { "recvmmsg", 337 },    { "sendmmsg", 345 },   { "semget", 393 },   { "semctl", 394 },
        { "shmget", 395 },      { "shmctl", 396 },      { "shmat", 397 },      { "shmdt", 398 },    { "msgget", 399 },
        { "msgsnd", 400 },      { "msgrcv", 401 },      { "msgctl", 402 },
};

static _noreturn_ _printf_(2, 3) void fail(const Profile *p, const char *format, ...) {
        va_list ap;

        fprintf(stderr, "%s:%u: ", p->path, p->line);
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
        fputc('\n', stderr);
        exit(1);
}

static uint64_t word_bit(const Profile *p, const char *word) {
        int opening = security_opening_from_name(word);
        cap_value_t cap;

        if (opening >= 0)
                return SECURITY_OPENING_BIT(opening);
        if (strncmp(word, "CAP_", 4) != 0 || cap_from_name(word, &cap) < 0 || cap >= SECURITY_OPENING_FIRST_BIT)
                fail(p, "neither a capability nor an opening: %s", word);
        return UINT64_C(1) << cap;
}

static uint32_t action_of(const Profile *p, const char *word) {
        static const struct {
                const char *name;
                int number;
        } errnos[] = {
                { "EPERM", EPERM }, { "ENOSYS", ENOSYS }, { "EINVAL", EINVAL }, { "EAFNOSUPPORT", EAFNOSUPPORT },
        };

        if (strcmp(word, "allow") == 0)
                return SECCOMP_RET_ALLOW;
        for (size_t i = 0; i < ELEMENTSOF(errnos); i++)
                if (strcmp(word, errnos[i].name) == 0)
                        return SECCOMP_RET_ERRNO | (uint32_t) errnos[i].number;
        fail(p, "not an action: %s", word);
}

/* argN [& MASK] = VALUE */
static SeccompTest parse_test(const Profile *p, const char *text) {
        unsigned argument, mask = UINT32_MAX, value;
        int end = -1;

        if (sscanf(text, " arg%u & %x = %x %n", &argument, &mask, &value, &end) != 3 || end < 0 || text[end]) {
                end = -1;
                if (sscanf(text, " arg%u = %i %n", &argument, (int *) &value, &end) != 2 || end < 0 || text[end])
                        fail(p, "not a test: %s", text);
                mask = UINT32_MAX;
        }
        if (argument > 5)
                fail(p, "there is no argument %u", argument);
        return (SeccompTest){ .argument = (uint8_t) argument, .mask = mask, .value = value };
}

static void parse_step(Profile *p, char *text) {
        Rule *rule = p->n_rules > 0 ? &p->rules[p->n_rules - 1] : NULL;
        char *colon = strchr(text, ':'), *save = NULL, *word;
        uint64_t *list = NULL;
        SeccompStep step = {};

        if (!rule || rule->n_steps >= STEPS_MAX)
                fail(p, "no rule, or too many steps");
        if (colon) {
                *colon = '\0';
                for (word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
                        if (step.n_tests >= SECCOMP_TEST_MAX)
                                fail(p, "too many tests");
                        step.tests[step.n_tests++] = parse_test(p, word);
                }
                text = colon + 1;
        }
        word = strtok_r(text, " \t", &save);
        if (!word)
                fail(p, "no action");
        step.action = action_of(p, word);
        while ((word = strtok_r(NULL, " \t", &save))) {
                if (strcmp(word, "if") == 0)
                        list = &step.opened_by;
                else if (strcmp(word, "unless") == 0)
                        list = &step.closed_by;
                else if (list)
                        *list |= word_bit(p, word);
                else
                        fail(p, "not understood: %s", word);
        }
        p->relevant |= step.opened_by | step.closed_by;
        rule->steps[rule->n_steps++] = step;
}

/* The number of a call in an ABI, without x32's bit; -1 where it has none. */
static int number_of(const Abi *abi, const char *name) {
        int nr;

        if (abi->scmp == SCMP_ARCH_X86)
                for (size_t i = 0; i < ELEMENTSOF(i386_calls); i++)
                        if (strcmp(name, i386_calls[i].name) == 0)
                                return i386_calls[i].nr;
        nr = seccomp_syscall_resolve_name_arch(abi->scmp, name);
        if (nr < 0)
                return -1;
        return abi->scmp == SCMP_ARCH_X32 ? nr & ~SECCOMP_X32_BIT : nr;
}

static void add_call(Profile *p, Abi *abi, const char *name, int nr) {
        if (nr < 0)
                return;
        if (nr >= SECCOMP_NR_LIMIT)
                fail(p, "%s has number %d on %s", name, nr, abi->name);
        if (abi->rule[nr] != 0)
                fail(p, "%s is named twice, or its number %d is another call's on %s", name, nr, abi->name);
        abi->rule[nr] = (uint16_t) p->n_rules;
}

static void parse_call(Profile *p, char *word, const char *on) {
        char *equals = strchr(word, '=');
        int known = -1;
        bool found = false;

        if (equals) {
                *equals = '\0';
                known = atoi(equals + 1);
        }
        for (size_t i = 0; i < p->n_abis; i++) {
                int nr = number_of(&p->abis[i], word);

                found |= nr >= 0;
                if (on && !strstr(on, p->abis[i].name))
                        continue;
                if (known >= 0 && nr >= 0 && nr != known)
                        fail(p, "%s is %d and not %d on %s", word, nr, known, p->abis[i].name);
                add_call(p, &p->abis[i], word, nr >= 0 ? nr : known);
        }
        if (!found && known < 0 && seccomp_syscall_resolve_name(word) == __NR_SCMP_ERROR)
                fail(p, "no such system call: %s", word);
}

static void parse_calls(Profile *p, char *text) {
        char *colon = strchr(text, ':'), *save = NULL;
        const char *on = NULL;

        if (p->n_rules == 0)
                fail(p, "calls without a rule");
        if (colon) {
                *colon = '\0';
                on = text;
                text = colon + 1;
        }
        for (char *word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save))
                parse_call(p, word, on);
}

static void end_rule(Profile *p) {
        Rule *rule = p->n_rules > 0 ? &p->rules[p->n_rules - 1] : NULL;

        if (!rule)
                return;
        if (rule->n_steps == 0)
                rule->steps[rule->n_steps++] = (SeccompStep){ .action = SECCOMP_RET_ALLOW };
        if (rule->steps[rule->n_steps - 1].n_tests > 0 || rule->steps[rule->n_steps - 1].opened_by != 0)
                fail(p, "the last step of rule %s does not always hold", rule->name);
}

static void parse_line(Profile *p, char *line) {
        char *comment = strchr(line, '#'), *end, *save = NULL, *keyword, *rest;

        if (comment)
                *comment = '\0';
        for (end = line + strlen(line); end > line && isspace((unsigned char) end[-1]); end--)
                end[-1] = '\0';
        keyword = strtok_r(line, " \t", &save);
        if (!keyword)
                return;
        rest = save ?: end;
        if (strcmp(keyword, "rule") == 0) {
                end_rule(p);
                if (p->n_rules >= RULES_MAX || strlen(rest) >= WORD_MAX)
                        fail(p, "too many rules, or too long a name");
                snprintf(p->rules[p->n_rules++].name, WORD_MAX, "%s", rest);
        } else if (strcmp(keyword, "step") == 0)
                parse_step(p, rest);
        else if (strcmp(keyword, "calls") == 0)
                parse_calls(p, rest);
        else if (strcmp(keyword, "embed") == 0) {
                if (p->n_embed >= EMBED_MAX)
                        fail(p, "too many embedded filters");
                p->embed[p->n_embed] = 0;
                for (char *word = strtok_r(NULL, " \t", &save); word; word = strtok_r(NULL, " \t", &save))
                        p->embed[p->n_embed] |= word_bit(p, word);
                p->n_embed++;
        } else
                fail(p, "not understood: %s", keyword);
}

/* x32 shares the numbers below 512 with x86_64, and the compiled filter relies on it. */
static void check_x32(const Profile *p) {
        for (size_t i = 1; i < p->n_abis; i++)
                for (int nr = 0; p->abis[i].scmp == SCMP_ARCH_X32 && nr < SECCOMP_X32_FIRST; nr++)
                        if (p->abis[i].rule[nr] != 0 && p->abis[i].rule[nr] != p->abis[i - 1].rule[nr])
                                fail(p, "number %d is not the same on x32 and x86_64", nr);
}

static size_t print_ranges(FILE *out, const Abi *abi, int first, uint32_t offset) {
        size_t n = 0;

        fprintf(out, "static const SeccompRange seccomp_ranges_%s[] = {\n", abi->name);
        for (int nr = first; nr < SECCOMP_NR_LIMIT; nr++) {
                int last = nr;

                if (abi->rule[nr] == 0)
                        continue;
                while (last + 1 < SECCOMP_NR_LIMIT && abi->rule[last + 1] == abi->rule[nr])
                        last++;
                fprintf(out, "        { %u, %u, %d },\n", (unsigned) nr + offset, (unsigned) last + offset, abi->rule[nr] - 1);
                n++;
                nr = last;
        }
        fprintf(out, "};\n\n");
        return n;
}

static void print_rules(FILE *out, const Profile *p) {
        for (size_t i = 0; i < p->n_rules; i++) {
                fprintf(out, "static const SeccompStep seccomp_steps_%zu[] = {\n", i);
                for (size_t j = 0; j < p->rules[i].n_steps; j++) {
                        const SeccompStep *s = &p->rules[i].steps[j];

                        fprintf(out, "        { 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%x, %u, {", s->opened_by, s->closed_by, s->action,
                                s->n_tests);
                        for (size_t k = 0; k < s->n_tests; k++)
                                fprintf(out, " { %u, 0x%x, 0x%x },", s->tests[k].argument, s->tests[k].mask, s->tests[k].value);
                        fprintf(out, " } },\n");
                }
                fprintf(out, "};\n\n");
        }
        fprintf(out, "static const SeccompRule seccomp_rules[] = {\n");
        for (size_t i = 0; i < p->n_rules; i++)
                fprintf(out, "        { \"%s\", seccomp_steps_%zu, %zu },\n", p->rules[i].name, i, p->rules[i].n_steps);
        fprintf(out, "};\n\n");
}

static void print_abis(FILE *out, const Profile *p) {
        size_t n[ELEMENTSOF(p->abis)] = {};

        for (size_t i = 0; i < p->n_abis; i++) {
                bool x32 = p->abis[i].scmp == SCMP_ARCH_X32;

                n[i] = print_ranges(out, &p->abis[i], x32 ? SECCOMP_X32_FIRST : 0, x32 ? SECCOMP_X32_BIT : 0);
        }
        fprintf(out, "static const SeccompAbi seccomp_abis[] = {\n");
        for (size_t i = 0; i < p->n_abis; i++) {
                if (p->abis[i].scmp == SCMP_ARCH_X32)
                        continue;
                fprintf(out, "        { \"%s\", 0x%x, seccomp_ranges_%s, %zu, ", p->abis[i].name, p->abis[i].audit, p->abis[i].name, n[i]);
                if (i + 1 < p->n_abis && p->abis[i + 1].scmp == SCMP_ARCH_X32)
                        fprintf(out, "seccomp_ranges_x32, %zu },\n", n[i + 1]);
                else
                        fprintf(out, "NULL, 0 },\n");
        }
        fprintf(out, "};\n\nstatic const SeccompTable seccomp_default_table = {\n        seccomp_abis, %s, seccomp_rules, %zu,"
                     " 0x%" PRIx64 ", 0x%x\n};\n\n",
                "sizeof(seccomp_abis) / sizeof(seccomp_abis[0])", p->n_rules, p->relevant, SECCOMP_RET_ERRNO | ENOSYS);
}

/* The table as the compiler reads it, from the parsed profile: what the header would say. */
static int compile(const Profile *p, uint64_t open, struct sock_filter code[static SECCOMP_CODE_MAX]) {
        static SeccompRange ranges[3][SECCOMP_NR_LIMIT];
        SeccompRule rules[RULES_MAX];
        SeccompAbi abis[3] = {};
        size_t n_abis = 0;

        for (size_t i = 0; i < p->n_rules; i++)
                rules[i] = (SeccompRule){ p->rules[i].name, p->rules[i].steps, p->rules[i].n_steps };
        for (size_t i = 0; i < p->n_abis; i++) {
                bool x32 = p->abis[i].scmp == SCMP_ARCH_X32;
                uint32_t offset = x32 ? SECCOMP_X32_BIT : 0;
                size_t n = 0;

                for (uint32_t nr = x32 ? SECCOMP_X32_FIRST : 0; nr < SECCOMP_NR_LIMIT; nr++)
                        if (p->abis[i].rule[nr] != 0)
                                ranges[i][n++] = (SeccompRange){ nr + offset, nr + offset, (uint16_t) (p->abis[i].rule[nr] - 1) };
                if (x32) {
                        abis[n_abis - 1].x32_ranges = ranges[i];
                        abis[n_abis - 1].n_x32_ranges = n;
                } else
                        abis[n_abis++] = (SeccompAbi){ p->abis[i].name, p->abis[i].audit, ranges[i], n, NULL, 0 };
        }
        return seccomp_compile(&(SeccompTable){ abis, n_abis, rules, p->n_rules, p->relevant, SECCOMP_RET_ERRNO | ENOSYS }, open, code);
}

static void print_embedded(FILE *out, const Profile *p) {
        static struct sock_filter code[SECCOMP_CODE_MAX];

        for (size_t i = 0; i < p->n_embed; i++) {
                int n = compile(p, p->embed[i], code);

                if (n < 0)
                        fail(p, "the filter is too long");
                fprintf(out, "static const struct sock_filter seccomp_embedded_%zu[%d] = {\n", i, n);
                for (int j = 0; j < n; j++)
                        fprintf(out, "        { 0x%x, %u, %u, 0x%x },\n", code[j].code, code[j].jt, code[j].jf, code[j].k);
                fprintf(out, "};\n\n");
        }
        fprintf(out, "static const SeccompEmbedded seccomp_embedded[] = {\n");
        for (size_t i = 0; i < p->n_embed; i++)
                fprintf(out, "        { 0x%" PRIx64 ", seccomp_embedded_%zu, sizeof(seccomp_embedded_%zu) / sizeof(seccomp_embedded_%zu[0]) },\n",
                        p->embed[i], i, i, i);
        fprintf(out, "};\n");
}

int main(int argc, char **argv) {
        static Profile p;
        char line[4096];
        FILE *in, *out;

        if (argc != 4)
                return 2;
        for (size_t i = 0; i < ELEMENTSOF(machines); i++)
                if (strcmp(machines[i].cpu_family, argv[1]) == 0)
                        for (; p.n_abis < 3 && machines[i].abis[p.n_abis].name; p.n_abis++)
                                p.abis[p.n_abis] = machines[i].abis[p.n_abis];
        p.path = argv[2];
        if (p.n_abis == 0)
                fail(&p, "no system call table for the machine '%s'", argv[1]);
        in = fopen(argv[2], "re");
        if (!in)
                fail(&p, "cannot be opened");
        while (fgets(line, sizeof(line), in)) {
                p.line++;
                parse_line(&p, line);
        }
        fclose(in);
        end_rule(&p);
        check_x32(&p);
        out = fopen(argv[3], "we");
        if (!out)
                fail(&p, "%s cannot be written", argv[3]);
        fprintf(out, "/* Made by seccomp-gen from seccomp-default.txt. */\n");
        print_rules(out, &p);
        print_abis(out, &p);
        print_embedded(out, &p);
        return fclose(out) == 0 ? 0 : 1;
}
