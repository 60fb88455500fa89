/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's descriptors in systemd's store (sd_notify(3), FDSTORE=1): what makes its death harmless. */
#pragma once

#include "monitor/monitor.h"

/* What a descriptor is; its name in the store is ID.LETTER. */
typedef enum FdStoreKind {
        FD_STORE_STDOUT,
        FD_STORE_STDERR,
        FD_STORE_TERMINAL,
        FD_STORE_PIPE_READ,  /* the private pipe of a terminal */
        FD_STORE_PIPE_WRITE,
        FD_STORE_STDIN,
        FD_STORE_PIDFD,
        _FD_STORE_KIND_MAX,
        _FD_STORE_KIND_INVALID = -EINVAL,
} FdStoreKind;

/* Puts a descriptor into the store. Once this returned 0 it survives us: the message lies in systemd's queue, and systemd
 * reads that before it looks at our death. Closed writers do not take it out (FDPOLL=0). */
int fd_store_put(const char *id, FdStoreKind kind, int fd);

/* Takes it out again. */
void fd_store_remove(const char *id, FdStoreKind kind);

/* The same for the user namespace that is kept (monitor/protocol.h, "keep-userns"). */
#define FD_STORE_USERNS "userns"
int fd_store_put_userns(int fd);
void fd_store_remove_userns(void);

/* Splits a name; the ID is copied into `ret_id` (MONITOR_ID_LENGTH + 1 bytes). */
FdStoreKind fd_store_parse(const char *name, char *ret_id);

/* Where in a WatchFds this kind lies. */
int *fd_store_slot(WatchFds *fds, FdStoreKind kind);
