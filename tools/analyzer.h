/* SPDX-License-Identifier: Apache-2.0 */
/* Included before every file when gcc's analyzer reads it (.ci/run): version 12 knows what realloc() does with its
 * argument and not that reallocarray() does the same. */
#pragma once

#include <malloc.h>
#include <stdlib.h>

#define reallocarray(p, n, size) realloc((p), (n) * (size))
