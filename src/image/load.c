/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the file, and which of it becomes an image. */
#include "image/load.h"

#include "base/str.h"
#include "image/commit.h"
#include "image/limits.h"
#include "registry/policy.h"
#include "spec/image-config.h"
#include "spec/reference.h"

#define ANNOTATION_CONTAINERD_NAME "io.containerd.image.name"

typedef struct Loader {
        Stage *stage;
        Source source;
        const char *architecture;
        const Transport *transport; /* says which image, and what it is called; NULL: all of them */
        bool plain;                 /* a directory of dir: */
        LoadResult *result;
} Loader;

void load_result_done(LoadResult *result) {
        for (size_t i = 0; i < result->n_images; i++) {
                free(result->images[i].name);
                free(result->images[i].id);
        }
        free(result->images);
        *result = (LoadResult){};
}

int load_result_add(LoadResult *result, const char *name, const char *id) {
        Loaded *grown = realloc(result->images, (result->n_images + 1) * sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        result->images = grown;
        grown[result->n_images] = (Loaded){};
        Loaded *added = grown + result->n_images++;
        return str_replace(&added->name, name) < 0 || str_replace(&added->id, id) < 0 ? -ENOMEM : 0;
}

static int blob_path(const Loader *l, const char *digest, char **ret) {
        *ret = str_format("%s%s", l->plain ? "" : "blobs/sha256/", digest_hex(digest));
        return *ret ? 0 : -ENOMEM;
}

/* In a directory of dir:, the manifests of an index have names of their own; a manifest is a blob elsewhere. */
static int manifest_path(const Loader *l, const char *digest, char **ret) {
        *ret = l->plain ? str_format("%s.manifest.json", digest_hex(digest)) : NULL;
        return l->plain ? (*ret ? 0 : -ENOMEM) : blob_path(l, digest, ret);
}

/* Reads, checks and parses a small blob of an OCI layout, or of dir:. */
static int read_blob(Loader *l, const Descriptor *d, bool manifest, char **ret, size_t *ret_size, json_t **ret_json, Error *reterr) {
        _cleanup_free_ char *path = NULL;

        if ((manifest ? manifest_path(l, d->digest, &path) : blob_path(l, d->digest, &path)) < 0)
                return error_oom(reterr);
        int r = source_read(&l->source, path, MANIFEST_SIZE_LIMIT, d->digest, d->size, ret, ret_size, reterr);
        if (r == -ENOENT)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the blob '%s' is not in it", d->digest);
        return r < 0 ? r : json_parse(*ret, *ret_size, d->digest, ret_json, reterr);
}

static int check_platform(const Loader *l, const ImageConfig *config, Error *reterr) {
        const char *wanted = l->architecture ?: platform_host_architecture();

        if (config->os && !str_equal(config->os, "linux"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "the image is for '%.40s', not for linux", config->os);
        if (config->architecture && *config->architecture && !str_equal(config->architecture, wanted))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "the image is for the architecture '%.40s', not for '%s'",
                                 config->architecture, wanted);
        return 0;
}

/* The diff IDs of the config go to the layers. */
static int join_diff_ids(NewImage *image, const ImageConfig *config, Error *reterr) {
        if (strv_length(config->diff_ids) != image->n_layers)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the image config has %zu diff IDs for %zu layers",
                                 strv_length(config->diff_ids), image->n_layers);
        for (size_t i = 0; i < image->n_layers; i++)
                if (str_replace(&image->layers[i].diff_id, config->diff_ids[i]) < 0)
                        return error_oom(reterr);
        return 0;
}

/* Unpacks and commits. A layer that was here may have gone with another image meanwhile: then once more. */
static int take_in(Loader *l, NewImage *image, Error *reterr) {
        int r = -EAGAIN;

        for (int tries = 0; tries < 5 && r == -EAGAIN; tries++) {
                r = new_image_unpack(image, l->stage, reterr);
                if (r >= 0)
                        r = new_image_commit(image, l->stage, reterr);
        }
        if (r == -EAGAIN)
                return error_set(reterr, r, ERROR_IN_USE, "its layers are being removed by another command");
        if (r >= 0 && !image->names && load_result_add(l->result, /* name= */ NULL, digest_hex(image->config_digest)) < 0)
                return error_oom(reterr);
        for (char **name = image->names; name && *name && r >= 0; name++)
                if (load_result_add(l->result, *name, digest_hex(image->config_digest)) < 0)
                        return error_oom(reterr);
        return r;
}

static int add_oci_layers(Loader *l, const Manifest *manifest, NewImage *image, Error *reterr) {
        for (size_t i = 0; i < manifest->n_layers; i++) {
                const Descriptor *d = manifest->layers + i;
                NewLayer *layer = new_image_add_layer(image);
                _cleanup_free_ char *path = NULL;

                if (!layer || blob_path(l, d->digest, &path) < 0 || !(layer->digest = strdup(d->digest)))
                        return error_oom(reterr);
                int r = source_find(&l->source, path, &layer->file, reterr);
                if (r == -ENOENT)
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the layer '%s' is not in it", d->digest);
                if (r < 0)
                        return r;
                if (layer->file.size != (uint64_t) d->size)
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the layer '%s' is damaged: %llu bytes, expected %lld", d->digest,
                                         (unsigned long long) layer->file.size, (long long) d->size);
        }
        return 0;
}

static int load_manifest(Loader *l, const Descriptor *d, char *bytes, size_t size, const json_t *json, char *const *names,
                         Error *reterr) {
        _cleanup_new_image_ NewImage image = { .manifest = bytes, .manifest_size = size };
        _cleanup_manifest_ Manifest manifest = {};
        _cleanup_image_config_ ImageConfig config = {};
        _cleanup_json_ json_t *config_json = NULL;

        (void) stpcpy(image.manifest_digest, d->digest);
        int r = manifest_load(json, d->digest, &manifest, reterr);
        if (r >= 0)
                r = read_blob(l, &manifest.config, /* manifest= */ false, &image.config, &image.config_size, &config_json, reterr);
        if (r >= 0)
                r = image_config_load(config_json, &config, reterr);
        if (r >= 0)
                r = check_platform(l, &config, reterr);
        if (r >= 0)
                r = add_oci_layers(l, &manifest, &image, reterr);
        if (r >= 0)
                r = join_diff_ids(&image, &config, reterr);
        if (r < 0)
                return r;
        (void) stpcpy(image.config_digest, manifest.config.digest);
        image.manifest_type = strdup(manifest.media_type ?: MEDIA_TYPE_OCI_MANIFEST);
        image.names = strv_copy(names);
        if (!image.manifest_type || (names && !image.names))
                return error_oom(reterr);
        return take_in(l, &image, reterr);
}

static int load_descriptor(Loader *l, const Descriptor *d, int depth, char *const *names, Error *reterr);

/* A manifest, or the fitting one of an index; `bytes` is taken over. */
static int load_document(Loader *l, const Descriptor *d, char *document, size_t size, const json_t *json, int depth, char *const *names,
                         Error *reterr) {
        _cleanup_free_ char *bytes = document;
        _cleanup_index_ Index index = {};
        bool is_index;

        int r = manifest_probe(json, d->digest, &is_index, reterr);
        if (r < 0)
                return r;
        if (!is_index)
                return load_manifest(l, d, TAKE_PTR(bytes), size, json, names, reterr);
        if (depth >= IMAGE_INDEX_DEPTH_LIMIT)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "an index in it is nested deeper than %d", IMAGE_INDEX_DEPTH_LIMIT);
        r = index_load(json, d->digest, &index, reterr);
        if (r < 0)
                return r;
        const Descriptor *chosen = index_choose(&index, l->architecture);
        if (!chosen)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "no image in it is for linux on '%s'",
                                 l->architecture ?: platform_host_architecture());
        return load_descriptor(l, chosen, depth + 1, names, reterr);
}

static int load_descriptor(Loader *l, const Descriptor *d, int depth, char *const *names, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *bytes = NULL;
        size_t size;

        int r = read_blob(l, d, /* manifest= */ true, &bytes, &size, &json, reterr);
        return r < 0 ? r : load_document(l, d, TAKE_PTR(bytes), size, json, depth, names, reterr);
}

/* What a person called it there. */
static const char *annotated_name(const Descriptor *d) {
        return strv_env_get(d->annotations, ANNOTATION_CONTAINERD_NAME) ?: strv_env_get(d->annotations, ANNOTATION_REF_NAME);
}

/* Whether the descriptor is the one that was asked for. */
static bool is_wanted(const Loader *l, const Descriptor *d) {
        const char *wanted = l->transport ? l->transport->reference : NULL;

        return !wanted || str_equal(strv_env_get(d->annotations, ANNOTATION_REF_NAME), wanted) || str_equal(annotated_name(d), wanted);
}

/* The full name that the image gets; none where nothing names it. A directory that is asked for without a reference gives no
 * name, as in podman-pull(1). */
static int layout_names(const Loader *l, const Descriptor *d, char ***ret, Error *reterr) {
        const char *name = l->transport && l->transport->reference         ? l->transport->reference
                           : l->transport && l->transport->kind == TRANSPORT_OCI ? NULL
                                                                                 : annotated_name(d);
        char *full;

        if (str_empty(name))
                return 0;
        int r = reference_normalise_local(name, &full, reterr);
        if (r < 0)
                return r;
        return strv_consume(ret, full) < 0 ? error_oom(reterr) : 0;
}

/* How many of the layout are meant: with a transport it must be one. */
static int count_wanted(const Loader *l, const Index *index, Error *reterr) {
        size_t n = 0;

        for (size_t i = 0; i < index->n_manifests; i++)
                n += is_wanted(l, index->manifests + i);
        if (n == 0 && l->transport && l->transport->reference)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "there is no image '%.200s' in it", l->transport->reference);
        if (n == 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "there is no image in it");
        if (n == 1 || !l->transport)
                return 0;
        (void) error_set(reterr, -EINVAL, ERROR_INVALID, "there are %zu images in it", n);
        return error_with_hint(reterr, -EINVAL, "name one of them behind the path: %s:NAME", l->transport->path);
}

static int load_layout(Loader *l, Error *reterr) {
        _cleanup_free_ char *bytes = NULL;
        _cleanup_json_ json_t *json = NULL;
        _cleanup_index_ Index index = {};
        size_t size;

        int r = source_read(&l->source, "index.json", MANIFEST_SIZE_LIMIT, /* digest= */ NULL, -1, &bytes, &size, reterr);
        if (r >= 0)
                r = json_parse(bytes, size, "index.json", &json, reterr);
        if (r >= 0)
                r = index_load(json, "index.json", &index, reterr);
        if (r < 0)
                return r;
        r = count_wanted(l, &index, reterr);
        for (size_t i = 0; i < index.n_manifests && r >= 0; i++) {
                _cleanup_strv_ char **names = NULL;

                if (!is_wanted(l, index.manifests + i))
                        continue;
                r = layout_names(l, index.manifests + i, &names, reterr);
                if (r >= 0)
                        r = load_descriptor(l, index.manifests + i, 0, names, reterr);
        }
        return r;
}

/* Docker's tags are full or short names; short ones are Docker's own. */
static int docker_names(const json_t *entry, char ***ret, Error *reterr) {
        _cleanup_strv_ char **tags = NULL;
        int r = json_to_strv(json_object_get(entry, "RepoTags"), &tags);

        if (r < 0)
                return error_set(reterr, r, ERROR_CORRUPT, "manifest.json in it: RepoTags: not of the right type");
        for (char **tag = tags; tag && *tag; tag++) {
                _cleanup_reference_ Reference reference = {};

                r = reference_parse(*tag, &reference, reterr);
                if (r < 0)
                        return r;
                if (strv_consume(ret, reference_full(&reference, DOCKER_DOMAIN)) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int add_docker_layers(Loader *l, const json_t *entry, NewImage *image, Error *reterr) {
        const json_t *layers = json_object_get(entry, "Layers"), *path;
        size_t i;

        if (json_array_size(layers) > MANIFEST_LAYERS_LIMIT)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "manifest.json in it: Layers: too many");
        json_array_foreach(layers, i, path) {
                NewLayer *layer = new_image_add_layer(image);

                if (!layer)
                        return error_oom(reterr);
                if (!json_is_string(path))
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "manifest.json in it: Layers: not of the right type");
                int r = source_find(&l->source, json_string_value(path), &layer->file, reterr);
                if (r == -ENOENT)
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the layer '%.200s' is not in it", json_string_value(path));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_docker_image(Loader *l, const json_t *entry, Error *reterr) {
        const char *config_path = json_get_string(entry, "Config");
        _cleanup_new_image_ NewImage image = {};
        _cleanup_image_config_ ImageConfig config = {};
        _cleanup_json_ json_t *json = NULL;

        if (!config_path)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "manifest.json in it names no image config");
        int r = source_read(&l->source, config_path, MANIFEST_SIZE_LIMIT, /* digest= */ NULL, -1, &image.config, &image.config_size,
                            reterr);
        if (r == -ENOENT)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the image config '%.200s' is not in it", config_path);
        if (r >= 0 && sha256_buffer(image.config, image.config_size, image.config_digest) < 0)
                return error_oom(reterr);
        if (r >= 0)
                r = json_parse(image.config, image.config_size, config_path, &json, reterr);
        if (r >= 0)
                r = image_config_load(json, &config, reterr);
        if (r >= 0)
                r = check_platform(l, &config, reterr);
        if (r >= 0)
                r = docker_names(entry, &image.names, reterr);
        if (r >= 0)
                r = add_docker_layers(l, entry, &image, reterr);
        if (r >= 0)
                r = join_diff_ids(&image, &config, reterr);
        return r < 0 ? r : take_in(l, &image, reterr);
}

/* A directory of dir:: its manifest.json is a manifest, or an index. */
static int load_directory(Loader *l, char *document, size_t size, const json_t *json, Error *reterr) {
        _cleanup_free_ char *bytes = document;
        char digest[DIGEST_LENGTH + 1];
        Descriptor d = { .digest = digest, .size = (int64_t) size };

        if (sha256_buffer(bytes, size, digest) < 0)
                return error_oom(reterr);
        l->plain = true;
        return load_document(l, &d, TAKE_PTR(bytes), size, json, 0, /* names= */ NULL, reterr);
}

/* docker-archive:FILE:NAME or :@INDEX (containers-transports(5)). */
static bool docker_entry_is_wanted(const Loader *l, const json_t *entry, size_t number) {
        const char *wanted = l->transport ? l->transport->reference : NULL;
        _cleanup_reference_ Reference reference = {};
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *full = NULL;

        if (!wanted)
                return true;
        if (*wanted == '@')
                return strtoul(wanted + 1, NULL, 10) == number && wanted[1 + strspn(wanted + 1, "0123456789")] == 0;
        if (reference_parse(wanted, &reference, NULL) < 0 || docker_names(entry, &names, NULL) < 0)
                return false;
        full = reference_full(&reference, DOCKER_DOMAIN);
        return full && strv_contains(names, full);
}

static int load_docker(Loader *l, Error *reterr) {
        _cleanup_free_ char *bytes = NULL;
        _cleanup_json_ json_t *json = NULL;
        const json_t *entry;
        size_t size, i, n = 0;

        int r = source_read(&l->source, "manifest.json", MANIFEST_SIZE_LIMIT, /* digest= */ NULL, -1, &bytes, &size, reterr);
        if (r >= 0)
                r = json_parse(bytes, size, "manifest.json", &json, reterr);
        if (r < 0)
                return r;
        if (json_is_object(json))
                return load_directory(l, TAKE_PTR(bytes), size, json, reterr);
        if (json_array_size(json) == 0)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "manifest.json in it lists no image");
        json_array_foreach(json, i, entry) {
                if (!docker_entry_is_wanted(l, entry, i))
                        continue;
                n++;
                r = load_docker_image(l, entry, reterr);
                if (r < 0)
                        return r;
        }
        return n > 0 ? 0 : error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "there is no image '%.200s' in it", l->transport->reference);
}

/* What a transport promises must be what is there, and policy.json must allow it. */
static int check_form(const Loader *l, const char *path, const char *file, Error *reterr) {
        TransportKind kind = l->transport ? l->transport->kind : TRANSPORT_STORAGE;
        bool layout = str_equal(file, "index.json"), directory = l->source.directory, fits = true;

        if (kind == TRANSPORT_OCI || kind == TRANSPORT_OCI_ARCHIVE)
                fits = layout && directory == (kind == TRANSPORT_OCI);
        else if (kind == TRANSPORT_DOCKER_ARCHIVE || kind == TRANSPORT_DIRECTORY)
                fits = !layout && directory == (kind == TRANSPORT_DIRECTORY);
        _cleanup_free_ char *full = path ? realpath(path, NULL) : NULL; /* scopes are absolute paths */
        const char *form = layout ? directory ? "oci" : "oci-archive" : directory ? "dir" : "docker-archive";
        return fits ? policy_check(form, full ?: path ?: "", reterr)
                    : error_set(reterr, -EINVAL, ERROR_INVALID, "it is an image of another form: %s", form);
}

static int load(Loader *l, const char *path, Error *reterr) {
        static const struct {
                const char *file;
                int (*load)(Loader *l, Error *reterr);
        } formats[] = {
                { "index.json", load_layout },
                { "manifest.json", load_docker },
        };

        int r = source_open(path, l->stage, &l->source, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                _cleanup_source_file_ SourceFile file = SOURCE_FILE_NULL;

                r = source_find(&l->source, formats[i].file, &file, reterr);
                if (r >= 0)
                        r = check_form(l, path, formats[i].file, reterr);
                if (r >= 0)
                        return formats[i].load(l, reterr);
                if (r != -ENOENT)
                        return r;
        }
        r = error_set(reterr, -EINVAL, ERROR_INVALID, "it is neither an OCI image layout, nor an archive of 'docker save', nor a directory of dir:");
        error_hint(reterr, "a root file system's tar archive is made an image by 'sdpod import'");
        return r;
}

static int load_all(Stage *stage, const char *path, const Transport *transport, const char *architecture, LoadResult *ret, Error *reterr) {
        _cleanup_load_result_ LoadResult result = {};
        Loader l = { .stage = stage, .source = SOURCE_NULL, .architecture = architecture, .transport = transport, .result = &result };

        int r = load(&l, path, reterr);
        source_done(&l.source);
        if (r < 0)
                return r;
        *ret = result;
        result = (LoadResult){};
        return 0;
}

int image_load(Stage *stage, const char *path, const char *architecture, LoadResult *ret, Error *reterr) {
        int r = load_all(stage, path, /* transport= */ NULL, architecture, ret, reterr);

        return r < 0 ? error_prefix(reterr, r, "cannot load '%s'", path ?: "-") : 0;
}

int image_load_from(Stage *stage, const Transport *transport, const char *architecture, LoadResult *ret, Error *reterr) {
        int r = load_all(stage, transport->path, transport, architecture, ret, reterr);

        return r < 0 ? error_prefix(reterr, r, "cannot pull from '%s'", transport->path) : 0;
}
