/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci exec: one more process in a container. */
#include <signal.h>

#include "base/io.h"
#include "base/process.h"
#include "oci/descriptors.h"
#include "oci/exec-options.h"
#include "oci/foreground.h"
#include "oci/process.h"
#include "oci/seccomp.h"
#include "oci/state.h"
#include "oci/verb.h"

static const Option *const options[] = { exec_rows, NULL };

typedef struct Exec {
        const ExecOptions *options;
        OciRoot root;
        OciContainer container;
        RuntimeSpec spec;
        RuntimeProcess process;
        OciInit init;
} Exec;

static void exec_done(Exec *e) {
        oci_init_done(&e->init);
        runtime_process_done(&e->process);
        runtime_spec_done(&e->spec);
        oci_container_done(&e->container);
        oci_root_done(&e->root);
}

static int check_status(Exec *e, Error *reterr) {
        OciStatus status = oci_container_status(&e->container);

        if (status == OCI_RUNNING || status == OCI_CREATED || (status == OCI_PAUSED && e->options->ignore_paused))
                return 0;
        return error_set(reterr, -EINVAL, ERROR_STATE, "cannot exec in a %s container%s", oci_status_to_string(status),
                         status == OCI_PAUSED ? " (use --ignore-paused to override)" : "");
}

static int check_terminal(const Exec *e, Error *reterr) {
        const ExecOptions *o = e->options;

        if (e->process.terminal && o->detach && !o->console_socket)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot allocate tty for a process in the background: use --console-socket");
        if (o->console_socket && (!e->process.terminal || !o->detach))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --console-socket: %s",
                                 e->process.terminal ? "the process is in the foreground" : "the process has no terminal");
        return 0;
}

static int begin(Exec *e, Error *reterr) {
        const ExecOptions *o = e->options;
        _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL;
        _cleanup_fd_ int console = -EBADF, pidfd_socket = -EBADF, listener = -EBADF;
        int listen_fds = oci_listen_fds();

        int r = oci_check_preserved(o->preserve_fds, reterr);
        if (r >= 0)
                r = oci_connect(o->console_socket, "--console-socket", &console, reterr);
        if (r >= 0)
                r = oci_connect(o->pidfd_socket, "--pidfd-socket", &pidfd_socket, reterr);
        if (r >= 0)
                r = oci_seccomp_prepare(&e->spec, e->root.fd, &filter, reterr);
        if (r >= 0)
                r = oci_seccomp_connect(&e->spec, &filter, &listener, reterr);
        if (r < 0)
                return r;
        const OciExec exec = {
                .spec = &e->spec, .process = &e->process, .id = e->container.id, .bundle = e->container.record.bundle, .init_pid = e->container.record.pid,
                .init_pidfd = e->container.pidfd, .cgroup = &e->container.record.cgroup, .cgroup_subs = o->cgroup,
                .filter = &filter, .listener_fd = listener, .console_fd = console, .pidfd_socket_fd = pidfd_socket,
                .listen_fds = listen_fds, .preserve_fds = (int) o->preserve_fds, .die_with_caller = !o->detach && e->process.terminal,
        };
        r = oci_exec(&exec, &e->init, reterr);
        if (r >= 0 && o->pid_file) {
                r = oci_write_pid_file(o->pid_file, e->init.pid, reterr);
                if (r < 0)
                        (void) process_signal(e->init.pidfd, SIGKILL);
        }
        return r;
}

static int wait_for_end(const Exec *e, Error *reterr) {
        _cleanup_foreground_ Foreground f = FOREGROUND_NULL;
        int status = 0;

        int r = foreground_prepare(&f, e->init.pid, e->init.console_fd, reterr);
        if (r >= 0)
                r = foreground_run(&f, &status, reterr);
        return r < 0 ? r : status;
}

static int run(Invocation *in, Error *reterr) {
        Exec e = { .options = in->options, .root = OCI_ROOT_NULL, .container = OCI_CONTAINER_NULL, .spec = RUNTIME_SPEC_NULL,
                   .init = OCI_INIT_NULL };

        int r = oci_container_find(&in->global, in->arguments[0], /* lock= */ false, &e.root, &e.container, reterr);
        if (r >= 0)
                r = check_status(&e, reterr);
        if (r >= 0)
                r = oci_container_spec(&e.container, &e.spec, reterr);
        if (r >= 0)
                r = exec_process(&in->parse, e.options, in->arguments + 1, &e.spec, &e.process, reterr);
        if (r >= 0)
                r = check_terminal(&e, reterr);
        if (r >= 0 && e.process.terminal && !e.options->detach)
                foreground_size(&e.process.console_height, &e.process.console_width);
        if (r >= 0)
                r = begin(&e, reterr);
        if (r >= 0 && !e.options->detach)
                r = wait_for_end(&e, reterr);
        exec_done(&e);
        return r;
}

const Verb verb_exec = {
        .name = "exec",
        .arguments = "ID [COMMAND [ARGUMENT...]]",
        .summary = "Run one more process in a container",
        .description = "What the options do not say is as config.json has it for the container's own process.",
        .options = options,
        .options_size = sizeof(ExecOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .stop_at_argument = true,
        .error_status = 255, /* to be told from the process's own */
        .enters = true,
        .run = run,
};
