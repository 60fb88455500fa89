/* SPDX-License-Identifier: Apache-2.0 */
/* Names for containers that were given none. */
#pragma once

/* A made-up name such as "brave_otter"; owned, NULL when out of memory. Not unique: the caller claims it. */
char *name_generate(void);
