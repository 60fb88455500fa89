/* SPDX-License-Identifier: Apache-2.0 */
/* Layers as one tree, with whiteouts in the form of files, which need no privilege; and what differs between two of them. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "content/changes.h"
#include "content/union.h"

static char top[] = "/tmp/sdpod-test-XXXXXX";

static int make_tree(void) {
        static const char *const directories[] = { "upper", "upper/etc", "upper/new", "upper/opaque", "lower", "lower/etc", "lower/opaque", "lower/dir" };
        static const char *const files[] = { "upper/etc/own",       "upper/etc/changed",    "upper/new/file", "upper/.wh.gone",  "upper/opaque/.wh..wh..opq",
                                             "upper/opaque/shown",  "lower/etc/changed",    "lower/etc/kept", "lower/gone",      "lower/opaque/hidden",
                                             "lower/dir/untouched", "upper/.wh..wh.plnk" };

        (void) strcpy(top + strlen(top) - 6, "XXXXXX");
        CHECK(mkdtemp(top));
        int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(fd >= 0);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                CHECK_INT(mkdirat(fd, directories[i], 0755), 0);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_fd_ int file = openat(fd, files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
                CHECK(file >= 0);
        }
        return fd;
}

static void remove_top(void) {
        CHECK_INT(path_remove_tree(AT_FDCWD, top), 0);
}

static char *names(const Union *u, const char *path, const UnionEntry *dir) {
        _cleanup_union_list_ UnionList list = {};
        _cleanup_strv_ char **all = NULL;

        CHECK_INT(union_list(u, path, dir->layers, dir->n_layers, &list, NULL), 0);
        for (size_t i = 0; i < list.n; i++)
                CHECK_INT(strv_append(&all, list.entries[i].name), 0);
        return strv_join(all, " ");
}

static const UnionEntry *find(const UnionList *list, const char *name) {
        for (size_t i = 0; i < list->n; i++)
                if (str_equal(list->entries[i].name, name))
                        return list->entries + i;
        return NULL;
}

TEST(whiteouts_hide_what_is_below) {
        _cleanup_fd_ int fd = make_tree();
        _cleanup_union_ Union u = {};
        _cleanup_union_entry_ UnionEntry root = {};
        _cleanup_union_list_ UnionList list = {};

        CHECK_INT(union_add(&u, fd, "upper", "upper", NULL), 0);
        CHECK_INT(union_add(&u, fd, "lower", "low", NULL), 0);
        CHECK_INT(union_root(&u, &root, NULL), 0);
        _cleanup_free_ char *all = names(&u, "", &root);
        CHECK_STR(all, "dir etc new opaque");
        CHECK_INT(union_list(&u, "", root.layers, root.n_layers, &list, NULL), 0);
        _cleanup_free_ char *etc = names(&u, "etc", find(&list, "etc")), *opaque = names(&u, "opaque", find(&list, "opaque"));
        CHECK_STR(etc, "changed kept own");
        CHECK_STR(opaque, "shown");
        remove_top();
}

TEST(a_plain_tree_has_all_its_names) {
        _cleanup_fd_ int fd = make_tree();
        _cleanup_union_ Union u = { .flags = UNION_PLAIN };
        _cleanup_union_entry_ UnionEntry root = {};

        CHECK_INT(union_add(&u, fd, "upper", "upper", NULL), 0);
        CHECK_INT(union_root(&u, &root, NULL), 0);
        _cleanup_free_ char *all = names(&u, "", &root);
        CHECK_STR(all, ".wh..wh.plnk .wh.gone etc new opaque");
        remove_top();
}

TEST(a_layer_lists_its_whiteouts) {
        _cleanup_fd_ int fd = make_tree();
        _cleanup_union_ Union u = { .flags = UNION_WHITEOUTS };
        _cleanup_union_entry_ UnionEntry root = {};
        _cleanup_union_list_ UnionList list = {}, opaque = {};

        CHECK_INT(union_add(&u, fd, "upper", "upper", NULL), 0);
        CHECK_INT(union_root(&u, &root, NULL), 0);
        CHECK_INT(union_list(&u, "", root.layers, root.n_layers, &list, NULL), 0);
        CHECK(find(&list, "gone") && S_ISCHR(find(&list, "gone")->st.st_mode));
        CHECK(!list.opaque);
        CHECK_INT(union_list(&u, "opaque", root.layers, 1, &opaque, NULL), 0);
        CHECK(opaque.opaque);
        remove_top();
}

TEST(changes) {
        _cleanup_fd_ int fd = make_tree(), out = io_memfd("changes", "", 0);
        _cleanup_union_ Union now = {}, before = {};
        _cleanup_free_ char *records = NULL;
        size_t size = 0;

        CHECK_INT(union_add(&now, fd, "upper", "upper", NULL), 0);
        CHECK_INT(union_add(&now, fd, "lower", "low", NULL), 0);
        CHECK_INT(union_add(&before, fd, "lower", "low", NULL), 0);
        CHECK_INT(changes_write(&now, &before, out, NULL), 0);
        CHECK(lseek(out, 0, SEEK_SET) == 0);
        CHECK_INT(io_read_all(out, 65536, &records, &size), 0);
        for (size_t i = 0; i + 1 < size; i++)
                if (!records[i])
                        records[i] = ' ';
        CHECK_STR(records, "C/etc C/etc/changed A/etc/own D/gone A/new A/new/file C/opaque D/opaque/hidden A/opaque/shown");
        remove_top();
}
