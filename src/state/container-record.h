/* SPDX-License-Identifier: Apache-2.0 */
/* How a container's files are found and read: what state/container.c and state/container-list.c have in common, for no others. */
#pragma once

#include "state/container.h"

enum { CONTAINER_PATH_SIZE = sizeof("containers/") + CONTAINER_ID_LENGTH + sizeof("/container.json") };

/* The path of a file of a container's: `parent` is "containers/", or "" below that; `name` is no longer than "container.json". */
void container_file_path(const char *parent, const char *id, const char *name, char ret[static CONTAINER_PATH_SIZE]);

/* Tells that there is no such container; returns -ENOENT. */
int container_no_such(const char *id, Error *reterr);

/* Reads these fields of a record, of which version, id and name must be some, and refuses one that is another's, damaged or newer.
 * What was read before an error is the caller's to free. */
int container_load_record(int dir_fd, const char *path, const char *id, const JsonField *fields, ContainerConfig *config, Error *reterr);

/* State and process anew, and the status that follows from them. A `process` of NULL: there is none. */
int container_load_run(const Store *store, int state_fd, const char *state, int process_fd, const char *process, Container *c,
                       Error *reterr);

/* There is a mark for each process.json, made before it and removed after it: so that who wants to know what may run need not
 * ask for a thousand files that are not there. A mark that stays without one costs a look. */
int container_running_mark(const Store *store, const char *id, Error *reterr);
void container_running_unmark(const Store *store, const char *id);
