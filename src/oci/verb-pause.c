/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci pause, resume: freezes all processes of a container. */
#include "oci/state.h"
#include "oci/verb.h"

static int change(const Invocation *in, bool freeze, Error *reterr) {
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;

        int r = oci_container_find(&in->global, in->arguments[0], /* lock= */ true, &root, &c, reterr);
        if (r < 0)
                return r;
        OciStatus status = oci_container_status(&c);
        if (freeze && status != OCI_RUNNING && status != OCI_CREATED)
                return error_set(reterr, -EINVAL, ERROR_STATE, "cannot pause the container '%s': container not running or created: %s", c.id,
                                 oci_status_to_string(status));
        if (!freeze && status != OCI_PAUSED)
                return error_set(reterr, -EINVAL, ERROR_STATE, "cannot resume the container '%s': container not paused", c.id);
        return runtime_cgroup_freeze(&c.record.cgroup, freeze, reterr);
}

static int run_pause(Invocation *in, Error *reterr) {
        return change(in, true, reterr);
}

static int run_resume(Invocation *in, Error *reterr) {
        return change(in, false, reterr);
}

const Verb verb_pause = {
        .name = "pause",
        .arguments = "ID",
        .summary = "Freeze all processes of a container",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = run_pause,
};

const Verb verb_resume = {
        .name = "resume",
        .arguments = "ID",
        .summary = "Let a paused container go on",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = run_resume,
};
