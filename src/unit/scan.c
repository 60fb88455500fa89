/* SPDX-License-Identifier: Apache-2.0 */
/* Finds unit files and drop-in directories: each directory is read once, whatever links lead to it. */
#include "unit/scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

struct UnitTable {
        size_t n, room; /* room is a power of two */
        struct {
                const char *key;
                void *value;
        } slots[];
};

typedef struct UnitVisited {
        dev_t device;
        ino_t inode;
} UnitVisited;

/* One name of a directory that matters. */
typedef enum FoundKind {
        FOUND_UNIT,
        FOUND_MASK,
        FOUND_DROP_IN_DIR,
        FOUND_DIR,
} FoundKind;

typedef struct Found {
        char *name;
        UnitType type;
        FoundKind kind;
        bool link;
} Found;

static uint64_t
hash(const char *s) { /* FNV-1a: names are the machine owner's, nobody feeds them collisions but himself */
        uint64_t h = UINT64_C(0xcbf29ce484222325);

        for (; *s; s++)
                h = (h ^ (unsigned char) *s) * UINT64_C(0x100000001b3);
        return h ^ h >> 32;
}

void *unit_table_get(const UnitTable *table, const char *key) {
        if (!table)
                return NULL;
        for (size_t i = hash(key) & (table->room - 1); table->slots[i].key; i = (i + 1) & (table->room - 1))
                if (strcmp(table->slots[i].key, key) == 0)
                        return table->slots[i].value;
        return NULL;
}

static void put_slot(UnitTable *table, const char *key, void *value) {
        size_t i = hash(key) & (table->room - 1);

        while (table->slots[i].key)
                i = (i + 1) & (table->room - 1);
        table->slots[i].key = key;
        table->slots[i].value = value;
        table->n++;
}

int unit_table_put(UnitTable **table, const char *key, void *value) {
        UnitTable *old = *table;

        if (!old || old->n * 2 >= old->room) {
                size_t room = old ? old->room * 2 : 64;
                UnitTable *grown = calloc(1, sizeof(*grown) + room * sizeof(grown->slots[0]));

                if (!grown)
                        return -ENOMEM;
                grown->room = room;
                for (size_t i = 0; old && i < old->room; i++)
                        if (old->slots[i].key)
                                put_slot(grown, old->slots[i].key, old->slots[i].value);
                free(old);
                *table = grown;
        }
        put_slot(*table, key, value);
        return 0;
}

void unit_table_each(const UnitTable *table, void (*call)(void *value)) {
        for (size_t i = 0; table && i < table->room; i++)
                if (table->slots[i].key)
                        call(table->slots[i].value);
}

void unit_table_free(UnitTable *table) {
        free(table);
}

/* True if it is new. */
static bool visit(UnitSet *set, const struct stat *st) {
        for (size_t i = 0; i < set->n_visited; i++)
                if (set->visited[i].device == st->st_dev && set->visited[i].inode == st->st_ino)
                        return false;
        if (set->n_visited == UNIT_DIRS_MAX) {
                set->report(set->userdata, UNIT_ERROR,
                            "more than 4096 directories with unit files: the rest is left out");
                return false;
        }
        UnitVisited *grown = realloc(set->visited, (set->n_visited + 1) * sizeof(*grown));
        if (!grown) {
                set->failed = true;
                return false;
        }
        set->visited = grown;
        set->visited[set->n_visited++] = (UnitVisited){ .device = st->st_dev, .inode = st->st_ino };
        return true;
}

/* What a directory entry is to us; false: nothing. */
static bool classify(int dir_fd, const struct dirent *entry, Found *found) {
        unsigned char type = entry->d_type;
        struct stat st;

        if (entry->d_name[0] == '.')
                return false;
        *found = (Found){ .type = unit_type_from_file(entry->d_name), .link = type == DT_LNK };
        if (type == DT_REG && found->type < 0)
                return false;
        if (type == DT_LNK || type == DT_UNKNOWN) {
                if (fstatat(dir_fd, entry->d_name, &st, 0) < 0)
                        type = DT_REG; /* a broken link: reading it will say so */
                else if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
                        found->kind = FOUND_MASK;
                else
                        type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
        }
        if (type == DT_DIR)
                found->kind = str_has_suffix(entry->d_name, ".d") ? FOUND_DROP_IN_DIR : FOUND_DIR;
        else if (found->type < 0)
                return false;
        return true;
}

static int compare_found(const void *a, const void *b) {
        return strcmp(((const Found *) a)->name, ((const Found *) b)->name);
}

static int list_directory(int fd, Found **ret, size_t *ret_n) {
        size_t n = 0, room = 0;
        Found *list = NULL, found;
        struct dirent *entry;
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3), r = 0;
        DIR *stream = copy < 0 ? NULL : fdopendir(copy);

        if (!stream) {
                r = -errno;
                (void) fd_close(copy);
                return r;
        }
        while ((entry = readdir(stream))) {
                if (!classify(fd, entry, &found))
                        continue;
                if (n == room) {
                        Found *grown = realloc(list, (room = MAX(room * 2, (size_t) 32)) * sizeof(*grown));

                        if (!grown) {
                                r = -ENOMEM;
                                break;
                        }
                        list = grown;
                }
                found.name = strdup(entry->d_name);
                if (!found.name) {
                        r = -ENOMEM;
                        break;
                }
                list[n++] = found;
        }
        (void) closedir(stream);
        if (n > 1)
                qsort(list, n, sizeof(*list), compare_found);
        *ret = list;
        *ret_n = n;
        return r;
}

static int add_drop_in_dir(UnitSet *set, const char *dir, const char *name) {
        UnitDropInDir *d = arena_alloc(&set->arena, sizeof(*d));
        const char *path = arena_format(&set->arena, "%s/%s", dir, name);

        if (!d || !path)
                return -ENOMEM;
        *d = (UnitDropInDir){ .path = path, .last = d };
        const char *key = strrchr(path, '/') + 1;
        UnitDropInDir *first = unit_table_get(set->drop_in_dirs, key);
        if (!first)
                return unit_table_put(&set->drop_in_dirs, key, d);
        first->last->next = d;
        first->last = d;
        return 0;
}

static bool left_out(const UnitSearchDir *top, const char *name) {
        return (top->without_users && strcmp(name, "users") == 0) ||
               (top->without_numbers && strspn(name, "0123456789") == strlen(name));
}

static int scan_directory(UnitSet *set, const UnitSearchDir *top, const char *path, unsigned depth);

static int scan_found(UnitSet *set, const UnitSearchDir *top, int fd, const char *dir, const Found *found,
                      unsigned depth) {
        switch (found->kind) {
        case FOUND_DROP_IN_DIR:
                return add_drop_in_dir(set, dir, found->name);
        case FOUND_UNIT:
        case FOUND_MASK:
                if (unit_table_get(set->by_name, found->name))
                        return 0;
                if (set->n_units == UNIT_FILES_MAX) {
                        set->report(set->userdata, UNIT_ERROR, "more than 65536 unit files");
                        return -E2BIG;
                }
                return unit_set_add(set, fd, dir, found->name, found->type, found->kind == FOUND_MASK);
        case FOUND_DIR:
                break;
        }
        if (top->flat || (depth == 0 && left_out(top, found->name)))
                return 0;
        _cleanup_free_ char *path = str_format("%s/%s", dir, found->name), *real = NULL;
        if (!path)
                return -ENOMEM;
        if (found->link)
                real = realpath(path, NULL);
        return scan_directory(set, top, real ? real : path, depth + 1);
}

/* The files first, then what is below: a file nearer to the top hides one of the same name further down. */
static int scan_directory(UnitSet *set, const UnitSearchDir *top, const char *path, unsigned depth) {
        enum { DEPTH_MAX = 32 };
        _cleanup_fd_ int fd = depth > DEPTH_MAX ? -ELOOP : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat st;
        Found *list = NULL;
        size_t n = 0;

        if (fd < 0 || fstat(fd, &st) < 0 || !visit(set, &st))
                return 0; /* missing or not ours to read: as if it were empty */
        for (const char *p = path; *p; p++)
                if ((unsigned char) *p < ' ' || *p == 0x7F) { /* would break the lines that we write it into */
                        set->report(set->userdata, UNIT_ERROR,
                                    "a directory with control characters in its path is left out");
                        return 0;
                }
        const char *dir = arena_copy(&set->arena, path);
        int r = dir ? list_directory(fd, &list, &n) : -ENOMEM;
        for (size_t i = 0; i < n && r >= 0; i++)
                if (list[i].kind != FOUND_DIR)
                        r = scan_found(set, top, fd, dir, list + i, depth);
        for (size_t i = 0; i < n && r >= 0; i++)
                if (list[i].kind == FOUND_DIR)
                        r = scan_found(set, top, fd, dir, list + i, depth);
        for (size_t i = 0; i < n; i++)
                free(list[i].name);
        free(list);
        return r;
}

int unit_set_scan(UnitSet *set, const UnitSearchDir *dirs, size_t n_dirs) {
        for (size_t i = 0; i < n_dirs; i++) {
                int r = scan_directory(set, dirs + i, dirs[i].path, 0);

                if (r < 0)
                        return r;
        }
        return 0;
}
