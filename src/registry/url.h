/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, read by the same parser that libcurl connects by, so that what is checked is what is used. */
#pragma once

#include "base/error.h"

typedef struct Url {
        char *text;    /* the whole, normalised */
        bool https;
        char *host;    /* lower case */
        unsigned port;
} Url;

void url_done(Url *url);
#define _cleanup_url_ _cleanup_(url_done)

/* Reads an address; a relative one is resolved against `base` (may be NULL). Only http and https, and neither user nor
 * password in it: -EBADMSG. A fragment is dropped. */
int url_parse(const char *text, const Url *base, Url *ret);

/* A copy; the target must be empty. */
int url_copy(const Url *from, Url *ret);

/* Same scheme, host and port. */
bool url_same_origin(const Url *a, const Url *b) _pure_;

/* Appends "name=value", escaped. */
int url_add_query(Url *url, const char *name, const char *value);

/* Whether two hosts are under one management as far as names tell: equal, or both below the same domain of two labels (of
 * three, where the second-level label has at most three letters and the top level two: "co.uk"). Never for addresses. */
bool url_related_hosts(const char *a, const char *b) _pure_;
