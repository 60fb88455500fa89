/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/str.h"
#include "base/test.h"
#include "image/manifest-edit.h"

#define HEX(c) "sha256:" c c c c c c c c
#define CONFIG HEX("00000000")
#define OLD HEX("11111111")
#define NEW HEX("22222222")

static const char stored[] = "{ \"schemaVersion\": 2, \"mediaType\": \"" MEDIA_TYPE_OCI_MANIFEST "\","
                             "\"config\": {\"mediaType\": \"" MEDIA_TYPE_OCI_CONFIG "\", \"digest\": \"" CONFIG "\", \"size\": 2},"
                             "\"layers\": [{\"mediaType\": \"" MEDIA_TYPE_OCI_LAYER "+gzip\", \"digest\": \"" OLD "\", \"size\": 3,"
                             "\"annotations\": {\"a\": \"b\"}}], \"annotations\": {\"c\": \"d\"}}";

static int edit(PlacedLayer layer, ManifestType type, json_t **ret, const char **ret_type, bool *ret_same) {
        _cleanup_edited_manifest_ EditedManifest edited = {};

        int r = manifest_edit(stored, strlen(stored), &layer, 1, type, &edited, NULL);
        if (r < 0)
                return r;
        *ret_type = edited.media_type;
        *ret_same = edited.size == strlen(stored) && memcmp(edited.bytes, stored, edited.size) == 0;
        return json_parse(edited.bytes, edited.size, "edited", ret, NULL);
}

static const char *layer_string(const json_t *json, const char *key) {
        return json_get_string(json_array_get(json_object_get(json, "layers"), 0), key);
}

TEST(what_does_not_change_stays_byte_for_byte) {
        _cleanup_json_ json_t *json = NULL;
        const char *type;
        bool same;

        CHECK_INT(edit((PlacedLayer){ .same = true, .compression = COMPRESSION_GZIP }, MANIFEST_AS_IS, &json, &type, &same), 0);
        CHECK(same);
        CHECK_STR(type, MEDIA_TYPE_OCI_MANIFEST);
        json_decref(json);
        json = NULL;
        CHECK_INT(edit((PlacedLayer){ .same = true, .compression = COMPRESSION_GZIP }, MANIFEST_OCI, &json, &type, &same), 0);
        CHECK(same);
}

TEST(a_new_blob_takes_the_place_of_the_old) {
        _cleanup_json_ json_t *json = NULL;
        const char *type;
        bool same;

        CHECK_INT(edit((PlacedLayer){ .digest = NEW, .size = 9, .compression = COMPRESSION_ZSTD }, MANIFEST_AS_IS, &json, &type, &same), 0);
        CHECK(!same);
        CHECK_STR(layer_string(json, "digest"), NEW);
        CHECK_STR(layer_string(json, "mediaType"), MEDIA_TYPE_OCI_LAYER "+zstd");
        CHECK(!json_object_get(json_array_get(json_object_get(json, "layers"), 0), "annotations"));
        CHECK_STR(json_get_string(json_object_get(json, "annotations"), "c"), "d");
        CHECK_STR(json_get_string(json_object_get(json, "config"), "digest"), CONFIG);
}

TEST(docker_s_type_keeps_the_config_and_has_no_zstd) {
        _cleanup_json_ json_t *json = NULL;
        const char *type;
        bool same;

        CHECK_INT(edit((PlacedLayer){ .same = true, .compression = COMPRESSION_GZIP }, MANIFEST_DOCKER, &json, &type, &same), 0);
        CHECK_STR(type, MEDIA_TYPE_DOCKER_MANIFEST);
        CHECK_STR(json_get_string(json, "mediaType"), MEDIA_TYPE_DOCKER_MANIFEST);
        CHECK_STR(layer_string(json, "mediaType"), "application/vnd.docker.image.rootfs.diff.tar.gzip");
        CHECK_STR(layer_string(json, "digest"), OLD);
        CHECK_STR(json_get_string(json_object_get(json, "config"), "digest"), CONFIG);
        CHECK(!json_object_get(json, "annotations"));
        json_decref(json);
        json = NULL;
        CHECK_INT(edit((PlacedLayer){ .same = true, .compression = COMPRESSION_ZSTD }, MANIFEST_DOCKER, &json, &type, &same), -EOPNOTSUPP);
}

TEST(types_have_names) {
        CHECK_INT(manifest_type_from_string("oci"), MANIFEST_OCI);
        CHECK_INT(manifest_type_from_string("v2s2"), MANIFEST_DOCKER);
        CHECK((int) manifest_type_from_string("v2s1") < 0 && (int) manifest_type_from_string("") < 0);
        CHECK_INT(compression_from_media_type(MEDIA_TYPE_OCI_LAYER), COMPRESSION_NONE);
        CHECK_INT(compression_from_media_type(MEDIA_TYPE_OCI_LAYER "+zstd"), COMPRESSION_ZSTD);
        CHECK_INT(compression_from_media_type("application/vnd.docker.image.rootfs.diff.tar.gzip"), COMPRESSION_GZIP);
}
