/* SPDX-License-Identifier: Apache-2.0 */
/* Building JSON objects key by key. */
#include "engine/inspect-view.h"

#include <stdlib.h>

#include "base/str.h"
#include "base/time.h"

void view_add(View *v, const char *key, json_t *value) {
        if (json_object_set_new_nocheck(v->object, key, value) < 0)
                v->failed = true;
}

void view_string(View *v, const char *key, const char *value) {
        view_add(v, key, json_text(value ?: ""));
}

void view_integer(View *v, const char *key, int64_t value) {
        view_add(v, key, json_integer(value));
}

void view_bool(View *v, const char *key, bool value) {
        view_add(v, key, json_boolean(value));
}

void view_time(View *v, const char *key, int64_t usec) {
        _cleanup_free_ char *text = time_format_rfc3339(usec);

        view_add(v, key, text ? json_string(text) : NULL);
}

void view_strv(View *v, const char *key, char *const *value) {
        view_add(v, key, json_from_strv(value));
}

static int compare_words(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void view_map(View *v, const char *key, char *const *pairs) {
        size_t n = strv_length(pairs);
        _cleanup_free_ char **sorted = calloc(n + 1, sizeof(char *));

        if (sorted && n > 0) {
                memcpy(sorted, pairs, n * sizeof(char *));
                qsort(sorted, n, sizeof(char *), compare_words);
        }
        view_add(v, key, sorted ? json_from_pairs(sorted) : NULL);
}

json_t *view_take(View *v) {
        return v->failed ? NULL : TAKE_PTR(v->object);
}
