/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths of /proc and /sys a container does not see (masked: an empty file or directory in their place) and which it
 * sees read-only: what Podman, Docker and systemd-nspawn hide, together, changed by --security-opt mask= and unmask=. */
#pragma once

#include "base/error.h"

typedef struct MaskedPaths {
        char **masked;    /* absolute paths in the container; those that do not exist are passed over */
        char **read_only;
} MaskedPaths;

#define MASKED_PATHS_NULL ((MaskedPaths){})

void masked_paths_done(MaskedPaths *paths);
#define _cleanup_masked_paths_ _cleanup_(masked_paths_done)

/* `mask` holds further paths; `unmask` holds "ALL", paths or shell patterns (fnmatch(3); '*' does not match a slash), and
 * words of both may be several joined by ':'. `privileged` leaves only what `mask` names. Relative paths and paths with
 * ".." are refused. */
int masked_paths_resolve(char *const *mask, char *const *unmask, bool privileged, MaskedPaths *ret, Error *reterr);
