/* SPDX-License-Identifier: Apache-2.0 */
/* Layers out of the store. */
#include "image/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "image/commit.h"

int pack_start(const Stage *stage, const char *diff_id, Compression compression, int level, int out_fd, Worker *ret, Error *reterr) {
        char path[IMAGE_LAYER_PATH_SIZE + sizeof(IMAGE_LAYER_RECORD)];
        _cleanup_fd_ int record = -EBADF, diff = -EBADF;

        (void) snprintf(path, sizeof(path), "layers/%s/" IMAGE_LAYER_RECORD, digest_hex(diff_id));
        record = openat(stage->store->data_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (record < 0)
                return error_set_errno(reterr, -errno, "it cannot be written as it was: it has no record");
        image_layer_path(diff_id, path);
        diff = openat(stage->store->data_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (diff < 0)
                return error_set_errno(reterr, -errno, "cannot read it");
        WorkerJob job = { .task = WORKER_REPLAY, .in_fd = record, .size = UINT64_MAX, .dir_fd = diff, .out_fd = out_fd,
                          .size_limit = UINT64_MAX, .compression = compression, .level = level };
        return worker_start(&job, &stage->map, ret, reterr);
}

int pack_check(const char *diff_id, const UnpackResult *result, Error *reterr) {
        return str_equal(result->diff_id, diff_id) ? 0
                                                   : error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its files are not what they were");
}
