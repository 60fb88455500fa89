/* SPDX-License-Identifier: Apache-2.0 */
/* Images as JSON. */
#include "cli/image-json.h"

#include "base/str.h"
#include "base/time.h"
#include "cli/time-text.h"
#include "image/names-history.h"

enum { SHORT_ID = 12 };

/* Sorted. */
static const FormatField fields[] = {
        { "Containers", NULL }, { "Created", "CREATED" },     { "CreatedAt", NULL },   { "CreatedSince", "CREATED" },
        { "CreatedTime", NULL }, { "Dangling", NULL },        { "Digest", NULL },      { "History", "HISTORY" },
        { "ID", "IMAGE ID" },   { "Id", "IMAGE ID" },         { "Labels", NULL },      { "Names", NULL },
        { "ParentId", "PARENT ID" },
        { "ReadOnly", "R/O" },  { "RepoDigests", NULL },      { "RepoTags", NULL },    { "Repository", "REPOSITORY" },
        { "SharedSize", NULL }, { "Size", "SIZE" },           { "Tag", "TAG" },        { "VirtualSize", NULL },
        {},
};

static const char *const list_maps[] = { "Labels", NULL };
static const TemplateTypes list_types = { .maps = list_maps };

const FormatList image_list = { fields, &list_types, "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Created}}\t{{.Size}}", 4 };
const FormatList image_list_digests = {
        fields, &list_types, "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.Created}}\t{{.Size}}", 4
};
const FormatList image_list_history = {
        fields, &list_types, "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Created}}\t{{.Size}}\t{{.History}}", 4
};
const FormatList image_list_digests_history = {
        fields, &list_types, "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.Created}}\t{{.Size}}\t{{.History}}", 4
};

static const char *const inspect_maps[] = { "Labels", "Annotations", "ExposedPorts", "Volumes", "Data", NULL };
static const char *const inspect_times[] = { "Created", "created", NULL };
static const char *const inspect_aliases[] = { "ID", "Id", "HealthCheck", "Healthcheck", /* and of the history: */
                                               "Created", "created", "CreatedBy", "created_by", "Author", "author", "Comment",
                                               "comment", "EmptyLayer", "empty_layer", NULL };
/* What the image-spec leaves out of a config, and of a step of the history. */
static const char *const inspect_absent[] = { "User", "\"\"", "ExposedPorts", "null", "Env", "null", "Entrypoint", "null", "Cmd", "null",
                                              "Volumes", "null", "WorkingDir", "\"\"", "Labels", "null", "StopSignal", "\"\"",
                                              "Healthcheck", "null", "created_by", "\"\"", "author", "\"\"", "comment", "\"\"",
                                              "empty_layer", "false", NULL };
const TemplateTypes image_inspect_types = {
        .maps = inspect_maps, .times = inspect_times, .aliases = inspect_aliases, .absent = inspect_absent
};

int image_split_name(const char *name, char **ret_repository, char **ret_tag) {
        char *repository = image_name_repository(name), *tag;

        /* of a name that ends in a digest Podman shows no tag */
        tag = repository ? strdup(strchr(name, '@') ? "<none>" : name + strlen(repository) + 1) : NULL;
        if (!tag) {
                free(repository);
                return -ENOMEM;
        }
        *ret_repository = repository;
        *ret_tag = tag;
        return 0;
}

/* "localhost/web@sha256:..." for each repository that it has a name in. */
static json_t *repo_digests(const ImageInfo *image) {
        return json_from_strv(image->repo_digests);
}

static json_t *repo_tags(const ImageInfo *image) {
        json_t *tags = json_array();

        for (char **name = image->names; tags && name && *name; name++)
                if (!strchr(*name, '@') && json_array_append_new(tags, json_string(*name)) < 0) {
                        json_decref(tags);
                        return NULL;
                }
        return tags;
}

/* Maps that are empty are null there. */
static json_t *pairs_or_null(char *const *pairs) {
        return pairs ? json_from_pairs(pairs) : json_null();
}

/* Seconds, in UTC: what Go's Time is after time.Unix(). */
static char *created_at(const ImageInfo *image) {
        return image_time_format(image->config.created_usec / TIME_USEC_PER_SEC * TIME_USEC_PER_SEC);
}

static int set(json_t *object, const char *key, json_t *value) {
        return json_object_set_new(object, key, value);
}

json_t *image_to_json(const ImageInfo *image, const ImageView *view) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *created = created_at(image);
        _cleanup_json_ json_t *object = json_object();

        if (!created || set(object, "Id", json_string(image->id)) < 0 || set(object, "ParentId", json_string("")) < 0 ||
            set(object, "RepoTags", json_null()) < 0 || set(object, "RepoDigests", repo_digests(image)) < 0 ||
            set(object, "Size", json_integer((json_int_t) image->size)) < 0 || set(object, "SharedSize", json_integer(0)) < 0 ||
            set(object, "VirtualSize", json_integer((json_int_t) image->size)) < 0 ||
            set(object, "Labels", pairs_or_null(image->config.labels)) < 0 ||
            set(object, "Containers", json_integer((json_int_t) view->containers)) < 0)
                return NULL;
        if (!image->names && set(object, "Dangling", json_true()) < 0)
                return NULL;
        if (image->names && set(object, "Names", json_from_strv(image->names)) < 0)
                return NULL;
        if (set(object, "Digest", json_string(image->digest)) < 0)
                return NULL;
        names = names_history_of(view->history, image);
        if (names && set(object, "History", json_from_strv(names)) < 0)
                return NULL;
        if (set(object, "Created", json_integer(image->config.created_usec / TIME_USEC_PER_SEC)) < 0 ||
            set(object, "CreatedAt", json_string(created)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static char *shown_id(const ImageInfo *image, const ImageView *view) {
        return view->no_trunc ? str_format("sha256:%s", image->id) : str_format("%.*s", SHORT_ID, image->id);
}

json_t *image_to_row(const ImageInfo *image, const char *name, const ImageView *view) {
        _cleanup_free_ char *repository = NULL, *tag = NULL, *id = shown_id(image, view), *created = created_at(image),
                            *at = NULL, *history = NULL;
        _cleanup_strv_ char **names = names_history_of(view->history, image);
        _cleanup_free_ char *ago = time_text_ago(image->config.created_usec, view->now_usec),
                            *size = time_text_size(image->size, 3, /* space= */ true);
        json_t *row;

        if (name && image_split_name(name, &repository, &tag) < 0)
                return NULL;
        if (names)
                history = strv_join(names, ", ");
        if (!id || !created || !ago || !size || (image->names && !history) || time_text_go(created, &at) < 0)
                return NULL;
        row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Repository", name ? repository : "<none>", "Tag",
                        name ? tag : "<none>", "ID", id, "Created", ago, "CreatedSince", ago, "CreatedAt", at, "CreatedTime", at,
                        "Size", size, "Digest", image->digest);
        if (!row)
                return NULL;
        if (set(row, "Id", json_string(image->id)) < 0 || /* Podman's is never cut */
            set(row, "Containers", json_integer((json_int_t) view->containers)) < 0 ||
            set(row, "Dangling", json_boolean(!image->names)) < 0 || set(row, "History", json_string(history ?: "")) < 0 ||
            set(row, "Labels", json_from_pairs(image->config.labels)) < 0 || set(row, "Names", json_from_strv(image->names)) < 0 ||
            set(row, "ParentId", json_string("")) < 0 || set(row, "ReadOnly", json_false()) < 0 ||
            set(row, "RepoDigests", repo_digests(image)) < 0 || set(row, "RepoTags", repo_tags(image)) < 0 ||
            set(row, "SharedSize", json_integer(0)) < 0 || set(row, "VirtualSize", json_integer((json_int_t) image->size)) < 0) {
                json_decref(row);
                return NULL;
        }
        return row;
}

/* The config as the image-spec writes it, without what is empty, in Go's order. */
static json_t *inspect_config(const ImageConfig *config) {
        static const char *const keys[] = { "User",    "ExposedPorts", "Env",        "Entrypoint", "Cmd",
                                            "Volumes", "WorkingDir",   "Labels",     "StopSignal", "OnBuild" };
        _cleanup_json_ json_t *saved = image_config_save(config);
        json_t *object = json_object();

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                json_t *value = json_object_get(json_object_get(saved, "config"), keys[i]);

                if (value && json_object_set(object, keys[i], value) < 0) {
                        json_decref(object);
                        return NULL;
                }
        }
        if (!saved) {
                json_decref(object);
                return NULL;
        }
        return object;
}

/* Where the layers are, in the form that Podman's overlay driver has it: the topmost is "upper". */
static json_t *graph_driver(const Store *store, const ImageInfo *image) {
        _cleanup_strv_ char **lower = NULL;
        _cleanup_json_ json_t *data = json_object();
        size_t n = strv_length(image->layers);

        for (size_t i = n; i-- > 0;) {
                char path[IMAGE_LAYER_PATH_SIZE];
                char *full;

                image_layer_path(image->layers[i], path);
                full = str_format("%s/%s", store->data_path, path);
                if (!full)
                        return NULL;
                if (i + 1 < n) {
                        if (strv_consume(&lower, full) < 0)
                                return NULL;
                        continue;
                }
                int r = set(data, "UpperDir", json_text(full));
                free(full);
                if (r < 0)
                        return NULL;
        }
        if (lower) {
                _cleanup_free_ char *joined = strv_join(lower, ":");

                if (!joined || set(data, "LowerDir", json_text(joined)) < 0)
                        return NULL;
        }
        return json_pack("{s:s, s:O}", "Name", "overlay", "Data", data);
}

static json_t *inspect_history(const ImageConfig *config) {
        _cleanup_json_ json_t *saved = image_config_save(config);
        json_t *history = json_object_get(saved, "history");

        return !saved ? NULL : history ? json_incref(history) : json_null();
}

static bool is_prefix(char *const *shorter, char *const *longer) {
        for (; shorter && *shorter; shorter++, longer++)
                if (!longer || !*longer || !str_equal(*shorter, *longer))
                        return false;
        return true;
}

static bool is_same_step(const ImageHistory *a, const ImageHistory *b) {
        return str_equal(a->created, b->created) && str_equal(a->created_by, b->created_by) && a->empty_layer == b->empty_layer;
}

/* Whether `image` is what became of `other` by one more step, with one layer more or none. */
static bool is_child_of(const ImageInfo *image, const ImageInfo *other) {
        const ImageConfig *c = &image->config, *o = &other->config;

        if (c->n_history == 0 || o->n_history + 1 != c->n_history || !is_prefix(other->layers, image->layers) ||
            strv_length(image->layers) != strv_length(other->layers) + !c->history[c->n_history - 1].empty_layer)
                return false;
        for (size_t i = 0; i < o->n_history; i++)
                if (!is_same_step(c->history + i, o->history + i))
                        return false;
        return true;
}

/* The image here that this one was made from, as its layers and history tell; "". */
static json_t *find_parent(const Store *store, const ImageInfo *image) {
        ImageInfo *all = NULL;
        json_t *parent = NULL;
        size_t n = 0;

        if (image_store_list(store, &all, &n, /* reterr= */ NULL) < 0)
                return json_string("");
        for (size_t i = 0; i < n && !parent; i++)
                if (!all[i].list && is_child_of(image, all + i))
                        parent = json_string(all[i].id);
        image_info_free_many(all, n);
        return parent ?: json_string("");
}

json_t *image_to_inspect(const Store *store, const ImageInfo *image) {
        const ImageConfig *c = &image->config;
        const ImageHistory *last = c->n_history > 0 ? c->history + c->n_history - 1 : NULL;
        _cleanup_json_ json_t *o = json_object(), *history = names_history_read(store);
        _cleanup_strv_ char **names = names_history_of(history, image);
        const struct {
                const char *key;
                json_t *value;
        } rows[] = {
                { "Id", json_string(image->id) },
                { "Digest", json_string(image->digest) },
                { "RepoTags", repo_tags(image) },
                { "RepoDigests", repo_digests(image) },
                { "Parent", find_parent(store, image) },
                { "Comment", json_string(last && last->comment ? last->comment : "") },
                { "Created", c->created ? json_string(c->created) : json_null() },
                { "Config", inspect_config(c) },
                { "Version", json_string("") },
                { "Author", json_string(c->author ?: "") },
                { "Architecture", json_string(c->architecture ?: "") },
                { "Os", json_string(c->os ?: "") },
                { "Size", json_integer((json_int_t) image->size) },
                { "VirtualSize", json_integer((json_int_t) image->size) },
                { "GraphDriver", graph_driver(store, image) },
                { "RootFS", json_pack("{s:s, s:o}", "Type", "layers", "Layers", json_from_strv(image->layers)) },
                { "Labels", pairs_or_null(c->labels) },
                { "Annotations", json_from_pairs(image->annotations) },
                { "ManifestType", json_string(image->manifest_type) },
                { "User", json_string(c->user ?: "") },
                { "History", inspect_history(c) },
                { "NamesHistory", json_from_strv(names) },
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (set(o, rows[i].key, rows[i].value) < 0)
                        r = -ENOMEM;
        if (r >= 0 && c->health.test) {
                _cleanup_json_ json_t *saved = image_config_save(c);

                r = json_object_set(o, "Healthcheck", json_object_get(json_object_get(saved, "config"), "Healthcheck"));
        }
        return r < 0 ? NULL : TAKE_PTR(o);
}
