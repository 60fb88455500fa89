/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/test.h"
#include "spec/image-config.h"
#include "spec/manifest.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX

static int load(const char *text, ImageConfig *config, Error *error) {
        _cleanup_json_ json_t *json = NULL;

        int r = json_parse(text, strlen(text), "config", &json, error);
        return r < 0 ? r : image_config_load(json, config, error);
}

TEST(a_config_goes_round) {
        _cleanup_image_config_ ImageConfig config = {}, again = {};
        _cleanup_json_ json_t *json = NULL;

        CHECK_INT(load("{\"created\":\"2024-01-31T10:00:00.25+02:00\",\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{"
                       "\"Env\":[\"A=1\",\"B\",\"C=x\\ny\"],\"Entrypoint\":[\"/e\"],\"Cmd\":null,\"WorkingDir\":\"w\",\"User\":\"\","
                       "\"Volumes\":{\"/v\":{}},\"ExposedPorts\":{\"80\":{},\"53/udp\":{},\"1-2/tcp\":{}},"
                       "\"Labels\":{\"l\":\"\\u001b\"},\"StopSignal\":\"SIGRTMIN+3\","
                       "\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":1000000000}},"
                       "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST "\"]},"
                       "\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}]}", &config, NULL), 0);
        CHECK_INT(config.created_usec, 1706688000250000);
        CHECK_STR(config.env[1], "B=");
        CHECK_STR(config.workdir, "/w");
        CHECK(!config.user && !config.cmd);
        CHECK_INT(strv_length(config.exposed_ports), 3);
        json = image_config_save(&config);
        CHECK(json);
        CHECK_INT(image_config_load(json, &again, NULL), 0);
        CHECK_STR(again.volumes[0], "/v");
        CHECK_STR(again.stop_signal, "SIGRTMIN+3");
        CHECK_STR(again.diff_ids[0], DIGEST);
        CHECK_INT(again.health.interval_nsec, 1000000000);
        CHECK_INT(again.n_history, 1);
        CHECK(again.history[0].empty_layer);
}

TEST(hostile_configs_are_refused) {
        static const char *const rows[] = {
                "[]", "{\"config\":[]}", "{\"config\":{\"Env\":\"A=1\"}}", "{\"config\":{\"Env\":[1]}}",
                "{\"config\":{\"Env\":[\"=1\"]}}", "{\"config\":{\"Entrypoint\":\"sh\"}}", "{\"config\":{\"Cmd\":{}}}",
                "{\"config\":{\"StopSignal\":\"99999999999\"}}", "{\"config\":{\"StopSignal\":\"SIGNONE\"}}",
                "{\"config\":{\"StopSignal\":9}}", "{\"config\":{\"Volumes\":[\"/a\"]}}", "{\"config\":{\"Volumes\":{\"../a\":{}}}}",
                "{\"config\":{\"Volumes\":{\"/a\":1}}}", "{\"config\":{\"ExposedPorts\":{\"70000\":{}}}}",
                "{\"config\":{\"ExposedPorts\":{\"80/tcp;x\":{}}}}", "{\"config\":{\"ExposedPorts\":{\"9-8/tcp\":{}}}}",
                "{\"config\":{\"ExposedPorts\":{\"-1\":{}}}}", "{\"config\":{\"User\":\"root\\u001b]0;x\\u0007\"}}",
                "{\"config\":{\"Labels\":{\"a\":1}}}", "{\"config\":{\"Healthcheck\":{\"Test\":[\"RUN\"]}}}",
                "{\"config\":{\"Healthcheck\":{\"Interval\":-1}}}", "{\"config\":{\"Healthcheck\":{\"Interval\":1e3}}}",
                "{\"rootfs\":[]}", "{\"rootfs\":{\"diff_ids\":[\"sha256:../x\"]}}", "{\"rootfs\":{\"diff_ids\":\"x\"}}",
                "{\"history\":{}}", "{\"history\":[1]}", "{\"a\":1,\"a\":2}", "{\"os\":1}",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_image_config_ ImageConfig config = {};
                _cleanup_error_ Error error = ERROR_NULL;
                int r = load(rows[i], &config, &error);

                if (r != -EBADMSG)
                        test_note("taken: %s", rows[i]);
                CHECK_INT(r, -EBADMSG);
                CHECK(error.message && !strchr(error.message, '\n'));
        }
}

TEST(arguments_longer_than_execve_takes_are_refused) {
        _cleanup_image_config_ ImageConfig config = {};
        size_t n = 3 * 1024 * 1024;
        _cleanup_free_ char *text = malloc(n + 64);
        char *p;

        CHECK(text);
        p = stpcpy(text, "{\"config\":{\"Cmd\":[\"");
        memset(p, 'x', n);
        (void) stpcpy(p + n, "\"]}}");
        CHECK_INT(load(text, &config, NULL), -EBADMSG);
        p = stpcpy(text, "{\"config\":{\"Env\":[");
        for (size_t i = 0; i < n / 8; i++)
                p = stpcpy(p, i ? ",\"A=\"" : "\"A=\"");
        (void) stpcpy(p, "]}}");
        CHECK_INT(load(text, &config, NULL), -EBADMSG);
}

TEST(deep_json_is_refused) {
        _cleanup_image_config_ ImageConfig config = {};
        char text[2048];

        memset(text, '[', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        CHECK_INT(load(text, &config, NULL), -EBADMSG);
}

TEST(times_in_and_out) {
        static const char *const bad[] = { "", "2024", "2024-01-31T10:00:00", "2024-01-31T10:00:00Zx", "2024-01-31 10:00:00Z" };
        int64_t usec;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_INT(image_time_parse(bad[i], &usec), -EINVAL);
        CHECK_INT(image_time_parse("0001-01-01T00:00:00Z", &usec), 0);
        _cleanup_free_ char *first = image_time_format(usec), *second = image_time_format(1706688000250000);
        CHECK_STR(first, "0001-01-01T00:00:00Z");
        CHECK_STR(second, "2024-01-31T08:00:00.25Z");
}

static int manifest(const char *text, Manifest *ret) {
        _cleanup_json_ json_t *json = NULL;

        CHECK_INT(json_parse(text, strlen(text), "manifest", &json, NULL), 0);
        return manifest_load(json, "manifest", ret, NULL);
}

#define GOOD "{\"mediaType\":\"x\",\"digest\":\"" DIGEST "\",\"size\":3}"

TEST(manifests_are_read_strictly) {
        static const char *const bad[] = {
                "{}", "[]", "{\"schemaVersion\":1,\"fsLayers\":[]}", "{\"schemaVersion\":2,\"config\":" GOOD "}",
                "{\"schemaVersion\":2,\"config\":" GOOD ",\"layers\":[],\"manifests\":[]}",
                "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_INDEX "\",\"config\":" GOOD ",\"layers\":[]}",
                "{\"schemaVersion\":2,\"config\":{\"digest\":\"" DIGEST "\",\"size\":-1},\"layers\":[]}",
                "{\"schemaVersion\":2,\"config\":{\"digest\":\"" DIGEST "\"},\"layers\":[]}",
                "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:../../x\",\"size\":1},\"layers\":[]}",
                "{\"schemaVersion\":2,\"config\":" GOOD ",\"layers\":[1]}", "{\"schemaVersion\":2,\"config\":" GOOD ",\"layers\":{}}",
        };
        _cleanup_manifest_ Manifest m = {};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK(manifest(bad[i], &m) < 0);
        CHECK_INT(manifest("{\"schemaVersion\":2,\"config\":" GOOD ",\"layers\":[" GOOD "," GOOD "]}", &m), 0);
        CHECK_INT(m.n_layers, 2);
}

TEST(the_hosts_platform_is_chosen) {
        _cleanup_json_ json_t *json = NULL;
        _cleanup_index_ Index index = {};
        const char *text = "{\"schemaVersion\":2,\"manifests\":["
                           "{\"digest\":\"" DIGEST "\",\"size\":1,\"platform\":{\"os\":\"windows\",\"architecture\":\"amd64\"}},"
                           "{\"digest\":\"" DIGEST "\",\"size\":2,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}},"
                           "{\"digest\":\"" DIGEST "\",\"size\":3,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}";

        CHECK_INT(json_parse(text, strlen(text), "index", &json, NULL), 0);
        CHECK_INT(index_load(json, "index", &index, NULL), 0);
        CHECK_INT(index_choose(&index, "amd64")->size, 3);
        CHECK_INT(index_choose(&index, "arm64")->size, 2);
        CHECK(!index_choose(&index, "riscv64"));
}
