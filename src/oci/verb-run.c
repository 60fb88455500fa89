/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci run: create, start and, in the foreground, delete. */
#include <sys/prctl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "oci/create.h"
#include "oci/foreground.h"
#include "oci/notify-socket.h"

static const Option rows[] = {
        { "detach", 'd', .kind = OPTION_BOOL, .offset = offsetof(CreateOptions, detach), .help = "Leave it running and return" },
        { "keep", .kind = OPTION_BOOL, .offset = offsetof(CreateOptions, keep), .help = "Do not delete it when it has ended" },
        {},
};
static const Option *const options[] = { create_rows, rows, NULL };

static int start(OciMade *made, int *ret_notify, Error *reterr) {
        OciContainer *c = &made->container;

        int r = notify_socket_open(c, ret_notify, reterr);
        if (r >= 0)
                r = oci_start(c->dir_fd, reterr);
        if (r >= 0)
                r = oci_poststart(c, reterr);
        oci_container_unlock(c);
        return r;
}

static int run_foreground(OciMade *made, Error *reterr) {
        _cleanup_foreground_ Foreground f = FOREGROUND_NULL;
        _cleanup_fd_ int notify = -EBADF;
        int status = 0;

        int r = foreground_prepare(&f, made->init.pid, made->init.console_fd, reterr);
        if (r >= 0)
                r = start(made, &notify, reterr);
        f.notify_fd = notify;
        if (r >= 0)
                r = foreground_run(&f, &status, reterr);
        return r < 0 ? r : status;
}

static int run_detached(OciMade *made, Error *reterr) {
        _cleanup_fd_ int notify = -EBADF;

        int r = start(made, &notify, reterr);
        return r < 0 || notify < 0 ? r : notify_socket_wait(notify, &made->container, reterr);
}

/* The container is gone meanwhile where somebody else has deleted it. */
static int delete_again(OciMade *made, Error *reterr) {
        OciContainer *c = &made->container;
        _cleanup_oci_container_ OciContainer again = OCI_CONTAINER_NULL;

        int r = oci_container_open(&made->root, c->id, /* lock= */ true, &again, /* reterr= */ NULL);
        if (r < 0 || again.record.start_time != c->record.start_time || again.record.pid != c->record.pid)
                return 0;
        return oci_unmake(&again, reterr);
}

static int run(Invocation *in, Error *reterr) {
        const CreateOptions *o = in->options;
        _cleanup_oci_made_ OciMade made = OCI_MADE_NULL;

        if (!o->detach && !o->no_subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return error_set_errno(reterr, -errno, "cannot become the reaper of the container's orphans");
        int r = oci_make(in, o, /* foreground= */ !o->detach, &made, reterr);
        if (r < 0)
                return r;
        r = o->detach ? run_detached(&made, reterr) : run_foreground(&made, reterr);
        if (r >= 0 && (o->detach || o->keep))
                return r;
        if (r < 0 && made.init.pidfd >= 0)
                (void) process_signal(made.init.pidfd, SIGKILL);
        int k = delete_again(&made, r < 0 ? NULL : reterr);
        return r < 0 ? r : k < 0 ? k : r;
}

const Verb verb_run = {
        .name = "run",
        .arguments = "ID",
        .summary = "Make a container from a bundle, start it, and delete it when it ends",
        .options = options,
        .options_size = sizeof(CreateOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .enters = true,
        .run = run,
};
