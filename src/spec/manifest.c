/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and indexes, read strictly. */
#include "spec/manifest.h"

#include "base/str.h"

static int load_descriptors(const json_t *array, size_t limit, const char *what, Descriptor **ret, size_t *ret_n,
                            Error *reterr) {
        size_t n = json_array_size(array);

        if (!json_is_array(array))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s is not a list", what);
        if (n > limit)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s has %zu entries, at most %zu are taken", what, n, limit);
        *ret = calloc(MAX(n, (size_t) 1), sizeof(Descriptor));
        if (!*ret)
                return error_oom(reterr);
        for (*ret_n = 0; *ret_n < n; ++*ret_n) {
                int r = descriptor_load(json_array_get(array, *ret_n), what, *ret + *ret_n, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void free_descriptors(Descriptor *descriptors, size_t n) {
        for (size_t i = 0; i < n; i++)
                descriptor_done(descriptors + i);
        free(descriptors);
}

int manifest_probe(const json_t *json, const char *what, bool *ret_index, Error *reterr) {
        const json_t *version = json_object_get(json, "schemaVersion");
        const char *type = json_get_string(json, "mediaType");
        bool index = json_object_get(json, "manifests"), manifest = json_object_get(json, "config") || json_object_get(json, "layers");

        if (!json_is_object(json))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s is not a JSON object", what);
        if (json_is_integer(version) && json_integer_value(version) == 1)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "%s is of Docker's schema 1, which is not supported", what);
        if (!json_is_integer(version) || json_integer_value(version) != 2)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s does not say schemaVersion 2", what);
        if (index == manifest || json_object_get(json, "fsLayers") || json_object_get(json, "history"))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s is not clearly a manifest or an index", what);
        if (type && !str_equal(type, index ? MEDIA_TYPE_OCI_INDEX : MEDIA_TYPE_OCI_MANIFEST) &&
            !str_equal(type, index ? MEDIA_TYPE_DOCKER_INDEX : MEDIA_TYPE_DOCKER_MANIFEST))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s has the media type '%.80s', which does not fit", what, type);
        *ret_index = index;
        return 0;
}

void manifest_done(Manifest *manifest) {
        free(manifest->media_type);
        strv_free(manifest->annotations);
        descriptor_done(&manifest->config);
        free_descriptors(manifest->layers, manifest->n_layers);
        *manifest = (Manifest){};
}

int manifest_load(const json_t *json, const char *what, Manifest *ret, Error *reterr) {
        _cleanup_manifest_ Manifest manifest = {};
        bool index;

        int r = manifest_probe(json, what, &index, reterr);
        if (r < 0)
                return r;
        if (index)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s is an index, a manifest was expected", what);
        if (str_replace(&manifest.media_type, json_get_string(json, "mediaType")) < 0)
                return error_oom(reterr);
        r = json_to_pairs(json_object_get(json, "annotations"), &manifest.annotations);
        if (r == -ENOMEM)
                return error_oom(reterr);
        if (r < 0)
                return error_set(reterr, r, ERROR_CORRUPT, "%s: annotations: not of the right type", what);
        r = descriptor_load(json_object_get(json, "config"), "the image config", &manifest.config, reterr);
        if (r >= 0)
                r = load_descriptors(json_object_get(json, "layers"), MANIFEST_LAYERS_LIMIT, "the list of layers",
                                     &manifest.layers, &manifest.n_layers, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", what);
        *ret = manifest;
        manifest = (Manifest){};
        return 0;
}

void index_done(Index *index) {
        free_descriptors(index->manifests, index->n_manifests);
        *index = (Index){};
}

int index_load(const json_t *json, const char *what, Index *ret, Error *reterr) {
        _cleanup_index_ Index index = {};
        bool is_index;

        int r = manifest_probe(json, what, &is_index, reterr);
        if (r < 0)
                return r;
        if (!is_index)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s is a manifest, an index was expected", what);
        r = load_descriptors(json_object_get(json, "manifests"), MANIFEST_INDEX_LIMIT, "the list of manifests",
                             &index.manifests, &index.n_manifests, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", what);
        *ret = index;
        index = (Index){};
        return 0;
}

const Descriptor *index_choose(const Index *index, const char *architecture) {
        const Descriptor *found = NULL;

        if (!architecture)
                architecture = platform_host_architecture();
        for (size_t i = 0; i < index->n_manifests && !found; i++) {
                const Platform *p = &index->manifests[i].platform;

                if (str_equal(p->os, "linux") && str_equal(p->architecture, architecture))
                        found = index->manifests + i;
        }
        if (!found && index->n_manifests == 1 && !index->manifests[0].platform.architecture)
                found = index->manifests;
        return found;
}
