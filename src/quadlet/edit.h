/* SPDX-License-Identifier: Apache-2.0 */
/* A person's editor on a copy of a unit file, which takes the file's place only when it is right. */
#pragma once

#include "quadlet/place.h"

typedef struct QuadletEdit {
        bool drop_in; /* NAME.d/override.conf instead of the file itself */
        bool reload;
} QuadletEdit;

/* *ret is a sentence about what was done, owned. A copy that is wrong is kept, and the message says where. */
int quadlet_edit(const char *word, const QuadletEdit *options, char **ret, Error *reterr);
