/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two trees of layers (podman-diff(1)). */
#pragma once

#include "content/union.h"

/* Writes a record for each path that differs, in the order of the paths: 'A' added, 'C' changed or 'D' deleted, the path with
 * a leading slash, and a NUL. Both are opened by the same process. What sdpod itself puts into containers is left out. A
 * layer with the ID "upper" is what a container wrote: all files in it are changes. */
int changes_write(const Union *now, const Union *before, int out_fd, Error *reterr);
