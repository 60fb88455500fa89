/* SPDX-License-Identifier: Apache-2.0 */
/* Copying files between the host and containers, or two containers (podman-cp(1)). */
#pragma once

#include "state/store.h"

typedef struct CpOptions {
        bool keep_owners;    /* --archive=false: the owners of the source; else those of the container's user */
        bool overwrite;      /* directories and others may replace each other */
} CpOptions;

/* Copies `source` to `destination`: "CONTAINER:PATH", a path of the host (which begins with '.' or '/' if it has a colon), or "-"
 * for a tar archive on the standard input or output. At least one is in a container. */
int cp_run(const Store *store, const char *source, const char *destination, const CpOptions *options, Error *reterr);
