/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON view of a container. */
#include "engine/inspect.h"

#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "engine/depend.h"
#include "engine/inspect-view.h"
#include "engine/namespaces.h"
#include "engine/network-restart.h"
#include "engine/start.h"
#include "proc/caps.h"
#include "spec/network.h"
#include "state/health.h"
#include "storage/rootfs.h"

const ContainerPort *inspect_ports(const Container *container, size_t *ret_n) {
        bool runs = container->status == CONTAINER_RUNNING || container->status == CONTAINER_PAUSED;

        /* a container that joined another's network has none of its own in either list */
        if (runs && container->process.n_ports > 0) {
                *ret_n = container->process.n_ports;
                return container->process.ports;
        }
        *ret_n = container->config.n_ports;
        return container->config.ports;
}

/* The command line of the container process: the entrypoint, then the command. Borrowed words; owned array, NULL when out
 * of memory. */
static char **command_line(const ContainerConfig *config) {
        size_t n = strv_length(config->entrypoint), m = strv_length(config->command);
        char **words = calloc(n + m + 1, sizeof(char *));

        if (!words)
                return NULL;
        if (n > 0)
                memcpy(words, config->entrypoint, n * sizeof(char *));
        if (m > 0)
                memcpy(words + n, config->command, m * sizeof(char *));
        return words;
}

json_t *inspect_port_map(const ContainerPort *ports, size_t n, char *const *exposed) {
        _cleanup_view_ View map = VIEW_NULL;

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *key = str_format("%u/%s", ports[i].container_port, ports[i].protocol ?: "tcp");
                _cleanup_free_ char *host_port = str_format("%u", ports[i].host_port);
                _cleanup_view_ View binding = VIEW_NULL;
                json_t *list = json_object_get(map.object, key ?: "");

                if (!list && key)
                        view_add(&map, key, list = json_array());
                view_string(&binding, "HostIp", ports[i].host_ip);
                view_string(&binding, "HostPort", ports[i].host_port > 0 ? host_port : "");
                if (!key || !host_port || json_array_append_new(list, view_take(&binding)) < 0)
                        return NULL;
        }
        for (; exposed && *exposed; exposed++)
                if (!json_object_get(map.object, *exposed))
                        view_add(&map, *exposed, json_null());
        return view_take(&map);
}

static json_t *health_log(const HealthState *health) {
        _cleanup_json_ json_t *log = json_array();

        for (size_t i = 0; log && i < health->n_log; i++) {
                const HealthResult *result = health->log + i;
                _cleanup_view_ View v = VIEW_NULL;

                view_time(&v, "Start", result->start_usec);
                view_time(&v, "End", result->end_usec);
                view_integer(&v, "ExitCode", result->exit_code);
                view_string(&v, "Output", result->output);
                if (json_array_append_new(log, view_take(&v)) < 0)
                        return NULL;
        }
        return json_incref(log);
}

static json_t *health(const Store *store, const Container *c) {
        _cleanup_health_state_ HealthState health = {};
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_view_ View v = VIEW_NULL;

        if (container_has_health_check(&c->config.health) && health_state_load(store, c, &health, &error) < 0)
                log_warning("%s", error.message ?: "out of memory");
        view_string(&v, "Status", health.status);
        view_integer(&v, "FailingStreak", health.failing_streak);
        view_add(&v, "Log", health.n_log > 0 ? health_log(&health) : json_null());
        return view_take(&v);
}

static json_t *state(const Store *store, const Container *c) {
        bool runs = c->status == CONTAINER_RUNNING || c->status == CONTAINER_PAUSED;
        _cleanup_view_ View v = VIEW_NULL;

        view_string(&v, "OciVersion", "1.0.2");
        view_string(&v, "Status", container_status_to_string(c->status));
        view_bool(&v, "Running", c->status == CONTAINER_RUNNING);
        view_bool(&v, "Paused", c->status == CONTAINER_PAUSED);
        view_bool(&v, "Restarting", false);
        view_bool(&v, "OOMKilled", engine_is_oom_killed(c));
        view_bool(&v, "Dead", false);
        view_integer(&v, "Pid", runs ? c->process.pid : 0);
        view_integer(&v, "ConmonPid", 0);
        view_integer(&v, "ExitCode", runs ? 0 : c->state.exit_code);
        view_string(&v, "Error", network_is_down(c) ? NETWORK_DOWN_TEXT : c->state.error);
        view_time(&v, "StartedAt", c->state.started_usec);
        view_time(&v, "FinishedAt", runs ? 0 : c->state.finished_usec);
        view_add(&v, "Health", health(store, c));
        view_string(&v, "CgroupPath", runs ? c->process.cgroup : NULL);
        view_time(&v, "CheckpointedAt", 0);
        view_time(&v, "RestoredAt", 0);
        view_bool(&v, "StoppedByUser", c->state.stopped_by_user);
        view_string(&v, "Unit", c->state.unit);
        return view_take(&v);
}

json_t *inspect_mount(const Store *store, const ContainerMount *m, bool without_name) {
        _cleanup_view_ View v = VIEW_NULL;
        bool is_volume = str_equal(m->type, "volume"), rw = false;
        const char *propagation = "";
        _cleanup_free_ char *path = is_volume ? str_format("%s/volumes/%s/_data", store->data_path, m->source) : NULL;
        json_t *options = inspect_mount_options(m, &rw, &propagation);

        view_string(&v, "Type", m->type);
        if (is_volume || !without_name)
                view_string(&v, "Name", is_volume ? m->source : "");
        view_string(&v, "Source", is_volume ? path : m->source);
        view_string(&v, "Destination", m->destination);
        view_string(&v, "Driver", is_volume ? "local" : "");
        view_string(&v, "Mode", "");
        view_add(&v, "Options", options);
        view_bool(&v, "RW", rw);
        view_string(&v, "Propagation", propagation);
        return view_take(&v);
}

static json_t *mounts(const Store *store, const ContainerConfig *c) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < c->n_mounts; i++)
                if ((inspect_mount_is_bind(&c->mounts[i]) || str_equal(c->mounts[i].type, "image")) &&
                    json_array_append_new(list, inspect_mount(store, &c->mounts[i], /* without_name= */ false)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static json_t *dependencies(const ContainerConfig *c) {
        _cleanup_json_ json_t *list = json_array();
        _cleanup_strv_ char **ids = NULL;

        if (dependencies_list(c, &ids, /* reterr= */ NULL) < 0)
                return NULL;
        for (char **id = ids; id && *id; id++)
                if (json_array_append_new(list, json_string(*id)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

/* Who can enter it may do so by this path, as with Podman's. */
static char *network_path(const Container *c) {
        bool own = c->pidfd >= 0 && c->process.pid > 0 && !str_equal(c->config.network, "host");

        return own ? str_format("/proc/%d/ns/net", c->process.pid) : strdup("");
}

static json_t *network_settings(const Container *c) {
        static const char *const empty[] = { "Bridge", "SandboxID", "LinkLocalIPv6Address" };
        _cleanup_view_ View v = VIEW_NULL;
        size_t n;
        const ContainerPort *ports = inspect_ports(c, &n);
        _cleanup_free_ char *path = network_path(c);
        /* as Podman has it: those of the default network alone stand here as well */
        bool only_default = c->config.n_networks == 1 && str_equal(c->config.networks[0].name, NETWORK_DEFAULT);

        inspect_network_basics(&v, only_default ? inspect_attachment(c, NETWORK_DEFAULT) : NULL);
        for (size_t i = 0; i < ELEMENTSOF(empty); i++)
                view_string(&v, empty[i], "");
        view_string(&v, "SandboxKey", path);
        view_integer(&v, "LinkLocalIPv6PrefixLen", 0);
        view_bool(&v, "HairpinMode", false);
        view_add(&v, "Ports", inspect_port_map(ports, n, c->config.expose));
        view_add(&v, "Networks", inspect_networks(c));
        return view_take(&v);
}

/* Podman shows of who is in another's network what that one has. */
static json_t *shown_network(const Store *store, const Container *c) {
        _cleanup_container_ Container holder = CONTAINER_NULL;

        return network_settings(namespaces_holder(store, &c->config, NAMESPACE_NET, &holder, /* reterr= */ NULL) > 0 ? &holder : c);
}

/* Layers by path, the topmost first, as mount(8) takes them. */
static char *lower_dirs(const Store *store, const ContainerConfig *c) {
        _cleanup_strv_ char **paths = NULL;

        for (size_t i = strv_length(c->layers); i-- > 0;) {
                char layer[IMAGE_LAYER_PATH_SIZE];

                image_layer_path(c->layers[i], layer);
                if (strv_consume(&paths, str_format("%s/%s", store->data_path, layer)) < 0)
                        return NULL;
        }
        return strv_join(paths, ":");
}

/* What the last start used; before it, what a start would. */
static const char *driver_name(const Store *store, const Container *c) {
        StorageDriver driver;

        if (c->state.storage_driver)
                return c->state.storage_driver;
        return storage_driver_for_container(store, c, /* wanted= */ NULL, &driver, /* reterr= */ NULL) < 0 ? "overlay"
                                                                                                          : storage_driver_to_string(driver);
}

static json_t *graph_driver(const Store *store, const Container *c, const char *dir) {
        _cleanup_view_ View v = VIEW_NULL, data = VIEW_NULL;
        _cleanup_free_ char *lower = lower_dirs(store, &c->config), *upper = str_format("%s/upper", dir),
                            *work = str_format("%s/work", dir);

        if (!lower || !upper || !work)
                return NULL;
        if (!c->config.rootfs && rootfs_is_vfs(c)) {
                _cleanup_free_ char *copy = str_format("%s/vfs", dir);

                view_string(&data, "dir", copy);
        } else if (!c->config.rootfs || c->config.rootfs_overlay) {
                view_string(&data, "LowerDir", c->config.rootfs ?: lower);
                view_string(&data, "UpperDir", upper);
                view_string(&data, "WorkDir", work);
        }
        view_string(&v, "Name", c->config.rootfs && !c->config.rootfs_overlay ? "" : driver_name(store, c));
        view_add(&v, "Data", view_take(&data));
        return view_take(&v);
}

/* The path of a file that the last start wrote for the container, where it is there. */
static void add_file(View *v, const Store *store, const Container *c, const char *key, const char *name) {
        _cleanup_free_ char *path = str_format("%s/containers/%s/%s", store->runtime_path, c->config.id, name);

        view_string(v, key, path && access(path, F_OK) == 0 ? path : NULL);
}

/* What the container process has, by proc/caps.h: root all that is in the bounding set, another user what was added. */
static void add_capabilities(View *v, const ContainerConfig *c) {
        static const char *const root[] = { "root", "0" };
        bool is_root = str_empty(c->user);
        size_t n = c->user ? strcspn(c->user, ":") : 0;
        CapSet set;

        for (size_t i = 0; i < ELEMENTSOF(root); i++)
                is_root = is_root || (n == strlen(root[i]) && memcmp(c->user, root[i], n) == 0);
        if (caps_resolve(c->cap_add, c->cap_drop, c->privileged, &set, /* reterr= */ NULL) < 0)
                set = (CapSet){}; /* an option of a newer sdpod: the container would not start */
        _cleanup_strv_ char **bounding = caps_to_strv(set.bounding), **added = caps_to_strv(set.added);
        view_strv(v, "EffectiveCaps", is_root ? bounding : added);
        view_strv(v, "BoundingCaps", bounding);
}

static void add_identity(View *v, const Store *store, const Container *c, const char *dir) {
        const ContainerConfig *config = &c->config;

        view_string(v, "Image", config->image_id);
        view_string(v, "ImageDigest", config->image_digest);
        view_string(v, "ImageName", config->image_name ?: config->image);
        view_string(v, "Rootfs", config->rootfs);
        view_string(v, "Pod", config->pod);
        add_file(v, store, c, "ResolvConfPath", "resolv.conf");
        add_file(v, store, c, "HostnamePath", "hostname");
        add_file(v, store, c, "HostsPath", "hosts");
        view_string(v, "StaticDir", dir);
        view_string(v, "OCIConfigPath", "");
        view_string(v, "OCIRuntime", "sdpod");
        view_string(v, "ConmonPidFile", config->conmon_pid_file);
        view_string(v, "PidFile", config->pid_file);
        view_string(v, "Name", config->name);
        view_integer(v, "RestartCount", c->state.restart_count);
        view_string(v, "Driver", driver_name(store, c));
        view_string(v, "MountLabel", "");
        view_string(v, "ProcessLabel", "");
        view_string(v, "AppArmorProfile", config->apparmor);
        add_capabilities(v, config);
        view_add(v, "ExecIDs", json_array());
        view_add(v, "GraphDriver", graph_driver(store, c, dir));
        view_add(v, "Mounts", mounts(store, config));
        view_add(v, "Dependencies", dependencies(config));
        view_add(v, "NetworkSettings", shown_network(store, c));
        view_string(v, "Namespace", "");
        view_bool(v, "IsInfra", config->infra);
        view_bool(v, "IsService", false);
}

int inspect_container(const Store *store, const Container *c, InspectFlags flags, json_t **ret, Error *reterr) {
        _cleanup_free_ char **words = command_line(&c->config),
                            *dir = str_format("%s/containers/%s", store->data_path, c->config.id);
        _cleanup_view_ View v = VIEW_NULL;

        if (!words || !dir)
                return error_oom(reterr);
        view_string(&v, "Id", c->config.id);
        view_time(&v, "Created", c->config.created_usec);
        view_string(&v, "Path", words[0]);
        /* Podman's view of a command of one word has it twice */
        view_strv(&v, "Args", words[0] && words[1] ? words + 1 : words);
        view_add(&v, "State", state(store, c));
        add_identity(&v, store, c, dir);
        view_add(&v, "Config", inspect_config(c));
        view_add(&v, "HostConfig", inspect_host_config(c));
        if (flags & INSPECT_SIZE) {
                uint64_t rw, rootfs;

                int r = inspect_container_size(store, c, &rw, &rootfs, reterr);
                if (r < 0)
                        return r;
                view_integer(&v, "SizeRw", (int64_t) rw);
                view_integer(&v, "SizeRootFs", (int64_t) rootfs);
        }
        *ret = view_take(&v);
        return *ret ? 0 : error_oom(reterr);
}
