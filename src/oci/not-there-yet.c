/* SPDX-License-Identifier: Apache-2.0 */
/* What is not there yet is refused, and not passed over. */
#include "oci/not-there-yet.h"

static int refuse(const char *what, Error *reterr) {
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot %s: it is not there yet", what);
}

/* ---- oci/features.h, oci/spec-template.h ---- */

int oci_features_print(FILE *f, Error *reterr) {
        (void) f;
        return refuse("print features", reterr);
}

int oci_spec_template_write(int bundle_fd, bool rootless, Error *reterr) {
        (void) bundle_fd;
        (void) rootless;
        return refuse("write a config.json", reterr);
}
