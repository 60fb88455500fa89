/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, capabilities, identity, no_new_privs, seccomp. */
#include "proc/credentials.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "proc/seccomp-bypass.h"

static int set_identity(const ContainerUser *user, bool setgroups_denied, const char **ret_failed) {
        *ret_failed = "set the supplementary groups";
        if (!user->keep_groups && !(setgroups_denied && user->n_groups == 0) && setgroups(user->n_groups, user->groups) < 0)
                return -errno;
        *ret_failed = "set the group ID";
        if (setresgid(user->gid, user->gid, user->gid) < 0)
                return -errno;
        *ret_failed = "set the user ID";
        return setresuid(user->uid, user->uid, user->uid) < 0 ? -errno : 0;
}

int personality_apply(const char *name, Error *reterr) {
        static const struct {
                const char *name;
                unsigned long domain;
        } domains[] = { { "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 } };

        if (!name)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(domains); i++)
                if (str_equal(domains[i].name, name))
                        return personality(domains[i].domain) < 0
                                       ? error_set_errno(reterr, -errno, "cannot use --personality '%s'", name) : 0;
        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --personality '%s': not known", name);
}

int oom_score_apply(int score, Error *reterr) {
        char text[16];

        if (score == 0)
                return 0;
        (void) snprintf(text, sizeof(text), "%d", score);
        int r = file_write_string(AT_FDCWD, "/proc/self/oom_score_adj", text);
        if (r < 0) {
                (void) error_set_errno(reterr, r, "cannot set the OOM score to %s", text);
                error_hint(reterr, "an ordinary user can only raise it");
        }
        return r;
}

int apparmor_apply(const char *profile, int proc_fd, Error *reterr) {
        _cleanup_free_ char *text = profile ? str_format("exec %s", profile) : NULL;

        if (!profile)
                return 0;
        if (!text)
                return error_oom(reterr);
        int r = file_write_string(proc_fd, "self/attr/apparmor/exec", text);
        if (r == -ENOENT) /* before Linux 5.8 there was one place for all such modules */
                r = file_write_string(proc_fd, "self/attr/exec", text);
        if (r >= 0)
                return 0;
        (void) error_set_errno(reterr, r, "cannot use the AppArmor profile '%s'", profile);
        if (r == -ENOENT)
                error_hint(reterr, "root loads it with apparmor_parser(8)");
        return r;
}

int credentials_apply(const Credentials *credentials, const char **ret_failed) {
        bool bypass = credentials->bypass != BYPASS_WALL_NONE, filtered = seccomp_filter_is_set(credentials->seccomp);
        int r, resource;

        *ret_failed = "set a resource limit";
        r = rlimit_apply(credentials->rlimits, &resource);
        if (r < 0)
                return r;
        *ret_failed = "limit the capabilities";
        r = caps_limit(credentials->caps->bounding);
        if (r < 0)
                return r;
        r = set_identity(credentials->user, credentials->setgroups_denied, ret_failed);
        if (r < 0)
                return r;
        *ret_failed = "set the capabilities";
        r = caps_set(credentials->caps, credentials->user->uid == 0, (filtered || bypass) && !credentials->no_new_privileges);
        if (r < 0)
                return r;
        *ret_failed = "set no_new_privs";
        if (credentials->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        *ret_failed = "watch the connections";
        if (bypass && (r = seccomp_bypass_load(credentials->bypass_fd, credentials->bypass)) < 0)
                return r;
        *ret_failed = "load the seccomp filter";
        return filtered ? seccomp_filter_load(credentials->seccomp) : 0;
}
