/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/test.h"
#include "fresh-store.h"
#include "state/pod.h"

static int create(Store *store, const char *name, Pod *ret) {
        PodConfig config = POD_CONFIG_NULL;

        if (name)
                config.name = strdup(name);
        int r = pod_create(store, &config, ret, /* reterr= */ NULL);
        pod_config_done(&config);
        return r;
}

TEST(a_name_is_a_pods_or_a_containers) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_pod_ Pod a = POD_NULL, b = POD_NULL, c = POD_NULL;
        _cleanup_container_ Container web = CONTAINER_NULL, shop = CONTAINER_NULL;
        _cleanup_strv_ char **ids = NULL;
        _cleanup_free_ char *id = NULL, *short_id = NULL, *none = NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "shop", &a), 0);
        CHECK_INT(create(&store, "shop", &b), -EEXIST);
        CHECK_INT(create_container(&store, "shop", &web), -EEXIST);
        CHECK_INT(create_container(&store, "web", &web), 0);
        CHECK_INT(create(&store, "web", &b), -EEXIST);
        CHECK_INT(create(&store, NULL, &c), 0);
        CHECK_INT(pod_list(&store, &ids, NULL), 0);
        CHECK_INT(strv_length(ids), 2);
        CHECK_INT(pod_find(&store, "shop", &id, NULL), 0);
        CHECK_STR(id, a.config.id);
        char prefix[13];
        (void) snprintf(prefix, sizeof(prefix), "%s", a.config.id);
        CHECK_INT(pod_find(&store, prefix, &short_id, NULL), 0);
        CHECK_STR(short_id, a.config.id);
        CHECK_INT(pod_find(&store, "../shop", &none, NULL), -ENOENT);
        CHECK_INT(pod_delete(&store, &a, NULL), 0);
        CHECK_INT(pod_find(&store, "shop", &none, NULL), -ENOENT);
        CHECK_INT(create_container(&store, "shop", &shop), 0);
}

TEST(a_record_comes_back) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_pod_ Pod a = POD_NULL, read = POD_NULL;
        _cleanup_strv_ char **members = NULL;
        PodConfig config = POD_CONFIG_NULL;

        fresh_store(&store);
        config.name = strdup("shop");
        config.exit_policy = strdup("stop");
        config.resources.memory = 1 << 20;
        CHECK_INT(strv_append(&config.share, "net"), 0);
        CHECK_INT(strv_append(&config.labels, "a=b"), 0);
        CHECK_INT(pod_create(&store, &config, &a, NULL), 0);
        CHECK(!config.name);
        CHECK_INT(pod_open(&store, "shop", &read, NULL), 0);
        CHECK_STR(read.config.exit_policy, "stop");
        CHECK_STR(read.config.share[0], "net");
        CHECK_STR(read.config.labels[0], "a=b");
        CHECK_INT(read.config.resources.memory, 1 << 20);
        CHECK(pod_has_limits(&read.config));
        CHECK(!pod_shares(&read.config, "net")); /* without an infra container there is nothing to join */
        CHECK_INT(pod_add_member(&read, read.config.id, NULL), 0);
        CHECK_INT(pod_members(&read, &members, NULL), 0);
        CHECK_INT(strv_length(members), 1);
        pod_drop_member(&store, read.config.id, read.config.id);
        strv_free(members);
        members = NULL;
        CHECK_INT(pod_members(&read, &members, NULL), 0);
        CHECK(!members);
        /* who waits for the lock of a pod that is being removed hears that it is gone */
        CHECK_INT(pod_delete(&store, &a, NULL), 0);
        pod_unlock(&a);
        CHECK_INT(pod_lock(&read, NULL), -ENOENT);
}

TEST(what_a_killed_command_left_is_swept) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_pod_ Pod a = POD_NULL, b = POD_NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "a", &a), 0);
        CHECK_INT(create(&store, "b", &b), 0);
        CHECK_INT(unlinkat(store.data_fd, "pod-names/a", 0), 0);
        _cleanup_free_ char *gone = str_format("pods/%s", a.config.id), *stays = str_format("pods/%s", b.config.id);
        pod_collect(&store);
        CHECK(faccessat(store.data_fd, gone, F_OK, 0) < 0);
        CHECK_INT(faccessat(store.data_fd, stays, F_OK, 0), 0);
        /* a name that points at nothing is anybody's */
        _cleanup_free_ char *record = str_format("pods/%s/pod.json", b.config.id);
        CHECK_INT(unlinkat(store.data_fd, record, 0), 0);
        pod_done(&a);
        CHECK_INT(create(&store, "b", &a), 0);
}

TEST(a_damaged_record_is_refused) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_pod_ Pod a = POD_NULL, read = POD_NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "a", &a), 0);
        CHECK_INT(str_replace(&a.config.cgroup_parent, "../../x"), 0);
        CHECK_INT(pod_save(&a, NULL), 0);
        CHECK_INT(pod_open(&store, "a", &read, &error), -EBADMSG);
}

TEST(states_are_podmans) {
        const struct {
                PodCount count;
                const char *state;
        } rows[] = {
                { { .all = 0 }, "Created" },
                { { .all = 2, .created = 2 }, "Created" },
                { { .all = 2, .running = 2 }, "Running" },
                { { .all = 2, .running = 1, .ended = 1 }, "Degraded" },
                { { .all = 2, .running = 1, .created = 1 }, "Degraded" },
                { { .all = 2, .running = 1, .paused = 1 }, "Degraded" },
                { { .all = 2, .paused = 2 }, "Paused" },
                { { .all = 2, .paused = 1, .ended = 1 }, "Stopped" },
                { { .all = 2, .ended = 2 }, "Exited" },
                { { .all = 2, .ended = 1, .created = 1 }, "Stopped" },
                { { .all = 2, .paused = 1, .created = 1 }, "Created" },
                { { .all = 1 }, "Error" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                CHECK_STR(pod_state(&rows[i].count), rows[i].state);
}

TEST(slices_nest_by_name) {
        _cleanup_pod_config_ PodConfig config = POD_CONFIG_NULL;
        _cleanup_free_ char *default_slice = NULL, *own = NULL;

        config.id = strdup("0123");
        default_slice = pod_slice(&config);
        CHECK_STR(default_slice, "user-sdpod_pod_0123.slice");
        config.cgroup_parent = strdup("work-shop.slice");
        own = pod_slice(&config);
        CHECK_STR(own, "work-shop-sdpod_pod_0123.slice");
}
