/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod generate systemd: services in the form of Podman's. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "cli/parse-env.h"
#include "cli/systemd-unit.h"
#include "cli/verbs.h"
#include "engine/pod.h"
#include "unit/name.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

static int set_seconds(const char *value, uint32_t *seconds, bool *given, Error *reterr) {
        *given = true;
        return parse_u32(value, seconds) < 0 ? INVALID("not a number of seconds") : 0;
}

#define SECONDS(member)                                                                              \
        static int set_##member(void *options, const char *value, Error *reterr) {                   \
                SystemdOptions *o = options;                                                         \
                return set_seconds(value, &o->member, &o->member##_given, reterr);                   \
        }
SECONDS(restart_sec)
SECONDS(start_timeout)
SECONDS(stop_timeout)

static const char *const restart_words[] = { "no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always", NULL };
static const char *const format_words[] = { "json", NULL };

#define FIELD(member) offsetof(SystemdOptions, member)
#define SETTER(name) .kind = OPTION_SET, .set = set_##name
static const Option rows[] = {
        { "after", .kind = OPTION_LIST, .offset = FIELD(after), .metavar = "UNIT", .help = "Order the service after this unit" },
        { "container-prefix", .kind = OPTION_STRING, .offset = FIELD(container_prefix), .metavar = "PREFIX",
          .help = "Begin names of containers' services so (default container)" },
        { "env", 'e', .kind = OPTION_STRV, .offset = FIELD(env), .metavar = "NAME[=VALUE]", .help = "Set a variable in the service" },
        { "files", 'f', .kind = OPTION_BOOL, .offset = FIELD(files), .help = "Write files into the current directory and print their paths" },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "FORMAT", .help = "Print this instead: json",
          .complete = COMPLETE_WORDS, .words = format_words },
        { "name", 'n', .kind = OPTION_BOOL, .offset = FIELD(name), .help = "Use names instead of IDs" },
        { "new", .kind = OPTION_BOOL, .offset = FIELD(new), .help = "Make the container or pod at each start and remove it at the end" },
        { "no-header", .kind = OPTION_BOOL, .offset = FIELD(no_header), .help = "Leave out version and time" },
        { "pod-prefix", .kind = OPTION_STRING, .offset = FIELD(pod_prefix), .metavar = "PREFIX", .help = "Begin names of pods' services so (default pod)" },
        { "requires", .kind = OPTION_LIST, .offset = FIELD(requires), .metavar = "UNIT", .help = "Let the service require this unit" },
        { "restart-policy", .kind = OPTION_STRING, .offset = FIELD(restart_policy), .metavar = "POLICY",
          .help = "Restart= of the service (default on-failure)", .complete = COMPLETE_WORDS, .words = restart_words },
        { "restart-sec", SETTER(restart_sec), .metavar = "SECONDS", .help = "Wait so long before a restart" },
        { "separator", .kind = OPTION_STRING, .offset = FIELD(separator), .metavar = "TEXT", .help = "Put this between prefix and name (default -)" },
        { "start-timeout", SETTER(start_timeout), .metavar = "SECONDS", .help = "Time that a start may take" },
        { "stop-timeout", SETTER(stop_timeout), .metavar = "SECONDS", .help = "Time before SIGKILL follows the stop signal" },
        { "template", .kind = OPTION_BOOL, .offset = FIELD(template), .help = "Make a template for many instances; with --new" },
        { "time", 't', SETTER(stop_timeout), .hidden = true },
        { "wants", .kind = OPTION_LIST, .offset = FIELD(wants), .metavar = "UNIT", .help = "Let the service want this unit" },
        {},
};
static const Option *const tables[] = { rows, NULL };

typedef struct Generator {
        SystemdOptions *options;
        json_t *texts;       /* unit -> text, in order */
        char **environment;
} Generator;

static char *unit_name(const SystemdOptions *o, bool pod, const char *id, const char *name) {
        const char *prefix = pod ? o->pod_prefix ?: "pod" : o->container_prefix ?: "container";

        return str_format("%s%s%s", prefix, *prefix ? o->separator ?: "-" : "", o->name ? name : id);
}

static int add(Generator *g, SystemdUnit *unit, Error *reterr) {
        _cleanup_text_ Text text = {};
        Arena arena = {};
        _cleanup_free_ char *file = str_format("%s%s.service", unit->unit, g->options->template ? "@" : "");

        if (!file)
                return error_oom(reterr);
        if (!unit_name_is_valid(file))
                return INVALID("cannot write '%s': that is no name for a unit", file);
        unit->options = g->options;
        unit->online = geteuid() == 0 ? "network-online.target" : "sdpod-user-wait-network-online.service";
        if (g->options->stop_timeout_given)
                unit->stop_timeout = g->options->stop_timeout;
        int r = systemd_unit_text(unit, &arena, &text);
        if (r >= 0 && json_object_set_new(g->texts, file, json_text(text.data)) < 0)
                r = -ENOMEM;
        arena_done(&arena);
        return r < 0 ? error_oom(reterr) : 0;
}

/* The units of the containers that it was told to require. */
static int required_units(const Store *store, const SystemdOptions *o, const ContainerConfig *c, char ***ret, Error *reterr) {
        for (char **id = c->requires; id && *id; id++) {
                _cleanup_container_ Container other = CONTAINER_NULL;
                int r = container_load(store, *id, &other, reterr);

                if (r < 0)
                        return r;
                if (other.config.infra)
                        continue;
                if (strv_consume(ret, unit_name(o, false, other.config.id, other.config.name)) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static void warn_of_policy(const Generator *g, const ContainerConfig *c) {
        if (!g->options->new && c->restart_policy)
                log_warning("container '%s' has the restart policy '%s': it and the service's Restart= get into each other's way; "
                            "make it without one, or use --new", c->name, c->restart_policy);
}

static int add_container(Generator *g, const Store *store, const ContainerConfig *c, const char *pod_unit, Error *reterr) {
        _cleanup_command_line_ CommandLine line = COMMAND_LINE_NULL;
        _cleanup_strv_ char **requires = NULL;
        _cleanup_free_ char *unit = unit_name(g->options, false, c->id, c->name);
        int r = unit ? required_units(store, g->options, c, &requires, reterr) : error_oom(reterr);

        if (r >= 0 && g->options->new) {
                r = command_line_parse(c->create_command, &line, reterr);
                if (r >= 0 && line.name->verb != &verb_run && line.name->verb != &verb_create)
                        r = error_set(reterr, -EINVAL, ERROR_INVALID, "it was made by 'sdpod %s'", line.name->name);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot use --new for container '%s'", c->name);
        }
        if (r < 0)
                return r;
        warn_of_policy(g, c);
        return add(g, &(SystemdUnit){
                .line = g->options->new ? &line : NULL,
                .unit = unit,
                .name = g->options->name || g->options->new ? c->name : c->id,
                .pod_unit = pod_unit,
                .requires = requires,
                .restart_policy = c->restart_policy,
                .payload_notifies = g->options->new && !c->sdnotify && options_given(&line.parse, "sdnotify"),
                .stop_timeout = c->stop_timeout,
        }, reterr);
}

static int add_pod_itself(Generator *g, const Pod *pod, const Container *infra, const char *unit, char **starts, Error *reterr) {
        _cleanup_command_line_ CommandLine line = COMMAND_LINE_NULL;

        if (!infra)
                return INVALID("cannot write a unit for pod '%s': it has no infra container", pod->config.name);
        if (g->options->template)
                return INVALID("cannot use --template for pod '%s': it is for containers", pod->config.name);
        if (g->options->new) {
                int r = command_line_parse(pod->config.create_command, &line, reterr);

                if (r >= 0 && line.name->verb != &verb_pod_create)
                        r = error_set(reterr, -EINVAL, ERROR_INVALID, "it was made by 'sdpod %s'", line.name->name);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot use --new for pod '%s'", pod->config.name);
        }
        return add(g, &(SystemdUnit){
                .line = g->options->new ? &line : NULL,
                .pod = true,
                .unit = unit,
                .name = g->options->new ? pod->config.name : g->options->name ? infra->config.name : infra->config.id,
                .starts = starts,
                .stop_timeout = infra->config.stop_timeout,
        }, reterr);
}

static int add_pod(Generator *g, const Store *store, const Pod *pod, Error *reterr) {
        _cleanup_free_ char *unit = unit_name(g->options, true, pod->config.id, pod->config.name);
        _cleanup_pod_members_ PodMembers members = {};
        _cleanup_free_ Container **sorted = NULL;
        _cleanup_strv_ char **starts = NULL;
        int r = unit ? engine_pod_members(store, pod, &members, reterr) : error_oom(reterr);

        if (r < 0)
                return r;
        sorted = pod_members_in_order(&members);
        if (!sorted)
                return error_oom(reterr);
        for (Container **c = sorted; *c; c++)
                if (!(*c)->config.infra &&
                    strv_consume(&starts, unit_name(g->options, false, (*c)->config.id, (*c)->config.name)) < 0)
                        return error_oom(reterr);
        r = add_pod_itself(g, pod, pod_members_infra(&members), unit, starts, reterr);
        for (Container **c = sorted; *c && r >= 0; c++)
                if (!(*c)->config.infra)
                        r = add_container(g, store, &(*c)->config, unit, reterr);
        return r;
}

static int add_word(Generator *g, const Store *store, const char *word, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        _cleanup_pod_ Pod pod = POD_NULL;
        int r = container_open(store, word, &container, reterr);

        if (r >= 0)
                return add_container(g, store, &container.config, NULL, reterr);
        if (r == -ENOENT)
                r = pod_open(store, word, &pod, reterr);
        if (r == -ENOENT)
                return error_set(reterr, r, ERROR_NOT_FOUND, "cannot find '%s': no such container or pod", word);
        return r < 0 ? r : add_pod(g, store, &pod, reterr);
}

static int write_files(Generator *g, Error *reterr) {
        _cleanup_free_ char *cwd = getcwd(NULL, 0);
        const char *name;
        json_t *text;

        if (!cwd)
                return error_set_errno(reterr, -errno, "cannot find the current directory");
        json_object_foreach(g->texts, name, text) {
                const char *content = json_string_value(text);
                int r = file_write_atomic(AT_FDCWD, name, content, strlen(content), 0644, FILE_VOLATILE);
                _cleanup_free_ char *path = str_format("%s/%s", cwd, name);

                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write '%s'", name);
                if (!path || json_string_set(text, path) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int print(Generator *g, Error *reterr) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *dump = NULL;
        const char *name;
        json_t *text;

        if (!g->options->format) {
                json_object_foreach(g->texts, name, text)
                        printf("%s%s", json_string_value(text), g->options->files ? "\n" : "");
                return 0;
        }
        object = json_object();
        json_object_foreach(g->texts, name, text) { /* without the suffix, as Podman */
                _cleanup_free_ char *unit = strndup(name, strlen(name) - strlen(".service"));

                if (!unit || json_object_set(object, unit, text) < 0)
                        return error_oom(reterr);
        }
        dump = json_dumps(object, JSON_INDENT(1));
        if (!dump)
                return error_oom(reterr);
        puts(dump);
        return 0;
}

static int run(Invocation *in, Error *reterr) {
        SystemdOptions *o = in->options;
        _cleanup_json_ json_t *texts = json_object();
        _cleanup_strv_ char **env = NULL;
        Generator g = { .options = o, .texts = texts };
        const Store *store;

        if (o->template && options_given(&in->parse, "new") && !o->new)
                return INVALID("--template cannot be set with --new=false");
        o->new = o->new || o->template;
        int r = texts ? 0 : error_oom(reterr);
        for (char **e = o->env; r >= 0 && e && *e; e++)
                r = parse_env(*e, environ, &env, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r < 0)
                return r;
        strv_free(o->env);
        o->env = TAKE_PTR(env);
        log_warning("'generate systemd' is there for what uses it already: unit files of 'sdpod generate quadlet' do more, see sdpod-generate(1)");
        for (size_t i = 0; i < in->n_arguments && r >= 0; i++)
                r = add_word(&g, store, in->arguments[i], reterr);
        if (r >= 0 && o->files)
                r = write_files(&g, reterr);
        return r < 0 ? r : print(&g, reterr);
}

const Verb verb_generate_systemd = {
        .arguments = "CONTAINER|POD",
        .summary = "Write systemd services for a container or pod",
        .options = tables,
        .options_size = sizeof(SystemdOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};
