/* SPDX-License-Identifier: Apache-2.0 */
/* IDs that are chosen when a container is made: --userns=auto, which no other container with it has, and --subuidname. */
#include "engine/userns-auto.h"

#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "ns/idmap.h"
#include "ns/subid.h"

enum { AUTO_SIZE_DEFAULT = 1024 };

typedef struct Mappings {
        ContainerIdMapping *items;
        size_t n;
} Mappings;

static void mappings_done(Mappings *mappings) {
        free(mappings->items);
}
#define _cleanup_mappings_ _cleanup_(mappings_done)

static int add(Mappings *mappings, uint32_t container_id, uint32_t host_id, uint32_t size) {
        ContainerIdMapping *mapping = container_array_add((void **) &mappings->items, &mappings->n, sizeof(*mapping));

        if (!mapping)
                return -ENOMEM;
        *mapping = (ContainerIdMapping){ .container_id = container_id, .host_id = host_id, .size = size };
        return 0;
}

/* What the options ask for. */
typedef struct Wish {
        uint32_t size;
        Mappings uid, gid;    /* what must be there; the rest is chosen around it */
} Wish;

static void wish_done(Wish *wish) {
        mappings_done(&wish->uid);
        mappings_done(&wish->gid);
}

/* The command line has been checked, a record may be anything. */
static int parse_mapping(const char *text, Mappings *mappings) {
        _cleanup_strv_ char **parts = strv_split(text, ":");
        uint32_t numbers[3] = { 0, 0, 1 };
        size_t n = strv_length(parts);

        if (!parts)
                return -ENOMEM;
        if (n < 2 || n > 3)
                return -EINVAL;
        for (size_t i = 0; i < n; i++)
                if (parse_id(parts[i], &numbers[i]) < 0)
                        return -EINVAL;
        return numbers[2] == 0 ? -EINVAL : add(mappings, numbers[0], numbers[1], numbers[2]);
}

/* A user by number needs that number (podman-run(1) looks into the image's passwd, too: a size can always be given). */
static uint32_t default_size(const ContainerConfig *config) {
        _cleanup_free_ char *user = config->user ? strndup(config->user, strcspn(config->user, ":")) : NULL;
        uint32_t id;

        return user && parse_id(user, &id) >= 0 && id >= AUTO_SIZE_DEFAULT ? id + 1 : AUTO_SIZE_DEFAULT;
}

static int parse_wish(const ContainerConfig *config, Wish *ret, Error *reterr) {
        const char *options = strchr(config->userns, ':');
        _cleanup_strv_ char **words = options ? strv_split(options + 1, ",") : NULL;
        _cleanup_(wish_done) Wish wish = { .size = default_size(config) };
        int r = 0;

        if (options && !words)
                return error_oom(reterr);
        for (char **w = words; w && *w && r >= 0; w++) {
                const char *value;

                if ((value = str_after(*w, "size=")))
                        r = parse_u32(value, &wish.size) < 0 || wish.size == 0 ? -EINVAL : 0;
                else if ((value = str_after(*w, "uidmapping=")))
                        r = parse_mapping(value, &wish.uid);
                else if ((value = str_after(*w, "gidmapping=")))
                        r = parse_mapping(value, &wish.gid);
                else
                        r = -EINVAL;
                if (r < 0)
                        return r == -ENOMEM ? error_oom(reterr) : error_set(reterr, r, ERROR_INVALID, "cannot use --userns=auto:%s", *w);
        }
        *ret = wish;
        wish = (Wish){};
        return 0;
}

static int append_all(Mappings *to, const ContainerIdMapping *from, size_t n, Error *reterr) {
        for (size_t i = 0; i < n; i++)
                if (add(to, from[i].container_id, from[i].host_id, from[i].size) < 0)
                        return error_oom(reterr);
        return 0;
}

/* What the other containers have, in the user's view. A record that cannot be read might have any: then nothing is chosen. */
static int taken_ranges(const Store *store, Mappings *uid, Mappings *gid, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
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
                r = append_all(uid, other.config.uid_map, other.config.n_uid_map, reterr);
                if (r >= 0)
                        r = append_all(gid, other.config.gid_map, other.config.n_gid_map, reterr);
        }
        return r;
}

/* Whether the ID lies in one of the ranges; *ret_end is where that range ends, or where the next one begins. */
static bool find(const Mappings *mappings, bool host_side, uint64_t id, uint64_t *ret_end) {
        uint64_t next = UINT64_MAX;

        for (size_t i = 0; i < mappings->n; i++) {
                const ContainerIdMapping *m = &mappings->items[i];
                uint64_t start = host_side ? m->host_id : m->container_id, end = start + m->size;

                if (id >= start && id < end) {
                        *ret_end = end;
                        return true;
                }
                if (start > id)
                        next = MIN(next, start);
        }
        *ret_end = next;
        return false;
}

/* The IDs 0 to size - 1 of the container that `fixed` does not map go to the lowest of the user's that are free, from 1 on and
 * in pieces where they must. -ENOSPC: there are too few. */
static int choose(const Mappings *fixed, const Mappings *taken, uint32_t size, uint64_t total, Mappings *ret) {
        uint64_t id = 0, host = 1;
        int r = 0;

        while (id < size && r >= 0) {
                uint64_t end, free_end, fixed_end;

                if (find(fixed, /* host_side= */ false, id, &end)) {
                        id = end;
                        continue;
                }
                if (host >= total)
                        return -ENOSPC;
                bool is_taken = find(taken, /* host_side= */ true, host, &free_end),
                     is_fixed = find(fixed, /* host_side= */ true, host, &fixed_end);
                if (is_taken || is_fixed) {
                        host = is_taken ? free_end : fixed_end;
                        continue;
                }
                uint64_t n = MIN(MIN(end, (uint64_t) size) - id, MIN(MIN(free_end, fixed_end), total) - host);
                r = add(ret, (uint32_t) id, (uint32_t) host, (uint32_t) n);
                id += n;
                host += n;
        }
        for (size_t i = 0; i < fixed->n && r >= 0; i++)
                r = add(ret, fixed->items[i].container_id, fixed->items[i].host_id, fixed->items[i].size);
        return r;
}

static int no_room(const ContainerConfig *config, uint32_t size, const UserMap *base, Error *reterr) {
        (void) error_set(reterr, -ENOSPC, ERROR_INVALID, "cannot use --userns=%s: no %u IDs are free, %llu are yours in all",
                         config->userns, size, (unsigned long long) idmap_size(&base->uid));
        return error_with_hint(reterr, -ENOSPC, "remove containers with --userns=auto, or ask root for more with 'usermod --add-subuids'");
}

int userns_auto_choose(const Store *store, ContainerConfig *config, int *ret_lock_fd, Error *reterr) {
        _cleanup_user_map_ UserMap base = {};
        _cleanup_mappings_ Mappings taken_uid = {}, taken_gid = {}, uid = {}, gid = {};
        _cleanup_(wish_done) Wish wish = {};

        if (!config->userns || !str_after(config->userns, "auto"))
                return 0;
        int r = parse_wish(config, &wish, reterr);
        if (r >= 0)
                r = user_map_default(&base, reterr);
        if (r < 0)
                return r;
        if (base.host)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use --userns=auto as root: not there yet");
        *ret_lock_fd = store_lock(store->runtime_fd, "userns-auto.lock", /* exclusive= */ true, reterr);
        if (*ret_lock_fd < 0)
                return *ret_lock_fd;
        r = taken_ranges(store, &taken_uid, &taken_gid, reterr);
        if (r < 0)
                return r;
        r = choose(&wish.uid, &taken_uid, wish.size, idmap_size(&base.uid), &uid);
        if (r >= 0)
                r = choose(&wish.gid, &taken_gid, wish.size, idmap_size(&base.gid), &gid);
        if (r < 0)
                return r == -ENOSPC ? no_room(config, wish.size, &base, reterr) : error_oom(reterr);
        config->uid_map = TAKE_PTR(uid.items);
        config->gid_map = TAKE_PTR(gid.items);
        config->n_uid_map = uid.n;
        config->n_gid_map = gid.n;
        return 0;
}

/* newuidmap(1) maps only what /etc/subuid gives to the caller. */
static int check_name(const char *option, const char *name, const char *own, Error *reterr) {
        uint32_t id;

        if (str_equal(name, own) || (parse_id(name, &id) >= 0 && id == getuid()))
                return 0;
        (void) error_set(reterr, -EPERM, ERROR_INVALID, "cannot use %s '%s': a user can map nobody's subordinate IDs but their own", option, name);
        return error_with_hint(reterr, -EPERM, "as %s: %s %s", own ?: "you", option, own ?: "YOUR-NAME");
}

int userns_from_names(ContainerConfig *config, const char *uid_name, const char *gid_name, Error *reterr) {
        _cleanup_user_map_ UserMap base = {};
        _cleanup_mappings_ Mappings uid = {}, gid = {};
        _cleanup_free_ char *own = NULL;

        if (!uid_name)
                return 0;
        int r = user_map_default(&base, reterr);
        if (r < 0)
                return r;
        if (base.host || base.single)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use --subuidname '%s': it needs an ordinary user with subordinate IDs", uid_name);
        own = subid_user_name(getuid());
        r = check_name("--subuidname", uid_name, own, reterr);
        if (r >= 0)
                r = check_name("--subgidname", gid_name, own, reterr);
        if (r < 0)
                return r;
        if (add(&uid, 0, 1, (uint32_t) idmap_size(&base.uid) - 1) < 0 || add(&gid, 0, 1, (uint32_t) idmap_size(&base.gid) - 1) < 0)
                return error_oom(reterr);
        config->uid_map = TAKE_PTR(uid.items);
        config->gid_map = TAKE_PTR(gid.items);
        config->n_uid_map = config->n_gid_map = 1;
        return 0;
}
