/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and weights of block devices as files of the controllers blkio (v1) and io (v2). */
#include <stdio.h>

#include "base/str.h"
#include "cgroup/limits.h"
#include "cgroup/runtime-writer.h"

static bool exists(int fd, const char *file) {
        char text[CGROUP_TEXT_SIZE];

        return cgroup_read_text(fd, file, text, sizeof(text)) >= 0;
}

/* The scheduler BFQ has files of its own. v1 has no others since Linux 5.0. */
static const char *weight_file(int fd, bool v2, bool device) {
        if (v2)
                return exists(fd, "io.bfq.weight") ? "io.bfq.weight" : "io.weight";
        if (device)
                return exists(fd, "blkio.weight_device") ? "blkio.weight_device" : "blkio.bfq.weight_device";
        return exists(fd, "blkio.weight") ? "blkio.weight" : "blkio.bfq.weight";
}

static int write_weight(CgroupWriter *w, int fd, bool v2, const RuntimeBlockDevice *device, uint64_t weight, Error *reterr) {
        const char *file = weight_file(fd, v2, device);
        char text[64] = "";

        if (str_equal(file, "io.weight"))
                weight = limits_io_weight(weight);
        if (device)
                (void) snprintf(text, sizeof(text), "%lld:%lld %llu", (long long) device->major, (long long) device->minor, (unsigned long long) weight);
        else
                (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) weight);
        return cgroup_writer_add_text(w, fd, file, text, reterr);
}

static int write_leaf_weight(CgroupWriter *w, int fd, bool v2, const RuntimeBlockDevice *device, uint32_t weight, Error *reterr) {
        char text[64];

        if (v2)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot set blockIO.leafWeight: cgroup v2 does not have it");
        if (!device)
                return cgroup_writer_add(w, fd, "blkio.leaf_weight", weight, v2, reterr);
        (void) snprintf(text, sizeof(text), "%lld:%lld %u", (long long) device->major, (long long) device->minor, (unsigned) weight);
        return cgroup_writer_add_text(w, fd, "blkio.leaf_weight_device", text, reterr);
}

static int write_weights(CgroupWriter *w, int fd, bool v2, const RuntimeResources *r, Error *reterr) {
        int code = r->block_io.weight ? write_weight(w, fd, v2, NULL, r->block_io.weight, reterr) : 0;

        if (code >= 0 && r->block_io.leaf_weight)
                code = write_leaf_weight(w, fd, v2, NULL, r->block_io.leaf_weight, reterr);
        for (size_t i = 0; i < r->block_io.n_weight_devices && code >= 0; i++) {
                const RuntimeBlockDevice *device = r->block_io.weight_devices + i;

                if (device->weight)
                        code = write_weight(w, fd, v2, device, device->weight, reterr);
                if (code >= 0 && device->leaf_weight)
                        code = write_leaf_weight(w, fd, v2, device, device->leaf_weight, reterr);
        }
        return code;
}

int runtime_limits_write_io(CgroupWriter *w, const RuntimeResources *r, Error *reterr) {
        const struct {
                const char *file, *key; /* of v1, of v2's io.max */
                const RuntimeBlockDevice *devices;
                size_t n;
        } rows[] = {
                { "blkio.throttle.read_bps_device", "rbps", r->block_io.read_bps, r->block_io.n_read_bps },
                { "blkio.throttle.write_bps_device", "wbps", r->block_io.write_bps, r->block_io.n_write_bps },
                { "blkio.throttle.read_iops_device", "riops", r->block_io.read_iops, r->block_io.n_read_iops },
                { "blkio.throttle.write_iops_device", "wiops", r->block_io.write_iops, r->block_io.n_write_iops },
        };
        bool wanted = r->block_io.weight || r->block_io.leaf_weight || r->block_io.n_weight_devices, v2;
        int fd;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                wanted |= rows[i].n > 0;
        if (!wanted)
                return 0;
        int code = cgroup_writer_find(w, "blkio", "a limit on block devices", &fd, &v2, reterr);
        if (code >= 0)
                code = write_weights(w, fd, v2, r, reterr);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t k = 0; k < rows[i].n && code >= 0; k++) {
                        const RuntimeBlockDevice *device = rows[i].devices + k;
                        char rate[24] = "max", text[96];

                        if (device->rate != 0 || !v2) /* 0 is no limit */
                                (void) snprintf(rate, sizeof(rate), "%llu", (unsigned long long) device->rate);
                        (void) snprintf(text, sizeof(text), "%lld:%lld %s%s%s", (long long) device->major, (long long) device->minor,
                                        v2 ? rows[i].key : "", v2 ? "=" : "", rate);
                        code = cgroup_writer_add_text(w, fd, v2 ? "io.max" : rows[i].file, text, reterr);
                }
        return code < 0 ? code : cgroup_writer_flush(w, reterr);
}
