/* SPDX-License-Identifier: Apache-2.0 */
/* A container's processes, from clone to exec: what `create`, `start`, `run` and `exec` do besides the command line and the
 * records. The plan is the bundle's RuntimeSpec itself.
 *
 *      create        oci_spec_complete(), oci_create(): all in place, the init waits at the socket `start` of the state directory
 *      start         oci_start(), hooks poststart
 *      run           both, one after the other, by one process
 *      exec          oci_spec_complete(), oci_exec()
 *      delete        hooks poststop
 *
 * Nothing here stays behind: when the runtime exits, the init belongs to the caller's subreaper. */
#pragma once

#include <stdint.h>

#include "cgroup/runtime-cgroup.h"
#include "proc/seccomp.h"
#include "spec/runtime-spec.h"

/* What the machine decides about a spec that was read and checked: an ordinary user whose spec makes no user namespace gets one. One
 * without any mappings has the caller as its root, and the IDs of /etc/subuid and /etc/subgid. The same answer at `create` and at `exec`. */
int oci_spec_complete(RuntimeSpec *spec, Error *reterr);

/* ---- create ---- */

typedef struct OciCreate {
        const RuntimeSpec *spec;
        const char *id;
        const char *bundle;          /* absolute path */
        int bundle_fd;               /* the directory: relative paths of the spec are below it */
        int state_fd;                /* the container's own state directory, 0700; gets the socket `start` */
        RuntimeCgroup *cgroup;       /* planned; made here, and removed again on an error */
        const SeccompFilter *filter; /* not NULL; empty: none */
        int listener_fd;             /* connected to linux.seccomp.listenerPath; -EBADF: the filter has no listener */
        int console_fd;              /* connected --console-socket, which gets the terminal's master side, or -EBADF */
        int pidfd_socket_fd;         /* connected --pidfd-socket, or -EBADF */
        int listen_fds;              /* descriptors from 3 on by socket activation ($LISTEN_FDS of the caller) ... */
        int preserve_fds;            /* ... and so many after them by --preserve-fds */
        bool no_pivot, no_new_keyring;
        bool die_with_caller;        /* `run` in the foreground with a terminal it relays: the init ends when it is killed */
        /* Called when the init is there and in its cgroup, before any hook runs: the record gets its pid, so that whoever comes
         * after a kill -9 of this process finds what to clean up. May be NULL. */
        int (*record)(pid_t pid, uint64_t start_time, void *data, Error *reterr);
        void *record_data;
} OciCreate;

typedef struct OciInit {
        pid_t pid;                   /* a child of the caller; as the caller's PID namespace has it */
        int pidfd;
        uint64_t start_time;         /* field 22 of /proc/PID/stat: process_open() */
        int console_fd;              /* process.terminal without a --console-socket: the master side; else -EBADF */
} OciInit;

#define OCI_INIT_NULL ((OciInit){ .pidfd = -EBADF, .console_fd = -EBADF })

/* Closes the descriptors. The process goes on. */
void oci_init_done(OciInit *init);
#define _cleanup_oci_init_ _cleanup_(oci_init_done)

/* Makes the container: namespaces, cgroup, hooks prestart, createRuntime and createContainer, mounts, terminal; args[0] is looked
 * up. On an error nothing is left but what the caller made (state directory, record), and the hooks poststop are the caller's. */
int oci_create(const OciCreate *create, OciInit *ret, Error *reterr);

/* ---- start ---- */

/* Lets the init that waits go on: hooks startContainer, exec. Returns when the program is executed. -ESRCH where nobody waits
 * any more (already started, or ended): ERROR_STATE. The socket is removed. The hooks poststart are the caller's. */
int oci_start(int state_fd, Error *reterr);

/* Whether the init still waits for oci_start(): "created" as against "running". */
bool oci_is_waiting(int state_fd);

/* ---- exec ---- */

typedef struct OciExec {
        const RuntimeSpec *spec;       /* of the container, as it was created */
        const RuntimeProcess *process; /* what is executed: checked */
        const char *id, *bundle;
        pid_t init_pid;
        int init_pidfd;                /* process_open() of the record's pid and start time */
        const RuntimeCgroup *cgroup;
        char *const *cgroup_subs;      /* --cgroup, as runtime_cgroup_attach() takes them; NULL: the container's own */
        const SeccompFilter *filter;   /* not NULL; empty: none */
        int listener_fd;               /* as above */
        int console_fd;                /* as above */
        int pidfd_socket_fd;           /* as above, of the new process */
        int listen_fds, preserve_fds;
        bool no_new_keyring;
        bool die_with_caller;
} OciExec;

/* Makes a process in the container, and returns when it is executed. The process is a child of the caller. */
int oci_exec(const OciExec *exec, OciInit *ret, Error *reterr);

/* ---- hooks ---- */

/* What a hook reads from its standard input (runtime.md, "State"). */
typedef struct OciHookState {
        const RuntimeSpec *spec;     /* its ociVersion and annotations */
        const char *id, *bundle;
        const char *status;          /* "created", "running", "stopped" */
        pid_t pid;                   /* 0: none any more */
        char *const *env;            /* what a hook gets that config.json gives no environment; NULL: the caller's */
} OciHookState;

/* Runs the hooks of one kind in their order, here and now, each with the state at its standard input, in the bundle's directory as the
 * working directory (createContainer: in the root file system; startContainer: where the process is). A hook that cannot be started,
 * fails or outlives its timeout (it is killed) ends it: an error that names it. What the failure means is the caller's to say: fatal
 * before `start` ends, a warning for poststart and poststop. With `go_on` the other hooks run all the same, and the first error is
 * returned. */
int oci_hooks_run(RuntimeHookKind kind, const OciHookState *state, bool go_on, Error *reterr);
