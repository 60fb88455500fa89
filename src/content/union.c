/* SPDX-License-Identifier: Apache-2.0 */
/* Layers seen as one tree. */
#include "content/union.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"
enum { ENTRIES_LIMIT = 8 * 1024 * 1024 }; /* of one directory */

/* A name as one layer has it. */
typedef struct Raw {
        char *name;
        struct stat st;
        size_t layer, order;
        bool hides;              /* a whiteout */
} Raw;

typedef struct RawList {
        Raw *items;
        size_t n, room;
} RawList;

static void raw_list_done(RawList *list) {
        for (size_t i = 0; i < list->n; i++)
                free(list->items[i].name);
        free(list->items);
}

void union_done(Union *u) {
        for (size_t i = 0; i < u->n; i++)
                (void) fd_close(u->roots[i]);
        free(u->roots);
        strv_free(u->ids);
        *u = (Union){};
}

void union_entry_done(UnionEntry *entry) {
        free(entry->name);
        free(entry->layers);
        *entry = (UnionEntry){};
}

void union_list_done(UnionList *list) {
        for (size_t i = 0; i < list->n; i++)
                union_entry_done(list->entries + i);
        free(list->entries);
        *list = (UnionList){};
}

int union_add(Union *u, int dir_fd, const char *path, const char *id, Error *reterr) {
        _cleanup_fd_ int fd = path_open_beneath(dir_fd, path, O_PATH | O_DIRECTORY, 0);
        int *grown;

        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot open '%s'", path);
        grown = reallocarray(u->roots, u->n + 1, sizeof(*grown));
        if (!grown)
                return error_oom(reterr);
        u->roots = grown;
        if (strv_append(&u->ids, id) < 0)
                return error_oom(reterr);
        u->roots[u->n++] = TAKE_FD(fd);
        return 0;
}

int union_open(const Union *u, size_t layer, const char *path, int flags) {
        if (*path)
                return path_open_beneath(u->roots[layer], path, flags, 0);
        int fd = openat(u->roots[layer], ".", flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int union_root(const Union *u, UnionEntry *ret, Error *reterr) {
        _cleanup_union_entry_ UnionEntry entry = { .name = strdup(""), .layers = calloc(u->n + 1, sizeof(size_t)) };

        if (!entry.name || !entry.layers)
                return error_oom(reterr);
        for (size_t i = 0; i < u->n; i++)
                entry.layers[entry.n_layers++] = i;
        if (u->n > 0 && fstat(u->roots[0], &entry.st) < 0)
                return error_set_errno(reterr, -errno, "cannot read the root directory");
        *ret = entry;
        entry = (UnionEntry){};
        return 0;
}

static bool has_opaque_attribute(int fd) {
        static const char *const names[] = { "user.overlay.opaque", "trusted.overlay.opaque", "user.fuseoverlayfs.opaque" };
        char value;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (fgetxattr(fd, names[i], &value, 1) == 1 && value == 'y')
                        return true;
        return false;
}

static Raw *raw_add(RawList *list) {
        if (list->n == list->room) {
                size_t room = list->room > 0 ? 2 * list->room : 32;
                Raw *grown = room > ENTRIES_LIMIT ? NULL : reallocarray(list->items, room, sizeof(*grown));

                if (!grown)
                        return NULL;
                list->items = grown;
                list->room = room;
        }
        list->items[list->n] = (Raw){};
        return list->items + list->n++;
}

/* One name of one layer. Returns 1 where it says that the directory is opaque. */
static int read_name(const Union *u, int fd, const char *name, size_t layer, size_t order, RawList *list) {
        const char *hidden = u->flags & UNION_PLAIN ? NULL : str_after(name, WHITEOUT_PREFIX);
        struct stat st;
        Raw *raw;

        if (hidden && str_equal(name, WHITEOUT_OPAQUE))
                return 1;
        if (hidden && (!*hidden || str_after(hidden, WHITEOUT_PREFIX)))
                return 0; /* marks of other drivers, for themselves */
        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno; /* removed meanwhile */
        raw = raw_add(list);
        if (!raw || !(raw->name = strdup(hidden ?: name)))
                return -ENOMEM;
        raw->hides = !(u->flags & UNION_PLAIN) && (hidden || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0)));
        raw->layer = layer;
        raw->order = order;
        raw->st = st;
        if (raw->hides) {
                raw->st.st_mode = S_IFCHR;
                raw->st.st_rdev = makedev(0, 0);
        }
        return 0;
}

static int read_layer(const Union *u, size_t layer, size_t order, const char *path, RawList *list, bool *opaque) {
        _cleanup_fd_ int fd = union_open(u, layer, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        int own, r = 0;
        DIR *dir;

        if (fd < 0)
                return fd;
        *opaque = !(u->flags & UNION_PLAIN) && has_opaque_attribute(fd);
        own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        dir = own < 0 ? NULL : fdopendir(own);
        if (!dir) {
                r = -errno;
                (void) fd_close(own);
                return r;
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                if (str_equal(e->d_name, ".") || str_equal(e->d_name, ".."))
                        continue;
                r = read_name(u, fd, e->d_name, layer, order, list);
                *opaque = *opaque || r > 0;
        }
        (void) closedir(dir);
        return r < 0 ? r : 0;
}

static int by_name(const void *a, const void *b) {
        const Raw *x = a, *y = b;
        int c = strcmp(x->name, y->name);

        return c != 0 ? c : x->order < y->order ? -1 : x->order > y->order;
}

/* What the names of one group, highest layer first, come to: nothing, or one entry. */
static int fold(const Union *u, Raw *group, size_t n, UnionList *list) {
        UnionEntry *entry = list->entries + list->n;
        size_t count = 1;

        if (group->hides && !(u->flags & UNION_WHITEOUTS))
                return 0;
        if (S_ISDIR(group->st.st_mode))
                while (count < n && !group[count].hides && S_ISDIR(group[count].st.st_mode))
                        count++;
        entry->layers = calloc(count, sizeof(size_t));
        if (!entry->layers)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                entry->layers[entry->n_layers++] = group[i].layer;
        entry->st = group->st;
        entry->name = TAKE_PTR(group->name);
        list->n++;
        return 0;
}

int union_list(const Union *u, const char *path, const size_t *layers, size_t n_layers, UnionList *ret, Error *reterr) {
        _cleanup_(raw_list_done) RawList raws = {};
        _cleanup_union_list_ UnionList list = {};
        bool opaque = false;
        int r = 0;

        for (size_t i = 0; i < n_layers && r >= 0 && !opaque; i++)
                r = read_layer(u, layers[i], i, path, &raws, &opaque);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the directory '/%.300s'", path);
        if (raws.n > 0)
                qsort(raws.items, raws.n, sizeof(*raws.items), by_name);
        list.entries = calloc(raws.n + 1, sizeof(*list.entries));
        if (!list.entries)
                return error_oom(reterr);
        list.opaque = opaque;
        for (size_t i = 0, next; i < raws.n; i = next) {
                for (next = i + 1; next < raws.n && str_equal(raws.items[i].name, raws.items[next].name); next++)
                        ;
                if (fold(u, raws.items + i, next - i, &list) < 0)
                        return error_oom(reterr);
        }
        *ret = list;
        list = (UnionList){};
        return 0;
}
