/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci checkpoint, restore: known, and not there. */
#include "oci/verb.h"

static int run(Invocation *in, Error *reterr) {
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot run 'sdpod-oci %s': sdpod-oci does not checkpoint containers",
                         in->verb->name);
}

const Verb verb_checkpoint = { .name = "checkpoint", .summary = "Not there", .ignores_options = true, .run = run };
const Verb verb_restore = { .name = "restore", .summary = "Not there", .ignores_options = true, .run = run };
