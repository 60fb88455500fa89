/* SPDX-License-Identifier: Apache-2.0 */
/* TOML (toml.io, v1.0.0) as JSON values, as far as configuration of containers uses it: no dates and times, no floating point;
 * those are refused with their line, as all that is not of the grammar. */
#pragma once

#include "base/json.h"

/* Parses a document into a new object; `what` names it in messages, which also say the line. -EBADMSG. */
int toml_parse(const char *text, const char *what, json_t **ret, Error *reterr);
