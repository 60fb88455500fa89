/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers use which volumes. */
#pragma once

#include "state/container.h"
#include "storage/volume.h"

/* The IDs of the containers whose records name the volume, 12 digits each (NULL: none); of all volumes where `volume`
 * is NULL, as "VOLUME=ID" pairs. Containers that are being removed meanwhile are passed over. Owned. */
int volume_users(const Store *store, const char *volume, char ***ret, Error *reterr);

/* -EBUSY (ERROR_IN_USE) where a container uses the volume: for volume_remove_unused(). */
int volume_refuse_used(const Store *store, const char *name, Error *reterr);

/* How many running containers have it mounted, of a volume that is more than a directory; else 0. */
size_t volume_mount_count(const Store *store, const Volume *volume);

/* How many of such pairs name the volume. */
size_t volume_users_count(char *const *pairs, const char *volume) _pure_;

/* Whether such pairs name the volume. */
bool volume_is_used(char *const *pairs, const char *volume) _pure_;
