/* SPDX-License-Identifier: Apache-2.0 */
/* Joining the output of a container that runs in the background. */
#include "engine/attach.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/exit-watch.h"
#include "engine/relay.h"
#include "monitor/client.h"
#include "state/events.h"

typedef struct Attachment {
        const Store *store;
        const Container *container;
        ExitWatch watch;
} Attachment;

/* What cannot be told now is asked for at the end. */
static bool look_at_record(void *data) {
        Attachment *a = data;

        return exit_watch_look(&a->watch, /* reterr= */ NULL) >= 0 && !a->watch.ended;
}

/* A size that cannot be set changes nothing. */
static void resize(void *data, unsigned rows, unsigned columns) {
        const Attachment *a = data;

        (void) monitor_client_resize(a->store->runtime_fd, a->container->config.id, rows, columns, /* reterr= */ NULL);
}

static int explain(const Container *container, int r, Error *reterr) {
        if (r != -ENOENT)
                return error_prefix(reterr, r, "cannot attach to container '%s'", container->config.name);
        (void) error_set(reterr, r, ERROR_STATE, "cannot attach to container '%s': nobody reads its output who could share it",
                         container->config.name);
        return error_with_hint(reterr, r, "it runs in the foreground of another command, or with --log-driver=passthrough");
}

/* Until the container's end, a detach, or the monitor's end. */
static int run_once(Attachment *a, const AttachOptions *options, int signal_fd, bool *ret_detached, Error *reterr) {
        const Container *container = a->container;
        MonitorAttachFlags flags = options->open_stdin ? MONITOR_ATTACH_STDIN | MONITOR_ATTACH_CLOSE_STDIN : 0;
        MonitorAttached attached;
        int r = monitor_client_attach(a->store->runtime_fd, container->config.id, flags, &attached, reterr);

        if (r < 0)
                return r;
        Relay relay = {
                .pidfd = container->pidfd,
                .console_fd = attached.terminal ? attached.fd : -EBADF,
                .stdin_to = -EBADF,
                .open_stdin = options->open_stdin,
                .sig_proxy = options->sig_proxy && !attached.terminal,
                .framed = !attached.terminal,
                .ends_with_output = true,
                .detach_keys = options->detach_keys,
                .resized = resize,
                .events_fd = a->watch.fd,
                .events = POLLIN,
                .event = look_at_record,
                .data = a,
                .out = { .from = attached.terminal ? -EBADF : attached.fd, .to = STDOUT_FILENO },
                .err = { .from = -EBADF, .to = STDERR_FILENO },
        };
        if (options->open_stdin && !attached.terminal) {
                relay.stdin_to = fcntl(attached.fd, F_DUPFD_CLOEXEC, 3);
                if (relay.stdin_to < 0)
                        r = error_set_errno(reterr, -errno, "cannot attach to container '%s'", container->config.name);
        }
        if (r >= 0)
                r = relay_run(&relay, signal_fd, reterr);
        *ret_detached = relay.detached;
        relay_done(&relay);
        return r;
}

int engine_attach(const Store *store, Container *container, const AttachOptions *options, int *ret_exit_code, Error *reterr) {
        Attachment a = { .store = store, .container = container, .watch = EXIT_WATCH_NULL };
        AttachOptions now = *options;
        _cleanup_fd_ int signal_fd = -EBADF;
        bool detached = false;

        if (container->pidfd < 0)
                return error_set(reterr, -ESRCH, ERROR_STATE, "cannot attach to container '%s': you can only attach to running containers",
                                 container->config.name);
        now.open_stdin = now.open_stdin && container->config.open_stdin;
        event_container(store, &container->config, "attach", EVENT_NO_EXIT_CODE);
        int r = exit_watch_begin(store, container, &a.watch, reterr);
        if (r >= 0)
                r = relay_block_signals(options->sig_proxy && !container->config.terminal, &signal_fd, reterr);
        if (r >= 0) {
                r = run_once(&a, &now, signal_fd, &detached, reterr);
                if (r < 0)
                        r = explain(container, r, reterr);
        }
        /* its monitor was killed: the next one goes on where it stopped */
        for (int tries = 0; tries < 3 && r >= 0 && !detached && !process_has_ended(container->pidfd); tries++)
                r = run_once(&a, &now, signal_fd, &detached, reterr);
        *ret_exit_code = 0;
        if (r >= 0 && !detached)
                r = exit_watch_wait(&a.watch, ret_exit_code, reterr);
        exit_watch_done(&a.watch);
        return r;
}
