/* SPDX-License-Identifier: Apache-2.0 */
/* IDs that are chosen when a container is made: --userns=auto, which no other container with it has, and --subuidname. */
#pragma once

#include "state/container.h"

/* Chooses free ones of the user's IDs (never the user's own) and writes them into config->uid_map and gid_map, as though they
 * had been given by --uidmap. "auto:size=N" says how many; the default is 1024. "uidmapping=CONTAINER:HOST:SIZE" and
 * "gidmapping=" are taken as they are, and the rest is chosen around them. To be called before the record is made, under
 * the lock that *ret_lock_fd then holds: until the record is there nobody else chooses. Other modes are left alone. */
int userns_auto_choose(const Store *store, ContainerConfig *config, int *ret_lock_fd, Error *reterr);

/* --subuidname, --subgidname: both names or none (NULL). Writes into config->uid_map and gid_map that the container has the
 * caller's subordinate IDs, from 0 on. Another user's name is refused: newuidmap(1) would do so. */
int userns_from_names(ContainerConfig *config, const char *uid_name, const char *gid_name, Error *reterr);
