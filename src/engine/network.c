/* SPDX-License-Identifier: Apache-2.0 */
/* The network of a container, by its mode. */
#include "engine/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/bridge.h"
#include "engine/hosts-file.h"
#include "net/resolv.h"

enum { HOST_FILE_LIMIT = 1024 * 1024 };

static bool is_slirp(const ContainerConfig *config) {
        const char *mode = config->network;

        return !mode || str_equal(mode, "slirp") || str_equal(mode, "slirp4netns") || str_equal(mode, "private") ||
               str_after(mode, "slirp:") || str_after(mode, "slirp4netns:");
}

const char *network_mode_name(const ContainerConfig *config) {
        return is_slirp(config) ? "slirp4netns" : config->network;
}

/* "tcp" or a boolean. */
static int parse_bypass(const char *value, bool *ret, const char *what, Error *reterr) {
        if (str_equal(value, "tcp")) {
                *ret = true;
                return 0;
        }
        if (parse_bool(value, ret) >= 0)
                return 0;
        if (!str_equal(value, "udp"))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use %s=%s: neither true, false nor tcp", what, value);
        (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                         "cannot use %s=udp: each datagram names its own address, and a socket of the host cannot be tied to one", what);
        return error_with_hint(reterr, -EOPNOTSUPP, "UDP goes through sdpod-net, with %s=tcp too", what);
}

int network_bypass_annotation(const ContainerConfig *config, bool *ret, Error *reterr) {
        const char *value = strv_env_get(config->annotations, NETWORK_BYPASS_ANNOTATION);
        int r = value ? parse_bypass(value, ret, "the annotation " NETWORK_BYPASS_ANNOTATION, reterr) : 0;

        return r < 0 ? r : value != NULL;
}

/* Options behind the colon, by slirp4netns's names (podman-run(1), --network). */
static int apply_option(NetConfig *net, const char *network, const char *word, Error *reterr) {
        const char *value;
        bool splice;

        if ((value = str_after(word, "allow_host_loopback=")) && parse_bool(value, &net->allow_host_loopback) >= 0)
                return 0;
        if ((value = str_after(word, "enable_ipv6=")) && parse_bool(value, &net->ipv6) >= 0)
                return 0;
        if ((value = str_after(word, "mtu=")) && parse_u32(value, &net->mtu) >= 0)
                return 0;
        if ((value = str_after(word, "cidr=")))
                return str_replace(&net->cidr, value) < 0 ? error_oom(reterr) : 0;
        if ((value = str_after(word, "outbound_addr=")))
                return str_replace(&net->outbound_addr, value) < 0 ? error_oom(reterr) : 0;
        if ((value = str_after(word, "outbound_addr6=")))
                return str_replace(&net->outbound_addr6, value) < 0 ? error_oom(reterr) : 0;
        if ((value = str_after(word, "bypass="))) /* ours */
                return parse_bypass(value, &net->bypass, "--network=slirp4netns:bypass", reterr);
        if ((value = str_after(word, "splice=")) && parse_bool(value, &splice) >= 0) { /* ours */
                net->no_splice = !splice;
                return 0;
        }
        if ((value = str_after(word, "port_handler=")) && (str_equal(value, "slirp4netns") || str_equal(value, "rootlesskit")))
                return 0; /* there is one way to publish a port, and it keeps the client's address, as the first word wants */
        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '--network slirp4netns%s': unknown option or value '%s'",
                         strchrnul(network, ':'), word);
}

/* --dns none: the image's own resolv.conf stays. */
static bool dns_is_none(const ContainerConfig *config) {
        return config->dns && str_equal(config->dns[0], "none");
}

static int make_config(const ContainerConfig *config, const ContainerPort *ports, size_t n_ports, NetConfig *net, Error *reterr) {
        const char *options = config->network ? strchr(config->network, ':') : NULL;
        _cleanup_strv_ char **words = options ? strv_split(options + 1, ",") : NULL;
        int r = 0;

        if (options && !words)
                return error_oom(reterr);
        for (char **w = words; w && *w && r >= 0; w++)
                r = apply_option(net, config->network, *w, reterr);
        if (r < 0)
                return r;
        net->name = strdup(config->name ?: ""); /* not there yet while it is created */
        bool has_dns = config->dns && !dns_is_none(config);
        net->dns = has_dns ? strv_copy(config->dns) : NULL;
        if (!net->name || (has_dns && !net->dns))
                return error_oom(reterr);
        for (size_t i = 0; i < n_ports; i++) {
                NetPort *port = container_array_add((void **) &net->ports, &net->n_ports, sizeof(*port));
                const ContainerPort *from = &ports[i];

                if (!port)
                        return error_oom(reterr);
                port->host_ip = from->host_ip ? strdup(from->host_ip) : NULL;
                port->host_port = from->host_port;
                port->container_port = from->container_port;
                port->protocol = strdup(from->protocol ?: "tcp");
                if (!port->protocol || (from->host_ip && !port->host_ip))
                        return error_oom(reterr);
        }
        return 0;
}

int network_check(const ContainerConfig *config, Error *reterr) {
        _cleanup_net_config_ NetConfig net = NET_CONFIG_NULL;

        if (is_slirp(config))
                return make_config(config, config->ports, config->n_ports, &net, reterr);
        if (str_equal(config->network, "bridge"))
                return 0; /* the networks are looked at when they are taken (engine/bridge.h) */
        bool joins = str_after(config->network, "container:") || str_after(config->network, "ns:");
        if (!joins && !str_equal(config->network, "none") && !str_equal(config->network, "host"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use --network=%s: not there yet; there are slirp, bridge, host, none, container:NAME and ns:PATH", config->network);
        if (config->n_ports > 0 && str_equal(config->network, "host"))
                log_warning("the published ports of '%s' are discarded: with --network=host all its ports are the host's", config->name);
        if (config->n_ports > 0 && str_equal(config->network, "none"))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot publish ports with --network=none: there is nothing to reach");
        return 0;
}

int network_slirp_config(const ContainerConfig *config, NetConfig *ret, Error *reterr) {
        if (!is_slirp(config))
                return 0;
        int r = make_config(config, config->ports, config->n_ports, ret, reterr);
        return r < 0 ? r : 1;
}

/* A host file that is missing or strange leaves its part out. */
static char *read_host_file(const char *path) {
        char *text = NULL;
        _cleanup_free_ char *resolved = realpath(path, NULL); /* resolv.conf is often a symlink */

        return resolved && file_read(AT_FDCWD, resolved, HOST_FILE_LIMIT, &text, /* ret_size= */ NULL) >= 0 ? text : NULL;
}

/* The addresses that follow from the network's options. */
static int slirp_addresses(const ContainerConfig *config, char dns4[static INET_ADDRSTRLEN], char dns6[static INET6_ADDRSTRLEN],
                           char container4[static INET_ADDRSTRLEN], Error *reterr) {
        _cleanup_net_config_ NetConfig net = NET_CONFIG_NULL;
        NetAddresses addresses;
        int r = make_config(config, /* ports= */ NULL, 0, &net, reterr);

        if (r >= 0)
                r = net_addresses_from_config(&net, &addresses, reterr);
        if (r < 0)
                return r;
        (void) inet_ntop(AF_INET, &addresses.dns, dns4, INET_ADDRSTRLEN); /* the room is right, it cannot fail */
        (void) inet_ntop(AF_INET, &addresses.container, container4, INET_ADDRSTRLEN);
        if (addresses.ipv6)
                (void) inet_ntop(AF_INET6, &addresses.dns6, dns6, INET6_ADDRSTRLEN);
        return 0;
}

/* Of bridge networks: the uplink's resolver, and all addresses of the container. */
static int bridge_addresses(const Container *container, char dns4[static INET_ADDRSTRLEN], char dns6[static INET6_ADDRSTRLEN], char ***ret,
                            Error *reterr) {
        const ContainerProcess *process = &container->process;
        _cleanup_net_config_ NetConfig net = NET_CONFIG_NULL;
        NetAddresses addresses;
        int r = net_addresses_from_config(&net, &addresses, reterr);

        if (r < 0)
                return r;
        (void) inet_ntop(AF_INET, &addresses.dns, dns4, INET_ADDRSTRLEN);
        for (size_t i = 0; i < process->n_networks; i++)
                for (char **text = process->networks[i].addresses; text && *text; text++) {
                        if (strchr(*text, ':'))
                                (void) inet_ntop(AF_INET6, &addresses.dns6, dns6, INET6_ADDRSTRLEN);
                        if (strv_consume(ret, strndup(*text, strcspn(*text, "/"))) < 0)
                                return error_oom(reterr);
                }
        return 0;
}

int network_files(const Store *store, const Container *container, char **ret_resolv_conf, char **ret_hosts, Error *reterr) {
        const ContainerConfig *config = &container->config;
        _cleanup_strv_ char **resolvers = NULL, **addresses = NULL;
        _cleanup_free_ char *resolv_host = read_host_file("/etc/resolv.conf"), *resolv = NULL, *hosts = NULL, *host_address = NULL;
        char dns4[INET_ADDRSTRLEN] = "", dns6[INET6_ADDRSTRLEN] = "", container4[INET_ADDRSTRLEN] = "";
        bool slirp = is_slirp(config), host = str_equal(config->network, "host"), bridge = bridge_is_used(config);
        int r = slirp ? slirp_addresses(config, dns4, dns6, container4, reterr) : bridge ? bridge_addresses(container, dns4, dns6, &addresses, reterr) : 0;

        if (r >= 0 && bridge)
                r = bridge_resolvers(store, container, &resolvers, reterr);
        if (r < 0)
                return r;
        const ResolvRequest resolv_request = {
                .reach = resolvers ? RESOLV_NAMES : slirp || bridge ? RESOLV_VIRTUAL : host ? RESOLV_HOST : RESOLV_DIRECT,
                .host_text = str_equal(config->network, "none") ? NULL : resolv_host,
                .dns4 = dns4,
                .dns6 = *dns6 ? dns6 : NULL,
                .servers = resolvers,
                .dns = config->dns,
                .search = config->dns_search,
                .options = config->dns_options,
        };
        r = dns_is_none(config) ? 0 : resolv_conf_text(&resolv_request, &resolv, reterr);

        if (r < 0)
                return r;
        if (!config->no_hosts) {
                _cleanup_free_ char *host_text = config->hosts_file ? NULL : read_host_file("/etc/hosts"), *base_text = NULL;

                r = hosts_file_base(store, config, &base_text, reterr);
                if (r < 0)
                        return r;
                if (!str_equal(config->network, "none"))
                        (void) hosts_host_address(&host_address); /* without a route there is no such name */
                const HostsRequest hosts_request = {
                        .add_hosts = config->add_hosts,
                        .host_text = host_text,
                        .base_text = base_text,
                        .host_address = host_address,
                        .address = slirp ? container4 : NULL,
                        .addresses = addresses,
                        .hostname = config->hostname,
                        .name = config->name,
                };
                r = hosts_text(&hosts_request, &hosts, reterr);
                if (r < 0)
                        return r;
        }
        *ret_resolv_conf = TAKE_PTR(resolv);
        *ret_hosts = TAKE_PTR(hosts);
        return 0;
}

bool network_has_helper(const ContainerConfig *config) {
        return is_slirp(config) || bridge_is_used(config);
}

int network_start_with(const ContainerConfig *config, const ContainerPort *ports, size_t n_ports, const Proc *proc, NetHelper *ret,
                       Error *reterr) {
        _cleanup_net_config_ NetConfig net = NET_CONFIG_NULL;
        int r;

        if (!is_slirp(config))
                return 0;
        r = make_config(config, ports, n_ports, &net, reterr);
        if (r < 0)
                return r;
        const NetHelperRequest request = { .config = &net, .init_pidfd = proc->pidfd, .userns_fd = proc->userns_fd, .netns_fd = proc->netns_fd,
                                           .control_fd = -EBADF };
        return net_helper_start(&request, ret, reterr);
}

int network_start(const ContainerConfig *config, const Proc *proc, NetHelper *ret, Error *reterr) {
        return network_start_with(config, config->ports, config->n_ports, proc, ret, reterr);
}

int network_wait(NetHelper *helper, ContainerProcess *process, Error *reterr) {
        NetPort *ports = NULL;
        size_t n_ports = 0;

        if (helper->pid == 0)
                return 0;
        int r = net_helper_wait_ready(helper, &ports, &n_ports, reterr);
        for (size_t i = 0; i < n_ports && r >= 0; i++) {
                ContainerPort *port = container_array_add((void **) &process->ports, &process->n_ports, sizeof(*port));

                if (!port) {
                        r = error_oom(reterr);
                        break;
                }
                *port = (ContainerPort){
                        .host_ip = TAKE_PTR(ports[i].host_ip),
                        .host_port = ports[i].host_port,
                        .container_port = ports[i].container_port,
                        .protocol = TAKE_PTR(ports[i].protocol),
                };
        }
        net_ports_free(ports, n_ports);
        if (r < 0)
                return r;
        process->net_pid = helper->pid;
        r = process_start_time(helper->pid, &process->net_start_time);
        return r < 0 ? error_set_errno(reterr, r, "cannot record the network process") : 0;
}
