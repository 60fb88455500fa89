/* SPDX-License-Identifier: Apache-2.0 */
/* Where the cgroup of a container of sdpod-oci is, how it is made and filled. */
#include "cgroup/runtime-cgroup.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"
#include "cgroup/runtime-devices.h"
#include "cgroup/runtime-limits.h"
#include "cgroup/runtime-systemd.h"
#include "cgroup/runtime-tree.h"

const JsonField runtime_cgroup_fields[] = {
        JSON_FIELD(RuntimeCgroup, path, "path", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeCgroup, unit, "unit", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeCgroup, slice, "slice", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeCgroup, systemd, "systemd", JSON_FIELD_BOOL),
        JSON_FIELD(RuntimeCgroup, rootless, "rootless", JSON_FIELD_BOOL),
        JSON_FIELD(RuntimeCgroup, is_none, "none", JSON_FIELD_BOOL),
        JSON_FIELD(RuntimeCgroup, is_made, "made", JSON_FIELD_BOOL),
        JSON_FIELD(RuntimeCgroup, is_limited, "limited", JSON_FIELD_BOOL),
        {},
};

void runtime_cgroup_done(RuntimeCgroup *cgroup) {
        free(cgroup->path);
        free(cgroup->unit);
        free(cgroup->slice);
        if (cgroup->tree)
                cgroup_tree_done(cgroup->tree);
        free(cgroup->tree);
        *cgroup = RUNTIME_CGROUP_NULL;
}

/* ---- where ---- */

/* Who is not root has nothing at the hierarchy's root. There are no limits below a cgroup with processes (cgroup-v2.rst, "No
 * Internal Process Constraint"), so it goes beside our own one, and below it where that is all we may write to. */
static int own_base(char **ret, Error *reterr) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        int r = cgroup_tree_load(&tree, reterr);
        const CgroupHierarchy *h = cgroup_tree_unified(&tree);

        if (r < 0)
                return r;
        const char *slash = h ? strrchr(h->own, '/') : NULL;
        char *above = slash ? strndup(h->own, (size_t) (slash - h->own)) : strdup("");
        if (!above)
                return error_oom(reterr);
        if (h && h->own[1] && faccessat(h->root, above[0] ? above + 1 : ".", W_OK, AT_EACCESS) < 0 &&
            faccessat(h->root, h->own + 1, W_OK, AT_EACCESS) >= 0) {
                free(above);
                above = strdup(h->own);
        }
        return (*ret = above) ? 0 : error_oom(reterr);
}

static int plan_files(const char *wanted, const char *id, bool rootless, char **ret, Error *reterr) {
        _cleanup_free_ char *base = NULL;
        int r = 0;

        if (str_empty(wanted))
                wanted = id;
        if (*wanted != '/' && rootless)
                r = own_base(&base, reterr);
        if (r < 0)
                return r;
        _cleanup_free_ char *path = str_format("%s/%s", base ?: "", wanted);
        *ret = path ? path_simplify(path) : NULL;
        return *ret ? 0 : error_oom(reterr);
}

int runtime_cgroup_plan(const RuntimeSpec *spec, const char *id, RuntimeCgroupDriver driver, bool rootless,
                        RuntimeCgroup *ret, Error *reterr) {
        _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = {
                .rootless = rootless,
                .systemd = driver == RUNTIME_CGROUP_SYSTEMD,
                .is_none = driver == RUNTIME_CGROUP_DISABLED,
        };
        int r = 0;

        if (cgroup.systemd)
                r = runtime_systemd_plan(&cgroup, spec->cgroups_path, id, reterr);
        else if (!cgroup.is_none)
                r = plan_files(spec->cgroups_path, id, rootless, &cgroup.path, reterr);
        if (r < 0)
                return r;
        *ret = cgroup;
        cgroup = RUNTIME_CGROUP_NULL;
        return 0;
}

/* ---- making ---- */

/* What was left in a cgroup of this name would be limited, frozen and killed with the container; what is frozen would never
 * start (the texts are runc's). */
static int check_existing(const CgroupTree *tree, Error *reterr) {
        for (size_t i = 0; i < tree->n; i++) {
                const CgroupHierarchy *h = tree->items + i;
                _cleanup_free_ pid_t *pids = NULL;
                size_t n = 0;

                if (h->fd < 0 || !h->existed)
                        continue;
                int r = cgroup_pids(h->fd, &pids, &n);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot read the processes of '%s'", h->mount);
                if (n > 0)
                        return error_set(reterr, -EBUSY, ERROR_IN_USE, "container's cgroup is not empty: %zu process(es) found", n);
        }
        if (cgroup_tree_is_frozen(tree))
                return error_set(reterr, -EBUSY, ERROR_STATE, "container's cgroup unexpectedly frozen");
        return 0;
}

static void take_back(const CgroupTree *tree, const char *path) {
        for (size_t i = 0; i < tree->n; i++)
                if (tree->items[i].fd >= 0 && !tree->items[i].existed)
                        (void) unlinkat(tree->items[i].root, path + 1, AT_REMOVEDIR);
}

static int fill_tree(RuntimeCgroup *cgroup, const RuntimeSpec *spec, CgroupTree *tree, Error *reterr) {
        int r = cgroup_tree_load(tree, reterr);

        if (r >= 0)
                r = cgroup_tree_make(tree, cgroup->path, cgroup->rootless, reterr);
        if (r < 0)
                return r;
        if (!cgroup->path[1]) /* the root's own limits are not ours to set */
                return cgroup->is_limited ? error_set(reterr, -EINVAL, ERROR_INVALID, "cannot set limits: the cgroup '/' is all of the machine") : 0;
        r = cgroup->systemd ? 0 : check_existing(tree, reterr);
        cgroup->is_foreign = r < 0 && !cgroup->is_made;
        if (r >= 0)
                r = runtime_devices_write(tree, &spec->resources, cgroup->rootless, reterr);
        if (r >= 0)
                r = runtime_limits_write(tree, &spec->resources, /* undo= */ false, reterr);
        if (r < 0)
                take_back(tree, cgroup->path);
        else
                cgroup->is_made = cgroup_tree_main(tree);
        return r;
}

int runtime_cgroup_make(RuntimeCgroup *cgroup, const RuntimeSpec *spec, pid_t pid, Error *reterr) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;

        cgroup->is_limited = runtime_resources_are_given(&spec->resources);
        if (cgroup->is_none)
                return cgroup->is_limited ? error_set(reterr, -EOPNOTSUPP, ERROR_INVALID, "cannot set limits: cgroups are disabled") : 0;
        int r = cgroup->systemd ? runtime_systemd_start(cgroup, spec, pid, reterr) : 0;
        if (r < 0)
                return r;
        r = fill_tree(cgroup, spec, &tree, reterr);
        if (r < 0 && cgroup->systemd) {
                (void) kill(pid, SIGKILL); /* a scope waits for its processes, and an init need not hear SIGTERM */
                runtime_systemd_stop(cgroup);
        }
        if (r >= 0 && !cgroup->tree && (cgroup->tree = malloc(sizeof(tree)))) {
                *cgroup->tree = tree;
                tree = CGROUP_TREE_NULL;
        }
        return r;
}

int runtime_cgroup_open_unified(const RuntimeCgroup *cgroup) {
        _cleanup_fd_ int root = cgroup->path ? cgroup_open_root() : -EBADF;

        return root < 0 ? -EBADF : path_open_beneath(root, cgroup->path[1] ? cgroup->path + 1 : ".", O_RDONLY | O_DIRECTORY, 0);
}

/* ---- filling ---- */

/* The sub-cgroup for a hierarchy: *ret is NULL where none was named for it. */
static int find_sub(const CgroupHierarchy *h, char *const *subs, const char **ret, Error *reterr) {
        *ret = NULL;
        for (char *const *s = subs; s && *s; s++) {
                const char *colon = strchr(*s, ':'), *path = colon ? colon + 1 : *s;
                _cleanup_free_ char *controllers = colon ? strndup(*s, (size_t) (colon - *s)) : NULL;

                if (colon && !controllers)
                        return error_oom(reterr);
                if (colon == *s)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "invalid --cgroup argument: %s (empty <controller> prefix)", *s);
                if (!colon && subs[1])
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "invalid --cgroup argument: %s (missing <controller>: prefix)", *s);
                char *save = NULL;
                bool is = !colon;
                for (char *word = controllers ? strtok_r(controllers, ",", &save) : NULL; word && !is; word = strtok_r(NULL, ",", &save))
                        is = !h->unified && cgroup_words_have(h->controllers, word);
                if (is)
                        *ret = path;
        }
        return 0;
}

static bool is_any(const CgroupTree *tree, const char *controller) {
        for (size_t i = 0; i < tree->n; i++)
                if (!tree->items[i].unified && cgroup_words_have(tree->items[i].controllers, controller))
                        return true;
        return false;
}

/* A word for a controller that is in no hierarchy would be passed over. */
static int check_subs(const CgroupTree *tree, char *const *subs, Error *reterr) {
        for (char *const *s = subs; s && *s; s++) {
                const char *colon = strchr(*s, ':');
                _cleanup_free_ char *controllers = colon ? strndup(*s, (size_t) (colon - *s)) : NULL;
                char *save = NULL;

                if (colon && !controllers)
                        return error_oom(reterr);
                for (char *word = controllers ? strtok_r(controllers, ",", &save) : NULL; word; word = strtok_r(NULL, ",", &save))
                        if (!is_any(tree, word))
                                return error_set(reterr, -EINVAL, ERROR_INVALID, "invalid --cgroup argument: %s (unknown controller %s)", *s, word);
        }
        return 0;
}

/* Whether the process is in this very cgroup: to move it there again costs as much as the first time. */
static bool is_there(const char *lines, const CgroupHierarchy *h, const char *path) {
        _cleanup_free_ char *line = str_format(":%s:%s\n", h->controllers, path);

        return line && strstr(lines, line);
}

/* The user named it: what is wrong with it is said as runc says it. */
static int explain_sub(const CgroupHierarchy *h, const char *path, const char *sub, pid_t pid, int code, Error *reterr) {
        const char *reason = strerror(-code);

        if (code == -EXDEV)
                return error_set(reterr, code, ERROR_INVALID, "cannot use the sub-cgroup: %s is not a sub cgroup path", sub);
        return error_set(reterr, code, code == -ENOENT ? ERROR_NOT_FOUND : ERROR_INTERNAL,
                         "error adding pid %d to cgroups: %s%s/%s%scgroup.procs: %c%s", (int) pid, h->mount, path, sub, *sub ? "/" : "",
                         tolower((unsigned char) reason[0]), reason + 1);
}

static int attach_to(const CgroupHierarchy *h, const char *path, const char *sub, pid_t pid, Error *reterr) {
        if (!str_empty(sub)) {
                while (*sub == '/')
                        sub++;
                _cleanup_fd_ int fd = path_open_beneath(h->fd, *sub ? sub : ".", O_RDONLY | O_DIRECTORY, 0);
                int r = fd < 0 ? fd : cgroup_attach(fd, pid);
                return r < 0 ? explain_sub(h, path, sub, pid, r, reterr) : 0;
        }
        int r = cgroup_attach(h->fd, pid);
        return r < 0 ? error_set_errno(reterr, r, "cannot put process %d into its cgroup below '%s'", (int) pid, h->mount) : 0;
}

/* A container that has cgroups of its own below its own has no place for a process in that itself (cgroups(7), "no internal
 * processes"): it goes to where the init has gone. */
static int attach_beside(const CgroupHierarchy *h, pid_t init_pid, pid_t pid) {
        _cleanup_free_ char *path = NULL;
        int r = process_cgroup(init_pid, &path);

        if (r < 0)
                return r;
        _cleanup_fd_ int fd = path_open_beneath(h->root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0);
        return fd < 0 ? fd : cgroup_attach(fd, pid);
}

static int attach(const RuntimeCgroup *cgroup, const CgroupTree *tree, pid_t pid, pid_t init_pid, char *const *subs, Error *reterr) {
        _cleanup_free_ char *lines = NULL;
        unsigned n_there = 0;
        char name[32];

        (void) snprintf(name, sizeof(name), "/proc/%d/cgroup", (int) pid);
        int r = file_read(AT_FDCWD, name, CGROUP_TEXT_SIZE * 4, &lines, /* ret_size= */ NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot put process %d into its cgroup", (int) pid);
        for (size_t i = 0; i < tree->n && r >= 0; i++) {
                const CgroupHierarchy *h = tree->items + i;
                const char *sub;

                if (h->fd < 0)
                        continue;
                n_there++;
                r = find_sub(h, subs, &sub, reterr);
                if (r < 0 || (!sub && is_there(lines, h, cgroup->path)))
                        continue;
                r = attach_to(h, cgroup->path, sub, pid, reterr);
                if (r == -EBUSY && !sub && init_pid > 0 && attach_beside(h, init_pid, pid) >= 0) {
                        error_done(reterr);
                        r = 0;
                }
                if (r < 0 && cgroup->rootless && !cgroup->is_limited && !sub && (r == -EACCES || r == -EPERM)) {
                        error_done(reterr);
                        r = 0;
                }
        }
        if (r >= 0 && n_there == 0 && !cgroup->rootless)
                return error_set(reterr, -ENOENT, ERROR_STATE, "cannot enter the container's cgroup '%s': it is gone", cgroup->path);
        return MIN(r, 0);
}

int runtime_cgroup_attach(const RuntimeCgroup *cgroup, pid_t pid, pid_t init_pid, char *const *subs, Error *reterr) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;

        if (cgroup->is_none)
                return 0;
        if (cgroup->tree) { /* it keeps no descriptors once the container is in there */
                tree = *cgroup->tree;
                *cgroup->tree = CGROUP_TREE_NULL;
        }
        int r = tree.n > 0 ? 0 : cgroup_tree_open(cgroup->path, &tree, reterr);
        if (r >= 0)
                r = check_subs(&tree, subs, reterr);
        return r < 0 ? r : attach(cgroup, &tree, pid, init_pid, subs, reterr);
}

int runtime_cgroup_update(const RuntimeCgroup *cgroup, const RuntimeResources *resources, Error *reterr) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        int r = cgroup->path ? cgroup_tree_open(cgroup->path, &tree, reterr) : 0;

        if (r >= 0)
                r = runtime_limits_write(&tree, resources, /* undo= */ true, reterr);
        /* or a `systemctl daemon-reload` would bring the old values back */
        return r < 0 || !cgroup->systemd ? r : runtime_systemd_update(cgroup, resources, reterr);
}
