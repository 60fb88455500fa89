/* SPDX-License-Identifier: Apache-2.0 */
/* Records straight from their text into structs, in one pass: what json_read() and json_fields_load() do with a tree in
 * between, at a tenth of the cost. Every command reads records, and `ps` one for each container. The fuzz target holds
 * the two against each other. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/str.h"

enum { FIELDS_LIMIT = 256 }; /* of one table: bits in `seen` */

typedef struct Reader {
        const char *p, *end;
        unsigned depth;
} Reader;

/* A string as it stands in the text, without its quotes. */
typedef struct Slice {
        const char *text;
        size_t size;
        bool plain; /* ASCII without escapes: the bytes are the string */
} Slice;

static int read_object(Reader *r, const JsonField *fields, void *target, Error *reterr);
static int skip_value(Reader *r);

static void skip_space(Reader *r) {
        while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
                r->p++;
}

/* Passes white space, that byte, and white space. */
static bool take(Reader *r, char c) {
        skip_space(r);
        if (r->p >= r->end || *r->p != c)
                return false;
        r->p++;
        skip_space(r);
        return true;
}

static bool take_word(Reader *r, const char *word) {
        size_t n = strlen(word);

        if ((size_t) (r->end - r->p) < n || memcmp(r->p, word, n) != 0)
                return false;
        r->p += n;
        return true;
}

/* The length of what is ASCII, printable and neither a quote nor a backslash from `p` on, eight bytes at a time (rounded down). */
static size_t plain_run(const char *p, const char *end) {
        static const uint64_t ones = UINT64_C(0x0101010101010101), high = UINT64_C(0x8080808080808080);
        const char *start = p;

        for (uint64_t w; end - p >= 8; p += 8) {
                memcpy(&w, p, sizeof(w));
                /* the high bit of a byte of x - ones is set where the byte was 0, and then possibly in those above it: enough for a no */
                uint64_t quote = w ^ ones * '"', backslash = w ^ ones * '\\';
                uint64_t other = w | (quote - ones) | (backslash - ones) | (w - ones * 0x20);

                if (other & high)
                        break;
        }
        return (size_t) (p - start);
}

static int read_slice(Reader *r, Slice *ret) {
        Slice slice = { .plain = true };

        if (r->p >= r->end || *r->p != '"')
                return -EBADMSG;
        slice.text = ++r->p;
        for (r->p += plain_run(r->p, r->end); r->p < r->end && *r->p != '"'; r->p++) {
                if ((unsigned char) *r->p < 0x20)
                        return -EBADMSG;
                if (*r->p == '\\' || (*r->p & 0x80)) {
                        slice.plain = false;
                        r->p += *r->p == '\\' && r->p + 1 < r->end;
                }
        }
        if (r->p >= r->end)
                return -EBADMSG;
        slice.size = (size_t) (r->p++ - slice.text);
        *ret = slice;
        return 0;
}

/* Escapes and UTF-8 are rare, and jansson's business: the string is read as a document of its own. */
static char *decode(const Slice *slice) {
        _cleanup_json_ json_t *json = json_loadb(slice->text - 1, slice->size + 2, JSON_DECODE_ANY, NULL);
        const char *text = json_string_value(json);

        return text ? strdup(text) : NULL;
}

static int slice_copy(const Slice *slice, char **ret) {
        char *copy = slice->plain ? strndup(slice->text, slice->size) : decode(slice);

        if (!copy)
                return slice->plain ? -ENOMEM : -EBADMSG;
        *ret = copy;
        return 0;
}

static int read_string(Reader *r, char **ret) {
        Slice slice;
        char *copy;
        int k = read_slice(r, &slice);

        if (k >= 0)
                k = slice_copy(&slice, &copy);
        if (k < 0)
                return k;
        free(*ret);
        *ret = copy;
        return 0;
}

/* Between the brackets of a list: true while an item follows. `first` is true before the first one. */
static bool next_item(Reader *r, char close, bool *first, int *ret) {
        bool was_first = *first;

        *first = false;
        *ret = 0;
        if (take(r, close)) {
                r->depth--;
                return false;
        }
        if (!was_first && !take(r, ',')) {
                *ret = -EBADMSG;
                return false;
        }
        return true;
}

static int open_bracket(Reader *r, char c) {
        if (!take(r, c) || ++r->depth > JSON_DEPTH_LIMIT)
                return -EBADMSG;
        return 0;
}

static int read_words(Reader *r, char open, char close, int (*read_word)(Reader *r, char **ret), char ***ret) {
        _cleanup_strv_ char **v = NULL;
        size_t n = 0, room = 0;
        bool first = true;
        int k = open_bracket(r, open);

        while (k >= 0 && next_item(r, close, &first, &k)) {
                if (n + 2 > room) {
                        char **grown = reallocarray(v, room = room * 2 + 8, sizeof(char *));

                        if (!grown)
                                return -ENOMEM;
                        v = grown;
                }
                v[n] = v[n + 1] = NULL;
                k = read_word(r, &v[n]);
                n += k >= 0;
        }
        if (k < 0)
                return k;
        strv_free(*ret);
        *ret = TAKE_PTR(v);
        return 0;
}

/* {"KEY": "VALUE"} to KEY=VALUE words. */
static int read_pair(Reader *r, char **ret) {
        _cleanup_free_ char *key = NULL, *value = NULL;
        int k = read_string(r, &key);

        if (k >= 0 && !take(r, ':'))
                k = -EBADMSG;
        if (k >= 0)
                k = read_string(r, &value);
        if (k < 0)
                return k;
        *ret = str_format("%s=%s", key, value);
        return *ret ? 0 : -ENOMEM;
}

/* The extent of a number (RFC 8259, section 6), and whether it is an integer. */
static int take_number(Reader *r, bool *ret_integer) {
        const char *p = r->p;
        bool integer = true;

        p += p < r->end && *p == '-';
        if (p < r->end && *p == '0')
                p++;
        else if (p < r->end && *p >= '1' && *p <= '9')
                while (p < r->end && *p >= '0' && *p <= '9')
                        p++;
        else
                return -EBADMSG;
        if (p < r->end && (*p == '.' || *p == 'e' || *p == 'E'))
                integer = false;
        if (p < r->end && *p == '.') {
                const char *digits = ++p;

                while (p < r->end && *p >= '0' && *p <= '9')
                        p++;
                if (p == digits)
                        return -EBADMSG;
        }
        if (p < r->end && (*p == 'e' || *p == 'E')) {
                p++;
                p += p < r->end && (*p == '+' || *p == '-');
                const char *digits = p;

                while (p < r->end && *p >= '0' && *p <= '9')
                        p++;
                if (p == digits)
                        return -EBADMSG;
        }
        r->p = p;
        *ret_integer = integer;
        return 0;
}

/* An integer as its sign and what comes behind it, which is at most `limit` (of a negative one: one more). */
static int read_magnitude(Reader *r, uint64_t limit, bool *ret_negative, uint64_t *ret) {
        const char *start = r->p;
        bool integer, negative = start < r->end && *start == '-';
        uint64_t n = 0;
        int k = take_number(r, &integer);

        if (k < 0 || !integer)
                return -EBADMSG;
        for (const char *p = start + negative; p < r->p; p++)
                if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t) (*p - '0'), &n) || n > limit + negative)
                        return -EBADMSG;
        *ret_negative = negative;
        *ret = n;
        return 0;
}

static int read_integer(Reader *r, int64_t *ret) {
        bool negative;
        uint64_t n;
        int k = read_magnitude(r, INT64_MAX, &negative, &n);

        if (k < 0)
                return k;
        *ret = negative ? (int64_t) (0 - n) : (int64_t) n;
        return 0;
}

static int read_unsigned(Reader *r, uint64_t *ret) {
        bool negative = r->p < r->end && *r->p == '-';

        return negative ? -EBADMSG : read_magnitude(r, UINT64_MAX, &negative, ret);
}

static int skip_list(Reader *r, char open, char close) {
        bool first = true;
        Slice key;
        int k = open_bracket(r, open);

        while (k >= 0 && next_item(r, close, &first, &k)) {
                if (open == '{') {
                        k = read_slice(r, &key);
                        if (k >= 0 && !take(r, ':'))
                                k = -EBADMSG;
                }
                if (k >= 0)
                        k = skip_value(r);
        }
        return k;
}

/* A value that nobody asks for: its form is checked, what it says is not. */
static int skip_value(Reader *r) {
        bool integer;
        Slice slice;

        skip_space(r);
        if (r->p >= r->end)
                return -EBADMSG;
        switch (*r->p) {
        case '"':
                return read_slice(r, &slice);
        case '{':
                return skip_list(r, '{', '}');
        case '[':
                return skip_list(r, '[', ']');
        case 't':
                return take_word(r, "true") ? 0 : -EBADMSG;
        case 'f':
                return take_word(r, "false") ? 0 : -EBADMSG;
        case 'n':
                return take_word(r, "null") ? 0 : -EBADMSG;
        default:
                return take_number(r, &integer);
        }
}

static void *at(void *base, size_t offset) {
        return (char *) base + offset;
}

/* Room for one more of what a list has: its address, zeroed; NULL when out of memory. */
static void *next_room(void *list, size_t count, size_t *room, size_t size) {
        char **items = list;

        if (count >= *room) {
                char *grown = reallocarray(*items, *room = *room * 2 + 4, size);

                if (!grown)
                        return NULL;
                *items = grown;
        }
        return memset(*items + count * size, 0, size);
}

static int read_array(Reader *r, const JsonField *f, void *target, Error *reterr) {
        bool map = f->type == JSON_FIELD_MAP, first = true;
        size_t *count = at(target, f->count_offset), room = 0;
        int k = open_bracket(r, map ? '{' : '[');

        while (k >= 0 && next_item(r, map ? '}' : ']', &first, &k)) {
                void *item = next_room(at(target, f->offset), *count, &room, f->size);

                if (!item)
                        return -ENOMEM;
                ++*count; /* a half-filled one is freed, too */
                if (map)
                        k = read_string(r, at(item, f->key_offset));
                if (map && k >= 0 && !take(r, ':'))
                        k = -EBADMSG;
                if (k >= 0)
                        k = read_object(r, f->fields, item, reterr);
        }
        return k;
}

static int read_numbers(Reader *r, const JsonField *f, void *target) {
        size_t *count = at(target, f->count_offset), room = 0;
        bool first = true;
        int64_t n;
        int k = open_bracket(r, '[');

        while (k >= 0 && next_item(r, ']', &first, &k)) {
                uint32_t *item = next_room(at(target, f->offset), *count, &room, sizeof(*item));

                if (!item)
                        return -ENOMEM;
                ++*count;
                k = read_integer(r, &n);
                if (k >= 0)
                        k = json_store_integer(JSON_FIELD_UINT32, n, item);
        }
        return k;
}

static int read_field(Reader *r, const JsonField *f, void *target, Error *reterr) {
        void *to = at(target, f->offset);
        int64_t n;

        switch (f->type) {
        case JSON_FIELD_STRING:
                return read_string(r, to);
        case JSON_FIELD_STRV:
                return read_words(r, '[', ']', read_string, to);
        case JSON_FIELD_PAIRS:
                return read_words(r, '{', '}', read_pair, to);
        case JSON_FIELD_BOOL:
                *(bool *) to = take_word(r, "true");
                return *(bool *) to || take_word(r, "false") ? 0 : -EBADMSG;
        case JSON_FIELD_OBJECT:
                return read_object(r, f->fields, to, reterr);
        case JSON_FIELD_ARRAY:
        case JSON_FIELD_MAP:
                return read_array(r, f, target, reterr);
        case JSON_FIELD_UINT32S:
                return read_numbers(r, f, target);
        case JSON_FIELD_UNSIGNED:
                return read_unsigned(r, to);
        case JSON_FIELD_PRESENT:
                *(bool *) to = true;
                return skip_value(r);
        default: {
                int k = read_integer(r, &n);
                return k < 0 ? k : json_store_integer(f->type, n, to);
        }
        }
}

/* The row of a key. Records are written in the table's order, so the search goes on where the last one ended. */
static const JsonField *find_field(const JsonField *fields, size_t *hint, const Slice *key) {
        size_t n = *hint;
        char first = key->size > 0 ? *key->text : 0; /* most rows differ there already */

        if (!fields[0].name)
                return NULL;
        do {
                if (!fields[n].name) {
                        n = 0;
                        continue;
                }
                if (*fields[n].name == first && strncmp(fields[n].name, key->text, key->size) == 0 && !fields[n].name[key->size]) {
                        *hint = n + 1;
                        return &fields[n];
                }
                n++;
        } while (n != *hint);
        return NULL;
}

static int read_member(Reader *r, const JsonField *fields, void *target, size_t *hint, uint64_t *seen, Error *reterr) {
        _cleanup_free_ char *decoded = NULL;
        const JsonField *field;
        Slice key;
        int k = read_slice(r, &key);

        if (k >= 0 && !key.plain) {
                k = slice_copy(&key, &decoded);
                if (k >= 0)
                        key = (Slice){ .text = decoded, .size = strlen(decoded), .plain = true };
        }
        if (k < 0 || !take(r, ':'))
                return k == -ENOMEM ? k : -EBADMSG;
        field = find_field(fields, hint, &key);
        if (!field)
                return skip_value(r);
        size_t i = (size_t) (field - fields);
        if (i >= FIELDS_LIMIT || (seen[i / 64] >> (i % 64) & 1))
                return -EBADMSG;
        seen[i / 64] |= UINT64_C(1) << (i % 64);
        if (take_word(r, "null"))
                return 0;
        if (field->present_offset)
                *(bool *) at(target, field->present_offset) = true;
        k = read_field(r, field, target, reterr);
        if (k == -EBADMSG)
                (void) (reterr && reterr->message ? error_prefix(reterr, k, "%s", field->name)
                                                  : error_set(reterr, k, ERROR_CORRUPT, "%s: not of the right type",
                                                              field->name));
        return k;
}

static int read_object(Reader *r, const JsonField *fields, void *target, Error *reterr) {
        uint64_t seen[FIELDS_LIMIT / 64] = {};
        size_t hint = 0;
        bool first = true;
        int k = open_bracket(r, '{');

        while (k >= 0 && next_item(r, '}', &first, &k))
                k = read_member(r, fields, target, &hint, seen, reterr);
        return k;
}

int json_fields_parse(const char *text, size_t size, const JsonField *fields, void *target, Error *reterr) {
        Reader r = { .p = text, .end = text + size };
        int k = read_object(&r, fields, target, reterr);

        skip_space(&r);
        if (k >= 0 && r.p != r.end)
                k = -EBADMSG;
        if (k == -ENOMEM)
                return error_oom(reterr);
        if (k < 0 && reterr && !reterr->message)
                return error_set(reterr, k, ERROR_CORRUPT, "not a JSON object, or broken at byte %zu", (size_t) (r.p - text));
        return k;
}

enum { SMALL_RECORD = 8192 };

/* A record that fits, by three system calls. Returns its size, or -EAGAIN where it is longer, or nothing to be read like this: then
 * file_read() finds out what it is. */
static ssize_t read_small(int dir_fd, const char *name, char *buffer) {
        _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? -ENOENT : -EAGAIN;
        ssize_t n = read(fd, buffer, SMALL_RECORD);
        /* what was written whole ends with a newline: then nothing is missing */
        return n > 0 && n < SMALL_RECORD && buffer[n - 1] == '\n' ? n : -EAGAIN;
}

int json_fields_read(int dir_fd, const char *name, size_t limit, const JsonField *fields, void *target, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        char buffer[SMALL_RECORD];
        size_t size;

        ssize_t n = read_small(dir_fd, name, buffer);
        int r = n >= 0 && (size_t) n > limit ? -EFBIG : n == -EAGAIN ? file_read(dir_fd, name, limit, &text, &size) : (int) MIN(n, 0);
        if (r == -ENOENT)
                return r;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read '%s'", name);
        r = json_fields_parse(text ?: buffer, text ? size : (size_t) n, fields, target, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot read '%s'", name) : 0;
}
