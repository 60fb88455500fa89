/* SPDX-License-Identifier: Apache-2.0 */
/* Named and anonymous volumes. */
#include "storage/volume.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/time.h"
#include "spec/container.h"
#include "state/events.h"
#include "storage/mapped.h"

#define DYING ".tmp-rm-" /* the name of one that is being removed begins so */

const JsonField volume_fields[] = {
        JSON_FIELD(Volume, name, "name", JSON_FIELD_STRING),
        JSON_FIELD(Volume, created_usec, "createdUSec", JSON_FIELD_INT64),
        JSON_FIELD(Volume, labels, "labels", JSON_FIELD_PAIRS),
        JSON_FIELD(Volume, options, "options", JSON_FIELD_PAIRS),
        JSON_FIELD(Volume, anonymous, "anonymous", JSON_FIELD_BOOL),
        JSON_FIELD(Volume, needs_copy_up, "needsCopyUp", JSON_FIELD_BOOL),
        {},
};

void volume_done(Volume *volume) {
        json_fields_done(volume_fields, volume);
}

static int check_name(const char *name, Error *reterr) {
        if (container_name_is_valid(name))
                return 0;
        return error_set(reterr, -EINVAL, ERROR_INVALID,
                         "cannot use volume '%s': a name has letters, digits, '_', '.' and '-' and begins with a letter or digit", name);
}

static int save(int dir_fd, const Volume *volume, Error *reterr) {
        _cleanup_json_ json_t *json = json_fields_save(volume_fields, volume);

        return json_write(dir_fd, "volume.json", json, 0600, FILE_DURABLE, reterr);
}

int volume_create(const Store *store, Volume *volume, Error *reterr) {
        struct stat st;

        int r = check_name(volume->name, reterr);
        if (r < 0)
                return r;
        _cleanup_fd_ int parent = store_open_data(store, "volumes", reterr);
        if (parent < 0)
                return parent;
        if (mkdirat(parent, volume->name, 0700) < 0 && errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make volume '%s'", volume->name);
        _cleanup_fd_ int dir_fd = openat(parent, volume->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open volume '%s'", volume->name);
        _cleanup_fd_ int lock = store_lock(dir_fd, "lock", /* exclusive= */ true, reterr);
        if (lock < 0)
                return lock;
        if (fstatat(dir_fd, "volume.json", &st, AT_SYMLINK_NOFOLLOW) == 0)
                return error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot make volume '%s': volume already exists", volume->name);
        if (mkdirat(dir_fd, "_data", 0755) < 0 && errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make volume '%s'", volume->name);
        if (fchmodat(dir_fd, "_data", 0755, 0) < 0) /* whatever the umask is */
                return error_set_errno(reterr, -errno, "cannot make volume '%s'", volume->name);
        volume->created_usec = time_now_usec();
        volume->needs_copy_up = true;
        r = save(dir_fd, volume, reterr);
        if (r >= 0)
                event_named(store, "volume", "create", /* id= */ NULL, volume->name);
        return r;
}

static int open_volume(const Store *store, const char *name, Error *reterr) {
        int r = check_name(name, reterr);

        if (r < 0)
                return r;
        _cleanup_fd_ int parent = store_open_data(store, "volumes", reterr);
        if (parent < 0)
                return parent;
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "no volume with name '%s' found: no such volume", name)
                                       : error_set_errno(reterr, -errno, "cannot open volume '%s'", name);
        return fd;
}

int volume_load(const Store *store, const char *name, Volume *ret, Error *reterr) {
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        _cleanup_fd_ int dir_fd = open_volume(store, name, reterr);

        if (dir_fd < 0)
                return dir_fd;
        int r = json_fields_read(dir_fd, "volume.json", JSON_RECORD_LIMIT, volume_fields, &volume, reterr);
        if (r == -ENOENT)
                return error_set(reterr, r, ERROR_NOT_FOUND, "no volume with name '%s' found: no such volume", name);
        if (r < 0)
                return error_prefix(reterr, r, "cannot read volume '%s'", name);
        *ret = volume;
        volume = VOLUME_NULL;
        return 0;
}

int volume_ensure(const Store *store, const char *name, bool anonymous, Volume *ret, Error *reterr) {
        _cleanup_volume_ Volume volume = { .anonymous = anonymous };
        int r = volume_load(store, name, ret, reterr);

        if (r != -ENOENT)
                return r;
        error_done(reterr);
        if (!(volume.name = strdup(name)))
                return error_oom(reterr);
        r = volume_create(store, &volume, reterr);
        if (r == -EEXIST) {
                error_done(reterr);
                return volume_load(store, name, ret, reterr);
        }
        if (r < 0)
                return r;
        *ret = volume;
        volume = VOLUME_NULL;
        return 0;
}

int volume_mark_filled(const Store *store, Volume *volume, Error *reterr) {
        _cleanup_fd_ int dir_fd = open_volume(store, volume->name, reterr);

        if (dir_fd < 0)
                return dir_fd;
        volume->needs_copy_up = false;
        return save(dir_fd, volume, reterr);
}

char *volume_data_path(const Store *store, const char *name) {
        return str_format("%s/volumes/%s/_data", store->data_path, name);
}

int volume_list(const Store *store, char ***ret, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        int fd = store_open_data(store, "volumes", reterr), r = 0;

        if (fd < 0)
                return fd;
        DIR *dir = fdopendir(fd);
        if (!dir) {
                (void) fd_close(fd);
                return error_set_errno(reterr, -errno, "cannot list the volumes");
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                _cleanup_free_ char *record = str_format("%s/volume.json", e->d_name);

                if (record && *e->d_name != '.' && faccessat(dirfd(dir), record, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        r = strv_append(&names, e->d_name);
        }
        (void) closedir(dir);
        if (r < 0)
                return error_oom(reterr);
        *ret = TAKE_PTR(names);
        return 0;
}

int volume_remove(const Store *store, const char *name, Error *reterr) {
        _cleanup_free_ char *dead = str_format(DYING "%.200s", name); /* together no more than NAME_MAX */
        int r = check_name(name, reterr);

        if (r < 0)
                return r;
        if (!dead)
                return error_oom(reterr);
        _cleanup_fd_ int parent = store_open_data(store, "volumes", reterr);
        if (parent < 0)
                return parent;
        r = renameat(parent, name, parent, dead) < 0 ? -errno : 0;
        if (r == -ENOTEMPTY || r == -EEXIST) { /* an earlier removal of that name was killed */
                r = mapped_remove_tree(parent, dead, reterr);
                if (r < 0)
                        return r;
                r = renameat(parent, name, parent, dead) < 0 ? -errno : 0;
        }
        if (r < 0)
                return r == -ENOENT ? error_set(reterr, r, ERROR_NOT_FOUND, "no volume with name '%s' found: no such volume", name)
                                    : error_set_errno(reterr, r, "cannot remove volume '%s'", name);
        event_named(store, "volume", "remove", /* id= */ NULL, name);
        return mapped_remove_tree(parent, dead, reterr);
}

void volume_collect(const Store *store) {
        int fd = store_open_data(store, "volumes", /* reterr= */ NULL);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir) {
                (void) fd_close(fd);
                return;
        }
        for (struct dirent *e; (e = readdir(dir));)
                if (str_after(e->d_name, DYING))
                        (void) mapped_remove_tree(dirfd(dir), e->d_name, /* reterr= */ NULL);
        (void) closedir(dir);
}
