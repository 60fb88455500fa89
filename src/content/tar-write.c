/* SPDX-License-Identifier: Apache-2.0 */
/* Writing tar archives. */
#include "content/tar-write.h"

#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"

enum { BLOCK = 512 };

typedef struct Header {
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[8];
        char user[32], group[32], major[8], minor[8], prefix[155], rest[12];
} Header;
static_assert(sizeof(Header) == BLOCK, "a tar header is one block");

int tar_writer_open(TarWriter *w, int fd, Error *reterr) {
        *w = (TarWriter){ .fd = fd, .buffer = malloc(TAR_WRITE_BUFFER) };
        return w->buffer ? 0 : error_oom(reterr);
}

void tar_writer_done(TarWriter *w) {
        free(w->buffer);
        *w = (TarWriter){ .fd = -EBADF };
}

static int flush(TarWriter *w, Error *reterr) {
        int r = io_write_full(w->fd, w->buffer, w->used);

        w->used = 0;
        return r < 0 ? error_set_errno(reterr, r, "cannot write the archive") : 0;
}

int tar_write_data(TarWriter *w, const void *data, size_t size, Error *reterr) {
        const char *p = data;

        while (size > 0) {
                size_t n = MIN(size, TAR_WRITE_BUFFER - w->used);

                memcpy(w->buffer + w->used, p, n);
                w->used += n;
                p += n;
                size -= n;
                int r = w->used == TAR_WRITE_BUFFER ? flush(w, reterr) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

int tar_write_padding(TarWriter *w, uint64_t size, Error *reterr) {
        static const char zeros[BLOCK] = {};

        return tar_write_data(w, zeros, (size_t) ((BLOCK - size % BLOCK) % BLOCK), reterr);
}

int tar_write_end(TarWriter *w, Error *reterr) {
        static const char zeros[2 * BLOCK] = {};
        int r = tar_write_data(w, zeros, sizeof(zeros), reterr);

        return r < 0 ? r : flush(w, reterr);
}

/* A pax record, "LENGTH KEY=VALUE\n", whose length counts itself. */
static int add_record(char **pax, size_t *size, const char *key, const void *value, size_t value_size) {
        size_t rest = strlen(key) + value_size + 3, digits = 1, total;
        char number[24];
        char *grown;

        for (total = rest + digits;; total = rest + digits) {
                size_t n = (size_t) snprintf(number, sizeof(number), "%zu", total);

                if (n == digits)
                        break;
                digits = n;
        }
        grown = realloc(*pax, *size + total);
        if (!grown)
                return -ENOMEM;
        *pax = grown;
        char *p = grown + *size;
        size_t n_key = strlen(key);
        memcpy(p, number, digits);
        p += digits;
        *p++ = ' ';
        memcpy(p, key, n_key);
        p += n_key;
        *p++ = '=';
        memcpy(p, value, value_size);
        p[value_size] = '\n';
        *size += total;
        return 0;
}

static int add_text(char **pax, size_t *size, const char *key, const char *value) {
        return add_record(pax, size, key, value, strlen(value));
}

/* Into an octal field, or as a pax record where it has no room. */
static int put_number(char *field, size_t field_size, uint64_t value, const char *key, char **pax, size_t *size) {
        uint64_t limit = 1ULL << (3 * (field_size - 1));
        char text[24];

        if (value < limit) {
                char octal[16];

                (void) snprintf(octal, sizeof(octal), "%0*llo", (int) field_size - 1, (unsigned long long) value);
                memcpy(field, octal, field_size); /* with its NUL */
                return 0;
        }
        memset(field, '0', field_size - 1);
        (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) value);
        return add_text(pax, size, key, text);
}

static int put_time(Header *h, int64_t mtime, char **pax, size_t *size) {
        char text[24];

        if (mtime >= 0)
                return put_number(h->mtime, sizeof(h->mtime), (uint64_t) mtime, "mtime", pax, size);
        memset(h->mtime, '0', sizeof(h->mtime) - 1);
        (void) snprintf(text, sizeof(text), "%lld", (long long) mtime);
        return add_text(pax, size, "mtime", text);
}

/* A name into its field; one that is too long is cut at a slash, or else stands in a pax record. */
static int put_name(Header *h, const char *name, char **pax, size_t *size) {
        size_t n = strlen(name);

        if (n <= sizeof(h->name)) {
                memcpy(h->name, name, n);
                return 0;
        }
        for (const char *slash = name + n - 2; n <= sizeof(h->name) + sizeof(h->prefix) && slash > name; slash--) {
                size_t before = (size_t) (slash - name), after = n - before - 1;

                if (*slash != '/' || before > sizeof(h->prefix))
                        continue;
                if (after > sizeof(h->name))
                        break;
                memcpy(h->prefix, name, before);
                memcpy(h->name, slash + 1, after);
                return 0;
        }
        memcpy(h->name, name, sizeof(h->name));
        return add_text(pax, size, "path", name);
}

static void put_checksum(Header *h) {
        const unsigned char *bytes = (const unsigned char *) h;
        unsigned sum = 0;
        char text[8];

        memset(h->checksum, ' ', sizeof(h->checksum));
        for (size_t i = 0; i < BLOCK; i++)
                sum += bytes[i];
        (void) snprintf(text, sizeof(text), "%06o", sum & 0777777);
        memcpy(h->checksum, text, 7);
}

static int write_pax(TarWriter *w, const char *pax, size_t size, Error *reterr) {
        Header h = { .name = "PaxHeaders", .mode = "0000644", .uid = "0000000", .gid = "0000000", .mtime = "00000000000",
                     .type = 'x', .magic = { 'u', 's', 't', 'a', 'r', 0, '0', '0' } };
        char text[16];

        if (size > 07777777)
                return error_set(reterr, -E2BIG, ERROR_INVALID, "cannot write the archive: a file's attributes are too long");
        (void) snprintf(text, sizeof(text), "%011zo", size);
        memcpy(h.size, text, sizeof(h.size));
        put_checksum(&h);
        int r = tar_write_data(w, &h, sizeof(h), reterr);
        if (r >= 0)
                r = tar_write_data(w, pax, size, reterr);
        return r < 0 ? r : tar_write_padding(w, size, reterr);
}

static int put_fields(Header *h, const TarEntry *e, char **pax, size_t *size) {
        int r = put_name(h, e->path, pax, size);

        if (r >= 0)
                r = put_number(h->mode, sizeof(h->mode), e->mode & 07777, "mode", pax, size);
        if (r >= 0)
                r = put_number(h->uid, sizeof(h->uid), e->uid, "uid", pax, size);
        if (r >= 0)
                r = put_number(h->gid, sizeof(h->gid), e->gid, "gid", pax, size);
        if (r >= 0)
                r = put_number(h->size, sizeof(h->size), e->type == '0' ? e->size : 0, "size", pax, size);
        if (r >= 0)
                r = put_time(h, e->mtime, pax, size);
        if (r >= 0 && (e->type == '3' || e->type == '4')) {
                r = put_number(h->major, sizeof(h->major), e->major, "SCHILY.devmajor", pax, size);
                if (r >= 0)
                        r = put_number(h->minor, sizeof(h->minor), e->minor, "SCHILY.devminor", pax, size);
        }
        if (r >= 0 && e->link) {
                size_t n = strlen(e->link);

                memcpy(h->link, e->link, MIN(n, sizeof(h->link)));
                r = n > sizeof(h->link) ? add_text(pax, size, "linkpath", e->link) : 0;
        }
        for (size_t i = 0; i < e->n_xattrs && r >= 0; i++) {
                _cleanup_free_ char *key = str_format("SCHILY.xattr.%s", e->xattrs[i].name);

                r = key ? add_record(pax, size, key, e->xattrs[i].value, e->xattrs[i].size) : -ENOMEM;
        }
        return r;
}

int tar_write_header(TarWriter *w, const TarEntry *e, Error *reterr) {
        Header h = { .type = e->type, .magic = { 'u', 's', 't', 'a', 'r', 0, '0', '0' } };
        _cleanup_free_ char *pax = NULL;
        size_t size = 0;

        if (put_fields(&h, e, &pax, &size) < 0)
                return error_oom(reterr);
        put_checksum(&h);
        int r = size > 0 ? write_pax(w, pax, size, reterr) : 0;
        return r < 0 ? r : tar_write_data(w, &h, sizeof(h), reterr);
}
