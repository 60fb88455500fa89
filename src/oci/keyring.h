/* SPDX-License-Identifier: Apache-2.0 */
/* Session keyrings (keyrings(7)). */
#pragma once

#include "base/error.h"

/* Gives this process the session keyring of container `id`, a new one for its first process, so that it has no key of its caller's. */
int oci_keyring_join(const char *id, Error *reterr);
