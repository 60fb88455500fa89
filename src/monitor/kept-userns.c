/* SPDX-License-Identifier: Apache-2.0 */
/* One user namespace that the monitor keeps for those who start containers: the descriptor lies in systemd's store, what its
 * map is beside it in the runtime directory. Never is there a text that another namespace than the stored one belongs to:
 * the old one leaves the store before its text is overwritten, the new one comes in after. */
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "monitor/fd-store.h"
#include "monitor/monitor.h"
#include "ns/pinned.h"

#define MAP_NAME "userns-map"

static void forget(Monitor *monitor) {
        if (monitor->userns_fd < 0)
                return;
        fd_store_remove_userns();
        monitor->userns_fd = fd_close(monitor->userns_fd);
        free(monitor->userns_map);
        monitor->userns_map = NULL;
}

int kept_userns_get(const Monitor *monitor, const char *map) {
        return monitor->userns_fd >= 0 && str_equal(monitor->userns_map, map) ? monitor->userns_fd : -ENOENT;
}

int kept_userns_keep(Monitor *monitor, const char *map, int fd, Error *reterr) {
        _cleanup_fd_ int ours = fd;
        int r = userns_pin_check(fd, monitor->uid);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot keep the user namespace");
        if (kept_userns_get(monitor, map) >= 0)
                return 0;
        forget(monitor);
        _cleanup_free_ char *text = strdup(map);
        if (!text)
                return error_oom(reterr);
        r = file_write_atomic(monitor->index_fd, MAP_NAME, text, strlen(text), 0600, FILE_VOLATILE);
        if (r >= 0)
                r = fd_store_put_userns(fd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot keep the user namespace");
        monitor->userns_fd = TAKE_FD(ours);
        monitor->userns_map = TAKE_PTR(text);
        return 0;
}

void kept_userns_restore(Monitor *monitor, int fd) {
        _cleanup_fd_ int ours = fd;
        _cleanup_free_ char *text = NULL;

        if (fd < 0)
                return;
        if (userns_pin_check(fd, monitor->uid) < 0 ||
            file_read(monitor->index_fd, MAP_NAME, MONITOR_MAP_MAX, &text, /* ret_size= */ NULL) < 0) {
                log_info("the kept user namespace is of no use any more");
                fd_store_remove_userns();
                return;
        }
        monitor->userns_fd = TAKE_FD(ours);
        monitor->userns_map = TAKE_PTR(text);
}
