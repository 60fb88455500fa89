/* SPDX-License-Identifier: Apache-2.0 */
/* Files that two layers have in common are stored once, as hard links.
 *
 * Theory of operation. The directory data/files has a link to each larger file of the layers, whose name is made of the file's
 * path in its layer, size, modification time, mode and group. A new layer's file whose name is there already is compared with
 * it, byte by byte, attributes too, and replaced by a link to it. So nothing is hashed and nothing read but what is
 * almost certainly equal, and no sum has to be believed.
 *
 * The path is part of it so that no container sees one file under two names that its image does not have: of two layers of
 * an image the upper one's file hides the lower one's. Only the number of links is another than the archive said. A link
 * shares the modification time, so files that differ in it stay apart. Layers are never written to; overlay copies a file up
 * first, and so does vfs.
 *
 * It is done while the layer is still unfinished, by the user, to files that are its own: nearly all; those that belong to
 * subordinate IDs are left alone. All of it can fail without harm. An entry whose file has no other name any more is removed
 * when layers are. */
#pragma once

#include <stdint.h>

#include "state/store.h"

enum { SHARE_SIZE_MIN = 16 * 1024 };

/* Goes through an unfinished layer's tree. Returns the bytes that need not be stored again. */
uint64_t share_layer(const Store *store, int diff_fd);

/* Removes the entries that no layer has any more. */
void share_collect(const Store *store);
