/* SPDX-License-Identifier: Apache-2.0 */
/* Containers and their images. */
#include "cli/image-use.h"

#include "base/str.h"
#include "state/container.h"
#include "storage/volume.h"

static int add(const char *user, const char *image_id, char *const *layers, ImageUse **uses, size_t *n) {
        ImageUse *use = container_array_add((void **) uses, n, sizeof(*use));

        if (!use || str_replace(&use->container_id, user) < 0 || str_replace(&use->image_id, image_id) < 0)
                return -ENOMEM;
        use->layers = strv_copy(layers);
        return layers && !use->layers ? -ENOMEM : 0;
}

/* The image it was made from, and those that it mounts. */
static int add_container(const ContainerConfig *config, ImageUse **uses, size_t *n) {
        int r = add(config->id, config->image_id, config->layers, uses, n);

        for (size_t i = 0; i < config->n_mounts && r >= 0; i++)
                if (config->mounts[i].image_id)
                        r = add(config->id, config->mounts[i].image_id, config->mounts[i].layers, uses, n);
        return r;
}

/* Volumes that are made of images. */
static int add_volumes(const Store *store, ImageUse **uses, size_t *n, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        int r = volume_list(store, &names, reterr);

        for (char **name = names; name && *name && r >= 0; name++) {
                _cleanup_volume_ Volume volume = VOLUME_NULL;

                r = volume_load(store, *name, &volume, reterr);
                if (r == -ENOENT) {
                        error_done(reterr); /* removed meanwhile */
                        r = 0;
                } else if (r >= 0 && volume.image_id && add(volume.name, volume.image_id, volume.layers, uses, n) < 0)
                        r = error_oom(reterr);
        }
        return r;
}

int image_uses(const Store *store, ImageUse **ret, size_t *ret_n, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        ImageUse *uses = NULL;
        size_t n = 0;
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        int r = container_lister_open(store, &lister, reterr);

        if (r >= 0)
                r = container_list(store, &ids, reterr);

        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = container_load_config(&lister, *id, container_image_fields, &config, &error);
                if (r == -ENOENT)
                        r = 0; /* removed meanwhile */
                else if (r < 0)
                        (void) error_move(reterr, &error);
                else if (add_container(&config, &uses, &n) < 0)
                        r = error_oom(reterr);
        }
        if (r >= 0)
                r = add_volumes(store, &uses, &n, reterr);
        if (r < 0) {
                image_use_free_many(uses, n);
                return r;
        }
        *ret = uses;
        *ret_n = n;
        return 0;
}

size_t image_uses_count(const ImageUse *uses, size_t n, const char *image_id) {
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                count += str_equal(uses[i].image_id, image_id);
        return count;
}
