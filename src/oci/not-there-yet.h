/* SPDX-License-Identifier: Apache-2.0 */
/* What others are about to bring. */
#pragma once

#include <stdio.h>

#include "base/error.h"

int oci_features_print(FILE *f, Error *reterr);
int oci_spec_template_write(int bundle_fd, bool rootless, Error *reterr);
