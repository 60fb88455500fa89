/* SPDX-License-Identifier: Apache-2.0 */
/* The container's init: from the clone to the exec.
 *
 * Theory of operation. The steps below run in this order; the other side is in make.c.
 *   1. once the starter has written the maps: root of the user namespace, the namespaces that are joined
 *   2. root file system, mounts, devices, terminal, names and kernel settings: by descriptors
 *   3. once the starter has put it into its cgroup and run the hooks of the host's side: a cgroup namespace, what shows the cgroup,
 *      hooks createContainer, masks, read-only root, pivot_root: the host is gone
 *   4. descriptors, working directory, args[0]; report "created"; wait at the socket `start`, holding nothing of the host's but it
 *   5. identity, capabilities, no_new_privs, seccomp; hooks startContainer; execve
 *
 * Late in its cgroup: what the container's own process never touches is charged to the runtime, so that it starts with little memory. */
#include "oci/inside.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "base/wire.h"
#include "oci/annotations.h"
#include "oci/streams.h"
#include "oci/cpu-affinity.h"
#include "oci/environment.h"
#include "oci/hook.h"
#include "oci/identity.h"
#include "oci/keyring.h"
#include "oci/program.h"
#include "oci/seccomp.h"
#include "oci/start.h"
#include "oci/target.h"

typedef int (*Step)(OciInside *inside, Error *reterr);

/* ---- 1. who and where ---- */

static int become_root(OciInside *inside, Error *reterr) {
        return oci_namespaces_has(inside->namespaces, CLONE_NEWUSER) ? oci_namespaces_become_root(oci_keeps_groups(inside->spec), reterr) : 0;
}

static int enter_namespaces(OciInside *inside, Error *reterr) {
        int r = oci_namespaces_enter(inside->namespaces, reterr);

        /* relative paths are the bundle's in a mount namespace that is joined, too */
        if (r >= 0 && oci_root_is_joined(inside) && chdir(inside->create->bundle) < 0 && *inside->spec->root.path != '/')
                r = error_set_errno(reterr, -errno, "cannot enter the bundle '%s' in the mount namespace that is joined", inside->create->bundle);
        return r;
}

/* The host's own files, before the container has a word: all that is written to /proc goes here, and what masks is this /dev/null. */
static int open_host(OciInside *inside, Error *reterr) {
        struct statfs about;
        struct stat st;

        inside->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (inside->proc_fd < 0 || fstatfs(inside->proc_fd, &about) < 0 || about.f_type != PROC_SUPER_MAGIC)
                return error_set(reterr, -ENODEV, ERROR_UNSUPPORTED, "cannot use /proc: it is not the kernel's");
        inside->null_fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (inside->null_fd < 0 || fstat(inside->null_fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
                return error_set(reterr, -ENODEV, ERROR_UNSUPPORTED, "cannot use /dev/null: it is not the device of that name");
        return 0;
}

static int join_keyring(OciInside *inside, Error *reterr) {
        if (inside->create->no_new_keyring)
                return 0;
        return oci_keyring_join(inside->create->id, reterr);
}

static int set_time(OciInside *inside, Error *reterr) {
        const RuntimeTimeOffset *monotonic = &inside->spec->time_monotonic, *boottime = &inside->spec->time_boottime;
        char text[128];

        if (!(inside->namespaces->made & CLONE_NEWTIME))
                return 0;
        if (unshare(CLONE_NEWTIME) < 0)
                return error_set_errno(reterr, -errno, "cannot make a time namespace");
        (void) snprintf(text, sizeof(text), "monotonic %lld %u\nboottime %lld %u\n", (long long) monotonic->secs, monotonic->nanosecs,
                        (long long) boottime->secs, boottime->nanosecs);
        /* Who has changed its IDs has files of the host's root in /proc. In a user namespace that is new there is nobody else who could
         * look into this process for the moment. */
        if ((inside->namespaces->made & CLONE_NEWUSER) && prctl(PR_SET_DUMPABLE, 1) < 0)
                return error_set_errno(reterr, -errno, "cannot set the offsets of the time namespace");
        int r = monotonic->given || boottime->given ? file_write_string(inside->proc_fd, "self/timens_offsets", text) : 0;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set the offsets of the time namespace");
        /* unshare(2) made it for children; we go there ourselves */
        _cleanup_fd_ int fd = openat(inside->proc_fd, "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
        return fd < 0 || setns(fd, CLONE_NEWTIME) < 0 ? error_set_errno(reterr, -errno, "cannot enter the time namespace") : 0;
}

/* Where others of the container are in the same PID namespace they must not look into a process that holds the host's descriptors. */
static int hide(OciInside *inside, Error *reterr) {
        (void) inside;
        return prctl(PR_SET_DUMPABLE, 0) < 0 ? error_set_errno(reterr, -errno, "cannot protect the container's process") : 0;
}

/* ---- 3. in the cgroup ---- */

static int make_cgroup_namespace(OciInside *inside, Error *reterr) {
        if (!(inside->namespaces->made & CLONE_NEWCGROUP))
                return 0;
        return unshare(CLONE_NEWCGROUP) < 0 ? error_set_errno(reterr, -errno, "cannot make a cgroup namespace") : 0;
}

static int run_hooks(const OciInside *inside, RuntimeHookKind kind, Error *reterr) {
        const OciHookState state = {
                .spec = inside->spec,
                .id = inside->create->id,
                .bundle = inside->create->bundle,
                .status = "created",
                .pid = getpid(),
                /* a program of the container's has no business with the host's */
                .env = kind == HOOK_START_CONTAINER ? inside->env : NULL,
        };

        return oci_hooks_run_here(kind, &state, /* go_on= */ false, reterr);
}

/* In the root file system, which they are to add to before it is entered: their "./lib" is the container's /lib. */
static int run_create_hooks(OciInside *inside, Error *reterr) {
        if (inside->spec->hooks[HOOK_CREATE_CONTAINER].n == 0)
                return 0;
        _cleanup_fd_ int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (back < 0 || fchdir(inside->root_fd) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the root file system for the hooks");
        int r = run_hooks(inside, HOOK_CREATE_CONTAINER, reterr);
        if (fchdir(back) < 0 && r >= 0)
                return error_set_errno(reterr, -errno, "cannot go back to the bundle");
        return r;
}

static int make_cwd(OciInside *inside, Error *reterr) {
        const char *cwd = inside->spec->process.cwd;
        _cleanup_error_ Error error = ERROR_NULL;

        if (!inside->spec->has_process || str_empty(cwd) || str_equal(cwd, "/"))
                return 0;
        _cleanup_fd_ int fd = oci_target_open(inside->root_fd, cwd, /* as_file= */ false, &error);
        (void) reterr; /* whatever was wrong with it, entering it will tell */
        return 0;
}

/* ---- 4. about to be executed ---- */

static int close_others(OciInside *inside, Error *reterr) {
        const OciCreate *create = inside->create;
        const int fds[] = { inside->sync_fd, inside->listen_fd, inside->proc_fd, inside->console_fd, create->listener_fd };

        return oci_streams_close(create->listen_fds + create->preserve_fds, fds, ELEMENTSOF(fds), reterr);
}

/* Kept by the kernel until the execve(); with it the last descriptor of the host's files goes. */
static int set_label(OciInside *inside, Error *reterr) {
        int r = inside->spec->has_process ? oci_identity_label(&inside->spec->process, inside->labels, inside->proc_fd, reterr) : 0;

        inside->proc_fd = fd_close(inside->proc_fd);
        return r;
}

static int take_streams(OciInside *inside, Error *reterr) {
        return oci_streams_take(inside->console_fd, &inside->spec->process.user, reterr);
}

static int find_program(OciInside *inside, Error *reterr) {
        struct statx own;
        int r = oci_program_identify(inside->proc_fd, &own, reterr);

        return r < 0 ? r : oci_program_prepare(&inside->spec->process, oci_keeps_groups(inside->spec), &own, &inside->program, reterr);
}

static int make_environment(OciInside *inside, Error *reterr) {
        return oci_environment(&inside->spec->process, inside->create->listen_fds, &inside->env, reterr);
}

static int run_steps(OciInside *inside, const Step *steps, Error *reterr) {
        int r = 0;

        for (; *steps && r >= 0; steps++)
                r = (*steps)(inside, reterr);
        return r;
}

static int create(OciInside *inside, Error *reterr) {
        static const Step enter[] = { become_root, enter_namespaces, open_host, join_keyring, set_time, hide, NULL };
        static const Step build[] = { oci_mount_root, oci_mount_early, oci_make_devices, oci_make_console, NULL };
        static const Step settle[] = { oci_settle, NULL };
        static const Step finish[] = { make_cgroup_namespace, oci_mount_late, run_create_hooks, make_cwd, oci_make_read_only, oci_hide_paths,
                                       oci_enter_root, NULL };
        static const Step ready[] = { take_streams, find_program, make_environment, NULL };

        int r = wire_receive_result(inside->sync_fd, reterr); /* mapped */
        if (r >= 0)
                r = run_steps(inside, enter, reterr);
        if (r >= 0)
                r = run_steps(inside, build, reterr);
        if (r >= 0)
                r = run_steps(inside, settle, reterr);
        if (r >= 0)
                r = wire_send_result_fd(inside->sync_fd, 0, /* error= */ NULL, inside->master_fd);
        inside->master_fd = fd_close(inside->master_fd);
        if (r >= 0)
                r = wire_receive_result(inside->sync_fd, reterr); /* placed; our PID as the runtime has it */
        inside->pid = r;
        oci_cpu_affinity_reset();
        if (r >= 0)
                r = run_steps(inside, finish, reterr);
        if (r >= 0)
                r = close_others(inside, reterr);
        if (r >= 0 && inside->spec->has_process)
                r = run_steps(inside, ready, reterr);
        return r < 0 ? r : set_label(inside, reterr);
}

/* ---- 5. execution ---- */

static _noreturn_ void end_by(int signal) {
        _exit(128 + signal);
}

/* The first process of a PID namespace passes over every signal that it has no handler for: one that waits is to be ended by those that
 * are meant to end a program. execve(2) sets them back. */
static void end_by_signals(void) {
        static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) signal(signals[i], end_by);
}

/* Waits for who says "go" (start.c). Others only look whether somebody waits. */
static int wait_for_start(const OciInside *inside) {
        for (;;) {
                _cleanup_fd_ int fd = (int) RETRY_EINTR(accept4(inside->listen_fd, NULL, NULL, SOCK_CLOEXEC));
                char word;

                if (fd < 0)
                        return -errno;
                if (RETRY_EINTR(recv(fd, &word, 1, 0)) == 1 && word == OCI_START_WORD)
                        return TAKE_FD(fd);
        }
}

/* What goes with the filter's listener. */
static int describe(OciInside *inside, Error *reterr) {
        const OciCreate *create = inside->create;

        if (create->listener_fd < 0)
                return 0;
        inside->listener_message = oci_seccomp_state(inside->spec, create->id, create->bundle, "created", inside->pid, inside->pid);
        return inside->listener_message ? 0 : error_oom(reterr);
}

static int execute(OciInside *inside, Error *reterr) {
        const RuntimeProcess *process = &inside->spec->process;
        int r = describe(inside, reterr);

        if (r >= 0 && !inside->spec->has_process)
                r = error_set(reterr, -EINVAL, ERROR_INVALID, "cannot start the container: it has no process");
        if (r < 0)
                return r;
        const OciCaps caps = oci_caps_plan(process);
        const OciIdentity identity = {
                .process = process,
                .caps = &caps,
                .filter = inside->create->filter,
                .listener_socket = inside->create->listener_fd,
                .listener_message = inside->listener_message,
                .keep_groups = oci_keeps_groups(inside->spec),
                .die_with_parent = inside->create->die_with_caller,
        };
        r = oci_identity_prepare(inside->spec, process, reterr);
        if (r >= 0)
                r = oci_identity_apply(&identity, reterr);
        if (r >= 0 && process->user.uid != 0)
                r = oci_streams_enter(process->cwd, reterr);
        if (r >= 0) /* the container's own programs: they may do no more than its process */
                r = run_hooks(inside, HOOK_START_CONTAINER, reterr);
        if (r < 0)
                return r;
        (void) execve(inside->program, process->args, inside->env);
        return oci_program_explain_exec(-errno, process->args[0], reterr);
}

_noreturn_ void oci_init_run(OciInside *inside) {
        _cleanup_error_ Error error = ERROR_NULL;

        oci_streams_reset_signals();
        (void) umask(0);
        inside->peer_fd = fd_close(inside->peer_fd); /* or it would never see the starter go */
        int r = create(inside, &error);
        (void) wire_send_result(inside->sync_fd, r, &error);
        if (r < 0)
                _exit(1);
        inside->sync_fd = fd_close(inside->sync_fd);
        end_by_signals();
        int fd = wait_for_start(inside);
        if (fd < 0)
                _exit(1);
        inside->listen_fd = fd_close(inside->listen_fd);
        r = execute(inside, &error);
        (void) wire_send_result(fd, r, &error);
        _exit(1);
}
