/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the runtime's own file out of its containers' reach. */
#pragma once

#include "base/error.h"

/* A process that executes "/proc/self/exe", or a script with that as its interpreter, is this very program as the container's process,
 * and its file is there to be opened for writing (CVE-2019-5736). Where the container's root could write to it, the program goes on
 * from a read-only mount of its file that is nowhere attached, or (who may not mount) from a sealed copy in memory, and this returns
 * only when it may go on as it is. To be called before `create`, `run` and `exec` do anything. */
int oci_seal_program(char **argv, Error *reterr);
