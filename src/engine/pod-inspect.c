/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON view of a pod: field names and their order are those of `podman pod inspect`. */
#include "base/str.h"
#include "engine/inspect-view.h"
#include "engine/network-names.h"
#include "engine/pod.h"

/* null where there are none, as Go writes a list that was never made. */
static void add_list(View *v, const char *key, char *const *words) {
        if (words)
                view_strv(v, key, words);
        else
                view_add(v, key, json_null());
}

static void add_number(View *v, const char *key, int64_t number) {
        if (number != 0)
                view_integer(v, key, number);
}

static void add_text(View *v, const char *key, const char *text) {
        if (text)
                view_string(v, key, text);
}

/* Limits stand in two places, in the second without those of memory. */
static void add_cpu(View *v, const ContainerResources *r) {
        add_number(v, "cpu_period", (int64_t) r->cpu_period);
        add_number(v, "cpu_quota", r->cpu_quota);
        add_number(v, "cpu_shares", (int64_t) r->cpu_shares);
        add_text(v, "cpuset_cpus", r->cpuset_cpus);
        add_text(v, "cpuset_mems", r->cpuset_mems);
}

static void add_networks(View *v, const ContainerConfig *c) {
        _cleanup_strv_ char **names = NULL;

        view_add(v, "Networks", network_names_sorted(c, &names) < 0 ? NULL : names ? json_from_strv(names) : json_null());
}

static json_t *infra_config(const PodConfig *pod, const ContainerConfig *c) {
        _cleanup_view_ View v = VIEW_NULL;

        view_add(&v, "PortBindings", inspect_port_map(c->ports, c->n_ports, NULL));
        view_bool(&v, "HostNetwork", str_equal(c->network, "host"));
        view_string(&v, "StaticIP", "");
        view_string(&v, "StaticMAC", "");
        view_bool(&v, "NoManageResolvConf", c->dns && str_equal(c->dns[0], "none"));
        add_list(&v, "DNSServer", c->dns);
        add_list(&v, "DNSSearch", c->dns_search);
        add_list(&v, "DNSOption", c->dns_options);
        view_bool(&v, "NoManageHosts", c->no_hosts);
        add_list(&v, "HostAdd", c->add_hosts);
        add_networks(&v, c);
        view_add(&v, "NetworkOptions", json_null());
        add_cpu(&v, &pod->resources);
        view_string(&v, "pid_ns", c->pid_mode ?: "private");
        view_string(&v, "userns", c->userns ?: c->n_uid_map > 0 ? "private" : "host");
        view_string(&v, "uts_ns", c->uts_mode ?: "private");
        return view_take(&v);
}

static void add_mounts(View *v, const Store *store, const ContainerConfig *c) {
        _cleanup_json_ json_t *list = c->n_mounts > 0 ? json_array() : NULL;

        if (c->n_mounts == 0)
                return;
        for (size_t i = 0; i < c->n_mounts; i++)
                v->failed = json_array_append_new(list, inspect_mount(store, &c->mounts[i], /* without_name= */ true)) < 0 || v->failed;
        view_add(v, "mounts", TAKE_PTR(list));
}

static void add_devices(View *v, const ContainerConfig *c) {
        _cleanup_json_ json_t *list = c->n_devices > 0 ? json_array() : NULL;

        if (c->n_devices == 0)
                return;
        for (size_t i = 0; i < c->n_devices; i++)
                v->failed = json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "PathOnHost", c->devices[i].source, "PathInContainer",
                                                                  c->devices[i].destination, "CgroupPermissions", c->devices[i].permissions)) < 0 ||
                            v->failed;
        view_add(v, "devices", TAKE_PTR(list));
}

static json_t *containers(const PodMembers *members) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < members->n; i++) {
                const Container *c = &members->items[i];

                if (json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "Id", c->config.id, "Name", c->config.name, "State",
                                                          container_status_to_string(c->status))) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

int inspect_pod(const Store *store, const Pod *pod, json_t **ret, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        _cleanup_free_ char *slice = pod_slice(&pod->config), *path = NULL;
        _cleanup_view_ View v = VIEW_NULL;
        const PodConfig *config = &pod->config;
        const char *parent = config->cgroup_parent ?: POD_CGROUP_PARENT;
        int r = engine_pod_members(store, pod, &members, reterr);

        if (r < 0)
                return r;
        const Container *infra = pod_members_infra(&members);
        if (!slice || !(path = str_format("%s/%s", parent, slice)))
                return error_oom(reterr);
        view_string(&v, "Id", config->id);
        view_string(&v, "Name", config->name);
        view_time(&v, "Created", config->created_usec);
        view_strv(&v, "CreateCommand", config->create_command);
        view_string(&v, "ExitPolicy", config->exit_policy ?: "continue");
        view_string(&v, "State", pod_members_state(&members));
        view_string(&v, "Hostname", config->hostname);
        if (config->labels)
                view_map(&v, "Labels", config->labels);
        view_bool(&v, "CreateCgroup", config->infra_id != NULL);
        view_string(&v, "CgroupParent", parent);
        if (config->infra_id)
                view_string(&v, "CgroupPath", path);
        view_bool(&v, "CreateInfra", config->infra_id != NULL);
        if (infra) {
                view_string(&v, "InfraContainerID", infra->config.id);
                view_add(&v, "InfraConfig", infra_config(config, &infra->config));
                view_strv(&v, "SharedNamespaces", config->share);
        }
        view_integer(&v, "NumContainers", (int64_t) members.n);
        if (members.n > 0)
                view_add(&v, "Containers", containers(&members));
        add_cpu(&v, &config->resources);
        add_number(&v, "memory_limit", config->resources.memory);
        add_number(&v, "memory_swap", config->resources.memory_swap);
        if (infra) {
                add_mounts(&v, store, &infra->config);
                add_devices(&v, &infra->config);
                if (infra->config.security_opt)
                        view_strv(&v, "security_opt", infra->config.security_opt);
        }
        add_text(&v, "RestartPolicy", config->restart_policy);
        *ret = view_take(&v);
        return *ret ? 0 : error_oom(reterr);
}
