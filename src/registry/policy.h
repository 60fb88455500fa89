/* SPDX-License-Identifier: Apache-2.0 */
/* policy.json: which images may come in at all (containers-policy.json(5)). */
#pragma once

#include "base/error.h"

/* Whether an image may come in from a transport: "docker" with a full name ("host/path:tag" or "host/path@digest"), "oci" and
 * "dir" with an absolute path (and ":tag"), any other with anything. 0, or -EACCES (ERROR_DENIED) with the scope that says so.
 * A requirement of signatures is refused by name. Without a policy file everything may come in: see docs/SECURITY.md. */
int policy_check(const char *transport, const char *name, Error *reterr);

/* policy_check() of "docker". */
int registry_policy_check(const char *full_name, Error *reterr);

/* The same on a policy's text. For tests. */
int policy_check_text(const char *text, size_t size, const char *path, const char *transport, const char *name, Error *reterr);
