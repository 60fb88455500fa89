/* SPDX-License-Identifier: Apache-2.0 */
/* Making, checking and naming the directories of layers. */
#include "image/layer-dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "image/commit.h"
#include "image/share.h"

bool layer_dir_is_in(int layers_fd, const char *diff_id, uint64_t *ret_size) {
        _cleanup_json_ json_t *record = NULL;
        char path[DIGEST_HEX_LENGTH + 16];

        (void) snprintf(path, sizeof(path), "%s/layer.json", digest_hex(diff_id));
        if (json_read(layers_fd, path, JSON_RECORD_LIMIT, &record, /* reterr= */ NULL) < 0)
                return false;
        *ret_size = (uint64_t) json_get_integer(record, "size", 0);
        return true;
}

bool layer_dir_lacks_record(int layers_fd, const char *diff_id) {
        _cleanup_json_ json_t *record = NULL;
        char path[DIGEST_HEX_LENGTH + 16];
        struct stat st;

        (void) snprintf(path, sizeof(path), "%s/" IMAGE_LAYER_RECORD, digest_hex(diff_id));
        if (fstatat(layers_fd, path, &st, AT_SYMLINK_NOFOLLOW) >= 0 || errno != ENOENT)
                return false;
        (void) snprintf(path, sizeof(path), "%s/layer.json", digest_hex(diff_id));
        if (json_read(layers_fd, path, JSON_RECORD_LIMIT, &record, /* reterr= */ NULL) < 0)
                return false;
        /* that it can have none is said by a false; who wrote nothing did not know of records */
        return json_object_get(record, "exact") == NULL || json_get_bool(record, "exact", false);
}

int layer_dir_mend(int layers_fd, int stage_fd, const char *diff_id, Error *reterr) {
        const char *hex = digest_hex(diff_id);
        _cleanup_fd_ int here = openat(layers_fd, hex, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_fd_ int there = openat(stage_fd, hex, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_json_ json_t *record = NULL;
        bool exact = true;

        if (here < 0 || there < 0)
                return error_set_errno(reterr, -errno, "cannot open the layer '%s'", diff_id);
        int r = json_read(here, "layer.json", JSON_RECORD_LIMIT, &record, reterr);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the description of the layer '%s'", diff_id);
        if (renameat(there, IMAGE_LAYER_RECORD, here, IMAGE_LAYER_RECORD) < 0) {
                if (errno != ENOENT)
                        return error_set_errno(reterr, -errno, "cannot move the record of the layer '%s'", diff_id);
                exact = false; /* it can have none */
        }
        if (fsync(here) < 0)
                return error_set_errno(reterr, -errno, "cannot write the layer '%s'", diff_id);
        /* the sum is the last key again */
        (void) json_object_del(record, "checkSum");
        if (json_object_set_new(record, "exact", json_boolean(exact)) < 0 || json_seal(record) < 0)
                return error_oom(reterr);
        return json_write(here, "layer.json", record, 0600, FILE_DURABLE, reterr);
}

static void dir_name(size_t number, char ret[static LAYER_DIR_NAME_SIZE]) {
        (void) snprintf(ret, LAYER_DIR_NAME_SIZE, "layer-%zu", number);
}

int layer_dir_make(const Stage *stage, size_t number, char ret_path[static LAYER_DIR_NAME_SIZE], int *ret_fd, int *ret_record_fd,
                   Error *reterr) {
        char name[LAYER_DIR_NAME_SIZE];
        _cleanup_fd_ int fd = -EBADF, diff = -EBADF;

        dir_name(number, name);
        if (mkdirat(stage->fd, name, 0700) < 0) {
                int r = errno == EEXIST ? stage_remove_tree(&stage->map, stage->fd, name, reterr) : -errno; /* of an earlier try */

                if (r >= 0 && mkdirat(stage->fd, name, 0700) < 0)
                        r = -errno;
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot make a temporary directory");
        }
        fd = openat(stage->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || mkdirat(fd, "diff", 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make a temporary directory");
        diff = openat(fd, "diff", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        /* whatever the umask: a tree whose archive does not name its root is readable for all users in a container */
        if (diff < 0 || fchmod(diff, 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make a temporary directory");
        *ret_record_fd = openat(fd, IMAGE_LAYER_RECORD, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (*ret_record_fd < 0)
                return error_set_errno(reterr, -errno, "cannot make a temporary file");
        (void) snprintf(ret_path, LAYER_DIR_NAME_SIZE, "layer-%zu/diff", number);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static uint64_t share(const Store *store, int fd, const UnpackResult *result) {
        _cleanup_fd_ int diff = result->n_shareable > 0 ? openat(fd, "diff", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -EBADF;

        return diff < 0 ? 0 : share_layer(store, diff);
}

static int write_record(int fd, const UnpackResult *result, uint64_t shared, Error *reterr) {
        _cleanup_json_ json_t *record = json_pack("{s:i, s:s, s:I, s:s, s:I, s:I}", "version", 1, "diffID", result->diff_id, "size",
                                                  (json_int_t) result->size_out, "digest", result->digest, "compressedSize",
                                                  (json_int_t) result->size_in, "created", (json_int_t) time(NULL));

        if (record)
                (void) json_object_set_new(record, "exact", json_boolean(result->exact));
        if (!result->exact)
                (void) unlinkat(fd, IMAGE_LAYER_RECORD, 0); /* it could not be used */
        if (record && result->n_devices_skipped > 0)
                (void) json_object_set_new(record, "devicesSkipped", json_integer((json_int_t) result->n_devices_skipped));
        if (record && result->n_xattrs_skipped > 0)
                (void) json_object_set_new(record, "attributesSkipped", json_integer((json_int_t) result->n_xattrs_skipped));
        if (record && shared > 0)
                (void) json_object_set_new(record, "sharedSize", json_integer((json_int_t) shared));
        if (record && json_seal(record) < 0)
                return error_oom(reterr);
        return json_write(fd, "layer.json", record, 0600, FILE_VOLATILE, reterr);
}

static int check(const char *digest, char **diff_id, const UnpackResult *result, Error *reterr) {
        if (digest && !str_equal(digest, result->digest))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "it is damaged: its digest is %s", result->digest);
        if (!*diff_id && !(*diff_id = strdup(result->diff_id)))
                return error_oom(reterr);
        if (!str_equal(*diff_id, result->diff_id))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its content has the diff ID %s, the image config says %s",
                                 result->diff_id, *diff_id);
        return 0;
}

int layer_dir_finish(const Stage *stage, size_t number, int fd, const UnpackResult *result, const char *digest, char **diff_id,
                     Error *reterr) {
        char name[LAYER_DIR_NAME_SIZE];
        uint64_t size;

        int r = check(digest, diff_id, result, reterr);
        if (r >= 0)
                r = write_record(fd, result, share(stage->store, fd, result), reterr);
        if (r < 0)
                return r;
        if (result->n_devices_skipped > 0)
                log_info("layer %zu has %llu device nodes that an ordinary user cannot make, leaving them out", number + 1,
                         (unsigned long long) result->n_devices_skipped);
        dir_name(number, name);
        if (!layer_dir_is_in(stage->fd, *diff_id, &size) && renameat(stage->fd, name, stage->fd, digest_hex(*diff_id)) < 0)
                return error_set_errno(reterr, -errno, "cannot rename a temporary directory");
        return 0;
}
