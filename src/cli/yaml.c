/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON as YAML. */
#include "cli/yaml.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

/* Whether the text, unquoted, is that string and nothing else to any reader of YAML 1.1 or 1.2. */
static bool is_plain(const char *s) {
        static const char *const words[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n" };
        bool blank = true;

        if (!isalpha((unsigned char) *s) && *s != '/')
                return false;
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcasecmp(s, words[i]) == 0)
                        return false;
        for (const char *p = s; *p; p++) {
                if (!isalnum((unsigned char) *p) && !strchr(" _./@+()-,=", *p))
                        return false;
                blank = *p == ' ';
        }
        return !blank;
}

static void print_scalar(const json_t *value, FILE *f) {
        char *text;

        if (json_is_string(value) && is_plain(json_string_value(value))) {
                fputs(json_string_value(value), f);
                return;
        }
        /* A JSON string is a double-quoted YAML one. */
        text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        fputs(text ?: "null", f);
        free(text);
}

static int compare_keys(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void print_value(const json_t *value, unsigned indent, FILE *f);

static void print_object(const json_t *object, unsigned indent, FILE *f) {
        _cleanup_free_ const char **keys = calloc(json_object_size(object) + 1, sizeof(*keys));
        const char *key;
        const json_t *value;
        size_t n = 0;

        if (!keys)
                return;
        json_object_foreach((json_t *) object, key, value)
                keys[n++] = key;
        qsort(keys, n, sizeof(*keys), compare_keys);
        for (size_t i = 0; i < n; i++) {
                _cleanup_json_ json_t *name = json_string(keys[i]);

                fprintf(f, "%*s", i > 0 ? (int) indent : 0, "");
                print_scalar(name, f);
                fputc(':', f);
                value = json_object_get(object, keys[i]);
                if (json_is_object(value) && json_object_size(value) > 0) {
                        fprintf(f, "\n%*s", (int) indent + 2, "");
                        print_value(value, indent + 2, f);
                } else if (json_is_array(value) && json_array_size(value) > 0) {
                        fprintf(f, "\n%*s", (int) indent, "");
                        print_value(value, indent, f);
                } else {
                        fputc(' ', f);
                        print_value(value, indent, f);
                }
        }
}

/* Prints from the current column on, which is `indent`; ends with a newline. */
static void print_value(const json_t *value, unsigned indent, FILE *f) {
        const json_t *item;
        size_t i;

        if (json_is_object(value) && json_object_size(value) > 0) {
                print_object(value, indent, f);
                return;
        }
        if (json_is_array(value) && json_array_size(value) > 0) {
                json_array_foreach(value, i, item) {
                        fprintf(f, "%*s- ", i > 0 ? (int) indent : 0, "");
                        print_value(item, indent + 2, f);
                }
                return;
        }
        print_scalar(value, f);
        fputc('\n', f);
}

void yaml_print(const json_t *value, FILE *f) {
        print_value(value, 0, f);
}
