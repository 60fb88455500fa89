/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests for another place. */
#include "image/manifest-edit.h"

#include "base/str.h"

#define DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"

ManifestType manifest_type_from_string(const char *name) {
        return str_equal(name, "oci") ? MANIFEST_OCI : str_equal(name, "v2s2") ? MANIFEST_DOCKER : (ManifestType) -EINVAL;
}

Compression compression_from_media_type(const char *media_type) {
        if (!media_type)
                return COMPRESSION_NONE;
        return str_has_suffix(media_type, "gzip") ? COMPRESSION_GZIP : str_has_suffix(media_type, "zstd") ? COMPRESSION_ZSTD : COMPRESSION_NONE;
}

static const char *layer_media_type(Compression compression, bool docker) {
        if (docker)
                return compression == COMPRESSION_GZIP ? DOCKER_LAYER ".gzip" : compression == COMPRESSION_NONE ? DOCKER_LAYER : NULL;
        return compression == COMPRESSION_GZIP   ? MEDIA_TYPE_OCI_LAYER "+gzip"
               : compression == COMPRESSION_ZSTD ? MEDIA_TYPE_OCI_LAYER "+zstd"
                                                 : MEDIA_TYPE_OCI_LAYER;
}

static int edit_layer(json_t *layer, const PlacedLayer *placed, bool docker, Error *reterr) {
        const char *type = layer_media_type(placed->compression, docker);

        if (!type)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "Docker's manifests (v2s2) have no layers compressed by %s",
                                 compression_to_string(placed->compression));
        if (json_object_set_new(layer, "mediaType", json_string(type)) < 0)
                return error_oom(reterr);
        if (placed->same)
                return 0;
        (void) json_object_del(layer, "urls"); /* where the old blob was */
        if (docker || json_object_size(json_object_get(layer, "annotations")) > 0) /* they may describe the old blob (zstd:chunked) */
                (void) json_object_del(layer, "annotations");
        return json_object_set_new(layer, "digest", json_string(placed->digest)) < 0 ||
                               json_object_set_new(layer, "size", json_integer((json_int_t) placed->size)) < 0
                       ? error_oom(reterr)
                       : 0;
}

static int edit(json_t *json, const PlacedLayer *layers, size_t n_layers, bool docker, Error *reterr) {
        json_t *config = json_object_get(json, "config");

        if (json_object_set_new(json, "mediaType", json_string(docker ? MEDIA_TYPE_DOCKER_MANIFEST : MEDIA_TYPE_OCI_MANIFEST)) < 0 ||
            json_object_set_new(config, "mediaType", json_string(docker ? MEDIA_TYPE_DOCKER_CONFIG : MEDIA_TYPE_OCI_CONFIG)) < 0)
                return error_oom(reterr);
        if (docker)
                (void) json_object_del(json, "annotations");
        for (size_t i = 0; i < n_layers; i++) {
                int r = edit_layer(json_array_get(json_object_get(json, "layers"), i), layers + i, docker, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

int manifest_edit(const char *bytes, size_t size, const PlacedLayer *layers, size_t n_layers, ManifestType type, EditedManifest *ret,
                  Error *reterr) {
        _cleanup_json_ json_t *json = NULL;
        bool docker, changed = false;
        char *text;

        int r = json_parse(bytes, size, "the manifest", &json, reterr);
        if (r < 0)
                return r;
        docker = str_equal(json_get_string(json, "mediaType"), MEDIA_TYPE_DOCKER_MANIFEST);
        if (type != MANIFEST_AS_IS && docker != (type == MANIFEST_DOCKER)) {
                docker = type == MANIFEST_DOCKER;
                changed = true;
        }
        for (size_t i = 0; i < n_layers; i++)
                changed = changed || !layers[i].same;
        if (changed) {
                r = edit(json, layers, n_layers, docker, reterr);
                if (r < 0)
                        return r;
                text = json_dumps(json, JSON_COMPACT);
                size = text ? strlen(text) : 0;
        } else
                text = strndup(bytes, size);
        if (!text)
                return error_oom(reterr);
        *ret = (EditedManifest){
                .bytes = text,
                .size = size,
                .media_type = docker ? MEDIA_TYPE_DOCKER_MANIFEST : MEDIA_TYPE_OCI_MANIFEST,
        };
        return 0;
}
