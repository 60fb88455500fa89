/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, tried in a child: lseek(2) of no descriptor is EBADF where it is allowed, and EUCLEAN where it is not. */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/syscall-filter.h"
#include "base/test.h"

/* The errno of an lseek(2) in a child under these rules. */
static int ask(const SyscallRule *rules, size_t n, uint64_t offset, int whence) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                SyscallFilter filter;

                syscall_filter_begin(&filter);
                syscall_filter_allow(&filter, rules, n);
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall_filter_install(&filter, EUCLEAN) < 0)
                        _exit(200);
                _exit(syscall(__NR_lseek, -1, offset, whence) < 0 ? errno : 201);
        }
        return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(each_test) {
        const uint64_t high = UINT64_C(5) << 32;
        const struct {
                SyscallCondition condition;
                uint64_t offset;
                bool allowed;
        } rows[] = {
                { {}, 0, true },
                { SYSCALL_ARG(1, LOW_IS, 7), 7, true },
                { SYSCALL_ARG(1, LOW_IS, 7), high | 7, true },
                { SYSCALL_ARG(1, LOW_IS, 7), 8, false },
                { SYSCALL_ARG(0, LOW_IS, -1), 0, true },
                { SYSCALL_ARG(1, LOW_IS_NOT, 7), 7, false },
                { SYSCALL_ARG(1, LOW_IS_NOT, 7), 8, true },
                { SYSCALL_ARG(1, LOW_WITHIN, 6), 4, true },
                { SYSCALL_ARG(1, LOW_WITHIN, 6), 0, true },
                { SYSCALL_ARG(1, LOW_WITHIN, 6), 5, false },
                { SYSCALL_ARG_WITHOUT(1, 6), 9, true },
                { SYSCALL_ARG_WITHOUT(1, 6), 13, false },
                { SYSCALL_ARG(1, LOW_HAS, 6), 7, true },
                { SYSCALL_ARG(1, LOW_HAS, 6), 5, false },
                { SYSCALL_ARG(1, IS, 7), 7, true },
                { SYSCALL_ARG(1, IS, 7), high | 7, false },
                { SYSCALL_ARG(1, IS, high | 7), high | 7, true },
                { SYSCALL_ARG(1, IS, high | 7), high | 8, false },
                { SYSCALL_ARG(1, HIGH_ABOVE, high), high, false },
                { SYSCALL_ARG(1, HIGH_ABOVE, high), high + (UINT64_C(1) << 32), true },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const SyscallRule rules[] = { { __NR_exit_group }, { __NR_lseek, { rows[i].condition } } };

                CHECK_INT(ask(rules, ELEMENTSOF(rules), rows[i].offset, SEEK_SET), rows[i].allowed ? EBADF : EUCLEAN);
        }
}

TEST(all_conditions_hold) {
        const SyscallRule rules[] = {
                { __NR_exit_group },
                { __NR_lseek, { SYSCALL_ARG(0, LOW_IS, -1), SYSCALL_ARG(1, IS, 3), SYSCALL_ARG(2, LOW_IS, SEEK_SET) } },
                { __NR_lseek, { SYSCALL_ARG(1, IS, 4) } }, /* a call of two rules: either does */
        };
        static const struct {
                uint64_t offset;
                int whence, wanted;
        } rows[] = { { 3, SEEK_SET, EBADF }, { 3, SEEK_CUR, EUCLEAN }, { 4, SEEK_CUR, EBADF }, { 5, SEEK_SET, EUCLEAN } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                CHECK_INT(ask(rules, ELEMENTSOF(rules), rows[i].offset, rows[i].whence), rows[i].wanted);
}

TEST(too_many_rules) {
        SyscallRule rules[300] = {};
        SyscallFilter filter;

        syscall_filter_begin(&filter);
        syscall_filter_allow(&filter, rules, ELEMENTSOF(rules));
        CHECK_INT(syscall_filter_install(&filter, EPERM), -E2BIG);
}
