/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a record: the reader that goes straight into the struct must take what the one by way of a tree takes, and
 * find the same in it. (It may take more: keys of maps and unknown ones twice, text that is not UTF-8 below them. jansson
 * passes over a NUL byte behind a number, which is its own affair.) */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "spec/container.h"
#include "spec/network.h"

/* What passes the check of a network's record can be worked with. */
static void try_network(const char *data, size_t size) {
        _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL;
        IpSubnet subnet;
        IpAddress gateway;

        if (json_fields_parse(data, size, network_config_fields, &config, NULL) < 0 || network_config_check(&config, NULL) < 0)
                return;
        if (!network_name_is_valid(config.name))
                abort();
        for (size_t i = 0; i < config.n_subnets; i++) {
                const char *text = config.subnets[i].gateway;

                if (ip_parse_subnet(config.subnets[i].subnet, &subnet) < 0)
                        abort();
                if (text && (ip_parse(text, &gateway) < 0 || !ip_contains(&subnet, &gateway)))
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *tree = NULL, *one = NULL, *other = NULL;
        ContainerConfig by_text = {}, by_tree = {};

        if (memchr(data, 0, size))
                return 0;
        try_network((const char *) data, size);
        int a = json_fields_parse((const char *) data, size, container_config_fields, &by_text, NULL);
        int b = json_parse((const char *) data, size, "record", &tree, NULL);

        if (b >= 0)
                b = json_fields_load(tree, container_config_fields, &by_tree, NULL);
        if (b >= 0) {
                if (a < 0)
                        abort();
                one = json_fields_save(container_config_fields, &by_text);
                other = json_fields_save(container_config_fields, &by_tree);
                if (!json_equal(one, other))
                        abort();
        }
        container_config_done(&by_text);
        container_config_done(&by_tree);
        return 0;
}
