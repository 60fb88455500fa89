/* SPDX-License-Identifier: Apache-2.0 */
/* The networks that a container was asked for. */
#include "engine/network-names.h"

#include "base/str.h"
#include "state/lease.h"
#include "state/network.h"

ContainerNetwork *network_names_find(const ContainerConfig *config, const char *name) {
        for (size_t i = 0; i < config->n_networks; i++)
                if (str_equal(config->networks[i].name, name))
                        return &config->networks[i];
        return NULL;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int network_names_sorted(const ContainerConfig *config, char ***ret) {
        _cleanup_strv_ char **names = NULL;

        for (size_t i = 0; i < config->n_networks; i++)
                if (strv_append(&names, config->networks[i].name) < 0)
                        return -ENOMEM;
        if (names)
                qsort(names, config->n_networks, sizeof(*names), compare);
        *ret = TAKE_PTR(names);
        return 0;
}

void network_names_forget(ContainerNetwork *network) {
        free(network->name);
        free(network->interface_name);
        strv_free(network->aliases);
        strv_free(network->static_ips);
        free(network->static_mac);
        strv_free(network->options);
        *network = (ContainerNetwork){};
}

int network_names_check(const NetworkConfig *network, const ContainerNetwork *wanted, Error *reterr) {
        if (wanted->static_ips && !network_has_addresses(network))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use static ips of network '%s': it gives no addresses", network->name);
        return lease_check_wanted(network, wanted->static_ips, reterr);
}

static int check_alone(const ContainerConfig *config, size_t at, Error *reterr) {
        const ContainerNetwork *network = &config->networks[at];

        for (size_t i = 0; i < at; i++) {
                const ContainerNetwork *other = &config->networks[i];

                if (str_equal(other->name, network->name))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot join network '%s' twice", network->name);
                if (network->interface_name && str_equal(other->interface_name, network->interface_name))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot name two interfaces '%s': those of networks '%s' and '%s'",
                                         network->interface_name, other->name, network->name);
        }
        return 0;
}

int network_names_resolve(const Store *store, ContainerConfig *config, Error *reterr) {
        for (size_t i = 0; i < config->n_networks; i++) {
                _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
                ContainerNetwork *wanted = &config->networks[i];
                int r = network_open(store, wanted->name, &network, reterr);

                if (r >= 0)
                        r = network_names_check(&network, wanted, reterr);
                if (r < 0)
                        return r;
                if (str_replace(&wanted->name, network.name) < 0)
                        return error_oom(reterr);
                r = check_alone(config, i, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
