/* SPDX-License-Identifier: Apache-2.0 */
/* --userns=auto: a range of IDs for each container that no other container has. */
#include "engine/userns-auto.h"

#include "base/parse.h"
#include "base/str.h"
#include "ns/idmap.h"

enum { AUTO_SIZE_DEFAULT = 1024 };

typedef struct Range {
        uint32_t start, size;
} Range;

static int parse_size(const char *mode, uint32_t *ret, Error *reterr) {
        const char *options = strchr(mode, ':');
        _cleanup_strv_ char **words = options ? strv_split(options + 1, ",") : NULL;

        *ret = AUTO_SIZE_DEFAULT;
        if (options && !words)
                return error_oom(reterr);
        for (char **w = words; w && *w; w++) {
                const char *value = str_after(*w, "size=");

                if (!value)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use --userns=auto:%s: only size= is there yet", *w);
                if (parse_u32(value, ret) < 0 || *ret == 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --userns=auto:%s: not a number of IDs", *w);
        }
        return 0;
}

/* What the other containers have, in the user's view. A record that cannot be read might have any: then nothing is chosen. */
static int taken_ranges(const Store *store, Range **ret, size_t *ret_n, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        _cleanup_free_ Range *ranges = NULL;
        size_t n = 0;
        int r = container_list(store, &ids, reterr);

        for (char **id = ids; id && *id && r >= 0; id++) {
                _cleanup_container_ Container other = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = container_load(store, *id, &other, &error);
                if (r == -ENOENT) {
                        r = 0;
                        continue;
                }
                if (r < 0)
                        return error_move(reterr, &error);
                if (!other.config.userns || !str_after(other.config.userns, "auto"))
                        continue;
                for (size_t i = 0; i < other.config.n_uid_map; i++) {
                        Range *range = container_array_add((void **) &ranges, &n, sizeof(*range));

                        if (!range)
                                return error_oom(reterr);
                        *range = (Range){ other.config.uid_map[i].host_id, other.config.uid_map[i].size };
                }
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(ranges);
        *ret_n = n;
        return 0;
}

/* The lowest start from 1 on at which `size` IDs are free: after the end of some range, or at 1. */
static bool find_free(const Range *ranges, size_t n, uint32_t size, uint64_t total, uint32_t *ret) {
        uint64_t best = UINT64_MAX;

        for (size_t i = 0; i <= n; i++) {
                uint64_t start = i < n ? (uint64_t) ranges[i].start + ranges[i].size : 1;
                bool free_here = start + size <= total;

                for (size_t k = 0; k < n && free_here; k++)
                        free_here = start + size <= ranges[k].start || (uint64_t) ranges[k].start + ranges[k].size <= start;
                if (free_here && start < best)
                        best = start;
        }
        *ret = (uint32_t) best;
        return best != UINT64_MAX;
}

static int set_map(ContainerIdMapping **map, size_t *n, uint32_t start, uint32_t size) {
        ContainerIdMapping *mapping = container_array_add((void **) map, n, sizeof(*mapping));

        if (!mapping)
                return -ENOMEM;
        *mapping = (ContainerIdMapping){ .container_id = 0, .host_id = start, .size = size };
        return 0;
}

int userns_auto_choose(const Store *store, ContainerConfig *config, int *ret_lock_fd, Error *reterr) {
        _cleanup_user_map_ UserMap base = {};
        _cleanup_free_ Range *ranges = NULL;
        uint32_t size, start;
        size_t n;

        if (!config->userns || !str_after(config->userns, "auto"))
                return 0;
        int r = parse_size(config->userns, &size, reterr);
        if (r >= 0)
                r = user_map_default(&base, reterr);
        if (r < 0)
                return r;
        if (base.host)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use --userns=auto as root: not there yet");
        *ret_lock_fd = store_lock(store->runtime_fd, "userns-auto.lock", /* exclusive= */ true, reterr);
        if (*ret_lock_fd < 0)
                return *ret_lock_fd;
        r = taken_ranges(store, &ranges, &n, reterr);
        if (r < 0)
                return r;
        if (!find_free(ranges, n, size, MIN(idmap_size(&base.uid), idmap_size(&base.gid)), &start)) {
                (void) error_set(reterr, -ENOSPC, ERROR_INVALID, "cannot use --userns=%s: no %u IDs are free, %llu are yours in all",
                                 config->userns, size, (unsigned long long) idmap_size(&base.uid));
                return error_hint(reterr, "remove containers with --userns=auto, or ask root for more with 'usermod --add-subuids'");
        }
        r = set_map(&config->uid_map, &config->n_uid_map, start, size);
        if (r >= 0)
                r = set_map(&config->gid_map, &config->n_gid_map, start, size);
        return r < 0 ? error_oom(reterr) : 0;
}
