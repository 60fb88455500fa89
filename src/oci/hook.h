/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks in the working directory that the caller has. */
#pragma once

#include "oci/process.h"

/* As oci_hooks_run(), which goes to the bundle first. */
int oci_hooks_run_here(RuntimeHookKind kind, const OciHookState *state, bool go_on, Error *reterr);
