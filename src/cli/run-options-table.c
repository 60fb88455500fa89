/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of run and create, each table sorted. Rows of Podman's that have no help text are refused by name. */
#include "cli/run-options.h"

#include "base/str.h"
#include "cli/parse-blkio.h"
#include "cli/parse-life.h"
#include "cli/parse-limit.h"
#include "cli/parse-mount.h"
#include "cli/parse-namespace.h"
#include "cli/parse-port.h"
#include "cli/parse-process.h"
#include "cli/parse-secret.h"
#include "cli/parse-security.h"
#include "engine/id-maps.h"

/* Calls a parser for each field of a line of CSV. */
static int each_field(ContainerConfig *c, const char *value, int (*parse)(ContainerConfig *, const char *, Error *),
                      Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        int r = csv_split(value, &words, reterr);

        for (char **w = words; r >= 0 && w && *w; w++)
                r = parse(c, *w, reterr);
        return r;
}

static const char *const systemd_words[] = { "true", "false", "always", NULL };

/* Defines set_NAME(), for a row, from an expression over `c` (the config), `value` and `reterr`. */
#define SETTER(name, expression)                                                                \
        static int set_##name(void *options, const char *value, Error *reterr) {                \
                ContainerConfig *c = &((RunOptions *) options)->config;                         \
                return (expression);                                                            \
        }
/* By a parser of that name; the second also takes several values in one, as a line of CSV. */
#define PARSED(name) SETTER(name, parse_##name(c, value, reterr))
#define PARSED_LIST(name) SETTER(name, each_field(c, value, parse_##name, reterr))
/* The same by an expression. */
#define EXPRESSION_LIST(name, expression)                                                       \
        static int one_##name(ContainerConfig *c, const char *value, Error *reterr) {           \
                return (expression);                                                            \
        }                                                                                       \
        SETTER(name, each_field(c, value, one_##name, reterr))

PARSED_LIST(add_host)
PARSED(annotation)
PARSED(blkio_weight)
#define LIMITS(name, array, parse)                                                              \
        EXPRESSION_LIST(name, parse(value, &c->resources.array, &c->resources.n_##array, reterr))
LIMITS(weight_device, weight_devices, parse_device_weight)
LIMITS(read_bps, read_bps, parse_device_bps)
LIMITS(read_iops, read_iops, parse_device_iops)
LIMITS(write_bps, write_bps, parse_device_bps)
LIMITS(write_iops, write_iops, parse_device_iops)
PARSED(cgroup_conf)
EXPRESSION_LIST(cap_add, parse_capability(value, &c->cap_add, reterr))
EXPRESSION_LIST(cap_drop, parse_capability(value, &c->cap_drop, reterr))
PARSED_LIST(chrootdir)
SETTER(cgroupns, parse_namespace(value, &c->cgroupns_mode, reterr))
SETTER(conmon_pidfile, parse_path_field(value, &c->conmon_pid_file, reterr))
PARSED(cpus)
SETTER(cpuset_cpus, parse_cpu_list(value, &c->resources.cpuset_cpus, reterr))
SETTER(cpuset_mems, parse_cpu_list(value, &c->resources.cpuset_mems, reterr))
PARSED_LIST(device)
PARSED_LIST(dns)
EXPRESSION_LIST(dns_option, parse_resolv_word(value, &c->dns_options, reterr))
EXPRESSION_LIST(dns_search, parse_resolv_word(value, &c->dns_search, reterr))
PARSED(entrypoint)
PARSED_LIST(expose)
PARSED_LIST(group_add)
PARSED(group_entry)
PARSED(health_cmd)
PARSED(health_interval)
PARSED(health_log_destination)
SETTER(health_log_count, parse_health_log(value, &c->health.log_count, reterr))
SETTER(health_log_size, parse_health_log(value, &c->health.log_size, reterr))
PARSED(health_startup_cmd)
PARSED(host_user)
PARSED(hostname)
PARSED(hosts_file)
SETTER(ipc, parse_ipc(value, &c->ipc_mode, reterr))
PARSED(log_driver)
PARSED_LIST(log_opt)
PARSED(memory_swap)
PARSED(mount)
PARSED(name)
PARSED(network)
PARSED(passwd_entry)
PARSED(personality)
SETTER(pid, parse_namespace(value, &c->pid_mode, reterr))
SETTER(pidfile, parse_path_field(value, &c->pid_file, reterr))
PARSED(pids_limit)
PARSED_LIST(publish)
PARSED(restart)
PARSED(seccomp_policy)
PARSED(secret)
PARSED(security_opt)
PARSED(shm_size)
PARSED(shm_size_systemd)
PARSED(stop_signal)
PARSED(stop_timeout)
PARSED_LIST(sysctl)
SETTER(init_path, parse_host_path(value, &c->init_path, reterr))
SETTER(volumes_from, parse_volumes_from(value, &c->volumes_from, reterr))
SETTER(requires, parse_requires(value, &c->requires, reterr))
PARSED(systemd_mode)
PARSED(timezone)
PARSED(tmpfs)
PARSED_LIST(ulimit)
PARSED(umask)
PARSED(user)
PARSED(userns)
SETTER(uts, parse_namespace(value, &c->uts_mode, reterr))
PARSED(volume)
PARSED(workdir)

static int set_read_only_tmpfs(void *options, const char *value, _unused_ Error *reterr) {
        ((RunOptions *) options)->config.no_read_only_tmpfs = !str_equal(value, "true");
        return 0;
}

static int set_image_volume(void *options, const char *value, Error *reterr) {
        static const char *const hows[] = { "anonymous", "bind", "ignore", "tmpfs" };

        for (size_t i = 0; i < ELEMENTSOF(hows); i++)
                if (str_equal(hows[i], value)) {
                        ((RunOptions *) options)->image_volume = hows[i];
                        return 0;
                }
        return error_set(reterr, -EINVAL, ERROR_INVALID, "it is anonymous (or bind), tmpfs or ignore");
}

/* A line of CSV; what has flags is for the engine, which knows the user's own map. */
static int set_id_maps(const char *value, char ***flagged, ContainerIdMapping **items, size_t *n_items, Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        int r = csv_split(value, &words, reterr);

        for (char **w = words; r >= 0 && w && *w; w++) {
                IdMapWish wish;

                if (!parse_id_map_has_flags(*w)) {
                        r = parse_id_map(*w, items, n_items, reterr);
                        continue;
                }
                r = id_map_wish_parse(*w, /* is_gid= */ false, /* both= */ true, &wish, reterr);
                if (r >= 0 && strv_append(flagged, *w) < 0)
                        r = error_oom(reterr);
        }
        return r;
}

static int set_uidmap(void *options, const char *value, Error *reterr) {
        RunOptions *o = options;

        return set_id_maps(value, &o->uid_maps, &o->config.uid_map, &o->config.n_uid_map, reterr);
}

static int set_gidmap(void *options, const char *value, Error *reterr) {
        RunOptions *o = options;

        return set_id_maps(value, &o->gid_maps, &o->config.gid_map, &o->config.n_gid_map, reterr);
}

static int set_passwd(void *options, const char *value, _unused_ Error *reterr) {
        ((RunOptions *) options)->config.no_passwd = !str_equal(value, "true");
        return 0;
}

static const char *const attach_words[] = { "stderr", "stdin", "stdout", NULL };
static const char *const cgroups_words[] = { "disabled", "enabled", "no-conmon", "split", NULL };
static const char *const image_volume_words[] = { "anonymous", "bind", "ignore", "tmpfs", NULL };
static const char *const init_words[] = { "always", "once", NULL };
static const char *const log_driver_words[] = { "journald", "json-file", "k8s-file", "none", "passthrough", NULL };
static const char *const network_words[] = { "container:", "host", "none", "ns:", "slirp4netns", NULL };
static const char *const on_failure_words[] = { "kill", "none", "restart", "stop", NULL };
static const char *const personality_words[] = { "LINUX", "LINUX32", NULL };
static const char *const pull_words[] = { "always", "missing", "never", "newer", NULL };
static const char *const restart_words[] = { "always", "no", "on-failure", "unless-stopped", NULL };
static const char *const sdnotify_words[] = { "conmon", "container", "healthy", "ignore", NULL };
static const char *const seccomp_policy_words[] = { "default", "image", NULL };
static const char *const security_words[] = {
        "apparmor=unconfined", "label=disable", "mask=", "no-new-privileges", "seccomp=", "seccomp=unconfined",
        "systempaths=unconfined", "unmask=", "unmask=ALL", NULL,
};
static const char *const userns_words[] = { "auto", "host", "keep-id", "nomap", NULL };
static const char no_device_rules[] = "rules for devices are BPF programs of the cgroup, which only root may load; give devices with --device";
static const char no_gpus[] = "it needs a CDI specification, which are not there yet; give the GPU's nodes with --device";
static const char no_rdt[] = "only root may put processes into a class of /sys/fs/resctrl";
static const char no_cgroup_v1[] = "it is for cgroup v1, which rootless containers cannot use";

#define FIELD(member) offsetof(RunOptions, member)
#define CONFIG(member) offsetof(RunOptions, config.member)
#define SET(setter) .kind = OPTION_SET, .set = set_##setter
#define WORDS(list) .complete = COMPLETE_WORDS, .words = list

static const Option common_rows[] = {
        { "add-host", SET(add_host), .metavar = "NAME:ADDRESS", .help = "Add a line to /etc/hosts" },
        { "annotation", SET(annotation), .metavar = "KEY=VALUE", .help = "Add an annotation" },
        OPTION_ROW_ARCH(RunOptions, platform),
        { "attach", 'a', .kind = OPTION_LIST, .offset = FIELD(attach), .metavar = "STREAM", WORDS(attach_words),
          .help = "Attach to stdin, stdout or stderr" },
        OPTION_ROW_AUTHFILE(RunOptions, registry),
        { "blkio-weight", SET(blkio_weight), .metavar = "N", .help = "Share of block devices' time, 10 to 1000" },
        { "blkio-weight-device", SET(weight_device), .metavar = "DEVICE:N", .help = "The same for one device" },
        { "cap-add", SET(cap_add), .metavar = "CAP", .complete = COMPLETE_CAPABILITY, .help = "Add a capability" },
        { "cap-drop", SET(cap_drop), .metavar = "CAP", .complete = COMPLETE_CAPABILITY, .help = "Drop a capability" },
        OPTION_ROW_CERT_DIR(RunOptions, registry),
        { "cgroup-conf", SET(cgroup_conf), .metavar = "FILE=VALUE", .help = "Write this into a file of the container's cgroup" },
        { "cgroup-parent", .kind = OPTION_STRING, .offset = CONFIG(cgroup_parent), .metavar = "PATH",
          .help = "Make the cgroup below this one" },
        { "cgroupns", SET(cgroupns), .metavar = "MODE",
          .help = "Cgroup namespace: private, host, container:NAME, ns:PATH" },
        { "cgroups", .kind = OPTION_STRING, .offset = FIELD(cgroups), .metavar = "HOW", WORDS(cgroups_words),
          .help = "Cgroups to make: enabled, disabled, no-conmon, split" },
        { "chrootdirs", SET(chrootdir), .metavar = "DIR", .help = "Put what is made for /etc below this directory, too" },
        { "cidfile", .kind = OPTION_STRING, .offset = FIELD(cidfile), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Write the container's ID to this file" },
        { "conmon-pidfile", SET(conmon_pidfile), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Write to this file the process that ends with the container: its init, as there is no conmon" },
        { "cpu-period", .kind = OPTION_UINT64, .offset = CONFIG(resources.cpu_period), .metavar = "MICROSECONDS",
          .help = "Period of the CPU quota" },
        { "cpu-quota", .kind = OPTION_INT64, .offset = CONFIG(resources.cpu_quota), .metavar = "MICROSECONDS",
          .help = "CPU time in each period" },
        { "cpu-rt-period", .kind = OPTION_REFUSED, .refused = no_cgroup_v1 },
        { "cpu-rt-runtime", .kind = OPTION_REFUSED, .refused = no_cgroup_v1 },
        { "cpu-shares", 'c', .kind = OPTION_UINT64, .offset = CONFIG(resources.cpu_shares), .metavar = "N",
          .help = "Share of the CPU, relative to 1024" },
        { "cpus", SET(cpus), .metavar = "N", .help = "Number of CPUs, such as 1.5" },
        { "cpuset-cpus", SET(cpuset_cpus), .metavar = "LIST", .help = "CPUs to run on, such as 0-3,7" },
        { "cpuset-mems", SET(cpuset_mems), .metavar = "LIST", .help = "Memory nodes to use" },
        OPTION_ROW_CREDS(RunOptions, registry),
        { "decryption-key", .kind = OPTION_REFUSED, .refused = "encrypted images are not there yet" },
        { "device", SET(device), .metavar = "PATH[:PATH][:rwm]", .complete = COMPLETE_FILE,
          .help = "Add a device of the host" },
        { "device-cgroup-rule", .kind = OPTION_REFUSED, .refused = no_device_rules },
        { "device-read-bps", SET(read_bps), .metavar = "DEVICE:SIZE", .help = "Limit how much is read from a block device in a second" },
        { "device-read-iops", SET(read_iops), .metavar = "DEVICE:N", .help = "Limit how often it is read from in a second" },
        { "device-write-bps", SET(write_bps), .metavar = "DEVICE:SIZE", .help = "Limit how much is written to a block device in a second" },
        { "device-write-iops", SET(write_iops), .metavar = "DEVICE:N", .help = "Limit how often it is written to in a second" },
        /* a word of Docker's that does nothing in Podman either (podman-run(1)) */
        { "disable-content-trust", .kind = OPTION_BOOL, .offset = FIELD(content_trust), .hidden = true },
        { "dns", SET(dns), .metavar = "ADDRESS", .help = "Use this name server; none: leave resolv.conf alone" },
        { "dns-option", SET(dns_option), .metavar = "OPTION", .help = "Add an option to resolv.conf" },
        { "dns-search", SET(dns_search), .metavar = "DOMAIN", .help = "Search names in this domain" },
        { "entrypoint", SET(entrypoint), .metavar = "COMMAND", .help = "Replace the image's entry point" },
        { "env", 'e', .kind = OPTION_STRV, .offset = FIELD(env), .metavar = "NAME[=VALUE]",
          .help = "Set an environment variable" },
        { "env-file", .kind = OPTION_STRV, .offset = FIELD(env_files), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Read environment variables from a file" },
        { "env-host", .kind = OPTION_BOOL, .offset = FIELD(env_host), .help = "Pass the caller's environment on" },
        { "env-merge", .kind = OPTION_STRV, .offset = FIELD(env_merge), .metavar = "NAME=VALUE",
          .help = "Set a variable from the image's, as in PATH=${PATH}:/opt/bin" },
        { "expose", SET(expose), .metavar = "PORT[/PROTOCOL]", .help = "Say that a port is in use" },
        { "gidmap", SET(gidmap), .metavar = "CONTAINER:HOST:SIZE", .help = "Map group IDs" },
        { "gpus", .kind = OPTION_REFUSED, .refused = no_gpus },
        { "group-add", SET(group_add), .metavar = "GROUP", .help = "Add a supplementary group" },
        { "group-entry", SET(group_entry), .metavar = "LINE",
          .help = "What a line that is added to group looks like: $GROUPNAME, $GID, $USERLIST" },
        { "health-cmd", SET(health_cmd), .metavar = "COMMAND",
          .help = "Command that tells whether the container is well" },
        { "health-interval", SET(health_interval), .metavar = "TIME", .help = "Time between two checks (default 30s)" },
        { "health-log-destination", SET(health_log_destination), .metavar = "WHERE",
          .help = "Where results are kept, too: a directory, events_logger; local: with the container alone" },
        { "health-max-log-count", SET(health_log_count), .metavar = "N", .help = "Results that are kept (default 5, 0: all)" },
        { "health-max-log-size", SET(health_log_size), .metavar = "BYTES",
          .help = "Characters of a result that are kept (default 500, 0: all)" },
        { "health-on-failure", .kind = OPTION_STRING, .offset = CONFIG(health.on_failure), .metavar = "ACTION", WORDS(on_failure_words),
          .help = "What is done with an unhealthy container: none, kill, restart, stop" },
        { "health-retries", .kind = OPTION_UINT32, .offset = CONFIG(health.retries),
          .help = "Failures in a row that mean unhealthy (default 3)" },
        { "health-start-period", .kind = OPTION_DURATION, .offset = CONFIG(health.start_period_usec),
          .help = "Time in which failures do not count" },
        { "health-startup-cmd", SET(health_startup_cmd), .metavar = "COMMAND", .help = "Command that is run first, until it passes" },
        { "health-startup-interval", .kind = OPTION_DURATION, .offset = CONFIG(health.startup_interval_usec),
          .help = "Time between two such (default 30s)" },
        { "health-startup-retries", .kind = OPTION_UINT32, .offset = CONFIG(health.startup_retries),
          .help = "Failures of it after which the container is restarted (default 0: never)" },
        { "health-startup-success", .kind = OPTION_UINT32, .offset = CONFIG(health.startup_successes),
          .help = "How often it must pass (default 1)" },
        { "health-startup-timeout", .kind = OPTION_DURATION, .offset = CONFIG(health.startup_timeout_usec),
          .help = "Time that it may take (default 30s)" },
        { "health-timeout", .kind = OPTION_DURATION, .offset = CONFIG(health.timeout_usec),
          .help = "Time that a check may take (default 30s)" },
        { "healthcheck-command", SET(health_cmd), .hidden = true },
        { "healthcheck-interval", SET(health_interval), .hidden = true },
        { "healthcheck-retries", .kind = OPTION_UINT32, .offset = CONFIG(health.retries), .hidden = true },
        { "healthcheck-start-period", .kind = OPTION_DURATION, .offset = CONFIG(health.start_period_usec),
          .hidden = true },
        { "healthcheck-timeout", .kind = OPTION_DURATION, .offset = CONFIG(health.timeout_usec), .hidden = true },
        { "hostname", 'h', SET(hostname), .metavar = "NAME", .help = "Set the container's host name" },
        { "hosts-file", SET(hosts_file), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Make /etc/hosts from this file: a path, image or none (default: the host's)" },
        { "hostuser", SET(host_user), .metavar = "USER", .help = "Add a user of the host to the container's passwd" },
        { "http-proxy", .kind = OPTION_BOOL, .offset = FIELD(http_proxy),
          .help = "Pass the caller's proxy variables on (default false)" },
        { "image-volume", SET(image_volume), .metavar = "HOW", WORDS(image_volume_words),
          .help = "What becomes of the image's volumes: anonymous (the default), tmpfs, ignore" },
        { "init", .kind = OPTION_BOOL, .offset = CONFIG(init),
          .help = "Run an init that forwards signals and reaps processes" },
        { "init-path", SET(init_path), .metavar = "FILE", .help = "The program that --init runs", .complete = COMPLETE_FILE },
        { "interactive", 'i', .kind = OPTION_BOOL, .offset = CONFIG(open_stdin), .help = "Keep stdin open" },
        { "ip", .kind = OPTION_REFUSED },
        { "ip6", .kind = OPTION_REFUSED },
        { "ipc", SET(ipc), .metavar = "MODE", .help = "IPC namespace: shareable, private, none, host, container:NAME, ns:PATH" },
        { "label", 'l', .kind = OPTION_STRV, .offset = FIELD(labels), .metavar = "KEY[=VALUE]", .help = "Add a label" },
        { "label-file", .kind = OPTION_STRV, .offset = FIELD(label_files), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Read labels from a file" },
        { "link-local-ip", .kind = OPTION_REFUSED },
        { "log-driver", SET(log_driver), .metavar = "DRIVER", WORDS(log_driver_words),
          .help = "Where output goes: journald, json-file, k8s-file, none, passthrough" },
        { "log-opt", SET(log_opt), .metavar = "NAME=VALUE", .help = "Option of the log driver: path, max-size, tag" },
        { "mac-address", .kind = OPTION_REFUSED },
        { "memory", 'm', .kind = OPTION_BYTES, .offset = CONFIG(resources.memory), .help = "Memory limit" },
        { "memory-reservation", .kind = OPTION_BYTES, .offset = CONFIG(resources.memory_reservation),
          .help = "Memory that is left alone under pressure" },
        { "memory-swap", SET(memory_swap), .metavar = "SIZE", .help = "Limit of memory and swap together; -1: none" },
        { "memory-swappiness", .kind = OPTION_REFUSED, .refused = no_cgroup_v1 },
        { "mount", SET(mount), .metavar = "type=TYPE,dst=PATH,...", .help = "Mount a directory, volume, image or file system" },
        { "name", SET(name), .metavar = "NAME", .help = "Set the container's name" },
        { "net", SET(network), .hidden = true },
        { "network", SET(network), .metavar = "MODE", WORDS(network_words),
          .help = "Network: slirp4netns, none, host, container:NAME, ns:PATH" },
        { "network-alias", .kind = OPTION_REFUSED },
        { "no-healthcheck", .kind = OPTION_BOOL, .offset = FIELD(no_healthcheck),
          .help = "Do not check the container's health" },
        { "no-hostname", .kind = OPTION_BOOL, .offset = CONFIG(no_hostname), .help = "Leave the image's /etc/hostname alone" },
        { "no-hosts", .kind = OPTION_BOOL, .offset = CONFIG(no_hosts), .help = "Leave the image's /etc/hosts alone" },
        { "oom-kill-disable", .kind = OPTION_REFUSED_BOOL, .refused = no_cgroup_v1 },
        { "oom-score-adj", .kind = OPTION_INT, .offset = CONFIG(oom_score_adj),
          .help = "How soon to be killed when memory is short (-1000 to 1000)" },
        OPTION_ROW_OS(RunOptions, platform),
        { "passwd", .kind = OPTION_SWITCH, .set = set_passwd, .help = "Add lines to passwd and group for who has none (default true)" },
        { "passwd-entry", SET(passwd_entry), .metavar = "LINE",
          .help = "What a line that is added to passwd looks like: $USERNAME, $UID, $GID, $NAME, $HOME" },
        { "personality", SET(personality), .metavar = "NAME", WORDS(personality_words), .help = "Execution domain: LINUX, LINUX32" },
        { "pid", SET(pid), .metavar = "MODE", .help = "PID namespace: private, host, container:NAME, ns:PATH" },
        { "pidfile", SET(pidfile), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Write the PID of the container's init to this file" },
        { "pids-limit", SET(pids_limit), .metavar = "N", .help = "Number of processes; -1: no limit" },
        OPTION_ROW_PLATFORM(RunOptions, platform),
        { "pod", .kind = OPTION_STRING, .offset = FIELD(pod), .metavar = "[new:]POD", .complete = COMPLETE_POD,
          .help = "Make the container in this pod; new: make the pod, too" },
        { "pod-id-file", .kind = OPTION_STRING, .offset = FIELD(pod_id_file), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "The same, with the pod's ID in a file" },
        { "preserve-fd", .kind = OPTION_LIST, .offset = FIELD(preserve_fd), .metavar = "NUMBER",
          .help = "Pass this descriptor of the caller on" },
        { "preserve-fds", .kind = OPTION_UINT32, .offset = FIELD(preserve_fds), .help = "Pass so many descriptors on, from 3 on" },
        { "privileged", .kind = OPTION_BOOL, .offset = CONFIG(privileged),
          .help = "Give the container all that the caller may do" },
        { "publish", 'p', SET(publish), .metavar = "[[IP:]PORT:]PORT[/udp]", .help = "Publish a port on the host" },
        { "publish-all", 'P', .kind = OPTION_BOOL, .offset = CONFIG(publish_all),
          .help = "Publish all ports that the image and --expose name, on ports that are free" },
        { "pull", .kind = OPTION_STRING, .offset = FIELD(pull), .metavar = "WHEN", WORDS(pull_words),
          .help = "When to pull the image: always, missing, never, newer" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Do not show the progress of a pull" },
        { "rdt-class", .kind = OPTION_REFUSED, .refused = no_rdt },
        { "read-only", .kind = OPTION_BOOL, .offset = CONFIG(read_only),
          .help = "Mount the root file system read-only" },
        { "read-only-tmpfs", .kind = OPTION_SWITCH, .set = set_read_only_tmpfs,
          .help = "With --read-only, have a tmpfs on /run, /tmp and /var/tmp (default true)" },
        { "replace", .kind = OPTION_BOOL, .offset = FIELD(replace),
          .help = "Remove a container of the same name first" },
        { "requires", SET(requires), .metavar = "CONTAINER,...", .help = "Start these before it",
          .complete = COMPLETE_CONTAINER },
        { "restart", SET(restart), .metavar = "POLICY", WORDS(restart_words),
          .help = "When to start again: no, always, unless-stopped, on-failure[:N]" },
        OPTION_ROW_RETRY(RunOptions, registry),
        OPTION_ROW_RETRY_DELAY(RunOptions, registry),
        { "rm", .kind = OPTION_BOOL, .offset = CONFIG(auto_remove), .help = "Remove the container when it ends" },
        { "rmi", .kind = OPTION_BOOL, .offset = CONFIG(remove_image),
          .help = "Remove the container when it ends, and its image where nobody else uses it" },
        { "rootfs", .kind = OPTION_BOOL, .offset = FIELD(use_rootfs),
          .help = "The first argument is a directory instead of an image" },
        { "sdnotify", .kind = OPTION_STRING, .offset = FIELD(sdnotify), .metavar = "WHO", WORDS(sdnotify_words),
          .help = "Who says READY=1: container, conmon, healthy, ignore" },
        { "seccomp-policy", SET(seccomp_policy), .metavar = "POLICY", WORDS(seccomp_policy_words),
          .help = "Where the seccomp filter is from: default, or image: its label io.containers.seccomp.profile" },
        { "secret", SET(secret), .metavar = "NAME[,OPTION...]", .complete = COMPLETE_SECRET,
          .help = "Give the container a secret, as a file or a variable" },
        { "security-opt", SET(security_opt), .metavar = "NAME[=VALUE]", WORDS(security_words),
          .help = "Set a security option" },
        { "shm-size", SET(shm_size), .metavar = "SIZE", .help = "Size of /dev/shm (default 64m)" },
        { "shm-size-systemd", SET(shm_size_systemd), .metavar = "SIZE", .help = "Size of each tmpfs that --systemd mounts" },
        { "stop-signal", SET(stop_signal), .metavar = "SIGNAL", .complete = COMPLETE_SIGNAL,
          .help = "Signal that stops the container (default SIGTERM)" },
        { "stop-timeout", SET(stop_timeout), .metavar = "SECONDS",
          .help = "Time before SIGKILL follows the stop signal (default 10)" },
        { "subgidname", .kind = OPTION_STRING, .offset = FIELD(sub_gid_name), .metavar = "NAME",
          .help = "Map the subordinate group IDs of this user alone" },
        { "subuidname", .kind = OPTION_STRING, .offset = FIELD(sub_uid_name), .metavar = "NAME",
          .help = "Map the subordinate IDs of this user alone" },
        { "sysctl", SET(sysctl), .metavar = "NAME=VALUE", .help = "Set a kernel parameter of the container's own" },
        { "systemd", SET(systemd_mode), .metavar = "BOOL",
          .help = "Prepare the container for a systemd inside: true (where the command is one), false, always",
          .complete = COMPLETE_WORDS, .words = systemd_words },
        { "timeout", .kind = OPTION_UINT32, .offset = CONFIG(timeout), .metavar = "SECONDS",
          .help = "Kill the container after this time" },
        OPTION_ROW_TLS_VERIFY(RunOptions, registry),
        { "tmpfs", SET(tmpfs), .metavar = "PATH[:OPTIONS]", .help = "Mount a tmpfs" },
        { "tty", 't', .kind = OPTION_BOOL, .offset = CONFIG(terminal), .help = "Give the container a terminal" },
        { "tz", SET(timezone), .metavar = "ZONE", .help = "Time zone, such as Europe/Berlin; local: the host's" },
        { "uidmap", SET(uidmap), .metavar = "CONTAINER:HOST:SIZE", .help = "Map user IDs" },
        { "ulimit", SET(ulimit), .metavar = "NAME=SOFT[:HARD]",
          .help = "Set a resource limit; host: those of the caller" },
        { "umask", SET(umask), .metavar = "MODE", .help = "Set the umask (default 0022)" },
        { "unsetenv", .kind = OPTION_STRV, .offset = FIELD(unset_env), .metavar = "NAME",
          .help = "Do not set this variable, which the image or sdpod would set" },
        { "unsetenv-all", .kind = OPTION_BOOL, .offset = FIELD(unset_env_all), .help = "Set none of those" },
        { "user", 'u', SET(user), .metavar = "USER[:GROUP]", .help = "Run as this user and group" },
        { "userns", SET(userns), .metavar = "MODE", WORDS(userns_words),
          .help = "User namespace: host, keep-id, auto, nomap" },
        { "uts", SET(uts), .metavar = "MODE", .help = "UTS namespace: private, host, container:NAME, ns:PATH" },
        OPTION_ROW_VARIANT(RunOptions, platform),
        { "volume", 'v', SET(volume), .metavar = "[SOURCE:]PATH[:OPTIONS]", .complete = COMPLETE_SOURCE,
          .help = "Mount a directory or volume" },
        { "volumes-from", SET(volumes_from), .metavar = "CONTAINER[:OPTIONS]",
          .help = "Mount what that container has mounted: its volumes and directories", .complete = COMPLETE_CONTAINER },
        { "workdir", 'w', SET(workdir), .metavar = "DIR", .help = "Set the working directory" },
        {},
};

static const Option run_rows[] = {
        { "detach", 'd', .kind = OPTION_BOOL, .offset = FIELD(detach),
          .help = "Run in the background and print the container's ID" },
        { "detach-keys", .kind = OPTION_STRING, .offset = FIELD(detach_keys), .metavar = "KEYS",
          .help = "With -i -t: type these to leave it running (default ctrl-p,ctrl-q)" },
        { "sig-proxy", .kind = OPTION_BOOL, .offset = FIELD(sig_proxy),
          .help = "Pass signals on to the container (default true)" },
        {},
};

static const Option create_rows[] = {
        { "init-ctr", .kind = OPTION_STRING, .offset = CONFIG(init_container), .metavar = "WHEN", WORDS(init_words),
          .help = "Run it to its end before the pod's other containers: always, once" },
        {},
};

const Option *const run_option_tables[] = { common_rows, run_rows, NULL };
const Option *const create_option_tables[] = { common_rows, create_rows, NULL };
