/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts that a container was asked for: what they are made of, and how. */
#include "engine/plan-user-mounts.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/mount-trees.h"
#include "image/store.h"
#include "storage/mapped.h"

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
        { "shared", MS_SHARED, false },   { "rshared", MS_SHARED, true },  { "unbindable", MS_UNBINDABLE, false },
        { "runbindable", MS_UNBINDABLE, true },
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
                        plan->propagation_recursive = propagation_words[i].recursive;
                        return true;
                }
        return false;
}

/* What the file system is told that is made: tmpfs(5), devpts (Documentation/filesystems/devpts). */
static bool is_data(MountKind kind, const char *word) {
        static const char *const prefixes[] = { "mode=", "uid=", "gid=", "size=", "nr_inodes=", "nr_blocks=", "max=" };
        bool takes = kind == MOUNT_TMPFS || kind == MOUNT_RAMFS || kind == MOUNT_DEVPTS;

        for (size_t i = 0; takes && i < ELEMENTSOF(prefixes); i++)
                if (str_after(word, prefixes[i]))
                        return true;
        return false;
}

/* A word with a value; 1: it was one. */
static int apply_value(MountPlan *plan, const char *word, Error *reterr) {
        const struct {
                const char *prefix;
                char **field;
        } rows[] = { { "subpath=", &plan->subpath }, { "upperdir=", &plan->upper }, { "workdir=", &plan->work } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *value = str_after(word, rows[i].prefix);

                if (value)
                        return str_replace(rows[i].field, value) < 0 ? error_oom(reterr) : 1;
        }
        return 0;
}

static int apply_option(MountPlan *plan, const char *word, char ***data, Error *reterr) {
        int r;

        if (apply_attribute(plan, word) || str_equal(word, "z") || str_equal(word, "Z"))
                return 0; /* z and Z: labels, which only a kernel with SELinux has; refused there by the parser */
        if (str_equal(word, "U"))
                plan->chown = true;
        else if (str_equal(word, "rbind") || str_equal(word, "bind"))
                plan->recursive = str_equal(word, "rbind");
        else if (str_equal(word, "copy") || str_equal(word, "tmpcopyup"))
                plan->copy_up = plan->kind != MOUNT_BIND || plan->copy_up; /* a volume is filled once */
        else if (str_equal(word, "nocopy") || str_equal(word, "notmpcopyup"))
                plan->copy_up = false;
        else if (str_equal(word, "O"))
                plan->kind = MOUNT_OVERLAY;
        else if (str_equal(word, "no-dereference"))
                plan->kind = MOUNT_SYMLINK;
        else if (is_data(plan->kind, word))
                return strv_append(data, word) < 0 ? error_oom(reterr) : 0;
        else if ((r = apply_value(plan, word, reterr)) != 0)
                return MIN(r, 0);
        else
                return error_set(reterr, -EINVAL, ERROR_UNSUPPORTED, "cannot mount on '%s': the option '%s' is not there yet",
                                 plan->destination, word);
        return 0;
}

static int apply_options(MountPlan *plan, char *const *options, Error *reterr) {
        _cleanup_strv_ char **data = plan->data ? strv_split(plan->data, ",") : NULL;

        for (char *const *w = options; w && *w; w++) {
                int r = apply_option(plan, *w, &data, reterr);

                if (r < 0)
                        return r;
        }
        if (!data)
                return 0;
        free(plan->data);
        return (plan->data = strv_join(data, ",")) ? 0 : error_oom(reterr);
}

/* Which directory keeps the user out, and whose it is. */
static int hint_denied(const char *path, Error *reterr) {
        _cleanup_free_ char *above = strdup(path);
        struct stat st;

        while (above && *above && stat(*above ? above : "/", &st) < 0 && errno == EACCES)
                *strrchr(above, '/') = 0;
        if (!above || stat(*above ? above : "/", &st) < 0)
                return -EACCES;
        error_hint(reterr, "'%s' belongs to %u:%u with mode %04o, and you are %u:%u: no container of yours comes by it either",
                          *above ? above : "/", st.st_uid, st.st_gid, st.st_mode & 07777, geteuid(), getegid());
        return -EACCES;
}

int plan_open_source(MountPlan *plan, Error *reterr) {
        _cleanup_fd_ int base = open(plan->source, O_PATH | O_CLOEXEC);

        if (base < 0) {
                int r = error_set_errno(reterr, -errno, "cannot mount '%s' on '%s'", plan->source, plan->destination);

                if (r == -ENOENT)
                        error_hint(reterr, "make that directory first: a bind mount does not");
                return r == -EACCES ? hint_denied(plan->source, reterr) : r;
        }
        if (!plan->subpath) {
                plan->source_fd = TAKE_FD(base);
                return 0;
        }
        plan->source_fd = path_open_in_root(base, plan->subpath, O_PATH, 0);
        if (plan->source_fd < 0)
                return error_set_errno(reterr, plan->source_fd, "cannot mount '%s' of '%s' on '%s'", plan->subpath, plan->source,
                                       plan->destination);
        return 0;
}

/* An image's layers, by their paths below the data directory, the topmost first. */
static int add_layers(MountPlan *plan, char *const *diff_ids, Error *reterr) {
        for (size_t i = strv_length(diff_ids); i > 0; i--) {
                char path[IMAGE_LAYER_PATH_SIZE];

                image_layer_path(diff_ids[i - 1], path);
                if (strv_append(&plan->lower, path) < 0)
                        return error_oom(reterr);
        }
        return plan->lower ? 0 : error_set(reterr, -EINVAL, ERROR_INVALID, "cannot mount an image on '%s': it has no layers", plan->destination);
}

/* ---- volumes ---- */

static int compare_names(const void *a, const void *b) {
        const ContainerMount *const *x = a, *const *y = b;

        return strcmp((*x)->source, (*y)->source);
}

int plan_hold_volumes(const Store *store, const ContainerConfig *config, VolumeHolds *holds, Error *reterr) {
        _cleanup_free_ const ContainerMount **sorted = calloc(config->n_mounts + 1, sizeof(*sorted));
        size_t n = 0;
        int r = 0;

        if (!sorted)
                return error_oom(reterr);
        for (size_t i = 0; i < config->n_mounts; i++)
                if (str_equal(config->mounts[i].type, "volume"))
                        sorted[n++] = &config->mounts[i];
        qsort(sorted, n, sizeof(*sorted), compare_names);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = volume_hold(store, sorted[i]->source, sorted[i]->anonymous, holds, reterr);
        return r;
}

/* A fresh volume belongs to the user; where the container's root is somebody else, it is given to that one. */
static int give_to_root(const UserMap *base, const UserMap *map, const char *path, Error *reterr) {
        uint32_t host_uid, host_gid, uid, gid;

        if (!idmap_to_host(&map->uid, 0, &host_uid) || !idmap_to_host(&map->gid, 0, &host_gid) ||
            !idmap_from_host(&base->uid, host_uid, &uid) || !idmap_from_host(&base->gid, host_gid, &gid))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot give the volume '%s' to the container's root: it has no ID", path);
        return mapped_change_owner(base, path, uid, gid, reterr);
}

/* The words behind `o` that are about the mount: the others were carried out when the volume was made. */
static int apply_volume_words(MountPlan *plan, const Volume *volume, Error *reterr) {
        static const char *const done[] = { "noquota", "defaults" };
        const char *text = strv_env_get(volume->options, "o");
        _cleanup_strv_ char **words = strv_split(text ?: "", ","), **kept = NULL;
        int r = words ? 0 : -ENOMEM;

        for (char **w = words; r >= 0 && w && *w; w++) {
                bool skip = !**w;

                for (size_t i = 0; i < ELEMENTSOF(done); i++)
                        skip = skip || str_equal(*w, done[i]);
                if (plan->kind != MOUNT_TMPFS)
                        skip = skip || str_after(*w, "uid=") || str_after(*w, "gid=");
                if (!skip)
                        r = strv_append(&kept, *w);
        }
        return r < 0 ? error_oom(reterr) : apply_options(plan, kept, reterr);
}

/* A file system that is there while somebody has it: the one of a running container, or a new one. */
static int add_shared(const Store *store, const Volume *volume, MountPlan *plan, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        int r = mount_trees_share(store, volume->name, &error);

        plan->source = strdup(volume->name);
        if (!plan->source)
                return error_oom(reterr);
        if (r >= 0) {
                plan->kind = MOUNT_BIND;
                plan->tree_fd = r;
                plan->copy_up = false;
                return 0;
        }
        if (r != -ENOENT || error.message)
                return error_move(reterr, &error);
        if (plan->kind == MOUNT_TMPFS)
                return 0;
        /* the image, with what was changed above it */
        _cleanup_fd_ int volumes = store_open_data(store, "volumes", reterr);
        _cleanup_fd_ int dir = volumes < 0 ? volumes : openat(volumes, volume->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (volumes < 0)
                return volumes;
        if (dir < 0 || (mkdirat(dir, "upper", 0755) < 0 && errno != EEXIST) || (mkdirat(dir, "work", 0700) < 0 && errno != EEXIST))
                return error_set_errno(reterr, -errno, "cannot make the directories of volume '%s'", volume->name);
        plan->upper = str_format("%s/volumes/%s/upper", store->data_path, volume->name);
        plan->work = str_format("%s/volumes/%s/work", store->data_path, volume->name);
        return plan->upper && plan->work ? add_layers(plan, volume->layers, reterr) : error_oom(reterr);
}

static int add_volume(const Store *store, const ContainerMount *mount, const UserMap *base, const UserMap *map, const Volume *volume,
                      MountPlan *plan, Error *reterr) {
        bool copies = !strv_env_get(volume->options, "nocopy");
        int r = 0;

        switch (volume_kind(volume)) {
        case VOLUME_TMPFS:
        case VOLUME_IMAGE:
                plan->kind = volume_kind(volume) == VOLUME_TMPFS ? MOUNT_TMPFS : MOUNT_OVERLAY;
                plan->copy_up = plan->kind == MOUNT_TMPFS && copies;
                plan->recursive = false;
                for (char **o = mount->options; o && *o; o++)
                        if (str_equal(*o, "O") || str_after(*o, "subpath="))
                                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                                 "cannot mount volume '%s' on '%s': the option '%s' is for volumes that are a directory",
                                                 volume->name, plan->destination, *o);
                r = plan->kind == MOUNT_TMPFS ? apply_volume_words(plan, volume, reterr) : 0;
                return r < 0 ? r : add_shared(store, volume, plan, reterr);
        case VOLUME_BIND:
                return str_replace(&plan->source, strv_env_get(volume->options, "device")) < 0 ? error_oom(reterr)
                                                                                                : apply_volume_words(plan, volume, reterr);
        default:
                break;
        }
        plan->source = volume_data_path(store, mount->source);
        plan->copy_up = volume->needs_copy_up && copies;
        plan->keep_owner = volume->taken || volume->owned;
        if (!plan->source)
                return error_oom(reterr);
        return volume->needs_copy_up && !plan->keep_owner && map->own ? give_to_root(base, map, plan->source, reterr) : 0;
}

/* ---- one mount ---- */

static int begin_mount(const Store *store, const ContainerMount *mount, const UserMap *base, const VolumeHolds *holds,
                       const UserMap *map, MountPlan *m, Error *reterr) {
        static const struct {
                const char *type;
                MountKind kind;
                uint64_t attributes;
                bool copy_up;
        } rows[] = {
                { "tmpfs", MOUNT_TMPFS, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, true },
                { "ramfs", MOUNT_RAMFS, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, true },
                { "devpts", MOUNT_DEVPTS, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false },
                { "image", MOUNT_OVERLAY, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY, false },
                { "volume", MOUNT_BIND, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, false },
                { "bind", MOUNT_BIND, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, false },
        };
        size_t i = 0;

        while (i < ELEMENTSOF(rows) && !str_equal(rows[i].type, mount->type))
                i++;
        if (i == ELEMENTSOF(rows))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot mount on '%s': type '%s' is not there yet",
                                 mount->destination, mount->type);
        m->kind = rows[i].kind;
        m->attributes = rows[i].attributes;
        m->copy_up = rows[i].copy_up;
        m->recursive = m->kind == MOUNT_BIND;
        if (str_equal(mount->type, "volume"))
                return add_volume(store, mount, base, map, volume_held(holds, mount->source), m, reterr);
        int r = str_equal(mount->type, "image") ? add_layers(m, mount->layers, reterr) : 0;
        if (r < 0)
                return r;
        /* devices are what somebody wants who mounts below /dev */
        if (str_equal(mount->type, "bind") && (str_equal(m->destination, "/dev") || str_after(m->destination, "/dev/")))
                m->attributes &= ~(uint64_t) MOUNT_ATTR_NODEV;
        if (m->kind == MOUNT_DEVPTS && !(m->data = strdup("newinstance,ptmxmode=0666")))
                return error_oom(reterr);
        return str_replace(&m->source, mount->source) < 0 ? error_oom(reterr) : 0;
}

/* no-dereference: a source that is a symlink is made anew instead of what it leads to. */
static int finish_symlink(MountPlan *m, Error *reterr) {
        char target[PATH_MAX];
        ssize_t n = readlink(m->source, target, sizeof(target) - 1);

        if (n < 0) {
                m->kind = MOUNT_BIND;
                return plan_open_source(m, reterr);
        }
        target[n] = 0;
        return str_replace(&m->data, target) < 0 ? error_oom(reterr) : 0;
}

static int finish_mount(const Store *store, Container *container, size_t index, const ProcPlan *plan, MountPlan *m, Error *reterr) {
        if (m->tree_fd >= 0 || m->kind == MOUNT_TMPFS || m->kind == MOUNT_RAMFS || m->kind == MOUNT_DEVPTS)
                return 0;
        if (m->kind == MOUNT_SYMLINK)
                return finish_symlink(m, reterr);
        if (plan->map.own && m->propagation == MS_SLAVE)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot mount '%s' on '%s': propagation from the host is not there for containers with an ID map of their own",
                                 m->source, m->destination);
        if (m->kind == MOUNT_OVERLAY) {
                m->recursive = false;
                m->copy_up = false;
                if (!m->upper && !(m->attributes & MOUNT_ATTR_RDONLY)) {
                        int r = mount_trees_make_upper(store, container, index, &m->upper, &m->work, reterr);
                        if (r < 0)
                                return r;
                }
        }
        return m->lower ? 0 : plan_open_source(m, reterr);
}

int plan_user_mount(const Store *store, Container *container, size_t index, const UserMap *base, const VolumeHolds *holds, ProcPlan *plan,
                    Error *reterr) {
        const ContainerMount *mount = &container->config.mounts[index];
        MountPlan *m = proc_plan_add_mount(plan);

        if (!m || !(m->destination = path_simplify(mount->destination)))
                return error_oom(reterr);
        int r = begin_mount(store, mount, base, holds, &plan->map, m, reterr);
        if (r >= 0)
                r = apply_options(m, mount->options, reterr);
        return r < 0 ? r : finish_mount(store, container, index, plan, m, reterr);
}
