/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a container's files. */
#include "content/export.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "content/changes.h"
#include "content/pack.h"

enum { CHANGES_LIMIT = 1024 * 1024 * 1024 }; /* bytes of all paths */

static int pack_inside(void *data, int root_fd, int out_fd, Error *reterr) {
        _cleanup_union_ Union u = {};
        const PackOptions options = {};
        int r = tree_open(data, root_fd, &u, reterr);

        return r < 0 ? r : pack_union(&u, &options, out_fd, reterr);
}

static int export_to(const Store *store, Tree *tree, int fd, Error *reterr) {
        _cleanup_user_map_ UserMap map = {};
        _cleanup_worker_ Worker worker = WORKER_NULL;
        UnpackResult result;

        int r = user_map_default(&map, reterr);
        if (r >= 0)
                r = tree_work(store, &map, tree->directory, pack_inside, tree, fd, &worker, reterr);
        if (r >= 0)
                r = worker_finish(&worker, &result, reterr);
        return tree_check_kept(store, tree, r, reterr);
}

int export_tree(const Store *store, Tree *tree, const char *path, Error *reterr) {
        _cleanup_fd_ int fd = -EBADF;
        struct stat st;

        if (!path && isatty(STDOUT_FILENO))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot write an archive to a terminal: use --output or redirect the output");
        fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666) : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot write '%s'", path ?: "the standard output");
        int r = export_to(store, tree, fd, reterr);
        if (r < 0 && path && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                (void) unlink(path); /* half an archive is none */
        return r;
}

int export_container(const Store *store, const char *name, const char *path, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        _cleanup_tree_ Tree tree = {};
        int r = container_open(store, name, &c, reterr);

        if (r >= 0)
                r = tree_of_container(&c, &tree, reterr);
        if (r < 0)
                return r;
        r = export_tree(store, &tree, path, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot export container '%s'", name) : 0;
}

typedef struct Comparison {
        Tree now, before;
} Comparison;

static void comparison_done(Comparison *comparison) {
        tree_done(&comparison->now);
        tree_done(&comparison->before);
}

static int compare_inside(void *data, int root_fd, int out_fd, Error *reterr) {
        const Comparison *comparison = data;
        _cleanup_union_ Union now = {}, before = {};
        int r = tree_open(&comparison->now, root_fd, &now, reterr);

        if (r >= 0)
                r = tree_open(&comparison->before, root_fd, &before, reterr);
        return r < 0 ? r : changes_write(&now, &before, out_fd, reterr);
}

/* What a tree stands on: a container on its image, an image on all but its last layer. */
static int base_of(const Tree *tree, Tree *ret, Error *reterr) {
        size_t n = strv_length(tree->layers);

        for (size_t i = 0; i < (tree->upper || tree->copy || n == 0 ? n : n - 1); i++)
                if (strv_append(&ret->layers, tree->layers[i]) < 0)
                        return error_oom(reterr);
        return 0;
}

static int print_json(const char *records, size_t size, Error *reterr) {
        static const char *const keys[] = { "changed", "added", "deleted" };
        static const char kinds[] = "CAD";
        _cleanup_json_ json_t *object = json_object();
        _cleanup_free_ char *text = NULL;

        for (size_t k = 0; k < ELEMENTSOF(keys); k++)
                for (const char *p = records; p < records + size; p += strlen(p) + 1) {
                        json_t *list = json_object_get(object, keys[k]);

                        if (*p != kinds[k])
                                continue;
                        if (!list && json_object_set_new(object, keys[k], list = json_array()) < 0)
                                return error_oom(reterr);
                        if (json_array_append_new(list, json_text(p + 1)) < 0)
                                return error_oom(reterr);
                }
        text = object ? json_dumps(object, JSON_INDENT(5)) : NULL;
        if (!text)
                return error_oom(reterr);
        puts(text);
        return 0;
}

static int print_changes(const char *records, size_t size, bool json, Error *reterr) {
        if (json)
                return print_json(records, size, reterr);
        for (const char *p = records; p < records + size; p += strlen(p) + 1) {
                _cleanup_free_ char *path = isatty(STDOUT_FILENO) ? str_escape_control(p + 1) : strdup(p + 1);

                if (!path)
                        return error_oom(reterr);
                printf("%c %s\n", *p, path);
        }
        return fflush(stdout) < 0 ? error_set_errno(reterr, -errno, "cannot write to the standard output") : 0;
}

static int run_comparison(const Store *store, Comparison *comparison, char **ret, size_t *ret_size, Error *reterr) {
        _cleanup_user_map_ UserMap map = {};
        _cleanup_worker_ Worker worker = WORKER_NULL;
        _cleanup_fd_ int reader = -EBADF, writer = -EBADF;
        UnpackResult result;
        int pipe_fds[2];

        int r = user_map_default(&map, reterr);
        if (r < 0)
                return r;
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a pipe");
        reader = pipe_fds[0];
        writer = pipe_fds[1];
        r = tree_work(store, &map, /* directory= */ NULL, compare_inside, comparison, writer, &worker, reterr);
        writer = fd_close(writer);
        if (r < 0)
                return r;
        r = io_read_all(reader, CHANGES_LIMIT, ret, ret_size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the list of changes");
        r = worker_finish(&worker, &result, reterr);
        r = tree_check_kept(store, &comparison->now, r, reterr);
        return tree_check_kept(store, &comparison->before, r, reterr);
}

int diff_print(const Store *store, const char *name, const char *base, TreeKind kind, bool json, Error *reterr) {
        _cleanup_(comparison_done) Comparison comparison = {};
        _cleanup_free_ char *records = NULL;
        size_t size = 0;

        int r = tree_find(store, name, kind, &comparison.now, reterr);
        if (r >= 0)
                r = base ? tree_find(store, base, kind, &comparison.before, reterr) : base_of(&comparison.now, &comparison.before, reterr);
        if (r >= 0 && (comparison.now.directory || comparison.before.directory))
                r = error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "a --rootfs directory has nothing that it could be compared with");
        if (r >= 0)
                r = run_comparison(store, &comparison, &records, &size, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot compare '%s'", name);
        /* every record ends with a NUL, and io_read_all() adds one for the last */
        return print_changes(records, size, json, reterr);
}
