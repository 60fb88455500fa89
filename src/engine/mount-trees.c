/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts that are made outside of the container. */
#include "engine/mount-trees.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/io.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "proc/mount-source.h"
#include "proc/mount.h"
#include "storage/mapped.h"
#include "storage/rootfs.h"

int mount_trees_make_upper(const Store *store, Container *container, size_t number, char **ret_upper, char **ret_work, Error *reterr) {
        _cleanup_free_ char *name = str_format("%zu", number), *upper = NULL, *work = NULL;
        _cleanup_fd_ int above = -EBADF, own = -EBADF;

        upper = str_format("%s/containers/%s/" OVERLAYS_DIRECTORY "/%zu/upper", store->data_path, container->config.id, number);
        work = str_format("%s/containers/%s/" OVERLAYS_DIRECTORY "/%zu/work", store->data_path, container->config.id, number);
        if (!name || !upper || !work)
                return error_oom(reterr);
        above = path_open_or_make_dir(container->dir_fd, OVERLAYS_DIRECTORY, 0700);
        if (above < 0)
                return error_set_errno(reterr, above, "cannot make the container's directory for changes");
        int r = mapped_remove_tree(above, name, reterr); /* what an earlier start wrote is gone */
        if (r < 0)
                return r;
        own = path_open_or_make_dir(above, name, 0700);
        if (own < 0 || mkdirat(own, "upper", 0755) < 0 || mkdirat(own, "work", 0700) < 0)
                return error_set_errno(reterr, own < 0 ? own : -errno, "cannot make the container's directory for changes");
        *ret_upper = TAKE_PTR(upper);
        *ret_work = TAKE_PTR(work);
        return 0;
}

/* ---- what another container has mounted ---- */

typedef struct Place {
        const Container *container;
        const char *path;
        uint64_t unset; /* attributes that are the container's own */
} Place;

static int clone_there(const void *data, Error *reterr) {
        const Place *place = data;
        const Container *c = place->container;
        struct stat own, theirs;
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/ns/user", c->process.pid);
        int r = 0;
        if (stat(path, &theirs) < 0 || stat("/proc/self/ns/user", &own) < 0)
                r = error_set_errno(reterr, -errno, "cannot look at the user namespace of container '%s'", c->config.name);
        else if (setns(c->pidfd, (own.st_ino != theirs.st_ino ? CLONE_NEWUSER : 0) | CLONE_NEWNS) < 0)
                r = error_set_errno(reterr, -errno, "cannot enter the running container '%s'", c->config.name);
        if (r == -EPERM || r == -EACCES)
                return error_with_hint(reterr, r, "its user namespace is not inside this one: mount it while it does not run");
        if (r < 0)
                return r;
        _cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int there = root < 0 ? -errno : path_open_in_root(root, place->path, O_PATH | O_DIRECTORY, 0);
        if (there < 0)
                return error_set_errno(reterr, there, "cannot open '%s' of container '%s'", place->path, c->config.name);
        _cleanup_fd_ int tree = mount_clone(there, "", /* recursive= */ false, reterr);
        r = tree < 0 ? tree : place->unset ? mount_unset(tree, place->unset, reterr) : 0;
        return r < 0 ? r : TAKE_FD(tree);
}

int mount_trees_clone(const Container *container, const char *path, Error *reterr) {
        return wire_ask_fd(clone_there, &(Place){ container, path, .unset = 0 }, reterr);
}

static const char *place_of(const ContainerConfig *config, const char *volume) {
        for (size_t i = 0; i < config->n_mounts; i++)
                if (str_equal(config->mounts[i].type, "volume") && str_equal(config->mounts[i].source, volume) &&
                    !strv_contains(config->mounts[i].options, "O"))
                        return config->mounts[i].destination;
        return NULL;
}

int mount_trees_share(const Store *store, const char *volume, Error *reterr) {
        _cleanup_error_ Error first = ERROR_NULL;
        _cleanup_strv_ char **ids = NULL;
        int r = container_list(store, &ids, reterr);

        if (r < 0)
                return r;
        for (char **id = ids; id && *id; id++) {
                _cleanup_container_ Container c = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                const char *place;

                if (container_load(store, *id, &c, /* reterr= */ NULL) < 0 || c.pidfd < 0 || !(place = place_of(&c.config, volume)))
                        continue;
                r = wire_ask_fd(clone_there, &(Place){ &c, place, .unset = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC }, &error);
                if (r >= 0)
                        return r;
                /* not every container can be entered from everywhere, and one may have ended meanwhile: then another one's will do */
                if (!first.message && !process_has_ended(c.pidfd))
                        (void) error_move(&first, &error);
        }
        return first.message ? error_move(reterr, &first) : -ENOENT;
}

/* ---- what is made ---- */

typedef struct Trees {
        const Store *store;
        ProcPlan *plan;
        size_t *indexes; /* of the mounts that are made */
} Trees;

typedef struct Layers {
        int *fds;
        size_t n;
} Layers;

static void layers_done(Layers *layers) {
        for (size_t i = 0; i < layers->n; i++)
                (void) fd_close(layers->fds[i]);
        free(layers->fds);
}

static int open_layers(const Trees *trees, const MountPlan *m, Layers *ret, Error *reterr) {
        _cleanup_fd_ int data = open(trees->store->data_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (data < 0)
                return error_set_errno(reterr, -errno, "cannot open the data directory");
        ret->fds = calloc(strv_length(m->lower) + 1, sizeof(int));
        if (!ret->fds)
                return error_oom(reterr);
        if (m->source && m->source_fd >= 0) {
                ret->fds[0] = mount_source_open(m, reterr);
                if (ret->fds[0] < 0)
                        return ret->fds[0];
                ret->n++;
        }
        for (char **path = m->lower; path && *path; path++) {
                ret->fds[ret->n] = openat(data, *path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (ret->fds[ret->n] < 0)
                        return error_set_errno(reterr, -errno, "cannot open layer '%s'", *path);
                ret->n++;
        }
        return 0;
}

/* What is seen at the top is the upper directory's owner and mode: a fresh one takes those of what it covers. */
static int like_below(int upper, int lower, Error *reterr) {
        struct stat st;

        if (copy_directory_is_empty(upper) <= 0)
                return 0;
        if (fstat(lower, &st) < 0 || fchmod(upper, st.st_mode & 07777) < 0)
                return error_set_errno(reterr, -errno, "cannot set the mode of the directory for changes");
        if (fchown(upper, st.st_uid, st.st_gid) < 0 && errno != EINVAL && errno != EPERM) /* somebody outside of the map */
                return error_set_errno(reterr, -errno, "cannot set the owner of the directory for changes");
        return 0;
}

static int make_overlay(const Trees *trees, const MountPlan *m, Error *reterr) {
        _cleanup_(layers_done) Layers layers = {};
        _cleanup_fd_ int upper = -EBADF, work = -EBADF;
        int r = open_layers(trees, m, &layers, reterr);

        if (r < 0)
                return r;
        if (!m->upper && layers.n == 1)
                return mount_clone(layers.fds[0], "", /* recursive= */ false, reterr);
        if (!m->upper)
                return mount_new_overlay(layers.fds, layers.n, -EBADF, -EBADF, reterr);
        upper = open(m->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        work = open(m->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (upper < 0 || work < 0)
                return error_set_errno(reterr, -errno, "cannot open '%s'", upper < 0 ? m->upper : m->work);
        r = like_below(upper, layers.fds[0], reterr);
        return r < 0 ? r : mount_new_overlay(layers.fds, layers.n, upper, work, reterr);
}

/* A part of an overlay: it is mounted where only this process sees it, as a detached mount cannot be cloned from before Linux 6.15. */
static int take_part(const Trees *trees, const MountPlan *m, int tree, Error *reterr) {
        _cleanup_free_ char *path = str_format("%s/mnt", trees->store->data_path);
        _cleanup_fd_ int target = -EBADF, part = -EBADF;

        if (!path)
                return error_oom(reterr);
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make the mount point");
        target = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r = target < 0 ? error_set_errno(reterr, -errno, "cannot open the mount point") : mount_attach(tree, target, reterr);
        if (r < 0)
                return r;
        part = path_open_in_root(tree, m->subpath, O_PATH, 0);
        if (part < 0)
                return error_set_errno(reterr, part, "cannot mount '%s' of '%s'", m->subpath, m->source ?: "the image");
        return mount_clone(part, "", /* recursive= */ false, reterr);
}

static int make_tree(void *data, size_t i, Error *reterr) {
        const Trees *trees = data;
        const MountPlan *m = &trees->plan->mounts[trees->indexes[i]];

        if (m->kind != MOUNT_OVERLAY)
                return mount_source_clone(m, reterr);
        _cleanup_fd_ int tree = make_overlay(trees, m, reterr);
        if (tree >= 0 && m->subpath && m->lower)
                return take_part(trees, m, tree, reterr);
        return tree >= 0 ? TAKE_FD(tree) : error_prefix(reterr, tree, "cannot mount on '%s'", m->destination);
}

static bool needs_tree(const ProcPlan *plan, const MountPlan *m) {
        if (m->tree_fd >= 0)
                return false;
        return m->kind == MOUNT_OVERLAY || (m->kind == MOUNT_BIND && plan->map.own);
}

static int check_driver(const Store *store, const MountPlan *m, Error *reterr) {
        _cleanup_free_ char *reason = NULL;
        StorageDriver driver;

        if (m->kind != MOUNT_OVERLAY || (!m->upper && strv_length(m->lower) == 1))
                return 0;
        int r = storage_driver_choose(store, /* wanted= */ NULL, &driver, &reason, reterr);
        if (r >= 0 && driver != STORAGE_OVERLAY)
                r = error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot mount on '%s': %s", m->destination, reason);
        return r;
}

int mount_trees_make(const Store *store, const UserMap *base, ProcPlan *plan, Error *reterr) {
        _cleanup_free_ size_t *indexes = calloc(plan->n_mounts + 1, sizeof(size_t));
        _cleanup_free_ int *fds = calloc(plan->n_mounts + 1, sizeof(int));
        size_t n = 0;
        int r = 0;

        if (!indexes || !fds)
                return error_oom(reterr);
        for (size_t i = 0; i < plan->n_mounts && r >= 0; i++)
                if (needs_tree(plan, &plan->mounts[i])) {
                        indexes[n++] = i;
                        r = check_driver(store, &plan->mounts[i], reterr);
                }
        if (r < 0 || n == 0)
                return r;
        r = mapped_make_trees(base, make_tree, &(Trees){ store, plan, indexes }, n, fds, reterr);
        for (size_t i = 0; i < n; i++)
                plan->mounts[indexes[i]].tree_fd = fds[i];
        return r;
}
