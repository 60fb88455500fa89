/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a record: the reader that goes straight into the struct must take what the one by way of a tree takes, and
 * find the same in it. (It may take more: keys of maps and unknown ones twice, text that is not UTF-8 below them. jansson
 * passes over a NUL byte behind a number, which is its own affair.) */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "spec/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *tree = NULL, *one = NULL, *other = NULL;
        ContainerConfig by_text = {}, by_tree = {};

        if (memchr(data, 0, size))
                return 0;
        int a = json_fields_parse((const char *) data, size, container_config_fields, &by_text, NULL);
        int b = json_parse((const char *) data, size, "record", &tree, NULL);

        if (b >= 0)
                b = json_fields_load(tree, container_config_fields, &by_tree, NULL);
        if (b >= 0) {
                if (a < 0)
                        abort();
                one = json_fields_save(container_config_fields, &by_text);
                other = json_fields_save(container_config_fields, &by_tree);
                if (!json_equal(one, other))
                        abort();
        }
        container_config_done(&by_text);
        container_config_done(&by_tree);
        return 0;
}
