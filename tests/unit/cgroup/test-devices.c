/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules: the program for cgroup v2 and the lines for v1 decide as the rules read, for rules drawn at random; the kernel takes the
 * program, and acts by it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "cgroup/hierarchy.h"
#include "cgroup/runtime-devices.h"

/* For each kind of access the last rule that names it decides. */
static bool plainly_allowed(const DeviceRule *rules, size_t n, char type, uint32_t major, uint32_t minor, unsigned access) {
        for (unsigned bit = 1; bit <= DEVICE_ALL; bit <<= 1) {
                bool allowed = false;

                if (!(access & bit))
                        continue;
                for (size_t i = 0; i < n; i++) {
                        const DeviceRule *r = rules + i;

                        if ((r->type == 'a' || r->type == type) && (r->major < 0 || r->major == major) && (r->minor < 0 || r->minor == minor) && (r->access & bit))
                                allowed = r->allow;
                }
                if (!allowed)
                        return false;
        }
        return true;
}

/* As much of a BPF machine as the programs use; anything else fails the test. */
static bool run(const struct bpf_insn *code, size_t n, const struct bpf_cgroup_dev_ctx *context) {
        uint64_t reg[11] = {};

        for (size_t at = 0; at < n; at++) {
                const struct bpf_insn *i = code + at;
                uint32_t to = (uint32_t) reg[i->dst_reg], number = (uint32_t) i->imm;
                bool jump = false;

                switch (i->code) {
                case BPF_LDX | BPF_MEM | BPF_W:
                        CHECK_INT(i->src_reg, 1);
                        CHECK(i->off >= 0 && (size_t) i->off + 4 <= sizeof(*context));
                        memcpy(&to, (const char *) context + i->off, 4);
                        reg[i->dst_reg] = to;
                        break;
                case BPF_ALU | BPF_MOV | BPF_X:
                        reg[i->dst_reg] = (uint32_t) reg[i->src_reg];
                        break;
                case BPF_ALU | BPF_AND | BPF_K:
                        reg[i->dst_reg] = to & number;
                        break;
                case BPF_ALU | BPF_RSH | BPF_K:
                        reg[i->dst_reg] = to >> number;
                        break;
                case BPF_ALU64 | BPF_MOV | BPF_K:
                        reg[i->dst_reg] = number;
                        break;
                case BPF_JMP32 | BPF_JNE | BPF_K:
                        jump = to != number;
                        break;
                case BPF_JMP32 | BPF_JSET | BPF_K:
                        jump = (to & number) != 0;
                        break;
                case BPF_JMP | BPF_JA:
                        jump = true;
                        break;
                case BPF_JMP | BPF_EXIT:
                        return reg[0] != 0;
                default:
                        test_note("instruction %zu has code 0x%x", at, i->code);
                        CHECK(false);
                }
                if (jump)
                        at += (size_t) i->off;
        }
        CHECK(false);
        return false;
}

static unsigned draw(unsigned *state, unsigned limit) {
        *state = *state * 1103515245U + 12345U;
        return (*state >> 16) % limit;
}

static size_t draw_rules(unsigned *state, DeviceRule *rules, size_t room) {
        size_t n = draw(state, (unsigned) room + 1);

        for (size_t i = 0; i < n; i++) {
                rules[i] = (DeviceRule){ draw(state, 2), "abc"[draw(state, 3)], (int64_t) draw(state, 4) - 1, (int64_t) draw(state, 4) - 1, draw(state, 8) };
                if (draw(state, 5) == 0)
                        rules[i] = (DeviceRule){ rules[i].allow, 'a', -1, -1, DEVICE_ALL };
        }
        return n;
}

/* Runs `check` for all accesses to the few devices that the rules are about. */
static void for_all_accesses(void (*check)(const DeviceRule *, size_t, const void *, size_t, char, uint32_t, uint32_t, unsigned), const DeviceRule *rules, size_t n,
                             const void *what, size_t size) {
        for (const char *type = "bc"; *type; type++)
                for (uint32_t major = 0; major < 4; major++)
                        for (uint32_t minor = 0; minor < 4; minor++)
                                for (unsigned access = 1; access <= DEVICE_ALL; access++)
                                        check(rules, n, what, size, *type, major, minor, access);
}

static void check_program(const DeviceRule *rules, size_t n, const void *code, size_t size, char type, uint32_t major, uint32_t minor, unsigned access) {
        struct bpf_cgroup_dev_ctx context = { .access_type = access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR), .major = major, .minor = minor };

        CHECK_INT(run(code, size, &context), plainly_allowed(rules, n, type, major, minor, access));
}

TEST(programs_decide_as_the_rules_read) {
        unsigned state = 1;

        for (unsigned round = 0; round < 3000; round++) {
                DeviceRule rules[12];
                size_t n = draw_rules(&state, rules, ELEMENTSOF(rules)), size;
                _cleanup_free_ struct bpf_insn *code = NULL;

                CHECK_INT(device_rules_program(rules, n, &code, &size), 0);
                for_all_accesses(check_program, rules, n, code, size);
        }
}

/* The exceptions as the kernel takes them: one of them has to have all of an access (device_cgroup.c, match_exception()), or, where all is
 * allowed, one that has some of it denies. */
static void check_exceptions(const DeviceRule *rules, size_t n, const void *what, size_t size, char type, uint32_t major, uint32_t minor, unsigned access) {
        const DeviceRule *exceptions = what;
        bool allow = size > 0 && exceptions[0].allow, found = false; /* the first entry says what goes for all */

        for (size_t i = 1; i < size; i++) {
                const DeviceRule *e = exceptions + i;

                CHECK_INT(e->allow, !allow);
                if (e->type == type && (e->major < 0 || e->major == major) && (e->minor < 0 || e->minor == minor))
                        found |= allow ? (e->access & access) != 0 : (access & ~e->access) == 0;
        }
        /* several exceptions of which each allows a part are no exception for all of it: v1 denies more, and never less */
        if (found != allow)
                CHECK(plainly_allowed(rules, n, type, major, minor, access));
        else if (plainly_allowed(rules, n, type, major, minor, access))
                CHECK(!allow && (access & (access - 1)));
}

TEST(lines_for_v1_never_allow_more_than_the_rules) {
        unsigned state = 7, taken = 0;

        for (unsigned round = 0; round < 6000; round++) {
                DeviceRule rules[6], *all;
                _cleanup_free_ DeviceRule *exceptions = NULL;
                size_t n = draw_rules(&state, rules, ELEMENTSOF(rules)), size;
                bool allow;

                if (device_rules_exceptions(rules, n, n, &allow, &exceptions, &size, NULL) < 0)
                        continue;
                taken++;
                all = calloc(size + 1, sizeof(*all));
                CHECK(all);
                all[0].allow = allow;
                if (size > 0)
                        memcpy(all + 1, exceptions, size * sizeof(*all));
                for_all_accesses(check_exceptions, rules, n, all, size + 1);
                free(all);
        }
        CHECK(taken > 1000);
}

TEST(rules_are_read_with_the_default_devices_last) {
        RuntimeDeviceRule from[] = {
                { .allow = false, .access = (char *) "rwm" },
                { .allow = true, .type = (char *) "b", .access = (char *) "r", .major = 8, .has_major = true },
        };
        RuntimeResources resources = { .devices = from, .n_devices = 2 };
        _cleanup_free_ DeviceRule *rules = NULL;
        size_t n, n_own;

        CHECK_INT(device_rules_resolve(&resources, &rules, &n, &n_own, NULL), 0);
        CHECK_INT(n_own, 2);
        CHECK(plainly_allowed(rules, n, 'c', 1, 3, DEVICE_READ | DEVICE_WRITE));
        CHECK(plainly_allowed(rules, n, 'c', 136, 5, DEVICE_READ | DEVICE_WRITE));
        CHECK(plainly_allowed(rules, n, 'b', 8, 1, DEVICE_READ | DEVICE_MAKE));
        CHECK(!plainly_allowed(rules, n, 'b', 8, 1, DEVICE_WRITE));
        CHECK(!plainly_allowed(rules, n, 'c', 1, 11, DEVICE_READ));
        from[1].access = (char *) "rx";
        CHECK_INT(device_rules_resolve(&resources, &rules, &n, &n_own, NULL), -EINVAL);
        from[1].access = (char *) "r";
        from[1].major = -2;
        CHECK_INT(device_rules_resolve(&resources, &rules, &n, &n_own, NULL), -EINVAL);
        from[1].major = 8;
        from[1].type = (char *) "x";
        CHECK_INT(device_rules_resolve(&resources, &rules, &n, &n_own, NULL), -EINVAL);
}

TEST(a_part_of_an_exception_is_refused_on_v1) {
        const DeviceRule rules[] = { { false, 'a', -1, -1, DEVICE_ALL }, { true, 'c', 1, -1, DEVICE_ALL }, { false, 'c', 1, 11, DEVICE_READ } };
        _cleanup_free_ DeviceRule *exceptions = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        size_t n;
        bool allow;

        CHECK_INT(device_rules_exceptions(rules, 3, 3, &allow, &exceptions, &n, &error), -EOPNOTSUPP);
        CHECK_STR(error.message, "cannot use the device rule for c 1:11: cgroup v1 cannot take a part out of another rule");
        CHECK_INT(device_rules_exceptions(rules, 3, 2, &allow, &exceptions, &n, NULL), 0);
        CHECK_INT(n, 1);
}

TEST(the_kernel_takes_the_programs_and_obeys) {
        RuntimeDeviceRule deny = { .allow = false, .access = (char *) "rwm" };
        RuntimeResources resources = { .devices = &deny, .n_devices = 1 };
        _cleanup_fd_ int root = geteuid() == 0 ? cgroup_open_root() : -EACCES;
        _cleanup_free_ char *name = str_format("sdpod-test-devices-%d", (int) getpid());
        unsigned state = 3;
        int status;

        if (root < 0)
                SKIP("there is no unified hierarchy that we may use");
        _cleanup_fd_ int fd = cgroup_make(root, name, NULL);
        if (fd < 0)
                SKIP("cgroups cannot be made here");
        CgroupHierarchy unified = { .controllers = (char *) "", .unified = true, .fd = fd, .root = root, .existed = true };
        const CgroupTree tree = { &unified, 1 };
        _cleanup_error_ Error error = ERROR_NULL;
        int r = runtime_devices_write(&tree, &resources, /* lenient= */ false, &error);
        if (r < 0)
                (void) cgroup_remove(root, name);
        if (r == -EPERM)
                SKIP("BPF programs cannot be loaded here");
        CHECK_INT(r, 0);
        for (unsigned round = 0; round < 30 && r >= 0; round++) { /* the last one replaces them all */
                DeviceRule rules[12];
                size_t n = draw_rules(&state, rules, ELEMENTSOF(rules)), size;
                _cleanup_free_ struct bpf_insn *code = NULL;

                CHECK_INT(device_rules_program(rules, n, &code, &size), 0);
                union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insns = (uintptr_t) code, .insn_cnt = (uint32_t) size, .license = (uintptr_t) "x" };
                int program = (int) syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
                if (program < 0)
                        r = -errno;
                (void) fd_close(program);
        }
        CHECK_INT(r, 0);
        CHECK_INT(runtime_devices_write(&tree, &resources, /* lenient= */ false, &error), 0);
        pid_t pid = fork();
        if (pid == 0) {
                if (cgroup_attach(fd, getpid()) < 0)
                        _exit(1);
                if (open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
                        _exit(2);
                if (open("/dev/kmsg", O_RDONLY | O_CLOEXEC) >= 0 || (errno != EPERM && errno != ENOENT))
                        _exit(3);
                _exit(0);
        }
        CHECK(pid > 0);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        (void) cgroup_remove(root, name);
        CHECK_INT(status, 0);
}
