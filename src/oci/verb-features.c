/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci features: what this runtime can do, as JSON. */
#include <stdio.h>

#include "oci/features.h"
#include "oci/verb.h"

static int run(_unused_ Invocation *in, Error *reterr) {
        return oci_features_print(stdout, reterr);
}

const Verb verb_features = {
        .name = "features",
        .summary = "Print what this runtime can do, as JSON",
        .run = run,
};
