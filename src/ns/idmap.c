/* SPDX-License-Identifier: Apache-2.0 */
/* ID maps: the user's default one, and those that --userns and --uidmap make of it. */
#include "ns/idmap.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "ns/subid.h"

void user_map_done(UserMap *map) {
        free(map->uid.ranges);
        free(map->gid.ranges);
        *map = (UserMap){};
}

static int add(IdMap *map, uint64_t container_id, uint64_t host_id, uint64_t size) {
        if (size == 0)
                return 0;
        if (container_id + size > UINT32_MAX || host_id + size > UINT32_MAX)
                return -ERANGE;
        ContainerIdMapping *range = container_array_add((void **) &map->ranges, &map->n, sizeof(*range));
        if (!range)
                return -ENOMEM;
        *range = (ContainerIdMapping){ (uint32_t) container_id, (uint32_t) host_id, (uint32_t) size };
        return 0;
}

bool idmap_to_host(const IdMap *map, uint32_t id, uint32_t *ret) {
        for (size_t i = 0; i < map->n; i++)
                if (id >= map->ranges[i].container_id && id - map->ranges[i].container_id < map->ranges[i].size) {
                        *ret = map->ranges[i].host_id + (id - map->ranges[i].container_id);
                        return true;
                }
        return false;
}

bool idmap_from_host(const IdMap *map, uint32_t id, uint32_t *ret) {
        for (size_t i = 0; i < map->n; i++)
                if (id >= map->ranges[i].host_id && id - map->ranges[i].host_id < map->ranges[i].size) {
                        *ret = map->ranges[i].container_id + (id - map->ranges[i].host_id);
                        return true;
                }
        return false;
}

uint64_t idmap_size(const IdMap *map) {
        uint64_t size = 0;

        for (size_t i = 0; i < map->n; i++)
                size += map->ranges[i].size;
        return size;
}

static int view_half(const IdMap *map, const IdMap *base, IdMap *ret) {
        for (size_t i = 0; i < map->n; i++) {
                const ContainerIdMapping *range = &map->ranges[i];
                uint32_t first, last;
                bool whole = idmap_from_host(base, range->host_id, &first) &&
                             idmap_from_host(base, range->host_id + range->size - 1, &last) && last - first == range->size - 1;
                int r = whole ? add(ret, range->container_id, first, range->size) : -ERANGE;

                if (r < 0)
                        return r;
        }
        return 0;
}

int user_map_to_view(const UserMap *map, const UserMap *base, UserMap *ret, Error *reterr) {
        _cleanup_user_map_ UserMap view = { .single = map->single, .own = map->own };
        int r = view_half(&map->uid, &base->uid, &view.uid);

        if (r >= 0)
                r = view_half(&map->gid, &base->gid, &view.gid);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot translate the ID map");
        *ret = view;
        view = (UserMap){};
        return 0;
}

static int default_half(const char *file, const char *name, uint32_t own_id, IdMap *map, Error *reterr) {
        _cleanup_free_ SubidRange *ranges = NULL;
        uint64_t next = 1;
        size_t n;

        int r = subid_ranges(file, getuid(), name, &ranges, &n, reterr);
        if (r < 0)
                return r;
        r = add(map, 0, own_id, 1);
        for (size_t i = 0; i < n && r >= 0; i++) {
                r = add(map, next, ranges[i].start, ranges[i].size);
                next += ranges[i].size;
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot use the ranges of '%s'", file) : 0;
}

int user_map_own(UserMap *ret, Error *reterr) {
        _cleanup_free_ char *name = subid_user_name(getuid());
        _cleanup_user_map_ UserMap map = {};

        int r = default_half("/etc/subuid", name, getuid(), &map.uid, reterr);
        if (r >= 0)
                r = default_half("/etc/subgid", name, getgid(), &map.gid, reterr);
        if (r < 0)
                return r == -ENOMEM ? error_oom(reterr) : r;
        /* both or none: half a map breaks every image in its own way */
        if (map.uid.n == 1 || map.gid.n == 1) {
                map.single = true;
                map.uid.n = map.gid.n = 1;
        }
        *ret = map;
        map = (UserMap){};
        return 0;
}

int user_map_default(UserMap *ret, Error *reterr) {
        _cleanup_user_map_ UserMap map = { .host = true };

        if (geteuid() != 0)
                return user_map_own(ret, reterr);
        if (add(&map.uid, 0, 0, UINT32_MAX - 1) < 0 || add(&map.gid, 0, 0, UINT32_MAX - 1) < 0)
                return error_oom(reterr);
        *ret = map;
        map = (UserMap){};
        return 0;
}

void user_map_warn_single(const UserMap *map, int runtime_fd) {
        _cleanup_free_ char *user = NULL;

        if (!map->single)
                return;
        _cleanup_fd_ int mark = openat(runtime_fd, "warned-subid", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (mark < 0)
                return;
        user = subid_user_name(getuid());
        log_warning("no range in /etc/subuid and /etc/subgid for '%s', using a single ID: only root exists in containers",
                    user ?: "you");
        log_hint("'sdpod doctor' gives the command by which root adds a range that is free");
}

/* Maps a run of the user's view to the host's; it may fall into several ranges there. */
static int add_composed(IdMap *map, const IdMap *base, uint64_t container_id, uint64_t id, uint64_t size, Error *reterr) {
        while (size > 0) {
                bool found = false;

                for (size_t i = 0; i < base->n && !found; i++) {
                        const ContainerIdMapping *b = &base->ranges[i];
                        if (id < b->container_id || id - b->container_id >= b->size)
                                continue;
                        uint64_t offset = id - b->container_id, part = MIN(size, b->size - offset);
                        int r = add(map, container_id, b->host_id + offset, part);
                        if (r < 0)
                                return error_set_errno(reterr, r, "cannot build the ID map");
                        container_id += part;
                        id += part;
                        size -= part;
                        found = true;
                }
                if (!found)
                        return error_set(reterr, -ERANGE, ERROR_INVALID,
                                         "cannot map ID %llu of the container: the user has only %llu IDs (0 to %llu)",
                                         (unsigned long long) container_id, (unsigned long long) idmap_size(base),
                                         (unsigned long long) idmap_size(base) - 1);
        }
        return 0;
}

static int compose_explicit(const ContainerIdMapping *ranges, size_t n, const IdMap *base, IdMap *ret, Error *reterr) {
        for (size_t i = 0; i < n; i++) {
                int r = add_composed(ret, base, ranges[i].container_id, ranges[i].host_id, ranges[i].size, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The user's own ID at `id`, everything else around it in order (podman-run(1), keep-id). */
static int compose_keep_id(uint32_t id, uint32_t size, const IdMap *base, IdMap *ret, Error *reterr) {
        uint64_t total = MIN(idmap_size(base), (uint64_t) size + 1), below = MIN((uint64_t) id, total - 1);

        int r = add_composed(ret, base, 0, 1, below, reterr);
        if (r >= 0)
                r = add_composed(ret, base, id, 0, 1, reterr);
        if (r >= 0)
                r = add_composed(ret, base, (uint64_t) id + 1, below + 1, total - 1 - below, reterr);
        return r;
}

static int parse_keep_id(const char *options, uint32_t *uid, uint32_t *gid, uint32_t *size, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(options, ",");

        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w; w++) {
                const char *value;

                if ((value = str_after(*w, "uid=")) && parse_id(value, uid) >= 0)
                        continue;
                if ((value = str_after(*w, "gid=")) && parse_id(value, gid) >= 0)
                        continue;
                if ((value = str_after(*w, "size=")) && parse_u32(value, size) >= 0)
                        continue;
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --userns=keep-id: unknown option '%s'", *w);
        }
        return 0;
}

static int compose_maps(const ContainerConfig *config, const UserMap *base, UserMap *map, Error *reterr) {
        /* one given alone stands for both, as Podman has it */
        const ContainerIdMapping *uid = config->n_uid_map ? config->uid_map : config->gid_map;
        const ContainerIdMapping *gid = config->n_gid_map ? config->gid_map : config->uid_map;
        int r = compose_explicit(uid, config->n_uid_map ?: config->n_gid_map, &base->uid, &map->uid, reterr);

        return r < 0 ? r : compose_explicit(gid, config->n_gid_map ?: config->n_uid_map, &base->gid, &map->gid, reterr);
}

static int copy_half(const IdMap *from, IdMap *to, Error *reterr) {
        for (size_t i = 0; i < from->n; i++)
                if (add(to, from->ranges[i].container_id, from->ranges[i].host_id, from->ranges[i].size) < 0)
                        return error_oom(reterr);
        return 0;
}

static int mode_host(_unused_ const char *options, const UserMap *base, UserMap *map, Error *reterr) {
        map->own = false;
        map->host = base->host;
        int r = copy_half(&base->uid, &map->uid, reterr);
        return r < 0 ? r : copy_half(&base->gid, &map->gid, reterr);
}

static int mode_keep_id(const char *options, const UserMap *base, UserMap *map, Error *reterr) {
        uint32_t uid = getuid(), gid = getgid(), size = UINT32_MAX; /* of subordinate IDs */

        if (base->host)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use --userns=keep-id as root: there is no other user to keep");
        int r = options ? parse_keep_id(options, &uid, &gid, &size, reterr) : 0;
        if (r >= 0)
                r = compose_keep_id(uid, size, &base->uid, &map->uid, reterr);
        return r < 0 ? r : compose_keep_id(gid, size, &base->gid, &map->gid, reterr);
}

static int mode_nomap(_unused_ const char *options, const UserMap *base, UserMap *map, Error *reterr) {
        if (base->host || base->single)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use --userns=nomap: it needs an ordinary user with subordinate IDs");
        int r = add_composed(&map->uid, &base->uid, 0, 1, idmap_size(&base->uid) - 1, reterr);
        return r < 0 ? r : add_composed(&map->gid, &base->gid, 0, 1, idmap_size(&base->gid) - 1, reterr);
}

/* Its range stands in the record as an explicit map. */
static int mode_auto(_unused_ const char *options, _unused_ const UserMap *base, _unused_ UserMap *map, Error *reterr) {
        return error_set(reterr, -EINVAL, ERROR_INTERNAL, "cannot use --userns=auto: no range was chosen when it was created");
}

static const struct {
        const char *name;
        bool takes_options; /* NAME:OPTIONS */
        int (*make)(const char *options, const UserMap *base, UserMap *map, Error *reterr);
} modes[] = {
        { "host", false, mode_host },
        { "keep-id", true, mode_keep_id },
        { "nomap", false, mode_nomap },
        { "auto", true, mode_auto },
        { "container", true, mode_host }, /* where that has another map, it stands in the record */
        { "ns", true, mode_host },        /* only one with this map can be joined */
};

static int make_mode(const char *mode, const UserMap *base, UserMap *map, Error *reterr) {
        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                const char *rest = str_after(mode, modes[i].name);

                if (rest && (!*rest || (*rest == ':' && modes[i].takes_options)))
                        return modes[i].make(*rest ? rest + 1 : NULL, base, map, reterr);
        }
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use --userns=%s: not there yet", mode);
}

int user_map_for_container(const ContainerConfig *config, const UserMap *base, UserMap *ret, Error *reterr) {
        _cleanup_user_map_ UserMap map = { .single = base->single, .own = true };
        int r = config->n_uid_map > 0 || config->n_gid_map > 0
                        ? compose_maps(config, base, &map, reterr)
                        : make_mode(str_empty(config->userns) ? "host" : config->userns, base, &map, reterr);

        if (r < 0)
                return r;
        *ret = map;
        map = (UserMap){};
        return 0;
}
