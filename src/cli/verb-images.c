/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod images, image ls: which images there are. */
#include "base/str.h"
#include "base/time.h"
#include "cli/image-json.h"
#include "cli/image-use.h"
#include "cli/verbs.h"
#include "image/names-history.h"

typedef struct ListOptions {
        char **filters, *format, *sort;
        bool all, digests, history, no_heading, no_trunc, quiet;
} ListOptions;

static const char *const sort_keys[] = { "created", "id", "repository", "size", "tag", NULL };

#define FIELD(member) offsetof(ListOptions, member)
static const char *const filter_words[] = { "after=", "before=", "containers=", "dangling=true", "dangling=false", "id=", "intermediate=", "label=", "label!=", "readonly=", "reference=", "since=", "until=", NULL };
static const Option list_rows[] = {
        /* there are no intermediate images: all are shown in any case */
        { "all", 'a', .kind = OPTION_BOOL, .offset = FIELD(all), .help = "Show all images" },
        { "digests", .kind = OPTION_BOOL, .offset = FIELD(digests), .help = "Show the digests of the manifests" },
        { "filter", 'f', .kind = OPTION_LIST, .offset = FIELD(filters), .metavar = "KEY=VALUE",
          .help = "Show only images for which this holds", .complete = COMPLETE_WORDS, .words = filter_words },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "TEMPLATE",
          .help = "Print as 'json', or by a Go template, with headings after 'table '" },
        { "history", .kind = OPTION_BOOL, .offset = FIELD(history), .help = "Show the names that the images have had" },
        { "no-trunc", .kind = OPTION_BOOL, .offset = FIELD(no_trunc), .help = "Do not shorten IDs" },
        { "noheading", 'n', .kind = OPTION_BOOL, .offset = FIELD(no_heading), .help = "Print no headings" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Print IDs only" },
        { "sort", .kind = OPTION_STRING, .offset = FIELD(sort), .metavar = "KEY",
          .help = "Sort by created (the default), id, repository, size or tag", .complete = COMPLETE_WORDS, .words = sort_keys },
        {},
};
static const Option *const list_options[] = { list_rows, NULL };

/* A line of the list: an image under one of its names. */
typedef struct Line {
        const ImageInfo *image;
        const char *name; /* NULL: none */
} Line;

static int by_id(const void *a, const void *b) {
        return strcmp(((const Line *) a)->image->id, ((const Line *) b)->image->id);
}

static int by_size(const void *a, const void *b) {
        uint64_t x = ((const Line *) a)->image->size, y = ((const Line *) b)->image->size;

        return x < y ? -1 : x > y;
}

static int by_repository(const void *a, const void *b) {
        return strcmp(((const Line *) a)->name ?: "<none>", ((const Line *) b)->name ?: "<none>");
}

static int by_tag(const void *a, const void *b) {
        const char *x = ((const Line *) a)->name, *y = ((const Line *) b)->name;

        return strcmp(x ? strrchr(x, ':') + 1 : "<none>", y ? strrchr(y, ':') + 1 : "<none>");
}

static void sort_lines(Line *lines, size_t n, const char *key) {
        static const struct {
                const char *key;
                int (*compare)(const void *, const void *);
        } rows[] = { { "id", by_id }, { "repository", by_repository }, { "size", by_size }, { "tag", by_tag } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (str_equal(rows[i].key, key))
                        qsort(lines, n, sizeof(*lines), rows[i].compare);
}

typedef struct Images {
        ImageInfo *items;
        size_t n;
        ImageUse *uses;
        size_t n_uses;
        json_t *history;     /* names_history_read() */
} Images;

static void images_done(Images *images) {
        image_info_free_many(images->items, images->n);
        image_use_free_many(images->uses, images->n_uses);
        json_decref(images->history);
}

/* Leaves those that the filters want. */
static int filter(const Store *store, const ListOptions *o, Images *images, Error *reterr) {
        size_t kept = 0;

        int r = image_matches(store, /* image= */ NULL, o->filters, 0, reterr);
        for (size_t i = 0; i < images->n && r >= 0; i++) {
                ImageInfo image = images->items[i];

                r = image_matches(store, &image, o->filters, image_uses_count(images->uses, images->n_uses, image.id), reterr);
                if (r > 0) { /* swapped, so that all are still freed once */
                        images->items[i] = images->items[kept];
                        images->items[kept++] = image;
                }
        }
        if (r < 0)
                return r;
        for (size_t i = kept; i < images->n; i++)
                image_info_done(images->items + i);
        images->n = kept;
        return 0;
}

static json_t *make_lines(const ListOptions *o, const Images *images) {
        ImageView view = { .no_trunc = o->no_trunc, .now_usec = time_now_usec(), .history = images->history };
        _cleanup_json_ json_t *rows = json_array();
        size_t n = 0;

        for (size_t i = 0; i < images->n; i++)
                n += MAX(strv_length(images->items[i].names), (size_t) 1);
        _cleanup_free_ Line *lines = calloc(n + 1, sizeof(*lines));
        if (!lines)
                return NULL;
        n = 0;
        for (size_t i = 0; i < images->n; i++) {
                char **names = images->items[i].names;

                do
                        lines[n++] = (Line){ images->items + i, names ? *names : NULL };
                while (names && *++names);
        }
        sort_lines(lines, n, o->sort);
        for (size_t i = 0; i < n; i++) {
                view.containers = image_uses_count(images->uses, images->n_uses, lines[i].image->id);
                if (json_array_append_new(rows, image_to_row(lines[i].image, lines[i].name, &view)) < 0)
                        return NULL;
        }
        return TAKE_PTR(rows);
}

static json_t *make_json(const Images *images) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; i < images->n; i++) {
                ImageView view = { .containers = image_uses_count(images->uses, images->n_uses, images->items[i].id),
                                   .history = images->history };

                if (json_array_append_new(array, image_to_json(images->items + i, &view)) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}

/* For what shows each image once: by its first name. */
static int sort_images(Images *images, const char *key) {
        _cleanup_free_ Line *lines = calloc(images->n + 1, sizeof(*lines));
        _cleanup_free_ ImageInfo *sorted = calloc(images->n + 1, sizeof(*sorted));

        if (!lines || !sorted)
                return -ENOMEM;
        for (size_t i = 0; i < images->n; i++)
                lines[i] = (Line){ images->items + i, images->items[i].names ? images->items[i].names[0] : NULL };
        sort_lines(lines, images->n, key);
        for (size_t i = 0; i < images->n; i++)
                sorted[i] = *lines[i].image;
        if (images->n > 0)
                memcpy(images->items, sorted, images->n * sizeof(*sorted));
        return 0;
}

static int print(const ListOptions *o, Images *images, Error *reterr) {
        static const FormatList *const lists[2][2] = { { &image_list, &image_list_digests },
                                                       { &image_list_history, &image_list_digests_history } };
        bool json = format_is_json(o->format) && !o->quiet;
        _cleanup_json_ json_t *all = NULL;

        if ((json || o->quiet) && o->sort && sort_images(images, o->sort) < 0)
                return error_oom(reterr);
        if (json)
                all = make_json(images);

        if (o->quiet) { /* each image once, however many names it has */
                for (size_t i = 0; i < images->n; i++)
                        printf(o->no_trunc ? "sha256:%s\n" : "%.12s\n", images->items[i].id);
                return 0;
        }
        if (!json)
                all = make_lines(o, images);
        if (!all)
                return error_oom(reterr);
        return format_list(lists[o->history][o->digests], o->format, o->no_heading, all, stdout, reterr);
}

static int run_list(Invocation *in, Error *reterr) {
        ListOptions *o = in->options;
        _cleanup_(images_done) Images images = {};
        bool whole = o->format && !o->quiet; /* rows may show all there is */
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0 && in->n_arguments > 0 && strv_consume(&o->filters, str_format("reference=%s", in->arguments[0])) < 0)
                return error_oom(reterr);
        if (r >= 0)
                r = image_store_list(store, &images.items, &images.n, reterr);
        if (r >= 0 && (whole || o->filters))
                r = image_uses(store, &images.uses, &images.n_uses, reterr);
        if (r >= 0)
                r = filter(store, o, &images, reterr);
        if (r >= 0 && (whole || o->history))
                images.history = names_history_read(store);
        return r < 0 ? r : print(o, &images, reterr);
}

const Verb verb_images = {
        .arguments = "[IMAGE]",
        .summary = "List images",
        .options = list_options,
        .options_size = sizeof(ListOptions),
        .arguments_max = 1,
        .complete = COMPLETE_IMAGE,
        .run = run_list,
};
