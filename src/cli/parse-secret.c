/* SPDX-License-Identifier: Apache-2.0 */
/* Reads --secret of run and create. */
#include "cli/parse-secret.h"

#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

enum { DEFAULT_MODE = 0444 };

static int set_name(ContainerSecret *s, const char *value, Error *reterr) {
        return str_replace(&s->name, value) < 0 ? error_oom(reterr) : 0;
}

static int set_type(ContainerSecret *s, const char *value, Error *reterr) {
        s->env = str_equal(value, "env");
        return s->env || str_equal(value, "mount") ? 0 : INVALID("type '%s' is neither mount nor env", value);
}

static int set_target(ContainerSecret *s, const char *value, Error *reterr) {
        return str_replace(&s->target, *value ? value : NULL) < 0 ? error_oom(reterr) : 0;
}

static int set_uid(ContainerSecret *s, const char *value, Error *reterr) {
        return parse_id(value, &s->uid) < 0 ? INVALID("uid '%s' is not a user ID", value) : 0;
}

static int set_gid(ContainerSecret *s, const char *value, Error *reterr) {
        return parse_id(value, &s->gid) < 0 ? INVALID("gid '%s' is not a group ID", value) : 0;
}

static int set_mode(ContainerSecret *s, const char *value, Error *reterr) {
        mode_t mode;

        if (parse_mode(value, &mode) < 0)
                return INVALID("mode '%s' is not an octal mode", value);
        s->mode = mode;
        return 0;
}

static const struct {
        const char *key;
        int (*set)(ContainerSecret *s, const char *value, Error *reterr);
        bool file_only;
} keys[] = {
        { "source", set_name },      { "type", set_type },        { "target", set_target },
        { "uid", set_uid, true },    { "gid", set_gid, true },    { "mode", set_mode, true },
};

static int set_word(ContainerSecret *s, const char *word, bool first, bool *file_only, Error *reterr) {
        const char *equals = strchr(word, '=');

        if (!equals && first)
                return set_name(s, word, reterr);
        for (size_t i = 0; equals && i < ELEMENTSOF(keys); i++) {
                size_t n = strlen(keys[i].key);

                if ((size_t) (equals - word) == n && strncmp(word, keys[i].key, n) == 0) {
                        *file_only = *file_only || keys[i].file_only;
                        return keys[i].set(s, equals + 1, reterr);
                }
        }
        return INVALID("'%s' is not an option of a secret", word);
}

/* What is below /run/secrets must stay there. */
static int check_target(const ContainerSecret *s, Error *reterr) {
        _cleanup_strv_ char **parts = s->target ? strv_split(s->target, "/") : NULL;

        if (!s->target)
                return 0;
        if (!parts)
                return error_oom(reterr);
        if (s->env)
                return strchr(s->target, '=') ? INVALID("the variable's name '%s' has a '='", s->target) : 0;
        if (strv_contains(parts, ".."))
                return INVALID("the target '%s' has a '..'", s->target);
        return str_empty(path_basename(s->target)) ? INVALID("the target '%s' is no file's name", s->target) : 0;
}

int parse_secret(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(value, ",");
        bool file_only = false;

        if (!words)
                return error_oom(reterr);
        ContainerSecret *s = container_array_add((void **) &config->secrets, &config->n_secrets, sizeof(*s));
        if (!s)
                return error_oom(reterr);
        s->mode = DEFAULT_MODE;
        for (size_t i = 0; words[i]; i++) {
                int r = set_word(s, words[i], i == 0, &file_only, reterr);

                if (r < 0)
                        return r;
        }
        if (str_empty(s->name))
                return INVALID("no secret is named");
        if (s->env && file_only)
                return INVALID("uid, gid and mode cannot be set with type=env");
        return check_target(s, reterr);
}
