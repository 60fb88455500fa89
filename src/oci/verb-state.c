/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci state: what a container is right now, as JSON. */
#include <stdio.h>

#include "oci/state.h"
#include "oci/verb.h"

static int run(Invocation *in, Error *reterr) {
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;
        _cleanup_json_ json_t *json = NULL;

        int r = oci_container_find(&in->global, in->arguments[0], /* lock= */ false, &root, &c, reterr);
        if (r < 0)
                return r;
        json = oci_container_json(&c);
        if (!json || json_dumpf(json, stdout, JSON_INDENT(2)) < 0)
                return error_oom(reterr);
        (void) fputc('\n', stdout);
        return 0;
}

const Verb verb_state = {
        .name = "state",
        .arguments = "ID",
        .summary = "Print what a container is right now, as JSON",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = run,
};
