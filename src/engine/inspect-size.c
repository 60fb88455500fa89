/* SPDX-License-Identifier: Apache-2.0 */
/* How much a container wrote: its upper directory is walked in the user's namespace, as much of it belongs to mapped
 * IDs. */
#include "engine/inspect.h"
#include "storage/mapped.h"
#include "storage/rootfs.h"

int inspect_container_size(const Store *store, const Container *c, uint64_t *ret_rw, uint64_t *ret_rootfs, Error *reterr) {
        ImageInfo layers = { .id = c->config.image_id, .layers = c->config.layers }; /* borrowed */
        uint64_t written;

        bool vfs = rootfs_is_vfs(c);
        int r = mapped_measure_tree(c->dir_fd, vfs ? "vfs" : "upper", &written, reterr);
        if (r >= 0 && c->config.layers && (vfs || ret_rootfs))
                r = image_store_measure(store, &layers, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot measure '%s'", c->config.name);
        if (vfs) /* the image's files are in the same tree: what it grew by */
                written -= MIN(written, layers.size);
        *ret_rw = written;
        if (ret_rootfs)
                *ret_rootfs = written + layers.size;
        return 0;
}
