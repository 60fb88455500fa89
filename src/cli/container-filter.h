/* SPDX-License-Identifier: Apache-2.0 */
/* --filter for containers: ps, start --all, stop, rm, ... choose by the same table of keys. */
#pragma once

#include "state/container.h"

typedef struct ContainerFilter ContainerFilter;

/* Reads "key=value" words. Values of one key widen the choice (of label, label! and until they narrow it), keys narrow it.
 * Unknown keys and values that can never match are refused. before and since find their container in the store. */
int container_filter_parse(const Store *store, char *const *words, int64_t now_usec, ContainerFilter **ret, Error *reterr);
ContainerFilter *container_filter_free(ContainerFilter *filter);
DEFINE_CLEANUP(ContainerFilter, container_filter_free)
#define _cleanup_container_filter_ _cleanup_(container_filter_freep)

/* Whether a container passes all keys; NULL passes everything. */
bool container_filter_matches(const ContainerFilter *filter, const Container *container);

/* Whether that key was given. */
bool container_filter_has(const ContainerFilter *filter, const char *key) _pure_;

/* The names of the keys, NULL-terminated, for the shells. */
extern const char *const container_filter_keys[];
