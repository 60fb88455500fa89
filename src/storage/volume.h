/* SPDX-License-Identifier: Apache-2.0 */
/* Named and anonymous volumes: volumes/NAME/ with volume.json and _data/. The name is taken by mkdir(2); a directory
 * without a record is a creation that was killed, and the next one completes it. */
#pragma once

#include "base/json.h"
#include "state/store.h"

enum { VOLUME_MADE_NAME_LENGTH = 64 }; /* hexadecimal digits, as Podman names volumes that were given no name */

typedef struct Volume {
        char *name;
        int64_t created_usec;
        char **labels, **options; /* pairs */
        bool anonymous;
        bool needs_copy_up;       /* nothing was put into it yet: the first container's image content is */
} Volume;

#define VOLUME_NULL ((Volume){})

extern const JsonField volume_fields[];

void volume_done(Volume *volume);
#define _cleanup_volume_ _cleanup_(volume_done)

/* Makes a volume from volume->name, labels, options and anonymous. -EEXIST: there is one of that name. */
int volume_create(const Store *store, Volume *volume, Error *reterr);

/* Reads one; -ENOENT with ERROR_NOT_FOUND. */
int volume_load(const Store *store, const char *name, Volume *ret, Error *reterr);

/* Makes it where it is not there, and reads it. */
int volume_ensure(const Store *store, const char *name, bool anonymous, Volume *ret, Error *reterr);

/* The first container's content is in it. */
int volume_mark_filled(const Store *store, Volume *volume, Error *reterr);

/* The absolute path of its data; owned. */
char *volume_data_path(const Store *store, const char *name);

/* All names; a vector (NULL: none). */
int volume_list(const Store *store, char ***ret, Error *reterr);

/* Removes record and data, whoever owns the files. Whether a container uses it is the caller's business. */
int volume_remove(const Store *store, const char *name, Error *reterr);

/* Goes on with the removals that were killed. Best effort; two that do it at once do each other no harm. */
void volume_collect(const Store *store);
