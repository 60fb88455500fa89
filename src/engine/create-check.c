/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the host that a container is asked to have. */
#include "engine/create-check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

enum {
        DEVICES_MAX = 1024,
        DEPTH_MAX = 8,
};

static int check_mount(const ContainerMount *mount, Error *reterr) {
        struct stat st;

        if (!str_equal(mount->type, "bind") || !mount->source || stat(mount->source, &st) == 0 || errno == EACCES)
                return 0;
        int r = error_set_errno(reterr, -errno, "cannot mount '%s' on '%s'", mount->source, mount->destination);
        if (r == -ENOENT)
                error_hint(reterr, "make that directory first: a bind mount does not");
        return r;
}

/* A read-only bind mount does not keep anybody from writing to a device, and the cgroup's rules for devices are programs that only
 * root may load (cgroups(7)). But what the caller may not do, nobody in the container may. */
static int check_permissions(const ContainerDevice *device, Error *reterr) {
        const struct {
                char letter;
                int mode;
        } kinds[] = { { 'r', R_OK }, { 'w', W_OK } };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                if (strchr(device->permissions, kinds[i].letter) || faccessat(AT_FDCWD, device->source, kinds[i].mode, AT_EACCESS) < 0)
                        continue;
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot give the container the device '%s' as '%s': only root can keep a "
                                 "container from what its user may do with a device", device->source, device->permissions);
                return error_with_hint(reterr, -EOPNOTSUPP, "give it as 'rw', or take the permission away from yourself");
        }
        return 0;
}

typedef struct DeviceList {
        ContainerDevice *items;
        size_t n;
} DeviceList;

static void device_list_done(DeviceList *list) {
        for (size_t i = 0; i < list->n; i++) {
                free(list->items[i].source);
                free(list->items[i].destination);
                free(list->items[i].permissions);
        }
        free(list->items);
}

static int add_device(DeviceList *list, const char *source, const char *destination, const char *permissions, Error *reterr) {
        ContainerDevice *added;

        if (list->n >= DEVICES_MAX)
                return error_set(reterr, -E2BIG, ERROR_INVALID, "cannot give the container the device '%s': these are more than %d", source,
                                 DEVICES_MAX);
        added = container_array_add((void **) &list->items, &list->n, sizeof(*added));
        if (!added || str_replace(&added->source, source) < 0 || str_replace(&added->destination, destination) < 0 ||
            str_replace(&added->permissions, permissions) < 0)
                return error_oom(reterr);
        return 0;
}

/* All devices of a directory and those below it; what else is there is passed over. */
static int add_directory(DeviceList *list, const char *source, const char *destination, const char *permissions, unsigned depth,
                         Error *reterr) {
        DIR *dir = opendir(source);
        struct dirent *entry;
        int r = dir ? 0 : error_set_errno(reterr, -errno, "cannot give the container the device '%s'", source);

        while (r >= 0 && (entry = readdir(dir))) {
                _cleanup_free_ char *from = str_format("%s/%s", source, entry->d_name), *to = str_format("%s/%s", destination, entry->d_name);
                struct stat st;

                if (!from || !to)
                        r = error_oom(reterr);
                else if (entry->d_name[0] == '.' || lstat(from, &st) < 0)
                        continue;
                else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
                        r = add_directory(list, from, to, permissions, depth + 1, reterr);
                else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
                        r = add_device(list, from, to, permissions, reterr);
        }
        if (dir)
                (void) closedir(dir);
        return r;
}

int create_expand_devices(ContainerConfig *config, Error *reterr) {
        _cleanup_(device_list_done) DeviceList list = {};
        int r = 0;

        for (size_t i = 0; i < config->n_devices && r >= 0; i++) {
                const ContainerDevice *device = &config->devices[i];
                struct stat st;

                if (stat(device->source, &st) == 0 && S_ISDIR(st.st_mode))
                        r = add_directory(&list, device->source, device->destination, device->permissions, 0, reterr);
                else
                        r = add_device(&list, device->source, device->destination, device->permissions, reterr);
        }
        if (r < 0)
                return r;
        const DeviceList before = { config->devices, config->n_devices };
        config->devices = list.items;
        config->n_devices = list.n;
        list = before;
        return 0;
}

static int check_device(const ContainerDevice *device, Error *reterr) {
        struct stat st;

        if (stat(device->source, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot give the container the device '%s'", device->source);
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
                return error_set(reterr, -ENODEV, ERROR_INVALID, "cannot give the container the device '%s': it is not a device", device->source);
        return check_permissions(device, reterr);
}

static int check_limits(const ContainerResources *r, Error *reterr) {
        const struct {
                const ContainerDeviceLimit *limits;
                size_t n;
        } rows[] = {
                { r->weight_devices, r->n_weight_devices }, { r->read_bps, r->n_read_bps },     { r->write_bps, r->n_write_bps },
                { r->read_iops, r->n_read_iops },           { r->write_iops, r->n_write_iops },
        };
        struct stat st;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t k = 0; k < rows[i].n; k++) {
                        const char *path = rows[i].limits[k].path;

                        if (stat(path, &st) < 0)
                                return error_set_errno(reterr, -errno, "cannot limit the device '%s'", path);
                        if (!S_ISBLK(st.st_mode))
                                return error_set(reterr, -ENOTBLK, ERROR_INVALID, "cannot limit the device '%s': it is not a block device", path);
                }
        return 0;
}

int create_check_host(const ContainerConfig *config, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < config->n_mounts && r >= 0; i++)
                r = check_mount(&config->mounts[i], reterr);
        for (size_t i = 0; i < config->n_devices && r >= 0; i++)
                r = check_device(&config->devices[i], reterr);
        if (r >= 0)
                r = check_limits(&config->resources, reterr);
        if (r >= 0 && config->seccomp && *config->seccomp == '/' && access(config->seccomp, R_OK) < 0)
                r = error_set_errno(reterr, -errno, "cannot read the seccomp profile '%s'", config->seccomp);
        if (r >= 0 && config->rootfs && access(config->rootfs, F_OK) < 0 && errno != EACCES)
                r = error_set_errno(reterr, -errno, "cannot use '%s' as the root file system", config->rootfs);
        if (r >= 0 && config->init && config->init_path && access(config->init_path, X_OK) < 0)
                r = error_set_errno(reterr, -errno, "cannot use '%s' as the init", config->init_path);
        return r;
}
