/* SPDX-License-Identifier: Apache-2.0 */
/* How much a container wrote: its upper directory is walked in the user's namespace, as much of it belongs to mapped
 * IDs. */
#include <fcntl.h>
#include <fts.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/inspect.h"
#include "ns/userns.h"

typedef struct Measure {
        int dir_fd;
        uint64_t *size; /* shared with the child that counts */
} Measure;

static int measure_upper(void *data, Error *reterr) {
        char upper[] = "upper", *const paths[] = { upper, NULL };
        Measure *m = data;
        struct stat st;
        FTS *walk;

        if (fstatat(m->dir_fd, upper, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                return 0;
        if (fchdir(m->dir_fd) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the container's directory");
        walk = fts_open(paths, FTS_PHYSICAL | FTS_XDEV, NULL);
        if (!walk)
                return error_set_errno(reterr, -errno, "cannot read the container's files");
        for (FTSENT *e; (e = fts_read(walk));)
                if (e->fts_info == FTS_F && S_ISREG(e->fts_statp->st_mode))
                        *m->size += (uint64_t) e->fts_statp->st_size;
                else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
                        int r = error_set_errno(reterr, -e->fts_errno, "cannot read the container's files");

                        fts_close(walk);
                        return r;
                }
        fts_close(walk);
        return 0;
}

int inspect_container_size(const Store *store, const Container *c, uint64_t *ret_rw, uint64_t *ret_rootfs, Error *reterr) {
        _cleanup_user_map_ UserMap map = {};
        ImageInfo layers = { .id = c->config.image_id, .layers = c->config.layers }; /* borrowed */
        Measure m = { .dir_fd = c->dir_fd };

        int r = user_map_default(&map, reterr);
        if (r < 0)
                return r;
        m.size = mmap(NULL, sizeof(*m.size), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (m.size == MAP_FAILED)
                return error_oom(reterr);
        r = userns_run(&map, /* flags= */ 0, measure_upper, &m, reterr);
        if (r >= 0 && c->config.layers)
                r = image_store_measure(store, &layers, reterr);
        if (r >= 0) {
                *ret_rw = *m.size;
                *ret_rootfs = *m.size + layers.size;
        } else
                (void) error_prefix(reterr, r, "cannot measure '%s'", c->config.name);
        (void) munmap(m.size, sizeof(*m.size));
        return r;
}
