/* SPDX-License-Identifier: Apache-2.0 */
/* A container's directory: its record, its lock, and what it is right now. */
#include "oci/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/process.h"

#define RECORD "state.json"
#define RECORD_CREATING "creating.json"

enum { ID_LENGTH_MAX = 255 };

#define FIELD(member, name, type) JSON_FIELD(OciRecord, member, name, type)
static const JsonField fields[] = {
        FIELD(id, "id", JSON_FIELD_STRING),
        FIELD(oci_version, "ociVersion", JSON_FIELD_STRING),
        FIELD(bundle, "bundle", JSON_FIELD_STRING),
        FIELD(rootfs, "rootfs", JSON_FIELD_STRING),
        FIELD(created_usec, "created", JSON_FIELD_INT64),
        FIELD(pid, "pid", JSON_FIELD_INT),
        FIELD(start_time, "startTime", JSON_FIELD_UINT64),
        FIELD(annotations, "annotations", JSON_FIELD_PAIRS),
        FIELD(own_pid_namespace, "ownPidNamespace", JSON_FIELD_BOOL),
        FIELD(has_poststart, "hasPoststart", JSON_FIELD_BOOL),
        FIELD(has_poststop, "hasPoststop", JSON_FIELD_BOOL),
        FIELD(has_host_mounts, "hasHostMounts", JSON_FIELD_BOOL),
        FIELD(mount_below, "mountBelow", JSON_FIELD_UINT64),
        FIELD(root_mount, "rootMount", JSON_FIELD_UINT64),
        JSON_FIELD_OBJECT_OF(OciRecord, cgroup, "cgroup", runtime_cgroup_fields),
        {},
};

const char *oci_status_to_string(OciStatus status) {
        static const char *const names[_OCI_STATUS_MAX] = {
                [OCI_CREATING] = "creating", [OCI_CREATED] = "created", [OCI_RUNNING] = "running",
                [OCI_PAUSED] = "paused",     [OCI_STOPPED] = "stopped",
        };

        return names[status];
}

void oci_container_unlock(OciContainer *container) {
        /* whoever has a copy of the descriptor must not keep the lock */
        if (container->is_locked)
                (void) flock(container->dir_fd, LOCK_UN);
        container->is_locked = false;
}

void oci_container_done(OciContainer *container) {
        oci_container_unlock(container);
        json_fields_done(fields, &container->record);
        free(container->id);
        (void) fd_close(container->dir_fd);
        (void) fd_close(container->pidfd);
        *container = OCI_CONTAINER_NULL;
}

int oci_id_check(const char *id, Error *reterr) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
        size_t n = strspn(id, allowed);

        if (!*id)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use an empty container ID");
        if (id[n] || *id == '.') /* the end is crun's */
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the container ID '%s': invalid character `%c` in the ID", id,
                                 id[n] ? id[n] : '.');
        if (n > ID_LENGTH_MAX)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the container ID '%s': longer than %d characters", id,
                                 ID_LENGTH_MAX);
        return 0;
}

static int no_such(const char *id, Error *reterr) {
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find the container '%s': container does not exist", id);
}

/* Waits for the lock. -ENOENT: it was removed meanwhile. */
static int lock_directory(OciContainer *c, Error *reterr) {
        struct stat st;

        if (RETRY_EINTR(flock(c->dir_fd, LOCK_EX)) < 0)
                return error_set_errno(reterr, -errno, "cannot lock the container '%s'", c->id);
        c->is_locked = true;
        if (fstat(c->dir_fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot look at the container '%s'", c->id);
        return st.st_nlink > 0 ? 0 : no_such(c->id, reterr);
}

static int open_directory(const OciRoot *root, const char *id, OciContainer *ret, Error *reterr) {
        OciContainer c = OCI_CONTAINER_NULL;
        struct stat st;

        c.root_fd = root->fd;
        c.id = strdup(id);
        if (!c.id)
                return error_oom(reterr);
        c.dir_fd = openat(root->fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r = c.dir_fd < 0 || fstat(c.dir_fd, &st) < 0 ? -errno : 0;
        if (r >= 0 && st.st_uid != geteuid() && st.st_uid != 0) /* in a --root where others may make directories */
                r = -EPERM;
        if (r >= 0) {
                c.owner = st.st_uid;
                *ret = c;
                return 0;
        }
        oci_container_done(&c);
        return r == -ENOENT ? no_such(id, reterr) : error_set_errno(reterr, r, "cannot open the container '%s'", id);
}

int oci_container_make(const OciRoot *root, const char *id, OciContainer *ret, Error *reterr) {
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;

        int r = oci_id_check(id, reterr);
        if (r < 0)
                return r;
        if (mkdirat(root->fd, id, 0700) < 0)
                return errno == EEXIST ? error_set(reterr, -EEXIST, ERROR_EXISTS,
                                                   "cannot create the container '%s': container with given ID already exists", id)
                                       : error_set_errno(reterr, -errno, "cannot create the container '%s'", id);
        r = open_directory(root, id, &c, reterr);
        if (r >= 0)
                r = lock_directory(&c, reterr);
        if (r >= 0) {
                c.is_creating = true;
                *ret = c;
                c = OCI_CONTAINER_NULL;
        }
        return r;
}

/* The record may become the other one between the two looks: then it is there at the third. */
static int load_record(OciContainer *c, Error *reterr) {
        static const char *const names[] = { RECORD, RECORD_CREATING, RECORD };
        int r = -ENOENT;

        for (size_t i = 0; i < ELEMENTSOF(names) && r == -ENOENT; i++) {
                r = json_fields_read(c->dir_fd, names[i], JSON_RECORD_LIMIT, fields, &c->record, reterr);
                c->is_creating = i == 1;
        }
        if (r == -ENOENT)
                return 0;
        if (r >= 0 && !str_equal(c->record.id, c->id))
                r = error_set(reterr, -EBADMSG, ERROR_CORRUPT, "it is another container's");
        if (r < 0)
                return error_prefix(reterr, r, "cannot read the record of the container '%s'", c->id);
        c->has_record = true;
        if (c->record.pid > 0) {
                c->pidfd = process_open(c->record.pid, c->record.start_time);
                if (c->pidfd >= 0 && process_has_ended(c->pidfd))
                        c->pidfd = fd_close(c->pidfd);
        }
        return 0;
}

int oci_container_open(const OciRoot *root, const char *id, bool lock, OciContainer *ret, Error *reterr) {
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;

        int r = oci_id_check(id, reterr);
        if (r >= 0)
                r = open_directory(root, id, &c, reterr);
        if (r >= 0 && lock)
                r = lock_directory(&c, reterr);
        if (r >= 0)
                r = load_record(&c, reterr);
        if (r >= 0) {
                *ret = c;
                c = OCI_CONTAINER_NULL;
        }
        return r;
}

int oci_container_find(const GlobalOptions *global, const char *id, bool lock, OciRoot *root, OciContainer *ret, Error *reterr) {
        int r = oci_id_check(id, reterr);

        if (r >= 0) {
                r = oci_root_open(global, /* make= */ false, root, reterr);
                if (r == -ENOENT)
                        return no_such(id, reterr);
        }
        return r < 0 ? r : oci_container_open(root, id, lock, ret, reterr);
}

int oci_container_save(const OciContainer *container, Error *reterr) {
        _cleanup_json_ json_t *json = json_fields_save(fields, &container->record);

        if (!json)
                return error_oom(reterr);
        return json_write(container->dir_fd, container->is_creating ? RECORD_CREATING : RECORD, json, 0600, FILE_VOLATILE, reterr);
}

int oci_container_commit(OciContainer *container, Error *reterr) {
        if (renameat(container->dir_fd, RECORD_CREATING, container->dir_fd, RECORD) < 0)
                return error_set_errno(reterr, -errno, "cannot write the record of the container '%s'", container->id);
        container->is_creating = false;
        container->has_record = true;
        return 0;
}

/* Whether somebody else holds the lock. */
static bool is_at_work(const OciContainer *c) {
        int fd = openat(c->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool taken = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;

        (void) fd_close(fd);
        return taken;
}

OciStatus oci_container_status(OciContainer *container) {
        if (!container->has_record || container->is_creating)
                return !container->is_locked && is_at_work(container) ? OCI_CREATING : OCI_STOPPED;
        if (container->pidfd < 0)
                return OCI_STOPPED;
        if (runtime_cgroup_is_frozen(&container->record.cgroup))
                return OCI_PAUSED;
        return oci_is_waiting(container->dir_fd) ? OCI_CREATED : OCI_RUNNING;
}

int oci_container_remove(OciContainer *container, Error *reterr) {
        int r = path_remove_tree(container->root_fd, container->id);

        return r < 0 ? error_set_errno(reterr, r, "cannot remove the state of the container '%s'", container->id) : 0;
}

int oci_container_open_directory(const OciContainer *container, Error *reterr) {
        int fd = openat(container->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? error_set_errno(reterr, -errno, "cannot open the container '%s'", container->id) : fd;
}

static int compare_ids(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int oci_container_list(const OciRoot *root, char ***ret, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int fd = openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir)
                return error_set_errno(reterr, -errno, "cannot read '%s'", root->path);
        for (struct dirent *entry; r >= 0 && (entry = readdir(dir));)
                if (oci_id_check(entry->d_name, /* reterr= */ NULL) >= 0)
                        r = strv_append(&ids, entry->d_name);
        (void) closedir(dir);
        if (r < 0)
                return error_oom(reterr);
        if (ids)
                qsort(ids, strv_length(ids), sizeof(char *), compare_ids);
        *ret = TAKE_PTR(ids);
        return 0;
}

int oci_container_spec(const OciContainer *container, RuntimeSpec *ret, Error *reterr) {
        _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;

        int r = runtime_spec_read(container->dir_fd, "config.json", &spec, reterr);
        if (r >= 0)
                r = oci_spec_complete(&spec, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot use the container '%s'", container->id);
        *ret = spec;
        spec = RUNTIME_SPEC_NULL;
        return 0;
}
