/* SPDX-License-Identifier: Apache-2.0 */
/* Named and anonymous volumes. */
#include "storage/volume.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/io.h"
#include "base/str.h"
#include "base/time.h"
#include "spec/container.h"
#include "state/events.h"
#include "storage/mapped.h"

#define DYING ".tmp-rm-" /* the name of one that is being removed begins so */

static const JsonField volume_fields[] = {
        JSON_FIELD(Volume, name, "name", JSON_FIELD_STRING),
        JSON_FIELD(Volume, created_usec, "createdUSec", JSON_FIELD_INT64),
        JSON_FIELD(Volume, driver, "driver", JSON_FIELD_STRING),
        JSON_FIELD(Volume, labels, "labels", JSON_FIELD_PAIRS),
        JSON_FIELD(Volume, options, "options", JSON_FIELD_PAIRS),
        JSON_FIELD(Volume, image_id, "imageId", JSON_FIELD_STRING),
        JSON_FIELD(Volume, layers, "layers", JSON_FIELD_STRV),
        JSON_FIELD(Volume, owned, "owned", JSON_FIELD_BOOL),
        JSON_FIELD(Volume, uid, "uid", JSON_FIELD_UINT32),
        JSON_FIELD(Volume, gid, "gid", JSON_FIELD_UINT32),
        JSON_FIELD(Volume, anonymous, "anonymous", JSON_FIELD_BOOL),
        JSON_FIELD(Volume, needs_copy_up, "needsCopyUp", JSON_FIELD_BOOL),
        JSON_FIELD(Volume, taken, "taken", JSON_FIELD_BOOL),
        {},
};

void volume_done(Volume *volume) {
        json_fields_done(volume_fields, volume);
}

VolumeKind volume_kind(const Volume *volume) {
        const char *type = strv_env_get(volume->options, "type"), *words = strv_env_get(volume->options, "o");

        if (str_equal(volume->driver, "image"))
                return VOLUME_IMAGE;
        if (str_equal(type, "tmpfs"))
                return VOLUME_TMPFS;
        _cleanup_strv_ char **list = words ? strv_split(words, ",") : NULL;
        return strv_contains(list, "bind") || strv_contains(list, "rbind") ? VOLUME_BIND : VOLUME_DIRECTORY;
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

/* _data, whatever the umask is. */
static int make_data(const Store *store, int dir_fd, const Volume *volume, Error *reterr) {
        _cleanup_user_map_ UserMap base = {};
        _cleanup_free_ char *path = volume_data_path(store, volume->name);

        if (!path)
                return error_oom(reterr);
        if ((mkdirat(dir_fd, "_data", 0755) < 0 && errno != EEXIST) || fchmodat(dir_fd, "_data", 0755, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot make volume '%s'", volume->name);
        if (!volume->owned)
                return 0;
        int r = user_map_default(&base, reterr);
        if (r >= 0)
                r = mapped_change_owner(&base, path, volume->uid, volume->gid, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot give volume '%s' to %u:%u", volume->name, volume->uid, volume->gid) : 0;
}

/* Its directory, which may be there already: a command was killed, or another one makes the same volume. */
static int make_locked(int parent, const char *name, int *ret_dir_fd, int *ret_lock, Error *reterr) {
        for (;;) {
                if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
                        return error_set_errno(reterr, -errno, "cannot make volume '%s'", name);
                _cleanup_fd_ int dir_fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (dir_fd < 0 && errno != ENOENT)
                        return error_set_errno(reterr, -errno, "cannot open volume '%s'", name);
                int lock = dir_fd < 0 ? -ENOENT : store_lock(dir_fd, "lock", /* exclusive= */ true, reterr);
                if (lock == -ENOENT) { /* removed meanwhile */
                        error_done(reterr);
                        continue;
                }
                if (lock < 0)
                        return lock;
                *ret_dir_fd = TAKE_FD(dir_fd);
                *ret_lock = lock;
                return 0;
        }
}

/* What a command that failed or was killed left of a volume that it was making: neither a record nor a file in it. */
static void collect_unfinished(int parent, const char *name) {
        _cleanup_fd_ int dir_fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), data = -EBADF, lock = -EBADF;
        _cleanup_free_ char *dead = str_format(DYING "%.200s", name);

        if (dir_fd < 0 || !dead || faccessat(dir_fd, "volume.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return;
        lock = store_lock(dir_fd, "lock", /* exclusive= */ true, /* reterr= */ NULL);
        if (lock < 0 || faccessat(dir_fd, "volume.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
                return;
        data = openat(dir_fd, "_data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (data < 0 ? errno != ENOENT : copy_directory_is_empty(data) <= 0)
                return;
        if (renameat(parent, name, parent, dead) == 0)
                (void) mapped_remove_tree(parent, dead, /* reterr= */ NULL);
}

static int make(const Store *store, int parent, Volume *volume, Error *reterr) {
        _cleanup_fd_ int dir_fd = -EBADF, lock = -EBADF;
        struct stat st;

        int r = make_locked(parent, volume->name, &dir_fd, &lock, reterr);
        if (r < 0)
                return r;
        if (fstatat(dir_fd, "volume.json", &st, AT_SYMLINK_NOFOLLOW) == 0)
                return error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot make volume '%s': volume already exists", volume->name);
        r = make_data(store, dir_fd, volume, reterr);
        if (r < 0)
                return r;
        volume->created_usec = time_now_usec();
        volume->needs_copy_up = true;
        return save(dir_fd, volume, reterr);
}

int volume_create(const Store *store, Volume *volume, Error *reterr) {
        int r = check_name(volume->name, reterr);
        if (r < 0)
                return r;
        _cleanup_fd_ int parent = store_open_data(store, "volumes", reterr);
        if (parent < 0)
                return parent;
        r = make(store, parent, volume, reterr);
        if (r < 0)
                collect_unfinished(parent, volume->name);
        else
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
        if (!str_equal(volume.name, name))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot read volume '%s': its record is damaged", name);
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

/* One that is still empty is filled by the next container that has something for it, as in Podman. */
static int mark_taken(const Store *store, Volume *volume, Error *reterr) {
        _cleanup_fd_ int dir_fd = open_volume(store, volume->name, reterr), data = -EBADF;

        if (dir_fd < 0)
                return dir_fd;
        data = openat(dir_fd, "_data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        bool empty = data >= 0 && copy_directory_is_empty(data) > 0;
        if (volume->taken && (empty || !volume->needs_copy_up))
                return 0;
        volume->needs_copy_up = volume->needs_copy_up && empty;
        volume->taken = true;
        return save(dir_fd, volume, reterr);
}

int volume_open(const Store *store, const char *word, Volume *ret, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_strv_ char **names = NULL;
        const char *found = NULL;
        int r = volume_load(store, word, ret, &error);

        if (r != -ENOENT)
                return r < 0 ? error_move(reterr, &error) : 0;
        r = volume_list(store, &names, reterr);
        if (r < 0)
                return r;
        for (char **name = names; name && *name; name++) {
                if (!str_after(*name, word))
                        continue;
                if (found)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot tell which volume '%s' is: '%s' and '%s' begin so", word,
                                         found, *name);
                found = *name;
        }
        return found ? volume_load(store, found, ret, reterr) : error_move(reterr, &error);
}

static bool needs_lock(const Volume *volume) {
        VolumeKind kind = volume_kind(volume);

        return (kind == VOLUME_DIRECTORY && (volume->needs_copy_up || !volume->taken)) || kind == VOLUME_TMPFS || kind == VOLUME_IMAGE;
}

/* -ENOENT: it was removed while its lock was waited for. */
static int load_locked(const Store *store, const char *name, Volume *ret, int *ret_lock, Error *reterr) {
        _cleanup_fd_ int dir_fd = open_volume(store, name, reterr);
        _cleanup_fd_ int lock = dir_fd < 0 ? dir_fd : store_lock(dir_fd, "lock", /* exclusive= */ true, reterr);
        int r = lock < 0 ? lock : volume_load(store, name, ret, reterr);

        if (r >= 0)
                *ret_lock = TAKE_FD(lock);
        return r;
}

/* It may have been removed while its lock was waited for: then it is made again. */
static int hold_one(const Store *store, const char *name, bool anonymous, VolumeHold *ret, Error *reterr) {
        for (;;) {
                int r = volume_ensure(store, name, anonymous, &ret->volume, reterr);

                if (r < 0 || !needs_lock(&ret->volume))
                        return r;
                volume_done(&ret->volume);
                ret->volume = VOLUME_NULL;
                r = load_locked(store, name, &ret->volume, &ret->lock_fd, reterr);
                if (r != -ENOENT)
                        return r;
                error_done(reterr);
        }
}

int volume_claim(const Store *store, const char *name, bool anonymous, Error *reterr) {
        for (;;) {
                _cleanup_volume_ Volume found = VOLUME_NULL, locked = VOLUME_NULL;
                _cleanup_fd_ int lock = -EBADF;
                int r = volume_ensure(store, name, anonymous, &found, reterr);

                if (r >= 0 && !anonymous) /* nobody else has heard the name of an anonymous one */
                        r = load_locked(store, name, &locked, &lock, reterr);
                if (r != -ENOENT)
                        return r;
                error_done(reterr);
        }
}

const Volume *volume_held(const VolumeHolds *holds, const char *name) {
        for (size_t i = 0; i < holds->n; i++)
                if (str_equal(holds->items[i].volume.name, name))
                        return &holds->items[i].volume;
        return NULL;
}

int volume_hold(const Store *store, const char *name, bool anonymous, VolumeHolds *holds, Error *reterr) {
        if (volume_held(holds, name))
                return 0;
        VolumeHold *hold = container_array_add((void **) &holds->items, &holds->n, sizeof(*hold));
        if (!hold)
                return error_oom(reterr);
        *hold = (VolumeHold){ .lock_fd = -EBADF };
        return hold_one(store, name, anonymous, hold, reterr);
}

int volume_holds_mark(const Store *store, VolumeHolds *holds, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < holds->n && r >= 0; i++)
                if (holds->items[i].lock_fd >= 0)
                        r = mark_taken(store, &holds->items[i].volume, reterr);
        return r;
}

void volume_holds_done(VolumeHolds *holds) {
        for (size_t i = 0; i < holds->n; i++) {
                volume_done(&holds->items[i].volume);
                (void) fd_close(holds->items[i].lock_fd);
        }
        free(holds->items);
        *holds = (VolumeHolds){};
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
        return volume_remove_unused(store, name, /* refuse= */ NULL, reterr);
}

int volume_remove_unused(const Store *store, const char *name, VolumeRefuse refuse, Error *reterr) {
        _cleanup_free_ char *dead = str_format(DYING "%.200s", name); /* together no more than NAME_MAX */
        int r = check_name(name, reterr);

        if (r < 0)
                return r;
        if (!dead)
                return error_oom(reterr);
        _cleanup_fd_ int parent = store_open_data(store, "volumes", reterr), lock = -EBADF;
        if (parent < 0)
                return parent;
        _cleanup_fd_ int dir_fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir_fd >= 0)
                lock = store_lock(dir_fd, "lock", /* exclusive= */ true, reterr);
        /* removed by another one meanwhile: what has its name by now is a new one, whose lock this is not */
        if (lock == -ENOENT || (dir_fd < 0 && errno == ENOENT)) {
                error_done(reterr);
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "no volume with name '%s' found: no such volume", name);
        }
        if (dir_fd >= 0 && lock < 0)
                return lock;
        if (refuse && (r = refuse(store, name, reterr)) < 0)
                return r;
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
                else if (container_name_is_valid(e->d_name))
                        collect_unfinished(dirfd(dir), e->d_name);
        (void) closedir(dir);
}
