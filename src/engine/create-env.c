/* SPDX-License-Identifier: Apache-2.0 */
/* The environment that a container is made with. */
#include "engine/create-env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

/* ---- ${NAME} ---- */

/* What stands between the braces; *p is behind the opening one, and is left behind the closing one. */
static int expand_braces(const char **p, char *const *env, FILE *out, Error *reterr) {
        size_t n = strspn(*p, NAME_LETTERS);
        _cleanup_free_ char *name = strndup(*p, n), *other = NULL;
        const char *rest = *p + n, *end = strchr(rest, '}'), *value;
        char sign = 0;

        if (!name)
                return error_oom(reterr);
        if (n == 0 || !end)
                return INVALID("'${' without a name and '}'");
        if (*rest == ':') {
                sign = rest[1];
                if (sign != '-' && sign != '+')
                        return INVALID("'${%s:%c' is neither :- nor :+", name, sign);
                rest += 2;
        } else if (rest != end)
                return INVALID("'%.*s' is not a variable's name", (int) (end - *p), *p);
        if (sign && !(other = strndup(rest, (size_t) (end - rest))))
                return error_oom(reterr);
        value = strv_env_get(env, name);
        if (sign == '-' ? str_empty(value) : sign == '+' && !str_empty(value))
                value = other;
        else if (sign == '+')
                value = NULL;
        (void) fputs(value ?: "", out);
        *p = end + 1;
        return 0;
}

static int expand_name(const char **p, char *const *env, FILE *out, Error *reterr) {
        if (**p == '{') {
                ++*p;
                return expand_braces(p, env, out, reterr);
        }
        size_t n = strspn(*p, NAME_LETTERS);
        _cleanup_free_ char *name = strndup(*p, n);
        if (!name)
                return error_oom(reterr);
        (void) fputs(n == 0 ? "$" : strv_env_get(env, name) ?: "", out);
        *p += n;
        return 0;
}

int create_env_expand(const char *word, char *const *env, char **ret, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        char quote = 0;
        int r = out ? 0 : error_oom(reterr);

        for (const char *p = word; r >= 0 && *p;) {
                if (*p == '\\' && quote != '\'' && p[1]) {
                        if (quote == '"' && !strchr("\"$\\", p[1]))
                                (void) fputc('\\', out);
                        (void) fputc(p[1], out);
                        p += 2;
                } else if ((*p == '\'' || *p == '"') && (!quote || quote == *p)) {
                        quote = quote ? 0 : *p;
                        p++;
                } else if (*p == '$' && quote != '\'') {
                        p++;
                        r = expand_name(&p, env, out, reterr);
                } else
                        (void) fputc(*p++, out);
        }
        if (r >= 0 && quote)
                r = INVALID("a quote does not end");
        if (out && (fclose(out) != 0 || !text) && r >= 0)
                r = error_oom(reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

/* ---- the layers ---- */

static int merge(char ***env, char *const *words, Error *reterr) {
        for (char *const *w = words; w && *w; w++) {
                _cleanup_free_ char *made = NULL;
                int r = create_env_expand(*w, *env, &made, reterr);

                if (r >= 0 && (!strchr(made, '=') || *made == '='))
                        r = INVALID("it is NAME=VALUE");
                if (r < 0)
                        return error_prefix(reterr, r, "cannot use '--env-merge %s'", *w);
                if (strv_env_set(env, made) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int set_all(char ***env, char *const *pairs) {
        int r = 0;

        for (char *const *p = pairs; p && *p && r >= 0; p++)
                r = strv_env_set(env, *p);
        return r;
}

int create_env_merge(ContainerConfig *config, char *const *image_env, const CreateOptions *options, Error *reterr) {
        static const char *const defaults[] = {
                DEFAULT_PATH, "container=podman" /* the word that programs in images look for */,
                "TERM=xterm" /* with or without a terminal, as in Podman */, NULL,
        };
        _cleanup_strv_ char **env = NULL;
        int r = options->unset_env_all ? 0 : set_all(&env, (char *const *) defaults);

        if (r >= 0 && !options->unset_env_all)
                r = set_all(&env, image_env);
        if (r < 0)
                return error_oom(reterr);
        if (!options->unset_env_all)
                r = merge(&env, options->env_merge, reterr);
        if (r < 0)
                return r;
        for (char *const *name = options->unset_env; name && *name; name++)
                strv_env_unset(env, *name);
        r = set_all(&env, options->env_host);
        if (r >= 0)
                r = set_all(&env, config->env);
        if (r < 0)
                return error_oom(reterr);
        strv_free(config->env);
        config->env = TAKE_PTR(env);
        return 0;
}
