/* SPDX-License-Identifier: Apache-2.0 */
/* Config and HostConfig of an inspected container: what was asked for. */

#include "base/parse.h"
#include "base/str.h"
#include "engine/inspect-view.h"
#include "engine/network.h"

static json_t *healthcheck(const ContainerHealth *health) {
        uint64_t interval = health->interval_usec ?: HEALTH_INTERVAL_USEC; /* UINT64_MAX: disabled */
        _cleanup_view_ View v = VIEW_NULL;

        if (!health->test)
                return json_null();
        view_strv(&v, "Test", health->test);
        view_integer(&v, "StartPeriod", (int64_t) health->start_period_usec * 1000);
        view_integer(&v, "Interval", interval == UINT64_MAX ? 0 : (int64_t) interval * 1000);
        view_integer(&v, "Timeout", (int64_t) (health->timeout_usec ?: HEALTH_TIMEOUT_USEC) * 1000);
        view_integer(&v, "Retries", health->retries ?: HEALTH_RETRIES);
        return view_take(&v);
}

/* The destinations of volumes, as the image config lists them. */
static json_t *volumes(const ContainerConfig *c) {
        _cleanup_view_ View v = VIEW_NULL;

        for (size_t i = 0; i < c->n_mounts; i++)
                if (str_equal(c->mounts[i].type, "volume"))
                        view_add(&v, c->mounts[i].destination, json_object());
        return json_object_size(v.object) == 0 ? json_null() : view_take(&v);
}

static json_t *exposed_ports(const ContainerConfig *c) {
        _cleanup_view_ View v = VIEW_NULL;

        for (size_t i = 0; i < c->n_ports; i++) {
                _cleanup_free_ char *key = str_format("%u/%s", c->ports[i].container_port, c->ports[i].protocol ?: "tcp");

                view_add(&v, key ?: "", key ? json_object() : NULL);
        }
        for (char **e = c->expose; e && *e; e++)
                view_add(&v, *e, json_object());
        return view_take(&v);
}

/* Those that are files, as Podman has it; never what is in them. */
static json_t *secrets(const ContainerConfig *c) {
        json_t *list = json_array();

        for (size_t i = 0; i < c->n_secrets; i++) {
                const ContainerSecret *s = &c->secrets[i];

                if (!s->env)
                        (void) json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i, s:i}", "Name", s->name, "ID", s->id, "UID",
                                                                     (int) s->uid, "GID", (int) s->gid, "Mode", (int) s->mode));
        }
        return list;
}

json_t *inspect_config(const Container *container) {
        const ContainerConfig *c = &container->config;
        _cleanup_view_ View v = VIEW_NULL;
        _cleanup_free_ char *short_id = strndup(c->id, 12);
        const char *signal = signal_name(c->stop_signal > 0 ? c->stop_signal : 15);

        view_string(&v, "Hostname", c->hostname ?: short_id);
        view_string(&v, "Domainname", "");
        view_string(&v, "User", c->user);
        view_bool(&v, "AttachStdin", false);
        view_bool(&v, "AttachStdout", false);
        view_bool(&v, "AttachStderr", false);
        view_bool(&v, "Tty", c->terminal);
        view_bool(&v, "OpenStdin", c->open_stdin);
        view_bool(&v, "StdinOnce", false);
        view_strv(&v, "Env", c->env);
        view_strv(&v, "Cmd", c->command);
        view_string(&v, "Image", c->image_name ?: c->image);
        view_add(&v, "Volumes", volumes(c));
        view_string(&v, "WorkingDir", c->workdir ?: "/");
        view_add(&v, "Entrypoint", c->entrypoint ? json_from_strv(c->entrypoint) : json_null());
        view_add(&v, "OnBuild", json_null());
        if (c->labels)
                view_map(&v, "Labels", c->labels);
        else
                view_add(&v, "Labels", json_null());
        view_map(&v, "Annotations", c->annotations);
        view_add(&v, "ExposedPorts", exposed_ports(c));
        view_string(&v, "StopSignal", signal);
        view_add(&v, "Healthcheck", healthcheck(&c->health));
        view_string(&v, "HealthcheckOnFailureAction", c->health.on_failure ?: "none");
        view_string(&v, "HealthLogDestination", c->health.log_destination ?: "local");
        view_strv(&v, "CreateCommand", c->create_command);
        if (c->systemd_mode)
                view_bool(&v, "SystemdMode", true);
        view_string(&v, "SystemdUnit", c->systemd_unit);
        if (c->timezone)
                view_string(&v, "Timezone", c->timezone);
        view_string(&v, "Umask", c->umask_text ?: "0022");
        if (c->n_secrets > 0)
                view_add(&v, "Secrets", secrets(c));
        view_integer(&v, "Timeout", c->timeout);
        view_integer(&v, "StopTimeout", c->stop_timeout);
        view_bool(&v, "Passwd", !c->no_passwd);
        view_string(&v, "sdNotifyMode", c->sdnotify ?: "container");
        return view_take(&v);
}

static bool is_propagation(const char *option) {
        static const char *const words[] = { "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable",
                                             "runbindable" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcmp(option, words[i]) == 0)
                        return true;
        return false;
}

bool inspect_mount_is_bind(const ContainerMount *mount) {
        return str_equal(mount->type, "bind") || str_equal(mount->type, "volume");
}

json_t *inspect_mount_options(const ContainerMount *mount, bool *ret_rw, const char **ret_propagation) {
        _cleanup_json_ json_t *rest = json_array();
        bool is_image = str_equal(mount->type, "image"), binds = !is_image && !str_equal(mount->type, "tmpfs"), rw = !is_image;
        const char *propagation = is_image ? "" : "rprivate";

        for (char **o = mount->options; o && *o; o++) {
                if (strcmp(*o, "ro") == 0 || strcmp(*o, "rw") == 0)
                        rw = strcmp(*o, "rw") == 0;
                else if (is_propagation(*o))
                        propagation = *o;
                else if (strcmp(*o, "rbind") == 0 || strcmp(*o, "bind") == 0)
                        continue;
                else if (json_array_append_new(rest, json_text(*o)) < 0)
                        return NULL;
        }
        if (binds && json_array_append_new(rest, json_string("rbind")) < 0)
                return NULL;
        *ret_rw = rw;
        *ret_propagation = propagation;
        return TAKE_PTR(rest);
}

/* "source:destination:rw,rprivate,rbind" */
static char *bind_text(const ContainerMount *mount) {
        _cleanup_json_ json_t *options = NULL;
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *joined = NULL;
        const char *propagation = "";
        bool rw = false;

        options = inspect_mount_options(mount, &rw, &propagation);
        if (!options || json_to_strv(options, &words) < 0 || !(joined = strv_join(words, ",")))
                return NULL;
        return str_format("%s:%s:%s,%s,%s", mount->source ?: "", mount->destination, rw ? "rw" : "ro", propagation, joined);
}

static json_t *binds(const ContainerConfig *c) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < c->n_mounts; i++) {
                if (!inspect_mount_is_bind(&c->mounts[i]))
                        continue;
                _cleanup_free_ char *text = bind_text(&c->mounts[i]);
                if (!text || json_array_append_new(list, json_text(text)) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

static json_t *tmpfs(const ContainerConfig *c) {
        _cleanup_view_ View v = VIEW_NULL;

        for (size_t i = 0; i < c->n_mounts; i++) {
                if (inspect_mount_is_bind(&c->mounts[i]) || str_equal(c->mounts[i].type, "image"))
                        continue;
                _cleanup_free_ char *options = strv_join(c->mounts[i].options, ",");
                view_add(&v, c->mounts[i].destination, options ? json_text(options) : NULL);
        }
        return view_take(&v);
}

static json_t *log_config(const Container *container) {
        const ContainerConfig *c = &container->config;
        _cleanup_view_ View v = VIEW_NULL;
        const char *tag = strv_env_get(c->log_opt, "tag");

        view_string(&v, "Type", container->state.log_driver ?: c->log_driver ?: "k8s-file");
        if (c->log_opt)
                view_map(&v, "Config", c->log_opt);
        else
                view_add(&v, "Config", json_null());
        view_string(&v, "Path", container->state.log_path ?: strv_env_get(c->log_opt, "path"));
        view_string(&v, "Tag", tag);
        view_string(&v, "Size", strv_env_get(c->log_opt, "max-size") ?: "0B");
        return view_take(&v);
}

static json_t *restart_policy(const ContainerConfig *c) {
        _cleanup_view_ View v = VIEW_NULL;

        view_string(&v, "Name", c->restart_policy);
        view_integer(&v, "MaximumRetryCount", c->restart_retries);
        return view_take(&v);
}

static json_t *id_mappings(const ContainerConfig *c) {
        _cleanup_view_ View v = VIEW_NULL;
        const struct {
                const char *key;
                const ContainerIdMapping *map;
                size_t n;
        } maps[] = { { "UidMap", c->uid_map, c->n_uid_map }, { "GidMap", c->gid_map, c->n_gid_map } };

        for (size_t i = 0; i < ELEMENTSOF(maps); i++) {
                json_t *list = json_array();

                for (size_t k = 0; k < maps[i].n; k++) {
                        const ContainerIdMapping *m = &maps[i].map[k];
                        _cleanup_free_ char *text = str_format("%u:%u:%u", m->container_id, m->host_id, m->size);

                        v.failed = v.failed || json_array_append_new(list, text ? json_string(text) : NULL) < 0;
                }
                view_add(&v, maps[i].key, list);
        }
        return view_take(&v);
}

static json_t *devices(const ContainerConfig *c) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < c->n_devices; i++) {
                _cleanup_view_ View v = VIEW_NULL;

                view_string(&v, "PathOnHost", c->devices[i].source);
                view_string(&v, "PathInContainer", c->devices[i].destination);
                view_string(&v, "CgroupPermissions", c->devices[i].permissions);
                if (json_array_append_new(list, view_take(&v)) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

static json_t *ulimits(const ContainerConfig *c) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < c->n_rlimits; i++) {
                _cleanup_view_ View v = VIEW_NULL;

                view_string(&v, "Name", c->rlimits[i].type);
                view_integer(&v, "Soft", (int64_t) c->rlimits[i].soft); /* -1: unlimited, as in podman */
                view_integer(&v, "Hard", (int64_t) c->rlimits[i].hard);
                if (json_array_append_new(list, view_take(&v)) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

static json_t *device_limits(const ContainerDeviceLimit *limits, size_t n, const char *key) {
        _cleanup_json_ json_t *list = json_array();

        if (n == 0)
                return json_null();
        for (size_t i = 0; i < n; i++) {
                _cleanup_view_ View v = VIEW_NULL;

                view_string(&v, "Path", limits[i].path);
                view_integer(&v, key, (int64_t) limits[i].value);
                if (json_array_append_new(list, view_take(&v)) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

static void add_resources(View *v, const ContainerConfig *c) {
        const ContainerResources *r = &c->resources;
        uint64_t period = r->cpu_period > 0 ? r->cpu_period : 100000;

        view_integer(v, "CpuShares", (int64_t) r->cpu_shares);
        view_integer(v, "Memory", r->memory);
        view_integer(v, "NanoCpus", r->cpu_quota > 0 ? (int64_t) ((double) r->cpu_quota * 1e9 / (double) period) : 0);
        view_string(v, "CgroupParent", c->cgroup_parent);
        view_integer(v, "CpuPeriod", (int64_t) r->cpu_period);
        view_integer(v, "CpuQuota", r->cpu_quota);
        view_string(v, "CpusetCpus", r->cpuset_cpus);
        view_string(v, "CpusetMems", r->cpuset_mems);
        view_add(v, "Devices", devices(c));
        view_integer(v, "MemoryReservation", r->memory_reservation);
        view_integer(v, "MemorySwap", r->memory_swap);
        view_integer(v, "PidsLimit", MAX(r->pids_limit, INT64_C(0))); /* podman: 0 is unlimited */
        view_add(v, "Ulimits", ulimits(c));
        if (r->cgroup_conf)
                view_map(v, "CgroupConf", r->cgroup_conf);
        else
                view_add(v, "CgroupConf", json_null());
        view_integer(v, "BlkioWeight", r->blkio_weight);
        view_add(v, "BlkioWeightDevice", device_limits(r->weight_devices, r->n_weight_devices, "Weight"));
        view_add(v, "BlkioDeviceReadBps", device_limits(r->read_bps, r->n_read_bps, "Rate"));
        view_add(v, "BlkioDeviceWriteBps", device_limits(r->write_bps, r->n_write_bps, "Rate"));
        view_add(v, "BlkioDeviceReadIOps", device_limits(r->read_iops, r->n_read_iops, "Rate"));
        view_add(v, "BlkioDeviceWriteIOps", device_limits(r->write_iops, r->n_write_iops, "Rate"));
}

/* Podman's inspect has these, and templates read them: what sdpod has no way to set. */
static void add_unset(View *v) {
        static const char *const zeros[] = { "CpuRealtimePeriod", "CpuRealtimeRuntime", "DiskQuota",
                                             "KernelMemory", "MemorySwappiness", "CpuCount", "CpuPercent", "IOMaximumIOps",
                                             "IOMaximumBandwidth" };

        for (size_t i = 0; i < ELEMENTSOF(zeros); i++)
                view_integer(v, zeros[i], 0);
        view_add(v, "ConsoleSize", json_pack("[i, i]", 0, 0));
        view_string(v, "Isolation", "");
        view_bool(v, "OomKillDisable", false);
}

static void add_namespaces(View *v, const ContainerConfig *c) {
        view_string(v, "CgroupManager", str_equal(c->cgroups, "disabled") ? "disabled" : "systemd");
        view_string(v, "CgroupMode", c->cgroupns_mode ?: "private");
        view_string(v, "NetworkMode", network_mode_name(c));
        view_string(v, "IpcMode", c->ipc_mode ?: "shareable");
        view_string(v, "Cgroup", "");
        view_string(v, "Cgroups", !c->cgroups || str_equal(c->cgroups, "enabled") ? "default" : c->cgroups);
        view_string(v, "PidMode", c->pid_mode ?: "private");
        view_string(v, "UTSMode", c->uts_mode ?: "private");
        view_string(v, "UsernsMode", c->userns);
        view_add(v, "IDMappings", id_mappings(c));
}

json_t *inspect_host_config(const Container *container) {
        const ContainerConfig *c = &container->config;
        _cleanup_view_ View v = VIEW_NULL;

        view_add(&v, "Binds", binds(c));
        view_string(&v, "ContainerIDFile", c->cid_file);
        view_add(&v, "LogConfig", log_config(container));
        view_add(&v, "PortBindings", inspect_port_map(c->ports, c->n_ports, /* exposed= */ NULL));
        view_add(&v, "RestartPolicy", restart_policy(c));
        view_bool(&v, "AutoRemove", c->auto_remove);
        view_string(&v, "VolumeDriver", "");
        view_add(&v, "VolumesFrom", c->volumes_from ? json_from_strv(c->volumes_from) : json_null());
        view_strv(&v, "CapAdd", c->cap_add);
        view_strv(&v, "CapDrop", c->cap_drop);
        view_strv(&v, "Dns", c->dns);
        view_strv(&v, "DnsOptions", c->dns_options);
        view_strv(&v, "DnsSearch", c->dns_search);
        view_strv(&v, "ExtraHosts", c->add_hosts);
        view_strv(&v, "GroupAdd", c->group_add);
        add_namespaces(&v, c);
        view_add(&v, "Links", json_null());
        view_bool(&v, "Init", c->init);
        view_integer(&v, "OomScoreAdj", c->oom_score_adj);
        view_bool(&v, "Privileged", c->privileged);
        view_bool(&v, "PublishAllPorts", c->publish_all);
        view_bool(&v, "ReadonlyRootfs", c->read_only);
        view_strv(&v, "SecurityOpt", c->security_opt);
        view_map(&v, "Sysctls", c->sysctl);
        view_add(&v, "Tmpfs", tmpfs(c));
        view_integer(&v, "ShmSize", c->shm_size > 0 ? (int64_t) c->shm_size : 64 * 1024 * 1024);
        view_string(&v, "Runtime", "sdpod");
        add_resources(&v, c);
        add_unset(&v);
        return view_take(&v);
}
