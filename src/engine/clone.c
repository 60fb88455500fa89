/* SPDX-License-Identifier: Apache-2.0 */
/* Another container like one that is there. */
#include "engine/clone.h"

#include "base/str.h"
#include "image/store.h"

#define CLONE_SUFFIX "-clone"

enum { CLONES_MAX = 100000 };

/* "web-clone", "web-clone1", ...; a clone's clone counts on. */
static int make_name(const Store *store, const char *source, char **ret, Error *reterr) {
        const char *at = strstr(source, CLONE_SUFFIX);
        _cleanup_free_ char *base = strndup(source, at ? (size_t) (at - source) : strlen(source));

        for (unsigned n = 0; base && n < CLONES_MAX; n++) {
                _cleanup_free_ char *name = n == 0 ? str_format("%s" CLONE_SUFFIX, base) : str_format("%s" CLONE_SUFFIX "%u", base, n);
                _cleanup_free_ char *id = NULL;

                if (!name)
                        return error_oom(reterr);
                int r = container_find(store, name, &id, /* reterr= */ NULL);
                if (r == -ENOENT) {
                        *ret = TAKE_PTR(name);
                        return 0;
                }
        }
        return base ? error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot clone '%s': all names for clones are taken, give one with --name", source)
                    : error_oom(reterr);
}

/* By the name that the source was made with, while that is still this image. */
static int keep_image(const Store *store, const ContainerConfig *source, ContainerConfig *config) {
        _cleanup_image_info_ ImageInfo info = {};

        if (image_store_resolve(store, source->image, &info, /* reterr= */ NULL) >= 0 && str_equal(info.id, source->image_id))
                return 0;
        return str_replace(&config->image, source->image_id);
}

static void drop_maps(ContainerConfig *config) {
        free(TAKE_PTR(config->uid_map));
        free(TAKE_PTR(config->gid_map));
        config->n_uid_map = config->n_gid_map = 0;
}

/* Files of the host that say who the first one is. */
static void drop_files(ContainerConfig *config) {
        char **paths[] = { &config->pid_file, &config->conmon_pid_file, &config->cid_file };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                free(TAKE_PTR(*paths[i]));
}

/* What a unit file's container has from its unit. */
static int leave_unit(ContainerConfig *config) {
        if (!config->systemd_unit && !config->notify_socket)
                return 0;
        char **words[] = { &config->systemd_unit, &config->notify_socket, &config->sdnotify };
        int r = str_equal(config->cgroups, "split") ? str_replace(&config->cgroups, NULL) : 0;

        for (size_t i = 0; i < ELEMENTSOF(words) && r >= 0; i++)
                r = str_replace(words[i], NULL);
        return r;
}

int engine_clone_config(const Store *store, const ContainerConfig *source, const char *name, const char *image, ContainerConfig *ret,
                        Error *reterr) {
        _cleanup_container_config_ ContainerConfig config = {};
        _cleanup_json_ json_t *record = json_fields_save(container_config_fields, source);

        if (!record)
                return error_oom(reterr);
        if (source->infra)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot clone '%s': it holds the namespaces of a pod", source->name);
        int r = json_fields_load(record, container_config_fields, &config, reterr);
        if (r < 0)
                return r;
        strv_free(TAKE_PTR(config.layers));
        drop_files(&config);
        if (str_after(config.userns ?: "", "auto"))
                drop_maps(&config);
        for (size_t i = 0; i < config.n_mounts; i++)
                if (config.mounts[i].anonymous) {
                        free(TAKE_PTR(config.mounts[i].source));
                        config.mounts[i].anonymous = false;
                }
        r = str_replace(&config.id, NULL);
        if (r >= 0)
                r = str_replace(&config.name, name);
        if (r >= 0)
                r = leave_unit(&config);
        if (r >= 0 && image)
                r = str_replace(&config.image, image);
        if (r >= 0 && !image && source->image_id)
                r = keep_image(store, source, &config);
        if (r < 0)
                return error_oom(reterr);
        r = name ? 0 : make_name(store, source->name, &config.name, reterr);
        if (r < 0)
                return r;
        *ret = config;
        config = CONTAINER_CONFIG_NULL;
        return 0;
}
