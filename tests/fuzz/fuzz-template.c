/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a template, over a record that has every kind of value. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/columns.h"
#include "cli/template.h"

static const char record[] =
        "{\"ID\":\"abc\",\"N\":5,\"R\":1.5,\"T\":true,\"E\":\"\",\"Null\":null,\"When\":\"2026-11-22T11:40:45.59Z\","
        "\"List\":[\"a\",\"b c\",\"\\u001b\"],\"Labels\":{\"b\":\"2\",\"a\":\"1\"},\"S\":{\"A\":{\"B\":[{\"C\":1},{\"C\":2}]}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const maps[] = { "Labels", "Null", NULL }, *const times[] = { "When", NULL },
                                 *const lookups[] = { "Label", "Labels", NULL }, *const absent[] = { "Out", "[]", NULL };
        static const TemplateTypes types = { .maps = maps, .times = times, .lookups = lookups, .absent = absent };
        _cleanup_free_ char *text = strndup((const char *) data, size), *out = NULL;
        _cleanup_template_ Template *template = NULL;
        _cleanup_json_ json_t *json = NULL;
        FILE *memory, *null;

        if (!text || json_parse(record, strlen(record), "record", &json, NULL) < 0 ||
            template_parse(text, size % 2 ? TEMPLATE_TABLE : 0, &template, NULL) < 0)
                return 0;
        memory = open_memstream(&out, &size);
        if (!memory)
                return 0;
        (void) template_execute(template, json, &types, (TemplateEscape) (size % 3), memory, NULL);
        fclose(memory);
        null = fopen("/dev/null", "we");
        if (null) {
                (void) columns_write(out, null);
                fclose(null);
        }
        return 0;
}
