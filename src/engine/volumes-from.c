/* SPDX-License-Identifier: Apache-2.0 */
/* --volumes-from: the mounts of other containers. */
#include "engine/volumes-from.h"

#include <string.h>

#include "base/str.h"

int volumes_from_parse(const char *word, char **ret_name, char ***ret_options, Error *reterr) {
        const char *colon = strchr(word, ':');
        _cleanup_free_ char *name = strndup(word, colon ? (size_t) (colon - word) : strlen(word));
        _cleanup_strv_ char **options = colon ? strv_split(colon + 1, ",") : NULL;
        bool access = false, label = false;

        if (!name || (colon && !options))
                return error_oom(reterr);
        if (!*name)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "the container is missing");
        for (char **o = options; o && *o; o++) {
                bool *seen = str_equal(*o, "z") ? &label : &access;

                if (!str_equal(*o, "z") && !str_equal(*o, "ro") && !str_equal(*o, "rw"))
                        return error_set(reterr, -EINVAL, ERROR_INVALID,
                                         "invalid option \"%s\" specified - volumes from another container can only use z,ro,rw options", *o);
                if (*seen)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot set %s options more than once in mount options",
                                         seen == &label ? ":z" : "ro or rw");
                *seen = true;
        }
        *ret_name = TAKE_PTR(name);
        *ret_options = TAKE_PTR(options);
        return 0;
}

static int copy_options(const ContainerMount *from, char *const *given, ContainerMount *to) {
        bool access = strv_contains(given, "ro") || strv_contains(given, "rw");
        int r = 0;

        /* what is given again replaces the other's word; :U has been done there */
        for (char **o = from->options; o && *o && r >= 0; o++)
                if (!(access && (str_equal(*o, "ro") || str_equal(*o, "rw"))) && !str_equal(*o, "U") && !strv_contains(given, *o))
                        r = strv_append(&to->options, *o);
        return r < 0 ? r : strv_extend(&to->options, given);
}

static ContainerMount *find_mount(ContainerConfig *config, const char *destination) {
        for (size_t i = 0; i < config->n_mounts; i++)
                if (str_equal(config->mounts[i].destination, destination))
                        return &config->mounts[i];
        return NULL;
}

static void mount_clear(ContainerMount *mount) {
        free(mount->type);
        free(mount->source);
        free(mount->image_id);
        strv_free(mount->layers);
        free(mount->destination);
        strv_free(mount->options);
        *mount = (ContainerMount){};
}

static int add_mount(ContainerConfig *config, size_t n_own, const ContainerMount *from, char *const *options, Error *reterr) {
        ContainerMount *mount = find_mount(config, from->destination);

        if (mount && (size_t) (mount - config->mounts) < n_own)
                return 0;
        if (mount)
                mount_clear(mount);
        else if (!(mount = container_array_add((void **) &config->mounts, &config->n_mounts, sizeof(*mount))))
                return error_oom(reterr);
        /* an anonymous volume goes with the other one, not with this one */
        mount->type = strdup(from->type);
        mount->source = from->source ? strdup(from->source) : NULL;
        mount->destination = strdup(from->destination);
        if (!mount->type || (from->source && !mount->source) || !mount->destination || copy_options(from, options, mount) < 0)
                return error_oom(reterr);
        return 0;
}

static int merge_one(const Store *store, ContainerConfig *config, size_t n_own, const char *word, bool replaces, Error *reterr) {
        _cleanup_container_ Container other = CONTAINER_NULL;
        _cleanup_strv_ char **options = NULL;
        _cleanup_free_ char *name = NULL;
        int r = volumes_from_parse(word, &name, &options, reterr);

        if (r < 0)
                return r;
        r = container_open(store, name, &other, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot use the volumes of container '%s'", name);
        if (replaces && str_equal(other.config.name, config->name))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the volumes of container '%s': it is the one that is replaced", name);
        for (size_t i = 0; i < other.config.n_mounts && r >= 0; i++) {
                const ContainerMount *mount = &other.config.mounts[i];

                if (str_equal(mount->type, "bind") || str_equal(mount->type, "volume"))
                        r = add_mount(config, n_own, mount, options, reterr);
        }
        return r;
}

int volumes_from_merge(const Store *store, ContainerConfig *config, bool replaces, Error *reterr) {
        size_t n_own = config->n_mounts;
        int r = 0;

        for (char **word = config->volumes_from; word && *word && r >= 0; word++)
                r = merge_one(store, config, n_own, *word, replaces, reterr);
        return r;
}
