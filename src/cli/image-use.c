/* SPDX-License-Identifier: Apache-2.0 */
/* Containers and their images. */
#include "cli/image-use.h"

#include "base/str.h"
#include "state/container.h"

static int add(const ContainerConfig *config, ImageUse **uses, size_t *n) {
        ImageUse *use = container_array_add((void **) uses, n, sizeof(*use));

        if (!use || str_replace(&use->container_id, config->id) < 0 || str_replace(&use->image_id, config->image_id) < 0)
                return -ENOMEM;
        use->layers = strv_copy(config->layers);
        return config->layers && !use->layers ? -ENOMEM : 0;
}

int image_uses(const Store *store, ImageUse **ret, size_t *ret_n, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        ImageUse *uses = NULL;
        size_t n = 0;
        int r = container_list(store, &ids, reterr);

        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_container_ Container container = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = container_load(store, *id, &container, &error);
                if (r == -ENOENT)
                        r = 0; /* removed meanwhile */
                else if (r < 0)
                        (void) error_move(reterr, &error);
                else if (add(&container.config, &uses, &n) < 0)
                        r = error_oom(reterr);
        }
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
