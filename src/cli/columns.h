/* SPDX-License-Identifier: Apache-2.0 */
/* Text in columns: cells that end with a tab are padded to the widest cell of their column. */
#pragma once

#include <stdio.h>

#include "base/macro.h"

enum {
        COLUMNS_MIN_WIDTH = 12, /* of a column with its padding: what Podman's tables have */
        COLUMNS_PADDING = 2,
};

/* Writes `text` with its tabs turned into spaces. A column is a run of lines which all have a cell there; the last cell of
 * a line, which no tab ends, belongs to no column. Wide and combining characters count as the terminal shows them.
 * Returns 0, -ENOMEM or -EIO. */
int columns_write(const char *text, FILE *out);

/* How many columns of a terminal the text takes; what is not printable counts one a byte. */
size_t columns_width(const char *text, size_t size);
