/* SPDX-License-Identifier: Apache-2.0 */
/* volumes and networks at the top of the file, and who refers to them. */
#include "base/str.h"
#include "compose/project.h"

/* external: true, or in the old form {name: X}. */
static int is_external(Compose *c, const Node *node, bool *ret, const char **ret_name) {
        const Node *external = node_get(node, "external");

        *ret = false;
        *ret_name = node_get_text(node, "name");
        if (!external || external->kind == NODE_NULL)
                return 0;
        if (external->kind == NODE_MAP) {
                *ret = true;
                *ret_name = node_get_text(external, "name") ?: *ret_name;
                return 0;
        }
        return compose_bool(c, external, "external", ret);
}

/* A reference by its file, or a name that is there already. */
static const char *refer(Project *p, const Node *at, const char *section, const char *suffix, const char *name) {
        const Node *all = node_get(p->root, section), *node = node_get(all, name);
        const char *own;
        bool external;

        if (!node_pair(all, name)) {
                (void) compose_fail(p->c, at, "there is no '%s' among %s at the top", name, section);
                return NULL;
        }
        if (is_external(p->c, node, &external, &own) < 0)
                return NULL;
        if (external)
                return own ?: name;
        if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(name)) {
                (void) compose_fail(p->c, at, "%s.%s: not a name", section, name);
                return NULL;
        }
        return arena_format(&p->c->arena, "%s-%s.%s", p->name, name, suffix);
}

const char *project_volume(Project *p, const Node *at, const char *name) {
        return refer(p, at, "volumes", "volume", name);
}

const char *project_network(Project *p, const Node *at, const char *name) {
        if (str_equal(name, "default") && !node_pair(node_get(p->root, "networks"), name))
                return arena_format(&p->c->arena, "%s-default.network", p->name);
        return refer(p, at, "networks", "network", name);
}

/* ---- volumes ---- */

static int volume_options(Service *v, Node *node) {
        int r = 0;

        if (node->kind != NODE_MAP)
                return node->kind == NODE_NULL ? 0 : compose_fail(v->p->c, node, "driver_opts: a map is wanted");
        const char *device = node_get_text(node, "device");
        for (size_t i = 0; r >= 0 && i < node->n; i++) {
                const char *key = node->pairs[i].key, *text = compose_want_text(v->p->c, node->pairs[i].value, "driver_opts");
                Node *value = node->pairs[i].value;

                if (!text)
                        return -EINVAL;
                if (str_equal(key, "device")) { /* a directory, or the name of a file system */
                        if (*text == '.' || *text == '~')
                                text = compose_path(v->p->c, value, text);
                        r = text ? service_say(v, value, KEY_Device, text) : -EINVAL;
                } else if (str_equal(key, "type") && device)
                        r = service_say(v, value, KEY_Type, text);
                else if (str_equal(key, "o"))
                        r = service_say(v, value, KEY_Options, text);
                else
                        r = service_argument(v, "--opt", arena_format(&v->p->c->arena, "%s=%s", key, text) ?: "");
        }
        return r;
}

static int volume_driver(Service *v, Node *node) {
        const char *text = compose_want_text(v->p->c, node, "driver");

        if (!text)
                return -EINVAL;
        return str_equal(text, "local") ? 0 : compose_fail(v->p->c, node, "volumes.%s.driver: there is no '%s' here: there is local", v->name, text);
}

static int convert_volume(Project *p, const char *name, Node *node) {
        static const ComposeKey keys[] = {
                { "driver", volume_driver }, { "driver_opts", volume_options }, { "external", .elsewhere = true },
                { "labels", .key = KEY_Label, .form = KEY_OF_PAIRS }, { "name", .elsewhere = true },
        };
        Service v = { .p = p, .name = name, .node = node, .w = { .type = UNIT_VOLUME, .arena = &p->c->arena } };
        const char *own, *file;
        bool external;
        int r = is_external(p->c, node, &external, &own);

        if (r >= 0 && external)
                return compose_check_keys(p->c, node, keys, ELEMENTSOF(keys), arena_format(&p->c->arena, "volumes.%s", name) ?: "");
        file = r < 0 ? NULL : project_volume(p, node, name);
        if (!file)
                return -EINVAL;
        r = service_say(&v, node, KEY_VolumeName, own ?: arena_format(&p->c->arena, "%s_%s", p->name, name));
        if (r >= 0)
                r = compose_keys(&v, node, keys, ELEMENTSOF(keys), arena_format(&p->c->arena, "volumes.%s", name) ?: "");
        if (r >= 0)
                r = project_add_unit(p, file, &v.w);
        unit_writer_done(&v.w);
        return r;
}

static int each(Project *p, const char *section, int (*convert)(Project *, const char *, Node *)) {
        Node *all = node_get(p->root, section);
        int fault = 0;

        if (!all || all->kind == NODE_NULL)
                return 0;
        if (all->kind != NODE_MAP)
                return compose_fail(p->c, all, "%s: a map is wanted", section);
        for (size_t i = 0; i < all->n; i++) {
                int r = convert(p, all->pairs[i].key, all->pairs[i].value);

                fault = r < 0 ? r : fault;
        }
        return fault;
}

int project_volumes(Project *p) {
        return each(p, "volumes", convert_volume);
}

/* ---- networks ---- */

static int ipam_config(Service *n, Node *node) {
        static const ComposeKey keys[] = {
                { "aux_addresses", .refused = "no addresses are kept free" }, { "gateway", .key = KEY_Gateway }, { "ip_range", .key = KEY_IPRange },
                { "subnet", .key = KEY_Subnet },
        };
        int r = 0;

        if (node->kind != NODE_LIST)
                return compose_fail(n->p->c, node, "ipam.config: a list is wanted");
        for (size_t i = 0; r >= 0 && i < node->n; i++)
                r = compose_keys(n, node->items[i], keys, ELEMENTSOF(keys), "ipam.config");
        return r;
}

static int ipam_driver(Service *n, Node *node) {
        const char *text = compose_want_text(n->p->c, node, "ipam.driver");

        return !text ? -EINVAL : str_equal(text, "default") ? 0 : service_argument(n, "--ipam-driver", text);
}

static int network_ipam(Service *n, Node *node) {
        static const ComposeKey keys[] = {
                { "config", ipam_config }, { "driver", ipam_driver }, { "options", .refused = "there are no such options" },
        };

        return compose_keys(n, node, keys, ELEMENTSOF(keys), "ipam");
}

static int network_driver(Service *n, Node *node) {
        const char *text = compose_want_text(n->p->c, node, "driver");

        if (!text)
                return -EINVAL;
        return str_equal(text, "bridge") ? 0 : compose_fail(n->p->c, node, "networks.%s.driver: there is no '%s' here: there is bridge", n->name, text);
}

static int network_ipv4(Service *n, Node *node) {
        bool on = true;
        int r = compose_bool(n->p->c, node, "enable_ipv4", &on);

        return r < 0 ? r : on ? 0 : compose_fail(n->p->c, node, "networks.%s: one without IPv4 is not there", n->name);
}

static int convert_network(Project *p, const char *name, Node *node) {
        static const ComposeKey keys[] = {
                { "attachable", .passed_over = "all are" }, { "driver", network_driver }, { "driver_opts", .key = KEY_Options, .form = KEY_OF_PAIRS },
                { "enable_ipv4", network_ipv4 }, { "enable_ipv6", .key = KEY_IPv6, .form = KEY_OF_BOOL }, { "external", .elsewhere = true },
                { "internal", .key = KEY_Internal, .form = KEY_OF_BOOL }, { "ipam", network_ipam }, { "labels", .key = KEY_Label, .form = KEY_OF_PAIRS },
                { "name", .elsewhere = true },
        };
        Service n = { .p = p, .name = name, .node = node, .w = { .type = UNIT_NETWORK, .arena = &p->c->arena } };
        const char *own, *file;
        bool external;
        int r = is_external(p->c, node, &external, &own);

        if (r >= 0 && external)
                return compose_check_keys(p->c, node, keys, ELEMENTSOF(keys), arena_format(&p->c->arena, "networks.%s", name) ?: "");
        file = r < 0 ? NULL : project_network(p, node, name);
        if (!file)
                return -EINVAL;
        r = service_say(&n, node, KEY_NetworkName, own ?: arena_format(&p->c->arena, "%s_%s", p->name, name));
        if (r >= 0)
                r = compose_keys(&n, node, keys, ELEMENTSOF(keys), arena_format(&p->c->arena, "networks.%s", name) ?: "");
        if (r >= 0)
                r = project_add_unit(p, file, &n.w);
        unit_writer_done(&n.w);
        return r;
}

/* Whether a service is on the network that nobody has named. */
static bool default_is_used(const Project *p) {
        for (size_t i = 0; i < p->services->n; i++) {
                const Node *service = p->services->pairs[i].value, *networks = node_get(service, "networks");

                if (!service_is_on(p, service) || node_get(service, "network_mode"))
                        continue;
                if (!networks || networks->kind == NODE_NULL || node_pair(networks, "default"))
                        return true;
                for (size_t k = 0; networks->kind == NODE_LIST && k < networks->n; k++)
                        if (str_equal(node_text(networks->items[k]), "default"))
                                return true;
        }
        return false;
}

int project_networks(Project *p) {
        const Node *all = node_get(p->root, "networks");
        int r = 0;

        if (p->pod) {
                if (all && all->kind == NODE_MAP && all->n > 0)
                        compose_warn(p->c, all, "networks are left out: all services are in one pod");
                return 0;
        }
        if (!node_pair(all, "default") && default_is_used(p)) {
                Node *nothing = node_new(p->c, NODE_MAP, p->root);

                r = nothing ? convert_network(p, "default", nothing) : -ENOMEM;
        }
        int k = each(p, "networks", convert_network);
        return r < 0 ? r : k;
}
