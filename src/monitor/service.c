/* SPDX-License-Identifier: Apache-2.0 */
/* The user's monitor as a service of systemd.
 *
 * A start is always a restart: the store may hold descriptors, the list (runtime directory, monitor/ID -> the container's
 * runtime directory) may name recordings, and either may lack the other:
 *   both: the recording goes on.
 *   descriptors, no entry: they belong to a container that was never promised anything; they are let go.
 *   an entry, no descriptors: systemd has dropped them (the service was stopped): what is spooled is logged, and ends. */
#include "monitor/service.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "monitor/fd-store.h"
#include "monitor/monitor.h"

/* All descriptors of one container that were in the store. */
typedef struct Stored {
        char id[MONITOR_ID_LENGTH + 1];
        WatchFds fds;
} Stored;

typedef struct StoredSet {
        Stored *items;
        size_t n_items;
        int userns_fd;
} StoredSet;

static void stored_set_done(StoredSet *set) {
        for (size_t i = 0; i < set->n_items; i++)
                watch_fds_done(&set->items[i].fds);
        free(set->items);
        (void) fd_close(set->userns_fd);
}

static Stored *stored_get(StoredSet *set, const char *id) {
        for (size_t i = 0; i < set->n_items; i++)
                if (str_equal(set->items[i].id, id))
                        return &set->items[i];
        Stored *grown = reallocarray(set->items, set->n_items + 1, sizeof(*grown));
        if (!grown)
                return NULL;
        set->items = grown;
        Stored *item = &grown[set->n_items++];
        *item = (Stored){ .fds = WATCH_FDS_NULL };
        memcpy(item->id, id, sizeof(item->id));
        return item;
}

/* Sorts what systemd passed: the listening socket, and the store's. */
static int take_passed(StoredSet *set, int *ret_listen, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        int n = sd_listen_fds_with_names(/* unset_environment= */ 1, &names);

        if (n < 0)
                return error_set_errno(reterr, n, "cannot take descriptors from systemd");
        for (int i = 0; i < n; i++) {
                _cleanup_fd_ int fd = SD_LISTEN_FDS_START + i;
                char id[MONITOR_ID_LENGTH + 1];
                FdStoreKind kind = fd_store_parse(names[i], id);

                if (kind >= 0) {
                        Stored *item = stored_get(set, id);
                        if (!item)
                                return error_oom(reterr);
                        int *slot = fd_store_slot(&item->fds, kind);
                        if (*slot < 0)
                                *slot = TAKE_FD(fd);
                } else if (set->userns_fd < 0 && str_equal(names[i], FD_STORE_USERNS))
                        set->userns_fd = TAKE_FD(fd);
                else if (*ret_listen < 0 && sd_is_socket(fd, AF_UNIX, SOCK_SEQPACKET, /* listening= */ 1) > 0)
                        *ret_listen = TAKE_FD(fd);
                else
                        log_warning("systemd passed '%s', which is nothing of ours", names[i]);
        }
        return 0;
}

/* The container's runtime directory and its log.json. */
static int load_entry(Monitor *monitor, const char *id, MonitorConfig *ret, int *ret_dir_fd) {
        _cleanup_json_ json_t *json = NULL;
        char path[PATH_MAX];
        ssize_t n = readlinkat(monitor->index_fd, id, path, sizeof(path) - 1);

        if (n < 0)
                return -errno;
        path[n] = 0;
        _cleanup_fd_ int dir_fd = open(path, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        int r = json_read(dir_fd, RECORDER_CONFIG_NAME, JSON_RECORD_LIMIT, &json, NULL);
        if (r >= 0)
                r = json_fields_load(json, monitor_config_fields, ret, NULL);
        if (r >= 0)
                r = monitor_config_check(ret, NULL);
        if (r >= 0 && !str_equal(ret->id, id))
                r = -EBADMSG;
        *ret_dir_fd = TAKE_FD(dir_fd);
        return r;
}

static bool is_complete(int dir_fd) {
        LogState state;

        return log_state_read(dir_fd, LOG_STATE_NAME, &state) < 0 || (state.flags & LOG_STATE_COMPLETE);
}

static bool has_all(const WatchFds *fds, const MonitorConfig *config) {
        bool streams = fds->streams[0] >= 0 && (config->terminal ? fds->pty_pipe[0] >= 0 && fds->pty_pipe[1] >= 0
                                                                 : fds->streams[1] >= 0);

        return streams && (!config->pidfd || fds->pidfd >= 0);
}

static void let_go(Monitor *monitor, const char *id) {
        for (int kind = 0; kind < _FD_STORE_KIND_MAX; kind++)
                fd_store_remove(id, (FdStoreKind) kind);
        (void) unlinkat(monitor->index_fd, id, 0);
}

static void restore(Monitor *monitor, Stored *item) {
        _cleanup_monitor_config_ MonitorConfig config = {};
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_fd_ int dir_fd = -EBADF;
        int r = load_entry(monitor, item->id, &config, &dir_fd);

        if (r < 0 || is_complete(dir_fd) || !has_all(&item->fds, &config)) {
                log_info("nothing to go on with for container '%s'", item->id);
                let_go(monitor, item->id);
                return;
        }
        r = watch_add(monitor, &config, &item->fds, /* resume= */ true, &error);
        if (r < 0)
                error_print(&error);
}

/* A recording without descriptors: its end, from what is spooled. */
static void finish_orphan(Monitor *monitor, const char *id) {
        _cleanup_monitor_config_ MonitorConfig config = {};
        _cleanup_fd_ int dir_fd = -EBADF;
        Recorder recorder;
        int r = load_entry(monitor, id, &config, &dir_fd);

        if (r >= 0 && !is_complete(dir_fd) && recorder_resume(&recorder, &monitor->shared, &config, dir_fd, NULL) >= 0) {
                (void) recorder_finish(&recorder, /* force= */ true);
                recorder_done(&recorder);
        }
        (void) unlinkat(monitor->index_fd, id, 0);
}

static int finish_orphans(Monitor *monitor) {
        int fd = openat(monitor->index_fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

        if (!dir) {
                int code = -errno;
                (void) fd_close(fd);
                return code;
        }
        for (struct dirent *entry; (entry = readdir(dir));)
                if (monitor_id_is_valid(entry->d_name) && !watch_find(monitor, entry->d_name))
                        finish_orphan(monitor, entry->d_name);
        (void) closedir(dir);
        return 0;
}

static int open_index(const char *runtime_path, Error *reterr) {
        _cleanup_free_ char *base = NULL, *path = NULL;
        const char *runtime = getenv("XDG_RUNTIME_DIR");

        if (runtime_path)
                base = strdup(runtime_path);
        else if (geteuid() == 0)
                base = strdup("/run/sdpod");
        else if (runtime)
                base = str_format("%s/sdpod", runtime);
        else
                return error_set(reterr, -ENXIO, ERROR_INVALID, "cannot find the runtime directory: XDG_RUNTIME_DIR is not set");
        path = base ? str_format("%s/monitor", base) : NULL;
        if (!path)
                return error_oom(reterr);
        int r = path_mkdirs(path, 0700);
        int fd = r < 0 ? r : open(path, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd >= 0 ? fd : error_set_errno(reterr, r < 0 ? r : -errno, "cannot open '%s'", path);
}

/* Eight descriptors a container: the usual soft limit of 1024 is not for us. */
static void raise_file_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) >= 0) {
                limit.rlim_cur = limit.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &limit);
        }
}

static int block_signals(void) {
        sigset_t signals;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigaddset(&signals, SIGINT);
        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error like any other */
        return sigprocmask(SIG_BLOCK, &signals, NULL) < 0 ? -errno : 0;
}

static int run(Monitor *monitor, StoredSet *set, int listen_fd, Error *reterr) {
        for (size_t i = 0; i < set->n_items; i++)
                restore(monitor, &set->items[i]);
        kept_userns_restore(monitor, TAKE_FD(set->userns_fd));
        int r = finish_orphans(monitor);
        if (r >= 0) {
                r = monitor_listen(monitor, listen_fd);
                (void) (r < 0 ? fd_close(listen_fd) : 0);
        }
        if (r >= 0)
                r = sd_event_add_signal(monitor->event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(monitor->event, NULL, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_notify(/* unset_environment= */ 0, "READY=1");
        if (r >= 0)
                r = sd_event_loop(monitor->event);
        return r < 0 ? error_set_errno(reterr, r, "cannot run the monitor") : 0;
}

static void event_unrefp(sd_event **event) {
        *event = sd_event_unref(*event);
}

int monitor_service_run(const char *runtime_path, Error *reterr) {
        _cleanup_(event_unrefp) sd_event *event = NULL;
        _cleanup_(stored_set_done) StoredSet set = { .userns_fd = -EBADF };
        int listen_fd = -EBADF;
        Monitor monitor;

        raise_file_limit();
        int r = block_signals();
        if (r >= 0)
                r = sd_event_new(&event);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run the monitor");
        r = take_passed(&set, &listen_fd, reterr);
        if (r >= 0 && listen_fd < 0)
                r = error_set(reterr, -ENOTSOCK, ERROR_INVALID, "cannot run the monitor: systemd passed no socket");
        if (r >= 0)
                r = monitor_init(&monitor, event, reterr);
        if (r < 0) {
                (void) fd_close(listen_fd);
                return r;
        }
        monitor.use_store = true;
        monitor.index_fd = r = open_index(runtime_path, reterr);
        if (r >= 0)
                r = run(&monitor, &set, listen_fd, reterr);
        monitor_done(&monitor);
        return r;
}
