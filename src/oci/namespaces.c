/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces made and joined (clone3(2), setns(2)).
 *
 * Theory of operation. Where no user namespace stands between them, the starter clones the init with the new namespaces and the init
 * joins the others itself; only a PID namespace holds for children alone, and so is joined by the starter for the moment of the clone.
 * Who is in a new user namespace may not join namespaces of the one outside, and what is made before another user namespace is joined
 * belongs to the wrong one: then a process in between, the joiner, joins all of them and clones the init as the starter's child
 * (CLONE_PARENT).
 *
 * The cgroup namespace is made (unshare(2)) when the init is in its cgroup, as that is what becomes its root; the time namespace
 * takes its offsets before anybody is in it. */
#include "oci/namespaces.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "ns/handle.h"

/* In the order in which they are joined: the user namespace gives the capabilities for the others, and after the mount namespace
 * no path of the host's holds any more. */
static const struct {
        const char *type, *file;
        int flag;
} kinds[] = {
        { "user", "user", CLONE_NEWUSER }, { "pid", "pid", CLONE_NEWPID }, { "network", "net", CLONE_NEWNET },
        { "ipc", "ipc", CLONE_NEWIPC },    { "uts", "uts", CLONE_NEWUTS }, { "cgroup", "cgroup", CLONE_NEWCGROUP },
        { "time", "time", CLONE_NEWTIME }, { "mount", "mnt", CLONE_NEWNS },
};

enum { MADE_FROM_INSIDE = CLONE_NEWCGROUP | CLONE_NEWTIME };

void oci_namespaces_done(OciNamespaces *namespaces) {
        for (size_t i = 0; i < namespaces->n_joins; i++)
                (void) fd_close(namespaces->joins[i].fd);
        *namespaces = OCI_NAMESPACES_NULL;
}

static int flag_of(const char *type) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (str_equal(type, kinds[i].type))
                        return kinds[i].flag;
        return 0;
}

int oci_namespaces_flags(const RuntimeSpec *spec) {
        int flags = 0;

        for (size_t i = 0; i < spec->n_namespaces; i++)
                flags |= flag_of(spec->namespaces[i].type);
        return flags;
}

int oci_namespaces_plan(const RuntimeSpec *spec, OciNamespaces *ret, Error *reterr) {
        _cleanup_oci_namespaces_ OciNamespaces plan = OCI_NAMESPACES_NULL;

        for (size_t k = 0; k < ELEMENTSOF(kinds); k++) {
                const RuntimeNamespace *wanted = runtime_spec_namespace(spec, kinds[k].type);

                if (!wanted)
                        continue;
                if (str_empty(wanted->path)) {
                        plan.made |= kinds[k].flag;
                        continue;
                }
                int fd = ns_open(wanted->path, kinds[k].flag, reterr);
                if (fd < 0)
                        return fd;
                if (ns_is_own(fd, kinds[k].file)) { /* no more than to leave it out */
                        (void) fd_close(fd);
                        continue;
                }
                plan.joins[plan.n_joins++] = (OciNamespaceJoin){ .fd = fd, .flag = kinds[k].flag, .path = wanted->path };
                plan.joined |= kinds[k].flag;
        }
        *ret = plan;
        plan = OCI_NAMESPACES_NULL;
        return 0;
}

static int join(const OciNamespaceJoin *join, Error *reterr) {
        return setns(join->fd, join->flag) < 0 ? error_set_errno(reterr, -errno, "cannot join the namespace '%s'", join->path) : 0;
}

static bool needs_joiner(const OciNamespaces *namespaces) {
        return (namespaces->joined & CLONE_NEWUSER) || ((namespaces->made & CLONE_NEWUSER) && namespaces->n_joins > 0);
}

/* What has to be entered before the child is there. */
static int join_first(const OciNamespaces *namespaces, Error *reterr) {
        for (size_t i = 0; i < namespaces->n_joins; i++)
                if (needs_joiner(namespaces) || namespaces->joins[i].flag == CLONE_NEWPID) {
                        int r = join(&namespaces->joins[i], reterr);

                        if (r < 0)
                                return r;
                }
        return 0;
}

static int clone_child(const OciNamespaces *namespaces, uint64_t flags, int (*function)(void *data), void *data, int *ret_pidfd,
                       Error *reterr) {
        struct clone_args args = {
                .flags = (uint64_t) (unsigned) (namespaces->made & ~MADE_FROM_INSIDE) | CLONE_PIDFD | flags,
                .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
                .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD, /* with CLONE_PARENT: the cloning process's */
        };
        /* single-threaded, so the child may allocate: nobody held the allocator's lock */
        long pid = syscall(SYS_clone3, &args, sizeof(args));

        if (pid == 0)
                _exit(function(data));
        if (pid > 0)
                return (int) pid;
        int code = -errno;
        (void) error_set_errno(reterr, code, "cannot make the container's namespaces");
        if ((namespaces->made & CLONE_NEWUSER) && code == -EPERM)
                error_hint(reterr, "see sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns");
        else if (code == -ENOSPC || code == -EUSERS)
                error_hint(reterr, "raise sysctl user.max_user_namespaces and the others of namespaces(7)");
        return code;
}

_noreturn_ static void run_joiner(const OciNamespaces *namespaces, int (*function)(void *data), void *data, int socket) {
        _cleanup_error_ Error error = ERROR_NULL;
        int pidfd = -EBADF, r = 0;

        /* it and the init hold descriptors of the host's where others may see them */
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                r = error_set_errno(&error, -errno, "cannot protect the container's process");
        if (r >= 0)
                r = join_first(namespaces, &error);
        if (r >= 0)
                r = clone_child(namespaces, CLONE_PARENT, function, data, &pidfd, &error);
        (void) wire_send_result_fd(socket, r, &error, pidfd);
        _exit(0);
}

static int clone_by_joiner(const OciNamespaces *namespaces, int (*function)(void *data), void *data, int *ret_pidfd, Error *reterr) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's process");
        pid_t joiner = fork();
        if (joiner == 0) {
                (void) fd_close(pair[0]);
                run_joiner(namespaces, function, data, pair[1]);
        }
        (void) fd_close(pair[1]);
        _cleanup_fd_ int fd = pair[0];
        if (joiner < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's process");
        int r = wire_receive_result_fd(fd, ret_pidfd, reterr);
        (void) process_reap(joiner);
        return r;
}

/* The caller's own PID namespace, for setns() back to it after it joined another one for its children: an owned descriptor. -EPERM
 * where there is no way back: as root of a user namespace in a PID namespace of the host's (a rootless engine). */
static int open_own_pid_namespace(void) {
        _cleanup_fd_ int fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

        return fd < 0 || setns(fd, CLONE_NEWPID) < 0 ? -errno : TAKE_FD(fd);
}

int oci_namespaces_clone(const OciNamespaces *namespaces, int (*function)(void *data), void *data, int *ret_pidfd, Error *reterr) {
        _cleanup_fd_ int own = -EBADF;

        if (needs_joiner(namespaces))
                return clone_by_joiner(namespaces, function, data, ret_pidfd, reterr);
        if (!(namespaces->joined & CLONE_NEWPID))
                return clone_child(namespaces, 0, function, data, ret_pidfd, reterr);
        own = open_own_pid_namespace();
        if (own == -EPERM)
                return clone_by_joiner(namespaces, function, data, ret_pidfd, reterr);
        if (own < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
                return error_set_errno(reterr, own < 0 ? own : -errno, "cannot protect the container's process");
        int r = join_first(namespaces, reterr);
        if (r < 0)
                return r;
        int pid = clone_child(namespaces, 0, function, data, ret_pidfd, reterr);
        if (setns(own, CLONE_NEWPID) < 0 && pid >= 0)
                return error_set_errno(reterr, -errno, "cannot leave the container's PID namespace");
        return pid;
}

int oci_namespaces_enter(const OciNamespaces *namespaces, Error *reterr) {
        if (needs_joiner(namespaces))
                return 0;
        for (size_t i = 0; i < namespaces->n_joins; i++) {
                int r = namespaces->joins[i].flag == CLONE_NEWPID ? 0 : join(&namespaces->joins[i], reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

int oci_namespaces_become_root(bool keep_groups, Error *reterr) {
        if (!keep_groups)
                (void) setgroups(0, NULL); /* denied where a single ID is mapped (user_namespaces(7)) */
        /* a map without root: the capabilities are there all the same */
        if ((setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) && errno != EINVAL)
                return error_set_errno(reterr, -errno, "cannot become root of the user namespace");
        return 0;
}
