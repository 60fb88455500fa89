/* SPDX-License-Identifier: Apache-2.0 */
/* Pods on disk. */
#include "state/pod.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/time.h"
#include "state/name-link.h"
#include "state/name.h"

#define DIRECTORY "pods"
#define RECORD "pod.json"
#define MEMBERS "members"

/* Held from the making of a directory until its name is there, and by who removes directories without a name. */
#define LOCK "pods.lock"

void pod_done(Pod *pod) {
        pod_config_done(&pod->config);
        (void) fd_close(pod->dir_fd);
        (void) fd_close(pod->lock_fd);
        *pod = POD_NULL;
}

int pod_save(const Pod *pod, Error *reterr) {
        _cleanup_json_ json_t *json = json_fields_save(pod_config_fields, &pod->config);

        return json_write(pod->dir_fd, RECORD, json, 0600, FILE_DURABLE, reterr);
}

static int take_lock(Pod *pod, Error *reterr) {
        pod->lock_fd = store_lock(pod->dir_fd, "lock", /* exclusive= */ true, reterr);
        return pod->lock_fd < 0 ? pod->lock_fd : 0;
}

/* As a container's: the record is complete before its name is there. */
static int take_name(const Store *store, Pod *pod, Error *reterr) {
        PodConfig *config = &pod->config;
        bool given = config->name;

        for (;;) {
                if (!given) {
                        free(config->name);
                        if (!(config->name = name_generate()))
                                return error_oom(reterr);
                }
                int r = pod_save(pod, reterr);
                if (r >= 0)
                        r = name_link_take(store, NAME_POD, config->name, config->id, reterr);
                if (r == -EEXIST && !given) {
                        error_done(reterr);
                        continue;
                }
                return r;
        }
}

static int make(const Store *store, int parent, Pod *pod, Error *reterr) {
        if (mkdirat(parent, pod->config.id, 0700) < 0)
                return error_set_errno(reterr, -errno, "cannot make the record of pod %.12s", pod->config.id);
        pod->dir_fd = openat(parent, pod->config.id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (pod->dir_fd < 0 || mkdirat(pod->dir_fd, MEMBERS, 0700) < 0)
                return error_set_errno(reterr, -errno, "cannot make the record of pod %.12s", pod->config.id);
        int r = take_lock(pod, reterr);
        return r < 0 ? r : take_name(store, pod, reterr);
}

int pod_create(const Store *store, PodConfig *config, Pod *ret, Error *reterr) {
        _cleanup_pod_ Pod pod = POD_NULL;

        if (!config->id && !(config->id = str_random_id(CONTAINER_ID_LENGTH)))
                return error_oom(reterr);
        config->created_usec = time_now_usec();
        config->version = POD_CONFIG_VERSION;
        _cleanup_fd_ int lock = store_lock(store->data_fd, LOCK, /* exclusive= */ true, reterr);
        _cleanup_fd_ int parent = lock < 0 ? lock : store_open_data(store, DIRECTORY, reterr);
        if (parent < 0)
                return parent;
        pod.config = *config;
        int r = make(store, parent, &pod, reterr);
        *config = pod.config; /* the caller's again until all went well */
        if (r < 0) {
                pod.config = POD_CONFIG_NULL;
                (void) path_remove_tree(parent, config->id);
                return r;
        }
        *config = POD_CONFIG_NULL;
        *ret = pod;
        pod = POD_NULL;
        return 0;
}

int pod_list(const Store *store, char ***ret, Error *reterr) {
        return name_link_list(store, NAME_POD, ret, reterr);
}

static int find_by_prefix(const Store *store, const char *prefix, char **ret_id, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        const char *found = NULL;
        int r = pod_list(store, &ids, reterr);

        if (r < 0)
                return r;
        for (char **id = ids; id && *id; id++) {
                if (!str_after(*id, prefix))
                        continue;
                if (found)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "more than one pod has an ID that begins with '%s'", prefix);
                found = *id;
        }
        if (!found)
                return -ENOENT;
        return (*ret_id = strdup(found)) ? 0 : error_oom(reterr);
}

int pod_find(const Store *store, const char *name_or_id, char **ret_id, Error *reterr) {
        size_t digits = strspn(name_or_id, "0123456789abcdef");
        char id[CONTAINER_ID_LENGTH + 1];

        if (container_name_is_valid(name_or_id) && name_link_find(store, NAME_POD, name_or_id, id) >= 0)
                return (*ret_id = strdup(id)) ? 0 : error_oom(reterr);
        int r = digits > 0 && digits <= CONTAINER_ID_LENGTH && !name_or_id[digits] ? find_by_prefix(store, name_or_id, ret_id, reterr) : -ENOENT;
        return r == -ENOENT ? error_set(reterr, r, ERROR_NOT_FOUND, "no pod with name or ID '%s' found: no such pod", name_or_id) : r;
}

int pod_load(const Store *store, const char *id, Pod *ret, Error *reterr) {
        _cleanup_pod_ Pod pod = POD_NULL;
        _cleanup_free_ char *path = str_format(DIRECTORY "/%s", id);

        if (!path)
                return error_oom(reterr);
        pod.dir_fd = openat(store->data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r = pod.dir_fd < 0 ? -errno : json_fields_read(pod.dir_fd, RECORD, JSON_RECORD_LIMIT, pod_config_fields, &pod.config, reterr);
        if (r == -ENOENT)
                return error_set(reterr, r, ERROR_NOT_FOUND, "cannot open pod %.12s: no such pod", id);
        if (r < 0)
                return error_prefix(reterr, r, "pod %.12s", id);
        if (pod.config.version > POD_CONFIG_VERSION)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot open pod %.12s: its record has version %d, this sdpod knows %d", id, pod.config.version,
                                 POD_CONFIG_VERSION);
        if (!str_equal(pod.config.id, id) || !pod.config.name || !container_name_is_valid(pod.config.name) ||
            (pod.config.cgroup_parent && !str_has_suffix(pod.config.cgroup_parent, ".slice")))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot open pod %.12s: its record is damaged", id);
        *ret = pod;
        pod = POD_NULL;
        return 0;
}

int pod_open(const Store *store, const char *name_or_id, Pod *ret, Error *reterr) {
        _cleanup_free_ char *id = NULL;
        int r = pod_find(store, name_or_id, &id, reterr);

        return r < 0 ? r : pod_load(store, id, ret, reterr);
}

int pod_lock(Pod *pod, Error *reterr) {
        int r = take_lock(pod, reterr);

        if (r >= 0 && faccessat(pod->dir_fd, RECORD, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                r = -ENOENT;
        if (r == -ENOENT) {
                pod_unlock(pod);
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "no pod with name or ID '%s' found: no such pod", pod->config.name);
        }
        return r;
}

void pod_unlock(Pod *pod) {
        pod->lock_fd = fd_close(pod->lock_fd);
}

static bool is_id(const char *text) {
        return strlen(text) == CONTAINER_ID_LENGTH && strspn(text, "0123456789abcdef") == CONTAINER_ID_LENGTH;
}

/* The names in a directory that are IDs. Takes the descriptor over. */
static int list_ids(int fd, char ***ret, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        int r = 0;

        if (!dir) {
                r = error_set_errno(reterr, -errno, "cannot list the containers of the pod");
                (void) fd_close(fd);
                return r;
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));)
                if (is_id(e->d_name))
                        r = strv_append(&ids, e->d_name);
        (void) closedir(dir);
        if (r < 0)
                return error_oom(reterr);
        *ret = TAKE_PTR(ids);
        return 0;
}

int pod_members(const Pod *pod, char ***ret, Error *reterr) {
        return list_ids(openat(pod->dir_fd, MEMBERS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), ret, reterr);
}

int pod_add_member(const Pod *pod, const char *container_id, Error *reterr) {
        _cleanup_free_ char *path = str_format(MEMBERS "/%s", container_id);

        if (!path)
                return error_oom(reterr);
        _cleanup_fd_ int fd = openat(pod->dir_fd, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? error_set_errno(reterr, -errno, "cannot add a container to pod '%s'", pod->config.name) : 0;
}

void pod_drop_member(const Store *store, const char *pod_id, const char *container_id) {
        _cleanup_free_ char *path = str_format(DIRECTORY "/%s/" MEMBERS "/%s", pod_id, container_id);

        if (path)
                (void) unlinkat(store->data_fd, path, 0);
}

int pod_delete(const Store *store, Pod *pod, Error *reterr) {
        _cleanup_fd_ int parent = store_open_data(store, DIRECTORY, reterr);

        if (parent < 0)
                return parent;
        name_link_drop(store, NAME_POD, pod->config.name, pod->config.id);
        (void) unlinkat(pod->dir_fd, RECORD, 0); /* who waits for the lock sees that it is gone */
        int r = path_remove_tree(parent, pod->config.id);
        return r < 0 && r != -ENOENT ? error_set_errno(reterr, r, "cannot remove the files of pod '%s'", pod->config.name) : 0;
}

void pod_collect(const Store *store) {
        _cleanup_strv_ char **named = NULL, **ids = NULL;
        int fd = openat(store->data_fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return; /* there never was a pod */
        _cleanup_fd_ int lock = store_lock(store->data_fd, LOCK, /* exclusive= */ true, /* reterr= */ NULL);
        _cleanup_fd_ int parent = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (list_ids(fd, &ids, /* reterr= */ NULL) < 0 || lock < 0 || pod_list(store, &named, /* reterr= */ NULL) < 0)
                return;
        for (char **id = ids; id && *id; id++)
                if (!strv_contains(named, *id))
                        (void) path_remove_tree(parent, *id);
}
