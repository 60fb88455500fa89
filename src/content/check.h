/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the store is whole (podman-system-check(1)). */
#pragma once

#include <stdint.h>

#include "state/store.h"

typedef struct CheckOptions {
        bool quick;              /* only what is there, not what is in it */
        bool repair;             /* what is damaged is mended, or removed with the images that need it */
        uint64_t max_usec;       /* layers that nothing needs and that are older are removed */
        const char *users_file;  /* gets the IDs of the containers that hold damaged layers, one a line; NULL: nothing does */
} CheckOptions;

/* Prints what is damaged and who depends on it. *ret_left counts what is damaged still when it returns. */
int check_run(const Store *store, const CheckOptions *options, size_t *ret_left, Error *reterr);
