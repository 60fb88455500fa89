/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp through libseccomp. */
#include "proc/seccomp-rules.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "proc/seccomp-library.h"
#include "proc/seccomp-shrink.h"
#include "proc/seccomp-table.h"

enum {
        ARGS_MAX = 6,
        /* libseccomp's numbers for parts of socketcall(2) and ipc(2), and the last one of those parts as calls of their own */
        MULTIPLEXED_FIRST = -100, MULTIPLEXED_LAST = -299, MULTIPLEXED_HIGHEST = 402,
        UNKNOWN_SIZE = 7, UNKNOWN_ARCHS = 8, UNKNOWN_MAX = 1 + UNKNOWN_SIZE * UNKNOWN_ARCHS, /* instructions for calls that nobody named */
};

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

typedef struct Word {
        const char *name;
        uint32_t value;
} Word;

static const Word actions[] = { /* ERRNO and TRACE with a number beside it */
        { "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
        { "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
        { "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
        { "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
        { "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
        { "SCMP_ACT_LOG", SCMP_ACT_LOG },
        { "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
        { "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
        { "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
        {},
};

static const Word operators[] = {
        { "SCMP_CMP_EQ", SCMP_CMP_EQ },
        { "SCMP_CMP_GE", SCMP_CMP_GE },
        { "SCMP_CMP_GT", SCMP_CMP_GT },
        { "SCMP_CMP_LE", SCMP_CMP_LE },
        { "SCMP_CMP_LT", SCMP_CMP_LT },
        { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
        { "SCMP_CMP_NE", SCMP_CMP_NE },
        {},
};

static const Word architectures[] = {
        { "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
        { "SCMP_ARCH_ARM", SCMP_ARCH_ARM },
        { "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS },
        { "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64 },
        { "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32 },
        { "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL },
        { "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64 },
        { "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
        { "SCMP_ARCH_PARISC", SCMP_ARCH_PARISC },
        { "SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64 },
        { "SCMP_ARCH_PPC", SCMP_ARCH_PPC },
        { "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64 },
        { "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE },
        { "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 },
        { "SCMP_ARCH_S390", SCMP_ARCH_S390 },
        { "SCMP_ARCH_S390X", SCMP_ARCH_S390X },
        { "SCMP_ARCH_X32", SCMP_ARCH_X32 },
        { "SCMP_ARCH_X86", SCMP_ARCH_X86 },
        { "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 },
        {},
};

static const Word flags[] = {
        { "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
        { "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
        { "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
        { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
        {},
};

/* What the making of one filter carries along. */
typedef struct Maker {
        const char *subject;
        SeccompLibrary library;
        scmp_filter_ctx context;
        uint32_t default_action;
        Error *reterr;
} Maker;

static int refuse(const Maker *m, const char *what, const char *word) {
        return error_set(m->reterr, -EINVAL, ERROR_INVALID, "cannot use %s: %s%s%s%s", m->subject, what, word ? " '" : "", word ?: "",
                         word ? "'" : "");
}

static const Word *find_word(const Word *words, const char *name) {
        for (; name && words->name; words++)
                if (strcmp(words->name, name) == 0)
                        return words;
        return NULL;
}

const char *seccomp_word(SeccompWords words, size_t i) {
        static const Word *const lists[] = {
                [SECCOMP_ACTIONS] = actions, [SECCOMP_OPERATORS] = operators, [SECCOMP_ARCHITECTURES] = architectures, [SECCOMP_FLAGS] = flags,
        };

        return lists[words][i].name;
}

bool seccomp_flag_is_supported(const char *name) {
        const Word *flag = find_word(flags, name);
        unsigned more = flag && flag->value == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;

        /* without a program it fails in any case: EFAULT only once the flags were found to be right */
        return flag && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag->value | more, NULL) < 0 && errno == EFAULT;
}

int seccomp_library_version(unsigned ret[static 3]) {
        SeccompLibrary library;
        int r = seccomp_library_load(&library, NULL);

        if (r < 0)
                return r;
        const struct scmp_version *version = library.seccomp_version();
        ret[0] = version->major;
        ret[1] = version->minor;
        ret[2] = version->micro;
        seccomp_library_done(&library);
        return 0;
}

static int read_action(const Maker *m, const char *name, bool has_number, uint32_t number, uint32_t *ret) {
        const Word *action = find_word(actions, name);

        if (!action)
                return refuse(m, str_empty(name) ? "an action is missing" : "there is no action", str_empty(name) ? NULL : name);
        bool takes_number = action->value == SCMP_ACT_ERRNO(0) || action->value == SCMP_ACT_TRACE(0);
        if (has_number && !takes_number)
                return refuse(m, "there is an errno beside action", name);
        if (has_number && number > SECCOMP_RET_DATA)
                return refuse(m, "the errno is too large beside action", name);
        *ret = action->value | (takes_number ? has_number ? number : (uint32_t) EPERM : 0);
        return 0;
}

static int read_argument(const Maker *m, const RuntimeSeccompArg *arg, struct scmp_arg_cmp *ret) {
        const Word *op = find_word(operators, arg->op);

        if (!op)
                return refuse(m, str_empty(arg->op) ? "a comparison is missing" : "there is no comparison", str_empty(arg->op) ? NULL : arg->op);
        if (arg->index >= ARGS_MAX)
                return refuse(m, "a system call has six arguments, index 0 to 5", NULL);
        *ret = (struct scmp_arg_cmp){ .arg = arg->index, .op = (enum scmp_compare) op->value, .datum_a = arg->value, .datum_b = arg->value_two };
        return 0;
}

/* Comparisons of different arguments must all hold; several of one argument are alternatives, as in every runtime. */
static int add_name(const Maker *m, const char *name, uint32_t action, const struct scmp_arg_cmp *args, unsigned n) {
        int nr = m->library.seccomp_syscall_resolve_name(name), r = 0;
        unsigned seen = 0;
        bool alternatives = false;

        if (nr == __NR_SCMP_ERROR)
                return 0;
        if (action == SCMP_ACT_NOTIFY && nr == SCMP_SYS(write)) /* by it the failure of the exec is told */
                return refuse(m, "SCMP_ACT_NOTIFY cannot be used for the write syscall", NULL);
        for (unsigned i = 0; i < n; i++) {
                alternatives |= seen & (1U << args[i].arg);
                seen |= 1U << args[i].arg;
        }
        if (!alternatives)
                r = m->library.seccomp_rule_add_array(m->context, action, nr, n, args);
        for (unsigned i = 0; alternatives && r >= 0 && i < n; i++)
                r = m->library.seccomp_rule_add_array(m->context, action, nr, 1, &args[i]);
        if (r < 0 && r != -EEXIST)
                return error_set_errno(m->reterr, r, "cannot use %s: the rule for system call '%s' is refused", m->subject, name);
        return 0;
}

static int add_rule(const Maker *m, const RuntimeSeccompRule *rule) {
        struct scmp_arg_cmp args[ARGS_MAX];
        uint32_t action;
        int r = read_action(m, rule->action, rule->has_errno_ret, rule->errno_ret, &action);

        if (r < 0)
                return r;
        if (!rule->names)
                return refuse(m, "a rule names no system call", NULL);
        if (rule->n_args > ARGS_MAX)
                return refuse(m, "args is a list of at most six comparisons", NULL);
        for (size_t i = 0; r >= 0 && i < rule->n_args; i++)
                r = read_argument(m, &rule->args[i], &args[i]);
        for (char **name = rule->names; r >= 0 && *name && action != m->default_action; name++)
                r = add_name(m, *name, action, args, (unsigned) rule->n_args);
        return r;
}

static int add_architecture(const Maker *m, const char *name) {
        const Word *arch = find_word(architectures, name);

        if (!arch)
                return refuse(m, "there is no architecture", name);
        if (m->library.seccomp_arch_exist(m->context, arch->value) == 0)
                return 0;
        int r = m->library.seccomp_arch_add(m->context, arch->value);
        return r < 0 ? error_set_errno(m->reterr, r, "cannot use %s: architecture '%s' cannot be added", m->subject, name) : 0;
}

/* The highest number among the calls that the rules name, in one architecture; -1: none. */
static int highest_number(const Maker *m, const RuntimeSeccomp *seccomp, uint32_t arch) {
        int highest = -1;

        for (size_t i = 0; i < seccomp->n_syscalls; i++)
                for (char **name = seccomp->syscalls[i].names; name && *name; name++) {
                        int nr = m->library.seccomp_syscall_resolve_name_arch(arch, *name);

                        if (nr <= MULTIPLEXED_FIRST && nr >= MULTIPLEXED_LAST)
                                nr = MULTIPLEXED_HIGHEST;
                        highest = MAX(highest, nr);
                }
        return highest;
}

/* Calls of an architecture beyond `highest` (x32's, which stand beyond their bit: beyond `highest_x32`) fail with ENOSYS; what follows judges all
 * others, from its own beginning on: `n_after` instructions of this part stand between. */
static size_t put_unknown(struct sock_filter *code, uint32_t arch, int highest, int highest_x32, uint32_t n_after) {
        const struct sock_filter part[UNKNOWN_SIZE] = {
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, UNKNOWN_SIZE - 1),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, arch == SCMP_ARCH_X86_64 ? SECCOMP_X32_BIT : UINT32_MAX, 0, 1),
                BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, highest_x32 < 0 ? UINT32_MAX : (uint32_t) highest_x32, 1, 2),
                BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, highest < 0 ? UINT32_MAX : (uint32_t) highest, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_JMP | BPF_JA, n_after),
        };

        memcpy(code, part, sizeof(part));
        return UNKNOWN_SIZE;
}

/* What a profile does not name because it is newer than the profile: a C library falls back to older calls on ENOSYS alone, and takes another errno,
 * which is the default action of many profiles, for an answer. So does runc, and profiles are written for it. Returns the number of
 * instructions, which stand before the filter. */
static size_t make_unknown(const Maker *m, const RuntimeSeccomp *seccomp, struct sock_filter code[static UNKNOWN_MAX]) {
        uint32_t archs[UNKNOWN_ARCHS] = { m->library.seccomp_arch_native() };
        size_t n_archs = 1, n = 0;
        bool x32 = archs[0] == SCMP_ARCH_X32;

        if ((m->default_action & ~(uint32_t) SECCOMP_RET_DATA) != SCMP_ACT_ERRNO(0) || m->default_action == SCMP_ACT_ERRNO(ENOSYS))
                return 0;
        for (char **name = seccomp->architectures; name && *name && n_archs < UNKNOWN_ARCHS; name++) {
                const Word *word = find_word(architectures, *name);
                uint32_t arch = word ? word->value : archs[0];
                bool known = arch == SCMP_ARCH_X32;

                x32 |= known;
                for (size_t i = 0; i < n_archs; i++)
                        known |= archs[i] == arch;
                if (!known)
                        archs[n_archs++] = arch;
        }
        code[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
        for (size_t i = 0; i < n_archs; i++) {
                int highest_x32 = archs[i] == SCMP_ARCH_X86_64 && x32 ? highest_number(m, seccomp, SCMP_ARCH_X32) : -1;

                n += put_unknown(code + n, archs[i], highest_number(m, seccomp, archs[i]), highest_x32,
                                 (uint32_t) (n_archs - i - 1) * UNKNOWN_SIZE);
        }
        return n;
}

static int export_filter(const Maker *m, const RuntimeSeccomp *seccomp, SeccompFilter *ret) {
        struct sock_filter unknown[UNKNOWN_MAX];
        size_t n_unknown = make_unknown(m, seccomp, unknown);
        _cleanup_fd_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
        _cleanup_free_ char *text = NULL;
        struct sock_filter *shorter;
        size_t size;

        if (fd < 0)
                return error_set_errno(m->reterr, -errno, "cannot make a file in memory");
        int r = m->library.seccomp_export_bpf(m->context, fd);
        if (r >= 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        if (r >= 0)
                r = io_read_all(fd, 16 * SECCOMP_CODE_MAX * sizeof(struct sock_filter), &text, &size);
        if (r < 0)
                return error_set_errno(m->reterr, r, "cannot compile %s", m->subject);
        struct sock_filter *code = malloc(sizeof(unknown) + size);
        size_t n = n_unknown + size / sizeof(*code);
        if (!code)
                return error_oom(m->reterr);
        memcpy(code, unknown, n_unknown * sizeof(*code));
        memcpy(code + n_unknown, text, size);
        free(text);
        text = (char *) code;
        if (seccomp_shrink(code, n, &shorter, &n) >= 0) {
                free(text);
                text = (char *) (code = shorter);
        }
        if (n == 0 || n > SECCOMP_CODE_MAX)
                return refuse(m, "it makes a filter that is longer than the kernel takes", NULL);
        *ret = (SeccompFilter){ .owned = code, .code = code, .n_code = n };
        text = NULL;
        return 0;
}

static bool filter_asks(const SeccompFilter *filter) {
        for (size_t i = 0; i < filter->n_code; i++)
                if (filter->code[i].code == (BPF_RET | BPF_K) && (filter->code[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
                        return true;
        return false;
}

static int read_flags(const Maker *m, const RuntimeSeccomp *seccomp, unsigned *ret) {
        unsigned all = 0;

        for (char **name = seccomp->flags; name && *name; name++) {
                const Word *flag = find_word(flags, *name);

                if (!flag)
                        return refuse(m, "there is no flag", *name);
                all |= flag->value;
        }
        *ret = all & ~(unsigned) SECCOMP_FILTER_FLAG_TSYNC; /* whoever loads it has a single thread */
        return 0;
}

static int make(Maker *m, const RuntimeSeccomp *seccomp, SeccompFilter *ret) {
        _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL;
        unsigned asked = 0;
        int r = read_action(m, seccomp->default_action, seccomp->has_default_errno_ret, seccomp->default_errno_ret, &m->default_action);

        if (r >= 0)
                r = read_flags(m, seccomp, &asked);
        if (r < 0)
                return r;
        if (m->default_action == SCMP_ACT_NOTIFY) /* the exec itself would wait for an answer */
                return refuse(m, "SCMP_ACT_NOTIFY cannot be used as default action", NULL);
        m->context = m->library.seccomp_init(m->default_action);
        if (!m->context)
                return error_oom(m->reterr);
        (void) m->library.seccomp_attr_set(m->context, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* 2.5 and later */
        for (char **arch = seccomp->architectures; r >= 0 && arch && *arch; arch++)
                r = add_architecture(m, *arch);
        for (size_t i = 0; r >= 0 && i < seccomp->n_syscalls; i++)
                r = add_rule(m, &seccomp->syscalls[i]);
        if (r >= 0)
                r = export_filter(m, seccomp, &filter);
        if (r < 0)
                return r;
        filter.flags = filter_asks(&filter) ? asked | SECCOMP_FILTER_FLAG_NEW_LISTENER
                                            : asked & ~(unsigned) SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV; /* needs a listener */
        *ret = filter;
        filter = SECCOMP_FILTER_NULL;
        return 0;
}

int seccomp_rules_compile(const RuntimeSeccomp *seccomp, const char *subject, SeccompFilter *ret, Error *reterr) {
        Maker maker = { .subject = subject, .reterr = reterr };
        int r = seccomp_library_load(&maker.library, reterr);

        if (r < 0)
                return r;
        r = make(&maker, seccomp, ret);
        if (maker.context)
                maker.library.seccomp_release(maker.context);
        seccomp_library_done(&maker.library);
        return r;
}

/* Text with its NUL: no two lists of words are the same bytes. */
static void put_text(FILE *f, const char *text) {
        (void) fputs(text ?: "", f);
        (void) putc_unlocked(0, f);
}

static void put_words(FILE *f, char *const *words) {
        for (; words && *words; words++)
                put_text(f, *words);
        (void) putc_unlocked(1, f); /* no word begins like this */
}

static void put_rule(FILE *f, const RuntimeSeccompRule *rule) {
        put_words(f, rule->names);
        put_text(f, rule->action);
        (void) fprintf(f, "%d %u %zu", rule->has_errno_ret, rule->errno_ret, rule->n_args);
        for (size_t i = 0; i < rule->n_args; i++) {
                const RuntimeSeccompArg *arg = &rule->args[i];

                (void) fprintf(f, " %u %llx %llx ", arg->index, (unsigned long long) arg->value, (unsigned long long) arg->value_two);
                put_text(f, arg->op);
        }
}

int seccomp_rules_key(const RuntimeSeccomp *seccomp, char **ret, size_t *ret_size) {
        _cleanup_free_ char *text = NULL;
        struct utsname name;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        if (uname(&name) < 0)
                (void) memset(&name, 0, sizeof(name));
        (void) fprintf(f, "rules 2 %s %s ", name.machine, name.release);
        put_text(f, seccomp->default_action);
        (void) fprintf(f, "%d %u %zu ", seccomp->has_default_errno_ret, seccomp->default_errno_ret, seccomp->n_syscalls);
        put_words(f, seccomp->architectures);
        put_words(f, seccomp->flags);
        for (size_t i = 0; i < seccomp->n_syscalls; i++)
                put_rule(f, &seccomp->syscalls[i]);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}
