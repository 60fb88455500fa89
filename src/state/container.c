/* SPDX-License-Identifier: Apache-2.0 */
/* Containers on disk. A container is there if and only if names/NAME points at containers/ID: the record is complete
 * before its name is claimed, and the name goes before the record. Directories without a name are leftovers of a killed
 * command and are collected by container_collect(). */
#include "state/container.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "spec/network.h"
#include "state/container-record.h"
#include "state/name-link.h"
#include "state/name.h"
#include "state/pending.h"

enum { LOOKS_MAX = 8 }; /* for the name of a container that is renamed at the same time */

static const JsonField process_port_fields[] = {
        JSON_FIELD(ContainerPort, host_ip, "hostIp", JSON_FIELD_STRING),
        JSON_FIELD(ContainerPort, host_port, "hostPort", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerPort, container_port, "containerPort", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerPort, protocol, "protocol", JSON_FIELD_STRING),
        {},
};

const JsonField container_state_fields[] = {
        JSON_FIELD(ContainerState, started_usec, "startedUSec", JSON_FIELD_INT64),
        JSON_FIELD(ContainerState, finished_usec, "finishedUSec", JSON_FIELD_INT64),
        JSON_FIELD(ContainerState, exit_code, "exitCode", JSON_FIELD_INT),
        JSON_FIELD(ContainerState, exited, "exited", JSON_FIELD_BOOL),
        JSON_FIELD(ContainerState, oom_killed, "oomKilled", JSON_FIELD_BOOL),
        JSON_FIELD(ContainerState, stopped_by_user, "stoppedByUser", JSON_FIELD_BOOL),
        JSON_FIELD(ContainerState, initialized, "initialized", JSON_FIELD_BOOL),
        JSON_FIELD(ContainerState, restart_count, "restartCount", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerState, error, "error", JSON_FIELD_STRING),
        JSON_FIELD(ContainerState, unit, "unit", JSON_FIELD_STRING),
        JSON_FIELD(ContainerState, log_driver, "logDriver", JSON_FIELD_STRING),
        JSON_FIELD(ContainerState, storage_driver, "storageDriver", JSON_FIELD_STRING),
        JSON_FIELD(ContainerState, log_path, "logPath", JSON_FIELD_STRING),
        {},
};

static const JsonField attachment_fields[] = {
        JSON_FIELD(ContainerAttachment, network, "network", JSON_FIELD_STRING),
        JSON_FIELD(ContainerAttachment, interface_name, "interfaceName", JSON_FIELD_STRING),
        JSON_FIELD(ContainerAttachment, mac, "mac", JSON_FIELD_STRING),
        JSON_FIELD(ContainerAttachment, addresses, "addresses", JSON_FIELD_STRV),
        JSON_FIELD(ContainerAttachment, gateways, "gateways", JSON_FIELD_STRV),
        {},
};

const JsonField container_process_fields[] = {
        JSON_FIELD(ContainerProcess, pid, "pid", JSON_FIELD_INT),
        JSON_FIELD(ContainerProcess, start_time, "startTime", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerProcess, boot_id, "bootID", JSON_FIELD_STRING),
        JSON_FIELD(ContainerProcess, cgroup, "cgroup", JSON_FIELD_STRING),
        JSON_FIELD(ContainerProcess, unit, "unit", JSON_FIELD_STRING),
        JSON_FIELD(ContainerProcess, oom_kills, "oomKills", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerProcess, paused, "paused", JSON_FIELD_BOOL),
        JSON_FIELD(ContainerProcess, net_pid, "netPid", JSON_FIELD_INT),
        JSON_FIELD(ContainerProcess, net_start_time, "netStartTime", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerProcess, bypass, "bypass", JSON_FIELD_BOOL),
        JSON_FIELD_ARRAY_OF(ContainerProcess, ports, n_ports, "ports", process_port_fields),
        JSON_FIELD_ARRAY_OF(ContainerProcess, networks, n_networks, "networks", attachment_fields),
        {},
};

static const char *const status_names[_CONTAINER_STATUS_MAX] = {
        [CONTAINER_CREATED] = "created", [CONTAINER_INITIALIZED] = "initialized", [CONTAINER_RUNNING] = "running",   [CONTAINER_PAUSED] = "paused",
        [CONTAINER_EXITED] = "exited",   [CONTAINER_STOPPING] = "stopping", [CONTAINER_REMOVING] = "removing",
};

const char *container_status_to_string(ContainerStatus status) {
        return status_names[status];
}

void container_done(Container *container) {
        container_config_done(&container->config);
        json_fields_done(container_state_fields, &container->state);
        json_fields_done(container_process_fields, &container->process);
        (void) fd_close(container->dir_fd);
        (void) fd_close(container->runtime_fd);
        (void) fd_close(container->pidfd);
        (void) fd_close(container->lock_fd);
        (void) fd_close(container->pending_fd);
        *container = CONTAINER_NULL;
}

int container_runtime_fd(const Store *store, Container *container, Error *reterr) {
        if (container->runtime_fd >= 0)
                return container->runtime_fd;
        _cleanup_fd_ int parent = store_open_runtime(store, "containers", reterr);
        if (parent < 0)
                return parent;
        container->runtime_fd = path_open_or_make_dir(parent, container->config.id, 0700);
        if (container->runtime_fd < 0)
                return error_set_errno(reterr, container->runtime_fd, "cannot open the runtime directory of '%s'",
                                       container->config.name);
        return container->runtime_fd;
}

static FileDurability durability(const Container *container) {
        /* what goes with the process anyway is not worth waiting for the disk */
        return container->config.auto_remove ? FILE_VOLATILE : FILE_DURABLE;
}

static int save(int dir_fd, const char *name, const JsonField *fields, const void *source, FileDurability how,
                Error *reterr) {
        _cleanup_json_ json_t *json = json_fields_save(fields, source);

        return json_write(dir_fd, name, json, 0600, how, reterr);
}

int container_save_config(Container *container, Error *reterr) {
        return save(container->dir_fd, "container.json", container_config_fields, &container->config, durability(container),
                    reterr);
}

int container_save_state(Container *container, Error *reterr) {
        return save(container->dir_fd, "state.json", container_state_fields, &container->state, durability(container), reterr);
}

int container_save_process(const Store *store, Container *container, Error *reterr) {
        int fd = container_runtime_fd(store, container, reterr);

        if (fd < 0)
                return fd;
        if (container->process.pid == 0) {
                if (unlinkat(fd, "process.json", 0) < 0 && errno != ENOENT)
                        return error_set_errno(reterr, -errno, "cannot remove 'process.json'");
                container_running_unmark(store, container->config.id);
                return 0;
        }
        int r = container_running_mark(store, container->config.id, reterr);
        if (r < 0)
                return r;
        return save(fd, "process.json", container_process_fields, &container->process, FILE_VOLATILE, reterr);
}

/* Writes the record and claims its name, or makes names up until one is free. The record is complete first: a name that
 * points at nothing is anybody's. */
static int take_name(const Store *store, Container *container, Error *reterr) {
        ContainerConfig *config = &container->config;
        bool given = config->name;

        for (;;) {
                if (!given) {
                        free(config->name);
                        if (!(config->name = name_generate()))
                                return error_oom(reterr);
                }
                int r = container_save_config(container, reterr);
                if (r >= 0)
                        r = name_link_take(store, NAME_CONTAINER, config->name, config->id, reterr);
                if (r == -EEXIST && !given)
                        continue;
                if (r >= 0)
                        error_done(reterr);
                return r;
        }
}

/* For a record that is just being made: nothing needs to be read again. */
static int take_lock(const Store *store, Container *container, Error *reterr) {
        int fd = container_runtime_fd(store, container, reterr);

        if (fd < 0)
                return fd;
        container->lock_fd = store_lock(fd, "lock", /* exclusive= */ true, reterr);
        return container->lock_fd < 0 ? container->lock_fd : 0;
}

int container_create(const Store *store, ContainerConfig *config, Container *ret, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        int r;

        if (!config->id && !(config->id = str_random_id(CONTAINER_ID_LENGTH)))
                return error_oom(reterr);
        config->created_usec = time_now_usec();
        config->version = CONTAINER_CONFIG_VERSION;

        _cleanup_fd_ int parent = store_open_data(store, "containers", reterr);
        if (parent < 0)
                return parent;
        container.pending_fd = pending_take(store, config->id, reterr);
        if (container.pending_fd < 0)
                return container.pending_fd;
        if (mkdirat(parent, config->id, 0700) < 0) {
                r = error_set_errno(reterr, -errno, "cannot make the record of container %.12s", config->id);
                pending_drop(store, config->id, &container.pending_fd);
                return r;
        }
        container.dir_fd = openat(parent, config->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (container.dir_fd < 0)
                r = error_set_errno(reterr, -errno, "cannot open the record of container %.12s", config->id);
        else {
                container.config = *config;
                /* the lock comes before the name: whoever finds the name waits until the maker is done with it */
                r = take_lock(store, &container, reterr);
                if (r >= 0)
                        r = take_name(store, &container, reterr);
                *config = container.config; /* owned by the caller again until all went well */
        }
        if (r < 0) {
                container.config = CONTAINER_CONFIG_NULL;
                (void) path_remove_tree(parent, config->id);
                _cleanup_fd_ int runtime = store_open_runtime(store, "containers", /* reterr= */ NULL);
                if (runtime >= 0)
                        (void) path_remove_tree(runtime, config->id);
                pending_drop(store, config->id, &container.pending_fd);
                return r;
        }
        *config = CONTAINER_CONFIG_NULL;
        *ret = container;
        container = CONTAINER_NULL;
        return 0;
}

void container_settled(const Store *store, Container *container) {
        pending_drop(store, container->config.id, &container->pending_fd);
}

void container_file_path(const char *parent, const char *id, const char *name, char ret[static CONTAINER_PATH_SIZE]) {
        char *p = stpcpy(ret, parent);

        p = mempcpy(p, id, strnlen(id, CONTAINER_ID_LENGTH));
        *p++ = '/';
        (void) stpcpy(p, name); /* the longest of them is what CONTAINER_PATH_SIZE counts */
}

static int load(int dir_fd, const char *name, const JsonField *fields, void *target, Error *reterr) {
        return json_fields_read(dir_fd, name, JSON_RECORD_LIMIT, fields, target, reterr);
}

static bool is_id_prefix(const char *s) {
        size_t n = strspn(s, "0123456789abcdef");

        return n > 0 && n <= CONTAINER_ID_LENGTH && !s[n];
}

/* Of all the record the name alone. */
static int read_name(int dir_fd, const char *path, ContainerConfig *ret) {
        static const JsonField fields[] = { JSON_FIELD(ContainerConfig, name, "name", JSON_FIELD_STRING), {} };
        int r = load(dir_fd, path, fields, ret, /* reterr= */ NULL);

        return r < 0 ? r : ret->name && container_name_is_valid(ret->name) ? 0 : -EBADMSG;
}

/* Whether the container's own name leads to it: a directory for itself is no container. A rename takes the new name before it writes the
 * record, and lets the old one go after that: between the two looks a name may have gone, and then another one is there. */
static bool is_there(const Store *store, const char *id) {
        char path[CONTAINER_PATH_SIZE], holder[CONTAINER_ID_LENGTH + 1];

        container_file_path("containers/", id, "container.json", path);
        for (unsigned i = 0; i < LOOKS_MAX; i++) {
                _cleanup_container_config_ ContainerConfig config = {};

                if (read_name(store->data_fd, path, &config) < 0)
                        return false;
                if (name_link_read(store, NAME_CONTAINER, config.name, holder) >= 0 && str_equal(holder, id))
                        return true;
        }
        return false;
}

/* Finds a directory, and then asks for its name alone: a look at all names would cost a system call for each. */
static int find_by_prefix(const Store *store, const char *prefix, char **ret_id, Error *reterr) {
        _cleanup_free_ char *found = NULL;
        size_t n = strlen(prefix);

        if (n == CONTAINER_ID_LENGTH) {
                if (!is_there(store, prefix))
                        return -ENOENT;
                return (*ret_id = strdup(prefix)) ? 0 : error_oom(reterr);
        }
        int r = store_open_data(store, "containers", reterr);
        if (r < 0)
                return r;
        DIR *dir = fdopendir(r);
        if (!dir) {
                (void) fd_close(r);
                return error_set_errno(reterr, -errno, "cannot list the containers");
        }
        r = 0;
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                if (strncmp(e->d_name, prefix, n) != 0 || strlen(e->d_name) != CONTAINER_ID_LENGTH || !is_there(store, e->d_name))
                        continue;
                if (found)
                        r = error_set(reterr, -EINVAL, ERROR_INVALID, "more than one container has an ID that begins with '%s'", prefix);
                else if (!(found = strdup(e->d_name)))
                        r = error_oom(reterr);
        }
        (void) closedir(dir);
        if (r < 0)
                return r;
        if (!found)
                return -ENOENT;
        *ret_id = TAKE_PTR(found);
        return 0;
}

static int find(const Store *store, const char *name_or_id, char **ret_id, Error *reterr) {
        char id[CONTAINER_ID_LENGTH + 1];
        int r = container_name_is_valid(name_or_id) ? name_link_find(store, NAME_CONTAINER, name_or_id, id) : -ENOENT;

        if (r >= 0)
                return (*ret_id = strdup(id)) ? 0 : error_oom(reterr);
        if (r == -ENOENT && is_id_prefix(name_or_id)) {
                r = find_by_prefix(store, name_or_id, ret_id, reterr);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        if (r == -ENOENT)
                return error_set(reterr, r, ERROR_NOT_FOUND, "no container with name or ID '%s' found: no such container",
                                 name_or_id);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot look up container '%s'", name_or_id);
        return 0;
}

int container_find(const Store *store, const char *name_or_id, char **ret_id, Error *reterr) {
        const char *alias = getenv("PODMAN_SYSTEMD_UNIT");
        int r = find(store, name_or_id, ret_id, reterr);

        if (r != -ENOENT || !alias)
                return r;
        _cleanup_free_ char *own = name_of_own_unit(alias), *meant = NULL;
        if (name_without_alias(name_or_id, alias, own, &meant) < 0 || !meant)
                return r;
        if (find(store, meant, ret_id, /* reterr= */ NULL) < 0)
                return r;
        error_done(reterr);
        return 0;
}

static void resolve_status(const Store *store, Container *c) {
        c->pidfd = fd_close(c->pidfd);
        if (c->process.pid > 0 && *store->boot_id && str_equal(c->process.boot_id, store->boot_id)) {
                c->pidfd = process_open(c->process.pid, c->process.start_time);
                if (c->pidfd >= 0 && process_has_ended(c->pidfd))
                        c->pidfd = fd_close(c->pidfd);
        }
        if (c->pidfd >= 0)
                c->status = c->process.paused ? CONTAINER_PAUSED : CONTAINER_RUNNING;
        else if (c->state.initialized)
                c->status = CONTAINER_INITIALIZED;
        else
                c->status = c->state.started_usec > 0 ? CONTAINER_EXITED : CONTAINER_CREATED;
}

/* Names become paths and interfaces. */
static int check_process(const ContainerProcess *process, Error *reterr) {
        bool right = true;

        for (size_t i = 0; i < process->n_networks && right; i++) {
                const ContainerAttachment *at = &process->networks[i];

                right = at->network && network_name_is_valid(at->network) && at->interface_name && network_interface_is_valid(at->interface_name) && at->mac;
        }
        for (size_t i = 0; i < process->n_ports && right; i++)
                right = process->ports[i].protocol;
        return right ? 0 : error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot read 'process.json': its networks or ports are not right");
}

int container_load_run(const Store *store, int state_fd, const char *state, int process_fd, const char *process, Container *c, Error *reterr) {
        json_fields_done(container_state_fields, &c->state);
        c->state = (ContainerState){};
        json_fields_done(container_process_fields, &c->process);
        c->process = (ContainerProcess){};

        int r = load(state_fd, state, container_state_fields, &c->state, reterr);
        if (r < 0 && r != -ENOENT)
                return r;
        r = process ? load(process_fd, process, container_process_fields, &c->process, reterr) : 0;
        if (r >= 0)
                r = check_process(&c->process, reterr);
        if (r < 0 && r != -ENOENT)
                return r;
        resolve_status(store, c);
        return 0;
}

int container_refresh(const Store *store, Container *c, Error *reterr) {
        char process[CONTAINER_PATH_SIZE];

        container_file_path("containers/", c->config.id, "process.json", process);
        return container_load_run(store, c->dir_fd, "state.json", store->runtime_fd, process, c, reterr);
}

int container_no_such(const char *id, Error *reterr) {
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot open container %.12s: no such container", id);
}

int container_load_record(int dir_fd, const char *path, const char *id, const JsonField *fields, ContainerConfig *config, Error *reterr) {
        config->stop_timeout = 0;
        int r = load(dir_fd, path, fields, config, reterr);
        if (r == -ENOENT)
                return container_no_such(id, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "container %.12s", id);
        if (config->version > CONTAINER_CONFIG_VERSION)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot open container %.12s: its record has version %d, this sdpod knows %d", id,
                                 config->version, CONTAINER_CONFIG_VERSION);
        if (!str_equal(config->id, id) || !config->name || !container_name_is_valid(config->name))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot open container %.12s: its record is damaged", id);
        return 0;
}

int container_load(const Store *store, const char *id, Container *ret, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        _cleanup_free_ char *path = str_format("containers/%s", id);

        if (!path)
                return error_oom(reterr);
        c.dir_fd = openat(store->data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (c.dir_fd < 0)
                return errno == ENOENT ? container_no_such(id, reterr) : error_set_errno(reterr, -errno, "cannot open container %.12s", id);
        int r = container_load_record(c.dir_fd, "container.json", id, container_config_fields, &c.config, reterr);
        if (r < 0)
                return r;
        r = container_refresh(store, &c, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "container '%s'", c.config.name);
        *ret = c;
        c = CONTAINER_NULL;
        return 0;
}

int container_reload_config(Container *container, Error *reterr) {
        ContainerConfig config = {};
        int r = container_load_record(container->dir_fd, "container.json", container->config.id, container_config_fields, &config, reterr);

        if (r < 0) {
                container_config_done(&config);
                return r;
        }
        container_config_done(&container->config);
        container->config = config;
        return 0;
}

int container_open(const Store *store, const char *name_or_id, Container *ret, Error *reterr) {
        _cleanup_free_ char *id = NULL;
        int r = container_find(store, name_or_id, &id, reterr);

        return r < 0 ? r : container_load(store, id, ret, reterr);
}

/* Of a container that is gone: to take its lock has made the directory again. */
static void forget_lock(const Store *store, Container *container) {
        _cleanup_fd_ int parent = store_open_runtime(store, "containers", /* reterr= */ NULL);

        if (parent >= 0)
                (void) path_remove_tree(parent, container->config.id);
        container_unlock(container);
}

int container_lock(const Store *store, Container *container, Error *reterr) {
        struct stat st;
        int r = take_lock(store, container, reterr);

        if (r < 0 && r != -ENOENT)
                return r;
        /* it may have been removed while we waited, the lock with it */
        if (r < 0 || fstatat(container->dir_fd, "container.json", &st, AT_SYMLINK_NOFOLLOW) < 0) {
                forget_lock(store, container);
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "no container with name or ID '%s' found: no such container",
                                 container->config.name);
        }
        return container_refresh(store, container, reterr);
}

void container_unlock(Container *container) {
        container->lock_fd = fd_close(container->lock_fd);
}

int container_rename(const Store *store, Container *container, const char *name, Error *reterr) {
        /* it may have another name, or another config, than when the record was read: the lock came later */
        int r = container_reload_config(container, reterr);

        if (r < 0)
                return r;
        _cleanup_free_ char *old = strdup(container->config.name);
        if (!old)
                return error_oom(reterr);
        if (!container_name_is_valid(name))
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot rename '%s': '%s' is not a name: use letters, digits, '_', '.' and '-'", old, name);
        if (str_equal(name, old))
                return 0;
        /* a kill leaves it two names: the mark has the other one found. Who holds the mark now does without: a name that leads nowhere is anybody's */
        _cleanup_fd_ int mark = pending_take_now(store, container->config.id);
        r = name_link_take(store, NAME_CONTAINER, name, container->config.id, reterr);
        if (r < 0) {
                pending_drop(store, container->config.id, &mark);
                return r;
        }
        r = str_replace(&container->config.name, name);
        if (r >= 0)
                r = container_save_config(container, reterr);
        /* with the record written the new name is the true one; a crash before leaves two names for one record */
        name_link_drop(store, NAME_CONTAINER, r < 0 ? name : old, container->config.id);
        pending_drop(store, container->config.id, &mark);
        return r;
}

int container_settle_name(const Store *store, Container *container, Error *reterr) {
        int r = container_lock(store, container, reterr);

        if (r >= 0)
                r = container_reload_config(container, reterr);
        if (r >= 0)
                name_link_drop_others(store, NAME_CONTAINER, container->config.name, container->config.id);
        container_unlock(container);
        return r;
}

int container_delete(const Store *store, Container *container, int (*remove_rootfs)(int dir_fd, void *data, Error *reterr),
                     void *data, Error *reterr) {
        _cleanup_free_ char *dead = str_format(".tmp-rm-%s", container->config.id);
        _cleanup_container_config_ ContainerConfig renamed = {}; /* since the record was read */
        const char *id = container->config.id;

        if (!dead)
                return error_oom(reterr);
        /* Without waiting: who holds the mark may be waiting for this container's lock, and marks it as well as we would.
         * Without a mark at all (the disk is full, and removing must work then) a kill leaves more behind. */
        bool was_marked = container->pending_fd < 0 && (container->pending_fd = pending_try(store, id)) >= 0;
        if (container->pending_fd < 0)
                container->pending_fd = pending_take_now(store, id);
        _cleanup_fd_ int parent = store_open_data(store, "containers", reterr);
        if (parent < 0)
                return parent;
        if (read_name(container->dir_fd, "container.json", &renamed) >= 0 && str_replace(&container->config.name, renamed.name) < 0)
                return error_oom(reterr);
        if (was_marked) /* by a command that was killed, a rename perhaps */
                name_link_drop_others(store, NAME_CONTAINER, container->config.name, id);
        name_link_drop(store, NAME_CONTAINER, container->config.name, id);
        if (renameat(parent, id, parent, dead) < 0 && errno != ENOENT)
                return error_set_errno(reterr, -errno, "cannot remove container '%s'", container->config.name);

        int r = remove_rootfs ? remove_rootfs(container->dir_fd, data, reterr) : 0;
        if (r >= 0) {
                r = path_remove_tree(parent, dead);
                if (r < 0)
                        r = error_set_errno(reterr, r, "cannot remove the files of container '%s'", container->config.name);
        }
        _cleanup_fd_ int runtime = store_open_runtime(store, "containers", /* reterr= */ NULL);
        if (runtime >= 0)
                (void) path_remove_tree(runtime, id);
        container_running_unmark(store, id);
        if (r >= 0)
                pending_drop(store, id, &container->pending_fd);
        return r;
}
