/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, capabilities, identity, no_new_privs, seccomp. */
#include "proc/credentials.h"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

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

int credentials_apply(const Credentials *credentials, const char **ret_failed) {
        bool filtered = seccomp_filter_is_set(credentials->seccomp);
        int r, resource;

        *ret_failed = "set a resource limit";
        r = rlimit_apply(credentials->rlimits, &resource);
        if (r < 0)
                return r;
        *ret_failed = "limit the capabilities";
        r = caps_limit(credentials->caps);
        if (r < 0)
                return r;
        r = set_identity(credentials->user, credentials->setgroups_denied, ret_failed);
        if (r < 0)
                return r;
        *ret_failed = "set the capabilities";
        r = caps_set(credentials->caps, credentials->user->uid == 0, filtered && !credentials->no_new_privileges);
        if (r < 0)
                return r;
        *ret_failed = "set no_new_privs";
        if (credentials->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        *ret_failed = "load the seccomp filter";
        return filtered ? seccomp_filter_load(credentials->seccomp) : 0;
}
