/* SPDX-License-Identifier: Apache-2.0 */
/* The header fields of HTTP whose insides matter. All of it is hostile input. */
#pragma once

#include <stdint.h>

#include "base/macro.h"

typedef enum AuthScheme {
        AUTH_OTHER,
        AUTH_BASIC,
        AUTH_BEARER,
} AuthScheme;

typedef struct Challenge {
        AuthScheme scheme;
        char *realm, *service, *scope, *error; /* NULL: not said */
} Challenge;

typedef struct Challenges {
        Challenge *items;
        size_t n;
} Challenges;

void challenges_done(Challenges *challenges);
#define _cleanup_challenges_ _cleanup_(challenges_done)

/* Adds the challenges of one WWW-Authenticate value (RFC 9110, 11.6.1): several may stand in one. What is not of that
 * grammar, and more than eight, is -EBADMSG; what came before it stays. */
int challenges_parse(const char *value, Challenges *challenges);

/* A Bearer challenge, else a Basic one, else NULL. Borrowed. */
const Challenge *challenges_choose(const Challenges *challenges) _pure_;

/* Content-Range (RFC 9110, 14.4) "bytes FIRST-LAST/TOTAL", TOTAL perhaps "*" (then UINT64_MAX). Strict: -EBADMSG. */
int content_range_parse(const char *value, uint64_t *ret_first, uint64_t *ret_last, uint64_t *ret_total);

/* Retry-After (RFC 9110, 10.2.3) in seconds from `now`, as a number or a date; -EBADMSG for neither. */
int retry_after_parse(const char *value, int64_t now, uint64_t *ret_seconds);

/* The target of rel="next" in a Link value (RFC 8288). Owned. -ENOENT where there is none. */
int link_next_parse(const char *value, char **ret);
