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
        char *driver;             /* NULL: "local"; "image" */
        char **labels, **options; /* pairs; podman-volume-create(1), --opt */
        char *image_id;           /* of the driver image: 64 hex digits */
        char **layers;            /* of it: diff IDs, lowest first */
        bool owned;               /* it was made with an owner, which stays: */
        uint32_t uid, gid;        /* in the user's own view (ns/idmap.h) */
        bool anonymous;
        bool needs_copy_up;       /* nothing was put into it yet: the first container's image content is */
        bool taken;               /* a container has had it: its owner and mode stay as they are */
} Volume;

/* What a container mounts. */
typedef enum VolumeKind {
        VOLUME_DIRECTORY, /* _data */
        VOLUME_TMPFS,     /* type=tmpfs: a file system that is there while containers that have it run */
        VOLUME_BIND,      /* o=bind: the directory `device` */
        VOLUME_IMAGE,     /* driver image: its layers, and changes above them in the volume */
} VolumeKind;

VolumeKind volume_kind(const Volume *volume) _pure_;

#define VOLUME_NULL ((Volume){})

void volume_done(Volume *volume);
#define _cleanup_volume_ _cleanup_(volume_done)

/* Makes a volume from all that the struct has but created_usec, needs_copy_up and taken. -EEXIST: there is one of that name. */
int volume_create(const Store *store, Volume *volume, Error *reterr);

/* Reads one; -ENOENT with ERROR_NOT_FOUND. */
int volume_load(const Store *store, const char *name, Volume *ret, Error *reterr);

/* Makes it where it is not there, and reads it. */
int volume_ensure(const Store *store, const char *name, bool anonymous, Volume *ret, Error *reterr);

/* Finds the one volume whose name is `word` or, where there is none, begins with it, and reads it. -ENOENT with ERROR_NOT_FOUND. */
int volume_open(const Store *store, const char *word, Volume *ret, Error *reterr);

/* The volumes of a start. One that it fills, or mounts a file system for, is locked: whoever fills, mounts or removes it waits
 * for the others. */
typedef struct VolumeHold {
        Volume volume;
        int lock_fd;   /* -EBADF: not locked */
} VolumeHold;

typedef struct VolumeHolds {
        VolumeHold *items;
        size_t n;
} VolumeHolds;

/* Reads one, or makes it where it is not there, and locks it where that is needed. Of several, in the order of their names, or
 * two starts would wait for each other. */
int volume_hold(const Store *store, const char *name, bool anonymous, VolumeHolds *holds, Error *reterr);

/* The one of that name; NULL where it was not asked for. */
const Volume *volume_held(const VolumeHolds *holds, const char *name) _pure_;

/* The container was started: what its image has there is in them. */
int volume_holds_mark(const Store *store, VolumeHolds *holds, Error *reterr);

void volume_holds_done(VolumeHolds *holds);
#define _cleanup_volume_holds_ _cleanup_(volume_holds_done)

/* The absolute path of its data; owned. */
char *volume_data_path(const Store *store, const char *name);

/* All names; a vector (NULL: none). */
int volume_list(const Store *store, char ***ret, Error *reterr);

/* For a container whose record is there and names it: makes it where it is not there, and waits for whoever is just removing it. */
int volume_claim(const Store *store, const char *name, bool anonymous, Error *reterr);

/* Removes record and data, whoever owns the files, once nobody fills it any more. */
int volume_remove(const Store *store, const char *name, Error *reterr);

/* The same where `refuse`, which is asked under the volume's lock and says who uses it, returns 0: who has claimed it by then has a record. */
typedef int (*VolumeRefuse)(const Store *store, const char *name, Error *reterr);
int volume_remove_unused(const Store *store, const char *name, VolumeRefuse refuse, Error *reterr);

/* Goes on with the removals that were killed, and removes what is left of a volume whose making was. Best effort; two that do it at once do each other no harm. */
void volume_collect(const Store *store);
