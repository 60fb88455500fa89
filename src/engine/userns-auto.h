/* SPDX-License-Identifier: Apache-2.0 */
/* --userns=auto: a range of IDs for each container that no other container has. */
#pragma once

#include "state/container.h"

/* Chooses a free range of the user's IDs (never the user's own) and writes it into config->uid_map and gid_map, as though it
 * had been given by --uidmap. "auto:size=N" says how many; the default is 1024. To be called before the record is made, under
 * the lock that *ret_lock_fd then holds: until the record is there nobody else chooses. Other modes are left alone. */
int userns_auto_choose(const Store *store, ContainerConfig *config, int *ret_lock_fd, Error *reterr);
