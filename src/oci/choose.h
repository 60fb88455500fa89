/* SPDX-License-Identifier: Apache-2.0 */
/* Containers by a pattern, for the verbs that have --regex. */
#pragma once

#include "oci/state.h"

/* Does it for each container whose ID the extended regular expression matches (regex(7)); the first error is returned, after all
 * others have had their turn. */
int oci_each_matching(const GlobalOptions *global, const char *pattern, int (*what)(OciContainer *container, const void *data, Error *reterr),
                      bool lock, const void *data, Error *reterr);
