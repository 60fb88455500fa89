/* SPDX-License-Identifier: Apache-2.0 */
/* Mount=: one CSV record a word, whose source may be another unit. */
#include <string.h>

#include "base/str.h"
#include "unit/convert.h"

/* One field of a CSV record (RFC 4180). NULL where the quotes do not match. */
static const char *read_field(Arena *arena, const char **s) {
        const char *p = *s;
        char *out = arena_alloc(arena, strlen(p) + 1), *field = out;

        if (!out)
                return NULL;
        if (*p != '"') {
                size_t n = strcspn(p, ",");

                if (memchr(p, '"', n))
                        return NULL;
                memcpy(out, p, n);
                *s = p + n;
                return field;
        }
        for (p++;; p++) {
                if (!*p)
                        return NULL;
                if (*p == '"' && *++p != '"')
                        break;
                *out++ = *p;
        }
        *s = p;
        return *p && *p != ',' ? NULL : field;
}

static void write_field(Text *text, const char *field) {
        if (text->size > 0)
                text_add_char(text, ',');
        if (!field || (!strpbrk(field, ",\"\r\n") && field[0] != ' ' && field[0] != '\t')) {
                text_add(text, field);
                return;
        }
        text_add_char(text, '"');
        for (const char *p = field; *p; p++)
                text_add_n(text, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
        text_add_char(text, '"');
}

static int split_record(Convert *c, const UnitEntry *at, const char *mount, Words *fields) {
        for (const char *p = mount;; p++) {
                const char *field = read_field(c->arena, &p);

                if (!field)
                        return c->arena->failed ? -ENOMEM
                                                : convert_fail(c, at, "Mount=%s: the quotes do not match", mount);
                words_add(fields, field);
                if (!*p)
                        return fields->failed ? -ENOMEM : 0;
        }
}

static bool takes_source(const char *type) {
        static const char *const types[] = { "artifact", "bind", "glob", "image", "volume" };

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (strcmp(type, types[i]) == 0)
                        return true;
        return false;
}

static int add_mount(Convert *c, const UnitEntry *at, const char *mount) {
        const char *type = "volume", *source = NULL;
        _cleanup_words_ Words fields = {};
        _cleanup_text_ Text text = {};
        size_t source_field = SIZE_MAX;
        int r = split_record(c, at, mount, &fields);

        if (r < 0)
                return r;
        for (size_t i = 0; i < fields.n; i++) {
                const char *field = fields.items[i], *value;

                if ((value = str_after(field, "type=")))
                        type = value;
                else if ((value = str_after(field, "source=")) || (value = str_after(field, "src="))) {
                        source = value;
                        source_field = i;
                } else if (strcmp(field, "source") == 0 || strcmp(field, "src") == 0)
                        return convert_fail(c, at, "source parameter does not include a value");
        }
        if (!takes_source(type)) {
                convert_add_two(c, "--mount", mount);
                return 0;
        }
        if (str_empty(source) && strcmp(type, "volume") != 0)
                return convert_fail(c, at, "source parameter is required for mount type %s", type);
        if (!str_empty(source)) {
                r = convert_source(c, at, source, /* mount= */ true, &source);
                if (r < 0)
                        return r;
                fields.items[source_field] = arena_format(c->arena, "source=%s", source);
        }
        write_field(&text, arena_format(c->arena, "type=%s", type));
        for (size_t i = 0; i < fields.n; i++)
                if (!fields.items[i] || !str_after(fields.items[i], "type="))
                        write_field(&text, fields.items[i]);
        convert_add_two(c, "--mount", text.failed ? NULL : arena_copy(c->arena, text.data));
        return 0;
}

int convert_call_mounts(Convert *c) {
        UnitSelect select = UNIT_SELECT(KEY_Mount);
        _cleanup_words_ Words words = {};
        const UnitEntry *e;
        int r = 0;

        for (size_t i = unit_lines_begin(&c->unit->file, &select);
             r >= 0 && (e = unit_lines_next(&c->unit->file, &select, &i));) {
                r = unit_split(c->arena, e->value, UNIT_SPLIT_ESCAPES, &words);
                if (r == -EINVAL)
                        return convert_fail(c, e, "unsupported escape char in Mount=%s", e->value);
                for (size_t w = 0; w < words.n && r >= 0; w++)
                        r = add_mount(c, e, words.items[w]);
                words_clear(&words);
        }
        return r;
}
