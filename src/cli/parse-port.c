/* SPDX-License-Identifier: Apache-2.0 */
/* Reads published and exposed ports. */
#include "cli/parse-port.h"

#include <arpa/inet.h>

#include "base/parse.h"
#include "base/str.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

static int parse_port(const char *text, const char *what, uint32_t *ret, Error *reterr) {
        if (parse_u32(text, ret) < 0 || *ret < 1 || *ret > 65535)
                return INVALID("%s port '%s' is not a number from 1 to 65535", what, text);
        return 0;
}

/* "80" or "80-90". */
static int parse_range(char *text, const char *what, uint32_t *ret_first, uint32_t *ret_count, Error *reterr) {
        char *dash = strchr(text, '-');
        uint32_t last;

        if (dash)
                *dash = '\0';
        int r = parse_port(text, what, ret_first, reterr);
        if (r < 0)
                return r;
        last = *ret_first;
        if (dash)
                r = parse_port(dash + 1, what, &last, reterr);
        if (r < 0)
                return r;
        if (last < *ret_first)
                return INVALID("%s ports end before they begin: %s-%s", what, text, dash + 1);
        *ret_count = last - *ret_first + 1;
        return 0;
}

/* Cuts "/PROTOCOL" off the text. */
static int cut_protocol(char *text, const char **ret, Error *reterr) {
        char *slash = strchr(text, '/');

        *ret = "tcp";
        if (!slash)
                return 0;
        *slash = '\0';
        if (strcasecmp(slash + 1, "udp") == 0)
                *ret = "udp";
        else if (strcasecmp(slash + 1, "sctp") == 0)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "SCTP is not there yet");
        else if (strcasecmp(slash + 1, "tcp") != 0)
                return INVALID("'%s' is not a protocol: tcp or udp", slash + 1);
        return 0;
}

/* The address in its usual spelling (owned), NULL for all. */
static int parse_address(const char *text, char **ret, Error *reterr) {
        unsigned char binary[16];
        char usual[INET6_ADDRSTRLEN];
        int family = strchr(text, ':') ? AF_INET6 : AF_INET;

        *ret = NULL;
        if (inet_pton(family, text, binary) != 1)
                return INVALID("'%s' is not an IP address", text);
        if (str_equal(text, "0.0.0.0"))
                return 0;
        if (!inet_ntop(family, binary, usual, sizeof(usual)))
                return INVALID("'%s' is not an IP address", text);
        *ret = strdup(usual);
        return *ret ? 0 : error_oom(reterr);
}

typedef struct PortParts {
        char *address, *host, *container; /* inside the text; NULL: not given */
} PortParts;

static int split_publish(char *text, PortParts *ret, Error *reterr) {
        *ret = (PortParts){};
        if (*text == '[') {
                char *end = strstr(text, "]:");

                if (!end)
                        return INVALID("the address does not end with ']:'");
                *end = '\0';
                ret->address = text + 1;
                text = end + 2;
                if (!strchr(text, ':'))
                        return INVALID("behind an address stand two ports: [ADDRESS]:HOST-PORT:PORT");
        }
        ret->container = strrchr(text, ':');
        if (!ret->container) {
                ret->container = text;
                return 0;
        }
        *ret->container++ = '\0';
        ret->host = strrchr(text, ':');
        if (!ret->host) {
                ret->host = text;
                return 0;
        }
        if (ret->address)
                return INVALID("too many parts behind the address");
        *ret->host++ = '\0';
        ret->address = text;
        if (strchr(text, ':'))
                return INVALID("an IPv6 address stands in brackets: [%s]", text);
        return 0;
}

static int add_ports(ContainerConfig *config, const char *address, uint32_t host, uint32_t first, uint32_t count,
                     const char *protocol, Error *reterr) {
        ContainerPort *ports;

        if (config->n_ports + count > PUBLISH_MAX)
                return INVALID("more than %d ports", (int) PUBLISH_MAX);
        /* Grown at once: a range may have 65535 of them. */
        ports = reallocarray(config->ports, config->n_ports + count, sizeof(*ports));
        if (!ports)
                return error_oom(reterr);
        config->ports = ports;
        for (uint32_t i = 0; i < count; i++) {
                ContainerPort *port = &ports[config->n_ports++];

                *port = (ContainerPort){ .host_port = host ? host + i : 0, .container_port = first + i };
                if (str_replace(&port->host_ip, address) < 0 || str_replace(&port->protocol, protocol) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

int parse_publish(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_free_ char *text = strdup(value), *address = NULL;
        uint32_t host = 0, n_host, first, count;
        const char *protocol;
        PortParts parts;

        if (!text)
                return error_oom(reterr);
        int r = cut_protocol(text, &protocol, reterr);
        if (r >= 0)
                r = split_publish(text, &parts, reterr);
        if (r >= 0)
                r = parse_range(parts.container, "container", &first, &count, reterr);
        if (r >= 0 && parts.address)
                r = parse_address(parts.address, &address, reterr);
        if (r < 0)
                return r;
        if (!str_empty(parts.host)) {
                r = parse_range(parts.host, "host", &host, &n_host, reterr);
                if (r < 0)
                        return r;
                if (n_host != count)
                        return INVALID("%u host ports for %u container ports", n_host, count);
        }
        return add_ports(config, address, host, first, count, protocol, reterr);
}

int parse_expose(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_free_ char *text = strdup(value);
        size_t n = strv_length(config->expose);
        uint32_t first, count;
        const char *protocol;
        char **expose;

        if (!text)
                return error_oom(reterr);
        int r = cut_protocol(text, &protocol, reterr);
        if (r >= 0)
                r = parse_range(text, "container", &first, &count, reterr);
        if (r < 0)
                return r;
        if (n + count > PUBLISH_MAX)
                return INVALID("more than %d ports", (int) PUBLISH_MAX);
        expose = reallocarray(config->expose, n + count + 1, sizeof(*expose));
        if (!expose)
                return error_oom(reterr);
        config->expose = expose;
        for (uint32_t i = 0; i <= count; i++)
                expose[n + i] = NULL;
        for (uint32_t i = 0; i < count; i++)
                if (!(expose[n + i] = str_format("%u/%s", first + i, protocol)))
                        return error_oom(reterr);
        return 0;
}

static int compare_ports(const void *a, const void *b) {
        const ContainerPort *const *x = a, *const *y = b;

        if ((*x)->host_port != (*y)->host_port)
                return (*x)->host_port < (*y)->host_port ? -1 : 1;
        int r = strcmp((*x)->protocol, (*y)->protocol);
        return r != 0 ? r : strcmp((*x)->host_ip ?: "", (*y)->host_ip ?: "");
}

int parse_ports_check(const ContainerConfig *config, Error *reterr) {
        _cleanup_free_ const ContainerPort **sorted = reallocarray(NULL, config->n_ports + 1, sizeof(*sorted));

        if (!sorted)
                return error_oom(reterr);
        for (size_t i = 0; i < config->n_ports; i++)
                sorted[i] = &config->ports[i];
        qsort(sorted, config->n_ports, sizeof(*sorted), compare_ports);
        for (size_t i = 1; i < config->n_ports; i++)
                if (sorted[i]->host_port && compare_ports(&sorted[i - 1], &sorted[i]) == 0)
                        return INVALID("host port %u/%s is published twice", sorted[i]->host_port, sorted[i]->protocol);
        return 0;
}
