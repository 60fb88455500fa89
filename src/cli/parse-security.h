/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities and --security-opt. */
#pragma once

#include "spec/container.h"

/* The names that capabilities(7) has, sorted, with CAP_; NULL-terminated. */
extern const char *const parse_capability_names[];

/* A capability with or without CAP_, in any case, or "all", appended as "CAP_CHOWN" or "ALL". */
int parse_capability(const char *value, char ***capabilities, Error *reterr);

/* no-new-privileges[:BOOL], seccomp=unconfined|PATH, mask=PATHS, unmask=ALL|PATHS, systempaths=unconfined,
 * label=disable, apparmor=unconfined; NAME:VALUE works as NAME=VALUE does. */
int parse_security_opt(ContainerConfig *config, const char *value, Error *reterr);
