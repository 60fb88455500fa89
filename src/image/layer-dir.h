/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of one layer on its way into the store: "layer-N" in the stage while it is filled, named after its
 * diff ID when it is complete, and renamed into layers/ by commit.h. */
#pragma once

#include "image/stage.h"
#include "image/unpack.h"

enum { LAYER_DIR_NAME_SIZE = 40 };

/* Whether the layer is in layers/, or complete in the stage (for another image, or twice in one): what is there under its
 * name is complete. */
bool layer_dir_is_in(int layers_fd, const char *diff_id, uint64_t *ret_size);

/* Whether a layer that is in layers/ should have a record (record.h) and has none: it is from a version that wrote none, or it
 * was lost. One that can have none (UnpackResult.exact) does not lack it. */
bool layer_dir_lacks_record(int layers_fd, const char *diff_id);

/* Gives that layer the record of the same layer in the stage, unpacked and checked anew, and synced. Its tree stays, as containers
 * may stand on it. Under images.lock. */
int layer_dir_mend(int layers_fd, int stage_fd, const char *diff_id, Error *reterr);

/* Makes one for layer `number`, removing what an earlier try left: its descriptor, that of the empty file for its record,
 * and the path of its tree for nursery_start_worker(). */
int layer_dir_make(const Stage *stage, size_t number, char ret_path[static LAYER_DIR_NAME_SIZE], int *ret_fd, int *ret_record_fd,
                   Error *reterr);

/* Checks what was unpacked into it: `digest` of the bytes as they came (NULL: nothing is known), *diff_id (NULL: is set to what
 * was found). Writes layer.json and gives the directory its name. */
int layer_dir_finish(const Stage *stage, size_t number, int fd, const UnpackResult *result, const char *digest, char **diff_id,
                     Error *reterr);
