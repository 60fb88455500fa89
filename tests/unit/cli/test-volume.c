/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "cli/filter.h"
#include "cli/volume-json.h"
#include "cli/volume-use.h"

static int match_first(const void *item, const char *value, _unused_ Error *reterr) {
        return ((const char *) item)[0] == value[0];
}

static int match_contains(const void *item, const char *value, Error *reterr) {
        return filter_regex(item, value, reterr);
}

TEST(values_of_a_key_are_alternatives_and_keys_add_up) {
        static const FilterKey keys[] = { { "all", .all = true, .match = match_contains }, { "first", .match = match_first }, {} };
        static const struct {
                const char *filters[4];
                int wanted;
        } rows[] = {
                { {}, 1 },
                { { "first=w" }, 1 },
                { { "first=x" }, 0 },
                { { "first=x", "first=w" }, 1 },
                { { "all=e", "all=b" }, 1 },
                { { "all=e", "all=x" }, 0 },
                { { "all=^we", "first=x", "first=w" }, 1 },
                { { "all=x", "first=w" }, 0 },
                { { "first" }, -EINVAL },
                { { "first=w", "none=x" }, -EINVAL },
                { { "all=(" }, -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                test_note("%s", rows[i].filters[0] ?: "");
                CHECK_INT(filters_match((char *const *) rows[i].filters, keys, "web", NULL), rows[i].wanted);
        }
        CHECK_INT(filters_match((char *const *) rows[9].filters, keys, NULL, NULL), -EINVAL);
}

TEST(labels_by_key_and_by_value) {
        char *labels[] = { (char *) "a=1", (char *) "ab=2", (char *) "bare", NULL };

        CHECK(filter_label(labels, "a"));
        CHECK(filter_label(labels, "ab=2"));
        CHECK(filter_label(labels, "bare="));
        CHECK(!filter_label(labels, "a=2"));
        CHECK(!filter_label(labels, "b"));
        CHECK(!filter_label(NULL, "a"));
}

static void make_volume(const Store *store, const char *name, const char *label) {
        _cleanup_volume_ Volume volume = VOLUME_NULL;

        CHECK_INT(str_replace(&volume.name, name), 0);
        CHECK_INT(strv_append(&volume.labels, label), 0);
        CHECK_INT(volume_create(store, &volume, NULL), 0);
}

static void make_container(const Store *store, const char *volume) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
        _cleanup_container_ Container container = CONTAINER_NULL;
        ContainerMount *mount = container_array_add((void **) &config.mounts, &config.n_mounts, sizeof(*mount));

        CHECK(mount);
        CHECK_INT(str_replace(&mount->type, "volume"), 0);
        CHECK_INT(str_replace(&mount->source, volume), 0);
        CHECK_INT(str_replace(&mount->destination, "/x"), 0);
        CHECK_INT(container_create(store, &config, &container, NULL), 0);
}

static size_t count(const Store *store, const char *filter, bool unused) {
        char *filters[] = { (char *) filter, NULL };
        _cleanup_json_ json_t *array = NULL;

        CHECK_INT(volumes_to_json(store, filters, unused, &array, NULL), 0);
        return json_array_size(array);
}

TEST(volumes_know_their_users) {
        char directory[] = "/tmp/sdpod-test-XXXXXX";
        _cleanup_(store_done) Store store = STORE_NULL;
        _cleanup_strv_ char **users = NULL;

        CHECK(mkdtemp(directory));
        _cleanup_free_ char *data = str_format("%s/data", directory), *runtime = str_format("%s/run", directory);
        CHECK_INT(store_open(data, runtime, &store, NULL), 0);
        make_volume(&store, "used", "k=1");
        make_volume(&store, "unused", "k=2");
        make_container(&store, "used");
        CHECK_INT(volume_users(&store, "used", &users, NULL), 0);
        CHECK_INT(strv_length(users), 1);
        CHECK_INT(count(&store, NULL, false), 2);
        CHECK_INT(count(&store, NULL, true), 1);
        CHECK_INT(count(&store, "dangling=false", false), 1);
        CHECK_INT(count(&store, "label=k", false), 2);
        CHECK_INT(count(&store, "label=k=2", false), 1);
        CHECK_INT(count(&store, "label!=k=2", false), 1);
        CHECK_INT(count(&store, "name=^un", false), 1);
        CHECK_INT(count(&store, "driver=nfs", false), 0);
        CHECK_INT(count(&store, "until=1h", false), 0);
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}
