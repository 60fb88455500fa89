/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled default filter against three judges: the table read step by step, a filter that libseccomp builds from the
 * same table, and the kernel. */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "bpf.h"
#include "proc/caps.h"
#include "proc/seccomp-table.h"
#include "proc/seccomp.h"

enum { NUMBERS = 600, EPERM_VERDICT = SECCOMP_RET_ERRNO | EPERM, ENOSYS_VERDICT = SECCOMP_RET_ERRNO | ENOSYS };

/* Values that a rule compares with, one beside each, and what the upper half of a register may hold. */
static const uint64_t interesting[] = {
        0, 1, 2, 3, 8, 9, 10, 15, 16, 17, 18, 38, 40, 41, 44, 0x5411, 0x5412, 0x5413, 0x541b, 0x541c, 0x541d, 0x10000000, 0x10000011,
        0x0fffffff, 0x20000, 0x20008, 0x20001, 0xffffffff, 0xfffffffe, 0x100000001, 0x100005412, 0x100000010, 0x8000000000005412,
        0xffffffff00000026, 0x7fffffff10000000, 0xffffffffffffffff, 0x1000000000000000,
};

static const uint32_t archs[] = {
#if defined(__x86_64__)
        AUDIT_ARCH_X86_64, AUDIT_ARCH_I386,
#elif defined(__aarch64__)
        AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM,
#endif
};

/* Calls `check` for every number (also beyond the last, and x32's) with every pair of interesting arguments 0 to 2. */
static void for_each_call(void (*check)(const struct seccomp_data *data, void *user), void *user) {
        for (size_t a = 0; a < ELEMENTSOF(archs); a++)
                for (uint32_t nr = 0; nr < 3 * NUMBERS + 3; nr++) {
                        struct seccomp_data data = { .arch = archs[a], .nr = (int) nr };

                        if (nr >= 3 * NUMBERS)
                                data.nr = (int) (UINT32_MAX - (nr - 3 * NUMBERS)); /* -1, -2, -3 */
                        else if (nr >= 2 * NUMBERS)
                                data.nr = (int) (0x80000000 + nr - 2 * NUMBERS);
                        else if (nr >= NUMBERS)
                                data.nr = (int) (SECCOMP_X32_BIT + nr - NUMBERS);
                        for (size_t i = 0; i < ELEMENTSOF(interesting); i++)
                                for (size_t j = 0; j < ELEMENTSOF(interesting); j++) {
                                        data.args[0] = interesting[i];
                                        data.args[1] = data.args[2] = interesting[j];
                                        check(&data, user);
                                }
                }
}

typedef struct Comparison {
        uint64_t open;
        const struct sock_filter *code, *other;
        size_t n_code, n_other, differences;
} Comparison;

static void check_table(const struct seccomp_data *data, void *user) {
        Comparison *c = user;
        uint64_t arguments[6];
        uint32_t found, wanted;

        memcpy(arguments, data->args, sizeof(arguments));
        found = bpf_run(c->code, c->n_code, data);
        wanted = seccomp_table_verdict(seccomp_default(), c->open, data->arch, (uint32_t) data->nr, arguments);
        if (found != wanted && c->differences++ < 5)
                test_note("arch %x nr %d args %llx %llx: %x, not %x", data->arch, data->nr, data->args[0], data->args[1], found, wanted);
}

static SeccompFilter prepare(uint64_t open) {
        SeccompFilter filter;

        CHECK_INT(seccomp_prepare(&(SeccompRequest){ .capabilities = open & (SECURITY_OPENING_BIT(0) - 1),
                                                     .openings = open & ~(SECURITY_OPENING_BIT(0) - 1), .data_fd = -EBADF },
                                  &filter, NULL), 0);
        return filter;
}

/* The sets to try: what is embedded, each relevant bit alone, all bits, all but each. */
static uint64_t open_set(size_t i) {
        const uint64_t relevant = seccomp_default()->relevant;

        if (i == 0)
                return caps_default();
        if (i == 1)
                return UINT64_MAX;
        return i < 66 ? relevant & (UINT64_C(1) << (i - 2)) : relevant & ~(UINT64_C(1) << (i - 66));
}

TEST(filter_says_what_the_table_says) {
        uint64_t last = 1;

        for (size_t i = 0; i < 130; i++) {
                uint64_t open = open_set(i);

                if (i > 1 && open == last)
                        continue;
                last = open;
                _cleanup_seccomp_filter_ SeccompFilter filter = prepare(open);
                Comparison c = { .open = open, .code = filter.code, .n_code = filter.n_code };

                if (i < 2)
                        for_each_call(check_table, &c);
                else /* the full product once is enough: here every number with a few arguments */
                        for (size_t a = 0; a < ELEMENTSOF(archs); a++)
                                for (uint32_t nr = 0; nr < 2 * NUMBERS; nr++)
                                        for (size_t j = 0; j < ELEMENTSOF(interesting); j++) {
                                                struct seccomp_data data = { .arch = archs[a], .args = { interesting[j], interesting[j], 9 } };

                                                data.nr = (int) (nr < NUMBERS ? nr : SECCOMP_X32_BIT + nr - NUMBERS);
                                                check_table(&data, &c);
                                        }
                CHECK_INT(c.differences, 0);
        }
}

TEST(common_sets_are_embedded) {
        _cleanup_seccomp_filter_ SeccompFilter usual = prepare(caps_default()), none = prepare(0), odd = prepare(CAPS_BIT(CAP_SYS_PTRACE));

        CHECK(usual.code && !usual.owned);
        CHECK(none.code && !none.owned);
        CHECK(odd.code && odd.owned);
        CHECK(usual.n_code < 1000);
}

/* Everything but `values`, as (mask, value) pairs that are disjoint: the siblings along the paths of a binary trie. libseccomp
 * knows no "not equal" for a masked argument. */
static size_t complement(const uint32_t *values, size_t n, int bit, uint32_t prefix, uint32_t mask, uint32_t (*ret)[2], size_t n_ret) {
        bool any = false;

        for (size_t i = 0; i < n; i++)
                any |= (values[i] & mask) == prefix;
        if (!any) {
                ret[n_ret][0] = mask;
                ret[n_ret][1] = prefix;
                return n_ret + 1;
        }
        if (bit < 0)
                return n_ret;
        n_ret = complement(values, n, bit - 1, prefix, mask | 1U << bit, ret, n_ret);
        return complement(values, n, bit - 1, prefix | 1U << bit, mask | 1U << bit, ret, n_ret);
}

static bool counts(const SeccompStep *step, uint64_t open) {
        return (step->opened_by == 0 || (open & step->opened_by)) && !(open & step->closed_by);
}

static uint32_t scmp_action(uint32_t verdict) {
        return verdict == SECCOMP_RET_ALLOW ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(verdict & SECCOMP_RET_DATA);
}

static struct scmp_arg_cmp masked(unsigned argument, uint32_t mask, uint32_t value) {
        return (struct scmp_arg_cmp){ .arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value };
}

/* One system call of one ABI, given to libseccomp as rules that do not depend on an order: it has none. The verdicts of a
 * rule are what its single-test steps name, and the last step's for the rest. */
static int add_rules(scmp_filter_ctx ctx, const SeccompRule *rule, int nr, uint64_t open) {
        uint32_t values[16], prefixes[64 * 16][2];
        const SeccompStep *last = NULL;
        unsigned argument = 0;
        size_t n_values = 0, n;
        bool two = false; /* the socket rule: (16, 9) is refused, 16 with anything else is the next step's */

        for (size_t i = 0; i < rule->n_steps && !last; i++) {
                const SeccompStep *step = &rule->steps[i];

                if (!counts(step, open))
                        continue;
                if (step->n_tests == 0) {
                        last = step;
                        continue;
                }
                argument = step->tests[0].argument;
                if (step->n_tests == 2) {
                        two = true;
                        if (scmp_action(step->action) != SCMP_ACT_ERRNO(ENOSYS) &&
                            seccomp_rule_add_exact(ctx, scmp_action(step->action), nr, 2, masked(0, UINT32_MAX, step->tests[0].value),
                                                   masked(2, UINT32_MAX, step->tests[1].value)) < 0)
                                return -EINVAL;
                        continue;
                }
                if (step->tests[0].mask != UINT32_MAX) { /* the flag of clone */
                        int r = seccomp_rule_add_exact(ctx, scmp_action(step->action), nr, 1,
                                                       masked(argument, step->tests[0].mask, step->tests[0].value));

                        if (r < 0)
                                return r;
                        return seccomp_rule_add_exact(ctx, SCMP_ACT_ALLOW, nr, 1, masked(argument, step->tests[0].mask, 0));
                }
                values[n_values++] = step->tests[0].value;
                if (two && step->tests[0].value == 16) {
                        uint32_t nine = 9;

                        n = complement(&nine, 1, 31, 0, 0, prefixes, 0);
                        for (size_t p = 0; p < n; p++)
                                if (seccomp_rule_add_exact(ctx, SCMP_ACT_ALLOW, nr, 2, masked(0, UINT32_MAX, 16),
                                                           masked(2, prefixes[p][0], prefixes[p][1])) < 0)
                                        return -EINVAL;
                } else if (step->action != ENOSYS_VERDICT) {
                        int r = seccomp_rule_add_exact(ctx, scmp_action(step->action), nr, 1, masked(argument, UINT32_MAX, step->tests[0].value));

                        if (r < 0)
                                return r;
                }
        }
        if (!last || last->action == ENOSYS_VERDICT)
                return 0;
        if (n_values == 0)
                return seccomp_rule_add_exact(ctx, scmp_action(last->action), nr, 0);
        n = complement(values, n_values, 31, 0, 0, prefixes, 0);
        for (size_t p = 0; p < n; p++) {
                int r = seccomp_rule_add_exact(ctx, scmp_action(last->action), nr, 1, masked(argument, prefixes[p][0], prefixes[p][1]));

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The number by which libseccomp takes a call of another ABI: that of its name on this machine, or a made-up one. False for
 * those that it does not know, or that it takes to be parts of socketcall(2) and ipc(2) and adds in two places. */
static bool number_for_libseccomp(uint32_t scmp_arch, uint32_t nr, int *ret) {
        char *name;
        bool found;

        *ret = (int) nr;
        if (scmp_arch == seccomp_arch_native())
                return true;
        name = seccomp_syscall_resolve_num_arch(scmp_arch, (int) nr);
        found = name && seccomp_syscall_resolve_name_arch(scmp_arch, name) == (int) nr;
        if (found)
                *ret = seccomp_syscall_resolve_name(name);
        free(name);
        return found;
}

/* libseccomp's filter for one ABI. */
static struct sock_filter *libseccomp_filter(uint32_t scmp_arch, const SeccompRange *ranges, size_t n_ranges, uint64_t open, size_t *ret_n) {
        scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
        char *text;
        size_t size;
        int fd;

        CHECK(ctx);
        if (scmp_arch != seccomp_arch_native()) {
                CHECK_INT(seccomp_arch_add(ctx, scmp_arch), 0);
                CHECK_INT(seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE), 0);
        }
        CHECK_INT(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
        for (size_t i = 0; i < n_ranges; i++)
                for (uint32_t nr = ranges[i].first; nr <= ranges[i].last; nr++) {
                        int number, r;

                        if (!number_for_libseccomp(scmp_arch, nr, &number))
                                continue;
                        r = add_rules(ctx, &seccomp_default()->rules[ranges[i].rule], number, open);
                        if (r < 0)
                                test_note("libseccomp refuses number %u of %s: %d", nr, seccomp_default()->rules[ranges[i].rule].name, r);
                        CHECK_INT(r, 0);
                }
        fd = io_memfd("filter", "", 0);
        CHECK_INT(seccomp_export_bpf(ctx, fd), 0);
        seccomp_release(ctx);
        CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
        CHECK_INT(io_read_all(fd, 1 << 20, &text, &size), 0);
        close(fd);
        *ret_n = size / sizeof(struct sock_filter);
        return (struct sock_filter *) (void *) text;
}

static void check_other(const struct seccomp_data *data, void *user) {
        Comparison *c = user;
        uint32_t found = bpf_run(c->code, c->n_code, data), wanted = bpf_run(c->other, c->n_other, data);

        if (found != wanted && c->differences++ < 5)
                test_note("arch %x nr %d args %llx %llx: %x, libseccomp says %x", data->arch, data->nr, data->args[0], data->args[1],
                          found, wanted);
}

TEST(libseccomp_agrees) {
        static const uint64_t sets[] = { 0, CAPS_BIT(CAP_SYS_CHROOT), UINT64_MAX };

        for (size_t s = 0; s < ELEMENTSOF(sets); s++) {
                _cleanup_seccomp_filter_ SeccompFilter filter = prepare(sets[s]);

                for (size_t a = 0; a < seccomp_default()->n_abis; a++) {
                        const SeccompAbi *abi = &seccomp_default()->abis[a];
                        Comparison c = { .code = filter.code, .n_code = filter.n_code };
                        _cleanup_free_ struct sock_filter *other = NULL;
                        /* seccomp.h names the machines by their AUDIT_ARCH numbers */
                        other = libseccomp_filter(abi->audit_arch, abi->ranges, abi->n_ranges, sets[s], &c.n_other);
                        c.other = other;
                        for (int nr = 0, number; nr < NUMBERS; nr++)
                                for (size_t i = 0; i < ELEMENTSOF(interesting) && number_for_libseccomp(abi->audit_arch, (uint32_t) nr, &number); i++)
                                        for (size_t j = 0; j < ELEMENTSOF(interesting); j++)
                                                check_other(&(struct seccomp_data){ .arch = abi->audit_arch, .nr = nr,
                                                                                    .args = { interesting[i], interesting[j], interesting[j] } },
                                                            &c);
                        CHECK_INT(c.differences, 0);
                }
        }
}

TEST(other_machines_end_the_process) {
        _cleanup_seccomp_filter_ SeccompFilter filter = prepare(0);

        CHECK_INT(bpf_run(filter.code, filter.n_code, &(struct seccomp_data){ .arch = AUDIT_ARCH_MIPS, .nr = 1 }), SECCOMP_RET_KILL_PROCESS);
}

/* The verdict of the default filter for a call by name in an ABI. */
static uint32_t verdict(uint64_t open, uint32_t scmp_arch, const char *name, uint64_t a0, uint64_t a1, uint64_t a2) {
        _cleanup_seccomp_filter_ SeccompFilter filter = prepare(open);
        struct seccomp_data data = { .arch = scmp_arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : scmp_arch, .args = { a0, a1, a2 } };

        data.nr = seccomp_syscall_resolve_name_arch(scmp_arch, name);
        if (strcmp(name, "socket") == 0 && scmp_arch == SCMP_ARCH_X86)
                data.nr = 359;
        CHECK(data.nr >= 0);
        return bpf_run(filter.code, filter.n_code, &data);
}

TEST(ways_around) {
#if !defined(__x86_64__)
        SKIP("these are x86's");
#endif
        static const uint32_t abis[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32 };
        const uint64_t usual = caps_default(), high = UINT64_C(1) << 32;

        for (size_t i = 0; i < ELEMENTSOF(abis); i++) {
                uint32_t abi = abis[i];

                CHECK_INT(verdict(usual, abi, "read", 0, 0, 0), SECCOMP_RET_ALLOW);
                CHECK_INT(verdict(usual, abi, "ioctl", 0, 0x5412, 0), EPERM_VERDICT);
                CHECK_INT(verdict(usual, abi, "ioctl", 0, 0x5412 | high, 0), EPERM_VERDICT); /* CVE-2019-10063 */
                CHECK_INT(verdict(usual, abi, "ioctl", 0, 0x541c | high << 31, 0), EPERM_VERDICT);
                CHECK_INT(verdict(usual, abi, "ioctl", 0, 0x5413, 0), SECCOMP_RET_ALLOW);
                CHECK_INT(verdict(usual, abi, "socket", 38, 5, 0), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
                CHECK_INT(verdict(usual, abi, "socket", 38 | high, 5, 0), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
                CHECK_INT(verdict(usual, abi, "socket", 40, 1, 0), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
                CHECK_INT(verdict(usual | SECURITY_OPENING_BIT(SECURITY_OPENING_AF_ALG), abi, "socket", 38, 5, 0), SECCOMP_RET_ALLOW);
                CHECK_INT(verdict(usual, abi, "socket", 16, 3, 9), SECCOMP_RET_ERRNO | EINVAL);
                CHECK_INT(verdict(usual, abi, "socket", 16 | high, 3, 9 | high), SECCOMP_RET_ERRNO | EINVAL);
                CHECK_INT(verdict(usual, abi, "socket", 16, 3, 0), SECCOMP_RET_ALLOW);
                CHECK_INT(verdict(usual | CAPS_BIT(CAP_AUDIT_WRITE), abi, "socket", 16, 3, 9), SECCOMP_RET_ALLOW);
                CHECK_INT(verdict(usual, abi, "clone", 0x10000000, 0, 0), EPERM_VERDICT);
                CHECK_INT(verdict(usual, abi, "clone", 0x10000011 | high, 0, 0), EPERM_VERDICT);
                CHECK_INT(verdict(usual, abi, "clone", 0x11, 0, 0), SECCOMP_RET_ALLOW);
                CHECK_INT(verdict(usual, abi, "unshare", 0x7e020000 | 0x10000000, 0, 0), EPERM_VERDICT);
                CHECK_INT(verdict(usual, abi, "clone3", 0, 0, 0), ENOSYS_VERDICT);
                CHECK_INT(verdict(usual | SECURITY_OPENING_BIT(SECURITY_OPENING_NESTED_USERNS), abi, "clone3", 0, 0, 0), SECCOMP_RET_ALLOW);
                CHECK_INT(verdict(usual, abi, "keyctl", 0, 0, 0), EPERM_VERDICT);
                CHECK_INT(verdict(usual, abi, "io_uring_setup", 0, 0, 0), ENOSYS_VERDICT);
                CHECK_INT(verdict(usual, abi, "bpf", 0, 0, 0), EPERM_VERDICT);
                CHECK_INT(verdict(usual | CAPS_BIT(CAP_SYS_ADMIN), abi, "mount", 0, 0, 0), SECCOMP_RET_ALLOW);
                CHECK_INT(verdict(usual, abi, "personality", 0x0040000, 0, 0), ENOSYS_VERDICT);
        }
        CHECK_INT(verdict(usual, SCMP_ARCH_X86, "socketcall", 1, 0, 0), ENOSYS_VERDICT);
        CHECK_INT(verdict(usual, SCMP_ARCH_X86, "socketcall", 1 | high, 0, 0), ENOSYS_VERDICT);
        CHECK_INT(verdict(usual, SCMP_ARCH_X86, "socketcall", 8, 0, 0), ENOSYS_VERDICT);
        CHECK_INT(verdict(usual, SCMP_ARCH_X86, "socketcall", 3, 0, 0), SECCOMP_RET_ALLOW);
}

/* Nothing by default that Podman's profile, where it is installed, keeps shut. */
TEST(at_least_as_strict_as_podman) {
        static const char *const newer[] = { "fchmodat2", "cachestat", "setxattrat", "getxattrat", "listxattrat", "removexattrat", "mseal",
                                             "map_shadow_stack", "futex_waitv", "futex_wake", "futex_wait", "futex_requeue" };
        _cleanup_seccomp_filter_ SeccompFilter ours = prepare(caps_default()), theirs = SECCOMP_FILTER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        int r = seccomp_prepare(&(SeccompRequest){ .profile = "/usr/share/containers/seccomp.json", .capabilities = caps_default(),
                                                   .data_fd = -EBADF }, &theirs, &error);

        if (r == -ENOENT)
                SKIP("there is no /usr/share/containers/seccomp.json");
        if (r < 0)
                test_note("%s", error.message);
        CHECK_INT(r, 0);
        for (size_t a = 0; a < ELEMENTSOF(archs); a++)
                for (int nr = 0; nr < NUMBERS; nr++)
                        for (size_t i = 0; i < ELEMENTSOF(interesting); i++) {
                                struct seccomp_data data = { .arch = archs[a], .nr = nr, .args = { interesting[i], interesting[i], interesting[i] } };
                                char *name = seccomp_syscall_resolve_num_arch(archs[a], nr);
                                bool known = name && interesting[i] <= UINT32_MAX; /* the kernel drops the rest of an int */

                                for (size_t k = 0; name && k < ELEMENTSOF(newer); k++)
                                        known = known && strcmp(name, newer[k]) != 0;
                                if (known && bpf_run(ours.code, ours.n_code, &data) == SECCOMP_RET_ALLOW &&
                                    bpf_run(theirs.code, theirs.n_code, &data) != SECCOMP_RET_ALLOW) {
                                        test_note("%s (%d, arch %x, arguments %llx) is open here and not there", name, nr, archs[a], interesting[i] + 0ULL);
                                        CHECK(false);
                                }
                                free(name);
                        }
}

static int errno_of(long (*call)(void)) {
        return call() < 0 ? errno : 0;
}

static long call_keyctl(void) { return syscall(SYS_keyctl, 0, -3, 0); }
static long call_unshare(void) { return syscall(SYS_unshare, 0x10000000); }
static long call_clone3(void) { return syscall(SYS_clone3, NULL, 0); }
static long call_alg(void) { return syscall(SYS_socket, 38, 5, 0); }
static long call_uring(void) { return syscall(SYS_io_uring_setup, 1, NULL); }
static long call_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0); }
static long call_tiocsti(void) { return syscall(SYS_ioctl, 0, 0xdead00005412UL, ""); }
static long call_unknown(void) { return syscall(1000); }
static long call_getpid(void) { return syscall(SYS_getpid); }
#if defined(__x86_64__)
static long call_x32_unshare(void) { return syscall(SECCOMP_X32_BIT | SYS_unshare, 0x10000000); }
static long call_i386_keyctl(void) {
        long r;

        asm volatile("int $0x80" : "=a"(r) : "a"(288), "b"(0), "c"(-3), "d"(0) : "memory");
        errno = (int) -r;
        return r < 0 ? -1 : r;
}
static long call_i386_socketcall(void) {
        static uint32_t arguments[3] __attribute__((aligned(16)));
        long r;

        arguments[0] = 38;
        arguments[1] = 5;
        asm volatile("int $0x80" : "=a"(r) : "a"(102), "b"(1), "c"((uint32_t) (uintptr_t) arguments) : "memory");
        errno = (int) -r;
        return r < 0 ? -1 : r;
}
#endif

TEST(the_kernel_agrees) {
        static const struct {
                const char *name;
                long (*call)(void);
                int wanted;
        } calls[] = {
                { "keyctl", call_keyctl, EPERM }, { "unshare", call_unshare, EPERM }, { "clone3", call_clone3, ENOSYS },
                { "AF_ALG", call_alg, EAFNOSUPPORT }, { "io_uring_setup", call_uring, ENOSYS }, { "bpf", call_bpf, EPERM },
                { "TIOCSTI", call_tiocsti, EPERM }, { "1000", call_unknown, ENOSYS }, { "getpid", call_getpid, 0 },
#if defined(__x86_64__)
                { "x32 unshare", call_x32_unshare, EPERM }, { "i386 keyctl", call_i386_keyctl, EPERM },
                { "i386 socketcall(AF_ALG)", call_i386_socketcall, ENOSYS },
#endif
        };
        _cleanup_seccomp_filter_ SeccompFilter filter = prepare(caps_default());
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_filter_load(&filter) < 0)
                        _exit(100);
                for (size_t i = 0; i < ELEMENTSOF(calls); i++) {
                        int found = errno_of(calls[i].call);

                        if (found != calls[i].wanted) {
                                dprintf(STDOUT_FILENO, "# %s: errno %d, not %d\n", calls[i].name, found, calls[i].wanted);
                                _exit(1);
                        }
                }
                _exit(0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
}

TEST(names_of_openings) {
        for (int i = 0; i < _SECURITY_OPENING_MAX; i++)
                CHECK_INT(security_opening_from_name(security_opening_to_name(i)), i);
        CHECK_INT(security_opening_from_name("nested"), -ENOENT);
        CHECK(!security_opening_to_name(_SECURITY_OPENING_MAX));
        for (int i = 0; i < _SECURITY_OPENING_MAX; i++) /* and each opens something */
                CHECK(seccomp_default()->relevant & SECURITY_OPENING_BIT(i));
}
