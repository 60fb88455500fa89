/* SPDX-License-Identifier: Apache-2.0 */
/* ID maps (user_namespaces(7)). Two views meet here: the *user's view*, in which 0 is the user and 1, 2, ... are the
 * subordinate IDs in order, and which --uidmap and the layers on disk are written in; and the *host's*, which the kernel
 * takes. */
#pragma once

#include "spec/container.h"

typedef struct IdMap {
        ContainerIdMapping *ranges; /* host_id is the host's; owned */
        size_t n;
} IdMap;

typedef struct UserMap {
        IdMap uid, gid;
        bool single;     /* no subordinate IDs: one ID only, and setgroups(2) is denied */
        bool own;        /* not the user's default map: files of layers need translation */
        bool host;       /* root: no user namespace at all */
} UserMap;

void user_map_done(UserMap *map);
#define _cleanup_user_map_ _cleanup_(user_map_done)

/* The map that everything of this user is stored under: 0 is the user, 1.. the subordinate IDs; for root, the host's own
 * IDs (`host`). Without subordinate IDs `single` is set, see user_map_warn_single(). */
int user_map_default(UserMap *ret, Error *reterr);

/* The map of a user namespace of the caller's: 0 is the caller, 1.. the subordinate IDs; for root as well, who is 0 inside and outside. */
int user_map_own(UserMap *ret, Error *reterr);

/* The map of a container: by config->userns and config->uid_map/gid_map over the default one. */
int user_map_for_container(const ContainerConfig *config, const UserMap *base, UserMap *ret, Error *reterr);

/* The same map for the eyes of a process in a namespace with the map `base`: its host_ids are then base's container IDs. For a
 * user namespace that is made inside another one (user_namespaces(7)). -ERANGE where a range is not in one piece there. */
int user_map_to_view(const UserMap *map, const UserMap *base, UserMap *ret, Error *reterr);

/* The host's ID for an ID in the container: false if it is not mapped. And back. */
bool idmap_to_host(const IdMap *map, uint32_t container_id, uint32_t *ret);
bool idmap_from_host(const IdMap *map, uint32_t host_id, uint32_t *ret);

/* The number of IDs mapped. */
uint64_t idmap_size(const IdMap *map) _pure_;

/* The warning, once a boot, that a user without subordinate IDs gets; `runtime_fd` holds the mark. */
void user_map_warn_single(const UserMap *map, int runtime_fd);
