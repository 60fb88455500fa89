/* SPDX-License-Identifier: Apache-2.0 */
/* How a service is reached, and whom it reaches. */
#include <stdlib.h>

#include "base/str.h"
#include "compose/project.h"

/* What the containers of a pod share is the pod's. */
int service_for_pod(Service *s, const Node *at, UnitKey key, const char *value) {
        return s->p->pod ? project_say(s->p, &s->p->pod_writer, at, key, value) : service_say(s, at, key, value);
}

static int say_port(Service *s, const Node *at, const char *port) {
        if (s->of > 1 && strchr(port, ':'))
                return compose_fail(s->p->c, at, "services.%s: %u containers cannot have one port of the host", s->name, s->of);
        return port ? service_for_pod(s, at, KEY_PublishPort, port) : -ENOMEM;
}

static int long_port(Service *s, const Node *at) {
        static const ComposeKey keys[] = {
                { "app_protocol", .passed_over = "nothing looks at it" }, { "host_ip", .elsewhere = true }, { "mode", .elsewhere = true },
                { "name", .passed_over = "nothing looks at it" }, { "protocol", .elsewhere = true }, { "published", .elsewhere = true }, { "target", .elsewhere = true },
        };
        const char *target = node_get_text(at, "target"), *published = node_get_text(at, "published"), *ip = node_get_text(at, "host_ip"),
                   *protocol = node_get_text(at, "protocol");
        int r = compose_check_keys(s->p->c, at, keys, ELEMENTSOF(keys), "ports");

        if (r < 0)
                return r;
        if (!target)
                return compose_fail(s->p->c, at, "ports: 'target' is missing");
        bool v6 = ip && strchr(ip, ':') && *ip != '[';
        return say_port(s, at, arena_format(&s->p->c->arena, "%s%s%s%s%s%s%s%s%s", v6 ? "[" : "", ip ?: "", v6 ? "]" : "", ip ? ":" : "", published ?: "",
                                            ip || published ? ":" : "", target, protocol ? "/" : "", protocol ?: ""));
}

int service_ports(Service *s, Node *node) {
        int fault = 0;

        if (node->kind != NODE_LIST)
                return node->kind == NODE_NULL ? 0 : compose_fail(s->p->c, node, "ports: a list is wanted");
        for (size_t i = 0; i < node->n; i++) {
                const Node *item = node->items[i];
                int r = item->kind == NODE_SCALAR ? say_port(s, item, item->text) : item->kind == NODE_MAP ? long_port(s, item)
                                                                                                  : compose_fail(s->p->c, item, "ports: not a port");

                fault = r < 0 ? r : fault;
        }
        return fault;
}

/* "host:ip", "host=ip", or a map, whose values may be lists. */
int service_hosts(Service *s, Node *node) {
        int r = 0;

        for (size_t i = 0; node->kind == NODE_LIST && r >= 0 && i < node->n; i++) {
                const char *text = compose_want_text(s->p->c, node->items[i], "extra_hosts");
                size_t n = text ? strcspn(text, "=:") : 0;

                if (!text || !text[n])
                        return text ? compose_fail(s->p->c, node->items[i], "extra_hosts: '%s' is not NAME=ADDRESS", text) : -EINVAL;
                r = service_for_pod(s, node->items[i], KEY_AddHost, arena_format(&s->p->c->arena, "%.*s:%s", (int) n, text, text + n + 1));
        }
        for (size_t i = 0; node->kind == NODE_MAP && r >= 0 && i < node->n; i++) {
                _cleanup_strv_ char **words = NULL;

                r = compose_words(s->p->c, node->pairs[i].value, "extra_hosts", &words);
                for (char **word = words; r >= 0 && word && *word; word++)
                        r = service_for_pod(s, node, KEY_AddHost, arena_format(&s->p->c->arena, "%s:%s", node->pairs[i].key, *word));
        }
        return r;
}

/* "service:NAME" of a mode: the unit whose container is joined; NULL: it is no such mode, or (*ret < 0) there is none. */
static const char *joined_unit(Service *s, const Node *node, const char *text, int *ret) {
        const char *other = str_after(text, "service:");

        *ret = 0;
        if (!other)
                return NULL;
        if (node_get(s->p->services, other) && !str_equal(other, s->name))
                return arena_format(&s->p->c->arena, "%s.container", service_unit(s->p, other, 1));
        *ret = compose_fail(s->p->c, node, "services.%s: there is no other service '%s'", s->name, other);
        return NULL;
}

int service_network_mode(Service *s, Node *node) {
        const char *text = compose_want_text(s->p->c, node, "network_mode");
        int r = 0;

        if (!text)
                return -EINVAL;
        if (s->p->pod) {
                compose_warn(s->p->c, node, "services.%s.network_mode is left out: it is in the pod", s->name);
                return 0;
        }
        if (node_get(s->node, "networks"))
                return compose_fail(s->p->c, node, "services.%s has both network_mode and networks", s->name);
        const char *unit = joined_unit(s, node, text, &r);
        if (r < 0)
                return r;
        if (unit) {
                unit_write_raw(&s->w, KEY_Network, unit);
                return 0;
        }
        return service_say(s, node, KEY_Network, text);
}

/* pid and ipc: of the host, or of another service. */
static int namespace(Service *s, Node *node, const char *what) {
        const char *text = compose_want_text(s->p->c, node, what), *option = arena_format(&s->p->c->arena, "--%s", what);
        int r = 0;

        if (!text || !option)
                return -EINVAL;
        const char *unit = joined_unit(s, node, text, &r);
        if (r < 0)
                return r;
        if (!unit)
                return service_argument(s, option, text);
        const Node *other = node_get(s->p->services, text + strlen("service:")), *given = node_get(other, "container_name");
        unit_write_line(&s->w.unit, "Requires", unit);
        unit_write_line(&s->w.unit, "After", unit);
        return service_argument(s, option, node_text(given) ? arena_format(&s->p->c->arena, "container:%s", given->text)
                                                            : arena_format(&s->p->c->arena, "container:%s-%s-1", s->p->name, text + strlen("service:")));
}

int service_namespace_pid(Service *s, Node *node) {
        return namespace(s, node, "pid");
}

int service_namespace_ipc(Service *s, Node *node) {
        return namespace(s, node, "ipc");
}

/* ---- networks ---- */

static int add_network(Service *s, const Node *at, const char *name, const Node *how) {
        static const ComposeKey keys[] = {
                { "aliases", .elsewhere = true }, { "driver_opts", .refused = "there are no options of a container in a network" },
                { "gw_priority", .passed_over = "the first network has the route" }, { "interface_name", .elsewhere = true }, { "ipv4_address", .elsewhere = true },
                { "ipv6_address", .elsewhere = true }, { "link_local_ips", .refused = "such addresses are not there" }, { "mac_address", .elsewhere = true },
                { "priority", .passed_over = "networks are joined in the order of the file" },
        };
        static const struct {
                const char *key, *option;
        } options[] = { { "ipv4_address", "ip" }, { "ipv6_address", "ip6" }, { "mac_address", "mac" }, { "interface_name", "interface_name" } };
        Arena *arena = &s->p->c->arena;
        const char *network = project_network(s->p, at, name);
        _cleanup_strv_ char **aliases = NULL;
        int r = how && how->kind != NODE_NULL ? compose_check_keys(s->p->c, how, keys, ELEMENTSOF(keys), "networks") : 0;

        if (r >= 0 && node_get(how, "aliases"))
                r = compose_words(s->p->c, node_get(how, "aliases"), "aliases", &aliases);
        if (r < 0 || !network)
                return r < 0 ? r : -EINVAL;
        const char *value = arena_format(arena, "%s:alias=%s", network, s->name);
        for (char **alias = aliases; alias && *alias; alias++)
                value = arena_format(arena, "%s,alias=%s", value, *alias);
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (node_get_text(how, options[i].key))
                        value = arena_format(arena, "%s,%s=%s", value, options[i].option, node_get_text(how, options[i].key));
        if (!value || !unit_key_can_say(UNIT_CONTAINER, KEY_Network, value) || strpbrk(value, "%$"))
                return compose_fail(s->p->c, at, "networks: a unit file cannot say '%s'", value ?: "");
        unit_write_raw(&s->w, KEY_Network, value);
        return 0;
}

int service_networks(Service *s) {
        const Node *networks = node_get(s->node, "networks");
        int r = 0;

        if (node_get(s->node, "network_mode"))
                return 0;
        if (!networks || networks->kind == NODE_NULL)
                return add_network(s, s->node, "default", NULL);
        if (networks->kind != NODE_LIST && networks->kind != NODE_MAP)
                return compose_fail(s->p->c, networks, "services.%s.networks: names are wanted", s->name);
        for (size_t i = 0; r >= 0 && i < networks->n; i++) {
                const char *name = networks->kind == NODE_MAP ? networks->pairs[i].key : compose_want_text(s->p->c, networks->items[i], "networks");

                r = name ? add_network(s, networks, name, networks->kind == NODE_MAP ? networks->pairs[i].value : NULL) : -EINVAL;
        }
        return r;
}
