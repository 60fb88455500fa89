/* SPDX-License-Identifier: Apache-2.0 */
/* The names that an image has had. */
#include "image/names-history.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "image/layout.h"

#define NAMES_FILE "names.json"

enum { NAMES_LIMIT = 100 }; /* of one manifest */

static bool has_name(const json_t *names, const char *name) {
        const json_t *other;
        size_t i;

        json_array_foreach(names, i, other)
                if (str_equal(json_string_value(other), name))
                        return true;
        return false;
}

/* The list of the manifest in `to`, with what it was in `from`. Borrowed. */
static json_t *list_of(json_t *to, const json_t *from, const char *digest) {
        json_t *names = json_object_get(to, digest);

        if (names)
                return names;
        names = json_is_array(json_object_get(from, digest)) ? json_copy(json_object_get(from, digest)) : json_array();
        return json_object_set_new(to, digest, names) < 0 ? NULL : names;
}

void names_history_note(int images_fd, const json_t *index) {
        _cleanup_json_ json_t *before = NULL, *now = json_object();
        const json_t *entry;
        size_t i;

        (void) json_read(images_fd, NAMES_FILE, LAYOUT_INDEX_LIMIT, &before, /* reterr= */ NULL);
        json_array_foreach(layout_entries(index), i, entry) {
                json_t *names = list_of(now, before, layout_entry_digest(entry));
                const char *name = layout_entry_name(entry);

                if (!names || !name || has_name(names, name))
                        continue;
                (void) json_array_insert_new(names, 0, json_string(name));
                while (json_array_size(names) > NAMES_LIMIT)
                        (void) json_array_remove(names, NAMES_LIMIT);
        }
        if (now && json_seal(now) >= 0 && !json_equal(now, before))
                (void) json_write_within(images_fd, NAMES_FILE, LAYOUT_INDEX_LIMIT, now, 0600, FILE_VOLATILE, /* reterr= */ NULL);
}

int names_history_check(const Store *store) {
        _cleanup_free_ char *text = NULL, *again = NULL;
        _cleanup_json_ json_t *history = NULL;
        size_t size;

        int r = file_read(store->data_fd, "images/" NAMES_FILE, LAYOUT_INDEX_LIMIT, &text, &size);
        if (r >= 0)
                r = json_parse(text, size, NAMES_FILE, &history, /* reterr= */ NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        again = json_dumps(history, JSON_COMPACT);
        if (!again)
                return -ENOMEM;
        bool same = strlen(again) + 1 == size && memcmp(again, text, size - 1) == 0 && text[size - 1] == '\n';
        return same && json_seal_check(history) > 0 ? 0 : -EBADMSG;
}

json_t *names_history_read(const Store *store) {
        json_t *history = NULL;

        if (json_read(store->data_fd, "images/" NAMES_FILE, LAYOUT_INDEX_LIMIT, &history, /* reterr= */ NULL) < 0)
                return json_object();
        return history;
}

char **names_history_of(const json_t *history, const ImageInfo *image) {
        char *const only[] = { image->digest, NULL };
        char **names = NULL;

        for (char *const *digest = image->digests ?: only; *digest; digest++) {
                const json_t *name;
                size_t i;

                json_array_foreach(json_object_get(history, *digest), i, name)
                        if (json_is_string(name) && !strv_contains(names, json_string_value(name)) &&
                            strv_append(&names, json_string_value(name)) < 0)
                                return NULL;
        }
        for (char **name = image->names; name && *name; name++)
                if (!strv_contains(names, *name) && strv_append(&names, *name) < 0)
                        return NULL;
        return names;
}
