/* SPDX-License-Identifier: Apache-2.0 */
/* All cgroup hierarchies of the machine. */
#include "cgroup/runtime-tree.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

enum { PROC_CGROUP_LIMIT = 64 * 1024 };

void cgroup_tree_done(CgroupTree *tree) {
        for (size_t i = 0; i < tree->n; i++) {
                CgroupHierarchy *h = tree->items + i;

                free(h->controllers);
                free(h->own);
                free(h->mount);
                (void) fd_close(h->root);
                (void) fd_close(h->fd);
        }
        free(tree->items);
        *tree = CGROUP_TREE_NULL;
}

bool cgroup_words_have(const char *list, const char *word) {
        size_t n = strlen(word);

        for (const char *p = list; *p;) {
                size_t length = strcspn(p, ", \n");

                if (length == n && memcmp(p, word, n) == 0)
                        return true;
                p += length + (p[length] != '\0');
        }
        return false;
}

int cgroup_read_text(int dir_fd, const char *name, char *text, size_t size) {
        _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

        if (n < 0)
                return -errno;
        if (n > 0 && text[n - 1] == '\n')
                n--;
        text[n] = '\0';
        return 0;
}

/* Opens a directory if it is the root of a mount of cgroups of this kind. */
static int open_mount(const char *path, bool unified) {
        struct statfs fs;
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || fstatfs(fd, &fs) < 0)
                return -errno;
        return fs.f_type == (unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC) ? TAKE_FD(fd) : -ENOENT;
}

/* Finds where a hierarchy is mounted: under all its controllers' names, or the first one's (a symlink on many systems). */
static int find_mount(CgroupHierarchy *h) {
        static const char *const unified[] = { CGROUP_MOUNT, CGROUP_MOUNT "/unified" };
        const char *names = str_after(h->controllers, "name=") ?: h->controllers;

        for (size_t i = 0; i < 2; i++) {
                _cleanup_free_ char *path = h->unified ? strdup(unified[i])
                                                       : str_format(CGROUP_MOUNT "/%.*s",
                                                                    (int) (i == 0 ? strlen(names) : strcspn(names, ",")), names);
                if (!path)
                        return -ENOMEM;
                h->root = open_mount(path, h->unified);
                if (h->root >= 0) {
                        h->mount = TAKE_PTR(path);
                        return 0;
                }
        }
        return 0;
}

/* "4:memory:/a/b"; `only` may be NULL. */
static int add_line(CgroupTree *tree, const char *line, const char *only) {
        const char *controllers = strchr(line, ':'), *own = controllers ? strchr(controllers + 1, ':') : NULL;
        CgroupHierarchy *grown, *h;

        if (!own || own[1] != '/')
                return 0;
        if (only && own != controllers + 1) {
                char names[128];

                (void) snprintf(names, sizeof(names), "%.*s", (int) (own - controllers - 1), controllers + 1);
                if (!cgroup_words_have(names, only))
                        return 0;
        }
        grown = reallocarray(tree->items, tree->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        tree->items = grown;
        h = tree->items + tree->n++;
        *h = (CgroupHierarchy){ .root = -EBADF, .fd = -EBADF, .unified = own == controllers + 1 };
        h->controllers = strndup(controllers + 1, (size_t) (own - controllers - 1));
        h->own = strdup(own + 1);
        if (!h->controllers || !h->own)
                return -ENOMEM;
        int r = find_mount(h);
        if (r >= 0 && !h->mount) { /* not to be seen from here */
                free(h->controllers);
                free(h->own);
                tree->n--;
        }
        return r;
}

static int load(CgroupTree *ret, const char *only, Error *reterr) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        int r = file_read(AT_FDCWD, "/proc/self/cgroup", PROC_CGROUP_LIMIT, &text, /* ret_size= */ NULL);

        if (r < 0 && r != -ENOENT)
                return error_set_errno(reterr, r, "cannot read '/proc/self/cgroup'");
        for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
                r = add_line(&tree, line, only);
                if (r < 0)
                        return error_oom(reterr);
        }
        *ret = tree;
        tree = CGROUP_TREE_NULL;
        return 0;
}

int cgroup_tree_load(CgroupTree *ret, Error *reterr) {
        return load(ret, /* only= */ NULL, reterr);
}

static int open_in(const char *path, const char *only, CgroupTree *ret, Error *reterr) {
        int r = load(ret, only, reterr);

        for (size_t i = 0; r >= 0 && i < ret->n; i++) {
                CgroupHierarchy *h = ret->items + i;

                h->fd = path_open_beneath(h->root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0);
        }
        return r;
}

int cgroup_tree_open(const char *path, CgroupTree *ret, Error *reterr) {
        return open_in(path, /* only= */ NULL, ret, reterr);
}

int cgroup_tree_open_some(const char *path, const char *controller, CgroupTree *ret, Error *reterr) {
        int r = open_in(path, controller, ret, reterr);

        if (r < 0 || cgroup_tree_main(ret))
                return r;
        cgroup_tree_done(ret);
        return cgroup_tree_open(path, ret, reterr);
}

CgroupHierarchy *cgroup_tree_unified(const CgroupTree *tree) {
        for (size_t i = 0; i < tree->n; i++)
                if (tree->items[i].unified)
                        return tree->items + i;
        return NULL;
}

CgroupHierarchy *cgroup_tree_v1(const CgroupTree *tree, const char *controller) {
        for (size_t i = 0; i < tree->n; i++)
                if (!tree->items[i].unified && cgroup_words_have(tree->items[i].controllers, controller))
                        return tree->items + i;
        return NULL;
}

bool cgroup_tree_has_v1(const CgroupTree *tree) {
        for (size_t i = 0; i < tree->n; i++)
                if (!tree->items[i].unified && !str_after(tree->items[i].controllers, "name="))
                        return true;
        return false;
}

CgroupHierarchy *cgroup_tree_main(const CgroupTree *tree) {
        CgroupHierarchy *unified = cgroup_tree_unified(tree), *freezer = cgroup_tree_v1(tree, "freezer");

        if (unified && unified->fd >= 0)
                return unified;
        if (freezer && freezer->fd >= 0)
                return freezer;
        for (size_t i = 0; i < tree->n; i++)
                if (tree->items[i].fd >= 0)
                        return tree->items + i;
        return NULL;
}

/* ---- making ---- */

/* A new cgroup of cpuset takes no process before it has CPUs and memory nodes (cpusets(7)). */
static int init_cpuset(int parent_fd, int fd) {
        static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                char text[CGROUP_TEXT_SIZE];
                int r = cgroup_read_text(fd, files[i], text, sizeof(text));

                if (r >= 0 && *text)
                        continue;
                if (r >= 0)
                        r = cgroup_read_text(parent_fd, files[i], text, sizeof(text));
                if (r >= 0)
                        r = file_write_string(fd, files[i], text);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Hands all controllers that a cgroup has down to its children. One which the kernel keeps back is missing there, and that is
 * found out where a limit is asked of it. */
static void hand_down(int fd) {
        char have[1024], given[1024];
        char *save = NULL;

        if (cgroup_read_text(fd, "cgroup.controllers", have, sizeof(have)) < 0 || !*have ||
            cgroup_read_text(fd, "cgroup.subtree_control", given, sizeof(given)) < 0)
                return;
        for (char *word = strtok_r(have, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
                char text[64];

                if (cgroup_words_have(given, word))
                        continue;
                (void) snprintf(text, sizeof(text), "+%s", word);
                (void) file_write_string(fd, "cgroup.subtree_control", text);
        }
}

/* Makes what is missing of `path`. On failure what was made stays; the caller removes it. */
static int make_in(CgroupHierarchy *h, const char *path) {
        _cleanup_fd_ int fd = openat(h->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *rest = strdup(path);
        bool cpuset = cgroup_words_have(h->controllers, "cpuset");
        char *save = NULL;

        if (fd < 0)
                return -errno;
        if (!rest)
                return -ENOMEM;
        h->existed = true;
        for (char *name = strtok_r(rest, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
                if (h->unified)
                        hand_down(fd);
                h->existed = mkdirat(fd, name, 0755) < 0;
                if (h->existed && errno != EEXIST)
                        return -errno;
                int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (child < 0)
                        return -errno;
                int r = cpuset ? init_cpuset(fd, child) : 0;
                (void) fd_close(fd);
                fd = child;
                if (r < 0)
                        return r;
        }
        h->fd = TAKE_FD(fd);
        return 0;
}

static bool is_denied(int r) {
        return r == -EACCES || r == -EPERM || r == -EROFS;
}

int cgroup_tree_make(CgroupTree *tree, const char *path, bool lenient, Error *reterr) {
        for (size_t i = 0; i < tree->n; i++) {
                int r = make_in(tree->items + i, path);

                if (r >= 0 || (lenient && is_denied(r)))
                        continue;
                (void) error_set_errno(reterr, r, "cannot make the cgroup '%s%s'", tree->items[i].mount, path);
                for (size_t k = 0; k <= i; k++)
                        if (!tree->items[k].existed)
                                (void) unlinkat(tree->items[k].root, path + 1, AT_REMOVEDIR);
                return r;
        }
        return 0;
}
