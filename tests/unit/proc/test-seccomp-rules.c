/* SPDX-License-Identifier: Apache-2.0 */
/* Filters made of linux.seccomp: what they say is what libseccomp's own say, for every call. */
#include <fcntl.h>
#include <linux/audit.h>
#include <poll.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "bpf.h"
#include "proc/seccomp-rules.h"
#include "proc/seccomp-shrink.h"
#include "proc/seccomp-table.h"

typedef struct Seed {
        uint64_t state;
} Seed;

/* xorshift64: the same rows each time. */
static uint64_t next(Seed *seed) {
        seed->state ^= seed->state << 13;
        seed->state ^= seed->state >> 7;
        return seed->state ^= seed->state << 17;
}

static uint32_t below(Seed *seed, uint32_t n) {
        return (uint32_t) (next(seed) >> 33) % n;
}

static uint64_t datum(Seed *seed) {
        static const uint64_t interesting[] = { 0, 1, 2, 9, 16, 40, 0xff, 0x1000, 0x7e020000, 0x10000000, UINT32_MAX, UINT64_C(1) << 32,
                                                UINT64_C(0x100000009), UINT64_MAX, UINT64_C(1) << 63 };

        return below(seed, 4) ? interesting[below(seed, ELEMENTSOF(interesting))] : next(seed);
}

static const uint32_t architectures[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, SCMP_ARCH_RISCV64 };
static const uint32_t actions[] = { SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(1), SCMP_ACT_ERRNO(38), SCMP_ACT_KILL_PROCESS, SCMP_ACT_TRAP, SCMP_ACT_LOG, SCMP_ACT_TRACE(7) };

/* A filter of libseccomp's with rules that nobody chose. */
static struct sock_filter *some_filter(Seed *seed, size_t *ret_n) {
        scmp_filter_ctx ctx = seccomp_init(actions[below(seed, ELEMENTSOF(actions))]);
        uint32_t names = below(seed, 2) ? 40 : 400, mostly = actions[below(seed, ELEMENTSOF(actions))];
        char *text;
        size_t size;
        int fd;

        CHECK(ctx);
        CHECK_INT(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 1 + below(seed, 2)), 0);
        for (uint32_t i = below(seed, 4); i > 0; i--)
                (void) seccomp_arch_add(ctx, architectures[below(seed, ELEMENTSOF(architectures))]);
        for (uint32_t i = below(seed, names * 4); i > 0; i--) {
                struct scmp_arg_cmp args[3];
                unsigned n = below(seed, 3) ? 0 : below(seed, 3);

                for (unsigned j = 0; j < n; j++) {
                        args[j] = (struct scmp_arg_cmp){ .arg = (j * 2 + below(seed, 2)) % 6, .op = SCMP_CMP_NE + below(seed, 7), .datum_a = datum(seed), .datum_b = datum(seed) };
                        if (args[j].op == SCMP_CMP_MASKED_EQ)
                                args[j].datum_b &= args[j].datum_a;
                }
                (void) seccomp_rule_add_array(ctx, below(seed, 10) ? mostly : actions[below(seed, ELEMENTSOF(actions))], (int) below(seed, names), n, args);
        }
        fd = io_memfd("filter", "", 0);
        CHECK_INT(seccomp_export_bpf(ctx, fd), 0);
        seccomp_release(ctx);
        CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
        CHECK_INT(io_read_all(fd, 1 << 20, &text, &size), 0);
        (void) close(fd);
        *ret_n = size / sizeof(struct sock_filter);
        return (struct sock_filter *) (void *) text;
}

/* The library loses nodes where rules of one call are merged (2.5.4): random rules find that, and it is not what is tested here. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
        return "leak:libseccomp.so";
}

static void compare(const struct sock_filter *one, size_t n_one, const struct sock_filter *other, size_t n_other, const struct seccomp_data *data) {
        uint32_t a = bpf_run(one, n_one, data), b = bpf_run(other, n_other, data);

        if (a != b)
                test_note("arch %x nr %x args %llx %llx %llx: %x, and it was %x", data->arch, (unsigned) data->nr, data->args[0], data->args[1],
                          data->args[2], b, a);
        CHECK_INT(b, a);
}

/* Each number with each architecture, and arguments that come from the constants of the program. */
static void compare_all(Seed *seed, const struct sock_filter *one, size_t n_one, const struct sock_filter *other, size_t n_other) {
        for (size_t a = 0; a <= ELEMENTSOF(architectures); a++)
                for (int i = 0; i < 1600; i++) {
                        struct seccomp_data data = { .arch = a < ELEMENTSOF(architectures) ? architectures[a] : (uint32_t) next(seed) };

                        data.nr = i < 500 ? i : i < 1000 ? (i - 500) | SECCOMP_X32_BIT : i < 1500 ? (int) below(seed, 450) : (int) next(seed);
                        for (size_t j = 0; j < ELEMENTSOF(data.args); j++)
                                data.args[j] = below(seed, 2) ? datum(seed) : (uint64_t) one[below(seed, (uint32_t) n_one)].k << (below(seed, 2) * 32);
                        compare(one, n_one, other, n_other, &data);
                }
}

TEST(a_shorter_filter_says_the_same) {
        Seed seed = { 0x2545f4914f6cdd1d };
        size_t before = 0, after = 0, shrunk = 0;

        for (int i = 0; i < 60; i++) {
                _cleanup_free_ struct sock_filter *code = NULL, *shorter = NULL;
                size_t n, n_shorter;

                code = some_filter(&seed, &n);
                int r = seccomp_shrink(code, n, &shorter, &n_shorter);
                if (r == -ENOTSUP)
                        continue;
                CHECK_INT(r, 0);
                CHECK(n_shorter < n);
                compare_all(&seed, code, n, shorter, n_shorter);
                before += n;
                after += n_shorter;
                shrunk++;
        }
        test_note("%zu of 60 filters: %zu instructions instead of %zu", shrunk, after, before);
        CHECK(shrunk > 20);
}

/* Programs that nobody's compiler wrote: what is not followed is left alone, and what is followed is the same. */
TEST(strange_programs_stay_what_they_are) {
        Seed seed = { 0x9e3779b97f4a7c15 };
        size_t shrunk = 0;

        for (int i = 0; i < 4000; i++) {
                struct sock_filter code[64];
                _cleanup_free_ struct sock_filter *shorter = NULL;
                size_t n = 2 + below(&seed, 60), n_shorter;
                static const uint16_t jumps[] = { BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JSET };

                for (size_t j = 0; j < n; j++) {
                        uint32_t left = (uint32_t) (n - j - 1), kind = below(&seed, 12);

                        if (left == 0 || kind == 0)
                                code[j] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, actions[below(&seed, ELEMENTSOF(actions))] };
                        else if (kind < 5)
                                code[j] = (struct sock_filter){ BPF_LD | BPF_W | BPF_ABS, 0, 0, 4 * below(&seed, 16) };
                        else if (kind == 5)
                                code[j] = (struct sock_filter){ BPF_ALU | BPF_AND | BPF_K, 0, 0, (uint32_t) datum(&seed) };
                        else if (kind == 6)
                                code[j] = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, below(&seed, left) };
                        else
                                code[j] = (struct sock_filter){ BPF_JMP | jumps[below(&seed, below(&seed, 2) ? 4 : 1)] | BPF_K, (uint8_t) below(&seed, left),
                                                                (uint8_t) below(&seed, left), below(&seed, 3) ? architectures[below(&seed, 3)] : below(&seed, 500) };
                }
                if (seccomp_shrink(code, n, &shorter, &n_shorter) < 0)
                        continue;
                shrunk++;
                for (int k = 0; k < 400; k++) {
                        struct seccomp_data data = { .arch = architectures[below(&seed, 4)], .nr = (int) below(&seed, 500) };

                        for (size_t j = 0; j < ELEMENTSOF(data.args); j++)
                                data.args[j] = below(&seed, 3) ? datum(&seed) : below(&seed, 500);
                        if (below(&seed, 2))
                                data.nr = (int) code[below(&seed, (uint32_t) n)].k;
                        compare(code, n, shorter, n_shorter, &data);
                }
        }
        test_note("%zu of 4000 programs", shrunk);
        CHECK(shrunk > 500);
}

static int read_rules(const char *text, RuntimeSpec *spec) {
        return json_fields_parse(text, strlen(text), runtime_spec_fields, spec, NULL);
}

static uint32_t native_verdict(const SeccompFilter *filter, int nr, uint64_t a0) {
        return bpf_run(filter->code, filter->n_code, &(struct seccomp_data){ .arch = seccomp_arch_native(), .nr = nr, .args = { a0 } });
}

TEST(every_action_and_flag) {
        static const char text[] =
                "{\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\","
                "\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\",\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],\"syscalls\":["
                "{\"names\":[\"read\",\"no_such_call\"],\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":[\"close\"],\"action\":\"SCMP_ACT_ERRNO\"},"
                "{\"names\":[\"dup\"],\"action\":\"SCMP_ACT_KILL\"},{\"names\":[\"dup3\"],\"action\":\"SCMP_ACT_KILL_THREAD\"},"
                "{\"names\":[\"fsync\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"},{\"names\":[\"kill\"],\"action\":\"SCMP_ACT_TRAP\"},"
                "{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":9},{\"names\":[\"getuid\"],\"action\":\"SCMP_ACT_LOG\"},"
                "{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_NOTIFY\"},"
                "{\"names\":[\"getgid\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":18446744073709551615,\"op\":\"SCMP_CMP_EQ\"},"
                "{\"index\":0,\"value\":3,\"op\":\"SCMP_CMP_LT\"}]}]}}}";
        _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL;
        _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK_INT(read_rules(text, &spec), 0);
        int r = seccomp_rules_compile(&spec.seccomp, "linux.seccomp", &filter, &error);
        if (r < 0)
                test_note("%s", error.message);
        CHECK_INT(r, 0);
        CHECK_INT(filter.flags, 2 | 4 | 8 | 32);
        CHECK_INT(native_verdict(&filter, SYS_read, 0), SECCOMP_RET_ALLOW);
        CHECK_INT(native_verdict(&filter, SYS_write, 0), SECCOMP_RET_ERRNO | 38);
        CHECK_INT(native_verdict(&filter, SYS_close, 0), SECCOMP_RET_ERRNO | EPERM);
        CHECK_INT(native_verdict(&filter, SYS_dup, 0), SECCOMP_RET_KILL_THREAD);
        CHECK_INT(native_verdict(&filter, SYS_dup3, 0), SECCOMP_RET_KILL_THREAD);
        CHECK_INT(native_verdict(&filter, SYS_fsync, 0), SECCOMP_RET_KILL_PROCESS);
        CHECK_INT(native_verdict(&filter, SYS_kill, 0), SECCOMP_RET_TRAP);
        CHECK_INT(native_verdict(&filter, SYS_getpid, 0), SECCOMP_RET_TRACE | 9);
        CHECK_INT(native_verdict(&filter, SYS_getuid, 0), SECCOMP_RET_LOG);
        CHECK_INT(native_verdict(&filter, SYS_chdir, 0), SECCOMP_RET_USER_NOTIF);
        CHECK_INT(native_verdict(&filter, SYS_getgid, UINT64_MAX), SECCOMP_RET_ALLOW);
        CHECK_INT(native_verdict(&filter, SYS_getgid, 2), SECCOMP_RET_ALLOW);
        CHECK_INT(native_verdict(&filter, SYS_getgid, 3), SECCOMP_RET_ERRNO | 38);
}

static uint32_t verdict_of(const SeccompFilter *filter, uint32_t arch, uint32_t nr) {
        return bpf_run(filter->code, filter->n_code, &(struct seccomp_data){ .arch = arch, .nr = (int) nr });
}

/* Newer than the profile is ENOSYS, however the profile refuses what it knows. */
TEST(what_is_newer_than_all_that_is_named) {
#if !defined(__x86_64__)
        SKIP("the numbers are x86's");
#endif
        static const char *const defaults[] = { "\"SCMP_ACT_ERRNO\"", "\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":6", "\"SCMP_ACT_KILL\"", "\"SCMP_ACT_ALLOW\"" };
        static const uint32_t expected[] = { SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ERRNO | 6, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_ALLOW };
        const uint32_t enosys = SECCOMP_RET_ERRNO | ENOSYS;

        for (size_t i = 0; i < ELEMENTSOF(defaults); i++) {
                _cleanup_free_ char *text = str_format("{\"linux\":{\"seccomp\":{\"defaultAction\":%s,\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],"
                                                       "\"syscalls\":[{\"names\":[\"socket\",\"openat2\"],\"action\":\"SCMP_ACT_LOG\"}]}}}", defaults[i]);
                _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL;
                _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;
                uint32_t beyond = i < 2 ? enosys : expected[i];

                CHECK_INT(read_rules(text, &spec), 0);
                CHECK_INT(seccomp_rules_compile(&spec.seccomp, "linux.seccomp", &filter, NULL), 0);
                CHECK_INT(verdict_of(&filter, AUDIT_ARCH_X86_64, SYS_mkdir), expected[i]);
                CHECK_INT(verdict_of(&filter, AUDIT_ARCH_X86_64, SYS_openat2), SECCOMP_RET_LOG);
                CHECK_INT(verdict_of(&filter, AUDIT_ARCH_X86_64, SYS_openat2 + 1), beyond);
                CHECK_INT(verdict_of(&filter, AUDIT_ARCH_X86_64, 1000), beyond);
                CHECK_INT(verdict_of(&filter, AUDIT_ARCH_X86_64, SECCOMP_X32_BIT | SYS_mkdir), expected[i]);
                CHECK_INT(verdict_of(&filter, AUDIT_ARCH_X86_64, SECCOMP_X32_BIT | SYS_openat2), SECCOMP_RET_LOG);
                CHECK_INT(verdict_of(&filter, AUDIT_ARCH_X86_64, SECCOMP_X32_BIT | 1000), beyond);
                CHECK_INT(verdict_of(&filter, AUDIT_ARCH_I386, 359), SECCOMP_RET_LOG); /* socket(2), which has two numbers */
                CHECK_INT(verdict_of(&filter, AUDIT_ARCH_I386, 39), expected[i]);
                CHECK_INT(verdict_of(&filter, AUDIT_ARCH_I386, 1000), beyond);
                CHECK(verdict_of(&filter, AUDIT_ARCH_AARCH64, 1000) != enosys);
        }
}

TEST(what_makes_no_sense_is_refused) {
        static const char *const rows[][2] = {
                { "{}", "an action is missing" },
                { "{\"defaultAction\":\"SCMP_ACT_X\"}", "there is no action 'SCMP_ACT_X'" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}", "there is an errno beside action 'SCMP_ACT_ALLOW'" },
                { "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":65536}", "the errno is too large beside action 'SCMP_ACT_ERRNO'" },
                { "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "SCMP_ACT_NOTIFY cannot be used as default action" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_PDP11\"]}", "there is no architecture 'SCMP_ARCH_PDP11'" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}", "there is no flag 'X'" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"action\":\"SCMP_ACT_KILL\"}]}", "a rule names no system call" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"]}]}", "an action is missing" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}",
                  "SCMP_ACT_NOTIFY cannot be used for the write syscall" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"dup\"],\"action\":\"SCMP_ACT_TRAP\",\"errnoRet\":1}]}",
                  "there is an errno beside action 'SCMP_ACT_TRAP'" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"dup\"],\"action\":\"SCMP_ACT_TRAP\",\"args\":[{\"op\":\"EQ\"}]}]}",
                  "there is no comparison 'EQ'" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"dup\"],\"action\":\"SCMP_ACT_TRAP\",\"args\":[{\"index\":6,\"op\":\"SCMP_CMP_EQ\"}]}]}",
                  "a system call has six arguments, index 0 to 5" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = str_format("{\"linux\":{\"seccomp\":%s}}", rows[i][0]), *expected = str_format("cannot use linux.seccomp: %s", rows[i][1]);
                _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                SeccompFilter filter;

                CHECK_INT(read_rules(text, &spec), 0);
                CHECK_INT(seccomp_rules_compile(&spec.seccomp, "linux.seccomp", &filter, &error), -EINVAL);
                CHECK_STR(error.message, expected);
        }
}

TEST(a_key_tells_rules_apart) {
        static const char *const rows[] = {
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":0}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"a\"]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"a\"]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"a\"],\"flags\":[\"a\"]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\",\"b\"]}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"ab\"]}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"b\"}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"]},{\"names\":[\"b\"]}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"errnoRet\":1}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"args\":[{\"index\":1}]}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"args\":[{\"value\":1}]}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"args\":[{\"valueTwo\":1}]}]}",
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"args\":[{\"op\":\"x\"}]}]}",
        };
        char *keys[ELEMENTSOF(rows)];
        size_t sizes[ELEMENTSOF(rows)];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = str_format("{\"linux\":{\"seccomp\":%s}}", rows[i]);
                _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;

                CHECK_INT(read_rules(text, &spec), 0);
                CHECK_INT(seccomp_rules_key(&spec.seccomp, &keys[i], &sizes[i]), 0);
                for (size_t j = 0; j < i; j++)
                        CHECK(sizes[i] != sizes[j] || memcmp(keys[i], keys[j], sizes[i]) != 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                free(keys[i]);
}

/* All that could carry the listener away is judged by it, and yet it gets away. */
TEST(a_listener_gets_away) {
        static const char text[] = "{\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"sendmsg\",\"sendto\",\"sched_yield\",\"getppid\"],"
                                   "\"action\":\"SCMP_ACT_NOTIFY\"}]}}}";
        _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL;
        _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;
        struct seccomp_notif request = {};
        struct seccomp_notif_resp answer = {};
        int pair[2], status, listener = -EBADF;
        size_t n_fds = 1;
        char buffer[32];

        CHECK_INT(read_rules(text, &spec), 0);
        CHECK_INT(seccomp_rules_compile(&spec.seccomp, "linux.seccomp", &filter, NULL), 0);
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        pid_t pid = fork();
        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_filter_load_listener(&filter, pair[1], "a message") != 0) {
                        (void) shutdown(pair[1], SHUT_RDWR);
                        _exit(100);
                }
                _exit(syscall(SYS_getppid) == 4711 && syscall(SYS_getppid) == -1 && errno == ENOSYS ? 0 : 1);
        }
        /* pair[1] stays open here, as with a runtime that waits for the container: the end of the message comes all the same */
        ssize_t n = io_receive_fds(pair[0], buffer, sizeof(buffer), &listener, &n_fds);
        if (n <= 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 100)
                SKIP("there is a listener above us already");
        CHECK_INT(n, strlen("a message"));
        CHECK_INT(n_fds, 1);
        CHECK_INT(read(pair[0], buffer, 1), 0);
        CHECK_INT(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request), 0);
        CHECK_INT(request.data.nr, SYS_getppid);
        answer = (struct seccomp_notif_resp){ .id = request.id, .val = 4711 };
        CHECK_INT(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
        CHECK_INT(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, memset(&request, 0, sizeof(request))), 0);
        listener = fd_close(listener); /* nobody answers any more, and nobody waits */
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        (void) close(pair[0]);
        (void) close(pair[1]);
}
