/* SPDX-License-Identifier: Apache-2.0 */
/* Removing the image of a container that has removed itself. */
#include "cli/run-rmi.h"

#include "base/log.h"
#include "base/str.h"
#include "cli/image-use.h"

void run_remove_image(const Store *store, const ContainerConfig *config) {
        _cleanup_image_removal_ ImageRemoval removal = {};
        _cleanup_error_ Error error = ERROR_NULL;

        if (!config->remove_image)
                return;
        int r = image_store_remove(store, config->image_name ?: config->image, image_uses, 0, &removal, &error);
        if (r < 0 && r != -ENOENT && error.kind != ERROR_IN_USE)
                log_warning("%s", error.message ?: "cannot remove the image: out of memory");
}
