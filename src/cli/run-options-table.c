/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of run and create, each table sorted. Rows of Podman's that have no help text are refused by name. */
#include "cli/run-options.h"

#include "base/str.h"
#include "cli/config-options.h"
#include "cli/parse-blkio.h"
#include "cli/parse-life.h"
#include "cli/parse-limit.h"
#include "cli/parse-mount.h"
#include "cli/parse-namespace.h"
#include "cli/parse-network.h"
#include "cli/parse-port.h"
#include "cli/parse-process.h"
#include "cli/parse-secret.h"
#include "cli/parse-security.h"
#include "engine/id-maps.h"

CONFIG_PARSED_LIST(add_host)
CONFIG_PARSED(annotation)
CONFIG_PARSED(cgroup_conf)
CONFIG_LIST(cap_add, parse_capability(value, &c->cap_add, reterr))
CONFIG_LIST(cap_drop, parse_capability(value, &c->cap_drop, reterr))
CONFIG_PARSED_LIST(chrootdir)
CONFIG_SETTER(cgroupns, parse_namespace(value, &c->cgroupns_mode, reterr))
CONFIG_SETTER(conmon_pidfile, parse_path_field(value, &c->conmon_pid_file, reterr))
CONFIG_PARSED_LIST(device)
CONFIG_PARSED_LIST(dns)
CONFIG_LIST(dns_option, parse_resolv_word(value, &c->dns_options, reterr))
CONFIG_LIST(dns_search, parse_resolv_word(value, &c->dns_search, reterr))
CONFIG_PARSED(entrypoint)
CONFIG_PARSED_LIST(expose)
CONFIG_PARSED_LIST(group_add)
CONFIG_PARSED(group_entry)
CONFIG_PARSED(host_user)
CONFIG_PARSED(hostname)
CONFIG_PARSED(hosts_file)
CONFIG_SETTER(ipc, parse_ipc(value, &c->ipc_mode, reterr))
CONFIG_PARSED(log_driver)
CONFIG_PARSED_LIST(log_opt)
CONFIG_PARSED(mount)
CONFIG_PARSED(name)
CONFIG_PARSED(network)
CONFIG_PARSED(passwd_entry)
CONFIG_PARSED(personality)
CONFIG_SETTER(pid, parse_namespace(value, &c->pid_mode, reterr))
CONFIG_SETTER(pidfile, parse_path_field(value, &c->pid_file, reterr))
CONFIG_PARSED_LIST(publish)
CONFIG_PARSED(seccomp_policy)
CONFIG_PARSED(secret)
CONFIG_PARSED(security_opt)
CONFIG_PARSED(shm_size)
CONFIG_PARSED(shm_size_systemd)
CONFIG_PARSED(stop_signal)
CONFIG_PARSED(stop_timeout)
CONFIG_PARSED_LIST(sysctl)
CONFIG_SETTER(init_path, parse_path_field(value, &c->init_path, reterr))
CONFIG_SETTER(volumes_from, parse_volumes_from(value, &c->volumes_from, reterr))
CONFIG_SETTER(requires, parse_requires(value, &c->requires, reterr))
CONFIG_PARSED(systemd_mode)
CONFIG_PARSED(timezone)
CONFIG_PARSED(tmpfs)
CONFIG_PARSED_LIST(ulimit)
CONFIG_PARSED(umask)
CONFIG_PARSED(user)
CONFIG_PARSED(userns)
CONFIG_SETTER(uts, parse_namespace(value, &c->uts_mode, reterr))
CONFIG_PARSED(volume)
CONFIG_PARSED(workdir)

static int set_read_only_tmpfs(void *options, const char *value, _unused_ Error *reterr) {
        ((RunOptions *) options)->config.no_read_only_tmpfs = !str_equal(value, "true");
        return 0;
}

static const char *const image_volume_words[] = { "anonymous", "bind", "ignore", "tmpfs", NULL };

static int set_image_volume(void *options, const char *value, Error *reterr) {
        for (const char *const *how = image_volume_words; *how; how++)
                if (str_equal(*how, value)) {
                        ((RunOptions *) options)->image_volume = *how;
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
static const char *const init_words[] = { "always", "once", NULL };
static const char *const log_driver_words[] = { "journald", "json-file", "k8s-file", "none", "passthrough", NULL };
static const char *const network_words[] = { "container:", "host", "none", "ns:", "slirp4netns", NULL };
static const char *const personality_words[] = { "LINUX", "LINUX32", NULL };
static const char *const pull_words[] = { "always", "missing", "never", "newer", NULL };
static const char *const sdnotify_words[] = { "conmon", "container", "healthy", "ignore", NULL };
static const char *const seccomp_policy_words[] = { "default", "image", NULL };
static const char *const security_words[] = {
        "apparmor=unconfined", "label=disable", "mask=", "no-new-privileges", "seccomp=", "seccomp=unconfined",
        "systempaths=unconfined", "unmask=", "unmask=ALL", NULL,
};
static const char *const systemd_words[] = { "true", "false", "always", NULL };
static const char no_device_rules[] = "rules for devices are BPF programs of the cgroup, which only root may load; give devices with --device";
static const char no_gpus[] = "it needs a CDI specification, which are not there yet; give the GPU's nodes with --device";
static const char no_rdt[] = "only root may put processes into a class of /sys/fs/resctrl";

#define FIELD(member) offsetof(RunOptions, member)
#define CONFIG(member) offsetof(RunOptions, config.member)

static const Option common_rows[] = {
        { "add-host", SET(add_host), .optional = true, .metavar = "NAME:ADDRESS", .help = "Add a line to /etc/hosts" },
        { "annotation", SET(annotation), .optional = true, .metavar = "KEY=VALUE", .help = "Add an annotation" },
        OPTION_ROW_ARCH(RunOptions, platform),
        { "attach", 'a', .kind = OPTION_LIST, .offset = FIELD(attach), .metavar = "STREAM", WORDS(attach_words),
          .help = "Attach to stdin, stdout or stderr" },
        OPTION_ROW_AUTHFILE(RunOptions, registry),
        { "cap-add", SET(cap_add), .metavar = "CAP", .complete = COMPLETE_CAPABILITY, .help = "Add a capability" },
        { "cap-drop", SET(cap_drop), .metavar = "CAP", .complete = COMPLETE_CAPABILITY, .help = "Drop a capability" },
        OPTION_ROW_CERT_DIR(RunOptions, registry),
        { "cgroup-conf", SET(cgroup_conf), .metavar = "FILE=VALUE", .help = "Write this into a file of the container's cgroup" },
        { "cgroup-parent", .kind = OPTION_STRING, .offset = CONFIG(cgroup_parent), .optional = true, .metavar = "PATH",
          .help = "Make the cgroup below this one" },
        { "cgroupns", SET(cgroupns), .metavar = "MODE",
          .help = "Cgroup namespace: private, host, container:NAME, ns:PATH" },
        { "cgroups", .kind = OPTION_STRING, .offset = FIELD(cgroups), .metavar = "HOW", WORDS(cgroups_words),
          .help = "Cgroups to make: enabled, disabled, no-conmon, split" },
        { "chrootdirs", SET(chrootdir), .metavar = "DIR", .help = "Put what is made for /etc below this directory, too" },
        { "cidfile", .kind = OPTION_STRING, .offset = FIELD(cidfile), .optional = true, .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Write the container's ID to this file" },
        { "conmon-pidfile", SET(conmon_pidfile), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Write to this file the process that ends with the container: its init, as there is no conmon" },
        OPTION_ROW_CREDS(RunOptions, registry),
        { "decryption-key", .kind = OPTION_REFUSED, .refused = "encrypted images are not there yet" },
        { "device", SET(device), .optional = true, .metavar = "PATH[:PATH][:rwm]", .complete = COMPLETE_FILE,
          .help = "Add a device of the host" },
        { "device-cgroup-rule", .kind = OPTION_REFUSED, .refused = no_device_rules },
        /* a word of Docker's that does nothing in Podman either (podman-run(1)) */
        { "disable-content-trust", .kind = OPTION_NOTHING, .hidden = true },
        { "dns", SET(dns), .metavar = "ADDRESS", .help = "Use this name server; none: leave resolv.conf alone" },
        { "dns-opt", SET(dns_option), .hidden = true },
        { "dns-option", SET(dns_option), .metavar = "OPTION", .help = "Add an option to resolv.conf" },
        { "dns-search", SET(dns_search), .metavar = "DOMAIN", .help = "Search names in this domain" },
        { "entrypoint", SET(entrypoint), .metavar = "COMMAND", .help = "Replace the image's entry point" },
        { "env", 'e', .kind = OPTION_STRV, .offset = FIELD(env), .optional = true, .metavar = "NAME[=VALUE]",
          .help = "Set an environment variable" },
        { "env-file", .kind = OPTION_STRV, .offset = FIELD(env_files), .optional = true, .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Read environment variables from a file" },
        { "env-host", .kind = OPTION_BOOL, .offset = FIELD(env_host), .help = "Pass the caller's environment on" },
        { "env-merge", .kind = OPTION_STRV, .offset = FIELD(env_merge), .metavar = "NAME=VALUE",
          .help = "Set a variable from the image's, as in PATH=${PATH}:/opt/bin" },
        { "expose", SET(expose), .optional = true, .metavar = "PORT[/PROTOCOL]", .help = "Say that a port is in use" },
        { "gidmap", SET(gidmap), .metavar = "CONTAINER:HOST:SIZE", .help = "Map group IDs" },
        { "gpus", .kind = OPTION_REFUSED, .refused = no_gpus },
        { "group-add", SET(group_add), .optional = true, .metavar = "GROUP", .help = "Add a supplementary group" },
        { "group-entry", SET(group_entry), .metavar = "LINE",
          .help = "What a line that is added to group looks like: $GROUPNAME, $GID, $USERLIST" },
        { "hostname", 'h', SET(hostname), .optional = true, .metavar = "NAME", .help = "Set the container's host name" },
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
        OPTION_ROW_IP(RunOptions, network),
        OPTION_ROW_IP6(RunOptions, network),
        { "ipc", SET(ipc), .metavar = "MODE", .help = "IPC namespace: shareable, private, none, host, container:NAME, ns:PATH" },
        { "label", 'l', .kind = OPTION_STRV, .offset = FIELD(labels), .metavar = "KEY[=VALUE]", .help = "Add a label" },
        { "label-file", .kind = OPTION_STRV, .offset = FIELD(label_files), .optional = true, .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Read labels from a file" },
        { "link-local-ip", .kind = OPTION_REFUSED },
        { "log-driver", SET(log_driver), .optional = true, .metavar = "DRIVER", WORDS(log_driver_words),
          .help = "Where output goes: journald, json-file, k8s-file, none, passthrough" },
        { "log-opt", SET(log_opt), .optional = true, .metavar = "NAME=VALUE", .help = "Option of the log driver: path, max-size, tag" },
        OPTION_ROW_MAC(RunOptions, network),
        { "mount", SET(mount), .metavar = "type=TYPE,dst=PATH,...", .help = "Mount a directory, volume, image or file system" },
        { "name", SET(name), .optional = true, .metavar = "NAME", .help = "Set the container's name" },
        { "net", SET(network), .hidden = true },
        { "network", SET(network), .metavar = "MODE", .complete = COMPLETE_NETWORK, .words = network_words,
          .help = "Network: NAME[:OPTIONS], slirp4netns, none, host, container:NAME, ns:PATH" },
        OPTION_ROW_ALIAS(RunOptions, network, "network-alias"),
        { "no-healthcheck", .kind = OPTION_BOOL, .offset = FIELD(no_healthcheck),
          .help = "Do not check the container's health" },
        { "no-hostname", .kind = OPTION_BOOL, .offset = CONFIG(no_hostname), .help = "Leave the image's /etc/hostname alone" },
        { "no-hosts", .kind = OPTION_BOOL, .offset = CONFIG(no_hosts), .help = "Leave the image's /etc/hosts alone" },
        { "oom-kill-disable", .kind = OPTION_REFUSED_BOOL, .refused = config_no_cgroup_v1 },
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
        OPTION_ROW_PLATFORM(RunOptions, platform),
        { "pod", .kind = OPTION_STRING, .offset = FIELD(pod), .metavar = "[new:]POD", .complete = COMPLETE_POD,
          .help = "Make the container in this pod; new: make the pod, too" },
        { "pod-id-file", .kind = OPTION_STRING, .offset = FIELD(pod_id_file), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "The same, with the pod's ID in a file" },
        { "preserve-fd", .kind = OPTION_LIST, .offset = FIELD(preserve_fd), .metavar = "NUMBER",
          .help = "Pass this descriptor of the caller on" },
        { "preserve-fds", .kind = OPTION_UINT32, .offset = FIELD(preserve_fds), .help = "Pass so many descriptors on, from 3 on" },
        { "print-quadlet", .kind = OPTION_BOOL, .offset = FIELD(print_quadlet),
          .help = "Print the .container file whose service does the same, and do nothing else" },
        { "privileged", .kind = OPTION_BOOL, .offset = CONFIG(privileged),
          .help = "Give the container all that the caller may do" },
        { "publish", 'p', SET(publish), .optional = true, .metavar = "[[IP:]PORT:]PORT[/udp]", .help = "Publish a port on the host" },
        { "publish-all", 'P', .kind = OPTION_BOOL, .offset = CONFIG(publish_all),
          .help = "Publish all ports that the image and --expose name, on ports that are free" },
        { "pull", .kind = OPTION_STRING, .offset = FIELD(pull), .optional = true, .metavar = "WHEN", WORDS(pull_words),
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
        OPTION_ROW_RETRY(RunOptions, registry),
        OPTION_ROW_RETRY_DELAY(RunOptions, registry),
        { "rm", .kind = OPTION_BOOL, .offset = CONFIG(auto_remove), .help = "Remove the container when it ends" },
        { "rmi", .kind = OPTION_BOOL, .offset = CONFIG(remove_image),
          .help = "Remove the container when it ends, and its image where nobody else uses it" },
        { "rootfs", .kind = OPTION_BOOL, .offset = FIELD(use_rootfs),
          .help = "The first argument is a directory instead of an image" },
        { "sdnotify", .kind = OPTION_STRING, .offset = FIELD(sdnotify), .optional = true, .metavar = "WHO", WORDS(sdnotify_words),
          .help = "Who says READY=1: container, conmon, healthy, ignore" },
        { "seccomp-policy", SET(seccomp_policy), .metavar = "POLICY", WORDS(seccomp_policy_words),
          .help = "Where the seccomp filter is from: default, or image: its label io.containers.seccomp.profile" },
        { "secret", SET(secret), .metavar = "NAME[,OPTION...]", .complete = COMPLETE_SECRET,
          .help = "Give the container a secret, as a file or a variable" },
        { "security-opt", SET(security_opt), .metavar = "NAME[=VALUE]", WORDS(security_words),
          .help = "Set a security option" },
        { "shm-size", SET(shm_size), .optional = true, .metavar = "SIZE", .help = "Size of /dev/shm (default 64m)" },
        { "shm-size-systemd", SET(shm_size_systemd), .metavar = "SIZE", .help = "Size of each tmpfs that --systemd mounts" },
        { "stop-signal", SET(stop_signal), .optional = true, .metavar = "SIGNAL", .complete = COMPLETE_SIGNAL,
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
        { "umask", SET(umask), .optional = true, .metavar = "MODE", .help = "Set the umask (default 0022)" },
        { "unsetenv", .kind = OPTION_STRV, .offset = FIELD(unset_env), .metavar = "NAME",
          .help = "Do not set this variable, which the image or sdpod would set" },
        { "unsetenv-all", .kind = OPTION_BOOL, .offset = FIELD(unset_env_all), .help = "Set none of those" },
        { "user", 'u', SET(user), .optional = true, .metavar = "USER[:GROUP]", .help = "Run as this user and group" },
        { "userns", SET(userns), .metavar = "MODE", WORDS(config_userns_words),
          .help = "User namespace: host, keep-id, auto, nomap" },
        { "uts", SET(uts), .metavar = "MODE", .help = "UTS namespace: private, host, container:NAME, ns:PATH" },
        OPTION_ROW_VARIANT(RunOptions, platform),
        { "volume", 'v', SET(volume), .metavar = "[SOURCE:]PATH[:OPTIONS]", .complete = COMPLETE_SOURCE,
          .help = "Mount a directory or volume" },
        { "volumes-from", SET(volumes_from), .metavar = "CONTAINER[:OPTIONS]",
          .help = "Mount what that container has mounted: its volumes and directories", .complete = COMPLETE_CONTAINER },
        { "workdir", 'w', SET(workdir), .optional = true, .metavar = "DIR", .help = "Set the working directory" },
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

const Option *const run_option_tables[] = { common_rows, config_limit_rows, config_life_rows, run_rows, NULL };
const Option *const create_option_tables[] = { common_rows, config_limit_rows, config_life_rows, create_rows, NULL };
