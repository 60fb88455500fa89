/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers are in which networks. */
#include "cli/network-use.h"

#include "base/str.h"

void network_use_done(NetworkUse *use) {
        for (size_t i = 0; i < use->n; i++) {
                NetworkUser *user = &use->items[i];

                free(user->network);
                free(user->id);
                free(user->name);
                if (user->at) {
                        free(user->at->network);
                        free(user->at->interface_name);
                        free(user->at->mac);
                        strv_free(user->at->addresses);
                        strv_free(user->at->gateways);
                        free(user->at);
                }
        }
        free(use->items);
        *use = (NetworkUse){};
}

static ContainerAttachment *take_attachment(Container *c, const char *network) {
        for (size_t i = 0; c->pidfd >= 0 && i < c->process.n_networks; i++)
                if (str_equal(c->process.networks[i].network, network)) {
                        ContainerAttachment *at = malloc(sizeof(*at));

                        if (!at)
                                return NULL;
                        *at = c->process.networks[i];
                        c->process.networks[i] = (ContainerAttachment){};
                        return at;
                }
        return NULL;
}

static int add_users(NetworkUse *use, Container *c) {
        for (size_t i = 0; i < c->config.n_networks; i++) {
                NetworkUser *user = container_array_add((void **) &use->items, &use->n, sizeof(*user));

                if (!user)
                        return -ENOMEM;
                user->network = strdup(c->config.networks[i].name);
                user->id = strdup(c->config.id);
                user->name = strdup(c->config.name);
                if (!user->network || !user->id || !user->name)
                        return -ENOMEM;
                user->at = take_attachment(c, user->network);
        }
        return 0;
}

int network_use_read(const Store *store, NetworkUse *ret, Error *reterr) {
        _cleanup_network_use_ NetworkUse use = {};
        _cleanup_strv_ char **ids = NULL;
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        int r = container_lister_open(store, &lister, reterr);

        if (r >= 0)
                r = container_list(store, &ids, reterr);
        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_container_ Container c = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = container_load_listed(&lister, *id, &c, &error);
                if (r == -ENOENT)
                        r = 0;
                else if (r < 0)
                        return error_move(reterr, &error);
                else if (add_users(&use, &c) < 0)
                        return error_oom(reterr);
        }
        if (r < 0)
                return r;
        *ret = use;
        use = (NetworkUse){};
        return 0;
}

bool network_is_used(const NetworkUse *use, const char *network) {
        for (size_t i = 0; i < use->n; i++)
                if (str_equal(use->items[i].network, network))
                        return true;
        return false;
}
