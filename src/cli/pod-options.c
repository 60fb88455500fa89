/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `pod create`. */
#include "cli/pod-options.h"

#include <string.h>

#include "base/str.h"
#include "cli/config-options.h"
#include "cli/parse-env.h"
#include "cli/parse-life.h"
#include "cli/parse-limit.h"
#include "cli/parse-mount.h"
#include "cli/parse-namespace.h"
#include "cli/parse-network.h"
#include "cli/parse-port.h"
#include "cli/parse-process.h"
#include "cli/parse-security.h"
#include "state/name.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)
#define DEFAULT_SHARE "ipc,net,uts"

const PodOptions pod_options_default = {
        .pod = { .version = POD_CONFIG_VERSION },
        .infra = { .version = CONTAINER_CONFIG_VERSION, .stop_timeout = 10 },
        .want_infra = true,
        .share_parent = true,
};

void pod_options_done(void *options) {
        PodOptions *o = options;

        pod_config_done(&o->pod);
        container_config_done(&o->infra);
}

/* ---- rows ---- */

CONFIG_PARSED_LIST(add_host)
CONFIG_PARSED(cpus)
CONFIG_SETTER(cpuset_cpus, parse_cpu_list(value, &c->resources.cpuset_cpus, reterr))
CONFIG_SETTER(cpuset_mems, parse_cpu_list(value, &c->resources.cpuset_mems, reterr))
CONFIG_PARSED_LIST(device)
CONFIG_PARSED_LIST(dns)
CONFIG_LIST(dns_option, parse_resolv_word(value, &c->dns_options, reterr))
CONFIG_LIST(dns_search, parse_resolv_word(value, &c->dns_search, reterr))
CONFIG_LIST(gidmap, parse_id_map(value, &c->gid_map, &c->n_gid_map, reterr))
CONFIG_PARSED(hostname)
CONFIG_SETTER(infra_conmon_pidfile, parse_path_field(value, &c->conmon_pid_file, reterr))
CONFIG_PARSED(memory_swap)
CONFIG_PARSED(network)
CONFIG_SETTER(pid, parse_namespace(value, &c->pid_mode, reterr))
CONFIG_PARSED_LIST(publish)
CONFIG_PARSED(restart)
CONFIG_PARSED(security_opt)
CONFIG_PARSED(shm_size)
CONFIG_PARSED_LIST(sysctl)
CONFIG_LIST(uidmap, parse_id_map(value, &c->uid_map, &c->n_uid_map, reterr))
CONFIG_PARSED(userns)
CONFIG_SETTER(uts, parse_namespace(value, &c->uts_mode, reterr))
CONFIG_PARSED(volume)

static int set_infra_name(void *options, const char *value, Error *reterr) {
        return parse_name(&((PodOptions *) options)->infra, value, reterr);
}

static int set_cgroup_parent(void *options, const char *value, Error *reterr) {
        if (!str_has_suffix(value, ".slice") || strchr(value, '/') || value[0] == '-')
                return INVALID("not the name of a slice of systemd's, such as 'work.slice'");
        return str_replace(&((PodOptions *) options)->pod.cgroup_parent, value) < 0 ? error_oom(reterr) : 0;
}

static const char *const exit_words[] = { "continue", "stop", NULL };
static const char *const network_words[] = { "host", "none", "slirp4netns", NULL };
static const char no_image[] = "the infra container has no image, but a program of sdpod's own";

#define FIELD(member) offsetof(PodOptions, member)

static const Option rows[] = {
        { "add-host", SET(add_host), .metavar = "NAME:ADDRESS", .help = "Add a line to /etc/hosts" },
        { "blkio-weight", .kind = OPTION_REFUSED },
        { "blkio-weight-device", .kind = OPTION_REFUSED },
        { "cgroup-parent", SET(cgroup_parent), .metavar = "SLICE", .help = "Make the pod's slice below this one (default user.slice)" },
        { "cpu-shares", 'c', .kind = OPTION_UINT64, .offset = FIELD(infra.resources.cpu_shares), .metavar = "N",
          .help = "Share of the CPU, relative to 1024" },
        { "cpus", SET(cpus), .metavar = "N", .help = "Number of CPUs of all containers together" },
        { "cpuset-cpus", SET(cpuset_cpus), .metavar = "LIST", .help = "CPUs to run on, such as 0-3,7" },
        { "cpuset-mems", SET(cpuset_mems), .metavar = "LIST", .help = "Memory nodes to use" },
        { "device", SET(device), .metavar = "PATH[:PATH][:rwm]", .complete = COMPLETE_FILE, .help = "Add a device of the host to each container" },
        { "device-read-bps", .kind = OPTION_REFUSED },
        { "device-write-bps", .kind = OPTION_REFUSED },
        { "dns", SET(dns), .metavar = "ADDRESS", .help = "Use this name server; none: leave resolv.conf alone" },
        { "dns-opt", SET(dns_option), .hidden = true },
        { "dns-option", SET(dns_option), .metavar = "OPTION", .help = "Add an option to resolv.conf" },
        { "dns-search", SET(dns_search), .metavar = "DOMAIN", .help = "Search names in this domain" },
        { "exit-policy", .kind = OPTION_STRING, .offset = FIELD(pod.exit_policy), .metavar = "POLICY", WORDS(exit_words),
          .help = "When the last container has ended: continue (the default), or stop the pod" },
        { "gidmap", SET(gidmap), .metavar = "CONTAINER:HOST:SIZE", .help = "Map group IDs" },
        { "gpus", .kind = OPTION_REFUSED },
        { "hostname", 'h', SET(hostname), .metavar = "NAME", .help = "Set the pod's host name (default: its name)" },
        { "hosts-file", .kind = OPTION_REFUSED },
        { "infra", .kind = OPTION_BOOL, .offset = FIELD(want_infra), .help = "Make a container that holds what is shared (default true)" },
        { "infra-command", .kind = OPTION_REFUSED, .refused = no_image },
        { "infra-conmon-pidfile", SET(infra_conmon_pidfile), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Write the process ID of the infra container to this file at each start" },
        { "infra-image", .kind = OPTION_REFUSED, .refused = no_image },
        { "infra-name", SET(infra_name), .metavar = "NAME", .help = "Set the infra container's name" },
        OPTION_ROW_IP(PodOptions, network),
        OPTION_ROW_IP6(PodOptions, network),
        { "label", 'l', .kind = OPTION_STRV, .offset = FIELD(labels), .metavar = "KEY[=VALUE]", .help = "Add a label" },
        { "label-file", .kind = OPTION_STRV, .offset = FIELD(label_files), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Read labels from a file" },
        OPTION_ROW_MAC(PodOptions, network),
        { "memory", 'm', .kind = OPTION_BYTES, .offset = FIELD(infra.resources.memory), .help = "Memory limit of all containers together" },
        { "memory-swap", SET(memory_swap), .metavar = "SIZE", .help = "Limit of memory and swap together; -1: none" },
        { "name", 'n', .kind = OPTION_STRING, .offset = FIELD(name), .metavar = "NAME", .help = "Set the pod's name" },
        { "net", SET(network), .hidden = true },
        { "network", SET(network), .metavar = "MODE", .complete = COMPLETE_NETWORK, .words = network_words,
          .help = "Network: NAME[:OPTIONS], slirp4netns, none, host" },
        OPTION_ROW_ALIAS(PodOptions, network, "network-alias"),
        { "no-hostname", .kind = OPTION_REFUSED_BOOL },
        { "no-hosts", .kind = OPTION_BOOL, .offset = FIELD(infra.no_hosts), .help = "Leave the images' /etc/hosts alone" },
        { "pid", SET(pid), .metavar = "MODE", .help = "PID namespace: private" },
        { "pod-id-file", .kind = OPTION_STRING, .offset = FIELD(id_file), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Write the pod's ID to this file" },
        { "print-quadlet", .kind = OPTION_BOOL, .offset = FIELD(print_quadlet),
          .help = "Print the .pod file whose service does the same, and do nothing else" },
        { "publish", 'p', SET(publish), .metavar = "[[IP:]PORT:]PORT[/udp]", .help = "Publish a port on the host" },
        { "replace", .kind = OPTION_BOOL, .offset = FIELD(replace), .help = "Remove a pod of the same name first" },
        { "restart", SET(restart), .metavar = "POLICY", WORDS(config_restart_words), .help = "Restart policy of containers that are given none" },
        { "security-opt", SET(security_opt), .metavar = "NAME[=VALUE]", .help = "Set a security option of each container" },
        { "share", .kind = OPTION_STRING, .offset = FIELD(share), .metavar = "LIST",
          .help = "Namespaces to share: cgroup, ipc, net, pid, uts, none (default " DEFAULT_SHARE ")" },
        { "share-parent", .kind = OPTION_BOOL, .offset = FIELD(share_parent), .help = "Put the containers into the pod's slice (default true)" },
        { "shm-size", SET(shm_size), .metavar = "SIZE", .help = "Size of /dev/shm (default 64m)" },
        { "shm-size-systemd", .kind = OPTION_REFUSED },
        { "subgidname", .kind = OPTION_REFUSED },
        { "subuidname", .kind = OPTION_REFUSED },
        { "sysctl", SET(sysctl), .metavar = "NAME=VALUE", .help = "Set a kernel parameter of what is shared" },
        { "uidmap", SET(uidmap), .metavar = "CONTAINER:HOST:SIZE", .help = "Map user IDs" },
        { "userns", SET(userns), .metavar = "MODE", WORDS(config_userns_words), .help = "User namespace: host, keep-id, auto, nomap" },
        { "uts", SET(uts), .metavar = "MODE", .help = "UTS namespace: private" },
        { "volume", 'v', SET(volume), .metavar = "[SOURCE:]PATH[:OPTIONS]", .complete = COMPLETE_FILE,
          .help = "Mount a directory or volume in each container" },
        { "volumes-from", .kind = OPTION_REFUSED },
        {},
};
const Option *const pod_option_tables[] = { rows, NULL };

/* ---- what they mean together ---- */

static int by_text(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int pod_share_parse(const char *value, char ***ret, Error *reterr) {
        static const char *const known[] = { "cgroup", "ipc", "net", "pid", "uts" };
        _cleanup_strv_ char **words = NULL, **share = NULL;

        if (!value)
                value = DEFAULT_SHARE;
        else if (*value == '+' && strv_extend(&share, (char *const[]){ (char[]){ "ipc" }, (char[]){ "net" }, (char[]){ "uts" }, NULL }) < 0)
                return error_oom(reterr);
        words = strv_split(value + (*value == '+'), ",");
        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w; w++) {
                bool is_known = false;

                if (!**w || strcmp(*w, "none") == 0)
                        continue;
                for (size_t i = 0; i < ELEMENTSOF(known); i++)
                        is_known = is_known || strcmp(*w, known[i]) == 0;
                if (!is_known)
                        return INVALID("cannot share the namespace '%s': not one of cgroup, ipc, net, pid, uts or none", *w);
                if (!strv_contains(share, *w) && strv_append(&share, *w) < 0)
                        return error_oom(reterr);
        }
        if (share)
                qsort(share, strv_length(share), sizeof(char *), by_text);
        *ret = TAKE_PTR(share);
        return 0;
}

static int finish_name(PodOptions *o, const Invocation *in, Error *reterr) {
        const char *name = in->n_arguments > 0 ? in->arguments[0] : o->name;

        if (o->name && in->n_arguments > 0)
                return INVALID("cannot name a pod '%s' and '%s': give one name", o->name, in->arguments[0]);
        if (name && str_replace(&o->pod.name, name) < 0)
                return error_oom(reterr);
        return o->replace && !name ? INVALID("cannot replace pod without --name being set") : 0;
}

/* Without the container that would have it. */
static int check_without_infra(const PodOptions *o, const Invocation *in, Error *reterr) {
        static const char *const needing[] = {
                "add-host", "device", "dns", "dns-opt", "dns-option", "dns-search", "gidmap", "hostname", "infra-conmon-pidfile", "infra-name", "ip", "ip6", "mac-address",
                "network", "network-alias", "net", "no-hosts", "pid", "publish", "security-opt", "share", "shm-size", "sysctl", "uidmap", "userns", "uts", "volume",
        };

        if (o->want_infra)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(needing); i++) {
                bool nothing = strcmp(needing[i], "share") == 0 && (str_empty(o->share) || strcmp(o->share, "none") == 0);

                if (options_given(&in->parse, needing[i]) && !nothing)
                        return INVALID("cannot use --%s with --infra=false: there is no container that it could hold for", needing[i]);
        }
        return 0;
}

static int check_infra(const PodOptions *o, Error *reterr) {
        const ContainerConfig *c = &o->infra;
        bool none = str_equal(c->network, "none");

        if (c->no_hosts && c->add_hosts)
                return INVALID("cannot use --no-hosts with --add-host");
        if (c->n_ports > 0 && none)
                return INVALID("cannot use --publish with --network none: nothing could reach the port");
        if ((c->dns || c->dns_search || c->dns_options) && none)
                return INVALID("cannot use --dns, --dns-option or --dns-search with --network none");
        if (c->userns && (c->n_uid_map || c->n_gid_map))
                return INVALID("cannot use --userns with --uidmap or --gidmap");
        if (c->pid_mode && !strv_contains(o->pod.share, "pid"))
                return INVALID("cannot use --pid without --share pid: no container would be in that namespace");
        return parse_ports_check(c, reterr);
}

/* One map stands for both where only one is given. */
static int finish_maps(ContainerConfig *c, Error *reterr) {
        if (c->n_gid_map == 0)
                return parse_id_map_copy(c->uid_map, c->n_uid_map, &c->gid_map, &c->n_gid_map, reterr);
        return c->n_uid_map == 0 ? parse_id_map_copy(c->gid_map, c->n_gid_map, &c->uid_map, &c->n_uid_map, reterr) : 0;
}

/* What is on the table as the infra container's and belongs to the pod. */
static int move_to_pod(PodOptions *o, const OptionParse *parse, Error *reterr) {
        ContainerConfig *c = &o->infra;

        int r = config_check_resources(c, parse, reterr);

        if (r < 0)
                return r;
        o->pod.resources = c->resources;
        c->resources = (ContainerResources){};
        o->pod.restart_policy = TAKE_PTR(c->restart_policy);
        o->pod.restart_retries = c->restart_retries;
        c->restart_retries = 0;
        o->pod.hostname = TAKE_PTR(c->hostname);
        o->pod.no_share_parent = !o->share_parent;
        if (pod_has_limits(&o->pod) && (!o->share_parent || !o->want_infra))
                return INVALID("cannot limit a pod with --share-parent=false or --infra=false: its containers would not be under the limits");
        if (str_equal(o->pod.exit_policy, "continue"))
                (void) str_replace(&o->pod.exit_policy, NULL);
        return 0;
}

int pod_options_finish(PodOptions *o, const Invocation *in, char *const *environ_now, Error *reterr) {
        _cleanup_free_ char *unit = NULL;
        const char *told = strv_env_get(environ_now, "SDPOD_SYSTEMD_UNIT"), *alias = strv_env_get(environ_now, "PODMAN_SYSTEMD_UNIT");
        int r = finish_name(o, in, reterr);

        if (r >= 0)
                r = check_without_infra(o, in, reterr);
        if (r >= 0)
                r = pod_share_parse(o->want_infra ? o->share : "none", &o->pod.share, reterr);
        if (r >= 0)
                r = parse_labels(o->label_files, o->labels, &o->pod.labels, reterr);
        if (r >= 0)
                r = network_words_apply(&o->network, &o->infra, reterr);
        if (r >= 0)
                r = check_infra(o, reterr);
        if (r >= 0)
                r = finish_maps(&o->infra, reterr);
        if (r >= 0)
                r = move_to_pod(o, &in->parse, reterr);
        if (r < 0)
                return r;
        unit = told ? strdup(told) : name_of_own_unit(alias);
        if (((told || alias) && !unit) || strv_extend(&o->pod.create_command, in->command_line) < 0 ||
            str_replace(&o->infra.systemd_unit, str_empty(unit) ? NULL : unit) < 0)
                return error_oom(reterr);
        return 0;
}
