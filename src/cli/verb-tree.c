/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod image tree: an image's layers, and what stands on them. */
#include "base/str.h"
#include "cli/image-json.h"
#include "cli/time-text.h"
#include "cli/verbs.h"
#include "spec/digest.h"

typedef struct TreeOptions {
        bool what_requires;
} TreeOptions;

static const Option tree_rows[] = {
        { "whatrequires", .kind = OPTION_BOOL, .offset = offsetof(TreeOptions, what_requires),
          .help = "Show the images and layers that are built on it" },
        {},
};
static const Option *const tree_options[] = { tree_rows, NULL };

typedef struct Images {
        const Store *store;
        ImageInfo *items;
        size_t n;
} Images;

static bool begins_with(char *const *layers, char *const *prefix, size_t n) {
        if (strv_length(layers) < n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!str_equal(layers[i], prefix[i]))
                        return false;
        return true;
}

/* The line of the layer that these `n` end with. */
static int print_layer(const Images *images, char *const *layers, size_t n, const char *indent, bool last, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *text = NULL, *joined = NULL;
        uint64_t size = 0;

        for (size_t i = 0; i < images->n; i++)
                if (strv_length(images->items[i].layers) == n && begins_with(images->items[i].layers, layers, n) &&
                    strv_extend(&names, images->items[i].names) < 0)
                        return error_oom(reterr);
        int r = image_layer_size(images->store, layers[n - 1], &size, reterr);
        if (r < 0)
                return r;
        text = time_text_size(size, 4, /* space= */ false);
        joined = strv_join(names, " ");
        if (!text || (names && !joined))
                return error_oom(reterr);
        printf("%s%s ID: %.12s Size: %7s", indent, last ? "└──" : "├──", digest_hex(layers[n - 1]), text);
        if (names)
                printf(" Top Layer of: [%s]", joined);
        printf("\n");
        return 0;
}

/* The next image whose layers go on behind these n by a layer that no image before it has there. */
static const ImageInfo *next_child(const Images *images, char *const *layers, size_t n, size_t *at) {
        for (; *at < images->n; (*at)++) {
                const ImageInfo *image = images->items + *at;
                bool seen = false;

                if (strv_length(image->layers) <= n || !begins_with(image->layers, layers, n))
                        continue;
                for (size_t i = 0; i < *at && !seen; i++)
                        seen = strv_length(images->items[i].layers) > n &&
                               begins_with(images->items[i].layers, image->layers, n + 1);
                if (!seen) {
                        (*at)++;
                        return image;
                }
        }
        return NULL;
}

/* All that stands on these n layers. The depth is that of an image's layers, which the store limits. */
static int print_children(const Images *images, char *const *layers, size_t n, const char *indent, Error *reterr) {
        size_t at = 0;
        const ImageInfo *child = next_child(images, layers, n, &at);

        while (child) {
                const ImageInfo *next = next_child(images, layers, n, &at);
                _cleanup_free_ char *deeper = str_format("%s%s", indent, next ? "│   " : "    ");

                int r = deeper ? print_layer(images, child->layers, n + 1, indent, !next, reterr) : error_oom(reterr);
                if (r >= 0)
                        r = print_children(images, child->layers, n + 1, deeper, reterr);
                if (r < 0)
                        return r;
                child = next;
        }
        return 0;
}

static int print_tree(const Images *images, const ImageInfo *image, bool what_requires, Error *reterr) {
        _cleanup_free_ char *names = strv_join(image->names, " "), *size = time_text_size(image->size, 4, /* space= */ false);
        size_t n = strv_length(image->layers), at = 0;
        bool children = what_requires && next_child(images, image->layers, n, &at);

        if (!size || (image->names && !names))
                return error_oom(reterr);
        printf("Image ID: %.12s\nTags:     [%s]\nSize:     %s\nImage Layers\n", image->id, names ?: "", size);
        for (size_t i = 1; i <= n; i++) {
                int r = print_layer(images, image->layers, i, "", i == n && !children, reterr);
                if (r < 0)
                        return r;
        }
        int r = children ? print_children(images, image->layers, n, "", reterr) : 0;
        printf("\n");
        return r;
}

static int run_tree(Invocation *in, Error *reterr) {
        const TreeOptions *o = in->options;
        _cleanup_image_info_ ImageInfo image = {};
        Images images = {};

        int r = invocation_store(in, &images.store, reterr);
        if (r >= 0)
                r = image_store_resolve_whole(images.store, in->arguments[0], &image, reterr);
        if (r >= 0)
                r = image_store_measure(images.store, &image, reterr);
        if (r >= 0)
                r = image_store_list(images.store, &images.items, &images.n, reterr);
        if (r >= 0)
                r = print_tree(&images, &image, o->what_requires, reterr);
        image_info_free_many(images.items, images.n);
        return r;
}

const Verb verb_image_tree = {
        .arguments = "IMAGE",
        .summary = "Show the layers of an image",
        .options = tree_options,
        .options_size = sizeof(TreeOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_IMAGE,
        .run = run_tree,
};
