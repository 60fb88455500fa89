/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a tree as a tar stream. */
#include "content/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/limits.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "content/tar-write.h"
#include "image/limits.h"

enum { COPY_SIZE = 128 * 1024, NOBODY = 65534 };

typedef struct Packer {
        const Union *u;
        const PackOptions *options;
        TarWriter tar;
        json_t *links;       /* "LAYER:DEVICE:INODE" to the name in the archive */
        char *buffer;
} Packer;

static bool keeps_attribute(const char *name) {
        static const char *const own[] = { "user.overlay.", "user.fuseoverlayfs.", "user.containers." };

        for (size_t i = 0; i < ELEMENTSOF(own); i++)
                if (str_after(name, own[i]))
                        return false;
        return str_after(name, "user.") || str_equal(name, "security.capability");
}

static int by_name(const void *a, const void *b) {
        return strcmp(((const TarXattr *) a)->name, ((const TarXattr *) b)->name);
}

static int add_attribute(int fd, const char *name, TarEntry *e) {
        TarXattr *grown = reallocarray(e->xattrs, e->n_xattrs + 1, sizeof(*grown));
        uint8_t *value = malloc(XATTR_SIZE_MAX);

        if (grown)
                e->xattrs = grown;
        if (!grown || !value) {
                free(value);
                return -ENOMEM;
        }
        ssize_t n = fgetxattr(fd, name, value, XATTR_SIZE_MAX);
        char *copy = n < 0 ? NULL : strdup(name);
        uint8_t *exact = n < 0 ? NULL : realloc(value, (size_t) n + 1);
        if (n < 0) { /* gone meanwhile, or not for us */
                free(value);
                return 0;
        }
        if (!copy || !exact) {
                free(copy);
                free(exact ?: value);
                return -ENOMEM;
        }
        grown[e->n_xattrs++] = (TarXattr){ copy, exact, (size_t) n };
        return 0;
}

/* Of files and directories: other kinds have none that may be kept. */
static int read_attributes(int fd, TarEntry *e) {
        char names[XATTR_LIST_MAX];
        ssize_t size = flistxattr(fd, names, sizeof(names));
        int r = 0;

        for (char *name = names; size > 0 && name < names + size && r >= 0; name += strlen(name) + 1)
                if (keeps_attribute(name))
                        r = add_attribute(fd, name, e);
        if (e->n_xattrs > 1)
                qsort(e->xattrs, e->n_xattrs, sizeof(*e->xattrs), by_name);
        return r;
}

static void entry_done(TarEntry *e) {
        free(e->path);
        free(e->link);
        for (size_t i = 0; i < e->n_xattrs; i++) {
                free(e->xattrs[i].name);
                free(e->xattrs[i].value);
        }
        free(e->xattrs);
}
#define _cleanup_entry_ _cleanup_(entry_done)

static char type_of(mode_t mode) {
        return S_ISREG(mode) ? '0' : S_ISLNK(mode) ? '2' : S_ISCHR(mode) ? '3' : S_ISBLK(mode) ? '4' : S_ISDIR(mode) ? '5' : '6';
}

/* One that no container of the user can have is nobody's. */
static uint32_t id_in(const IdMap *map, uint32_t host) {
        uint32_t id;

        return idmap_from_host(map, host, &id) ? id : NOBODY;
}

static void set_status(const Packer *p, TarEntry *e, const struct stat *st) {
        const UserMap *map = p->options && p->options->map && !p->options->map->host ? p->options->map : NULL;

        e->type = type_of(st->st_mode);
        e->mode = st->st_mode & 07777;
        e->uid = map ? id_in(&map->uid, st->st_uid) : st->st_uid;
        e->gid = map ? id_in(&map->gid, st->st_gid) : st->st_gid;
        e->size = S_ISREG(st->st_mode) ? (uint64_t) st->st_size : 0;
        e->mtime = st->st_mtim.tv_sec;
        if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
                e->major = major(st->st_rdev);
                e->minor = minor(st->st_rdev);
        }
}

/* As many bytes as the header says, whatever happens to the file meanwhile: what it lost is zeros. */
static int write_contents(Packer *p, int fd, uint64_t size, Error *reterr) {
        uint64_t left = size;
        int r = 0;

        while (left > 0 && r >= 0) {
                size_t want = (size_t) MIN(left, (uint64_t) COPY_SIZE);
                ssize_t n = RETRY_EINTR(read(fd, p->buffer, want));

                if (n < 0)
                        return error_set_errno(reterr, -errno, "cannot read a file");
                if (n == 0) {
                        memset(p->buffer, 0, want);
                        n = (ssize_t) want;
                }
                r = tar_write_data(&p->tar, p->buffer, (size_t) n, reterr);
                left -= (uint64_t) n;
        }
        return r < 0 ? r : tar_write_padding(&p->tar, size, reterr);
}

/* A file that has further names: all but the first are links to it. 1: it is one of those. */
static int find_link(Packer *p, size_t layer, const struct stat *st, TarEntry *e) {
        char key[80];
        const json_t *first;

        if (st->st_nlink < 2 || !p->links)
                return 0;
        (void) snprintf(key, sizeof(key), "%zu:%llx:%llx", layer, (unsigned long long) st->st_dev, (unsigned long long) st->st_ino);
        first = json_object_get(p->links, key);
        if (!first)
                return json_object_set_new(p->links, key, json_stringn_nocheck(e->path, strlen(e->path))) < 0 ? -ENOMEM : 0;
        e->link = strndup(json_string_value(first), json_string_length(first));
        e->type = '1';
        return e->link ? 1 : -ENOMEM;
}

static int write_regular(Packer *p, int fd, TarEntry *e, size_t layer, Error *reterr) {
        struct stat st;

        /* the descriptor's own status: it may be another file than the one that was listed */
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return error_set(reterr, -EAGAIN, ERROR_STATE, "cannot read '/%.300s': it was replaced meanwhile", e->path);
        set_status(p, e, &st);
        int r = find_link(p, layer, &st, e);
        if (r > 0)
                return tar_write_header(&p->tar, e, reterr);
        if (r >= 0)
                r = read_attributes(fd, e);
        if (r < 0)
                return error_oom(reterr);
        r = tar_write_header(&p->tar, e, reterr);
        return r < 0 ? r : write_contents(p, fd, e->size, reterr);
}

/* Anything but a directory, `path` in one layer. */
static int write_entry(Packer *p, size_t layer, const char *path, const struct stat *st, const char *as, Error *reterr) {
        _cleanup_entry_ TarEntry e = { .path = strdup(as) };
        _cleanup_fd_ int fd = -EBADF;

        if (!e.path)
                return error_oom(reterr);
        if (S_ISSOCK(st->st_mode))
                return 0;
        set_status(p, &e, st);
        if (S_ISREG(st->st_mode)) {
                fd = union_open(p->u, layer, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
                if (fd == -ENOENT)
                        return 0; /* removed meanwhile */
                return fd < 0 ? error_set_errno(reterr, fd, "cannot read '/%.300s'", path) : write_regular(p, fd, &e, layer, reterr);
        }
        if (S_ISLNK(st->st_mode)) {
                char text[IMAGE_PATH_LIMIT + 1];
                ssize_t n;

                fd = union_open(p->u, layer, path, O_PATH | O_NOFOLLOW);
                n = fd < 0 ? -1 : readlinkat(fd, "", text, sizeof(text));
                if (n < 0 || n > IMAGE_PATH_LIMIT)
                        return error_set_errno(reterr, fd < 0 ? fd : n < 0 ? -errno : -ENAMETOOLONG, "cannot read the symlink '/%.300s'", path);
                e.link = strndup(text, (size_t) n);
                if (!e.link)
                        return error_oom(reterr);
        }
        return tar_write_header(&p->tar, &e, reterr);
}

static int write_directory(Packer *p, const UnionEntry *dir, const char *path, const char *as, Error *reterr) {
        _cleanup_entry_ TarEntry e = { .path = str_format("%s/", as) };
        _cleanup_fd_ int fd = union_open(p->u, dir->layers[0], path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

        if (!e.path)
                return error_oom(reterr);
        set_status(p, &e, &dir->st);
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot read the directory '/%.300s'", path);
        if (read_attributes(fd, &e) < 0)
                return error_oom(reterr);
        return tar_write_header(&p->tar, &e, reterr);
}

/* An empty file of the name that says something is gone. */
static int write_whiteout(Packer *p, const char *directory, const char *name, Error *reterr) {
        _cleanup_entry_ TarEntry e = { .type = '0', .path = str_format("%s%s.wh.%s", directory, *directory ? "/" : "", name) };

        return e.path ? tar_write_header(&p->tar, &e, reterr) : error_oom(reterr);
}

static char *below(const char *directory, const char *name) {
        return str_format("%s%s%s", directory, *directory ? "/" : "", name);
}

static int pack_children(Packer *p, const UnionEntry *dir, const char *path, const char *as, unsigned depth, Error *reterr);

static int pack_child(Packer *p, const UnionEntry *e, const char *path, const char *as, unsigned depth, Error *reterr) {
        _cleanup_free_ char *child = below(path, e->name), *child_as = below(as, e->name);

        if (!child || !child_as)
                return error_oom(reterr);
        if (p->options->layer && S_ISCHR(e->st.st_mode) && e->st.st_rdev == makedev(0, 0))
                return write_whiteout(p, as, e->name, reterr);
        if (!S_ISDIR(e->st.st_mode))
                return write_entry(p, e->layers[0], child, &e->st, child_as, reterr);
        int r = write_directory(p, e, child, child_as, reterr);
        return r < 0 ? r : pack_children(p, e, child, child_as, depth + 1, reterr);
}

static int pack_children(Packer *p, const UnionEntry *dir, const char *path, const char *as, unsigned depth, Error *reterr) {
        _cleanup_union_list_ UnionList list = {};

        if (depth > IMAGE_DEPTH_LIMIT)
                return error_set(reterr, -ELOOP, ERROR_INVALID, "cannot read '/%.300s': directories are nested too deep", path);
        int r = union_list(p->u, path, dir->layers, dir->n_layers, &list, reterr);
        if (r >= 0 && p->options->layer && list.opaque && *path)
                r = write_whiteout(p, as, ".wh..opq", reterr);
        for (size_t i = 0; i < list.n && r >= 0; i++)
                r = pack_child(p, list.entries + i, path, as, depth, reterr);
        return r;
}

static int open_packer(Packer *p, int out_fd, Error *reterr) {
        p->links = json_object();
        p->buffer = malloc(COPY_SIZE);
        return !p->links || !p->buffer ? error_oom(reterr) : tar_writer_open(&p->tar, out_fd, reterr);
}

static void packer_done(Packer *p) {
        json_decref(p->links);
        free(p->buffer);
        tar_writer_done(&p->tar);
}

int pack_union(const Union *u, const PackOptions *options, int out_fd, Error *reterr) {
        _cleanup_(packer_done) Packer p = { .u = u, .options = options };
        _cleanup_union_entry_ UnionEntry root = {};

        int r = open_packer(&p, out_fd, reterr);
        if (r >= 0)
                r = union_root(u, &root, reterr);
        /* the root's own entry: where it was asked for, or says something that is not the default of who unpacks it */
        bool own = options->as || (root.n_layers > 0 && ((root.st.st_mode & 07777) != 0755 || root.st.st_uid != 0 || root.st.st_gid != 0));
        if (r >= 0 && own)
                r = write_directory(&p, &root, "", options->as ?: ".", reterr);
        if (r >= 0)
                r = pack_children(&p, &root, "", options->as ?: "", 0, reterr);
        return r < 0 ? r : tar_write_end(&p.tar, reterr);
}

int pack_file(int fd, const char *as, const UserMap *map, int out_fd, Error *reterr) {
        const PackOptions options = { .map = map };
        _cleanup_(packer_done) Packer p = { .options = &options };
        _cleanup_entry_ TarEntry e = { .path = strdup(as) };
        struct stat st;

        if (!e.path)
                return error_oom(reterr);
        if (fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot read '%s'", as);
        int r = open_packer(&p, out_fd, reterr);
        if (r < 0)
                return r;
        json_decref(p.links); /* there is no other name of it here */
        p.links = NULL;
        set_status(&p, &e, &st);
        r = S_ISREG(st.st_mode) ? write_regular(&p, fd, &e, 0, reterr) : tar_write_header(&p.tar, &e, reterr);
        return r < 0 ? r : tar_write_end(&p.tar, reterr);
}
