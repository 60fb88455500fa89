/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "fresh-store.h"
#include "state/network.h"

static int create(Store *store, const char *name, NetworkConfig *ret) {
        NetworkConfig config = { .name = strdup(name), .driver = strdup("bridge"), .network_interface = strdup("podman1") };
        _cleanup_fd_ int lock = network_lock(store, /* reterr= */ NULL);

        CHECK(lock >= 0);
        int r = network_create(store, &config, /* reterr= */ NULL);
        if (r >= 0 && ret) {
                *ret = config;
                config = NETWORK_CONFIG_NULL;
        }
        network_config_done(&config);
        return r;
}

TEST(the_default_network_needs_no_record) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL, again = NETWORK_CONFIG_NULL;
        _cleanup_strv_ char **names = NULL;

        fresh_store(&store);
        CHECK_INT(network_load(&store, "podman", &config, NULL), 0);
        CHECK_STR(config.subnets[0].subnet, "10.88.0.0/16");
        CHECK_INT(network_open(&store, "2f259bab93aa", &again, NULL), 0);
        CHECK_STR(again.name, "podman");
        CHECK_INT(network_list(&store, &names, NULL), 0);
        CHECK_INT(strv_length(names), 1);
        CHECK_INT(faccessat(store.data_fd, "networks", F_OK, 0), -1); /* who only looks leaves nothing */
        CHECK_INT(create(&store, "podman", NULL), -EEXIST);
        CHECK_INT(str_replace(&config.subnets[0].gateway, "10.88.0.9"), 0);
        CHECK(network_lock(&store, NULL) >= 0);
        CHECK_INT(network_save(&store, &config, NULL), 0);
        network_config_done(&again);
        CHECK_INT(network_load(&store, "podman", &again, NULL), 0);
        CHECK_STR(again.subnets[0].gateway, "10.88.0.9");
}

TEST(found_by_name_and_by_id) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_network_config_ NetworkConfig a = NETWORK_CONFIG_NULL, b = NETWORK_CONFIG_NULL, found = NETWORK_CONFIG_NULL;
        _cleanup_strv_ char **names = NULL;
        char prefix[13];

        fresh_store(&store);
        CHECK_INT(create(&store, "web", &a), 0);
        CHECK_INT(create(&store, "db.1", &b), 0);
        CHECK_INT(create(&store, "web", NULL), -EEXIST);
        (void) snprintf(prefix, sizeof(prefix), "%s", a.id);
        CHECK_INT(network_open(&store, prefix, &found, NULL), 0);
        CHECK_STR(found.name, "web");
        network_config_done(&found);
        CHECK_INT(network_load(&store, prefix, &found, NULL), -ENOENT);
        CHECK_INT(network_open(&store, "nothing", &found, NULL), -ENOENT);
        CHECK_INT(network_list(&store, &names, NULL), 0);
        CHECK_INT(strv_length(names), 3);
        CHECK_STR(names[0], "db.1");
        CHECK_INT(network_remove(&store, &a, NULL), 0);
        CHECK_INT(network_remove(&store, &a, NULL), -ENOENT);
        CHECK_INT(network_load(&store, "web", &found, NULL), -ENOENT);
}

/* Names come from command lines, and say where a file is. */
TEST(hostile_names) {
        static const char *const names[] = { "", ".", "..", "../containers", "/etc/passwd", "a/b", ".lock", ".tmp-1", "a\nb", "-a", "a b" };
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_network_config_ NetworkConfig found = NETWORK_CONFIG_NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "a", NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                CHECK_INT(network_load(&store, names[i], &found, NULL), -ENOENT);
                CHECK_INT(network_open(&store, names[i], &found, NULL), -ENOENT);
                CHECK(create(&store, names[i], NULL) < 0);
        }
}

/* A record that was damaged, exchanged or made by hand is refused, and hides no other. */
TEST(damaged_records) {
        static const char *const records[] = { "", "{}", "[]", "{\"name\":\"../../x\"}",
                                               "{\"name\":\"bad\",\"id\":\"12\",\"driver\":\"bridge\"}" };
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_network_config_ NetworkConfig a = NETWORK_CONFIG_NULL, found = NETWORK_CONFIG_NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "a", &a), 0);
        for (size_t i = 0; i < ELEMENTSOF(records); i++) {
                CHECK_INT(file_write_atomic(store.data_fd, "networks/bad", records[i], strlen(records[i]), 0600, FILE_VOLATILE), 0);
                CHECK_INT(network_load(&store, "bad", &found, NULL), -EBADMSG);
                CHECK_INT(network_open(&store, a.id, &found, NULL), 0);
                network_config_done(&found);
        }
        CHECK_INT(renameat(store.data_fd, "networks/a", store.data_fd, "networks/b"), 0);
        CHECK_INT(network_load(&store, "b", &found, NULL), -EBADMSG); /* it says that it is "a" */
        CHECK_INT(symlinkat("b", store.data_fd, "networks/link"), 0);
        CHECK(network_load(&store, "link", &found, NULL) < 0);
}
