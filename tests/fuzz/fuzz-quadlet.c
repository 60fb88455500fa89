/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a .quadlets file. What comes out are names that files can have, and texts that are in the input where their line
 * numbers say; put together again they give the same files. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "quadlet/source.h"
#include "unit/buffer.h"

static void require(bool holds, const char *what) {
        if (holds)
                return;
        fprintf(stderr, "%s\n", what);
        abort();
}

/* Where line `n` (from 0) begins. */
static const char *line_at(const char *data, size_t size, uint32_t n) {
        const char *p = data;

        while (n-- > 0) {
                p = memchr(p, '\n', size - (size_t) (p - data));
                require(p, "a line that is not there");
                p++;
        }
        return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_quadlet_items_ QuadletItems items = {}, again = {};
        _cleanup_text_ Text joined = {};
        char *copy = malloc(size + 1);

        if (!copy)
                return 0;
        if (size > 0)
                memcpy(copy, data, size);
        copy[size] = '\0';
        if (quadlet_items_split(&items, "f.quadlets", "/d", copy, size, NULL) >= 0) {
                for (size_t i = 0; i < items.n; i++) {
                        const QuadletItem *item = items.items + i;
                        const char *at = line_at(copy, size, item->line);

                        require(quadlet_name_check(item->name, item->type, NULL) >= 0, "a name that no file can have");
                        require(unit_type_from_file(item->name) == item->type, "another type");
                        require(item->size <= size - (size_t) (at - copy) && memcmp(at, item->data, item->size) == 0, "another text");
                        text_add(&joined, i > 0 ? "---\n" : "");
                        text_add_n(&joined, item->data, item->size);
                        text_add(&joined, str_has_suffix(item->data, "\n") ? "" : "\n");
                }
                require(quadlet_items_split(&again, "f.quadlets", "/d", joined.data, joined.size, NULL) >= 0, "cannot be read again");
                require(again.n == items.n, "another number of files");
                for (size_t i = 0; i < items.n; i++)
                        require(strcmp(again.items[i].name, items.items[i].name) == 0 && again.items[i].type == items.items[i].type, "another file");
        }
        free(copy);
        return 0;
}
