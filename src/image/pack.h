/* SPDX-License-Identifier: Apache-2.0 */
/* A stored layer becomes a blob again, in a sandboxed worker: its tar stream byte for byte (record.h), compressed. */
#pragma once

#include "image/stage.h"
#include "image/worker.h"

/* Starts it; the blob goes to `out_fd` (borrowed). Waiting for it is worker_finish()'s, whose result is what unpacking the
 * blob would give; pack_check() says whether that is still the layer. */
int pack_start(const Stage *stage, const char *diff_id, Compression compression, int level, int out_fd, Worker *ret, Error *reterr);
int pack_check(const char *diff_id, const UnpackResult *result, Error *reterr);
