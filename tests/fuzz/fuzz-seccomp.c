/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as rules of a seccomp profile: the filter that is loaded gives the verdict that the library's own program gives, whatever is called. */
#include "fuzz.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "proc/seccomp-shrink.h"

#include "../unit/proc/bpf.h"

typedef struct Input {
        const uint8_t *data;
        size_t size, at;
} Input;

static uint64_t take(Input *in, size_t n) {
        uint64_t value = 0;

        while (n-- > 0)
                value = value << 8 | (in->at < in->size ? in->data[in->at++] : 0);
        return value;
}

static const uint32_t architectures[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_AARCH64, SCMP_ARCH_ARM };
static const uint32_t actions[] = { SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(1), SCMP_ACT_ERRNO(38), SCMP_ACT_KILL_PROCESS, SCMP_ACT_TRAP, SCMP_ACT_LOG, SCMP_ACT_TRACE(7), SCMP_ACT_NOTIFY };

static void add_rule(scmp_filter_ctx ctx, Input *in) {
        uint32_t action = actions[take(in, 1) % ELEMENTSOF(actions)];
        int first = (int) take(in, 2) % 480, count = (int) take(in, 1) % 64;
        struct scmp_arg_cmp args[3];
        unsigned n = (unsigned) take(in, 1) % 4;

        for (unsigned i = 0; i < n; i++) {
                args[i] = (struct scmp_arg_cmp){ .arg = (unsigned) take(in, 1) % 6, .op = (enum scmp_compare) (1 + take(in, 1) % 7) };
                args[i].datum_a = take(in, 1) & 1 ? take(in, 8) : take(in, 1);
                args[i].datum_b = args[i].op == SCMP_CMP_MASKED_EQ ? take(in, 1) & args[i].datum_a : 0;
        }
        for (int nr = first; nr <= first + count; nr++) /* neighbours share a verdict, as in real profiles */
                (void) seccomp_rule_add_array(ctx, action, nr, n, args);
}

static char *make_filter(Input *in, size_t *ret_size) {
        scmp_filter_ctx ctx = seccomp_init(actions[take(in, 1) % (ELEMENTSOF(actions) - 1)]);
        uint8_t more = (uint8_t) take(in, 1);
        char *text = NULL;

        if (!ctx)
                return NULL;
        (void) seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, more & 1 ? 2 : 1);
        for (size_t i = 0; i < ELEMENTSOF(architectures); i++)
                if (more >> (i + 1) & 1)
                        (void) seccomp_arch_add(ctx, architectures[i]);
        while (in->at < in->size)
                add_rule(ctx, in);
        int fd = io_memfd("filter", "", 0);
        if (fd >= 0 && seccomp_export_bpf(ctx, fd) >= 0 && lseek(fd, 0, SEEK_SET) >= 0 && io_read_all(fd, 1 << 20, &text, ret_size) < 0)
                text = NULL;
        (void) fd_close(fd);
        seccomp_release(ctx);
        return text;
}

static void compare(const struct sock_filter *one, size_t n_one, const struct sock_filter *other, size_t n_other, const struct seccomp_data *data) {
        if (bpf_run(one, n_one, data) != bpf_run(other, n_other, data))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Input in = { data, size, 0 };
        size_t n_bytes = 0, n_shorter;
        _cleanup_free_ struct sock_filter *shorter = NULL;
        _cleanup_free_ char *text = make_filter(&in, &n_bytes);
        const struct sock_filter *code = (const struct sock_filter *) (const void *) text;
        size_t n = n_bytes / sizeof(*code);

        if (!text || seccomp_shrink(code, n, &shorter, &n_shorter) < 0)
                return 0;
        if (n_shorter >= n)
                abort();
        for (size_t a = 0; a <= ELEMENTSOF(architectures); a++)
                for (int nr = 0; nr < 500; nr++) {
                        struct seccomp_data call = { .arch = a < ELEMENTSOF(architectures) ? architectures[a] : AUDIT_ARCH_PPC, .nr = nr };

                        for (size_t k = 0; k < 4; k++) { /* with the constants of the filter as arguments */
                                for (size_t i = 0; i < ELEMENTSOF(call.args); i++)
                                        call.args[i] = k == 0 ? 0 : (uint64_t) code[(size_t) (nr + 1) * (i + 7) * k % n].k << (k == 3 ? 32 : 0);
                                compare(code, n, shorter, n_shorter, &call);
                        }
                        call.nr |= 0x40000000;
                        compare(code, n, shorter, n_shorter, &call);
                        call.nr = (int) (code[(size_t) nr % n].k + (nr & 1));
                        compare(code, n, shorter, n_shorter, &call);
                }
        return 0;
}
