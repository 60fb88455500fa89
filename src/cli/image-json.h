/* SPDX-License-Identifier: Apache-2.0 */
/* An image as `images` and `image inspect` show it. Field names and forms are Podman's. */
#pragma once

#include "cli/format.h"
#include "image/store.h"

/* The lists' fields, and the template's knowledge of inspect's. */
extern const FormatList image_list, image_list_digests, image_list_history, image_list_digests_history;
extern const TemplateTypes image_inspect_types;

/* How a list shows an image. */
typedef struct ImageView {
        bool no_trunc;
        int64_t now_usec;
        size_t containers;   /* that use it */
        const json_t *history; /* names_history_read() */
} ImageView;

/* All return a new reference, or NULL when out of memory. */

/* An element of `images --format json`. */
json_t *image_to_json(const ImageInfo *image, const ImageView *view);

/* The fields of a row: of the image under this name (NULL: it has none). */
json_t *image_to_row(const ImageInfo *image, const char *name, const ImageView *view);

/* `image inspect`. */
json_t *image_to_inspect(const Store *store, const ImageInfo *image);

/* A full name in two: "localhost/web" and "latest"; both owned. 0 or -ENOMEM. */
int image_split_name(const char *name, char **ret_repository, char **ret_tag);

/* Whether the image passes the filters (--filter of podman-images(1)), which are checked first with a NULL image. `uses` is
 * the number of containers that use it. Returns 1, 0 or -errno. */
int image_matches(const Store *store, const ImageInfo *image, char *const *filters, size_t uses, Error *reterr);
