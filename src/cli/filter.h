/* SPDX-License-Identifier: Apache-2.0 */
/* --filter KEY=VALUE as lists have it: values of one key are alternatives, different keys must all hold. */
#pragma once

#include "base/error.h"

typedef struct FilterKey {
        const char *name; /* NULL ends the table; "label!" is the key of label!=VALUE */
        bool all;         /* values of this key must all hold, as those of label do */
        /* Whether the item matches: 1, 0, or -errno with the reason that the value itself is wrong. */
        int (*match)(const void *item, const char *value, Error *reterr);
} FilterKey;

/* Whether the item passes. Filters that are not KEY=VALUE, and unknown keys, are refused, also when `item` is NULL:
 * with that the filters are only checked, values excepted. Returns 1, 0 or -errno. */
int filters_match(char *const *filters, const FilterKey *keys, const void *item, Error *reterr);

/* Whether the pairs have the label KEY, or KEY=VALUE. */
bool filter_label(char *const *labels, const char *value) _pure_;

/* Whether `text` has `pattern` in it: a regular expression (POSIX extended), as Podman's name filters are. -EINVAL. */
int filter_regex(const char *text, const char *pattern, Error *reterr);
