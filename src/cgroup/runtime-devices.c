/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices a container may open and make. */
#include "cgroup/runtime-devices.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"

enum { DEVICE_PROGRAMS_MAX = 64 };

static const DeviceRule default_rules[] = {
        { true, 'c', -1, -1, DEVICE_MAKE }, { true, 'b', -1, -1, DEVICE_MAKE }, /* a node alone opens nothing */
        { true, 'c', 1, 3, DEVICE_ALL },    { true, 'c', 1, 5, DEVICE_ALL },    /* null, zero */
        { true, 'c', 1, 7, DEVICE_ALL },    { true, 'c', 1, 8, DEVICE_ALL },    /* full, random */
        { true, 'c', 1, 9, DEVICE_ALL },    { true, 'c', 5, 0, DEVICE_ALL },    /* urandom, tty */
        { true, 'c', 5, 1, DEVICE_ALL },    { true, 'c', 5, 2, DEVICE_ALL },    /* console, ptmx */
        { true, 'c', 136, -1, DEVICE_ALL },                                     /* pts */
};

static int resolve_rule(const RuntimeDeviceRule *from, DeviceRule *ret, Error *reterr) {
        static const char letters[] = "mrw"; /* in the order of the bits */
        const char *type = str_empty(from->type) ? "a" : from->type, *access = from->access ?: "";
        DeviceRule rule = { from->allow, *type, from->has_major ? from->major : -1, from->has_minor ? from->minor : -1, 0 };

        if (type[1] || !strchr("abcu", *type))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the device rule of type '%s': not one of a, b, c", type);
        if (*type == 'u')
                rule.type = 'c';
        if (rule.major < -1 || rule.minor < -1 || rule.major > UINT32_MAX || rule.minor > UINT32_MAX)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the device rule for %lld:%lld: not the number of a device",
                                 (long long) rule.major, (long long) rule.minor);
        for (const char *c = access; *c; c++) {
                const char *letter = strchr(letters, *c);

                if (*c == 'a') /* means nothing here, and is passed over by runc */
                        continue;
                if (!letter)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the device rule with access '%s': not of r, w, m", access);
                rule.access |= 1U << (letter - letters);
        }
        if (rule.access == 0)
                rule.access = from->allow ? 0 : DEVICE_ALL; /* it names nothing: the safe reading */
        *ret = rule;
        return 0;
}

int device_rules_resolve(const RuntimeResources *resources, DeviceRule **ret, size_t *ret_n, size_t *ret_n_own, Error *reterr) {
        _cleanup_free_ DeviceRule *rules = calloc(resources->n_devices + ELEMENTSOF(default_rules), sizeof(*rules));
        int r = rules ? 0 : error_oom(reterr);

        for (size_t i = 0; i < resources->n_devices && r >= 0; i++)
                r = resolve_rule(resources->devices + i, rules + i, reterr);
        if (r < 0)
                return r;
        memcpy(rules + resources->n_devices, default_rules, sizeof(default_rules));
        *ret = TAKE_PTR(rules);
        *ret_n_own = resources->n_devices;
        *ret_n = resources->n_devices + ELEMENTSOF(default_rules);
        return 0;
}

/* ---- v1 ---- */

static bool is_everything(const DeviceRule *rule) {
        return rule->type == 'a' && rule->major < 0 && rule->minor < 0 && rule->access == DEVICE_ALL;
}

static bool covers(const DeviceRule *rule, const DeviceRule *other) {
        return rule->type == other->type && (rule->major < 0 || rule->major == other->major) && (rule->minor < 0 || rule->minor == other->minor);
}

static bool meets(const DeviceRule *rule, const DeviceRule *other) {
        return rule->type == other->type && (rule->major < 0 || other->major < 0 || rule->major == other->major) &&
               (rule->minor < 0 || other->minor < 0 || rule->minor == other->minor);
}

/* The exceptions of one of the types, and what is none. */
typedef struct Exceptions {
        bool allow;
        DeviceRule *items;
        size_t n;
} Exceptions;

/* Takes a rule's part out of the exceptions, as it says what goes for all others. -EBUSY: it is a part of one. */
static int take_out(Exceptions *e, const DeviceRule *rule) {
        for (size_t i = 0; i < e->n; i++)
                if (meets(e->items + i, rule) && (e->items[i].access & rule->access) && !covers(rule, e->items + i))
                        return -EBUSY;
        for (size_t i = 0; i < e->n; i++)
                if (covers(rule, e->items + i))
                        e->items[i].access &= ~rule->access;
        return 0;
}

static void put_in(Exceptions *e, const DeviceRule *rule) {
        for (size_t i = 0; i < e->n; i++)
                if (covers(rule, e->items + i) && covers(e->items + i, rule)) {
                        e->items[i].access |= rule->access;
                        return;
                }
        e->items[e->n++] = *rule;
}

static int apply(Exceptions *e, const DeviceRule *rule) {
        if (is_everything(rule)) {
                e->allow = rule->allow;
                e->n = 0;
                return 0;
        }
        for (const char *type = "bc"; *type; type++) {
                DeviceRule one = *rule;

                one.type = *type;
                if (rule->type != *type && rule->type != 'a')
                        continue;
                if (rule->allow != e->allow)
                        put_in(e, &one);
                else if (take_out(e, &one) < 0)
                        return -EBUSY;
        }
        return 0;
}

int device_rules_exceptions(const DeviceRule *rules, size_t n, size_t n_own, bool *ret_allow, DeviceRule **ret, size_t *ret_n, Error *reterr) {
        _cleanup_free_ DeviceRule *items = calloc(2 * n + 1, sizeof(*items));
        Exceptions e = { .items = items };
        size_t kept = 0;

        if (!items)
                return error_oom(reterr);
        for (size_t i = 0; i < n; i++)
                if (apply(&e, rules + i) < 0 && i < n_own)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                         "cannot use the device rule for %c %lld:%lld: cgroup v1 cannot take a part out of another rule", rules[i].type,
                                         (long long) rules[i].major, (long long) rules[i].minor);
        for (size_t i = 0; i < e.n; i++)
                if (items[i].access) {
                        items[kept] = items[i];
                        items[kept++].allow = !e.allow;
                }
        *ret_allow = e.allow;
        *ret = TAKE_PTR(items);
        *ret_n = kept;
        return 0;
}

static void put_number(char *to, size_t size, int64_t number) {
        if (number < 0)
                (void) snprintf(to, size, "*");
        else
                (void) snprintf(to, size, "%lld", (long long) number);
}

static bool is_default(const DeviceRule *rule) {
        for (size_t i = 0; i < ELEMENTSOF(default_rules); i++)
                if (rule->allow && covers(default_rules + i, rule) && (rule->access & ~default_rules[i].access) == 0)
                        return true;
        return false;
}

static int write_v1(int fd, const DeviceRule *rules, size_t n, size_t n_own, Error *reterr) {
        _cleanup_free_ DeviceRule *exceptions = NULL;
        size_t n_exceptions;
        bool allow;
        int r = device_rules_exceptions(rules, n, n_own, &allow, &exceptions, &n_exceptions, reterr);

        if (r < 0)
                return r;
        r = file_write_string(fd, allow ? "devices.allow" : "devices.deny", "a");
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set the device rules");
        _cleanup_fd_ int file = openat(fd, allow ? "devices.deny" : "devices.allow", O_WRONLY | O_CLOEXEC);
        if (file < 0)
                return error_set_errno(reterr, -errno, "cannot set the device rules");
        for (size_t i = 0; i < n_exceptions; i++) {
                const DeviceRule *rule = exceptions + i;
                char text[64], major[24], minor[24];

                put_number(major, sizeof(major), rule->major);
                put_number(minor, sizeof(minor), rule->minor);
                int length = snprintf(text, sizeof(text), "%c %s:%s %s%s%s", rule->type, major, minor, rule->access & DEVICE_READ ? "r" : "",
                                      rule->access & DEVICE_WRITE ? "w" : "", rule->access & DEVICE_MAKE ? "m" : "");
                /* who is in a container that may not have a default device goes without it, too */
                if (write(file, text, (size_t) length) < 0 && !(errno == EPERM && is_default(rule)))
                        return error_set_errno(reterr, -errno, "cannot set the device rule '%s'", text);
        }
        return 0;
}

/* ---- v2 ---- */

typedef struct Program {
        struct bpf_insn *code;
        size_t n;
} Program;

static void emit(Program *p, struct bpf_insn instruction) {
        p->code[p->n++] = instruction;
}

static void emit_end(Program *p, bool allow) {
        emit(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = allow });
        emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

/* Register 2 is the type, 3 the access that no rule has decided yet, 4 and 5 are the numbers. */
static void emit_rule(Program *p, const DeviceRule *rule) {
        const uint8_t unequal = BPF_JMP32 | BPF_JNE | BPF_K;
        const struct {
                bool wanted;
                struct bpf_insn instruction;
        } matches[] = {
                { rule->type != 'a', { .code = unequal, .dst_reg = BPF_REG_2, .imm = rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR } },
                { rule->major >= 0, { .code = unequal, .dst_reg = BPF_REG_4, .imm = (int32_t) rule->major } },
                { rule->minor >= 0, { .code = unequal, .dst_reg = BPF_REG_5, .imm = (int32_t) rule->minor } },
        };
        size_t jumps[ELEMENTSOF(matches) + 1], n = 0;

        for (size_t i = 0; i < ELEMENTSOF(matches); i++)
                if (matches[i].wanted) {
                        jumps[n++] = p->n;
                        emit(p, matches[i].instruction);
                }
        if (rule->access != DEVICE_ALL && !rule->allow) {
                emit(p, (struct bpf_insn){ .code = BPF_JMP32 | BPF_JSET | BPF_K, .dst_reg = BPF_REG_3, .off = 1, .imm = (int32_t) rule->access });
                jumps[n++] = p->n;
                emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_JA });
        } else if (rule->access != DEVICE_ALL) {
                emit(p, (struct bpf_insn){ .code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = BPF_REG_3, .imm = (int32_t) (DEVICE_ALL & ~rule->access) });
                jumps[n++] = p->n;
                emit(p, (struct bpf_insn){ .code = unequal, .dst_reg = BPF_REG_3 });
        }
        emit_end(p, rule->allow);
        for (size_t i = 0; i < n; i++) /* to the next rule */
                p->code[jumps[i]].off = (int16_t) (p->n - jumps[i] - 1);
}

static const struct bpf_insn program_head[] = {
        { .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1, .off = offsetof(struct bpf_cgroup_dev_ctx, access_type) },
        { .code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_2 },
        { .code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = BPF_REG_2, .imm = 0xffff },
        { .code = BPF_ALU | BPF_RSH | BPF_K, .dst_reg = BPF_REG_3, .imm = 16 },
        { .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_4, .src_reg = BPF_REG_1, .off = offsetof(struct bpf_cgroup_dev_ctx, major) },
        { .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_5, .src_reg = BPF_REG_1, .off = offsetof(struct bpf_cgroup_dev_ctx, minor) },
};

int device_rules_program(const DeviceRule *rules, size_t n, struct bpf_insn **ret, size_t *ret_n) {
        enum { PER_RULE = 7, END = 2 };
        Program p = { .code = calloc(ELEMENTSOF(program_head) + PER_RULE * n + END, sizeof(struct bpf_insn)) };
        bool open = true; /* the next instruction can be reached: the kernel takes no others */

        if (!p.code)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(program_head); i++)
                emit(&p, program_head[i]);
        for (size_t i = n; i > 0 && open; i--) {
                if (rules[i - 1].access)
                        emit_rule(&p, rules + i - 1);
                open = !is_everything(rules + i - 1);
        }
        if (open)
                emit_end(&p, /* allow= */ false);
        *ret = p.code;
        *ret_n = p.n;
        return 0;
}

static int bpf(int command, union bpf_attr *attr) {
        long r = RETRY_EINTR(syscall(SYS_bpf, command, attr, sizeof(*attr)));

        return r < 0 ? -errno : (int) r;
}

/* The programs of an earlier container in this cgroup: they would go on to deny. */
static void detach_others(int cgroup_fd, uint32_t own_id) {
        uint32_t ids[DEVICE_PROGRAMS_MAX];
        union bpf_attr query = { .query = { .target_fd = (uint32_t) cgroup_fd, .attach_type = BPF_CGROUP_DEVICE, .prog_ids = (uintptr_t) ids, .prog_cnt = DEVICE_PROGRAMS_MAX } };

        if (bpf(BPF_PROG_QUERY, &query) < 0)
                return;
        for (uint32_t i = 0; i < query.query.prog_cnt; i++) {
                union bpf_attr by_id = { .prog_id = ids[i] };
                _cleanup_fd_ int program = ids[i] == own_id ? -EBADF : bpf(BPF_PROG_GET_FD_BY_ID, &by_id);
                union bpf_attr detach = { .target_fd = (uint32_t) cgroup_fd, .attach_bpf_fd = (uint32_t) program, .attach_type = BPF_CGROUP_DEVICE };

                if (program >= 0)
                        (void) bpf(BPF_PROG_DETACH, &detach);
        }
}

static uint32_t program_id(int program) {
        struct bpf_prog_info info = {};
        union bpf_attr attr = { .info = { .bpf_fd = (uint32_t) program, .info_len = sizeof(info), .info = (uintptr_t) &info } };

        return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0 ? 0 : info.id;
}

static int write_v2(const CgroupHierarchy *h, const DeviceRule *rules, size_t n, bool lenient, Error *reterr) {
        _cleanup_free_ struct bpf_insn *code = NULL;
        size_t size;

        if (device_rules_program(rules, n, &code, &size) < 0)
                return error_oom(reterr);
        union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insns = (uintptr_t) code, .insn_cnt = (uint32_t) size, .license = (uintptr_t) "Apache-2.0" };
        _cleanup_fd_ int program = bpf(BPF_PROG_LOAD, &load);
        if (program == -EPERM && lenient)
                return 0;
        if (program < 0)
                return error_set_errno(reterr, program, "cannot load the device rules");
        union bpf_attr attach = {
                .target_fd = (uint32_t) h->fd, .attach_bpf_fd = (uint32_t) program, .attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI,
        };
        int r = bpf(BPF_PROG_ATTACH, &attach);
        if (r == -EPERM && lenient)
                return 0;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set the device rules");
        if (h->existed)
                detach_others(h->fd, program_id(program));
        return 0;
}

int runtime_devices_write(const CgroupTree *tree, const RuntimeResources *resources, bool lenient, Error *reterr) {
        const CgroupHierarchy *v1 = cgroup_tree_v1(tree, "devices"), *unified = cgroup_tree_unified(tree);
        _cleanup_free_ DeviceRule *rules = NULL;
        size_t n, n_own;
        int r = device_rules_resolve(resources, &rules, &n, &n_own, reterr);

        if (r < 0)
                return r;
        if (v1 && v1->fd >= 0) {
                r = write_v1(v1->fd, rules, n, n_own, reterr);
                if (r == -EPERM && lenient) {
                        error_done(reterr);
                        r = 0;
                }
                return r;
        }
        if (unified && unified->fd >= 0)
                return write_v2(unified, rules, n, lenient, reterr);
        return lenient ? 0 : error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot set the device rules: the cgroup controller 'devices' is not available");
}
