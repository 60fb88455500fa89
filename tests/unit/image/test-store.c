/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "image/layout.h"
#include "image/store.h"

static const char hex_a[] = "aa00000000000000000000000000000000000000000000000000000000000000";
static const char hex_b[] = "ab00000000000000000000000000000000000000000000000000000000000000";

/* An image whose blobs' names are made up: readers do not hash. The manifest's name ends in another digit. */
static void make_image(int images, json_t *index, const char *hex, const char *name) {
        char path[128], text[1024];

        (void) snprintf(path, sizeof(path), "blobs/sha256/%s", hex);
        (void) snprintf(text, sizeof(text), "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"%.2s\"]},"
                        "\"rootfs\":{\"diff_ids\":[\"sha256:%s\"]}}", hex, hex);
        CHECK_INT(file_write_atomic(images, path, text, strlen(text), 0600, FILE_VOLATILE), 0);
        path[STRLEN("blobs/sha256/") + 63] = 'f';
        (void) snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:%s\",\"size\":1},\"layers\":[]}", hex);
        CHECK_INT(file_write_atomic(images, path, text, strlen(text), 0600, FILE_VOLATILE), 0);
        (void) snprintf(text, sizeof(text), "sha256:%s", path + STRLEN("blobs/sha256/"));
        CHECK_INT(layout_add(index, text, 1, MEDIA_TYPE_OCI_MANIFEST, name, NULL), 0);
}

static void make_store(Store *ret) {
        char name[] = "/tmp/sdpod-test-XXXXXX";
        _cleanup_json_ json_t *index = NULL;

        CHECK(mkdtemp(name));
        CHECK_INT(store_open(name, name, ret, NULL), 0);
        _cleanup_fd_ int images = layout_open(ret, NULL);
        CHECK(images >= 0);
        CHECK_INT(layout_load(ret, &index, NULL), 0);
        make_image(images, index, hex_a, "docker.io/library/busybox:latest");
        make_image(images, index, hex_b, "quay.io/team/web:v1");
        CHECK_INT(layout_save(images, index, NULL), 0);
}

static const char *resolve(const Store *store, const char *reference) {
        static char name[300];
        _cleanup_image_info_ ImageInfo info = {};
        int r = image_store_resolve(store, reference, &info, NULL);

        if (r < 0)
                return r == -ENOENT ? "ENOENT" : r == -EINVAL ? "EINVAL" : "error";
        (void) snprintf(name, sizeof(name), "%.2s %s", info.id, info.name ?: "-");
        return name;
}

TEST(images_are_found_as_people_write_them) {
        static const char *const rows[][2] = {
                { "busybox", "aa docker.io/library/busybox:latest" },
                { "library/busybox:latest", "aa docker.io/library/busybox:latest" },
                { "docker.io/busybox", "aa docker.io/library/busybox:latest" },
                { "localhost/busybox", "ENOENT" },
                { "busybox:1", "ENOENT" },
                { "web:v1", "ab quay.io/team/web:v1" },
                { "team/web:v1", "ab quay.io/team/web:v1" },
                { "eb:v1", "ENOENT" },
                { "web", "ENOENT" },
                { "aa", "aa docker.io/library/busybox:latest" },
                { "a", "EINVAL" },
                { "ab0000", "ab quay.io/team/web:v1" },
                { "sha256:aa00000000000000000000000000000000000000000000000000000000000000",
                  "aa docker.io/library/busybox:latest" },
                { "busybox@sha256:aa0000000000000000000000000000000000000000000000000000000000000f",
                  "aa docker.io/library/busybox:latest" },
                { "web@sha256:aa0000000000000000000000000000000000000000000000000000000000000f", "ENOENT" },
                { "Busy box", "EINVAL" },
                { "", "EINVAL" },
        };
        _cleanup_store_ Store store = STORE_NULL;

        make_store(&store);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                CHECK_STR(resolve(&store, rows[i][0]), rows[i][1]);
}

TEST(names_move_and_go) {
        _cleanup_store_ Store store = STORE_NULL;

        make_store(&store);
        CHECK_INT(image_store_tag(&store, "web:v1", "busybox", NULL), 0);
        CHECK_STR(resolve(&store, "busybox"), "ab localhost/busybox:latest");
        CHECK_INT(image_store_tag(&store, "web:v1", "docker.io/library/busybox", NULL), 0);
        CHECK_STR(resolve(&store, "aa"), "aa -");
        CHECK_INT(image_store_untag(&store, "ab", (char *[]){ (char *) "nothing", NULL }, NULL), -ENOENT);
        CHECK_INT(image_store_untag(&store, "ab", (char *[]){ (char *) "busybox", NULL }, NULL), 0);
        CHECK_STR(resolve(&store, "localhost/busybox"), "ENOENT");
        CHECK_STR(resolve(&store, "busybox"), "ab docker.io/library/busybox:latest");
        CHECK_INT(image_store_untag(&store, "ab", NULL, NULL), 0);
        CHECK_STR(resolve(&store, "busybox"), "ENOENT");
        CHECK_STR(resolve(&store, "ab"), "ab -");
        CHECK_INT(image_store_tag(&store, "ab", "again", NULL), 0);
        CHECK_STR(resolve(&store, "ab"), "ab localhost/again:latest");
}

TEST(a_damaged_list_is_named) {
        static const char *const bad[] = { "", "{", "[]", "{\"manifests\":[{}]}", "{\"manifests\":[{\"digest\":\"sha256:../../x\"}]}" };
        _cleanup_store_ Store store = STORE_NULL;

        make_store(&store);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_error_ Error error = ERROR_NULL;
                ImageInfo info = {};

                CHECK_INT(file_write_atomic(store.data_fd, "images/index.json", bad[i], strlen(bad[i]), 0600, FILE_VOLATILE), 0);
                CHECK_INT(image_store_resolve(&store, "busybox", &info, &error), -EBADMSG);
                CHECK(strstr(error.message, "index.json"));
        }
}
