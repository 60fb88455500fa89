/* SPDX-License-Identifier: Apache-2.0 */
/* pax records by a table of keys. */
#include "image/tar-pax.h"

#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "image/limits.h"

#define XATTR_PREFIX "SCHILY.xattr."

enum { XATTRS_LIMIT = 1000 };

void tar_pax_done(TarPax *pax) {
        free(pax->path);
        free(pax->link);
        for (size_t i = 0; i < pax->n_xattrs; i++) {
                free(pax->xattrs[i].name);
                free(pax->xattrs[i].value);
        }
        free(pax->xattrs);
        free(pax->sparse_name);
        free(pax->sparse_map);
        *pax = (TarPax){};
}

static int bad(Error *reterr, const char *reason) {
        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the tar archive is damaged: %s", reason);
}

static int set_text(char **to, const char *value, size_t size) {
        char *copy;

        if (strlen(value) != size)
                return -EBADMSG; /* a NUL inside */
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*to);
        *to = copy;
        return 0;
}

static int set_number(TarPax *pax, TarPaxField field, uint64_t *to, const char *value) {
        pax->given |= field;
        return parse_u64(value, to) < 0 ? -EBADMSG : 0;
}

/* "1350244992.023960108": a decimal fraction of a second; negative times count down. */
static int set_mtime(TarPax *pax, const char *value) {
        const char *point = strchr(value, '.');
        _cleanup_free_ char *whole = point ? strndup(value, (size_t) (point - value)) : strdup(value);
        uint32_t unit = 100000000, nsec = 0;

        if (!whole)
                return -ENOMEM;
        if (parse_i64(whole, &pax->mtime) < 0)
                return -EBADMSG;
        for (const char *p = point ? point + 1 : ""; *p; p++, unit /= 10) {
                if (*p < '0' || *p > '9')
                        return -EBADMSG;
                nsec += (uint32_t) (*p - '0') * unit;
        }
        if (*value == '-' && nsec > 0) {
                pax->mtime--;
                nsec = 1000000000 - nsec;
        }
        pax->mtime_nsec = nsec;
        pax->given |= TAR_PAX_MTIME;
        return 0;
}

static int add_xattr(TarPax *pax, const char *name, const char *value, size_t size) {
        TarXattr *grown;

        if (pax->n_xattrs >= XATTRS_LIMIT || !*name)
                return -EBADMSG;
        grown = realloc(pax->xattrs, (pax->n_xattrs + 1) * sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        pax->xattrs = grown;
        grown[pax->n_xattrs] = (TarXattr){ .name = strdup(name), .value = malloc(size + 1), .size = size };
        TarXattr *added = grown + pax->n_xattrs++;
        if (!added->name || !added->value)
                return -ENOMEM;
        memcpy(added->value, value, size);
        return 0;
}

static int add_sparse(TarPax *pax, const char *value) {
        if (pax->n_sparse_map >= 2 * (size_t) IMAGE_SPARSE_LIMIT)
                return -EBADMSG;
        if ((pax->n_sparse_map & (pax->n_sparse_map - 1)) == 0) {
                uint64_t *grown = realloc(pax->sparse_map, MAX(pax->n_sparse_map * 2, (size_t) 1) * sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                pax->sparse_map = grown;
        }
        return parse_u64(value, &pax->sparse_map[pax->n_sparse_map++]) < 0 ? -EBADMSG : 0;
}

/* "GNU.sparse.map", format 0.1: all numbers with commas between. */
static int set_sparse_map(TarPax *pax, const char *value) {
        _cleanup_strv_ char **numbers = NULL;
        _cleanup_free_ char *copy = strdup(value);
        char *save = NULL;
        int r = 0;

        if (!copy)
                return -ENOMEM;
        pax->n_sparse_map = 0;
        free(TAKE_PTR(pax->sparse_map));
        for (char *word = strtok_r(copy, ",", &save); word && r >= 0; word = strtok_r(NULL, ",", &save))
                r = add_sparse(pax, word);
        return r;
}

static int take(TarPax *pax, const char *key, const char *value, size_t size) {
        const char *xattr = str_after(key, XATTR_PREFIX), *sparse = str_after(key, "GNU.sparse.");

        if (xattr)
                return add_xattr(pax, xattr, value, size);
        if (str_equal(key, "path"))
                return set_text(&pax->path, value, size);
        if (str_equal(key, "linkpath"))
                return set_text(&pax->link, value, size);
        if (str_equal(key, "size"))
                return set_number(pax, TAR_PAX_SIZE, &pax->size, value);
        if (str_equal(key, "uid"))
                return set_number(pax, TAR_PAX_UID, &pax->uid, value);
        if (str_equal(key, "gid"))
                return set_number(pax, TAR_PAX_GID, &pax->gid, value);
        if (str_equal(key, "mtime"))
                return set_mtime(pax, value);
        if (!sparse)
                return 0;
        pax->sparse = true;
        if (str_equal(sparse, "name"))
                return set_text(&pax->sparse_name, value, size);
        if (str_equal(sparse, "size") || str_equal(sparse, "realsize"))
                return set_number(pax, 0, &pax->sparse_size, value);
        if (str_equal(sparse, "major"))
                return set_number(pax, 0, &pax->sparse_major, value);
        if (str_equal(sparse, "offset") || str_equal(sparse, "numbytes"))
                return add_sparse(pax, value);
        if (str_equal(sparse, "map"))
                return set_sparse_map(pax, value);
        return 0;
}

int tar_pax_parse(TarPax *pax, const char *body, size_t size, Error *reterr) {
        const char *p = body, *end = body + size;

        while (p < end) {
                size_t digits = strspn(p, "0123456789"), length;
                char number[8] = "";
                const char *equals;
                uint64_t parsed;

                if (digits == 0 || digits >= sizeof(number) || p[digits] != ' ')
                        return bad(reterr, "an extended header is not one");
                memcpy(number, p, digits);
                if (parse_u64(number, &parsed) < 0 || parsed > (uint64_t) (end - p) || parsed < digits + 4)
                        return bad(reterr, "an extended header is not one");
                length = (size_t) parsed;
                if (p[length - 1] != '\n')
                        return bad(reterr, "an extended header is not one");
                equals = memchr(p + digits + 1, '=', length - digits - 2);
                if (!equals)
                        return bad(reterr, "an extended header is not one");

                size_t value_size = (size_t) (p + length - 1 - (equals + 1));
                _cleanup_free_ char *key = strndup(p + digits + 1, (size_t) (equals - (p + digits + 1)));
                _cleanup_free_ char *value = malloc(value_size + 1);
                if (!key || !value)
                        return error_oom(reterr);
                memcpy(value, equals + 1, value_size);
                value[value_size] = 0;
                int r = take(pax, key, value, value_size);
                if (r == -ENOMEM)
                        return error_oom(reterr);
                if (r < 0)
                        return error_set(reterr, r, ERROR_CORRUPT, "the tar archive is damaged: '%.100s' in an extended header is not valid",
                                         key);
                p += length;
        }
        return 0;
}
