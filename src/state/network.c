/* SPDX-License-Identifier: Apache-2.0 */
/* Networks on disk. */
#include "state/network.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/time.h"
#include "state/events.h"

#define DIRECTORY "networks"

static int not_found(const char *name, Error *reterr) {
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "unable to find network with name or ID %s: network not found", name);
}

/* The directory is made with the first network: an ordinary run, which has none, leaves it alone. -ENOENT without a message. */
static int open_directory(const Store *store, Error *reterr) {
        int fd = openat(store->data_fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0)
                return fd;
        return errno == ENOENT ? -ENOENT : error_set_errno(reterr, -errno, "cannot open '%s/" DIRECTORY "'", store->data_path);
}

static int load(int dir_fd, const char *name, NetworkConfig *ret, Error *reterr) {
        _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL;
        int r = dir_fd < 0 ? -ENOENT : json_fields_read(dir_fd, name, JSON_RECORD_LIMIT, network_config_fields, &config, reterr);

        if (r == -ENOENT && str_equal(name, NETWORK_DEFAULT))
                return network_config_default(ret) < 0 ? error_oom(reterr) : 0;
        if (r == -ENOENT)
                return not_found(name, reterr);
        if (r >= 0)
                r = network_config_check(&config, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot read network '%s'", name);
        if (!str_equal(config.name, name))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot read network '%s': it is the record of '%s'", name, config.name);
        *ret = config;
        config = NETWORK_CONFIG_NULL;
        return 0;
}

int network_load(const Store *store, const char *name, NetworkConfig *ret, Error *reterr) {
        if (!network_name_is_valid(name))
                return not_found(name, reterr);
        _cleanup_fd_ int dir_fd = open_directory(store, reterr);
        return dir_fd < 0 && dir_fd != -ENOENT ? dir_fd : load(dir_fd, name, ret, reterr);
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int network_list(const Store *store, char ***ret, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        int r = strv_append(&names, NETWORK_DEFAULT), fd = open_directory(store, reterr);

        if (fd < 0 && fd != -ENOENT)
                return fd;
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (fd >= 0 && !dir) {
                (void) fd_close(fd);
                return error_set_errno(reterr, -errno, "cannot list the networks");
        }
        for (struct dirent *e; dir && r >= 0 && (e = readdir(dir));)
                if (network_name_is_valid(e->d_name) && !str_equal(e->d_name, NETWORK_DEFAULT))
                        r = strv_append(&names, e->d_name);
        if (dir)
                (void) closedir(dir);
        if (r < 0)
                return error_oom(reterr);
        qsort(names, strv_length(names), sizeof(*names), compare);
        *ret = TAKE_PTR(names);
        return 0;
}

/* By an ID or the beginning of one: all records are read. */
static int find_by_id(const Store *store, int dir_fd, const char *id, NetworkConfig *ret, Error *reterr) {
        _cleanup_network_config_ NetworkConfig found = NETWORK_CONFIG_NULL;
        _cleanup_strv_ char **names = NULL;
        int r = network_list(store, &names, reterr);

        if (r < 0)
                return r;
        for (char **name = names; *name; name++) {
                _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL;

                /* one that is damaged or was removed meanwhile is not the one */
                if (load(dir_fd, *name, &config, /* reterr= */ NULL) < 0 || !str_after(config.id, id))
                        continue;
                if (found.id)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "more than one result for network ID %s", id);
                found = config;
                config = NETWORK_CONFIG_NULL;
        }
        if (!found.id)
                return not_found(id, reterr);
        *ret = found;
        found = NETWORK_CONFIG_NULL;
        return 0;
}

int network_open(const Store *store, const char *name_or_id, NetworkConfig *ret, Error *reterr) {
        if (!network_name_is_valid(name_or_id))
                return not_found(name_or_id, reterr);
        _cleanup_fd_ int dir_fd = open_directory(store, reterr);
        if (dir_fd < 0 && dir_fd != -ENOENT)
                return dir_fd;
        int r = load(dir_fd, name_or_id, ret, reterr);
        if (r != -ENOENT)
                return r;
        error_done(reterr);
        return find_by_id(store, dir_fd, name_or_id, ret, reterr);
}

int network_lock(const Store *store, Error *reterr) {
        _cleanup_fd_ int dir_fd = store_open_data(store, DIRECTORY, reterr);
        int lock = dir_fd < 0 ? dir_fd : store_lock(dir_fd, ".lock", /* exclusive= */ true, reterr);

        if (lock >= 0)
                file_collect_temporary(dir_fd);
        return lock;
}

int network_save(const Store *store, const NetworkConfig *config, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;
        int r = network_config_check(config, reterr);

        if (r < 0)
                return error_prefix(reterr, r, "cannot write network '%s'", config->name ?: "");
        _cleanup_fd_ int dir_fd = store_open_data(store, DIRECTORY, reterr);
        if (dir_fd < 0)
                return dir_fd;
        json = json_fields_save(network_config_fields, config);
        r = json ? json_write(dir_fd, config->name, json, 0600, FILE_DURABLE, reterr) : error_oom(reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot write network '%s'", config->name) : 0;
}

int network_create(const Store *store, NetworkConfig *config, Error *reterr) {
        _cleanup_network_config_ NetworkConfig old = NETWORK_CONFIG_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        int r = network_load(store, config->name, &old, &error);

        if (r >= 0)
                return error_set(reterr, -EEXIST, ERROR_EXISTS, "network name %s already used: network already exists", config->name);
        if (r != -ENOENT)
                return error_move(reterr, &error);
        if (!config->id && !(config->id = str_random_id(NETWORK_ID_LENGTH)))
                return error_oom(reterr);
        config->created_usec = time_now_usec();
        r = network_save(store, config, reterr);
        if (r >= 0)
                event_named(store, "network", "create", config->id, config->name);
        return r;
}

int network_remove(const Store *store, const NetworkConfig *config, Error *reterr) {
        _cleanup_fd_ int dir_fd = open_directory(store, reterr);

        if (dir_fd < 0 && dir_fd != -ENOENT)
                return dir_fd;
        if (dir_fd < 0 || unlinkat(dir_fd, config->name, 0) < 0)
                return dir_fd < 0 || errno == ENOENT ? not_found(config->name, reterr)
                                                     : error_set_errno(reterr, -errno, "cannot remove network '%s'", config->name);
        event_named(store, "network", "remove", config->id, config->name);
        return 0;
}
