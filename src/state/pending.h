/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that somebody is just making, removing, or holding in the foreground with --rm: one small file each,
 * pending/ID in the data directory, locked by that command. A file that nobody locks is what a killed command left; the next
 * command that makes a container finds and clears it, without a look at all the containers there are. */
#pragma once

#include "state/store.h"

/* Makes the mark and locks it; the returned descriptor holds it. */
int pending_take(const Store *store, const char *id, Error *reterr);

/* The same without waiting: -EAGAIN where another command holds it. */
int pending_take_now(const Store *store, const char *id);

/* For a container that is there: the mark has its lock before it has its name, so that nobody takes it for a leftover. Never waits, as
 * the caller has the container locked, and who clears leftovers away waits for that: -EAGAIN where another command holds the mark. */
int pending_take_born_locked(const Store *store, const char *id, Error *reterr);

/* Removes the mark and lets go. */
void pending_drop(const Store *store, const char *id, int *fd);

/* The lock of a mark that nobody holds; -EAGAIN: somebody does; -ENOENT: there is none. */
int pending_try(const Store *store, const char *id);

/* The IDs of all marks; a vector (NULL: none). */
int pending_list(const Store *store, char ***ret, Error *reterr);
