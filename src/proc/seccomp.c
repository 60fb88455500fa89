/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the filter of a container and loads it. */
#include "proc/seccomp.h"

#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "proc/seccomp-profile.h"
#include "proc/seccomp-table.h"

#include "proc/seccomp-default.h"

void seccomp_filter_done(SeccompFilter *filter) {
        free(filter->owned);
        *filter = SECCOMP_FILTER_NULL;
}

const SeccompTable *seccomp_default(void) {
        return &seccomp_default_table;
}

static int prepare_default(uint64_t open, SeccompFilter *ret, Error *reterr) {
        _cleanup_free_ struct sock_filter *code = NULL;
        int n;

        for (size_t i = 0; i < ELEMENTSOF(seccomp_embedded); i++)
                if (seccomp_embedded[i].open == (open & seccomp_default_table.relevant)) {
                        *ret = (SeccompFilter){ .code = seccomp_embedded[i].code, .n_code = seccomp_embedded[i].n_code };
                        return 0;
                }
        code = malloc(SECCOMP_CODE_MAX * sizeof(*code));
        if (!code)
                return error_oom(reterr);
        n = seccomp_compile(&seccomp_default_table, open, code);
        if (n < 0)
                return error_set_errno(reterr, n, "cannot compile the default seccomp profile");
        *ret = (SeccompFilter){ .code = code, .n_code = (size_t) n, .owned = code };
        code = NULL;
        return 0;
}

int seccomp_prepare(const SeccompRequest *request, SeccompFilter *ret, Error *reterr) {
        if (str_equal(request->profile, "unconfined") || (!request->profile && request->privileged)) {
                *ret = SECCOMP_FILTER_NULL;
                return 0;
        }
        if (!request->profile)
                return prepare_default(request->capabilities | request->openings, ret, reterr);
        if (request->openings)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot use --security-opt '%s': it changes the default seccomp profile, and another one was given",
                                 security_opening_to_name(__builtin_ctzll(request->openings) - SECURITY_OPENING_FIRST_BIT));
        return seccomp_profile_prepare(request->profile, request->capabilities, request->data_fd, ret, reterr);
}

int seccomp_filter_load(const SeccompFilter *filter) {
        struct sock_fprog program = {
                .len = (unsigned short) filter->n_code,
                .filter = (struct sock_filter *) filter->code, /* the kernel only reads it */
        };

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program) < 0 ? -errno : 0;
}
