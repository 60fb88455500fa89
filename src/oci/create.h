/* SPDX-License-Identifier: Apache-2.0 */
/* What `create` and `run` have in common: from a bundle to a container whose init waits. */
#pragma once

#include "oci/process.h"
#include "oci/state.h"
#include "oci/verb.h"

typedef struct CreateOptions {
        char *bundle, *config, *console_socket, *pidfd_socket, *pid_file;
        uint32_t preserve_fds;
        bool no_pivot, no_new_keyring, no_subreaper;
        bool detach, keep;     /* of run */
} CreateOptions;

extern const Option create_rows[]; /* all but those of run */

typedef struct OciMade {
        OciRoot root;
        OciContainer container; /* locked */
        RuntimeSpec spec;
        OciInit init;
} OciMade;

#define OCI_MADE_NULL ((OciMade){ .root = OCI_ROOT_NULL, .container = OCI_CONTAINER_NULL, .spec = RUNTIME_SPEC_NULL, .init = OCI_INIT_NULL })

void oci_made_done(OciMade *made);
#define _cleanup_oci_made_ _cleanup_(oci_made_done)

/* Makes the container; `foreground`: of `run` without --detach. On an error nothing of it is left, and its hooks poststop have run
 * if there ever was a process. */
int oci_make(const Invocation *in, const CreateOptions *options, bool foreground, OciMade *ret, Error *reterr);

/* The hooks poststart; where one fails the container is to go. */
int oci_poststart(const OciContainer *container, Error *reterr);

/* Kills what is left, removes cgroup and directory, and runs the hooks poststop, whose failure is a warning. The lock is held. */
int oci_unmake(OciContainer *container, Error *reterr);
