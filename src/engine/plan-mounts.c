/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a container: the user's, and the small files that sdpod writes for it. */
#include "engine/plan-mounts.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "engine/mount-trees.h"
#include "engine/namespaces.h"
#include "engine/network.h"
#include "engine/notify-relay.h"
#include "engine/plan-process.h"
#include "engine/plan-user-mounts.h"
#include "engine/systemd-mode.h"
#include "storage/mapped.h"
#include "storage/volume.h"

#define NOTIFY_IN_CONTAINER "/run/notify/notify.sock"

/* A file of the container's runtime directory over a path in it: written anew at each start, so it need not reach the disk. */
static int add_file(const Store *store, const Container *container, const char *name, const char *destination, ProcPlan *plan,
                    Error *reterr) {
        MountPlan *m = proc_plan_add_mount(plan);

        if (!m)
                return error_oom(reterr);
        m->source = str_format("%s/containers/%s/%s", store->runtime_path, container->config.id, name);
        m->destination = strdup(destination);
        m->attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
        return m->source && m->destination ? plan_open_source(m, reterr) : error_oom(reterr);
}

static int write_file(const Store *store, Container *container, const char *name, const char *text, Error *reterr) {
        int fd = container_runtime_fd(store, container, reterr);

        if (fd < 0)
                return fd;
        int r = file_write_atomic(fd, name, text, strlen(text), 0644, FILE_VOLATILE);

        return r < 0 ? error_set_errno(reterr, r, "cannot write '%s' of the container", name) : 0;
}

/* Who shares a network sees the files of the container that it belongs to, and what happens to them. */
static int add_shared_files(const Store *store, const ContainerConfig *config, const Container *holder, ProcPlan *plan, Error *reterr) {
        const struct {
                const char *name, *destination;
                bool wanted;
        } files[] = { { "resolv.conf", "/etc/resolv.conf", true }, { "hosts", "/etc/hosts", !config->no_hosts } };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(files) && r >= 0; i++) {
                _cleanup_free_ char *path = str_format("%s/containers/%s/%s", store->runtime_path, holder->config.id, files[i].name);

                if (!path)
                        return error_oom(reterr);
                if (files[i].wanted && !container_has_mount(config, files[i].destination) && access(path, F_OK) == 0)
                        r = add_file(store, holder, files[i].name, files[i].destination, plan, reterr);
        }
        return r;
}

static int add_files(const Store *store, Container *container, ProcPlan *plan, Error *reterr) {
        const ContainerConfig *config = &container->config;
        _cleanup_free_ char *resolv_conf = NULL, *hosts = NULL, *hostname = str_format("%s\n", config->hostname);
        _cleanup_container_ Container holder = CONTAINER_NULL;
        int r = hostname ? namespaces_holder(store, config, NAMESPACE_NET, &holder, reterr) : error_oom(reterr);

        if (r > 0)
                r = add_shared_files(store, config, &holder, plan, reterr);
        else if (r == 0)
                r = network_files(store, container, &resolv_conf, &hosts, reterr);
        if (r < 0)
                return r;
        const struct {
                const char *name, *text, *destination;
        } files[] = {
                { "resolv.conf", resolv_conf, "/etc/resolv.conf" },
                { "hosts", hosts, "/etc/hosts" },
                { "hostname", config->no_hostname ? NULL : hostname, "/etc/hostname" },
                { "containerenv", "", "/run/.containerenv" },
        };
        for (size_t i = 0; i < ELEMENTSOF(files) && r >= 0; i++) {
                if (!files[i].text || container_has_mount(config, files[i].destination))
                        continue;
                r = write_file(store, container, files[i].name, files[i].text, reterr);
                if (r >= 0)
                        r = add_file(store, container, files[i].name, files[i].destination, plan, reterr);
                for (char **dir = config->chroot_dirs; dir && *dir && r >= 0 && str_after(files[i].destination, "/etc/"); dir++) {
                        _cleanup_free_ char *destination = str_format("%s%s", *dir, files[i].destination);

                        r = destination ? add_file(store, container, files[i].name, destination, plan, reterr) : error_oom(reterr);
                }
        }
        return r;
}

int plan_free_tmpfs(const ContainerConfig *config, const char *destination, const char *data, ProcPlan *plan, Error *reterr) {
        if (container_has_mount(config, destination))
                return 0;
        for (size_t i = 0; i < plan->n_mounts; i++)
                if (str_equal(plan->mounts[i].destination, destination))
                        return 0;
        MountPlan *m = proc_plan_add_mount(plan);
        if (!m)
                return error_oom(reterr);
        m->kind = MOUNT_TMPFS;
        m->attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
        m->copy_up = true;
        m->destination = strdup(destination);
        m->data = strdup(data);
        return m->destination && m->data ? 0 : error_oom(reterr);
}

/* --read-only leaves the places writable that nearly every program writes to (podman-run(1), --read-only-tmpfs). */
static int add_read_only_tmpfs(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        static const struct {
                const char *destination, *data;
        } rows[] = { { "/run", "mode=755" }, { "/tmp", "mode=1777" }, { "/var/tmp", "mode=1777" } };

        if (!config->read_only || config->no_read_only_tmpfs)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int r = plan_free_tmpfs(config, rows[i].destination, rows[i].data, plan, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_init(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        if (!config->init)
                return 0;
        MountPlan *m = proc_plan_add_mount(plan);
        if (!m)
                return error_oom(reterr);
        m->source = strdup(config->init_path ?: INIT_PROGRAM);
        m->destination = strdup(INIT_IN_CONTAINER);
        m->attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
        return m->source && m->destination ? plan_open_source(m, reterr) : error_oom(reterr);
}

static int add_infra(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        if (!config->infra)
                return 0;
        MountPlan *m = proc_plan_add_mount(plan);
        if (!m)
                return error_oom(reterr);
        m->source = strdup(INFRA_PROGRAM);
        m->destination = strdup(INFRA_IN_CONTAINER);
        m->attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
        return m->source && m->destination ? plan_open_source(m, reterr) : error_oom(reterr);
}

/* --sdnotify=container: the service manager's own socket, so that the payload says READY=1 itself. systemd accepts from it what
 * concerns processes of the unit's own cgroup, and nothing else (NotifyAccess=all, systemd.service(5)); but from root (notify-relay.h). */
static int add_notify_socket(const Store *store, Container *container, ProcPlan *plan, Error *reterr) {
        const ContainerConfig *config = &container->config;
        int r = 0;

        if (!config->notify_socket || (config->sdnotify && !str_equal(config->sdnotify, "container")))
                return 0;
        if (*config->notify_socket != '/')
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use --sdnotify=container: NOTIFY_SOCKET is '%s', and only a path can be mounted",
                                 config->notify_socket);
        MountPlan *m = proc_plan_add_mount(plan);
        if (!m)
                return error_oom(reterr);
        if (notify_relay_is_needed(&plan->map))
                r = notify_relay_open(store, container, &m->source, &plan->notify_fd, reterr);
        else
                m->source = strdup(config->notify_socket);
        if (r < 0)
                return r;
        m->destination = strdup(NOTIFY_IN_CONTAINER);
        m->attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
        if (!m->source || !m->destination || strv_env_set(&plan->env, "NOTIFY_SOCKET=" NOTIFY_IN_CONTAINER) < 0)
                return error_oom(reterr);
        return plan_open_source(m, reterr);
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

int plan_mounts(const Store *store, Container *container, const UserMap *base, ProcPlan *plan, VolumeHolds *holds, Error *reterr) {
        const ContainerConfig *config = &container->config;
        int r = add_read_only_tmpfs(config, plan, reterr);

        if (r >= 0)
                r = systemd_mode_plan(config, plan, reterr);
        if (r >= 0 && !config->infra)
                r = plan_hold_volumes(store, config, holds, reterr);
        /* a pod's volumes are for its members; the infra container only has them on record */
        for (size_t i = 0; i < config->n_mounts && r >= 0 && !config->infra; i++)
                r = plan_user_mount(store, container, i, base, holds, plan, reterr);
        if (r >= 0)
                r = add_files(store, container, plan, reterr);
        if (r >= 0)
                r = plan_timezone(config, plan, reterr);
        if (r >= 0)
                r = add_init(config, plan, reterr);
        if (r >= 0)
                r = add_infra(config, plan, reterr);
        if (r >= 0)
                r = add_notify_socket(store, container, plan, reterr);
        if (r < 0)
                return r;
        /* a stable order by depth: what is mounted below a mount must come after it */
        qsort(plan->mounts, plan->n_mounts, sizeof(MountPlan), by_depth);
        return mount_trees_make(store, base, plan, reterr);
}
