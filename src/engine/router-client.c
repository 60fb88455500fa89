/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to the router. */
#include "engine/router-client.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/time.h"
#include "cgroup/manager.h"
#include "engine/internal-command.h"
#include "engine/router.h"

enum {
        TRIES_USEC = 10 * 1000000, /* each try outlives a router that was just about to end */
        PAUSE_MSEC = 2,
        TIMEOUT_SEC = 60,  /* for one answer */
        READY_LIMIT = 65536,
        EXIT_ERROR = 125,  /* error_exit_status() */
};

void router_client_done(RouterClient *client) {
        client->socket = fd_close(client->socket);
        client->userns_fd = fd_close(client->userns_fd);
}

static int lost(int code, Error *reterr) {
        return error_set_errno(reterr, code, "cannot hear from the router of the bridge networks");
}

int router_client_send(RouterClient *client, const RouterRequest *request, const int *fds, size_t n_fds, Error *reterr) {
        _cleanup_json_ json_t *object = json_fields_save(router_request_fields, request);
        int r = object ? router_wire_send(client->socket, object, fds, n_fds) : -ENOMEM;

        return r < 0 ? error_set_errno(reterr, r, "cannot reach the router of the bridge networks") : 0;
}

static int receive(RouterClient *client, json_t **ret, int *fds, size_t *n_fds) {
        int r = router_wire_receive(client->socket, ret, fds, n_fds);

        return r == 0 ? -EPIPE : r;
}

int router_client_receive(RouterClient *client, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *answer = NULL;
        int fds[ROUTER_FDS_MAX];
        size_t n_fds = 0;
        int r = receive(client, &answer, fds, &n_fds);

        for (size_t i = 0; i < n_fds && r >= 0; i++)
                (void) fd_close(fds[i]);
        if (r < 0)
                return lost(r, reterr);
        r = router_wire_take_error(answer, reterr);
        if (r >= 0 && ret)
                *ret = TAKE_PTR(answer);
        return r;
}

static int say_open(RouterClient *client, Error *reterr) {
        const RouterRequest request = { .op = (char *) "open" };
        _cleanup_json_ json_t *object = json_fields_save(router_request_fields, &request), *answer = NULL;
        int fds[ROUTER_FDS_MAX];
        size_t n_fds = 0;
        int r = object ? router_wire_send(client->socket, object, NULL, 0) : -ENOMEM;

        if (r >= 0)
                r = receive(client, &answer, fds, &n_fds);
        if (r < 0)
                return r;
        if (n_fds > 0)
                client->userns_fd = fds[0];
        for (size_t i = 1; i < n_fds; i++)
                (void) fd_close(fds[i]);
        return router_wire_take_error(answer, reterr);
}

int router_client_connect(const Store *store, RouterClient *ret, Error *reterr) {
        const struct timeval timeout = { .tv_sec = TIMEOUT_SEC };
        _cleanup_router_client_ RouterClient client = ROUTER_CLIENT_NULL;
        _cleanup_fd_ int dir = openat(store->runtime_fd, ROUTER_DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        client.socket = dir < 0 ? -errno : io_unix_connect(dir, ROUTER_SOCKET, SOCK_SEQPACKET);
        if (client.socket < 0)
                return client.socket == -ENOENT || client.socket == -ECONNREFUSED ? -ENOENT : lost(client.socket, reterr);
        if (setsockopt(client.socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
                return lost(-errno, reterr);
        int r = say_open(&client, reterr);
        if (r == -EPIPE || r == -ECONNRESET) /* it was just ending */
                return -ENOENT;
        if (r < 0)
                return reterr && reterr->message ? r : lost(r, reterr);
        *ret = client;
        client = ROUTER_CLIENT_NULL;
        return 0;
}

/* What a router left that could not begin. 0: nothing. */
static int take_left_error(const Store *store, Error *reterr) {
        _cleanup_fd_ int dir = openat(store->runtime_fd, ROUTER_DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_json_ json_t *object = NULL;
        int r = dir < 0 ? -ENOENT : json_read(dir, ROUTER_ERROR, READY_LIMIT, &object, /* reterr= */ NULL);

        if (r < 0)
                return 0;
        (void) unlinkat(dir, ROUTER_ERROR, 0);
        (void) unlinkat(store->runtime_fd, ROUTER_DIRECTORY, AT_REMOVEDIR);
        return router_wire_take_error(object, reterr);
}

/* In a unit of its own, so that it ends with no container's. */
static int start_by_systemd(const Store *store, Manager *manager, char *const *command, const char *name, Error *reterr) {
        _cleanup_free_ char *job = NULL, *result = NULL;
        const TransientUnit unit = {
                .name = name,
                .description = "sdpod bridge networks",
                .exec_start = command,
                .restart = "on-failure",
                .restart_prevent_status = EXIT_ERROR, /* it could not begin: only what was killed comes back */
                .stop_timeout_usec = 5000000,
                .fd_store_max = 8,
        };

        manager_reset_failed(manager, name);
        int r = manager_start_transient(manager, &unit, &job, reterr);
        if (r == -EEXIST) { /* another command's start of it, or its end, is under way */
                error_done(reterr);
                r = manager_start_unit(manager, name, reterr);
                if (r == -ENOENT) { /* that was its end */
                        error_done(reterr);
                        r = 0;
                }
                return r;
        }
        if (r >= 0)
                r = manager_wait_job(manager, job, &result, reterr);
        return r < 0 || str_equal(result, "done") ? r : take_left_error(store, reterr);
}

/* Its first words are an error, or nothing. */
static int start_by_hand(char *const *command, Error *reterr) {
        _cleanup_free_ char *answer = NULL;
        _cleanup_json_ json_t *json = NULL;
        int pair[2];

        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot start the router of the bridge networks");
        _cleanup_fd_ int ready = pair[0];
        const int fds[] = { -EBADF, -EBADF, -EBADF, pair[1] };
        int r = internal_spawn_orphan(command, fds, ELEMENTSOF(fds));
        (void) fd_close(pair[1]);
        size_t size = 0;
        if (r >= 0)
                r = io_read_all(ready, READY_LIMIT, &answer, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot start the router of the bridge networks");
        if (size > 0 && json_parse(answer, size, "the answer of the router", &json, /* reterr= */ NULL) >= 0)
                return router_wire_take_error(json, reterr);
        return 0;
}

/* One for each store: the default one has a name that people know. */
static char *unit_name(const Store *store) {
        _cleanup_free_ char *runtime = path_user_runtime(), *usual = runtime ? str_format("%s/sdpod", runtime) : NULL;
        uint64_t h = 0xcbf29ce484222325ULL;

        if (!usual)
                return NULL;
        for (const char *p = store->runtime_path; *p; p++)
                h = (h ^ (uint8_t) *p) * 0x100000001b3ULL;
        return str_equal(store->runtime_path, usual) ? strdup("sdpod-network.service")
                                                     : str_format("sdpod-network-%016llx.service", (unsigned long long) h);
}

static int start(const Store *store, Error *reterr) {
        _cleanup_strv_ char **command = NULL;
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_free_ char *name = unit_name(store);

        int r = manager_connect(&manager, reterr);
        bool alone = r == -ENOENT;

        if (r < 0 && !alone)
                return r;
        if (!name || internal_command(store, /* storage_driver= */ NULL, "__network", alone ? ROUTER_ALONE : ROUTER_UNIT, &command) < 0)
                return error_oom(reterr);
        return alone ? start_by_hand(command, reterr) : start_by_systemd(store, &manager, command, name, reterr);
}

int router_client_open(const Store *store, RouterClient *ret, Error *reterr) {
        int64_t end = time_monotonic_usec() + TRIES_USEC;

        do {
                int r = router_client_connect(store, ret, reterr);

                if (r != -ENOENT)
                        return r;
                r = start(store, reterr);
                if (r < 0)
                        return r;
                (void) poll(NULL, 0, PAUSE_MSEC);
        } while (time_monotonic_usec() < end);
        (void) error_set(reterr, -EIO, ERROR_INTERNAL, "cannot start the router of the bridge networks: it ends at once");
        _cleanup_free_ char *name = unit_name(store);
        return error_with_hint(reterr, -EIO, "its journal says why: journalctl %s--unit %s", geteuid() == 0 ? "" : "--user ", name ?: "");
}
