/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's descriptors in systemd's store. */
#include "monitor/fd-store.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

static const char letters[_FD_STORE_KIND_MAX] = { 'o', 'e', 't', 'r', 'w', 'i', 'p' };

static int put(const char *text, int fd) {
        int r = sd_pid_notify_with_fds(0, /* unset_environment= */ 0, text, &fd, 1);

        return r < 0 ? r : r == 0 ? -ENOTCONN : 0;
}

int fd_store_put(const char *id, FdStoreKind kind, int fd) {
        char text[160];

        (void) snprintf(text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s.%c", id, letters[kind]);
        return put(text, fd);
}

int fd_store_put_userns(int fd) {
        return put("FDSTORE=1\nFDPOLL=0\nFDNAME=" FD_STORE_USERNS, fd);
}

void fd_store_remove_userns(void) {
        (void) sd_notify(/* unset_environment= */ 0, "FDSTOREREMOVE=1\nFDNAME=" FD_STORE_USERNS);
}

void fd_store_remove(const char *id, FdStoreKind kind) {
        char text[160];

        (void) snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s.%c", id, letters[kind]);
        (void) sd_notify(/* unset_environment= */ 0, text); /* a leftover is found and removed at the next start */
}

FdStoreKind fd_store_parse(const char *name, char *ret_id) {
        if (strlen(name) != MONITOR_ID_LENGTH + 2 || name[MONITOR_ID_LENGTH] != '.')
                return _FD_STORE_KIND_INVALID;
        memcpy(ret_id, name, MONITOR_ID_LENGTH);
        ret_id[MONITOR_ID_LENGTH] = 0;
        const char *letter = memchr(letters, name[MONITOR_ID_LENGTH + 1], sizeof(letters));
        return monitor_id_is_valid(ret_id) && letter ? (FdStoreKind) (letter - letters) : _FD_STORE_KIND_INVALID;
}

int *fd_store_slot(WatchFds *fds, FdStoreKind kind) {
        switch (kind) {
        case FD_STORE_STDOUT:
        case FD_STORE_TERMINAL:
                return &fds->streams[0];
        case FD_STORE_STDERR:
                return &fds->streams[1];
        case FD_STORE_PIPE_READ:
                return &fds->pty_pipe[0];
        case FD_STORE_PIPE_WRITE:
                return &fds->pty_pipe[1];
        case FD_STORE_STDIN:
                return &fds->input;
        default:
                return &fds->pidfd;
        }
}
