/* SPDX-License-Identifier: Apache-2.0 */
/* Reads --network and what belongs to it. */
#include "cli/parse-network.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/str.h"
#include "spec/network.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)
#define NOT_YET(...) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, __VA_ARGS__)

enum { NETWORKS_MAX = 64, ALIASES_MAX = 64, ALIAS_SIZE_MAX = 253 };

/* ---- what can be said of one network ---- */

static int add_address(ContainerNetwork *network, const char *text, int family, Error *reterr) {
        IpAddress address;
        int r = ip_parse(text, &address);

        if (r >= 0 && family != AF_UNSPEC && address.family != family)
                return INVALID("\"%s\" is not an %s address", text, family == AF_INET ? "IPv4" : "IPv6");
        if (r < 0)
                return r;
        return strv_append(&network->static_ips, ip_text(&address)) < 0 ? error_oom(reterr) : 0;
}

static int set_mac(ContainerNetwork *network, const char *text, Error *reterr) {
        uint8_t mac[6];

        if (ip_parse_mac(text, mac) < 0)
                return INVALID("address %s: invalid MAC address", text);
        free(network->static_mac);
        network->static_mac = str_format("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
        return network->static_mac ? 0 : error_oom(reterr);
}

/* A name that stands in files which others read by lines and words: letters, digits, '-', '_' and '.'. */
static int add_alias(ContainerNetwork *network, const char *alias, Error *reterr) {
        if (!*alias)
                return INVALID("alias cannot be empty");
        if (strlen(alias) > ALIAS_SIZE_MAX || !isalnum((unsigned char) *alias))
                return INVALID("'%s' is not a host's name", alias);
        for (const char *p = alias; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("-_.", *p))
                        return INVALID("'%s' is not a host's name", alias);
        if (strv_contains(network->aliases, alias))
                return 0;
        if (strv_length(network->aliases) >= ALIASES_MAX)
                return INVALID("a network has at most %d aliases", ALIASES_MAX);
        return strv_append(&network->aliases, alias) < 0 ? error_oom(reterr) : 0;
}

static int set_interface(ContainerNetwork *network, const char *name, Error *reterr) {
        if (!*name)
                return INVALID("interface_name cannot be empty");
        if (!network_interface_is_valid(name))
                return INVALID("'%s' is not an interface's name", name);
        return str_replace(&network->interface_name, name) < 0 ? error_oom(reterr) : 0;
}

static int apply_option(ContainerNetwork *network, const char *word, Error *reterr) {
        const char *value;
        int r;

        if ((value = str_after(word, "ip=")) || (value = str_after(word, "ip6="))) {
                r = add_address(network, value, AF_UNSPEC, reterr);
                return r == -EINVAL ? INVALID("invalid ip address \"%s\"", value) : r;
        }
        if ((value = str_after(word, "mac=")))
                return set_mac(network, value, reterr);
        if ((value = str_after(word, "alias=")))
                return add_alias(network, value, reterr);
        if ((value = str_after(word, "interface_name=")))
                return set_interface(network, value, reterr);
        if (str_after(word, "host_interface_name="))
                return NOT_YET("host_interface_name is not there yet: there is no interface of the container on the host");
        return INVALID("unknown bridge network option: %.*s", (int) strcspn(word, "="), word);
}

static int apply_options(ContainerNetwork *network, const char *options, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(options, ",");
        int r = 0;

        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w && r >= 0; w++)
                r = **w ? apply_option(network, *w, reterr) : 0;
        return r < 0 ? error_prefix(reterr, r, "invalid option for network %s", network->name) : 0;
}

/* ---- which networks ---- */

static void forget(ContainerNetwork *network) {
        free(network->interface_name);
        strv_free(network->aliases);
        strv_free(network->static_ips);
        free(network->static_mac);
        strv_free(network->options);
        *network = (ContainerNetwork){ .name = network->name };
}

/* One that is named again begins anew, as in Podman. */
static int add_network(ContainerConfig *config, const char *name, const char *options, Error *reterr) {
        ContainerNetwork *network = NULL;

        if (!*name)
                return INVALID("network name cannot be empty");
        if (!network_name_is_valid(name))
                return INVALID("unable to find network with name or ID %s: network not found", name);
        for (size_t i = 0; i < config->n_networks && !network; i++)
                if (str_equal(config->networks[i].name, name))
                        network = &config->networks[i];
        if (network)
                forget(network);
        else {
                if (config->n_networks >= NETWORKS_MAX)
                        return INVALID("a container has at most %d networks", NETWORKS_MAX);
                network = container_array_add((void **) &config->networks, &config->n_networks, sizeof(*network));
                if (!network || !(network->name = strdup(name)))
                        return error_oom(reterr);
        }
        if (str_replace(&config->network, "bridge") < 0)
                return error_oom(reterr);
        return options ? apply_options(network, options, reterr) : 0;
}

static bool is_mode(const char *value, const char *mode) {
        const char *rest = str_after(value, mode);

        return rest && (!*rest || *rest == ':');
}

/* Where networks are listed there is no place for a mode. */
static int check_is_name(const char *value, Error *reterr) {
        static const char *const modes[] = { "bridge", "slirp4netns", "slirp", "pasta", "pod", "none", "default", "private", "ns", "container", "host" };

        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (is_mode(value, modes[i]))
                        return INVALID("can only set extra network names, selected mode %s conflicts with bridge: invalid argument", modes[i]);
        return 0;
}

/* NAME[:OPTIONS], or where that is allowed NAME,NAME */
static int add_named(ContainerConfig *config, const char *value, bool list, Error *reterr) {
        const char *colon = strchr(value, ':');
        _cleanup_free_ char *name = strndup(value, colon ? (size_t) (colon - value) : strlen(value));
        _cleanup_strv_ char **names = NULL;
        int r = 0;

        if (!name)
                return error_oom(reterr);
        if (colon || !list)
                return add_network(config, name, colon ? colon + 1 : NULL, reterr);
        if (!(names = strv_split(value, ",")))
                return error_oom(reterr);
        for (char **n = names; *n && r >= 0; n++) {
                r = names[1] ? check_is_name(*n, reterr) : 0;
                if (r >= 0)
                        r = add_network(config, *n, /* options= */ NULL, reterr);
        }
        return r;
}

static int add_further(ContainerConfig *config, const char *value, Error *reterr) {
        if (config->n_networks == 0)
                return INVALID("cannot set multiple networks without bridge network mode, selected mode %s: invalid argument", config->network);
        int r = check_is_name(value, reterr);
        return r < 0 ? r : add_named(config, value, /* list= */ false, reterr);
}

static int set_mode(ContainerConfig *config, const char *mode, Error *reterr) {
        return str_replace(&config->network, mode) < 0 ? error_oom(reterr) : 0;
}

int parse_network(ContainerConfig *config, const char *value, Error *reterr) {
        static const char *const usual[] = { "", "default", "private", "slirp", "slirp4netns" };
        const char *rest;

        if (config->network)
                return add_further(config, value, reterr);
        for (size_t i = 0; i < ELEMENTSOF(usual); i++)
                if (str_equal(usual[i], value))
                        return set_mode(config, "slirp", reterr);
        if (str_equal(value, "none") || str_equal(value, "host"))
                return set_mode(config, value, reterr);
        if ((rest = str_after(value, "slirp4netns:")) || (rest = str_after(value, "slirp:"))) {
                _cleanup_free_ char *mode = str_format("slirp:%s", rest); /* the engine checks the options */

                return mode ? set_mode(config, mode, reterr) : error_oom(reterr);
        }
        if ((rest = str_after(value, "container:")))
                return *rest ? set_mode(config, value, reterr) : INVALID("the container is missing");
        if ((rest = str_after(value, "ns:")))
                return *rest == '/' ? set_mode(config, value, reterr) : INVALID("'%s' is not an absolute path", rest);
        if (is_mode(value, "pasta"))
                return NOT_YET("pasta is not there yet");
        if (str_equal(value, "pod"))
                return INVALID("only a container in a pod has that network, and has it without being told");
        if (is_mode(value, "bridge"))
                return add_network(config, NETWORK_DEFAULT, value[6] ? value + 7 : NULL, reterr);
        return add_named(config, value, /* list= */ true, reterr);
}

/* ---- --ip and the like ---- */

int network_words_apply_to(const NetworkWords *words, ContainerNetwork *network, Error *reterr) {
        const struct {
                const char *text;
                int family;
        } addresses[] = { { words->ip, AF_INET }, { words->ip6, AF_INET6 } };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(addresses) && r >= 0; i++) {
                if (str_empty(addresses[i].text))
                        continue;
                r = add_address(network, addresses[i].text, addresses[i].family, reterr);
                if (r == -EINVAL && (!reterr || !reterr->message))
                        r = INVALID("\"%s\" is not an ip address", addresses[i].text);
        }
        if (r >= 0 && !str_empty(words->mac))
                r = set_mac(network, words->mac, reterr);
        for (char *const *alias = words->aliases; r >= 0 && alias && *alias; alias++)
                r = add_alias(network, *alias, reterr);
        return r;
}

static int check_one(const ContainerConfig *config, const char *option, Error *reterr) {
        if (config->n_networks == 0)
                return INVALID("%s can only be set when the network mode is bridge: invalid argument", option);
        return config->n_networks == 1 || str_equal(option, "--network-alias")
                       ? 0
                       : INVALID("%s can only be set for a single network: invalid argument", option);
}

int network_words_apply(const NetworkWords *words, ContainerConfig *config, Error *reterr) {
        const struct {
                const char *option;
                bool given;
        } rows[] = { { "--ip", !str_empty(words->ip) }, { "--ip6", !str_empty(words->ip6) }, { "--mac-address", !str_empty(words->mac) },
                     { "--network-alias", words->aliases } };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(rows) && r >= 0; i++)
                r = rows[i].given ? check_one(config, rows[i].option, reterr) : 0;
        for (size_t i = 0; i < config->n_networks && r >= 0; i++)
                r = network_words_apply_to(words, &config->networks[i], reterr);
        return r;
}
