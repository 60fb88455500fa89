/* SPDX-License-Identifier: Apache-2.0 */
/* Records of secrets. */
#include "state/secret.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/time.h"
#include "state/events.h"


static int not_found(const char *name, Error *reterr) {
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "no secret with name or ID '%s': no such secret", name);
}

int secret_load(int dir_fd, const char *name, Secret *ret, Error *reterr) {
        _cleanup_secret_ Secret secret = SECRET_NULL;
        int r = json_fields_read(dir_fd, name, JSON_RECORD_LIMIT, secret_fields, &secret, reterr);

        if (r < 0)
                return r == -ENOENT ? r : error_prefix(reterr, r, "cannot read secret '%s'", name);
        if (!secret.id || !secret.name || !secret_name_is_valid(secret.name) || !secret.encryption || !secret.data)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot read secret '%s': its record is damaged", name);
        *ret = secret;
        secret = SECRET_NULL;
        return 0;
}

static int save(int dir_fd, const Secret *secret, const char *name, Error *reterr) {
        _cleanup_json_ json_t *json = json_fields_save(secret_fields, secret);
        int r = json ? json_write(dir_fd, name, json, 0600, FILE_DURABLE, reterr) : error_oom(reterr);

        return r < 0 ? error_prefix(reterr, r, "cannot write secret '%s'", secret->name) : 0;
}

static int open_locked(const Store *store, int *ret_lock, Error *reterr) {
        _cleanup_fd_ int dir_fd = store_open_data(store, "secrets", reterr);

        if (dir_fd < 0)
                return dir_fd;
        int lock = store_lock(dir_fd, ".lock", /* exclusive= */ true, reterr);
        if (lock < 0)
                return lock;
        file_collect_temporary(dir_fd);
        *ret_lock = lock;
        return TAKE_FD(dir_fd);
}

static int new_id(char **ret) {
        char *id = str_random_id(SECRET_ID_LENGTH + 1);

        if (!id)
                return -ENOMEM;
        id[SECRET_ID_LENGTH] = 0;
        *ret = id;
        return 0;
}

static int make(int dir_fd, Secret *secret, const SecretMemory *content, const char *encryption, Error *reterr) {
        int r = secret->id ? 0 : new_id(&secret->id);

        if (r < 0)
                return error_oom(reterr);
        secret->updated_usec = time_now_usec();
        if (secret->created_usec == 0)
                secret->created_usec = secret->updated_usec;
        r = secret_seal(secret, content, encryption, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot create secret '%s'", secret->name);
        return save(dir_fd, secret, secret->name, reterr);
}

int secret_create(const Store *store, Secret *secret, const SecretMemory *content, const char *encryption, SecretExisting existing,
                  Error *reterr) {
        _cleanup_secret_ Secret old = SECRET_NULL;
        _cleanup_fd_ int lock = -EBADF;

        if (!secret_name_is_valid(secret->name))
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot create secret '%s': a name has letters, digits, '_', '.' and '-' and begins with a letter or digit",
                                 secret->name);
        if (content->size == 0 || content->size > SECRET_SIZE_LIMIT)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot create secret '%s': secret data must be larger than 0 and less than %d bytes", secret->name,
                                 SECRET_SIZE_LIMIT + 1);
        _cleanup_fd_ int dir_fd = open_locked(store, &lock, reterr);
        if (dir_fd < 0)
                return dir_fd;
        int r = secret_load(dir_fd, secret->name, &old, reterr);
        if (r >= 0 && existing == SECRET_REFUSE) {
                (void) error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot create secret '%s': secret name in use", secret->name);
                error_hint(reterr, "use --replace to give it new content");
                return -EEXIST;
        }
        if (r >= 0 && existing == SECRET_IGNORE) {
                secret_done(secret);
                *secret = old;
                old = SECRET_NULL;
                return 0;
        }
        if (r >= 0) {
                secret->id = TAKE_PTR(old.id);
                secret->created_usec = old.created_usec;
        } else if (r != -ENOENT && existing != SECRET_REPLACE)
                return r; /* a damaged one can be replaced, and only that */
        error_done(reterr);
        r = make(dir_fd, secret, content, encryption, reterr);
        if (r >= 0)
                event_named(store, "secret", "create", secret->id, secret->name);
        return r;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int secret_list(const Store *store, char ***ret, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        int fd = store_open_data(store, "secrets", reterr), r = 0;

        if (fd < 0)
                return fd;
        DIR *dir = fdopendir(fd);
        if (!dir) {
                (void) fd_close(fd);
                return error_set_errno(reterr, -errno, "cannot list the secrets");
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));)
                if (secret_name_is_valid(e->d_name))
                        r = strv_append(&names, e->d_name);
        (void) closedir(dir);
        if (r < 0)
                return error_oom(reterr);
        if (names)
                qsort(names, strv_length(names), sizeof(*names), compare);
        *ret = TAKE_PTR(names);
        return 0;
}

/* By an ID or the beginning of one: all records are read. */
static int find_by_id(const Store *store, int dir_fd, const char *id, Secret *ret, Error *reterr) {
        _cleanup_secret_ Secret found = SECRET_NULL;
        _cleanup_strv_ char **names = NULL;
        int r = secret_list(store, &names, reterr);

        for (char **name = names; r >= 0 && name && *name; name++) {
                _cleanup_secret_ Secret secret = SECRET_NULL;

                /* one that is damaged or was removed meanwhile is not the one */
                if (secret_load(dir_fd, *name, &secret, /* reterr= */ NULL) < 0 || !str_after(secret.id, id))
                        continue;
                if (found.id)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "more than one secret has an ID that begins with '%s'", id);
                found = secret;
                secret = SECRET_NULL;
        }
        if (r < 0)
                return r;
        if (!found.id)
                return not_found(id, reterr);
        *ret = found;
        found = SECRET_NULL;
        return 0;
}

int secret_open(const Store *store, const char *name_or_id, Secret *ret, Error *reterr) {
        if (!secret_name_is_valid(name_or_id))
                return not_found(name_or_id, reterr);
        _cleanup_fd_ int dir_fd = store_open_data(store, "secrets", reterr);
        if (dir_fd < 0)
                return dir_fd;
        int r = secret_load(dir_fd, name_or_id, ret, reterr);
        return r == -ENOENT ? find_by_id(store, dir_fd, name_or_id, ret, reterr) : r;
}

int secret_remove(const Store *store, const Secret *secret, Error *reterr) {
        _cleanup_secret_ Secret now = SECRET_NULL;
        _cleanup_fd_ int lock = -EBADF, dir_fd = open_locked(store, &lock, reterr);

        if (dir_fd < 0)
                return dir_fd;
        /* another one may have taken its name since it was looked at; a damaged one, which has no ID, goes by its name */
        if (secret->id && secret_load(dir_fd, secret->name, &now, /* reterr= */ NULL) >= 0 && !str_equal(now.id, secret->id))
                return not_found(secret->name, reterr);
        if (unlinkat(dir_fd, secret->name, 0) < 0)
                return errno == ENOENT ? not_found(secret->name, reterr)
                                       : error_set_errno(reterr, -errno, "cannot remove secret '%s'", secret->name);
        event_named(store, "secret", "remove", secret->id, secret->name);
        return 0;
}

int secret_keep(const Store *store, const Secret *secret, int dir_fd, const char *name, Error *reterr) {
        _cleanup_secret_ Secret now = SECRET_NULL;
        _cleanup_fd_ int from = store_open_data(store, "secrets", reterr);

        if (from < 0)
                return from;
        /* a record never changes: replacing it makes another file */
        if (linkat(from, secret->name, dir_fd, name, 0) < 0)
                return save(dir_fd, secret, name, reterr);
        /* but it may have been another one's by then */
        int r = secret_load(dir_fd, name, &now, reterr);
        if (r >= 0 && str_equal(now.id, secret->id))
                return 0;
        (void) unlinkat(dir_fd, name, 0);
        return save(dir_fd, secret, name, reterr);
}
