/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod inspect, container inspect: all that is known of a container, image, volume or pod, as JSON. */
#include "base/str.h"
#include "cli/container-choose.h"
#include "cli/format.h"
#include "cli/image-json.h"
#include "cli/network-json.h"
#include "cli/pod-row.h"
#include "cli/verbs.h"
#include "cli/volume-json.h"
#include "engine/inspect.h"
#include "engine/stop.h"

typedef struct InspectOptions {
        char *format, *type;
        bool latest, size;
} InspectOptions;

static const char *const type_words[] = { "all", "container", "image", "volume", "network", "pod", NULL };

#define FIELD(member) offsetof(InspectOptions, member)
static const Option rows[] = {
        { "format", 'f', .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "FORMAT",
          .help = "Print by a Go template instead of JSON" },
        { "latest", 'l', .kind = OPTION_BOOL, .offset = FIELD(latest), .help = "Take the container made last" },
        { "size", 's', .kind = OPTION_BOOL, .offset = FIELD(size), .help = "Measure what a container wrote too" },
        {},
};
static const Option type_rows[] = {
        { "type", 't', .kind = OPTION_STRING, .offset = FIELD(type), .metavar = "TYPE",
          .help = "Look only for a container, image, volume, network or pod", .complete = COMPLETE_WORDS, .words = type_words },
        {},
};
static const Option *const tables[] = { rows, type_rows, NULL };
static const Option *const container_tables[] = { rows, NULL };

static const char *const maps[] = { "Labels", "Annotations", "Ports", "PortBindings", "Networks", "Tmpfs", "Volumes",
                                    "ExposedPorts", "Sysctls", "Data", NULL },
                         *const times[] = { "Created", "StartedAt", "FinishedAt", "CheckpointedAt", "RestoredAt", NULL },
                         *const aliases[] = { "ID", "Id", "Src", "Source", "Dst", "Destination", "ImageID", "Image",
                                              "Healthcheck", "Health", "SdNotifyMode", "sdNotifyMode", NULL };
static const TemplateTypes container_types = { .maps = maps, .times = times, .aliases = aliases };

typedef struct Subject {
        const Store *store;
        const InspectOptions *options;
        const char *word;
} Subject;

/* A kind of thing: finds it by the word. -ENOENT: there is none of that name. */
typedef struct Kind {
        const char *name;
        const TemplateTypes *types;
        int (*find)(const Subject *subject, json_t **ret, Error *reterr);
} Kind;

static int find_container(const Subject *s, json_t **ret, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;

        int r = container_open(s->store, s->word, &c, reterr);
        if (r >= 0)
                r = engine_settle(s->store, &c, reterr);
        if (r < 0)
                return r;
        return inspect_container(s->store, &c, s->options->size ? INSPECT_SIZE : 0, ret, reterr);
}

static int find_volume(const Subject *s, json_t **ret, Error *reterr) {
        _cleanup_(volume_done) Volume volume = VOLUME_NULL;

        if (!container_name_is_valid(s->word))
                return -ENOENT;
        int r = volume_load(s->store, s->word, &volume, reterr);
        if (r < 0)
                return r;
        *ret = volume_to_json(s->store, &volume);
        return *ret ? 0 : error_oom(reterr);
}

static int find_image(const Subject *s, json_t **ret, Error *reterr) {
        _cleanup_image_info_ ImageInfo image = {};
        _cleanup_error_ Error error = ERROR_NULL;

        int r = image_store_resolve(s->store, s->word, &image, &error);
        if (error.kind == ERROR_INVALID && r < 0)
                r = -ENOENT; /* what cannot be an image's name may be a volume's */
        if (r == -ENOENT)
                return r;
        if (r >= 0)
                r = image_store_measure(s->store, &image, &error);
        if (r < 0)
                return error_move(reterr, &error);
        *ret = image_to_inspect(s->store, &image);
        return *ret ? 0 : error_oom(reterr);
}

static int find_network(const Subject *s, json_t **ret, Error *reterr) {
        _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
        _cleanup_network_use_ NetworkUse use = {};
        int r = network_open(s->store, s->word, &network, reterr);

        if (r >= 0)
                r = network_use_read(s->store, &use, reterr);
        if (r < 0)
                return r;
        *ret = s->options->format && strcmp(s->options->format, "json") != 0 ? network_to_fields(&network, &use) : network_to_json(&network, &use);
        return *ret ? 0 : error_oom(reterr);
}

static int find_pod(const Subject *s, json_t **ret, Error *reterr) {
        _cleanup_pod_ Pod pod = POD_NULL;
        int r = pod_open(s->store, s->word, &pod, reterr);

        return r < 0 ? r : inspect_pod(s->store, &pod, ret, reterr);
}

static const Kind kinds[] = {
        { "container", &container_types, find_container },
        { "image", &image_inspect_types, find_image },
        { "volume", &volume_template_types, find_volume },
        { "network", &network_template_types, find_network },
        { "pod", &pod_inspect_types, find_pod },
};

static int check(const InspectOptions *o, const char *type, Error *reterr) {
        bool known = strcmp(type, "all") == 0;

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                known = known || strcmp(type, kinds[i].name) == 0;
        if (!known)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot inspect a %s: it is not there yet", type);
        if (o->size && strcmp(type, "all") != 0 && strcmp(type, "container") != 0)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--size is only for containers");
        if (o->latest && strcmp(type, "all") != 0 && strcmp(type, "container") != 0)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--latest is only for containers");
        return 0;
}

/* Tries the kinds in order; *ret_kind is the one it is. */
static int find(const Subject *s, const char *type, const Kind **ret_kind, json_t **ret, Error *reterr) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                if (strcmp(type, "all") != 0 && strcmp(type, kinds[i].name) != 0)
                        continue;
                int r = kinds[i].find(s, ret, reterr);
                if (r != -ENOENT) {
                        *ret_kind = &kinds[i];
                        return r;
                }
                error_done(reterr);
        }
        return strcmp(type, "all") == 0
                       ? error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot inspect '%s': no such object", s->word)
                       : error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot inspect '%s': no such %s", s->word, type);
}

/* By a template each is printed with the rules of its own kind, and at once; as JSON all are one list. */
static int add(const Kind *kind, const char *format, json_t *object, json_t *all, Error *reterr) {
        _cleanup_json_ json_t *one = format ? json_array() : NULL;

        if (!format)
                return json_array_append_new(all, object) < 0 ? error_oom(reterr) : 0;
        if (json_array_append_new(one, object) < 0)
                return error_oom(reterr);
        return format_objects(format, kind->types, one, stdout, reterr);
}

static int inspect_all(const Store *store, const InspectOptions *o, const char *type, char *const *words, Error *reterr) {
        _cleanup_json_ json_t *all = json_array();
        const char *format = str_empty(o->format) || strcmp(o->format, "json") == 0 ? NULL : o->format;
        bool failed = false;

        if (!all)
                return error_oom(reterr);
        for (; *words; words++) {
                const Subject subject = { store, o, *words };
                _cleanup_error_ Error error = ERROR_NULL;
                const Kind *kind = NULL;
                json_t *object = NULL;

                int r = find(&subject, type, &kind, &object, &error);
                if (r >= 0)
                        r = add(kind, format, object, all, &error);
                if (r == -ENOMEM)
                        return error_move(reterr, &error);
                if (r < 0) {
                        (void) fflush(stdout);
                        error_print(&error);
                        failed = true;
                }
        }
        volumes_leave_out(all);
        int r = format ? 0 : format_json(all, 5, stdout, reterr);
        return r < 0 ? r : failed ? 125 : 0;
}

static int run(Invocation *in, Error *reterr) {
        InspectOptions *o = in->options;
        const char *type = str_after(in->name, "container ") ? "container" : o->type ?: o->latest ? "container" : "all";
        _cleanup_strv_ char **words = NULL;
        const Store *store;

        int r = check(o, type, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_choose_words(store, in->arguments, o->latest, &words, reterr);
        return r < 0 ? r : inspect_all(store, o, type, words, reterr);
}

const Verb verb_inspect = {
        .arguments = "NAME [NAME...]",
        .summary = "Show all that is known of containers, images, volumes, networks and pods",
        .options = tables,
        .options_size = sizeof(InspectOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};

const Verb verb_container_inspect = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Show all that is known of containers",
        .options = container_tables,
        .options_size = sizeof(InspectOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};
