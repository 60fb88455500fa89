/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a container record. */
#include "spec/container.h"

#include <string.h>
#include "base/str.h"

#define FIELD(member, name, type) JSON_FIELD(ContainerConfig, member, name, JSON_FIELD_##type)
#define STRING(member, name) FIELD(member, name, STRING)
#define STRV(member, name) FIELD(member, name, STRV)
#define BOOL(member, name) FIELD(member, name, BOOL)

static const JsonField mount_fields[] = {
        JSON_FIELD(ContainerMount, type, "type", JSON_FIELD_STRING),
        JSON_FIELD(ContainerMount, source, "source", JSON_FIELD_STRING),
        JSON_FIELD(ContainerMount, image_id, "imageId", JSON_FIELD_STRING),
        JSON_FIELD(ContainerMount, layers, "layers", JSON_FIELD_STRV),
        JSON_FIELD(ContainerMount, destination, "destination", JSON_FIELD_STRING),
        JSON_FIELD(ContainerMount, options, "options", JSON_FIELD_STRV),
        JSON_FIELD(ContainerMount, anonymous, "anonymous", JSON_FIELD_BOOL),
        {},
};

static const JsonField port_fields[] = {
        JSON_FIELD(ContainerPort, host_ip, "hostIp", JSON_FIELD_STRING),
        JSON_FIELD(ContainerPort, host_port, "hostPort", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerPort, container_port, "containerPort", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerPort, protocol, "protocol", JSON_FIELD_STRING),
        {},
};

static const JsonField id_mapping_fields[] = {
        JSON_FIELD(ContainerIdMapping, container_id, "containerID", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerIdMapping, host_id, "hostID", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerIdMapping, size, "size", JSON_FIELD_UINT32),
        {},
};

static const JsonField rlimit_fields[] = {
        JSON_FIELD(ContainerRlimit, type, "type", JSON_FIELD_STRING),
        JSON_FIELD(ContainerRlimit, soft, "soft", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerRlimit, hard, "hard", JSON_FIELD_UINT64),
        {},
};

static const JsonField device_fields[] = {
        JSON_FIELD(ContainerDevice, source, "source", JSON_FIELD_STRING),
        JSON_FIELD(ContainerDevice, destination, "destination", JSON_FIELD_STRING),
        JSON_FIELD(ContainerDevice, permissions, "permissions", JSON_FIELD_STRING),
        {},
};

static const JsonField device_limit_fields[] = {
        JSON_FIELD(ContainerDeviceLimit, path, "path", JSON_FIELD_STRING),
        JSON_FIELD(ContainerDeviceLimit, value, "value", JSON_FIELD_UINT64),
        {},
};

static const JsonField container_secret_fields[] = {
        JSON_FIELD(ContainerSecret, name, "name", JSON_FIELD_STRING),
        JSON_FIELD(ContainerSecret, id, "id", JSON_FIELD_STRING),
        JSON_FIELD(ContainerSecret, target, "target", JSON_FIELD_STRING),
        JSON_FIELD(ContainerSecret, env, "env", JSON_FIELD_BOOL),
        JSON_FIELD(ContainerSecret, uid, "uid", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerSecret, gid, "gid", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerSecret, mode, "mode", JSON_FIELD_UINT32),
        {},
};

static const JsonField network_fields[] = {
        JSON_FIELD(ContainerNetwork, name, "name", JSON_FIELD_STRING),
        JSON_FIELD(ContainerNetwork, interface_name, "interface_name", JSON_FIELD_STRING),
        JSON_FIELD(ContainerNetwork, aliases, "aliases", JSON_FIELD_STRV),
        JSON_FIELD(ContainerNetwork, static_ips, "static_ips", JSON_FIELD_STRV),
        JSON_FIELD(ContainerNetwork, static_mac, "static_mac", JSON_FIELD_STRING),
        JSON_FIELD(ContainerNetwork, options, "options", JSON_FIELD_PAIRS),
        {},
};

const JsonField container_resources_fields[] = {
        JSON_FIELD(ContainerResources, memory, "memory", JSON_FIELD_INT64),
        JSON_FIELD(ContainerResources, memory_swap, "memorySwap", JSON_FIELD_INT64),
        JSON_FIELD(ContainerResources, memory_reservation, "memoryReservation", JSON_FIELD_INT64),
        JSON_FIELD(ContainerResources, cpu_shares, "cpuShares", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerResources, cpu_quota, "cpuQuota", JSON_FIELD_INT64),
        JSON_FIELD(ContainerResources, cpu_period, "cpuPeriod", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerResources, cpuset_cpus, "cpusetCpus", JSON_FIELD_STRING),
        JSON_FIELD(ContainerResources, cpuset_mems, "cpusetMems", JSON_FIELD_STRING),
        JSON_FIELD(ContainerResources, pids_limit, "pidsLimit", JSON_FIELD_INT64),
        JSON_FIELD(ContainerResources, blkio_weight, "blkioWeight", JSON_FIELD_UINT32),
        JSON_FIELD_ARRAY_OF(ContainerResources, weight_devices, n_weight_devices, "weightDevices", device_limit_fields),
        JSON_FIELD_ARRAY_OF(ContainerResources, read_bps, n_read_bps, "readBps", device_limit_fields),
        JSON_FIELD_ARRAY_OF(ContainerResources, write_bps, n_write_bps, "writeBps", device_limit_fields),
        JSON_FIELD_ARRAY_OF(ContainerResources, read_iops, n_read_iops, "readIOPS", device_limit_fields),
        JSON_FIELD_ARRAY_OF(ContainerResources, write_iops, n_write_iops, "writeIOPS", device_limit_fields),
        JSON_FIELD(ContainerResources, cgroup_conf, "cgroupConf", JSON_FIELD_STRV),
        {},
};

static const JsonField health_fields[] = {
        JSON_FIELD(ContainerHealth, test, "test", JSON_FIELD_STRV),
        JSON_FIELD(ContainerHealth, interval_usec, "intervalUSec", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerHealth, timeout_usec, "timeoutUSec", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerHealth, start_period_usec, "startPeriodUSec", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerHealth, retries, "retries", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerHealth, on_failure, "onFailure", JSON_FIELD_STRING),
        JSON_FIELD(ContainerHealth, startup_test, "startupTest", JSON_FIELD_STRV),
        JSON_FIELD(ContainerHealth, startup_interval_usec, "startupIntervalUSec", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerHealth, startup_timeout_usec, "startupTimeoutUSec", JSON_FIELD_UINT64),
        JSON_FIELD(ContainerHealth, startup_retries, "startupRetries", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerHealth, startup_successes, "startupSuccesses", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerHealth, log_destination, "logDestination", JSON_FIELD_STRING),
        JSON_FIELD(ContainerHealth, log_count, "logCount", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerHealth, log_size, "logSize", JSON_FIELD_UINT32),
        {},
};

const JsonField container_config_fields[] = {
        FIELD(version, "version", INT),
        STRING(id, "id"),
        STRING(name, "name"),
        FIELD(created_usec, "createdUSec", INT64),
        STRING(pod, "pod"),
        BOOL(infra, "infra"),
        STRING(init_container, "initContainer"),
        STRING(image, "image"),
        STRING(image_name, "imageName"),
        STRING(image_id, "imageID"),
        STRING(image_digest, "imageDigest"),
        STRING(storage_driver, "storageDriver"),
        STRV(layers, "layers"),
        STRING(rootfs, "rootfs"),
        BOOL(rootfs_overlay, "rootfsOverlay"),
        BOOL(read_only, "readOnly"),
        STRV(entrypoint, "entrypoint"),
        STRV(command, "command"),
        STRV(create_command, "createCommand"),
        STRV(env, "env"),
        STRING(workdir, "workdir"),
        BOOL(make_workdir, "makeWorkdir"),
        STRING(user, "user"),
        STRV(group_add, "groupAdd"),
        STRV(cap_add, "capAdd"),
        STRV(cap_drop, "capDrop"),
        STRING(seccomp, "seccomp"),
        BOOL(no_new_privileges, "noNewPrivileges"),
        BOOL(privileged, "privileged"),
        BOOL(init, "init"),
        BOOL(terminal, "terminal"),
        BOOL(open_stdin, "openStdin"),
        STRV(masked_paths_add, "mask"),
        STRV(unmask, "unmask"),
        STRV(security_opt, "securityOpt"),
        JSON_FIELD_ARRAY_OF(ContainerConfig, rlimits, n_rlimits, "rlimits", rlimit_fields),
        STRING(umask_text, "umask"),
        FIELD(oom_score_adj, "oomScoreAdj", INT),
        STRING(personality, "personality"),
        STRING(proc_opts, "procOpts"),
        STRING(apparmor, "apparmor"),
        STRV(host_users, "hostUsers"),
        STRING(passwd_entry, "passwdEntry"),
        STRING(group_entry, "groupEntry"),
        BOOL(no_passwd, "noPasswd"),
        STRING(userns, "userns"),
        JSON_FIELD_ARRAY_OF(ContainerConfig, uid_map, n_uid_map, "uidMap", id_mapping_fields),
        JSON_FIELD_ARRAY_OF(ContainerConfig, gid_map, n_gid_map, "gidMap", id_mapping_fields),
        STRING(network, "network"),
        JSON_FIELD_ARRAY_OF(ContainerConfig, networks, n_networks, "networks", network_fields),
        STRING(pid_mode, "pidMode"),
        STRING(ipc_mode, "ipcMode"),
        STRING(uts_mode, "utsMode"),
        STRING(cgroupns_mode, "cgroupnsMode"),
        STRING(hostname, "hostname"),
        STRV(volumes_from, "volumesFrom"),
        STRV(requires, "requires"),
        JSON_FIELD_ARRAY_OF(ContainerConfig, secrets, n_secrets, "secrets", container_secret_fields),
        JSON_FIELD_ARRAY_OF(ContainerConfig, mounts, n_mounts, "mounts", mount_fields),
        JSON_FIELD_ARRAY_OF(ContainerConfig, devices, n_devices, "devices", device_fields),
        FIELD(shm_size, "shmSize", UINT64),
        STRING(systemd, "systemd"),
        BOOL(systemd_mode, "systemdMode"),
        STRING(init_path, "initPath"),
        FIELD(shm_size_systemd, "shmSizeSystemd", UINT64),
        BOOL(no_hosts, "noHosts"),
        BOOL(no_hostname, "noHostname"),
        STRING(hosts_file, "hostsFile"),
        STRING(timezone, "timezone"),
        STRV(chroot_dirs, "chrootDirs"),
        BOOL(no_read_only_tmpfs, "noReadOnlyTmpfs"),
        STRV(add_hosts, "addHosts"),
        STRV(dns, "dns"),
        STRV(dns_search, "dnsSearch"),
        STRV(dns_options, "dnsOptions"),
        JSON_FIELD_ARRAY_OF(ContainerConfig, ports, n_ports, "ports", port_fields),
        STRV(expose, "expose"),
        BOOL(publish_all, "publishAll"),
        JSON_FIELD_OBJECT_OF(ContainerConfig, resources, "resources", container_resources_fields),
        STRV(sysctl, "sysctl"),
        STRING(cgroups, "cgroups"),
        STRING(cgroup_parent, "cgroupParent"),
        BOOL(auto_remove, "autoRemove"),
        BOOL(remove_image, "removeImage"),
        FIELD(timeout, "timeout", UINT32),
        STRING(pid_file, "pidFile"),
        STRING(conmon_pid_file, "conmonPidFile"),
        STRING(cid_file, "cidFile"),
        STRING(restart_policy, "restartPolicy"),
        FIELD(restart_retries, "restartRetries", UINT32),
        FIELD(stop_signal, "stopSignal", INT),
        FIELD(stop_timeout, "stopTimeout", INT64),
        STRING(log_driver, "logDriver"),
        STRV(log_opt, "logOpt"),
        STRING(sdnotify, "sdnotify"),
        STRING(notify_socket, "notifySocket"),
        STRING(systemd_unit, "systemdUnit"),
        JSON_FIELD_OBJECT_OF(ContainerConfig, health, "health", health_fields),
        FIELD(labels, "labels", PAIRS),
        FIELD(annotations, "annotations", PAIRS),
        {},
};

static const JsonField listed_health_fields[] = {
        JSON_FIELD(ContainerHealth, test, "test", JSON_FIELD_STRV),
        {},
};

const JsonField container_listed_fields[] = {
        FIELD(version, "version", INT),
        STRING(id, "id"),
        STRING(name, "name"),
        FIELD(created_usec, "createdUSec", INT64),
        STRING(pod, "pod"),
        BOOL(infra, "infra"),
        STRING(image, "image"),
        STRING(image_name, "imageName"),
        STRING(image_id, "imageID"),
        STRV(entrypoint, "entrypoint"),
        STRV(command, "command"),
        STRING(network, "network"),
        JSON_FIELD_ARRAY_OF(ContainerConfig, networks, n_networks, "networks", network_fields),
        JSON_FIELD_ARRAY_OF(ContainerConfig, mounts, n_mounts, "mounts", mount_fields),
        JSON_FIELD_ARRAY_OF(ContainerConfig, ports, n_ports, "ports", port_fields),
        STRV(expose, "expose"),
        BOOL(auto_remove, "autoRemove"),
        STRING(restart_policy, "restartPolicy"),
        JSON_FIELD_OBJECT_OF(ContainerConfig, health, "health", listed_health_fields),
        FIELD(labels, "labels", PAIRS),
        {},
};

const JsonField container_image_fields[] = {
        FIELD(version, "version", INT),
        STRING(id, "id"),
        STRING(name, "name"),
        STRING(image_id, "imageID"),
        STRV(layers, "layers"),
        JSON_FIELD_ARRAY_OF(ContainerConfig, mounts, n_mounts, "mounts", mount_fields),
        {},
};

void container_config_done(ContainerConfig *config) {
        json_fields_done(container_config_fields, config);
}

void *container_array_add(void **items, size_t *n_items, size_t size) {
        char *grown = reallocarray(*items, *n_items + 1, size);

        if (!grown)
                return NULL;
        *items = grown;
        return memset(grown + (*n_items)++ * size, 0, size);
}

bool container_has_mount(const ContainerConfig *config, const char *destination) {
        for (size_t i = 0; i < config->n_mounts; i++)
                if (str_equal(config->mounts[i].destination, destination))
                        return true;
        return false;
}

bool container_has_health_check(const ContainerHealth *health) {
        return health->test && !str_equal(health->test[0], "NONE");
}

bool container_name_is_valid(const char *name) {
        static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        size_t n = strlen(name);

        return n > 0 && n <= 255 && strchr(first, name[0]) &&
               strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
}

bool container_resources_have_io(const ContainerResources *r) {
        return r->blkio_weight || r->n_weight_devices || r->n_read_bps || r->n_write_bps || r->n_read_iops || r->n_write_iops;
}
