/* SPDX-License-Identifier: Apache-2.0 */
/* The user namespace around all containers of a user. */
#include "engine/shared-userns.h"

#include "base/io.h"
#include "base/log.h"
#include "monitor/client.h"
#include "ns/pinned.h"

void shared_userns_done(SharedUserns *shared) {
        (void) fd_close(shared->socket);
        free(shared->text);
}

void shared_userns_ask(const UserMap *base, SharedUserns *ret) {
        if (base->host || base->single)
                return;
        ret->text = userns_pin_text(base);
        if (ret->text)
                ret->socket = monitor_client_userns_ask(ret->text);
}

static int take(SharedUserns *shared, const UserMap *base, Error *reterr) {
        int fd = monitor_client_userns_take(shared->socket);

        if (fd == -ENOENT) {
                fd = userns_pin(base, reterr);
                if (fd >= 0)
                        monitor_client_userns_keep(shared->socket, shared->text, fd);
        }
        return fd;
}

int shared_userns_open(const UserMap *base) {
        _cleanup_shared_userns_ SharedUserns shared = SHARED_USERNS_NULL;

        shared_userns_ask(base, &shared);
        return shared.socket < 0 ? -EBADF : take(&shared, base, /* reterr= */ NULL);
}

int shared_userns_open_default(void) {
        _cleanup_user_map_ UserMap base = {};
        int r = user_map_default(&base, /* reterr= */ NULL);

        return r < 0 ? r : shared_userns_open(&base);
}

void shared_userns_take(SharedUserns *shared, const UserMap *base, ProcPlan *plan) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (shared->socket < 0 || plan->parent_userns_fd >= 0)
                return;
        int fd = take(shared, base, &error);
        plan->parent_userns_fd = fd;
        plan->parent_userns_optional = true;
        if (fd >= 0 && user_map_to_view(&plan->map, base, &plan->parent_view, &error) < 0)
                plan->parent_userns_fd = fd_close(fd);
        if (plan->parent_userns_fd < 0)
                log_debug("no user namespace is kept: %s", error.message ?: "the monitor has no answer");
}
