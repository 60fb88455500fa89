/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod generate quadlet: unit files of what is there. Containers and pods are written from the command line that made them. */
#include <unistd.h>

#include "base/str.h"
#include "cli/command-line.h"
#include "cli/quadlet.h"
#include "cli/verbs.h"
#include "engine/pod.h"
#include "state/network.h"
#include "storage/volume.h"

typedef struct GenerateOptions {
        bool files, replace;
} GenerateOptions;

#define FIELD(member) offsetof(GenerateOptions, member)
static const Option rows[] = {
        { "files", 'f', .kind = OPTION_BOOL, .offset = FIELD(files),
          .help = "Write files into the current directory and print their paths" },
        { "replace", .kind = OPTION_BOOL, .offset = FIELD(replace), .help = "With --files, write over files that are there" },
        {},
};
static const Option *const tables[] = { rows, NULL };

static int cannot(Error *reterr, int r, const char *what, const char *name) {
        return error_prefix(reterr, r, "cannot write a unit file for %s '%s'", what, name);
}

/* `pod_file` is that of the pod it is in, which the caller has seen to. */
static int add_container(const Container *container, const char *pod_file, QuadletFiles *files, Error *reterr) {
        const ContainerConfig *c = &container->config;
        _cleanup_command_line_ CommandLine line = COMMAND_LINE_NULL;
        int r = command_line_parse(c->create_command, &line, reterr);

        if (r >= 0 && line.name->verb != &verb_run && line.name->verb != &verb_create)
                r = error_set(reterr, -EINVAL, ERROR_INVALID, "it was made by 'sdpod %s'", line.name->name);
        if (r >= 0)
                r = quadlet_add(&(QuadletRequest){
                        .type = UNIT_CONTAINER, .tables = line.name->verb->options, .parse = &line.parse, .arguments = line.parse.arguments,
                        .global = &line.global, .environment = c->env, .name = c->name, .image = c->image_name, .pod_file = pod_file,
                        .part = quadlet_new_pod(&line.parse) ? QUADLET_MEMBER : QUADLET_ALL,
                        .recorded = true,
                }, files, reterr);
        return r < 0 ? cannot(reterr, r, "container", c->name) : 0;
}

/* The pod's own file; *ret_file is its name (owned). */
static int add_pod_itself(const Pod *pod, QuadletFiles *files, char **ret_file, Error *reterr) {
        _cleanup_command_line_ CommandLine line = COMMAND_LINE_NULL;
        int r = command_line_parse(pod->config.create_command, &line, reterr);
        bool own = r >= 0 && line.name->verb == &verb_pod_create;

        if (r >= 0)
                r = quadlet_add(&(QuadletRequest){
                        .type = UNIT_POD, .tables = line.name->verb->options, .parse = &line.parse, .arguments = own ? line.parse.arguments : NULL,
                        .global = &line.global, .environment = environ, .name = pod->config.name, .part = own ? QUADLET_ALL : QUADLET_POD,
                        .recorded = true,
                }, files, reterr);
        if (r >= 0 && !(*ret_file = str_format("%s.pod", pod->config.name)))
                r = error_oom(reterr);
        return r < 0 ? cannot(reterr, r, "pod", pod->config.name) : 0;
}

static int add_pod(const Store *store, const Pod *pod, QuadletFiles *files, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        _cleanup_free_ Container **sorted = NULL;
        _cleanup_free_ char *file = NULL;
        int r = add_pod_itself(pod, files, &file, reterr);

        if (r >= 0)
                r = engine_pod_members(store, pod, &members, reterr);
        if (r < 0)
                return r;
        sorted = pod_members_in_order(&members);
        if (!sorted)
                return error_oom(reterr);
        for (Container **c = sorted; *c && r >= 0; c++)
                if (!(*c)->config.infra)
                        r = add_container(*c, file, files, reterr);
        return r;
}

/* A member comes with its pod's file, without which it could not name it. */
static int add_container_or_member(const Store *store, const Container *container, QuadletFiles *files, Error *reterr) {
        _cleanup_free_ char *file = NULL;
        _cleanup_pod_ Pod pod = POD_NULL;

        if (!container->config.pod)
                return add_container(container, NULL, files, reterr);
        int r = pod_load(store, container->config.pod, &pod, reterr);
        if (r < 0)
                return r;
        if (container->config.infra)
                return add_pod(store, &pod, files, reterr);
        r = add_pod_itself(&pod, files, &file, reterr);
        return r < 0 ? r : add_container(container, file, files, reterr);
}

static int append(char ***words, const char *option, char *const *values) {
        for (; values && *values; values++)
                if (strv_consume(words, str_format("--%s=%s", option, *values)) < 0)
                        return -ENOMEM;
        return 0;
}

/* What would have made it. */
static int volume_words(const Volume *v, char ***ret) {
        if ((v->driver && strv_consume(ret, str_format("--driver=%s", v->driver)) < 0) || append(ret, "opt", v->options) < 0 ||
            append(ret, "label", v->labels) < 0)
                return -ENOMEM;
        if (v->owned && (strv_consume(ret, str_format("--uid=%u", v->uid)) < 0 || strv_consume(ret, str_format("--gid=%u", v->gid)) < 0))
                return -ENOMEM;
        return strv_append(ret, "--") < 0 || strv_append(ret, v->name) < 0 ? -ENOMEM : 0;
}

static int add_volume(const Volume *volume, QuadletFiles *files, Error *reterr) {
        static const VerbName name = { .name = "volume create", .verb = &verb_volume_create };
        _cleanup_command_line_ CommandLine line = COMMAND_LINE_NULL;
        _cleanup_strv_ char **words = NULL;

        if (volume_words(volume, &words) < 0)
                return error_oom(reterr);
        int r = command_line_parse_verb(&name, words, &line, reterr);
        if (r >= 0)
                r = quadlet_add(&(QuadletRequest){ .type = UNIT_VOLUME, .tables = name.verb->options, .parse = &line.parse,
                                                   .arguments = line.parse.arguments, .environment = environ }, files, reterr);
        return r < 0 ? cannot(reterr, r, "volume", volume->name) : 0;
}

/* What would have made it. Gateways belong to the subnets in their order: after one without, there is none. */
static int network_words(const NetworkConfig *n, char ***ret) {
        const char *ipam = strv_env_get(n->ipam_options, "driver");
        bool gateways = true;
        int r = 0;

        if (!str_equal(n->driver, "bridge")) {
                r = strv_consume(ret, str_format("--driver=%s", n->driver));
                if (r >= 0 && n->network_interface)
                        r = strv_consume(ret, str_format("--interface-name=%s", n->network_interface));
        }
        for (size_t i = 0; i < n->n_subnets && r >= 0; i++) {
                const NetworkSubnet *subnet = n->subnets + i;

                gateways = gateways && subnet->gateway;
                r = strv_consume(ret, str_format("--subnet=%s", subnet->subnet));
                if (r >= 0 && gateways)
                        r = strv_consume(ret, str_format("--gateway=%s", subnet->gateway));
                if (r >= 0 && subnet->lease_range.start_ip && subnet->lease_range.end_ip)
                        r = strv_consume(ret, str_format("--ip-range=%s-%s", subnet->lease_range.start_ip, subnet->lease_range.end_ip));
        }
        for (size_t i = 0; i < n->n_routes && r >= 0; i++) {
                const NetworkRoute *route = n->routes + i;

                r = strv_consume(ret, route->metric ? str_format("--route=%s,%s,%u", route->destination, route->gateway, route->metric)
                                                    : str_format("--route=%s,%s", route->destination, route->gateway));
        }
        if (r < 0 || (ipam && !str_equal(ipam, "host-local") && strv_consume(ret, str_format("--ipam-driver=%s", ipam)) < 0) ||
            (n->internal && strv_append(ret, "--internal") < 0) || (n->ipv6_enabled && strv_append(ret, "--ipv6") < 0) ||
            (!n->dns_enabled && strv_append(ret, "--disable-dns") < 0) || append(ret, "dns", n->network_dns_servers) < 0 ||
            append(ret, "label", n->labels) < 0 || append(ret, "opt", n->options) < 0)
                return -ENOMEM;
        return strv_append(ret, "--") < 0 || strv_append(ret, n->name) < 0 ? -ENOMEM : 0;
}

static int add_network(const NetworkConfig *network, QuadletFiles *files, Error *reterr) {
        static const VerbName name = { .name = "network create", .verb = &verb_network_create };
        _cleanup_command_line_ CommandLine line = COMMAND_LINE_NULL;
        _cleanup_strv_ char **words = NULL;

        if (network_words(network, &words) < 0)
                return error_oom(reterr);
        int r = command_line_parse_verb(&name, words, &line, reterr);
        if (r >= 0)
                r = quadlet_add(&(QuadletRequest){ .type = UNIT_NETWORK, .tables = name.verb->options, .parse = &line.parse,
                                                   .arguments = line.parse.arguments, .environment = environ }, files, reterr);
        return r < 0 ? cannot(reterr, r, "network", network->name) : 0;
}

/* A container or a pod, or else a volume or a network, has the name: `others` says which of these are wanted. */
static int add_word(const Store *store, const char *word, bool others, QuadletFiles *files, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        _cleanup_pod_ Pod pod = POD_NULL;
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
        int r = container_open(store, word, &container, reterr);

        if (r >= 0)
                return others ? 0 : add_container_or_member(store, &container, files, reterr);
        if (r == -ENOENT) {
                r = pod_open(store, word, &pod, reterr);
                if (r >= 0)
                        return others ? 0 : add_pod(store, &pod, files, reterr);
        }
        if (r == -ENOENT) {
                r = volume_open(store, word, &volume, reterr);
                if (r >= 0)
                        return others ? add_volume(&volume, files, reterr) : 0;
        }
        if (r == -ENOENT) {
                r = network_open(store, word, &network, reterr);
                if (r >= 0)
                        return others ? add_network(&network, files, reterr) : 0;
        }
        if (r == -ENOENT)
                return error_set(reterr, r, ERROR_NOT_FOUND, "cannot find '%s': no such container, pod, volume or network", word);
        return r;
}

static int run(Invocation *in, Error *reterr) {
        const GenerateOptions *o = in->options;
        _cleanup_quadlet_files_ QuadletFiles files = {};
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0 && o->replace && !o->files)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --replace without --files");
        for (int others = 1; others >= 0; others--) /* volumes and networks first: the files of containers and pods name theirs */
                for (size_t i = 0; i < in->n_arguments && r >= 0; i++)
                        r = add_word(store, in->arguments[i], others, &files, reterr);
        if (r < 0)
                return r;
        return o->files ? quadlet_write(&files, o->replace, reterr) : quadlet_print(&files, reterr);
}

const Verb verb_generate_quadlet = {
        .arguments = "CONTAINER|POD|VOLUME|NETWORK [...]",
        .summary = "Write .container, .pod, .volume and .network files for what is there",
        .options = tables,
        .options_size = sizeof(GenerateOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};
