/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci create: a container whose process waits for `start`. */
#include "oci/create.h"

static const Option *const options[] = { create_rows, NULL };

static int run(Invocation *in, Error *reterr) {
        _cleanup_oci_made_ OciMade made = OCI_MADE_NULL;

        return oci_make(in, in->options, /* foreground= */ false, &made, reterr);
}

const Verb verb_create = {
        .name = "create",
        .arguments = "ID",
        .summary = "Make a container from a bundle; its process waits for start",
        .options = options,
        .options_size = sizeof(CreateOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .enters = true,
        .run = run,
};
