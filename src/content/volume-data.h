/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a volume, as an archive (podman-volume-export(1), podman-volume-import(1)). */
#pragma once

#include "state/store.h"

/* Writes all files of the volume to `path` (NULL: the standard output, which must not be a terminal). */
int volume_export(const Store *store, const char *name, const char *path, Error *reterr);

/* Extracts the archive at `path` ("-": the standard input) into the volume, over what is there. */
int volume_import(const Store *store, const char *name, const char *path, Error *reterr);
