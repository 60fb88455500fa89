/* SPDX-License-Identifier: Apache-2.0 */
/* Containers on disk: one directory each below --root.
 *
 *   ID/config.json    the bundle's, as it was when the container was made
 *   ID/creating.json  the record while `create` is at work; then renamed to
 *   ID/state.json
 *   ID/start          the socket at which the init waits for `start`
 *   ID/notify/        the socket of sd_notify(3) inside, where the caller has one
 *
 * What changes a container holds a flock(2) on its directory, readers need none. No status is stored: it follows from the
 * process (pid and start time), the socket, the lock and the cgroup. So whatever a kill -9 leaves behind is told for what it is,
 * and `delete --force` clears it. */
#pragma once

#include "cgroup/runtime-cgroup.h"
#include "oci/global.h"

typedef enum OciStatus {
        OCI_CREATING,
        OCI_CREATED,
        OCI_RUNNING,
        OCI_PAUSED,
        OCI_STOPPED,
        _OCI_STATUS_MAX,
} OciStatus;

const char *oci_status_to_string(OciStatus status) _pure_;

/* The directory of all containers. */
typedef struct OciRoot {
        char *path;
        int fd;
} OciRoot;

#define OCI_ROOT_NULL ((OciRoot){ .fd = -EBADF })

void oci_root_done(OciRoot *root);
#define _cleanup_oci_root_ _cleanup_(oci_root_done)

/* --root, or the default: /run/sdpod-oci, for an ordinary user, and for root in a user namespace unless $USER says root,
 * $XDG_RUNTIME_DIR/sdpod-oci. It is made where `make`; -ENOENT without a message where it is not there. */
int oci_root_open(const GlobalOptions *global, bool make, OciRoot *ret, Error *reterr);

/* The part of the record that is written. */
typedef struct OciRecord {
        char *id, *oci_version, *bundle, *rootfs;
        int64_t created_usec;
        int pid;               /* of the init, as who created it sees it; 0: not there yet */
        uint64_t start_time;   /* field 22 of /proc/PID/stat */
        char **annotations;    /* pairs */
        bool own_pid_namespace; /* all processes end with the init */
        bool has_poststart, has_poststop; /* hooks: without them nobody need read config.json again */
        bool has_host_mounts;  /* oci/host-mounts.h */
        uint64_t mount_below, root_mount; /* IDs: what was at the root file system's place before, and what is there now; 0: not known */
        RuntimeCgroup cgroup;
} OciRecord;

typedef struct OciContainer {
        OciRecord record;
        char *id;
        uid_t owner;
        int root_fd;           /* borrowed */
        int dir_fd;            /* its directory */
        int pidfd;             /* of the init; -EBADF where it has ended */
        bool is_locked;
        bool has_record;       /* false: what a killed `create` left before it wrote one */
        bool is_creating;      /* the record is creating.json */
} OciContainer;

#define OCI_CONTAINER_NULL ((OciContainer){ .root_fd = -EBADF, .dir_fd = -EBADF, .pidfd = -EBADF })

/* Lets the lock go, too. */
void oci_container_done(OciContainer *container);
#define _cleanup_oci_container_ _cleanup_(oci_container_done)

/* Lets the lock go; the rest stays. */
void oci_container_unlock(OciContainer *container);

/* Letters, digits, and _ + - . that do not begin it. */
int oci_id_check(const char *id, Error *reterr);

/* Makes the directory, and comes locked. -EEXIST with the text that engines know. */
int oci_container_make(const OciRoot *root, const char *id, OciContainer *ret, Error *reterr);

/* -ENOENT with the text that engines know. With `lock` it waits for whoever changes it. */
int oci_container_open(const OciRoot *root, const char *id, bool lock, OciContainer *ret, Error *reterr);

/* Root directory and container at once, for verbs with one ID. The root is kept open in `root`. */
int oci_container_find(const GlobalOptions *global, const char *id, bool lock, OciRoot *root, OciContainer *ret, Error *reterr);

/* Writes the record of a container that is being made; when all is done it becomes the one that counts. */
int oci_container_save(const OciContainer *container, Error *reterr);
int oci_container_commit(OciContainer *container, Error *reterr);

/* What it is right now. */
OciStatus oci_container_status(OciContainer *container);

/* Removes the directory. The lock is held. */
int oci_container_remove(OciContainer *container, Error *reterr);

/* A descriptor of the directory that shares no lock with this one. */
int oci_container_open_directory(const OciContainer *container, Error *reterr);

/* The IDs of all containers, sorted; a vector (NULL: none). */
int oci_container_list(const OciRoot *root, char ***ret, Error *reterr);

/* The spec that it was made from, completed for this machine. */
int oci_container_spec(const OciContainer *container, RuntimeSpec *ret, Error *reterr);

/* What `state` and `list` show; new reference. */
json_t *oci_container_json(OciContainer *container);
