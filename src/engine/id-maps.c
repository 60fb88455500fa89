/* SPDX-License-Identifier: Apache-2.0 */
/* ID maps that are made of the user's own. */
#include "engine/id-maps.h"

#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "ns/idmap.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

int id_map_wish_parse(const char *text, bool is_gid, bool both, IdMapWish *ret, Error *reterr) {
        IdMapWish wish = { .mapping.size = 1, .for_uid = both || !is_gid, .for_gid = both || is_gid };
        size_t n_flags = strspn(text, "+ug");
        bool u = memchr(text, 'u', n_flags), g = memchr(text, 'g', n_flags);
        _cleanup_strv_ char **parts = strv_split(text + n_flags, ":");
        ContainerIdMapping *m = &wish.mapping;
        size_t n = strv_length(parts);

        if (!parts)
                return error_oom(reterr);
        if (n < 2 || n > 3)
                return INVALID("it is [+][u][g]CONTAINER-ID:[@]HOST-ID[:SIZE]");
        if (u || g) {
                wish.for_uid = u;
                wish.for_gid = g;
        }
        wish.extends = memchr(text, '+', n_flags);
        wish.of_host = *parts[1] == '@';
        if (parse_id(parts[0], &m->container_id) < 0)
                return INVALID("'%s' is not an ID", parts[0]);
        if (parse_id(parts[1] + wish.of_host, &m->host_id) < 0)
                return INVALID("'%s' is not an ID", parts[1] + wish.of_host);
        if (n == 3 && (parse_u32(parts[2], &m->size) < 0 || m->size == 0))
                return INVALID("'%s' is not a number of IDs", parts[2]);
        if ((uint64_t) m->container_id + m->size > UINT32_MAX || (uint64_t) m->host_id + m->size > UINT32_MAX)
                return INVALID("the range goes beyond the last ID");
        *ret = wish;
        return 0;
}

typedef struct Half {
        ContainerIdMapping **items;
        size_t *n;
        const IdMap *base;
} Half;

static int add(const Half *half, uint64_t container_id, uint64_t host_id, uint64_t size) {
        ContainerIdMapping *added = size > 0 ? container_array_add((void **) half->items, half->n, sizeof(*added)) : NULL;

        if (size > 0 && !added)
                return -ENOMEM;
        if (added)
                *added = (ContainerIdMapping){ (uint32_t) container_id, (uint32_t) host_id, (uint32_t) size };
        return 0;
}

/* Leaves of each range only what lies outside [first, first + size) on one side. */
static int cut(const Half *half, bool host_side, uint64_t first, uint64_t size) {
        ContainerIdMapping *before = *half->items;
        size_t n = *half->n;
        int r = 0;

        *half->items = NULL;
        *half->n = 0;
        for (size_t i = 0; i < n && r >= 0; i++) {
                uint64_t start = host_side ? before[i].host_id : before[i].container_id, end = start + before[i].size;
                uint64_t left = first > start ? MIN(first, end) - start : 0, behind = MAX(first + size, start);

                r = add(half, before[i].container_id, before[i].host_id, left);
                if (r >= 0 && behind < end)
                        r = add(half, before[i].container_id + (behind - start), before[i].host_id + (behind - start), end - behind);
        }
        free(before);
        return r;
}

static int put(const Half *half, const IdMapWish *wish, Error *reterr) {
        ContainerIdMapping m = wish->mapping;
        uint32_t first = 0, last = 0;

        if (wish->of_host && (!idmap_from_host(half->base, m.host_id, &first) || !idmap_from_host(half->base, m.host_id + m.size - 1, &last) ||
                              last - first != m.size - 1))
                return INVALID("the host's ID %u is not yours to map", m.host_id);
        if (wish->of_host)
                m.host_id = first;
        int r = cut(half, /* host_side= */ false, m.container_id, m.size);
        if (r >= 0)
                r = cut(half, /* host_side= */ true, m.host_id, m.size);
        if (r >= 0)
                r = add(half, m.container_id, m.host_id, m.size);
        return r < 0 ? error_oom(reterr) : 0;
}

static int apply_one(const Half halves[2], const IdMapWish *wish, Error *reterr) {
        const bool wanted[2] = { wish->for_uid, wish->for_gid };
        int r = 0;

        for (size_t i = 0; i < 2 && r >= 0; i++) {
                if (wanted[i] && wish->extends && *halves[i].n == 0)
                        r = add(&halves[i], 0, 0, idmap_size(halves[i].base)) < 0 ? error_oom(reterr) : 0;
                if (wanted[i] && r >= 0)
                        r = put(&halves[i], wish, reterr);
        }
        return r;
}

int id_maps_apply(ContainerConfig *config, char *const *uidmap, char *const *gidmap, Error *reterr) {
        const bool given[2] = { uidmap || config->n_uid_map > 0, gidmap || config->n_gid_map > 0 };
        char *const *const lists[2] = { uidmap, gidmap };
        static const char *const options[2] = { "--uidmap", "--gidmap" };
        _cleanup_user_map_ UserMap base = {};

        if (!uidmap && !gidmap)
                return 0;
        int r = user_map_default(&base, reterr);
        const Half halves[2] = {
                { &config->uid_map, &config->n_uid_map, &base.uid }, { &config->gid_map, &config->n_gid_map, &base.gid },
        };
        for (size_t i = 0; i < 2; i++)
                for (char *const *word = lists[i]; word && *word && r >= 0; word++) {
                        IdMapWish wish;

                        r = id_map_wish_parse(*word, /* is_gid= */ i == 1, /* both= */ !(given[0] && given[1]), &wish, reterr);
                        if (r >= 0)
                                r = apply_one(halves, &wish, reterr);
                        if (r < 0)
                                return error_prefix(reterr, r, "cannot use '%s %s'", options[i], *word);
                }
        /* one that nothing was said of is as it is without options: an empty one would stand for the other */
        for (size_t i = 0; i < 2 && r >= 0; i++)
                if (*halves[i].n == 0)
                        r = add(&halves[i], 0, 0, idmap_size(halves[i].base)) < 0 ? error_oom(reterr) : 0;
        return r;
}
