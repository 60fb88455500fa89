/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/str.h"
#include "base/test.h"
#include "oci/features.h"

static json_t *features(void) {
        _cleanup_free_ char *text = NULL;
        json_t *json;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        CHECK(f);
        CHECK_INT(oci_features_print(f, NULL), 0);
        CHECK_INT(fclose(f), 0);
        CHECK_INT(json_parse(text, size, "features", &json, NULL), 0);
        return json;
}

/* A value by the path of its keys. */
static const json_t *find(const json_t *json, const char *path) {
        _cleanup_strv_ char **keys = strv_split(path, "/");

        for (char **k = keys; *k; k++)
                json = json_object_get(json, *k);
        return json;
}

static bool lists(const json_t *array, const char *word) {
        const json_t *item;
        size_t i;

        json_array_foreach((json_t *) array, i, item)
                if (str_equal(json_string_value(item), word))
                        return true;
        return false;
}

TEST(every_member_that_the_specification_has) {
        static const char *const rows[] = {
                "ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "annotations", "potentiallyUnsafeConfigAnnotations",
                "linux/namespaces", "linux/capabilities", "linux/cgroup/v1", "linux/cgroup/v2", "linux/cgroup/systemd", "linux/cgroup/systemdUser",
                "linux/cgroup/rdma", "linux/seccomp/enabled", "linux/seccomp/actions", "linux/seccomp/operators", "linux/seccomp/archs",
                "linux/seccomp/knownFlags", "linux/seccomp/supportedFlags", "linux/apparmor/enabled", "linux/selinux/enabled",
                "linux/intelRdt/enabled", "linux/memoryPolicy/modes", "linux/memoryPolicy/flags", "linux/mountExtensions/idmap/enabled",
                "linux/netDevices/enabled",
        };
        _cleanup_json_ json_t *json = features();

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (!find(json, rows[i]))
                        test_note("%s", rows[i]);
                CHECK(find(json, rows[i]));
        }
        CHECK_INT(json_array_size(find(json, "hooks")), 6);
        CHECK(lists(find(json, "linux/capabilities"), "CAP_CHOWN") && lists(find(json, "linux/capabilities"), "CAP_CHECKPOINT_RESTORE"));
        CHECK(lists(find(json, "linux/seccomp/actions"), "SCMP_ACT_NOTIFY"));
        CHECK(lists(find(json, "linux/seccomp/supportedFlags"), "SECCOMP_FILTER_FLAG_LOG"));
        CHECK(lists(find(json, "mountOptions"), "rro"));
        CHECK_STR(json_string_value(json_object_get(find(json, "annotations"), "org.opencontainers.runc.checkpoint.enabled")), "false");
}
