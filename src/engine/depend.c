/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that need others. */
#include "engine/depend.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/namespaces.h"

#define MARKS "dependents"

enum { DEPTH_MAX = 32 }; /* nobody makes such a chain by hand */

int dependencies_list(const ContainerConfig *config, char ***ret, Error *reterr) {
        const char *const joined[] = {
                namespace_joined(config->userns),   namespace_joined(config->network),  namespace_joined(config->ipc_mode),
                namespace_joined(config->uts_mode), namespace_joined(config->pid_mode), namespace_joined(config->cgroupns_mode),
        };
        _cleanup_strv_ char **ids = NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(joined) && r >= 0; i++)
                if (joined[i] && !strv_contains(ids, joined[i]))
                        r = strv_append(&ids, joined[i]);
        for (char **id = config->requires; id && *id && r >= 0; id++)
                if (!strv_contains(ids, *id))
                        r = strv_append(&ids, *id);
        if (r < 0)
                return error_oom(reterr);
        *ret = TAKE_PTR(ids);
        return 0;
}

/* ---- marks ---- */

void dependency_marks_done(DependencyMarks *marks) {
        for (size_t i = 0; i < marks->n; i++)
                (void) fd_close(marks->fds[i]);
        free(marks->fds);
        *marks = (DependencyMarks){};
}

/* The mark, locked, made where `flags` say so; -EAGAIN where another holds it and `operation` does not wait. Who looks at the marks may have
 * removed the file as a leftover before it was locked: its lock says nothing then of one that was made after it. */
static int lock_mark(int marks, const char *id, int flags, int operation) {
        for (;;) {
                struct stat st;
                _cleanup_fd_ int mark = openat(marks, id, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0600);

                if (mark < 0 || flock(mark, operation) < 0 || fstat(mark, &st) < 0)
                        return -errno;
                if (st.st_nlink > 0)
                        return TAKE_FD(mark);
        }
}

static int make_mark(const Store *store, const char *id, const ContainerConfig *config, Error *reterr) {
        _cleanup_container_ Container target = CONTAINER_NULL;
        int r = container_load(store, id, &target, reterr);

        if (r >= 0)
                r = container_lock(store, &target, reterr); /* a removal looks for marks under it */
        if (r < 0)
                return r;
        _cleanup_fd_ int marks = path_open_or_make_dir(target.dir_fd, MARKS, 0700);
        int mark = marks < 0 ? marks : lock_mark(marks, config->id, O_CREAT, LOCK_EX);
        return mark < 0 ? error_set_errno(reterr, mark, "cannot note that container '%s' is needed", target.config.name) : mark;
}

int dependencies_mark(const Store *store, const ContainerConfig *config, DependencyMarks *ret, Error *reterr) {
        _cleanup_dependency_marks_ DependencyMarks marks = {};
        _cleanup_strv_ char **ids = NULL;
        int r = dependencies_list(config, &ids, reterr);

        for (char **id = ids; id && *id && r >= 0; id++) {
                int *fd = container_array_add((void **) &marks.fds, &marks.n, sizeof(*fd));

                if (!fd)
                        return error_oom(reterr);
                *fd = r = make_mark(store, *id, config, reterr);
        }
        if (r < 0) {
                dependencies_unmark(store, config);
                return r;
        }
        *ret = marks;
        marks = (DependencyMarks){};
        return 0;
}

void dependencies_unmark(const Store *store, const ContainerConfig *config) {
        _cleanup_strv_ char **ids = NULL;

        if (dependencies_list(config, &ids, /* reterr= */ NULL) < 0)
                return; /* a mark without a container means nothing */
        for (char **id = ids; id && *id; id++) {
                _cleanup_free_ char *path = str_format("containers/%s/" MARKS "/%s", *id, config->id);

                if (path)
                        (void) unlinkat(store->data_fd, path, 0);
        }
}

/* Whether the container `id` needs the other one: its record says so, or it is being made at this moment. */
static int mark_is_true(const Store *store, int marks, const char *id, const char *needed, Error *reterr) {
        _cleanup_container_ Container dependent = CONTAINER_NULL;
        _cleanup_strv_ char **ids = NULL;
        _cleanup_fd_ int mark = lock_mark(marks, id, /* flags= */ 0, LOCK_EX | LOCK_NB);
        _cleanup_error_ Error error = ERROR_NULL;

        if (mark == -ENOENT || mark == -EAGAIN)
                return mark == -EAGAIN;
        if (mark < 0)
                return error_set_errno(reterr, mark, "cannot read who needs container '%.12s'", needed);
        int r = container_load(store, id, &dependent, &error);
        if (r == -ENOENT) {
                (void) unlinkat(marks, id, 0);
                return 0;
        }
        if (r < 0)
                return error_move(reterr, &error);
        r = dependencies_list(&dependent.config, &ids, reterr);
        return r < 0 ? r : strv_contains(ids, needed);
}

/* The IDs of containers that need this one; a vector (NULL: none). One that is being made counts. */
static int list_dependents(const Store *store, const Container *container, char ***ret, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int marks = openat(container->dir_fd, MARKS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
        DIR *dir = marks < 0 ? NULL : fdopendir(marks);

        if (!dir) {
                r = errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "cannot read who needs container '%s'", container->config.name);
                (void) fd_close(marks);
                *ret = NULL;
                return r;
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                if (*e->d_name == '.')
                        continue;
                r = mark_is_true(store, dirfd(dir), e->d_name, container->config.id, reterr);
                if (r > 0 && strv_append(&ids, e->d_name) < 0)
                        r = error_oom(reterr);
        }
        (void) closedir(dir);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(ids);
        return 0;
}

int dependents_check(const Store *store, const Container *container, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int r = list_dependents(store, container, &ids, reterr);

        if (r < 0 || !ids)
                return r;
        _cleanup_free_ char *text = strv_join(ids, ", ");
        if (!text)
                return error_oom(reterr);
        (void) error_set(reterr, -EEXIST, ERROR_STATE,
                         "cannot remove container '%s': container %s has dependent containers which must be removed before it: %s: container already exists",
                         container->config.name, container->config.id, text);
        return error_with_hint(reterr, -EEXIST, "rm --depend removes them, too");
}

static int walk(const Store *store, Container *container, unsigned depth, char ***seen, DependentAction action, void *data, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int r = depth >= DEPTH_MAX ? error_set(reterr, -ELOOP, ERROR_CORRUPT, "cannot follow who needs container '%s'", container->config.name)
                                   : list_dependents(store, container, &ids, reterr);

        for (char **id = ids; id && *id && r >= 0; id++) {
                _cleanup_container_ Container dependent = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                if (strv_contains(*seen, *id))
                        continue;
                r = strv_append(seen, *id) < 0 ? error_oom(reterr) : container_load(store, *id, &dependent, &error);
                if (r == -ENOENT) { /* it went meanwhile */
                        r = 0;
                        continue;
                }
                r = r < 0 ? error_move(reterr, &error) : walk(store, &dependent, depth + 1, seen, action, data, reterr);
        }
        return r < 0 ? r : action(store, container, data, reterr);
}

int dependents_first(const Store *store, Container *container, DependentAction action, void *data, Error *reterr) {
        _cleanup_strv_ char **seen = NULL;

        return walk(store, container, 0, &seen, action, data, reterr);
}

/* ---- starting ---- */

int dependencies_check(const Store *store, const ContainerConfig *config, Error *reterr) {
        _cleanup_strv_ char **ids = NULL, **missing = NULL;
        int r = dependencies_list(config, &ids, reterr);

        for (char **id = ids; id && *id && r >= 0; id++) {
                _cleanup_container_ Container target = CONTAINER_NULL;

                r = container_load(store, *id, &target, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot start container '%s'", config->name);
                if (target.pidfd < 0 && strv_append(&missing, *id) < 0)
                        r = error_oom(reterr);
        }
        if (r < 0 || !missing)
                return r;
        _cleanup_free_ char *text = strv_join(missing, ",");
        return !text ? error_oom(reterr)
                     : error_set(reterr, -ESRCH, ERROR_STATE,
                                 "cannot start container '%s': some dependencies of container %s are not started: %s: container state improper",
                                 config->name, config->id, text);
}

static int start_one(const Store *store, const char *id, const DetachedOptions *options, unsigned depth, Error *reterr);

static int start_all(const Store *store, const ContainerConfig *config, const DetachedOptions *options, unsigned depth, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int r = dependencies_list(config, &ids, reterr);

        if (r >= 0 && depth >= DEPTH_MAX)
                r = error_set(reterr, -ELOOP, ERROR_CORRUPT, "cannot start container '%s': what it needs has no end", config->name);
        for (char **id = ids; id && *id && r >= 0; id++) {
                r = start_one(store, *id, options, depth, reterr);
                if (r >= 0)
                        continue;
                (void) error_prefix(reterr, r, "cannot start container '%s': starting some containers", config->name);
                if (reterr) /* that its program is missing is not this one's */
                        reterr->kind = ERROR_STATE;
        }
        return r;
}

static int start_one(const Store *store, const char *id, const DetachedOptions *options, unsigned depth, Error *reterr) {
        _cleanup_container_ Container target = CONTAINER_NULL;
        int r = container_load(store, id, &target, reterr);

        if (r < 0 || target.pidfd >= 0)
                return r;
        r = start_all(store, &target.config, options, depth + 1, reterr);
        if (r >= 0)
                r = container_lock(store, &target, reterr);
        if (r >= 0 && target.pidfd < 0) /* nobody else was faster */
                r = engine_start_detached(store, &target, options, reterr);
        return r;
}

int dependencies_start(const Store *store, const ContainerConfig *config, const DetachedOptions *options, Error *reterr) {
        return start_all(store, config, options, 0, reterr);
}
