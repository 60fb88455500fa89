/* SPDX-License-Identifier: Apache-2.0 */
/* Searching: by version 1's search where a registry has it, else through the catalog of version 2, as Podman does. What
 * servers say is cut to what fits a list: strings, numbers and nothing else. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "registry/command.h"
#include "registry/conf.h"

enum { DEFAULT_LIMIT = 25, MOST = 100000, PAGES_LIMIT = 1000 };

typedef struct Search {
        RegistryClient *client;
        const char *registry, *term;
        char *index;           /* the registry's domain of two labels, as Podman shows it */
        size_t limit;
        json_t *rows;          /* borrowed */
        size_t n;
} Search;

/* Everything before the first slash is a registry: the term may be anything, so it is no reference. */
static int split_term(const char *term, char ***ret_registries, const char **ret_term, Error *reterr) {
        _cleanup_registries_conf_ RegistriesConf conf = {};
        const char *slash = strchr(term, '/');

        if (slash) {
                *ret_term = slash + 1;
                return strv_consume(ret_registries, strndup(term, (size_t) (slash - term))) < 0 ? error_oom(reterr) : 0;
        }
        *ret_term = term;
        int r = registries_conf_load(&conf, reterr);
        if (r < 0)
                return r;
        if (!conf.search) {
                (void) error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot search for '%s': '%s' names no registries to search", term, conf.path);
                return error_with_hint(reterr, -ENOENT, "put a registry before it: docker.io/%s", term);
        }
        *ret_registries = TAKE_PTR(conf.search);
        return 0;
}

static char *make_index(const char *registry) {
        const char *p = registry + strlen(registry);
        unsigned dots = 0;

        for (const char *q = registry; *q; q++)
                dots += *q == '.';
        if (dots < 2)
                return strdup(registry);
        for (dots = 0; p > registry; p--)
                if (p[-1] == '.' && ++dots == 2)
                        break;
        return strdup(p);
}

static int add_row(Search *s, const json_t *result, const char *name, Error *reterr) {
        bool library = str_equal(s->registry, DOCKER_DOMAIN) && !strchr(name, '/');
        _cleanup_free_ char *full = str_format("%s/%s%s", s->registry, library ? "library/" : "", name);
        json_t *row;

        if (!full)
                return error_oom(reterr);
        row = json_pack("{s:s, s:s, s:s, s:I, s:b, s:b, s:s}", "Index", s->index, "Name", full, "Description",
                        json_get_string(result, "description") ?: "", "Stars", (json_int_t) json_get_integer(result, "star_count", 0), "Official",
                        json_get_bool(result, "is_official", false), "Automated", json_get_bool(result, "is_automated", false), "Tag", "");
        if (!row || json_array_append_new(s->rows, row) < 0)
                return error_oom(reterr);
        s->n++;
        return 0;
}

static int ask(Search *s, const char *path, const char *what, json_t **ret, char **ret_next, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        int r = registry_get(s->client, path, &text, &size, ret_next, reterr);
        return r < 0 ? r : json_parse(text, size, what, ret, reterr);
}

/* The term is a person's: what is not plain in an address is escaped. Owned. */
static char *escape(const char *term) {
        char *text = malloc(3 * strlen(term) + 1), *p = text;

        for (; text && *term; term++)
                if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~", *term))
                        *p++ = *term;
                else
                        p += snprintf(p, 4, "%%%02X", (unsigned char) *term);
        if (text)
                *p = 0;
        return text;
}

/* 1: it has answered. A registry that does not know it is asked otherwise. */
static int search_v1(Search *s, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *escaped = escape(s->term), *path = NULL;
        _cleanup_json_ json_t *json = NULL;
        const json_t *result;
        size_t i;

        path = escaped ? str_format("/v1/search?q=%s&n=%zu", escaped, s->limit) : NULL;
        if (!path)
                return error_oom(reterr);
        int r = ask(s, path, "the registry's results", &json, NULL, &error);
        if (r < 0 && (error.kind == ERROR_UNREACHABLE || r == -ENOMEM))
                return error_move(reterr, &error);
        if (r < 0) {
                log_debug("%s", error.message ?: "no search of version 1");
                return 0;
        }
        if (!json_is_array(json_object_get(json, "results")))
                return 0;
        json_array_foreach(json_object_get(json, "results"), i, result) {
                const char *name = json_get_string(result, "name");

                if (s->n >= s->limit)
                        break;
                r = name ? add_row(s, result, name, reterr) : 0;
                if (r < 0)
                        return r;
        }
        return 1;
}

static int search_catalog(Search *s, Error *reterr) {
        _cleanup_free_ char *path = strdup("/v2/_catalog");

        for (unsigned page = 0; path && page < PAGES_LIMIT && s->n < s->limit; page++) {
                _cleanup_json_ json_t *json = NULL;
                _cleanup_free_ char *next = NULL;
                const json_t *name;
                size_t i;

                int r = ask(s, path, "the registry's catalog", &json, &next, reterr);
                if (r < 0)
                        return r;
                json_array_foreach(json_object_get(json, "repositories"), i, name) {
                        if (s->n >= s->limit || !json_is_string(name) || !strstr(json_string_value(name), s->term))
                                continue;
                        r = add_row(s, NULL, json_string_value(name), reterr);
                        if (r < 0)
                                return r;
                }
                free(path);
                path = TAKE_PTR(next);
        }
        return 0;
}

static int search_one(const SearchOptions *options, const char *registry, const char *term, json_t *rows, Error *reterr) {
        _cleanup_registry_client_ RegistryClient *client = NULL;
        _cleanup_free_ char *index = make_index(registry);
        Search s = { .registry = registry, .term = term, .index = index, .rows = rows,
                     .limit = options->limit == 0 ? DEFAULT_LIMIT : (size_t) MIN(options->limit, (uint64_t) MOST) };
        /* Docker's hub searches at a host of its own */
        const Reference reference = { .domain = (char *) (str_equal(registry, DOCKER_DOMAIN) ? "index.docker.io" : registry), .path = (char *) "" };
        RegistryOptions registry_options = options->registry;

        registry_options.push = true; /* the registry itself, not a mirror of it */
        if (!index)
                return error_oom(reterr);
        int r = registry_client_new(&registry_options, &reference, &client, reterr);
        if (r < 0)
                return r;
        s.client = client;
        r = *term ? search_v1(&s, reterr) : 0;
        return r == 0 ? search_catalog(&s, reterr) : MIN(r, 0);
}

static int list_tags(const SearchOptions *options, const char *term, json_t *rows, Error *reterr) {
        _cleanup_registry_client_ RegistryClient *client = NULL;
        _cleanup_reference_ Reference reference = {};
        _cleanup_free_ char *name = NULL;
        _cleanup_strv_ char **tags = NULL;
        size_t n = 0, limit = options->limit == 0 ? DEFAULT_LIMIT : (size_t) MIN(options->limit, (uint64_t) MOST);

        int r = reference_parse(str_after(term, "docker://") ?: term, &reference, reterr);
        if (r < 0)
                return r;
        if (!reference.domain || reference.tag || reference.digest)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot list the tags of '%s': a repository in full is needed, without a tag", term);
        name = reference_repository(&reference, reference.domain);
        if (!name)
                return error_oom(reterr);
        r = registry_client_new(&options->registry, &reference, &client, reterr);
        if (r >= 0)
                r = registry_tags_list(client, &tags, reterr);
        for (char **tag = tags; r >= 0 && tag && *tag && n < limit; tag++, n++) {
                json_t *row = json_pack("{s:s, s:s}", "Name", name, "Tag", *tag);

                if (!row || json_array_append_new(rows, row) < 0)
                        r = error_oom(reterr);
        }
        return r;
}

int registry_search(const char *term, const SearchOptions *options, FILE *out, Error *reterr) {
        _cleanup_strv_ char **registries = NULL;
        _cleanup_json_ json_t *rows = json_array();
        int r = 0;

        if (!rows)
                return error_oom(reterr);
        if (options->list_tags)
                r = list_tags(options, term, rows, reterr);
        else {
                r = split_term(term, &registries, &term, reterr);
                for (char **registry = registries; r >= 0 && *registry; registry++)
                        r = search_one(options, *registry, term, rows, reterr);
        }
        if (r < 0)
                return r;
        return json_dumpf(rows, out, JSON_COMPACT) < 0 ? error_set(reterr, -EIO, ERROR_INTERNAL, "cannot write the results") : 0;
}
