/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci start: the process of a container that `create` made goes on. */
#include "base/io.h"
#include "base/process.h"
#include "oci/create.h"
#include "oci/notify-socket.h"

enum { END_TIMEOUT_USEC = 2000000 };

static int check_status(OciContainer *c, Error *reterr) {
        OciStatus status = oci_container_status(c);

        if (status == OCI_CREATED)
                return 0;
        return error_set(reterr, -EINVAL, ERROR_STATE, "cannot start the container '%s': %s", c->id,
                         status == OCI_STOPPED ? "cannot start a container that has stopped"
                         : status == OCI_PAUSED && oci_is_waiting(c->dir_fd) ? "it is paused"
                                                                            : "cannot start an already running container");
}

/* An init that could not go on has ended when its error is told. */
static int start(const OciContainer *c, Error *reterr) {
        int r = oci_start(c->dir_fd, reterr);

        if (r < 0 && r != -ESRCH)
                (void) process_wait_end(c->pidfd, END_TIMEOUT_USEC);
        return r;
}

static int run(Invocation *in, Error *reterr) {
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;
        _cleanup_fd_ int notify = -EBADF;

        int r = oci_container_find(&in->global, in->arguments[0], /* lock= */ true, &root, &c, reterr);
        if (r >= 0)
                r = check_status(&c, reterr);
        if (r >= 0)
                r = notify_socket_open(&c, &notify, reterr);
        if (r >= 0)
                r = start(&c, reterr);
        if (r >= 0) {
                r = oci_poststart(&c, reterr);
                if (r < 0) /* config.md: the container is stopped and destroyed */
                        (void) oci_unmake(&c, /* reterr= */ NULL);
        }
        /* may take as long as it likes: not with the lock */
        oci_container_unlock(&c);
        if (r >= 0 && notify >= 0)
                r = notify_socket_wait(notify, &c, reterr);
        return r;
}

const Verb verb_start = {
        .name = "start",
        .arguments = "ID",
        .summary = "Let the process of a created container go on",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = run,
};
