/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries that are loaded by the process that calls them, and cost the others nothing. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* A function of the library, and where in the caller's table its address belongs. */
typedef struct LibraryFunction {
        const char *name;
        size_t offset;
} LibraryFunction;

/* Loads the library (dlopen(3); it is never unloaded) and fills the table. -ENOENT with what is not there; the table may be half full then. */
int library_load(const char *file, const LibraryFunction *functions, size_t n, void *table, Error *reterr);
