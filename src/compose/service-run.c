/* SPDX-License-Identifier: Apache-2.0 */
/* What a service runs, with what, until when, and after whom. */
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "compose/project.h"

/* The words of a command in one string: quotes and backslashes as a shell has them, and nothing else (compose-spec). */
static int split_command(Compose *c, const Node *at, char ***ret) {
        _cleanup_text_ Text word = {};
        bool in_word = false;
        char quote = 0;

        for (const char *p = at->text;; p++) {
                if (!*p || (!quote && isspace((unsigned char) *p))) {
                        if (quote)
                                return compose_fail(c, at, "a quotation mark without its match in '%s'", at->text);
                        if (in_word && (word.failed || strv_append(ret, word.data ?: "") < 0))
                                return -ENOMEM;
                        text_clear(&word);
                        in_word = false;
                        if (!*p)
                                return 0;
                        continue;
                }
                in_word = true;
                if (*p == '\\' && quote != '\'' && p[1] && (!quote || strchr("\"\\$`", p[1])))
                        text_add_char(&word, *++p);
                else if (quote ? *p == quote : *p == '"' || *p == '\'')
                        quote = quote ? 0 : *p;
                else
                        text_add_char(&word, *p);
        }
}

static int command_words(Service *s, const Node *node, const char *what, char ***ret) {
        return node->kind == NODE_SCALAR ? split_command(s->p->c, node, ret) : compose_words(s->p->c, node, what, ret);
}

int service_command(Service *s, Node *node) {
        return command_words(s, node, "command", &s->exec);
}

/* Words as a list of JSON, which --entrypoint and --health-cmd read. */
static const char *json_list(Compose *c, char *const *words) {
        _cleanup_text_ Text text = {};

        text_add_char(&text, '[');
        for (char *const *word = words; word && *word; word++) {
                text_add(&text, word > words ? ",\"" : "\"");
                for (const char *p = *word; *p; p++) {
                        if (*p == '"' || *p == '\\')
                                text_add_char(&text, '\\');
                        if ((unsigned char) *p < ' ')
                                text_addf(&text, "\\u%04x", (unsigned) *p);
                        else
                                text_add_char(&text, *p);
                }
                text_add_char(&text, '"');
        }
        text_add_char(&text, ']');
        return text.failed ? NULL : arena_copy(&c->arena, text.data);
}

int service_entrypoint(Service *s, Node *node) {
        _cleanup_strv_ char **words = NULL;
        int r = command_words(s, node, "entrypoint", &words);

        if (r < 0 || node->kind == NODE_NULL)
                return r;
        return service_say(s, node, KEY_Entrypoint, words ? json_list(s->p->c, words) : "");
}

int service_environment(Service *s, Node *node) {
        Node *map = compose_as_map(s->p->c, node);
        int r = map ? 0 : -EINVAL;

        for (size_t i = 0; r >= 0 && i < map->n; i++) {
                const Node *value = map->pairs[i].value;
                const char *name = map->pairs[i].key, *text = value->kind == NODE_NULL ? compose_variable(s->p->c, name)
                                                                                      : compose_want_text(s->p->c, value, "environment");

                if (!text && value->kind != NODE_NULL)
                        return -EINVAL;
                if (!text) {
                        compose_warn(s->p->c, value, "services.%s.environment.%s has no value, here or in the environment: it is left out", s->name, name);
                        continue;
                }
                r = service_say(s, value, KEY_Environment, arena_format(&s->p->c->arena, "%s=%s", name, text));
        }
        return r;
}

static int add_env_file(Service *s, const Node *at) {
        static const ComposeKey keys[] = { { "path", .elsewhere = true }, { "required", .elsewhere = true }, { "format", .elsewhere = true } };
        const char *given = node_text(at) ?: node_get_text(at, "path"), *format = node_get_text(at, "format");
        bool required = true;
        int r = at->kind == NODE_MAP ? compose_check_keys(s->p->c, at, keys, ELEMENTSOF(keys), "env_file") : 0;

        if (r >= 0 && !given)
                return compose_fail(s->p->c, at, "env_file: a path is wanted");
        if (r >= 0 && format && !str_equal(format, "raw"))
                return compose_fail(s->p->c, at, "env_file: there is no format '%s'", format);
        if (r >= 0 && node_get(at, "required"))
                r = compose_bool(s->p->c, node_get(at, "required"), "required", &required);
        if (r < 0)
                return r;
        const char *path = compose_path(s->p->c, at, given);
        if (!path)
                return -EINVAL;
        if (required && access(path, R_OK) < 0)
                return compose_fail(s->p->c, at, "env_file: '%s' cannot be read", path);
        return service_say(s, at, KEY_EnvironmentFile, required ? path : arena_format(&s->p->c->arena, "-%s", path));
}

int service_env_file(Service *s, Node *node) {
        int r = 0;

        if (node->kind != NODE_LIST)
                return node->kind == NODE_NULL ? 0 : add_env_file(s, node);
        for (size_t i = 0; r >= 0 && i < node->n; i++)
                r = add_env_file(s, node->items[i]);
        return r;
}

int service_label_file(Service *s, Node *node) {
        _cleanup_strv_ char **words = NULL;
        int r = compose_words(s->p->c, node, "label_file", &words);

        for (char **word = words; r >= 0 && word && *word; word++) {
                const char *path = compose_path(s->p->c, node, *word);

                r = path ? service_argument(s, "--label-file", path) : -EINVAL;
        }
        return r;
}

/* ---- health ---- */

static int health_test(Service *s, Node *node) {
        _cleanup_strv_ char **words = NULL;
        int r = compose_words(s->p->c, node, "healthcheck.test", &words);

        if (r < 0 || !words)
                return r;
        if (node->kind == NODE_SCALAR)
                return service_say(s, node, KEY_HealthCmd, words[0]);
        if (str_equal(words[0], "NONE"))
                return service_say(s, node, KEY_HealthCmd, "none");
        if (str_equal(words[0], "CMD-SHELL") && words[1] && !words[2])
                return service_say(s, node, KEY_HealthCmd, words[1]);
        if (!str_equal(words[0], "CMD") || !words[1])
                return compose_fail(s->p->c, node, "healthcheck.test: a list begins with CMD, CMD-SHELL or NONE, and a command follows");
        return service_say(s, node, KEY_HealthCmd, json_list(s->p->c, words));
}

static int health_disable(Service *s, Node *node) {
        bool off = false;
        int r = compose_bool(s->p->c, node, "healthcheck.disable", &off);

        return r < 0 || !off ? r : service_say(s, node, KEY_HealthCmd, "none");
}

int service_health(Service *s, Node *node) {
        static const ComposeKey keys[] = {
                { "disable", health_disable },
                { "interval", .key = KEY_HealthInterval },
                { "retries", .key = KEY_HealthRetries },
                { "start_interval", .passed_over = "checks before the container is well are as far apart as those after" },
                { "start_period", .key = KEY_HealthStartPeriod },
                { "test", health_test },
                { "timeout", .key = KEY_HealthTimeout },
        };

        return compose_keys(s, node, keys, ELEMENTSOF(keys), arena_format(&s->p->c->arena, "services.%s.healthcheck", s->name) ?: "");
}

/* ---- logging ---- */

int service_logging(Service *s, Node *node) {
        static const ComposeKey keys[] = { { "driver", .elsewhere = true }, { "options", .elsewhere = true } };
        static const char *const known[] = { "journald", "json-file", "k8s-file", "none", "passthrough" };
        const char *driver = node_get_text(node, "driver");
        const Node *options = node_get(node, "options");
        bool is_known = !driver;
        int r = compose_check_keys(s->p->c, node, keys, ELEMENTSOF(keys), arena_format(&s->p->c->arena, "services.%s.logging", s->name) ?: "");

        if (r < 0)
                return r;
        if (str_equal(driver, "local")) /* Docker's own files, with a limit */
                driver = "k8s-file";
        for (size_t i = 0; driver && i < ELEMENTSOF(known); i++)
                is_known = is_known || str_equal(driver, known[i]);
        if (!is_known)
                return compose_fail(s->p->c, node_get(node, "driver"), "services.%s.logging: there is no driver '%s'", s->name, driver);
        if (driver)
                r = service_say(s, node, KEY_LogDriver, driver);
        for (size_t i = 0; r >= 0 && options && options->kind == NODE_MAP && i < options->n; i++) {
                const char *key = options->pairs[i].key, *text = compose_want_text(s->p->c, options->pairs[i].value, "logging.options");

                if (!text)
                        return -EINVAL;
                if (str_equal(key, "max-size") || str_equal(key, "tag") || str_equal(key, "path"))
                        r = service_say(s, options, KEY_LogOpt, arena_format(&s->p->c->arena, "%s=%s", key, text));
                else
                        compose_warn(s->p->c, options->pairs[i].value, "services.%s.logging.options.%s is left out: there are max-size, path and tag", s->name, key);
        }
        return r;
}

/* ---- life ---- */

int service_restart_as(Service *s, const char *policy, const Node *at) {
        const char *retries = str_after(policy, "on-failure:");
        bool always = str_equal(policy, "always") || str_equal(policy, "unless-stopped");
        uint32_t n;

        if (str_equal(policy, "no") || str_equal(policy, "false"))
                return 0;
        if (!always && !str_equal(policy, "on-failure") && !retries)
                return compose_fail(s->p->c, at, "services.%s.restart: '%s' is not one of no, always, on-failure[:N], unless-stopped", s->name, policy);
        if (retries && (parse_u32(retries, &n) < 0 || n == UINT32_MAX))
                return compose_fail(s->p->c, at, "services.%s.restart: '%s' is not a number", s->name, retries);
        unit_write_line(&s->w.service, "Restart", always && !s->oneshot ? "always" : "on-failure");
        if (retries && n > 0) {
                unit_write_line(&s->w.unit, "StartLimitIntervalSec", "infinity");
                text_addf(&s->w.unit, "StartLimitBurst=%u\n", n + 1);
        }
        if (always)
                unit_write_line(&s->w.install, "WantedBy", "default.target");
        return 0;
}

int service_restart(Service *s, Node *node) {
        const char *text = compose_want_text(s->p->c, node, "restart");

        return text ? service_restart_as(s, text, node) : -EINVAL;
}

int service_grace(Service *s, Node *node) {
        enum { MARGIN_SEC = 10, DEFAULT_SEC = 90 };
        const char *text = compose_want_text(s->p->c, node, "stop_grace_period");
        uint64_t usec;

        if (!text)
                return -EINVAL;
        if (parse_duration(text, &usec) < 0)
                return compose_fail(s->p->c, node, "services.%s.stop_grace_period: '%s' is not a duration such as 1m30s", s->name, text);
        unsigned long long seconds = (usec + 999999) / 1000000;
        if (seconds > DEFAULT_SEC - MARGIN_SEC)
                text_addf(&s->w.service, "TimeoutStopSec=%llu\n", seconds + MARGIN_SEC);
        return service_say(s, node, KEY_StopTimeout, arena_format(&s->p->c->arena, "%llu", seconds));
}

/* ---- who comes first ---- */

static int depend_on(Service *s, const char *name, const Node *how) {
        static const ComposeKey keys[] = { { "condition", .elsewhere = true }, { "restart", .elsewhere = true }, { "required", .elsewhere = true } };
        static const char *const conditions[] = { "service_started", "service_healthy", "service_completed_successfully" };
        const Node *other = node_get(s->p->services, name);
        const char *condition = node_get_text(how, "condition");
        bool required = true, restart = false, known = !condition;
        unsigned n = 0;
        int r = compose_check_keys(s->p->c, how, keys, ELEMENTSOF(keys), "depends_on");

        for (size_t i = 0; condition && i < ELEMENTSOF(conditions); i++)
                known = known || str_equal(condition, conditions[i]);
        if (!known)
                return compose_fail(s->p->c, how, "depends_on: there is no condition '%s'", condition);
        if (r >= 0 && node_get(how, "required"))
                r = compose_bool(s->p->c, node_get(how, "required"), "required", &required);
        if (r >= 0 && node_get(how, "restart"))
                r = compose_bool(s->p->c, node_get(how, "restart"), "restart", &restart);
        if (r < 0)
                return r;
        if (str_equal(name, s->name))
                return compose_fail(s->p->c, how, "services.%s depends on itself", s->name);
        if (!other || !service_is_on(s->p, other)) {
                if (!required)
                        return 0;
                return compose_fail(s->p->c, how, other ? "services.%s depends on '%s', which is in a profile that is not on"
                                                        : "services.%s depends on '%s', which is not there", s->name, name);
        }
        r = service_count(s->p, name, other, &n);
        for (unsigned i = 1; r >= 0 && i <= n; i++) {
                const char *unit = arena_format(&s->p->c->arena, "%s.container", service_unit(s->p, name, i));

                unit_write_line(&s->w.unit, required ? "Requires" : "Wants", unit);
                unit_write_line(&s->w.unit, "After", unit);
                if (restart)
                        unit_write_line(&s->w.unit, "PartOf", unit);
        }
        return r;
}

int service_depends_on(Service *s, Node *node) {
        int r = 0;

        if (node->kind == NODE_LIST)
                for (size_t i = 0; r >= 0 && i < node->n; i++) {
                        const char *name = compose_want_text(s->p->c, node->items[i], "depends_on");
                        Node *nothing = node_new(s->p->c, NODE_NULL, node->items[i]);

                        r = !name ? -EINVAL : !nothing ? -ENOMEM : depend_on(s, name, nothing);
                }
        else if (node->kind == NODE_MAP)
                for (size_t i = 0; r >= 0 && i < node->n; i++)
                        r = depend_on(s, node->pairs[i].key, node->pairs[i].value);
        else if (node->kind != NODE_NULL)
                r = compose_fail(s->p->c, node, "depends_on: names of services are wanted");
        return r;
}

int service_links(Service *s, Node *node) {
        _cleanup_strv_ char **words = NULL;
        int r = compose_words(s->p->c, node, "links", &words);

        for (char **word = words; r >= 0 && word && *word; word++) {
                char *colon = strchr(*word, ':');

                if (colon) {
                        *colon = '\0';
                        if (!str_equal(*word, colon + 1))
                                return compose_fail(s->p->c, node, "links: '%s' under another name: give service '%s' that name as an alias of its network",
                                                    *word, *word);
                }
                Node *nothing = node_new(s->p->c, NODE_NULL, node);
                r = nothing ? depend_on(s, *word, nothing) : -ENOMEM;
        }
        return r;
}

int service_pull(Service *s, Node *node) {
        const char *text = compose_want_text(s->p->c, node, "pull_policy");

        if (!text)
                return -EINVAL;
        if (str_equal(text, "build")) /* that is what a .build is */
                return node_get(s->node, "build") ? 0 : compose_fail(s->p->c, node, "pull_policy: there is nothing to build");
        if (str_equal(text, "if_not_present"))
                text = "missing";
        if (!str_equal(text, "always") && !str_equal(text, "never") && !str_equal(text, "missing"))
                return compose_fail(s->p->c, node, "services.%s.pull_policy: '%s' is not one of always, missing, never, build", s->name, text);
        return service_say(s, node, KEY_Pull, text);
}
