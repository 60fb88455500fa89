/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, IDs, capabilities and filter of a process. */
#include "oci/identity.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "proc/caps.h"
#include "spec/rlimit.h"

/* ---- capabilities ---- */

/* What nobody knows is not granted, and warned of by oci_caps_warn(). */
static uint64_t set_of(char *const *names) {
        uint64_t set = 0;

        for (char *const *n = names; n && *n; n++) {
                int cap = caps_from_name(*n);

                if (cap >= 0)
                        set |= CAPS_BIT(cap);
        }
        return set;
}

OciCaps oci_caps_plan(const RuntimeProcess *process) {
        const RuntimeCapabilities *names = &process->capabilities;

        return (OciCaps) {
                .bounding = set_of(names->bounding),
                .effective = set_of(names->effective),
                .inheritable = set_of(names->inheritable),
                .permitted = set_of(names->permitted),
                .ambient = set_of(names->ambient),
        };
}

static bool is_in(char *const *names, char *const *end, const char *name) {
        for (char *const *n = names; n && *n && n != end; n++)
                if (str_equal(*n, name))
                        return true;
        return false;
}

void oci_caps_warn(const RuntimeProcess *process) {
        const RuntimeCapabilities *caps = &process->capabilities;
        char *const *const lists[] = { caps->bounding, caps->effective, caps->inheritable, caps->permitted, caps->ambient };

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (char *const *n = lists[i]; n && *n; n++) {
                        bool is_told = is_in(lists[i], n, *n);

                        for (size_t before = 0; before < i && !is_told; before++)
                                is_told = is_in(lists[before], NULL, *n);
                        if (!is_told && caps_from_name(*n) < 0)
                                log_warning("cannot grant capability '%s': there is no such capability", *n);
                }
}

/* What cannot be granted is left out (config.md, "capabilities"): oci_create() has warned of it. CAP_SYS_ADMIN stays until the execve, which
 * drops it as no set has it: seccomp(2) needs it where no_new_privs is not set. */
static int set_caps(const OciCaps *caps, bool keep_sys_admin) {
        uint64_t held = 0, extra, permitted;
        int r = caps_read_permitted(&held);

        if (r < 0)
                return r;
        extra = keep_sys_admin ? held & CAPS_BIT(CAP_SYS_ADMIN) : 0;
        permitted = caps->permitted & held;
        r = caps_write((caps->effective & permitted) | extra, permitted | extra, caps->inheritable & held);
        if (r < 0)
                return r;
        for (int cap = 0; cap < 64; cap++)
                if ((caps->ambient & permitted & caps->inheritable & CAPS_BIT(cap)) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
                        return -errno;
        return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ? -errno : 0;
}

/* ---- limits ---- */

static int explain_limit(const ContainerRlimit *limit, int code, Error *reterr) {
        (void) error_set_errno(reterr, code, "cannot set %s to %llu:%llu", limit->type, (unsigned long long) limit->soft,
                               (unsigned long long) limit->hard);
        return code == -EPERM ? error_with_hint(reterr, code, "the hard limit of whoever starts the container is lower") : code;
}

static int set_limit(const ContainerRlimit *limit, bool raise_only, Error *reterr) {
        const RlimitKind *kind = rlimit_kind_by_type(limit->type);
        struct rlimit wanted = { .rlim_cur = limit->soft, .rlim_max = limit->hard }, now;

        if (!kind)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot set '%s': there is no such limit", limit->type);
        if (limit->soft > limit->hard)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot set '%s': the soft limit is above the hard one", limit->type);
        if (raise_only) {
                if (getrlimit((__rlimit_resource_t) kind->resource, &now) < 0)
                        return explain_limit(limit, -errno, reterr);
                if (limit->hard <= now.rlim_max)
                        return 0;
                wanted.rlim_cur = now.rlim_cur;
        }
        return setrlimit((__rlimit_resource_t) kind->resource, &wanted) < 0 ? explain_limit(limit, -errno, reterr) : 0;
}

static int set_limits(const RuntimeProcess *process, bool raise_only, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < process->n_rlimits && r >= 0; i++)
                r = set_limit(&process->rlimits[i], raise_only, reterr);
        return r;
}

int oci_rlimits_raise(const RuntimeProcess *process, Error *reterr) {
        return set_limits(process, /* raise_only= */ true, reterr);
}

/* ---- labels ---- */

static int write_label(int proc_fd, const char *const files[2], const char *what, const char *text, Error *reterr) {
        int r = file_write_string(proc_fd, files[0], text);

        if (r == -ENOENT && files[1])
                r = file_write_string(proc_fd, files[1], text);
        return r < 0 ? error_set_errno(reterr, r, "cannot use %s '%s'", what, text) : 0;
}

OciLabels oci_identity_labels(void) {
        return (OciLabels){
                .selinux = access("/sys/fs/selinux/enforce", F_OK) == 0,
                .apparmor = access("/sys/module/apparmor/parameters/enabled", F_OK) == 0,
        };
}

int oci_identity_label(const RuntimeProcess *process, OciLabels labels, int proc_fd, Error *reterr) {
        /* before Linux 5.8 there was one place for all such modules */
        static const char *const apparmor[] = { "self/attr/apparmor/exec", "self/attr/exec" }, *const selinux[] = { "self/attr/exec", NULL };
        int r = 0;

        if (!str_empty(process->selinux_label) && labels.selinux)
                r = write_label(proc_fd, selinux, "the SELinux label", process->selinux_label, reterr);
        if (r >= 0 && !str_empty(process->apparmor_profile) && labels.apparmor) {
                _cleanup_free_ char *text = str_format("exec %s", process->apparmor_profile);

                r = text ? write_label(proc_fd, apparmor, "the AppArmor profile", text, reterr) : error_oom(reterr);
        }
        return r;
}

/* ---- in force ---- */

static int set_ids(const RuntimeUser *user, bool keep_groups, Error *reterr) {
        static_assert(sizeof(gid_t) == sizeof(*user->additional_gids), "one kind of number");

        /* a user namespace of a single ID denies it (user_namespaces(7)): with none to set, the caller's stay, unmapped */
        if (!keep_groups && setgroups(user->n_additional_gids, user->additional_gids) < 0 && (errno != EPERM || user->n_additional_gids > 0))
                return error_set_errno(reterr, -errno, "cannot set the supplementary groups");
        if (setresgid(user->gid, user->gid, user->gid) < 0)
                return error_set_errno(reterr, -errno, "cannot set the group ID %u", user->gid);
        if (setresuid(user->uid, user->uid, user->uid) < 0)
                return error_set_errno(reterr, -errno, "cannot set the user ID %u", user->uid);
        return 0;
}

static int load_filter(const OciIdentity *identity, Error *reterr) {
        if (!seccomp_filter_is_set(identity->filter))
                return 0;
        int r = identity->listener_socket >= 0 ? seccomp_filter_load_listener(identity->filter, identity->listener_socket, identity->listener_message)
                                               : seccomp_filter_load(identity->filter);
        return r < 0 ? error_set_errno(reterr, r, "cannot load the seccomp filter") : 0;
}

int oci_identity_apply(const OciIdentity *identity, Error *reterr) {
        const RuntimeProcess *process = identity->process;
        bool privilege = seccomp_filter_is_set(identity->filter) && !process->no_new_privileges;

        (void) umask(process->user.has_umask ? process->user.umask & 0777 : 0022);
        int r = set_limits(process, /* raise_only= */ false, reterr);
        if (r < 0)
                return r;
        r = caps_limit(identity->caps->bounding);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot limit the capabilities");
        r = set_ids(&process->user, identity->keep_groups, reterr);
        if (r < 0)
                return r;
        r = set_caps(identity->caps, privilege);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set the capabilities");
        if (identity->die_with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return error_set_errno(reterr, -errno, "cannot tie the process to its command");
        if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot set no_new_privs");
        return load_filter(identity, reterr);
}
