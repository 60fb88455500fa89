/* SPDX-License-Identifier: Apache-2.0 */
/* --filter for containers. */
#include "cli/container-filter.h"

#include <fnmatch.h>
#include <regex.h>

#include "base/parse.h"
#include "base/str.h"
#include "cli/time-text.h"
#include "engine/network-names.h"
#include "state/health.h"
#include "state/network.h"
#include "state/pod.h"

typedef struct Value {
        char *text;
        regex_t *regex;  /* owned; NULL: none */
        bool truth;
        int64_t number;  /* a moment, an exit code, a status */
        const Store *store; /* borrowed; only where it is needed */
} Value;

typedef struct Context {
        const Store *store;
        int64_t now_usec;
} Context;

typedef struct Key {
        const char *name;
        bool narrows; /* all values must match, not any */
        int (*prepare)(const Context *context, Value *value, Error *reterr); /* NULL: the text as it is */
        bool (*matches)(const Container *c, const Value *value);
        const char *refused; /* what is not there yet */
} Key;

typedef struct Condition {
        const Key *key;
        Value *values;
        size_t n;
} Condition;

struct ContainerFilter {
        Condition *conditions;
        size_t n;
};

static int prepare_regex(_unused_ const Context *context, Value *v, Error *reterr) {
        _cleanup_free_ regex_t *regex = calloc(1, sizeof(regex_t));
        char reason[128];

        if (!regex)
                return error_oom(reterr);
        int r = regcomp(regex, v->text, REG_EXTENDED | REG_NOSUB);
        if (r != 0) {
                (void) regerror(r, regex, reason, sizeof(reason));
                return error_set(reterr, -EINVAL, ERROR_INVALID, "'%s' is no regular expression: %s", v->text, reason);
        }
        v->regex = TAKE_PTR(regex);
        return 0;
}

static bool regex_matches(const Value *v, const char *text) {
        return text && regexec(v->regex, text, 0, NULL, 0) == 0;
}

static bool matches_id(const Container *c, const Value *v) {
        return str_after(c->config.id, v->text) || regex_matches(v, c->config.id);
}

static bool matches_name(const Container *c, const Value *v) {
        return regex_matches(v, c->config.name);
}

/* Digests are found by the ID's first digits, names by a regular expression, without ":latest" too. */
static bool matches_ancestor(const Container *c, const Value *v) {
        const char *name = c->config.image_name ?: c->config.image;
        _cleanup_free_ char *untagged = name && str_has_suffix(name, ":latest")
                                                ? strndup(name, strlen(name) - STRLEN(":latest"))
                                                : NULL;

        if (c->config.image_id && strlen(v->text) >= 3 && str_after(c->config.image_id, v->text))
                return true;
        return regex_matches(v, name) || regex_matches(v, untagged);
}

static bool matches_command(const Container *c, const Value *v) {
        const char *first = c->config.entrypoint ? c->config.entrypoint[0] : c->config.command ? c->config.command[0] : NULL;

        return str_equal(first, v->text);
}

static int prepare_exited(_unused_ const Context *context, Value *v, Error *reterr) {
        if (parse_i64(v->text, &v->number) < 0 || v->number < 0 || v->number > 255)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "'%s' is not an exit code of 0 to 255", v->text);
        return 0;
}

static bool matches_exited(const Container *c, const Value *v) {
        return c->status == CONTAINER_EXITED && c->state.exit_code == v->number;
}

static int prepare_status(_unused_ const Context *context, Value *v, Error *reterr) {
        const char *word = str_equal(v->text, "stopped") ? "exited" : str_equal(v->text, "configured") ? "created" : v->text;

        for (v->number = 0; v->number < _CONTAINER_STATUS_MAX; v->number++)
                if (strcmp(container_status_to_string((ContainerStatus) v->number), word) == 0)
                        return 0;
        return error_set(reterr, -EINVAL, ERROR_INVALID,
                         "'%s' is not one of created, running, paused, stopping, exited, removing", v->text);
}

static bool matches_status(const Container *c, const Value *v) {
        return c->status == (ContainerStatus) v->number;
}

/* "key", "key=value", and "key*" as a pattern. */
static bool has_label(const Container *c, const Value *v) {
        size_t n = strcspn(v->text, "=");
        _cleanup_free_ char *key = strndup(v->text, n);

        for (char **label = c->config.labels; key && label && *label; label++) {
                _cleanup_free_ char *name = strndup(*label, strcspn(*label, "="));
                const char *value = strchr(*label, '=');

                if (!name || fnmatch(key, name, 0) != 0)
                        continue;
                if (!v->text[n] || str_equal(value ? value + 1 : "", v->text + n + 1))
                        return true;
        }
        return false;
}

static bool lacks_label(const Container *c, const Value *v) {
        return !has_label(c, v);
}

/* By name or ID; one that is not there has no containers. */
static int prepare_pod(const Context *context, Value *v, Error *reterr) {
        _cleanup_free_ char *id = NULL;
        int r = pod_find(context->store, v->text, &id, reterr);

        if (r == -ENOENT) {
                error_done(reterr);
                return 0;
        }
        if (r < 0)
                return r;
        free(v->text);
        v->text = TAKE_PTR(id);
        return 0;
}

static bool matches_pod(const Container *c, const Value *v) {
        return c->config.pod && str_equal(c->config.pod, v->text);
}

static int prepare_container(const Context *context, Value *v, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        int r = container_open(context->store, v->text, &c, reterr);

        if (r < 0)
                return r;
        v->number = c.config.created_usec;
        return 0;
}

static int prepare_until(const Context *context, Value *v, Error *reterr) {
        return time_text_parse(v->text, context->now_usec, &v->number, reterr);
}

static bool matches_before(const Container *c, const Value *v) {
        return c->config.created_usec < v->number;
}

static bool matches_since(const Container *c, const Value *v) {
        return c->config.created_usec > v->number;
}

/* A volume's name, or the path it is mounted from or at, or "source:destination". */
static bool matches_volume(const Container *c, const Value *v) {
        const char *colon = strchr(v->text, ':');
        _cleanup_free_ char *source = colon ? strndup(v->text, (size_t) (colon - v->text)) : NULL;

        for (size_t i = 0; i < c->config.n_mounts; i++) {
                const ContainerMount *m = &c->config.mounts[i];

                if (str_equal(m->source, v->text) || str_equal(m->destination, v->text))
                        return true;
                if (source && str_equal(m->source, source) && str_equal(m->destination, colon + 1))
                        return true;
        }
        return false;
}

/* A network by its name, or by an ID or the beginning of one; else it may be a mode. */
static int prepare_network(const Context *context, Value *v, Error *reterr) {
        _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;

        if (!context->store || network_open(context->store, v->text, &network, /* reterr= */ NULL) < 0)
                return 0;
        return str_replace(&v->text, network.name) < 0 ? error_oom(reterr) : 0;
}

static bool matches_network(const Container *c, const Value *v) {
        const char *network = c->config.network ?: "slirp", *options = strchr(network, ':');
        size_t n = options ? (size_t) (options - network) : strlen(network);

        if (network_names_find(&c->config, v->text))
                return true;
        return strcmp(network, v->text) == 0 || (strlen(v->text) == n && memcmp(network, v->text, n) == 0) ||
               (str_after(network, "slirp") && str_equal(v->text, "slirp4netns"));
}

static int prepare_restart_policy(_unused_ const Context *context, Value *v, Error *reterr) {
        static const char *const words[] = { "no", "always", "on-failure", "unless-stopped" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcmp(v->text, words[i]) == 0)
                        return 0;
        return error_set(reterr, -EINVAL, ERROR_INVALID, "'%s' is not one of no, always, on-failure, unless-stopped", v->text);
}

static bool matches_restart_policy(const Container *c, const Value *v) {
        return str_equal(c->config.restart_policy ?: "no", v->text);
}

static int prepare_health(const Context *context, Value *v, Error *reterr) {
        static const char *const words[] = { "healthy", "none", "starting", "unhealthy" };

        v->store = context->store;
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcmp(v->text, words[i]) == 0)
                        return 0;
        return error_set(reterr, -EINVAL, ERROR_INVALID, "'%s' is not one of healthy, none, starting, unhealthy", v->text);
}

/* "none" is Docker's word for a container without a check. */
static bool matches_health(const Container *c, const Value *v) {
        _cleanup_free_ char *status = health_status(v->store, c);

        return str_equal(str_empty(status) ? "none" : status, v->text);
}

static int prepare_bool(_unused_ const Context *context, Value *v, Error *reterr) {
        if (parse_bool(v->text, &v->truth) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "'%s' is neither true nor false", v->text);
        return 0;
}

/* unless-stopped means: unless a person stopped it. */
static bool matches_start_on_boot(const Container *c, const Value *v) {
        bool starts = str_equal(c->config.restart_policy, "always") ||
                      (str_equal(c->config.restart_policy, "unless-stopped") && !c->state.stopped_by_user);

        return starts == v->truth;
}

static const Key keys[] = {
        { "ancestor", .prepare = prepare_regex, .matches = matches_ancestor },
        { "before", .prepare = prepare_container, .matches = matches_before },
        { "command", .matches = matches_command },
        { "exited", .prepare = prepare_exited, .matches = matches_exited },
        { "health", .prepare = prepare_health, .matches = matches_health },
        { "id", .prepare = prepare_regex, .matches = matches_id },
        { "label", .narrows = true, .matches = has_label },
        { "label!", .narrows = true, .matches = lacks_label },
        { "name", .prepare = prepare_regex, .matches = matches_name },
        { "network", .prepare = prepare_network, .matches = matches_network },
        { "pod", .prepare = prepare_pod, .matches = matches_pod },
        { "restart-policy", .prepare = prepare_restart_policy, .matches = matches_restart_policy },
        { "should-start-on-boot", .prepare = prepare_bool, .matches = matches_start_on_boot },
        { "since", .prepare = prepare_container, .matches = matches_since },
        { "status", .prepare = prepare_status, .matches = matches_status },
        { "until", .narrows = true, .prepare = prepare_until, .matches = matches_before },
        { "volume", .matches = matches_volume },
};

const char *const container_filter_keys[] = { "ancestor=", "before=", "command=", "exited=", "health=", "id=", "label=", "label!=",
                                              "name=", "network=", "pod=", "restart-policy=", "should-start-on-boot=", "since=",
                                              "status=", "until=", "volume=", NULL };

static const Key *find_key(const char *name, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (strlen(keys[i].name) == n && memcmp(keys[i].name, name, n) == 0)
                        return &keys[i];
        return NULL;
}

static Condition *find_condition(const ContainerFilter *filter, const Key *key) {
        for (size_t i = 0; i < filter->n; i++)
                if (filter->conditions[i].key == key)
                        return &filter->conditions[i];
        return NULL;
}

static int add(ContainerFilter *filter, const Context *context, const Key *key, const char *text, Error *reterr) {
        Condition *condition = find_condition(filter, key);

        if (!condition) {
                condition = container_array_add((void **) &filter->conditions, &filter->n, sizeof(Condition));
                if (!condition)
                        return error_oom(reterr);
                condition->key = key;
        }
        Value *value = container_array_add((void **) &condition->values, &condition->n, sizeof(Value));
        if (!value || !(value->text = strdup(text)))
                return error_oom(reterr);
        return key->prepare ? key->prepare(context, value, reterr) : 0;
}

int container_filter_parse(const Store *store, char *const *words, int64_t now_usec, ContainerFilter **ret, Error *reterr) {
        _cleanup_container_filter_ ContainerFilter *filter = calloc(1, sizeof(ContainerFilter));
        const Context context = { .store = store, .now_usec = now_usec };

        if (!filter)
                return error_oom(reterr);
        for (; words && *words; words++) {
                size_t n = strcspn(*words, "=");
                const Key *key = find_key(*words, n);

                if (!key)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot filter by '%s': there is no such filter", *words);
                if (key->refused)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot filter by '%s': %s", *words, key->refused);
                if (!(*words)[n])
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot filter by '%s': write %s=VALUE", *words, key->name);
                int r = add(filter, &context, key, *words + n + 1, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot filter by '%s'", *words);
        }
        *ret = TAKE_PTR(filter);
        return 0;
}

ContainerFilter *container_filter_free(ContainerFilter *filter) {
        if (!filter)
                return NULL;
        for (size_t i = 0; i < filter->n; i++) {
                Condition *c = &filter->conditions[i];

                for (size_t k = 0; k < c->n; k++) {
                        if (c->values[k].regex)
                                regfree(c->values[k].regex);
                        free(c->values[k].regex);
                        free(c->values[k].text);
                }
                free(c->values);
        }
        free(filter->conditions);
        free(filter);
        return NULL;
}

static bool condition_matches(const Condition *condition, const Container *c) {
        bool narrows = condition->key->narrows;

        for (size_t i = 0; i < condition->n; i++)
                if (condition->key->matches(c, &condition->values[i]) != narrows)
                        return !narrows;
        return narrows;
}

bool container_filter_matches(const ContainerFilter *filter, const Container *container) {
        for (size_t i = 0; filter && i < filter->n; i++)
                if (!condition_matches(&filter->conditions[i], container))
                        return false;
        return true;
}

bool container_filter_has(const ContainerFilter *filter, const char *key) {
        for (size_t i = 0; filter && i < filter->n; i++)
                if (strcmp(filter->conditions[i].key->name, key) == 0)
                        return true;
        return false;
}
