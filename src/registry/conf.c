/* SPDX-License-Identifier: Apache-2.0 */
/* From TOML's tables to ours. A field of the wrong type refuses the file; a key that nobody knows is warned of, as newer
 * versions of the format have more of them. */
#include "registry/conf.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "registry/config-file.h"
#include "registry/toml.h"

static void registry_done(Registry *registry) {
        for (size_t i = 0; i < registry->n_mirrors; i++)
                free(registry->mirrors[i].location);
        free(registry->mirrors);
        free(registry->prefix);
        free(registry->location);
        *registry = (Registry){};
}

void registries_conf_done(RegistriesConf *conf) {
        for (size_t i = 0; i < conf->n_registries; i++)
                registry_done(conf->registries + i);
        free(conf->registries);
        free(conf->path);
        strv_free(conf->search);
        strv_free(conf->aliases);
        strv_free(conf->credential_helpers);
        *conf = (RegistriesConf){};
}

static int bad(const char *path, const char *key, const char *reason, Error *reterr) {
        return error_set(reterr, -EBADMSG, ERROR_INVALID, "cannot use '%s': %s: %s", path, key, reason);
}

static int get_bool(const json_t *table, const char *path, const char *key, bool *ret, Error *reterr) {
        const json_t *value = json_object_get(table, key);

        if (value && !json_is_boolean(value))
                return bad(path, key, "it is true or false", reterr);
        if (value)
                *ret = json_is_true(value);
        return 0;
}

static int get_string(const json_t *table, const char *path, const char *key, const char **ret, Error *reterr) {
        const json_t *value = json_object_get(table, key);

        if (value && !json_is_string(value))
                return bad(path, key, "it is a string", reterr);
        *ret = str_empty(json_string_value(value)) ? NULL : json_string_value(value);
        return 0;
}

/* Replaces a list if the table has the key. */
static int get_list(const json_t *table, const char *path, const char *key, char ***list, Error *reterr) {
        const json_t *value = json_object_get(table, key), *item;
        _cleanup_strv_ char **words = NULL;
        size_t i;

        if (!value)
                return 0;
        if (!json_is_array(value))
                return bad(path, key, "it is a list of strings", reterr);
        json_array_foreach(value, i, item) {
                if (!json_is_string(item))
                        return bad(path, key, "it is a list of strings", reterr);
                if (strv_append(&words, json_string_value(item)) < 0)
                        return error_oom(reterr);
        }
        strv_free(*list);
        *list = TAKE_PTR(words);
        return 0;
}

static void warn_unknown(const json_t *table, const char *path, const char *const *known, size_t n) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) table, key, value) {
                size_t i;

                for (i = 0; i < n && !str_equal(key, known[i]); i++)
                        ;
                if (i == n)
                        log_warning("'%s' has the unknown key '%s', which counts for nothing", path, key);
        }
}

/* "host[:port][/path]": no scheme, no space, no slash at the end. Owned. */
static int take_location(const char *path, const char *key, const char *text, char **ret, Error *reterr) {
        _cleanup_free_ char *copy = strdup(text);

        if (!copy)
                return error_oom(reterr);
        for (size_t n = strlen(copy); n > 0 && copy[n - 1] == '/'; n--)
                copy[n - 1] = 0;
        if (!*copy || strstr(copy, "://") || strpbrk(copy, " \t\r\n\"'?#%\\"))
                return bad(path, key, "it is a host with perhaps a port and a path, without a scheme", reterr);
        *ret = TAKE_PTR(copy);
        return 0;
}

static int read_mirror(const json_t *table, const char *path, const Registry *registry, Mirror *ret, Error *reterr) {
        static const char *const known[] = { "location", "insecure", "pull-from-mirror" };
        const char *location, *use;

        if (!json_is_object(table))
                return bad(path, "mirror", "it is a list of tables", reterr);
        warn_unknown(table, path, known, ELEMENTSOF(known));
        int r = get_string(table, path, "location", &location, reterr);
        if (r >= 0)
                r = get_string(table, path, "pull-from-mirror", &use, reterr);
        if (r >= 0)
                r = get_bool(table, path, "insecure", &ret->insecure, reterr);
        if (r < 0)
                return r;
        if (!location)
                return bad(path, "mirror", "it has no location", reterr);
        if (use && registry->mirror_by_digest_only)
                return bad(path, "pull-from-mirror", "it cannot stand beside mirror-by-digest-only", reterr);
        if (registry->mirror_by_digest_only || str_equal(use, "digest-only"))
                ret->use = MIRROR_DIGEST_ONLY;
        else if (str_equal(use, "tag-only"))
                ret->use = MIRROR_TAG_ONLY;
        else if (use && !str_equal(use, "all"))
                return bad(path, "pull-from-mirror", "it is all, digest-only or tag-only", reterr);
        return take_location(path, "location", location, &ret->location, reterr);
}

static int read_mirrors(const json_t *list, const char *path, Registry *registry, Error *reterr) {
        if (!list)
                return 0;
        if (!json_is_array(list))
                return bad(path, "mirror", "it is a list of tables", reterr);
        registry->mirrors = calloc(json_array_size(list) + 1, sizeof(*registry->mirrors));
        if (!registry->mirrors)
                return error_oom(reterr);
        for (size_t i = 0; i < json_array_size(list); i++) {
                int r = read_mirror(json_array_get(list, i), path, registry, registry->mirrors + registry->n_mirrors++, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool prefix_is_valid(const char *prefix) {
        return !strchr(prefix, '*') || (str_after(prefix, "*.") && !strpbrk(prefix + 1, "*/:@") && prefix[2]);
}

static int read_registry(const json_t *table, const char *path, Registry *ret, Error *reterr) {
        static const char *const known[] = { "prefix", "location", "insecure", "blocked", "mirror", "mirror-by-digest-only" };
        const char *prefix, *location;

        if (!json_is_object(table))
                return bad(path, "registry", "it is a list of tables", reterr);
        warn_unknown(table, path, known, ELEMENTSOF(known));
        int r = get_string(table, path, "prefix", &prefix, reterr);
        if (r >= 0)
                r = get_string(table, path, "location", &location, reterr);
        if (r >= 0)
                r = get_bool(table, path, "insecure", &ret->insecure, reterr);
        if (r >= 0)
                r = get_bool(table, path, "blocked", &ret->blocked, reterr);
        if (r >= 0)
                r = get_bool(table, path, "mirror-by-digest-only", &ret->mirror_by_digest_only, reterr);
        if (r < 0)
                return r;
        if (!prefix)
                prefix = location;
        if (!prefix || (!location && *prefix != '*'))
                return bad(path, "registry", "it has no location", reterr);
        r = take_location(path, "prefix", prefix, &ret->prefix, reterr);
        if (r >= 0 && !prefix_is_valid(ret->prefix))
                r = bad(path, "prefix", "a wildcard stands for the first part of a host alone: *.example.com", reterr);
        if (r >= 0 && location)
                r = take_location(path, "location", location, &ret->location, reterr);
        return r < 0 ? r : read_mirrors(json_object_get(table, "mirror"), path, ret, reterr);
}

/* A table replaces the one that has its prefix. */
static int add_registry(RegistriesConf *conf, Registry *registry) {
        Registry *registries;

        for (size_t i = 0; i < conf->n_registries; i++)
                if (str_equal(conf->registries[i].prefix, registry->prefix)) {
                        registry_done(conf->registries + i);
                        conf->registries[i] = *registry;
                        *registry = (Registry){};
                        return 0;
                }
        registries = reallocarray(conf->registries, conf->n_registries + 1, sizeof(*registries));
        if (!registries)
                return -ENOMEM;
        conf->registries = registries;
        registries[conf->n_registries++] = *registry;
        *registry = (Registry){};
        return 0;
}

static int read_registries(const json_t *list, const char *path, RegistriesConf *conf, Error *reterr) {
        if (list && !json_is_array(list))
                return bad(path, "registry", "it is a list of tables", reterr);
        for (size_t i = 0; i < json_array_size(list); i++) {
                _cleanup_(registry_done) Registry registry = {};

                int r = read_registry(json_array_get(list, i), path, &registry, reterr);
                if (r < 0)
                        return r;
                if (add_registry(conf, &registry) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int read_aliases(const json_t *table, const char *path, RegistriesConf *conf, Error *reterr) {
        const char *name;
        json_t *value;

        if (table && !json_is_object(table))
                return bad(path, "aliases", "it is a table", reterr);
        json_object_foreach((json_t *) table, name, value) {
                _cleanup_free_ char *pair = NULL;

                if (!json_is_string(value))
                        return bad(path, name, "an alias is a string", reterr);
                pair = str_format("%s=%s", name, json_string_value(value));
                if (!pair || strv_env_set(&conf->aliases, pair) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

/* Version 1: [registries.search], [registries.insecure], [registries.block], each with a list `registries`. */
static int read_old(const json_t *old, const char *path, RegistriesConf *conf, Error *reterr) {
        static const char *const lists[] = { "insecure", "block" };

        int r = get_list(json_object_get(old, "search"), path, "registries", &conf->search, reterr);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(lists); i++) {
                _cleanup_strv_ char **hosts = NULL;

                r = get_list(json_object_get(old, lists[i]), path, "registries", &hosts, reterr);
                for (char **host = hosts; r >= 0 && host && *host; host++) {
                        _cleanup_(registry_done) Registry registry = {};
                        const Registry *before = registries_conf_find(conf, *host, NULL);

                        r = take_location(path, "registries", *host, &registry.prefix, reterr);
                        if (r < 0)
                                break;
                        registry.location = strdup(registry.prefix);
                        registry.insecure = i == 0 || (before && before->insecure);
                        registry.blocked = i == 1;
                        if (!registry.location || add_registry(conf, &registry) < 0)
                                return error_oom(reterr);
                }
        }
        return r;
}

int registries_conf_parse(const char *text, const char *path, RegistriesConf *conf, Error *reterr) {
        static const char *const known[] = { "unqualified-search-registries", "credential-helpers", "short-name-mode", "registry", "aliases",
                                             "registries" };
        _cleanup_json_ json_t *json = NULL;
        const char *mode;

        int r = toml_parse(text, path, &json, reterr);
        if (r < 0)
                return r;
        warn_unknown(json, path, known, ELEMENTSOF(known));
        const json_t *old = json_object_get(json, "registries");
        if (old && json_object_size(json) > 1)
                return bad(path, "registries", "versions 1 and 2 of the format are mixed", reterr);
        if (old)
                return read_old(old, path, conf, reterr);
        r = get_list(json, path, "unqualified-search-registries", &conf->search, reterr);
        if (r >= 0)
                r = get_list(json, path, "credential-helpers", &conf->credential_helpers, reterr);
        if (r >= 0)
                r = get_string(json, path, "short-name-mode", &mode, reterr);
        if (r < 0)
                return r;
        if (str_equal(mode, "enforcing"))
                conf->mode = SHORT_NAME_ENFORCING;
        else if (str_equal(mode, "disabled"))
                conf->mode = SHORT_NAME_DISABLED;
        else if (str_equal(mode, "permissive"))
                conf->mode = SHORT_NAME_PERMISSIVE;
        else if (mode)
                return bad(path, "short-name-mode", "it is enforcing, permissive or disabled", reterr);
        r = read_registries(json_object_get(json, "registry"), path, conf, reterr);
        return r < 0 ? r : read_aliases(json_object_get(json, "aliases"), path, conf, reterr);
}

/* A file that may be missing: 1 if it is there. */
static int load_file(const char *path, RegistriesConf *conf, Error *reterr) {
        _cleanup_free_ char *text = NULL;

        int r = config_file_read(path, &text, reterr);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = registries_conf_parse(text, path, conf, reterr);
        return r < 0 ? r : 1;
}

static int load_dir(const char *dir, RegistriesConf *conf, Error *reterr) {
        _cleanup_strv_ char **names = NULL;

        int r = config_list(dir, ".conf", &names, reterr);
        for (char **name = names; r >= 0 && name && *name; name++) {
                _cleanup_free_ char *path = str_format("%s/%s", dir, *name);

                r = path ? load_file(path, conf, reterr) : error_oom(reterr);
        }
        return r;
}

int registries_conf_load(RegistriesConf *ret, Error *reterr) {
        _cleanup_registries_conf_ RegistriesConf conf = {};
        _cleanup_free_ char *user = config_home_path("containers/registries.conf"), *dir = user ? str_format("%s.d", user) : NULL;
        const char *said = getenv("CONTAINERS_REGISTRIES_CONF");
        int r = 0;

        if (!str_empty(said)) {
                r = load_file(said, &conf, reterr);
                if (r == 0)
                        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot read '%s' of $CONTAINERS_REGISTRIES_CONF: it is not there", said);
        } else if (user)
                r = load_file(user, &conf, reterr);
        conf.path = strdup(r > 0 ? (!str_empty(said) ? said : user) : "/etc/containers/registries.conf");
        if (!conf.path)
                return error_oom(reterr);
        /* a file of the user's own stands for the system's and its drop-ins */
        if (r == 0)
                r = load_file(conf.path, &conf, reterr);
        if (r >= 0 && (!user || !str_equal(conf.path, user)))
                r = load_dir("/etc/containers/registries.conf.d", &conf, reterr);
        if (r >= 0 && dir)
                r = load_dir(dir, &conf, reterr);
        if (r < 0)
                return r;
        *ret = conf;
        conf = (RegistriesConf){};
        return 0;
}

size_t registry_prefix_matches(const char *prefix, const char *name) {
        size_t n = strlen(prefix);

        if (str_after(prefix, "*.")) {
                size_t host = strcspn(name, "/:@"), suffix = n - 1;

                return host > suffix && strncmp(name + host - suffix, prefix + 1, suffix) == 0 ? strcspn(name, "/@") : 0;
        }
        if (strncmp(name, prefix, n) != 0)
                return 0;
        /* a port makes another registry of it; behind a path, ':' begins a tag */
        return !name[n] || name[n] == '/' || name[n] == '@' || (name[n] == ':' && strchr(prefix, '/')) ? n : 0;
}

const Registry *registries_conf_find(const RegistriesConf *conf, const char *name, size_t *ret_matched) {
        const Registry *found = NULL;

        for (size_t i = 0; i < conf->n_registries; i++) {
                const Registry *registry = conf->registries + i;
                size_t n = registry_prefix_matches(registry->prefix, name);

                if (n > 0 && (!found || strlen(registry->prefix) > strlen(found->prefix))) {
                        found = registry;
                        if (ret_matched)
                                *ret_matched = n;
                }
        }
        return found;
}
