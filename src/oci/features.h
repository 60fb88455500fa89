/* SPDX-License-Identifier: Apache-2.0 */
/* `features`: what this runtime knows, as JSON (the runtime-spec's features.md and features-linux.md). */
#pragma once

#include <stdio.h>

#include "base/error.h"

/* The object, indented, with a newline. What it says does not depend on the machine, but for the flags of seccomp(2) that the kernel takes and
 * the version of libseccomp. */
int oci_features_print(FILE *f, Error *reterr);
