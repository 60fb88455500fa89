/* SPDX-License-Identifier: Apache-2.0 */
/* What the files are made of. */
#include "content/tree.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "image/store.h"
#include "storage/rootfs.h"

void tree_done(Tree *tree) {
        free(tree->upper);
        strv_free(tree->layers);
        free(tree->copy);
        free(tree->directory);
        *tree = (Tree){};
}

int tree_of_container(const Container *c, Tree *ret, Error *reterr) {
        _cleanup_tree_ Tree tree = {};

        if (c->config.rootfs && c->config.rootfs_overlay)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot read the files of container '%s': those above a --rootfs directory are not there yet",
                                 c->config.name);
        if (str_replace(&tree.directory, c->config.rootfs) < 0)
                return error_oom(reterr);
        tree.layers = strv_copy(c->config.layers);
        if (c->config.layers && !tree.layers)
                return error_oom(reterr);
        if (rootfs_is_vfs(c)) {
                tree.copy = str_format("containers/%s/vfs", c->config.id);
                if (!tree.copy)
                        return error_oom(reterr);
        } else if (!c->config.rootfs && faccessat(c->dir_fd, "upper", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                tree.upper = str_format("containers/%s/upper", c->config.id);
                if (!tree.upper)
                        return error_oom(reterr);
        }
        *ret = tree;
        tree = (Tree){};
        return 0;
}

TreeKind tree_kind_from_string(const char *name) {
        static const char *const names[] = { "any", "container", "image" };

        static_assert(ELEMENTSOF(names) == _TREE_KIND_MAX, "a name for each kind");
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (str_equal(names[i], name))
                        return (TreeKind) i;
        return _TREE_KIND_INVALID;
}

int tree_find(const Store *store, const char *name, TreeKind kind, Tree *ret, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        _cleanup_image_info_ ImageInfo image = {};
        _cleanup_error_ Error error = ERROR_NULL;
        int r = kind == TREE_IMAGE ? -ENOENT : container_open(store, name, &c, &error);

        if (r >= 0)
                return tree_of_container(&c, ret, reterr);
        if (r != -ENOENT || kind == TREE_CONTAINER)
                return error_move(reterr, &error);
        error_done(&error);
        r = image_store_resolve(store, name, &image, &error);
        if (kind == TREE_ANY && (r == -ENOENT || (r < 0 && error.kind == ERROR_INVALID)))
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find '%s': no such container or image", name);
        if (r < 0)
                return error_move(reterr, &error);
        *ret = (Tree){ .layers = TAKE_PTR(image.layers) };
        return 0;
}

int tree_open(const Tree *tree, int root_fd, Union *ret, Error *reterr) {
        _cleanup_union_ Union u = {};
        int r = 0;

        if (tree->directory) {
                u.flags = UNION_PLAIN;
                r = union_add(&u, root_fd, ".", "upper", reterr);
        } else if (tree->copy) {
                u.flags = UNION_PLAIN;
                r = union_add(&u, root_fd, tree->copy, "copy", reterr);
        } else if (tree->upper)
                r = union_add(&u, root_fd, tree->upper, "upper", reterr);
        for (size_t i = tree->copy ? 0 : strv_length(tree->layers); i > 0 && r >= 0; i--) {
                char path[IMAGE_LAYER_PATH_SIZE];

                image_layer_path(tree->layers[i - 1], path);
                r = union_add(&u, root_fd, path, tree->layers[i - 1], reterr);
        }
        if (r < 0)
                return r;
        *ret = u;
        u = (Union){};
        return 0;
}

int tree_work(const Store *store, const UserMap *map, const char *directory,
              int (*function)(void *data, int root_fd, int out_fd, Error *reterr), void *data, int out_fd, Worker *ret, Error *reterr) {
        _cleanup_fd_ int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                                        : openat(store->data_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        WorkerJob job = { .task = WORKER_FUNCTION, .in_fd = -EBADF, .dir_fd = fd, .out_fd = out_fd, .size_limit = UINT64_MAX,
                          .function = function, .data = data };

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open '%s'", directory ?: store->data_path);
        return worker_start(&job, map, ret, reterr);
}

static bool is_there(const Store *store, const char *path) {
        return !path || faccessat(store->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int tree_check_kept(const Store *store, const Tree *tree, int result, Error *reterr) {
        bool kept = is_there(store, tree->upper) && is_there(store, tree->copy);

        /* who removes them gives them another name first */
        for (size_t i = 0; kept && tree->layers && tree->layers[i]; i++) {
                char path[IMAGE_LAYER_PATH_SIZE];

                image_layer_path(tree->layers[i], path);
                kept = is_there(store, path);
        }
        return kept ? result : error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "its files were removed meanwhile");
}
