/* SPDX-License-Identifier: Apache-2.0 */
/* The directories that sdpod keeps state in, and where each thing lies below them: the whole list of paths.
 *
 *   data      $XDG_DATA_HOME/sdpod (root: /var/lib/sdpod)          survives a reboot
 *     images/                an OCI image layout: oci-layout, index.json, blobs/sha256/HEX
 *     layers/HEX/            one unpacked layer by diff ID: diff/, layer.json
 *     layers/mount-points/   the lowest layer of every container
 *     seccomp/HASH           a compiled seccomp profile of a user's own
 *     containers/ID/         container.json, state.json, upper/, work/, ctr.log, secrets/
 *     pending/ID             a container that a command is just making, removing or holding; locked by it
 *     names/NAME             a symlink whose text means the ID of the container of that name (state/name.h)
 *     pod-names/NAME         the same for a pod
 *     pods/ID/               pod.json, members/ID, lock
 *     pods.lock              held by who makes a pod
 *     volumes/NAME/          volume.json, _data/
 *     secrets/NAME           a secret, encrypted
 *     networks/NAME          the record of a network
 *     .tmp-*                 unfinished work; its owner holds a lock on it
 *   runtime   $XDG_RUNTIME_DIR/sdpod (root: /run/sdpod)            dies with the boot
 *     containers/ID/         process.json, lock, hosts, resolv.conf, hostname, containerenv, spools of the monitor, sockets
 *     running/ID             a mark: there is a process.json of that container's
 *     events.json            what happened; events.old.json: what happened before that
 *     mounts/ID              where `mount` mounts a container or image; in a session of `unshare` a tmpfs
 *     leases/NETWORK/ADDRESS which container has that address of a network
 *     storage.json           which storage driver works
 *     network/control        the socket of the router of the bridge networks (engine/router.h)
 *     monitor.sock           the user's sdpod-monitor
 *
 * Lock order: images.lock, then a pod's lock, then a container's, then a volume's. No command holds two containers' locks but
 * `cp`, which takes that of the smaller ID first. */
#pragma once

#include "base/error.h"

typedef struct Store {
        char *data_path, *runtime_path; /* absolute; owned */
        int data_fd, runtime_fd;        /* directories, 0700, owned by the user */
        char boot_id[40];               /* of this boot; "" where the kernel does not tell it */
} Store;

#define STORE_NULL ((Store){ .data_fd = -EBADF, .runtime_fd = -EBADF })

/* Opens (makes where missing) both directories. `data` and `runtime` override the defaults where not NULL (--root,
 * --runroot). A runtime directory that another user owns or can write is refused. */
int store_open(const char *data, const char *runtime, Store *ret, Error *reterr);
void store_done(Store *store);
#define _cleanup_store_ _cleanup_(store_done)

/* Where the store of the user is who has become root by `sdpod unshare`, which sets these variables. NULL where this process
 * is not in such a session: they are not looked at by the machine's root, nor by an ordinary user. */
#define STORE_SESSION_DATA "SDPOD_UNSHARE_ROOT"
#define STORE_SESSION_RUNTIME "SDPOD_UNSHARE_RUNROOT"
const char *store_session_path(const char *variable);

/* Opens a directory below, making it 0700 where missing; a descriptor or -errno. */
int store_open_data(const Store *store, const char *name, Error *reterr);
int store_open_runtime(const Store *store, const char *name, Error *reterr);

/* Takes a lock file (made where missing) below `dir_fd`, waiting for it; the lock is an open file description lock
 * (fcntl(2), F_OFD_SETLKW) and goes with the descriptor that is returned. */
int store_lock(int dir_fd, const char *name, bool exclusive, Error *reterr);

/* Whether the file that a descriptor has locked is still, or again, the one of that name: a lock guards nothing else. */
bool store_lock_has_name(int fd, int dir_fd, const char *name);
