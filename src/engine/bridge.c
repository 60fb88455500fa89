/* SPDX-License-Identifier: Apache-2.0 */
/* Containers on bridge networks. */
#include "engine/bridge.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/network.h"
#include "net/names.h"
#include "net/plumb.h"
#include "ns/handle.h"
#include "state/lease.h"
#include "state/network.h"

enum { SHORT_ID = 12, INTERFACES_MAX = 256 };

void bridge_start_done(BridgeStart *start) {
        router_client_done(&start->router);
}

bool bridge_is_used(const ContainerConfig *config) {
        return config->n_networks > 0;
}

/* ---- addresses ---- */

static bool interface_is_taken(const ContainerConfig *config, const ContainerProcess *process, const char *name) {
        for (size_t i = 0; i < config->n_networks; i++)
                if (str_equal(config->networks[i].interface_name, name))
                        return true;
        for (size_t i = 0; i < process->n_networks; i++)
                if (str_equal(process->networks[i].interface_name, name))
                        return true;
        return false;
}

static int choose_interface(const Container *container, const ContainerNetwork *wish, char **ret, Error *reterr) {
        const char *chosen = wish->interface_name;
        char name[IFNAMSIZ];

        for (unsigned i = 0; str_empty(chosen) && i < INTERFACES_MAX; i++) {
                (void) snprintf(name, sizeof(name), "eth%u", i);
                if (!interface_is_taken(&container->config, &container->process, name))
                        chosen = name;
        }
        if (str_empty(chosen))
                return error_set(reterr, -ENOSPC, ERROR_IN_USE, "cannot connect container '%s' to network '%s': eth0 to eth%u are all taken",
                                 container->config.name, wish->name, INTERFACES_MAX - 1U);
        *ret = strdup(chosen);
        return *ret ? 0 : error_oom(reterr);
}

static char *choose_mac(const Container *container, const ContainerNetwork *wish, char *const *addresses) {
        IpSubnet first = { .address.family = AF_INET };
        uint8_t mac[6];

        if (!str_empty(wish->static_mac))
                return strdup(wish->static_mac);
        if (!addresses || ip_parse_subnet(addresses[0], &first) < 0)
                memcpy(first.address.bytes, container->config.id, 4); /* nobody knows it by an address */
        plumb_mac(wish->name, &first.address, mac);
        return str_format("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static int take_gateways(const NetworkConfig *network, char ***ret) {
        for (size_t i = 0; i < network->n_subnets; i++)
                if (network->subnets[i].gateway && !network->internal) {
                        int r = strv_append(ret, network->subnets[i].gateway);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static void attachment_done(ContainerAttachment *attachment) {
        free(attachment->network);
        free(attachment->interface_name);
        free(attachment->mac);
        strv_free(attachment->addresses);
        strv_free(attachment->gateways);
}

static int fill_attachment(const Container *container, const ContainerNetwork *wish, const NetworkConfig *network, ContainerAttachment *ret,
                           Error *reterr) {
        int r = choose_interface(container, wish, &ret->interface_name, reterr);

        if (r < 0)
                return r;
        ret->network = strdup(wish->name);
        ret->mac = choose_mac(container, wish, ret->addresses);
        return !ret->network || !ret->mac || take_gateways(network, &ret->gateways) < 0 ? error_oom(reterr) : 0;
}

/* Returns 1 for a network that goes on to other machines (vxlan, or what may lie on such a one), else 0. On failure all is as before. */
static int add_attachment(const Store *store, Container *container, const ContainerNetwork *wish, Error *reterr) {
        ContainerProcess *process = &container->process;
        _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
        ContainerAttachment attachment = {}, *added = NULL;
        int r = network_load(store, wish->name, &network, reterr);

        if (r >= 0)
                r = lease_take(store, &network, container->config.id, wish->static_ips, &attachment.addresses, reterr);
        if (r < 0)
                return r;
        r = fill_attachment(container, wish, &network, &attachment, reterr);
        if (r >= 0) {
                added = container_array_add((void **) &process->networks, &process->n_networks, sizeof(*added));
                r = added ? 0 : error_oom(reterr);
        }
        if (r < 0) {
                lease_drop(store, wish->name, container->config.id, attachment.addresses);
                attachment_done(&attachment);
                return r;
        }
        *added = attachment;
        return !str_equal(network.driver, "bridge");
}

/* Removes number i with its addresses. */
static void remove_attachment(const Store *store, Container *container, size_t i) {
        ContainerProcess *process = &container->process;

        if (process->networks[i].network)
                lease_drop(store, process->networks[i].network, container->config.id, process->networks[i].addresses);
        attachment_done(&process->networks[i]);
        memmove(process->networks + i, process->networks + i + 1, (process->n_networks - i - 1) * sizeof(*process->networks));
        process->n_networks--;
}

static void drop_all(const Store *store, Container *container) {
        while (container->process.n_networks > 0)
                remove_attachment(store, container, container->process.n_networks - 1);
        free(container->process.networks);
        container->process.networks = NULL;
}

/* ---- the request ---- */

static const ContainerNetwork *find_wish(const ContainerConfig *config, const char *network) {
        for (size_t i = 0; i < config->n_networks; i++)
                if (str_equal(config->networks[i].name, network))
                        return &config->networks[i];
        return NULL;
}

static int add_names(const ContainerConfig *config, const ContainerNetwork *wish, char ***ret) {
        int r = strv_append(ret, config->name);

        for (char **alias = wish ? wish->aliases : NULL; alias && *alias && r >= 0; alias++)
                r = strv_append(ret, *alias);
        if (r >= 0)
                r = strv_consume(ret, strndup(config->id, SHORT_ID));
        if (r >= 0 && config->hostname && !str_equal(config->hostname, config->name))
                r = strv_append(ret, config->hostname);
        return r;
}

static int add_link(const Container *container, size_t i, const ContainerNetwork *wish, RouterRequest *request) {
        const ContainerAttachment *from = &container->process.networks[i];
        RouterLink *link = container_array_add((void **) &request->links, &request->n_links, sizeof(*link));

        if (!link)
                return -ENOMEM;
        link->network = strdup(from->network);
        link->interface_name = strdup(from->interface_name);
        link->mac = strdup(from->mac);
        link->addresses = from->addresses ? strv_copy(from->addresses) : NULL;
        link->place = (uint32_t) i;
        if (!link->network || !link->interface_name || !link->mac || (from->addresses && !link->addresses))
                return -ENOMEM;
        return add_names(&container->config, wish ?: find_wish(&container->config, from->network), &link->names);
}

static int add_ports(const ContainerPort *ports, size_t n_ports, RouterRequest *request) {
        for (size_t i = 0; i < n_ports; i++) {
                NetPort *port = container_array_add((void **) &request->ports, &request->n_ports, sizeof(*port));

                if (!port)
                        return -ENOMEM;
                *port = (NetPort){ .host_ip = ports[i].host_ip ? strdup(ports[i].host_ip) : NULL, .host_port = ports[i].host_port,
                                   .container_port = ports[i].container_port, .protocol = strdup(ports[i].protocol ?: "tcp") };
                if (!port->protocol || (ports[i].host_ip && !port->host_ip))
                        return -ENOMEM;
        }
        return 0;
}

static int fill_request(const Container *container, const char *op, RouterRequest *request) {
        request->op = strdup(op);
        request->id = strdup(container->config.id);
        request->name = strdup(container->config.name);
        return request->op && request->id && request->name ? 0 : -ENOMEM;
}

/* --dns, but for `--dns none`. */
static char *const *own_servers(const ContainerConfig *config) {
        return config->dns && *config->dns && !str_equal(config->dns[0], "none") ? config->dns : NULL;
}

int bridge_request(_unused_ const Store *store, const Container *container, RouterRequest *ret, Error *reterr) {
        const ContainerProcess *process = &container->process;
        int r = fill_request(container, "attach", ret);

        for (size_t i = 0; i < process->n_networks && r >= 0; i++)
                r = add_link(container, i, /* wish= */ NULL, ret);
        if (r >= 0) /* chosen ports stay what they are */
                r = process->n_ports > 0 ? add_ports(process->ports, process->n_ports, ret)
                                         : add_ports(container->config.ports, container->config.n_ports, ret);
        if (r >= 0)
                r = strv_extend(&ret->dns, own_servers(&container->config));
        return r < 0 ? error_oom(reterr) : 0;
}

/* ---- a start ---- */

int bridge_prepare(const Store *store, Container *container, BridgeStart *ret, Error *reterr) {
        int r = 0;

        if (!bridge_is_used(&container->config))
                return 0;
        for (size_t i = 0; i < container->config.n_networks && r >= 0; i++) {
                r = add_attachment(store, container, &container->config.networks[i], reterr);
                ret->leaves_machine |= r > 0;
        }
        if (r >= 0)
                r = router_client_open(store, &ret->router, reterr);
        if (r < 0)
                drop_all(store, container);
        return r;
}

static int open_netns(const Proc *proc, Error *reterr) {
        return proc->netns_fd >= 0 ? proc->netns_fd : ns_open_of_process(proc->pidfd, proc->pid, "net", reterr);
}

int bridge_begin(const Store *store, Container *container, const Proc *proc, BridgeStart *start, Error *reterr) {
        _cleanup_router_request_ RouterRequest request = {};
        int r;

        if (start->router.socket < 0)
                return 0;
        int netns = open_netns(proc, reterr);
        if (netns < 0)
                return netns;
        const int fds[] = { proc->pidfd, netns };
        r = bridge_request(store, container, &request, reterr);
        if (r >= 0)
                r = router_client_send(&start->router, &request, fds, ELEMENTSOF(fds), reterr);
        if (netns != proc->netns_fd)
                (void) fd_close(netns);
        start->asked = r >= 0;
        return r;
}

static int take_port(const json_t *object, ContainerProcess *process, Error *reterr) {
        NetPort port = {};
        int r = json_fields_load(object, net_port_fields, &port, reterr);
        ContainerPort *to = r < 0 ? NULL : container_array_add((void **) &process->ports, &process->n_ports, sizeof(*to));

        if (to)
                *to = (ContainerPort){ .host_ip = port.host_ip, .host_port = port.host_port, .container_port = port.container_port, .protocol = port.protocol };
        else
                json_fields_done(net_port_fields, &port);
        return r < 0 ? r : to ? 0 : error_oom(reterr);
}

int bridge_wait(BridgeStart *start, ContainerProcess *process, Error *reterr) {
        _cleanup_json_ json_t *answer = NULL;

        if (!start->asked)
                return 0;
        start->asked = false;
        int r = router_client_receive(&start->router, &answer, reterr);
        const json_t *ports = r < 0 ? NULL : json_object_get(answer, "ports");
        for (size_t i = 0; i < json_array_size(ports) && r >= 0; i++)
                r = take_port(json_array_get(ports, i), process, reterr);
        return r;
}

/* ---- a container that runs, or has ended ---- */

static int tell(const Store *store, RouterRequest *request, const int *fds, size_t n_fds, bool start, Error *reterr) {
        _cleanup_router_client_ RouterClient client = ROUTER_CLIENT_NULL;
        int r = start ? router_client_open(store, &client, reterr) : router_client_connect(store, &client, reterr);

        if (r >= 0)
                r = router_client_send(&client, request, fds, n_fds, reterr);
        return r < 0 ? r : router_client_receive(&client, /* ret= */ NULL, reterr);
}

void bridge_release(const Store *store, Container *container) {
        _cleanup_router_request_ RouterRequest request = {};

        if (container->process.n_networks == 0)
                return;
        /* it knows by the pidfd; whoever hears its answer knows that the ports are free */
        if (fill_request(container, "detach", &request) >= 0)
                (void) tell(store, &request, NULL, 0, /* start= */ false, /* reterr= */ NULL);
        drop_all(store, container);
}

static int attach_running(const Store *store, Container *container, RouterRequest *request, Error *reterr) {
        _cleanup_fd_ int netns = ns_open_of_process(container->pidfd, container->process.pid, "net", reterr);
        const int fds[] = { container->pidfd, netns };

        return netns < 0 ? netns : tell(store, request, fds, ELEMENTSOF(fds), /* start= */ true, reterr);
}

/* The container has its resolv.conf mounted: what it says changes, not the file. Where it has another one, there is none of ours. */
static int renew_resolv_conf(const Store *store, const Container *container) {
        _cleanup_free_ char *text = NULL, *hosts = NULL, *path = str_format("%s/containers/%s/resolv.conf", store->runtime_path, container->config.id);
        int r = path ? network_files(store, container, &text, &hosts, /* reterr= */ NULL) : -ENOMEM;

        if (r < 0 || !text)
                return r;
        _cleanup_fd_ int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        r = io_write_full(fd, text, strlen(text)); /* in one write, so that no reader finds it empty */
        return r < 0 ? r : ftruncate(fd, (off_t) strlen(text)) < 0 ? -errno : 0;
}

/* It is on other networks than before. */
static int save_networks(const Store *store, Container *container, Error *reterr) {
        int r = container_save_process(store, container, reterr);
        int renewed = r < 0 ? 0 : renew_resolv_conf(store, container);

        if (renewed < 0)
                log_warning("cannot tell container '%s' of its name servers: %s; it keeps those that it has", container->config.name,
                            strerror(-renewed));
        return r;
}

int bridge_connect(const Store *store, Container *container, const ContainerNetwork *network, Error *reterr) {
        _cleanup_router_request_ RouterRequest request = {};
        size_t place = container->process.n_networks;
        int r = add_attachment(store, container, network, reterr);

        if (r < 0)
                return r;
        r = fill_request(container, "attach", &request);
        if (r >= 0)
                r = add_link(container, place, network, &request);
        r = r < 0 ? error_oom(reterr) : attach_running(store, container, &request, reterr);
        if (r < 0) {
                remove_attachment(store, container, place);
                return r;
        }
        return save_networks(store, container, reterr);
}

int bridge_disconnect(const Store *store, Container *container, const char *network, Error *reterr) {
        _cleanup_router_request_ RouterRequest request = {};

        for (size_t i = 0; i < container->process.n_networks; i++) {
                if (!str_equal(container->process.networks[i].network, network))
                        continue;
                int r = fill_request(container, "detach", &request);
                if (r < 0 || !(request.network = strdup(network)))
                        return error_oom(reterr);
                r = tell(store, &request, NULL, 0, /* start= */ false, reterr);
                if (r < 0 && r != -ENOENT)
                        return r;
                remove_attachment(store, container, i);
                return save_networks(store, container, reterr);
        }
        return 0;
}

int bridge_reload(const Store *store, Container *container, Error *reterr) {
        _cleanup_router_request_ RouterRequest request = {};

        if (container->process.n_networks == 0)
                return 0;
        int r = bridge_request(store, container, &request, reterr);
        if (r >= 0 && str_replace(&request.op, "reload") < 0)
                r = error_oom(reterr);
        return r < 0 ? r : attach_running(store, container, &request, reterr);
}

int bridge_resolvers(const Store *store, const Container *container, char ***ret, Error *reterr) {
        size_t n_named = 0;
        int r;

        for (size_t i = 0; i < container->process.n_networks; i++) {
                _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;

                r = network_load(store, container->process.networks[i].network, &network, reterr);
                if (r < 0)
                        return r;
                n_named += network.dns_enabled;
                for (size_t k = 0; k < network.n_subnets && network.dns_enabled; k++)
                        if (network.subnets[k].gateway && strv_append(ret, network.subnets[k].gateway) < 0)
                                return error_oom(reterr);
        }
        if (n_named > 1 || (n_named == 1 && own_servers(&container->config))) { /* engine/router-names decides by the same words */
                strv_free(*ret);
                *ret = NULL;
                return strv_append(ret, NAMES_ADDRESS) < 0 ? error_oom(reterr) : 0;
        }
        return 0;
}

int bridge_update_network(const Store *store, const char *network, Error *reterr) {
        _cleanup_router_request_ RouterRequest request = { .op = strdup("update"), .network = strdup(network) };
        _cleanup_error_ Error error = ERROR_NULL;

        if (!request.op || !request.network)
                return error_oom(reterr);
        int r = tell(store, &request, NULL, 0, /* start= */ false, &error);
        return r < 0 && r != -ENOENT ? error_move(reterr, &error) : 0; /* without a router nobody uses it */
}
