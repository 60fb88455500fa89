/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine adds to a spec. */
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "ns/idmap.h"
#include "oci/process.h"

static int copy_ranges(const IdMap *map, ContainerIdMapping **ret, size_t *ret_n) {
        ContainerIdMapping *copy = calloc(map->n, sizeof(*copy));

        if (!copy)
                return -ENOMEM;
        memcpy(copy, map->ranges, map->n * sizeof(*copy));
        *ret = copy;
        *ret_n = map->n;
        return 0;
}

static int add_namespace(RuntimeSpec *spec, const char *type) {
        RuntimeNamespace *more = reallocarray(spec->namespaces, spec->n_namespaces + 1, sizeof(*more));
        char *name = strdup(type);

        if (!more || !name) {
                free(name);
                spec->namespaces = more ?: spec->namespaces;
                return -ENOMEM;
        }
        more[spec->n_namespaces++] = (RuntimeNamespace){ .type = name };
        spec->namespaces = more;
        return 0;
}

int oci_spec_complete(RuntimeSpec *spec, Error *reterr) {
        const RuntimeNamespace *user = runtime_spec_namespace(spec, "user");
        _cleanup_user_map_ UserMap map = {};

        if (user ? user->path || spec->n_uid_mappings > 0 || spec->n_gid_mappings > 0 : geteuid() == 0)
                return 0;
        int r = user_map_own(&map, reterr);
        if (r < 0)
                return r;
        if (!user && add_namespace(spec, "user") < 0)
                return error_oom(reterr);
        if (spec->n_uid_mappings > 0 || spec->n_gid_mappings > 0)
                return 0;
        if (copy_ranges(&map.uid, &spec->uid_mappings, &spec->n_uid_mappings) < 0 ||
            copy_ranges(&map.gid, &spec->gid_mappings, &spec->n_gid_mappings) < 0)
                return error_oom(reterr);
        return 0;
}
