/* SPDX-License-Identifier: Apache-2.0 */
/* Looking args[0] up. */
#include "oci/program.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "oci/identity.h"
#include "oci/streams.h"
#include "proc/caps.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *reason(int code) {
        switch (code) {
        case -ENOENT:
                return "no such file or directory";
        case -EACCES:
                return "permission denied";
        case -ENOTDIR:
                return "not a directory";
        case -ENOEXEC:
                return "exec format error";
        case -EISDIR:
                return "is a directory";
        default:
                return strerror(-code);
        }
}

int oci_program_explain(int code, const char *name, Error *reterr) {
        ErrorKind kind = code == -ENOENT || code == -ENOTDIR ? ERROR_COMMAND_NOT_FOUND : ERROR_NOT_EXECUTABLE;
        const char *verb = code == -ENOENT || code == -ENOTDIR ? "stat " : "";

        return error_set(reterr, code, kind, "exec: \"%s\": %s%s%s%s", name, verb, *verb ? name : "", *verb ? ": " : "", reason(code));
}

int oci_program_explain_exec(int code, const char *path, Error *reterr) {
        ErrorKind kind = code == -ENOENT || code == -ENOTDIR ? ERROR_COMMAND_NOT_FOUND : ERROR_NOT_EXECUTABLE;

        return error_set(reterr, code, kind, "exec %s: %s", path, reason(code));
}

static int check(const char *path) {
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int find_in_path(const char *name, const char *path, char **ret, Error *reterr) {
        _cleanup_strv_ char **directories = strv_split(path, ":");
        bool denied = false;

        if (!directories)
                return error_oom(reterr);
        for (char **d = directories; *d; d++) {
                _cleanup_free_ char *candidate = str_format("%s/%s", str_empty(*d) ? "." : *d, name);
                int r = candidate ? check(candidate) : -ENOMEM;

                if (r == -ENOMEM)
                        return error_oom(reterr);
                if (r == 0) {
                        *ret = TAKE_PTR(candidate);
                        return 0;
                }
                denied |= r == -EACCES;
        }
        return denied ? oci_program_explain(-EACCES, name, reterr)
                      : error_set(reterr, -ENOENT, ERROR_COMMAND_NOT_FOUND, "exec: \"%s\": executable file not found in $PATH", name);
}

/* The runtime's own file, by way of /proc/self/exe: nobody can write to it (seal.c), and it is nobody's program either. The same file
 * that is mounted in the container is the container's. */
static bool is_own_program(const struct statx *own, const char *path) {
        struct statx other;

        return statx(AT_FDCWD, path, 0, STATX_INO | STATX_MNT_ID, &other) == 0 && own->stx_ino == other.stx_ino &&
               own->stx_mnt_id == other.stx_mnt_id;
}

int oci_program_identify(int proc_fd, struct statx *ret, Error *reterr) {
        return statx(proc_fd, "self/exe", 0, STATX_INO | STATX_MNT_ID, ret) < 0 ? error_set_errno(reterr, -errno, "cannot look at the own program") : 0;
}

static int find(const RuntimeProcess *process, char **ret, Error *reterr) {
        const char *name = process->args ? process->args[0] : NULL, *path = strv_env_get(process->env, "PATH");

        if (str_empty(name))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "process.args is empty");
        if (!strchr(name, '/'))
                return find_in_path(name, path ?: DEFAULT_PATH, ret, reterr);
        int r = check(name);
        if (r < 0)
                return oci_program_explain(r, name, reterr);
        return (*ret = strdup(name)) ? 0 : error_oom(reterr);
}

/* execve(2) asks the effective capabilities, and root's lookup asks the same. */
static bool passes_over_modes(const RuntimeProcess *process) {
        const OciCaps caps = oci_caps_plan(process);

        return caps.effective & caps.permitted & CAPS_BIT(CAP_DAC_OVERRIDE);
}

int oci_program_prepare(const RuntimeProcess *process, bool keep_groups, const struct statx *own, char **ret, Error *reterr) {
        _cleanup_free_ char *program = NULL;
        int r = oci_streams_enter(process->cwd, reterr);

        if (r == -EACCES && process->user.uid != 0) { /* it may be the user's alone (NFS): found out when we are him */
                error_done(reterr);
                r = 0;
        }
        if (r < 0)
                return r;
        if (!keep_groups)
                (void) setgroups(process->user.n_additional_gids, process->user.additional_gids);
        (void) setfsgid(process->user.gid);
        if (!passes_over_modes(process))
                (void) setfsuid(process->user.uid);
        r = find(process, &program, reterr);
        (void) setfsuid(geteuid());
        (void) setfsgid(getegid());
        if (r >= 0 && is_own_program(own, program))
                return oci_program_explain(-EACCES, process->args[0], reterr);
        *ret = TAKE_PTR(program);
        return r;
}
