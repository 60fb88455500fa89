/* SPDX-License-Identifier: Apache-2.0 */
/* Putting containers into networks and taking them out. */
#include "engine/network-connect.h"

#include "base/log.h"
#include "base/str.h"
#include "engine/bridge.h"
#include "engine/network-names.h"
#include "engine/network-restart.h"
#include "engine/network.h"
#include "state/events.h"
#include "state/network.h"

/* Those of mode "bridge", also with none left. */
static int check_mode(const ContainerConfig *config, Error *reterr) {
        const char *mode = config->network ?: "slirp4netns";

        if (str_equal(mode, "bridge"))
                return 0;
        (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot change the networks of container '%s': \"%s\" is not supported: invalid network mode",
                         config->name, network_mode_name(config));
        return error_with_hint(reterr, -EINVAL, "only containers of '--network bridge' or '--network NAME' can change networks");
}

/* Locked, and with the record as it is now. */
static int lock(const Store *store, Container *container, Error *reterr) {
        int r = container_lock(store, container, reterr);

        if (r >= 0)
                r = container_reload_config(container, reterr);
        if (r < 0)
                container_unlock(container);
        return r;
}

static void tell(const Store *store, const Container *c, const char *status, const char *network) {
        event_write(store, &(Event){ .type = "network", .status = status, .id = c->config.id, .name = c->config.name, .network = network,
                                     .exit_code = EVENT_NO_EXIT_CODE });
}

static int check_interface(const Container *c, const ContainerNetwork *wanted, Error *reterr) {
        for (size_t i = 0; wanted->interface_name && i < c->config.n_networks; i++)
                if (str_equal(c->config.networks[i].interface_name, wanted->interface_name))
                        return error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot name an interface '%s': it is that of network '%s'",
                                         wanted->interface_name, c->config.networks[i].name);
        return 0;
}

static int connect_locked(const Store *store, Container *c, ContainerNetwork *wanted, Error *reterr) {
        ContainerNetwork *added = container_array_add((void **) &c->config.networks, &c->config.n_networks, sizeof(*added));
        bool runs = c->pidfd >= 0;
        int r = 0;

        if (!added)
                return error_oom(reterr);
        *added = *wanted;
        *wanted = (ContainerNetwork){};
        if (runs)
                r = bridge_connect(store, c, added, reterr);
        if (r < 0)
                return r;
        r = container_save_config(c, reterr);
        if (r < 0 && runs)
                (void) bridge_disconnect(store, c, added->name, /* reterr= */ NULL);
        return r;
}

int engine_network_connect(const Store *store, Container *container, ContainerNetwork *wanted, Error *reterr) {
        _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
        int r = network_open(store, wanted->name, &network, reterr);

        if (r >= 0)
                r = lock(store, container, reterr);
        if (r < 0)
                return r;
        r = check_mode(&container->config, reterr);
        if (r >= 0 && network_names_find(&container->config, network.name)) {
                r = container->pidfd < 0 ? 0
                                         : error_set(reterr, -EEXIST, ERROR_EXISTS, "container %s is already connected to network \"%s\": "
                                                     "network is already connected", container->config.name, network.name);
                container_unlock(container);
                return r;
        }
        if (r >= 0 && str_replace(&wanted->name, network.name) < 0)
                r = error_oom(reterr);
        if (r >= 0)
                r = network_names_check(&network, wanted, reterr);
        if (r >= 0)
                r = check_interface(container, wanted, reterr);
        if (r >= 0)
                r = connect_locked(store, container, wanted, reterr);
        container_unlock(container);
        if (r >= 0)
                tell(store, container, "connect", network.name);
        return r;
}

static int remove_from_record(Container *c, const char *name, Error *reterr) {
        ContainerNetwork *at = network_names_find(&c->config, name);
        ContainerNetwork *end = c->config.networks + c->config.n_networks;

        network_names_forget(at);
        (void) memmove(at, at + 1, (size_t) ((char *) end - (char *) (at + 1)));
        c->config.n_networks--;
        return container_save_config(c, reterr);
}

int engine_network_disconnect(const Store *store, Container *container, const char *network, Error *reterr) {
        _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        int r = network_open(store, network, &config, &error);
        /* one that is gone can still be on record with a container */
        const char *name = r < 0 ? network : config.name;

        if (r < 0 && (r != -ENOENT || !network_names_find(&container->config, network)))
                return error_move(reterr, &error);
        r = lock(store, container, reterr);
        if (r < 0)
                return r;
        r = check_mode(&container->config, reterr);
        if (r >= 0 && !network_names_find(&container->config, name))
                r = error_set(reterr, -ENOENT, ERROR_STATE, "container %s is not connected to network %s", container->config.name, name);
        if (r >= 0 && container->pidfd >= 0)
                r = bridge_disconnect(store, container, name, reterr);
        if (r >= 0)
                r = remove_from_record(container, name, reterr);
        container_unlock(container);
        if (r >= 0)
                tell(store, container, "disconnect", name);
        return r;
}

int engine_network_reload(const Store *store, Container *container, Error *reterr) {
        int r;

        if (container->pidfd < 0)
                return error_set(reterr, -EINVAL, ERROR_STATE,
                                 "cannot reload network unless container network has been configured: container state improper");
        if (!bridge_is_used(&container->config))
                return network_restart(store, container, reterr);
        r = lock(store, container, reterr);
        if (r >= 0 && container->pidfd >= 0)
                r = bridge_reload(store, container, reterr);
        container_unlock(container);
        return r;
}
