/* SPDX-License-Identifier: Apache-2.0 */
/* --uidmap and --gidmap with flags, as Podman 5 has them. */
#pragma once

#include "spec/container.h"

/* [+][u][g]CONTAINER:[@]HOST[:SIZE] of one option: `+` adds to the map that there is without options, instead of replacing it; `u`
 * and `g` are for users or groups alone; `@` says that HOST is an ID of the host, and not of the user's view (ns/idmap.h). */
typedef struct IdMapWish {
        ContainerIdMapping mapping;
        bool for_uid, for_gid, extends, of_host;
} IdMapWish;

/* Reads one. `is_gid`: by --gidmap. `both`: without a flag it is for users and groups. -EINVAL with a reason. */
int id_map_wish_parse(const char *text, bool is_gid, bool both, IdMapWish *ret, Error *reterr);

/* Puts the wishes into config->uid_map and gid_map, which have what was given without flags: what a later one maps is taken out of
 * what was there. `uidmap` and `gidmap` are the options' values. */
int id_maps_apply(ContainerConfig *config, char *const *uidmap, char *const *gidmap, Error *reterr);
