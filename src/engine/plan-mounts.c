/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a container: the user's, and the small files that sdpod writes for it. */
#include "engine/plan-mounts.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/network.h"
#include "proc/user.h"
#include "storage/mapped.h"
#include "storage/volume.h"

#define NOTIFY_IN_CONTAINER "/run/notify/notify.sock"

/* Options of -v, --mount and --tmpfs that are attributes of the mount. */
static const struct {
        const char *name;
        uint64_t set, clear;
} attribute_words[] = {
        { "ro", MOUNT_ATTR_RDONLY, 0 },     { "rw", 0, MOUNT_ATTR_RDONLY },      { "nosuid", MOUNT_ATTR_NOSUID, 0 },
        { "suid", 0, MOUNT_ATTR_NOSUID },   { "nodev", MOUNT_ATTR_NODEV, 0 },    { "dev", 0, MOUNT_ATTR_NODEV },
        { "noexec", MOUNT_ATTR_NOEXEC, 0 }, { "exec", 0, MOUNT_ATTR_NOEXEC },    { "noatime", MOUNT_ATTR_NOATIME, 0 },
        { "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
};

static const struct {
        const char *name;
        uint64_t propagation;
        bool recursive;
} propagation_words[] = {
        { "private", MS_PRIVATE, false }, { "rprivate", MS_PRIVATE, true }, { "slave", MS_SLAVE, false }, { "rslave", MS_SLAVE, true },
        { "shared", MS_SHARED, false },   { "rshared", MS_SHARED, true },
};

static bool apply_attribute(MountPlan *plan, const char *word) {
        for (size_t i = 0; i < ELEMENTSOF(attribute_words); i++)
                if (str_equal(word, attribute_words[i].name)) {
                        plan->attributes = (plan->attributes | attribute_words[i].set) & ~attribute_words[i].clear;
                        return true;
                }
        for (size_t i = 0; i < ELEMENTSOF(propagation_words); i++)
                if (str_equal(word, propagation_words[i].name)) {
                        plan->propagation = propagation_words[i].propagation;
                        return true;
                }
        return false;
}

/* Data options of tmpfs(5) that a container may choose. */
static bool is_tmpfs_data(const char *word) {
        static const char *const prefixes[] = { "size=", "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks=" };

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (str_after(word, prefixes[i]))
                        return true;
        return false;
}

static int apply_options(MountPlan *plan, char *const *options, Error *reterr) {
        _cleanup_strv_ char **data = NULL;

        for (char *const *w = options; w && *w; w++) {
                if (apply_attribute(plan, *w) || str_equal(*w, "z") || str_equal(*w, "Z"))
                        continue; /* z and Z: labels, which only a kernel with SELinux has; refused there by the parser */
                if (str_equal(*w, "U"))
                        plan->chown = true;
                else if (str_equal(*w, "rbind") || str_equal(*w, "bind"))
                        plan->recursive = str_equal(*w, "rbind");
                else if (str_equal(*w, "copy") || str_equal(*w, "tmpcopyup"))
                        plan->copy_up = true;
                else if (str_equal(*w, "nocopy") || str_equal(*w, "notmpcopyup"))
                        plan->copy_up = false;
                else if (plan->kind == MOUNT_TMPFS && is_tmpfs_data(*w)) {
                        if (strv_append(&data, *w) < 0)
                                return error_oom(reterr);
                } else
                        return error_set(reterr, -EINVAL, ERROR_UNSUPPORTED, "cannot mount on '%s': the option '%s' is not there yet",
                                         plan->destination, *w);
        }
        if (data && !(plan->data = strv_join(data, ",")))
                return error_oom(reterr);
        return 0;
}

static int open_source(MountPlan *plan, Error *reterr) {
        plan->source_fd = open(plan->source, O_PATH | O_CLOEXEC);
        if (plan->source_fd < 0) {
                int r = error_set_errno(reterr, -errno, "cannot mount '%s' on '%s'", plan->source, plan->destination);

                if (r == -ENOENT)
                        (void) error_hint(reterr, "make that directory first: a bind mount does not");
                return r;
        }
        return 0;
}

/* A fresh volume belongs to the user; where the container's root is somebody else, it is given to that one. */
static int give_to_root(const UserMap *base, const UserMap *map, const char *path, Error *reterr) {
        uint32_t host_uid, host_gid, uid, gid;

        if (!idmap_to_host(&map->uid, 0, &host_uid) || !idmap_to_host(&map->gid, 0, &host_gid) ||
            !idmap_from_host(&base->uid, host_uid, &uid) || !idmap_from_host(&base->gid, host_gid, &gid))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot give the volume '%s' to the container's root: it has no ID", path);
        return mapped_change_owner(base, path, uid, gid, reterr);
}

static int add_volume(const Store *store, const ContainerMount *mount, const UserMap *base, const UserMap *map, MountPlan *plan,
                      char ***fresh, Error *reterr) {
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        int r = volume_ensure(store, mount->source, mount->anonymous, &volume, reterr);

        if (r < 0)
                return r;
        plan->source = volume_data_path(store, mount->source);
        plan->copy_up = volume.needs_copy_up;
        if (!plan->source || (volume.needs_copy_up && strv_append(fresh, mount->source) < 0))
                return error_oom(reterr);
        return volume.needs_copy_up && map->own ? give_to_root(base, map, plan->source, reterr) : 0;
}

static int add_user_mount(const Store *store, const ContainerMount *mount, const UserMap *base, ProcPlan *plan, char ***fresh,
                          Error *reterr) {
        MountPlan *m = proc_plan_add_mount(plan);
        int r = 0;

        if (!m)
                return error_oom(reterr);
        m->recursive = true;
        if (!(m->destination = path_simplify(mount->destination)))
                return error_oom(reterr);
        if (str_equal(mount->type, "tmpfs")) {
                m->kind = MOUNT_TMPFS;
                m->recursive = false;
                m->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
                m->copy_up = true;
        } else if (str_equal(mount->type, "volume")) {
                m->attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
                r = add_volume(store, mount, base, &plan->map, m, fresh, reterr);
        } else if (str_equal(mount->type, "bind")) {
                /* devices are what somebody wants who mounts below /dev */
                bool devices = str_equal(m->destination, "/dev") || str_after(m->destination, "/dev/");
                m->attributes = MOUNT_ATTR_NOSUID | (devices ? 0 : MOUNT_ATTR_NODEV);
                m->source = strdup(mount->source);
                r = m->source ? 0 : error_oom(reterr);
        } else
                r = error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot mount on '%s': type '%s' is not there yet",
                              mount->destination, mount->type);
        if (r >= 0)
                r = apply_options(m, mount->options, reterr);
        return r < 0 || m->kind == MOUNT_TMPFS ? r : open_source(m, reterr);
}

/* A file of the container's runtime directory over a path in it: written anew at each start, so it need not reach the disk. */
static int add_file(const Store *store, const Container *container, const char *name, const char *destination, ProcPlan *plan,
                    Error *reterr) {
        MountPlan *m = proc_plan_add_mount(plan);

        if (!m)
                return error_oom(reterr);
        m->source = str_format("%s/containers/%s/%s", store->runtime_path, container->config.id, name);
        m->destination = strdup(destination);
        m->attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
        return m->source && m->destination ? open_source(m, reterr) : error_oom(reterr);
}

static bool is_mounted(const ContainerConfig *config, const char *destination) {
        for (size_t i = 0; i < config->n_mounts; i++)
                if (str_equal(config->mounts[i].destination, destination))
                        return true;
        return false;
}

static int write_file(const Store *store, Container *container, const char *name, const char *text, Error *reterr) {
        int fd = container_runtime_fd(store, container, reterr);

        if (fd < 0)
                return fd;
        int r = file_write_atomic(fd, name, text, strlen(text), 0644, FILE_VOLATILE);

        return r < 0 ? error_set_errno(reterr, r, "cannot write '%s' of the container", name) : 0;
}

static int add_files(const Store *store, Container *container, ProcPlan *plan, Error *reterr) {
        const ContainerConfig *config = &container->config;
        _cleanup_free_ char *resolv_conf = NULL, *hosts = NULL, *hostname = str_format("%s\n", config->hostname);
        int r = hostname ? network_files(config, &resolv_conf, &hosts, reterr) : error_oom(reterr);

        if (r < 0)
                return r;
        const struct {
                const char *name, *text, *destination;
        } files[] = {
                { "resolv.conf", resolv_conf, "/etc/resolv.conf" },
                { "hosts", hosts, "/etc/hosts" },
                { "hostname", hostname, "/etc/hostname" },
                { "containerenv", "", "/run/.containerenv" },
        };
        for (size_t i = 0; i < ELEMENTSOF(files) && r >= 0; i++) {
                if (!files[i].text || is_mounted(config, files[i].destination))
                        continue;
                r = write_file(store, container, files[i].name, files[i].text, reterr);
                if (r >= 0)
                        r = add_file(store, container, files[i].name, files[i].destination, plan, reterr);
        }
        return r;
}

/* --read-only leaves the places writable that nearly every program writes to (podman-run(1), --read-only-tmpfs). */
static int add_read_only_tmpfs(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        static const struct {
                const char *destination, *data;
        } rows[] = { { "/run", "mode=755" }, { "/tmp", "mode=1777" }, { "/var/tmp", "mode=1777" } };

        if (!config->read_only || config->no_read_only_tmpfs)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (is_mounted(config, rows[i].destination))
                        continue;
                MountPlan *m = proc_plan_add_mount(plan);
                if (!m)
                        return error_oom(reterr);
                m->kind = MOUNT_TMPFS;
                m->attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
                m->copy_up = true;
                m->destination = strdup(rows[i].destination);
                m->data = strdup(rows[i].data);
                if (!m->destination || !m->data)
                        return error_oom(reterr);
        }
        return 0;
}

static int add_init(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        if (!config->init)
                return 0;
        MountPlan *m = proc_plan_add_mount(plan);
        if (!m)
                return error_oom(reterr);
        m->source = strdup(INIT_PROGRAM);
        m->destination = strdup(INIT_IN_CONTAINER);
        m->attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
        return m->source && m->destination ? open_source(m, reterr) : error_oom(reterr);
}

/* --sdnotify=container: the service manager's own socket, so that the payload says READY=1 itself. systemd accepts from it what
 * concerns processes of the unit's own cgroup, and nothing else (NotifyAccess=all, systemd.service(5)). */
static int add_notify_socket(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        if (!config->notify_socket || (config->sdnotify && !str_equal(config->sdnotify, "container")))
                return 0;
        if (*config->notify_socket != '/')
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use --sdnotify=container: NOTIFY_SOCKET is '%s', and only a path can be mounted",
                                 config->notify_socket);
        MountPlan *m = proc_plan_add_mount(plan);
        if (!m)
                return error_oom(reterr);
        m->source = strdup(config->notify_socket);
        m->destination = strdup(NOTIFY_IN_CONTAINER);
        m->attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
        if (!m->source || !m->destination || strv_env_set(&plan->env, "NOTIFY_SOCKET=" NOTIFY_IN_CONTAINER) < 0)
                return error_oom(reterr);
        return open_source(m, reterr);
}

static unsigned depth(const char *path) {
        unsigned n = 0;

        for (; *path; path++)
                n += *path == '/';
        return n;
}

static int by_depth(const void *a, const void *b) {
        unsigned x = depth(((const MountPlan *) a)->destination), y = depth(((const MountPlan *) b)->destination);

        return x < y ? -1 : x > y;
}

/* Where the container's root is not the user, its init may not go where the user may: the mounts are prepared outside. */
static int clone_sources(const UserMap *base, ProcPlan *plan, Error *reterr) {
        _cleanup_free_ char **paths = calloc(plan->n_mounts + 1, sizeof(char *));
        _cleanup_free_ int *fds = calloc(plan->n_mounts + 1, sizeof(int));
        size_t n = 0;

        if (!paths || !fds)
                return error_oom(reterr);
        for (size_t i = 0; i < plan->n_mounts; i++)
                if (plan->mounts[i].source)
                        paths[n++] = plan->mounts[i].source;
        int r = mapped_clone_trees(base, paths, n, fds, reterr);
        for (size_t i = 0, k = 0; i < plan->n_mounts; i++)
                if (plan->mounts[i].source)
                        plan->mounts[i].tree_fd = fds[k++];
        return r;
}

int plan_mounts(const Store *store, Container *container, const UserMap *base, ProcPlan *plan, char ***ret_fresh, Error *reterr) {
        const ContainerConfig *config = &container->config;
        _cleanup_strv_ char **fresh = NULL;
        int r = add_read_only_tmpfs(config, plan, reterr);

        for (size_t i = 0; i < config->n_mounts && r >= 0; i++)
                r = add_user_mount(store, &config->mounts[i], base, plan, &fresh, reterr);
        if (r >= 0)
                r = add_files(store, container, plan, reterr);
        if (r >= 0)
                r = add_init(config, plan, reterr);
        if (r >= 0)
                r = add_notify_socket(config, plan, reterr);
        if (r < 0)
                return r;
        /* a stable order by depth: what is mounted below a mount must come after it */
        qsort(plan->mounts, plan->n_mounts, sizeof(MountPlan), by_depth);
        if (plan->map.own) {
                r = clone_sources(base, plan, reterr);
                if (r < 0)
                        return r;
        }
        *ret_fresh = TAKE_PTR(fresh);
        return 0;
}
