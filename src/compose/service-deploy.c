/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, what is a swarm's, security options, and images that are built. */
#include <stdlib.h>

#include "base/parse.h"
#include "base/str.h"
#include "compose/project.h"

/* ---- deploy ---- */

static const char swarm[] = "it is for a swarm";

static int convert_limits(Service *s, Node *node) {
        static const ComposeKey keys[] = {
                { "cpus", .argument = "--cpus" }, { "memory", .key = KEY_Memory, .form = KEY_OF_BYTES }, { "pids", .key = KEY_PidsLimit },
        };

        return compose_keys(s, node, keys, ELEMENTSOF(keys), "deploy.resources.limits");
}

static int convert_reservations(Service *s, Node *node) {
        static const ComposeKey keys[] = {
                { "cpus", .passed_over = swarm },
                { "devices", .refused = "it needs a CDI specification; give the nodes of /dev as 'devices'" },
                { "generic_resources", .passed_over = swarm },
                { "memory", .argument = "--memory-reservation", .form = KEY_OF_BYTES },
        };

        return compose_keys(s, node, keys, ELEMENTSOF(keys), "deploy.resources.reservations");
}

static int convert_resources(Service *s, Node *node) {
        static const ComposeKey keys[] = { { "limits", convert_limits }, { "reservations", convert_reservations } };

        return compose_keys(s, node, keys, ELEMENTSOF(keys), "deploy.resources");
}

static int convert_delay(Service *s, Node *node) {
        const char *text = compose_want_text(s->p->c, node, "deploy.restart_policy.delay");
        uint64_t usec;

        if (!text)
                return -EINVAL;
        if (parse_duration(text, &usec) < 0)
                return compose_fail(s->p->c, node, "deploy.restart_policy.delay: '%s' is not a duration such as 1m30s", text);
        text_addf(&s->w.service, "RestartSec=%llums\n", (unsigned long long) usec / 1000);
        return 0;
}

static int convert_policy(Service *s, Node *node) {
        static const ComposeKey keys[] = {
                { "condition", .elsewhere = true }, { "delay", convert_delay }, { "max_attempts", .elsewhere = true },
                { "window", .passed_over = "systemd counts starts (StartLimitIntervalSec=)" },
        };
        const char *condition = node_get_text(node, "condition") ?: "any", *attempts = node_get_text(node, "max_attempts");
        int r = compose_keys(s, node, keys, ELEMENTSOF(keys), "deploy.restart_policy");

        if (r < 0)
                return r;
        if (node_get(s->node, "restart"))
                return compose_fail(s->p->c, node, "services.%s has both restart and deploy.restart_policy", s->name);
        if (str_equal(condition, "none"))
                return 0;
        if (str_equal(condition, "on-failure"))
                return service_restart_as(s, attempts ? arena_format(&s->p->c->arena, "on-failure:%s", attempts) ?: "" : "on-failure", node);
        if (!str_equal(condition, "any"))
                return compose_fail(s->p->c, node, "deploy.restart_policy.condition: '%s' is not one of none, on-failure, any", condition);
        if (attempts)
                compose_warn(s->p->c, node, "deploy.restart_policy.max_attempts is left out: it is restarted whatever happens");
        return service_restart_as(s, "always", node);
}

int service_deploy(Service *s, Node *node) {
        static const ComposeKey keys[] = {
                { "endpoint_mode", .passed_over = swarm }, { "labels", .passed_over = "they are a swarm's; those of containers are 'labels' of the service" },
                { "mode", .passed_over = swarm }, { "placement", .passed_over = swarm }, { "replicas", .elsewhere = true }, { "resources", convert_resources },
                { "restart_policy", convert_policy }, { "rollback_config", .passed_over = swarm }, { "update_config", .passed_over = swarm },
        };

        return compose_keys(s, node, keys, ELEMENTSOF(keys), arena_format(&s->p->c->arena, "services.%s.deploy", s->name) ?: "");
}

/* ---- other limits ---- */

int service_ulimits(Service *s, Node *node) {
        static const ComposeKey keys[] = { { "hard", .elsewhere = true }, { "soft", .elsewhere = true } };
        Arena *arena = &s->p->c->arena;
        int r = 0;

        if (node->kind != NODE_MAP)
                return node->kind == NODE_NULL ? 0 : compose_fail(s->p->c, node, "ulimits: a map is wanted");
        for (size_t i = 0; r >= 0 && i < node->n; i++) {
                const Node *value = node->pairs[i].value;
                const char *both = node_text(value), *soft = node_get_text(value, "soft"), *hard = node_get_text(value, "hard");

                r = both ? 0 : compose_check_keys(s->p->c, value, keys, ELEMENTSOF(keys), "ulimits");
                if (r >= 0 && !both && (!soft || !hard))
                        return compose_fail(s->p->c, value, "ulimits.%s: 'soft' and 'hard' are wanted", node->pairs[i].key);
                if (r >= 0)
                        r = service_say(s, value, KEY_Ulimit, both ? arena_format(arena, "%s=%s", node->pairs[i].key, both)
                                                                   : arena_format(arena, "%s=%s:%s", node->pairs[i].key, soft, hard));
        }
        return r;
}

static int device_limits(Service *s, const Node *list, const char *option, const char *unit) {
        static const ComposeKey keys[] = { { "path", .elsewhere = true }, { "rate", .elsewhere = true }, { "weight", .elsewhere = true } };
        int r = 0;

        if (list->kind != NODE_LIST)
                return compose_fail(s->p->c, list, "blkio_config: a list is wanted");
        for (size_t i = 0; r >= 0 && i < list->n; i++) {
                const Node *item = list->items[i], *value = node_get(item, unit);
                const char *path = node_get_text(item, "path"), *text;

                r = compose_check_keys(s->p->c, item, keys, ELEMENTSOF(keys), "blkio_config");
                if (r < 0)
                        return r;
                if (!path || !value)
                        return compose_fail(s->p->c, item, "blkio_config: 'path' and '%s' are wanted", unit);
                text = compose_bytes(s->p->c, value, "blkio_config");
                r = text ? service_argument(s, option, arena_format(&s->p->c->arena, "%s:%s", path, text) ?: "") : -EINVAL;
        }
        return r;
}

#define DEVICES(name, option, unit)                                       \
        static int convert_##name(Service *s, Node *node) {               \
                return device_limits(s, node, option, unit);              \
        }
DEVICES(read_bps, "--device-read-bps", "rate")
DEVICES(read_iops, "--device-read-iops", "rate")
DEVICES(write_bps, "--device-write-bps", "rate")
DEVICES(write_iops, "--device-write-iops", "rate")
DEVICES(weight_device, "--blkio-weight-device", "weight")

int service_blkio(Service *s, Node *node) {
        static const ComposeKey keys[] = {
                { "device_read_bps", convert_read_bps }, { "device_read_iops", convert_read_iops }, { "device_write_bps", convert_write_bps },
                { "device_write_iops", convert_write_iops }, { "weight", .argument = "--blkio-weight" }, { "weight_device", convert_weight_device },
        };

        return compose_keys(s, node, keys, ELEMENTSOF(keys), "blkio_config");
}

/* ---- security ---- */

/* "no-new-privileges:true", "label:disable", "seccomp:FILE": a colon or an equals sign. */
static int security_word(Service *s, const Node *at, const char *word) {
        size_t n = strcspn(word, ":=");
        const char *name = arena_copy_n(&s->p->c->arena, word, n), *value = word[n] ? word + n + 1 : "";

        if (!name)
                return -ENOMEM;
        if (str_equal(name, "no-new-privileges"))
                return str_equal(value, "false") ? 0 : service_say(s, at, KEY_NoNewPrivileges, "true");
        if (str_equal(name, "seccomp") && !str_equal(value, "unconfined")) {
                value = compose_path(s->p->c, at, value);
                return value ? service_say(s, at, KEY_SeccompProfile, value) : -EINVAL;
        }
        return service_argument(s, "--security-opt", arena_format(&s->p->c->arena, "%s%s%s", name, *value ? "=" : "", value) ?: "");
}

int service_security(Service *s, Node *node) {
        _cleanup_strv_ char **words = NULL;
        int r = compose_words(s->p->c, node, "security_opt", &words);

        for (char **word = words; r >= 0 && word && *word; word++)
                r = security_word(s, node, *word);
        return r;
}

/* ---- build ---- */

static int say_args(Service *b, Node *node) {
        Node *map = compose_as_map(b->p->c, node);
        int r = map ? 0 : -EINVAL;

        for (size_t i = 0; r >= 0 && i < map->n; i++) {
                const Node *value = map->pairs[i].value;
                const char *text = value->kind == NODE_NULL ? compose_variable(b->p->c, map->pairs[i].key) : compose_want_text(b->p->c, value, "build.args");

                if (value->kind != NODE_NULL && !text)
                        return -EINVAL;
                if (text)
                        r = project_say(b->p, &b->w, value, KEY_BuildArg, arena_format(&b->p->c->arena, "%s=%s", map->pairs[i].key, text));
        }
        return r;
}

static int say_tags(Service *b, Node *node) {
        _cleanup_strv_ char **words = NULL;
        int r = compose_words(b->p->c, node, "build.tags", &words);

        for (char **word = words; r >= 0 && word && *word; word++)
                r = project_say(b->p, &b->w, node, KEY_ImageTag, *word);
        return r;
}

static const ComposeKey build_keys[] = {
        { "additional_contexts", .refused = "give one 'context'" },
        { "args", say_args },
        { "cache_from", .passed_over = "a build looks at what is here" },
        { "cache_to", .refused = "a build writes to no registry" },
        { "context", .elsewhere = true },
        { "dockerfile", .elsewhere = true },
        { "dockerfile_inline", .refused = "write it into a file, and name that as 'dockerfile'" },
        { "entitlements", .refused = "there are none" },
        { "extra_hosts", .refused = "it is not there for builds" },
        { "isolation", .refused = "it is for containers of Windows" },
        { "labels", .key = KEY_Label, .form = KEY_OF_PAIRS },
        { "network", .key = KEY_Network },
        { "no_cache", .argument = "--no-cache", .form = KEY_OF_BOOL },
        { "platforms", .argument = "--platform", .form = KEY_OF_LIST },
        { "privileged", .refused = "a build is not" },
        { "provenance", .passed_over = "nothing is attested" },
        { "pull", .argument = "--pull", .form = KEY_OF_BOOL },
        { "sbom", .passed_over = "nothing is attested" },
        { "secrets", .refused = "write it as Secret= of the .build file" },
        { "shm_size", .argument = "--shm-size", .form = KEY_OF_BYTES },
        { "ssh", .refused = "no agent is passed on" },
        { "tags", say_tags },
        { "target", .key = KEY_Target },
        { "ulimits", .refused = "write it as PodmanArgs= of the .build file" },
};

/* The .build file beside the container's. */
int service_build(Service *s, Node *node) {
        Service build = { .p = s->p, .name = s->name, .node = node, .w = { .type = UNIT_BUILD, .arena = &s->p->c->arena } };
        Arena *arena = &s->p->c->arena;
        const char *context = node_text(node) ?: node_get_text(node, "context") ?: ".", *file = node_get_text(node, "dockerfile") ?: "Dockerfile",
                   *image = node_get_text(s->node, "image");
        bool remote = strstr(context, "://") || str_after(context, "git@");
        int r = 0;

        if (s->number > 1)
                return 0;
        if (remote)
                return compose_fail(s->p->c, node, "build.context: '%s' is on another machine: have it here", context);
        context = compose_path(s->p->c, node, context);
        if (!context)
                return -EINVAL;
        r = project_say(s->p, &build.w, node, KEY_ImageTag, image ?: arena_format(arena, "localhost/%s-%s", s->p->name, s->name));
        if (r >= 0)
                r = project_say(s->p, &build.w, node, KEY_SetWorkingDirectory, context);
        if (r >= 0)
                r = project_say(s->p, &build.w, node, KEY_File, *file == '/' ? file : arena_format(arena, "%s/%s", context, file));
        if (r >= 0 && node->kind == NODE_MAP)
                r = compose_keys(&build, node, build_keys, ELEMENTSOF(build_keys), arena_format(arena, "services.%s.build", s->name) ?: "");
        if (r >= 0)
                r = project_add_unit(s->p, arena_format(arena, "%s.build", service_unit(s->p, s->name, 1)), &build.w);
        unit_writer_done(&build.w);
        return r;
}
