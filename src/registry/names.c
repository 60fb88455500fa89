/* SPDX-License-Identifier: Apache-2.0 */
/* Short names by aliases, search registries and questions. */
#include "registry/names.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "registry/conf.h"
#include "registry/config-file.h"
#include "registry/toml.h"

enum { ANSWER_LENGTH = 64 };

/* "host/path" with the tag and digest that the word had. Owned. */
static char *add_tag(const char *repository, const Reference *reference) {
        const char *tag = reference->tag ?: (reference->digest ? NULL : "latest");

        return str_format("%s%s%s%s%s", repository, tag ? ":" : "", tag ?: "", reference->digest ? "@" : "", reference->digest ?: "");
}

/* The file of aliases that were chosen: of root below /var/cache. Owned. */
static char *aliases_path(void) {
        const char *cache = getenv("XDG_CACHE_HOME");

        if (geteuid() == 0)
                return strdup("/var/cache/containers/short-name-aliases.conf");
        return cache && *cache == '/' ? str_format("%s/containers/short-name-aliases.conf", cache)
                                      : config_user_path(".cache/containers/short-name-aliases.conf");
}

static int load_conf(RegistriesConf *conf, Error *reterr) {
        _cleanup_free_ char *path = aliases_path(), *text = NULL;

        int r = registries_conf_load(conf, reterr);
        if (r < 0)
                return r;
        r = path ? config_file_read(path, &text, reterr) : -ENOENT;
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : registries_conf_parse(text, path, conf, reterr);
}

/* The alias of a short name; NULL. One with an empty value is erased. Borrowed. */
static const char *find_alias(const RegistriesConf *conf, const char *path) {
        const char *value = strv_env_get(conf->aliases, path);

        return str_empty(value) ? NULL : value;
}

static int resolve_alias(const char *alias, const char *word, const Reference *reference, char ***names, Error *reterr) {
        _cleanup_reference_ Reference target = {};
        _cleanup_free_ char *repository = NULL;

        int r = reference_parse(alias, &target, reterr);
        if (r < 0 || !target.domain || target.tag || target.digest)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the alias '%s' of '%s': a name with a host and without tag or digest is needed", alias, word);
        repository = reference_repository(&target, target.domain);
        if (!repository)
                return error_oom(reterr);
        return strv_consume(names, add_tag(repository, reference)) < 0 ? error_oom(reterr) : 0;
}

/* Asks a person at a terminal, and leaves only what was chosen. */
static int choose(const char *word, char ***names, Error *reterr) {
        size_t n = strv_length(*names);
        char answer[ANSWER_LENGTH];
        char *chosen;
        uint64_t number;

        (void) fprintf(stderr, "Which '%s' is meant?\n", word);
        for (size_t i = 0; i < n; i++)
                (void) fprintf(stderr, "  %zu  %s\n", i + 1, (*names)[i]);
        (void) fprintf(stderr, "Number [1]: ");
        (void) fflush(stderr);
        if (!fgets(answer, sizeof(answer), stdin))
                return error_set(reterr, -ECANCELED, ERROR_INVALID, "cannot use the short name '%s': no registry was chosen", word);
        answer[strcspn(answer, "\n")] = 0;
        if (!*answer)
                number = 1;
        else if (parse_u64(answer, &number) < 0 || number < 1 || number > n)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the short name '%s': '%s' is none of the numbers", word, answer);
        chosen = (*names)[number - 1];
        for (size_t i = 0; i < n; i++)
                if (i != number - 1)
                        free((*names)[i]);
        (*names)[0] = chosen;
        (*names)[1] = NULL;
        return 0;
}

static int search(const RegistriesConf *conf, const char *word, const Reference *reference, char ***names, Error *reterr) {
        bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

        for (char **host = conf->search; host && *host; host++) {
                _cleanup_free_ char *repository = reference_repository(reference, *host);

                if (!repository || strv_consume(names, add_tag(repository, reference)) < 0)
                        return error_oom(reterr);
        }
        if (!*names) {
                (void) error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot use the short name '%s': there is no such alias, and '%s' names no registries to search",
                                 word, conf->path);
                return error_with_hint(reterr, -ENOENT, "say the whole name, like docker.io/library/%s, or set unqualified-search-registries", word);
        }
        if (strv_length(*names) == 1 || conf->mode == SHORT_NAME_DISABLED)
                return 0;
        if (terminal)
                return choose(word, names, reterr);
        if (conf->mode == SHORT_NAME_ENFORCING)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the short name '%s': several registries may be meant (short-name-mode is enforcing), and there is no terminal to ask",
                                 word);
        return 0;
}

int registry_short_names(const char *word, char ***ret_full, Error *reterr) {
        _cleanup_registries_conf_ RegistriesConf conf = {};
        _cleanup_reference_ Reference reference = {};
        _cleanup_strv_ char **names = NULL;

        int r = reference_parse(word, &reference, reterr);
        if (r < 0)
                return r;
        if (reference.domain) {
                _cleanup_free_ char *repository = reference_repository(&reference, reference.domain);

                if (!repository || strv_consume(&names, add_tag(repository, &reference)) < 0)
                        return error_oom(reterr);
                *ret_full = TAKE_PTR(names);
                return 0;
        }
        r = load_conf(&conf, reterr);
        if (r < 0)
                return r;
        const char *alias = find_alias(&conf, reference.path);
        r = alias ? resolve_alias(alias, word, &reference, &names, reterr) : search(&conf, word, &reference, &names, reterr);
        if (r < 0)
                return r;
        *ret_full = TAKE_PTR(names);
        return 0;
}

/* The file with one alias more. Owned. */
static char *print_aliases(json_t *aliases) {
        char *text = strdup("[aliases]\n");
        const char *name;
        json_t *value;

        json_object_foreach(aliases, name, value) {
                char *longer = text ? str_format("%s  \"%s\" = \"%s\"\n", text, name, json_string_value(value)) : NULL;

                free(text);
                text = longer;
        }
        return text;
}

int registry_short_name_record(const char *word, const char *full, Error *reterr) {
        _cleanup_registries_conf_ RegistriesConf conf = {};
        _cleanup_reference_ Reference short_name = {}, target = {};
        _cleanup_free_ char *path = aliases_path(), *dir = NULL, *text = NULL, *repository = NULL, *body = NULL;
        _cleanup_json_ json_t *json = NULL;
        _cleanup_fd_ int dir_fd = -EBADF;
        json_t *aliases;

        int r = reference_parse(word, &short_name, reterr);
        if (r >= 0 && short_name.domain)
                return 0;
        if (r >= 0)
                r = reference_parse(full, &target, reterr);
        if (r >= 0)
                r = load_conf(&conf, reterr);
        if (r < 0)
                return r;
        bool asked = conf.mode != SHORT_NAME_DISABLED && strv_length(conf.search) > 1 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
        if (!asked || find_alias(&conf, short_name.path) || !target.domain || !path)
                return 0;
        repository = reference_repository(&target, target.domain);
        dir = strndup(path, (size_t) (strrchr(path, '/') - path));
        if (!repository || !dir)
                return error_oom(reterr);
        r = config_file_read(path, &text, reterr);
        if (r >= 0)
                r = toml_parse(text, path, &json, reterr);
        else if (r == -ENOENT)
                r = (json = json_object()) ? 0 : error_oom(reterr);
        if (r < 0)
                return r;
        aliases = json_object_get(json, "aliases");
        if (!aliases && json_object_set_new(json, "aliases", json_object()) == 0)
                aliases = json_object_get(json, "aliases");
        if (!aliases || json_object_set_new(aliases, short_name.path, json_string(repository)) < 0 || !(body = print_aliases(aliases)))
                return error_oom(reterr);
        r = path_mkdirs(dir, 0700);
        if (r >= 0) {
                dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                r = dir_fd < 0 ? -errno : file_write_atomic(dir_fd, path_basename(path), body, strlen(body), 0600, FILE_VOLATILE);
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot write '%s'", path) : 0;
}
