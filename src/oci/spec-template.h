/* SPDX-License-Identifier: Apache-2.0 */
/* `spec`: a config.json to begin with, the one that runc writes. */
#pragma once

#include "base/error.h"

/* Writes config.json into a bundle's directory. -EEXIST where there is one. With `rootless` it is for the user who
 * calls: a user namespace with that one ID, and no network and no cgroup of its own. */
int oci_spec_template_write(int bundle_fd, bool rootless, Error *reterr);
