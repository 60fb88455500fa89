/* SPDX-License-Identifier: Apache-2.0 */
/* The version of this program, as `version` and `info` show it. */
#pragma once

#include <jansson.h>

/* Podman's fields: Version, APIVersion, OsArch, ... A new reference; NULL when out of memory. */
json_t *version_to_json(void);
