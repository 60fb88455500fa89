/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing two trees of layers. Directories that are made of the same layers in both are not entered. */
#include "content/changes.h"

#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "image/limits.h"

typedef struct Changes {
        const Union *now, *before;
        char *records;       /* what is written at the end */
        size_t size, room;
} Changes;

/* Podman leaves these out: they are of the container, not of what ran in it. */
static bool is_ours(const char *path) {
        static const char *const paths[] = { "dev",  "etc/hostname",      "etc/hosts", "etc/resolv.conf", "proc",
                                             "run",  "run/.containerenv", "run/notify", "run/secrets",     "sys" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (str_equal(paths[i], path))
                        return true;
        return false;
}

static int add(Changes *c, char kind, const char *path) {
        size_t n = strlen(path) + 3; /* the kind, a slash, the end */

        if (is_ours(path))
                return 0;
        if (c->room - c->size < n) {
                size_t room = MAX(2 * c->room, c->size + n + 65536);
                char *grown = realloc(c->records, room);

                if (!grown)
                        return -ENOMEM;
                c->records = grown;
                c->room = room;
        }
        c->records[c->size] = kind;
        c->records[c->size + 1] = '/';
        memcpy(c->records + c->size + 2, path, n - 2);
        c->size += n;
        return 0;
}

static char *below(const char *directory, const char *name) {
        return str_format("%s%s%s", directory, *directory ? "/" : "", name);
}

/* Everything below a directory that is only there now. */
static int add_all(Changes *c, const UnionEntry *dir, const char *path, unsigned depth, Error *reterr) {
        _cleanup_union_list_ UnionList list = {};

        if (depth > IMAGE_DEPTH_LIMIT)
                return error_set(reterr, -ELOOP, ERROR_INVALID, "cannot read '/%.300s': directories are nested too deep", path);
        int r = union_list(c->now, path, dir->layers, dir->n_layers, &list, reterr);
        for (size_t i = 0; i < list.n && r >= 0; i++) {
                _cleanup_free_ char *child = below(path, list.entries[i].name);

                if (!child || add(c, 'A', child) < 0)
                        return error_oom(reterr);
                if (S_ISDIR(list.entries[i].st.st_mode))
                        r = add_all(c, list.entries + i, child, depth + 1, reterr);
        }
        return r;
}

/* Whether both show the same layers there: nothing can differ then. */
static bool same_layers(const Changes *c, const UnionEntry *now, const UnionEntry *before) {
        if (now->n_layers != before->n_layers)
                return false;
        for (size_t i = 0; i < now->n_layers; i++)
                if (!str_equal(c->now->ids[now->layers[i]], c->before->ids[before->layers[i]]))
                        return false;
        return true;
}

static bool status_differs(const struct stat *a, const struct stat *b) {
        return a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid || a->st_rdev != b->st_rdev ||
               a->st_mtim.tv_sec != b->st_mtim.tv_sec || (!S_ISDIR(a->st_mode) && a->st_size != b->st_size);
}

static int compare_directories(Changes *c, const UnionEntry *now, const UnionEntry *before, const char *path, unsigned depth,
                               Error *reterr);

/* One name that both have. */
static int compare(Changes *c, const UnionEntry *now, const UnionEntry *before, const char *path, unsigned depth, Error *reterr) {
        bool directories = S_ISDIR(now->st.st_mode) && S_ISDIR(before->st.st_mode);
        size_t start = c->size, end;

        if (same_layers(c, now, before))
                return 0;
        if (!directories) {
                bool written = str_equal(c->now->ids[now->layers[0]], "upper");

                return (written || status_differs(&now->st, &before->st)) && add(c, 'C', path) < 0 ? error_oom(reterr) : 0;
        }
        /* the directory's own line comes first, and only if something below it, or it itself, differs */
        if (add(c, 'C', path) < 0)
                return error_oom(reterr);
        end = c->size;
        int r = compare_directories(c, now, before, path, depth + 1, reterr);
        if (r >= 0 && c->size == end && !status_differs(&now->st, &before->st))
                c->size = start;
        return r;
}

static int compare_directories(Changes *c, const UnionEntry *now, const UnionEntry *before, const char *path, unsigned depth,
                               Error *reterr) {
        _cleanup_union_list_ UnionList new = {}, old = {};
        size_t i = 0, k = 0;

        if (depth > IMAGE_DEPTH_LIMIT)
                return error_set(reterr, -ELOOP, ERROR_INVALID, "cannot read '/%.300s': directories are nested too deep", path);
        int r = union_list(c->now, path, now->layers, now->n_layers, &new, reterr);
        if (r >= 0)
                r = union_list(c->before, path, before->layers, before->n_layers, &old, reterr);
        while (r >= 0 && (i < new.n || k < old.n)) {
                int order = i == new.n ? 1 : k == old.n ? -1 : strcmp(new.entries[i].name, old.entries[k].name);
                const UnionEntry *e = order <= 0 ? new.entries + i : old.entries + k;
                _cleanup_free_ char *child = below(path, e->name);

                if (!child)
                        return error_oom(reterr);
                if (order == 0)
                        r = compare(c, e, old.entries + k, child, depth, reterr);
                else if (add(c, order < 0 ? 'A' : 'D', child) < 0)
                        r = error_oom(reterr);
                else if (order < 0 && S_ISDIR(e->st.st_mode))
                        r = add_all(c, e, child, depth + 1, reterr);
                i += order <= 0;
                k += order >= 0;
        }
        return r;
}

int changes_write(const Union *now, const Union *before, int out_fd, Error *reterr) {
        _cleanup_union_entry_ UnionEntry new = {}, old = {};
        Changes c = { .now = now, .before = before };

        int r = union_root(now, &new, reterr);
        if (r >= 0)
                r = union_root(before, &old, reterr);
        if (r >= 0 && !same_layers(&c, &new, &old))
                r = compare_directories(&c, &new, &old, "", 0, reterr);
        if (r >= 0) {
                r = io_write_full(out_fd, c.records, c.size);
                if (r < 0)
                        (void) error_set_errno(reterr, r, "cannot write the list of changes");
        }
        free(c.records);
        return r;
}
