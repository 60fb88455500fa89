/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a layer's blobs. */
#include "image/known-blobs.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

enum { BLOBS_MAX = 16, REPOSITORIES_MAX = 16 };

static const JsonField blob_fields[] = {
        JSON_FIELD(KnownBlob, digest, "digest", JSON_FIELD_STRING),
        JSON_FIELD(KnownBlob, size, "size", JSON_FIELD_INT64),
        JSON_FIELD(KnownBlob, compression, "compression", JSON_FIELD_STRING),
        JSON_FIELD(KnownBlob, level, "level", JSON_FIELD_INT64),
        JSON_FIELD(KnownBlob, repositories, "repositories", JSON_FIELD_STRV),
        {},
};

static const JsonField blobs_fields[] = {
        JSON_FIELD_ARRAY_OF(KnownBlobs, items, n_items, "blobs", blob_fields),
        {},
};

void known_blobs_done(KnownBlobs *blobs) {
        json_fields_done(blobs_fields, blobs);
}

static int open_layer(const Store *store, const char *diff_id) {
        char path[16 + DIGEST_HEX_LENGTH];

        (void) snprintf(path, sizeof(path), "layers/%s", digest_hex(diff_id));
        return openat(store->data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void known_blobs_load(const Store *store, const char *diff_id, KnownBlobs *ret) {
        _cleanup_fd_ int layer = open_layer(store, diff_id);

        *ret = (KnownBlobs){};
        if (layer < 0 || json_fields_read(layer, "blobs.json", JSON_RECORD_LIMIT, blobs_fields, ret, /* reterr= */ NULL) < 0) {
                known_blobs_done(ret);
                return;
        }
        for (size_t i = 0; i < ret->n_items; i++)
                if (!ret->items[i].digest || !digest_is_valid(ret->items[i].digest) || !ret->items[i].compression || ret->items[i].size < 0) {
                        known_blobs_done(ret);
                        return;
                }
}

const KnownBlob *known_blobs_find(const KnownBlobs *blobs, const char *digest) {
        for (size_t i = 0; i < blobs->n_items; i++)
                if (str_equal(blobs->items[i].digest, digest))
                        return blobs->items + i;
        return NULL;
}

/* The blob's row, made where there is none; the oldest makes room. NULL: out of memory. */
static KnownBlob *take_row(KnownBlobs *blobs, const char *digest) {
        const KnownBlob *found = known_blobs_find(blobs, digest);
        KnownBlob *grown;

        if (found)
                return blobs->items + (found - blobs->items);
        if (blobs->n_items >= BLOBS_MAX) {
                json_fields_done(blob_fields, blobs->items);
                memmove(blobs->items, blobs->items + 1, --blobs->n_items * sizeof(*blobs->items));
        }
        grown = realloc(blobs->items, (blobs->n_items + 1) * sizeof(*grown));
        if (!grown)
                return NULL;
        blobs->items = grown;
        grown[blobs->n_items] = (KnownBlob){ .digest = strdup(digest) };
        return grown + blobs->n_items++;
}

static int add_repository(KnownBlob *blob, const char *repository) {
        size_t n = strv_length(blob->repositories);

        if (n >= REPOSITORIES_MAX) {
                free(blob->repositories[0]);
                memmove(blob->repositories, blob->repositories + 1, n * sizeof(*blob->repositories));
        }
        return strv_append(&blob->repositories, repository);
}

void known_blobs_note(const Store *store, const char *diff_id, const char *digest, uint64_t size, Compression compression, int level,
                      const char *repository) {
        _cleanup_fd_ int layer = open_layer(store, diff_id);
        _cleanup_known_blobs_ KnownBlobs blobs = {};
        _cleanup_json_ json_t *json = NULL;
        KnownBlob *row;

        known_blobs_load(store, diff_id, &blobs);
        row = layer < 0 ? NULL : take_row(&blobs, digest);
        if (!row || !row->digest || (strv_contains(row->repositories, repository) && str_equal(row->compression, compression_to_string(compression))))
                return;
        row->size = (int64_t) size;
        row->level = level;
        if (str_replace(&row->compression, compression_to_string(compression)) < 0 ||
            (!strv_contains(row->repositories, repository) && add_repository(row, repository) < 0))
                return;
        json = json_fields_save(blobs_fields, &blobs);
        if (!json || json_write(layer, "blobs.json", json, 0600, FILE_VOLATILE, /* reterr= */ NULL) < 0)
                log_debug("cannot note the blob '%s' of layer '%s'", digest, diff_id);
}
