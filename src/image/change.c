/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions by a table. */
#include "image/change.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

static int refuse(Error *reterr, const char *instruction, const char *reason) {
        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot make the change '%.200s': %s", instruction, reason);
}

/* Words with blanks between; quotes hold blanks together, a backslash takes the next byte as it is. */
static int split_words(const char *text, char ***ret) {
        _cleanup_strv_ char **words = NULL;

        for (;;) {
                _cleanup_free_ char *word = NULL;
                char quote = 0, *p;

                text += strspn(text, " \t\n");
                if (!*text)
                        break;
                word = p = malloc(strlen(text) + 1);
                if (!word)
                        return -ENOMEM;
                for (; *text && (quote || !strchr(" \t\n", *text)); text++) {
                        if (quote ? *text == quote : (*text == '"' || *text == '\''))
                                quote = quote ? 0 : *text;
                        else if (*text == '\\' && text[1] && quote != '\'')
                                *p++ = *++text;
                        else
                                *p++ = *text;
                }
                if (quote)
                        return -EINVAL;
                *p = 0;
                if (strv_append(&words, word) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(words);
        return 0;
}

/* ["a", "b"], or NULL in *ret if it is not in that form. */
static int json_words(const char *text, char ***ret) {
        _cleanup_json_ json_t *json = NULL;

        *ret = NULL;
        if (*text != '[' || json_parse(text, strlen(text), "change", &json, /* reterr= */ NULL) < 0)
                return 0;
        int r = json_to_strv(json, ret);
        return r == -EBADMSG ? 0 : r;
}

static int set_command(char ***to, const char *value) {
        char **words;
        int r = json_words(value, &words);

        if (r < 0)
                return r;
        if (!words && *value) {
                const char *const shell[] = { "/bin/sh", "-c", value };

                for (size_t i = 0; i < ELEMENTSOF(shell); i++)
                        if (strv_append(&words, shell[i]) < 0)
                                return -ENOMEM;
        }
        strv_free(*to);
        *to = words;
        return 0;
}

static int change_cmd(ImageConfig *c, const char *value) {
        return set_command(&c->cmd, value);
}

static int change_entrypoint(ImageConfig *c, const char *value) {
        return set_command(&c->entrypoint, value);
}

/* "A=1 B=2", or the old "A 1 and all the rest". */
static int set_pairs(char ***to, const char *value, bool old_form) {
        _cleanup_strv_ char **words = NULL;
        int r = split_words(value, &words);

        if (r < 0)
                return r;
        if (!words)
                return -EINVAL;
        if (old_form && !strchr(words[0], '=')) {
                _cleanup_free_ char *pair = NULL;
                size_t n = strcspn(value, " \t");

                if (!value[n])
                        return -EINVAL;
                pair = str_format("%.*s=%s", (int) n, value, value + n + strspn(value + n, " \t"));
                return pair ? strv_env_set(to, pair) : -ENOMEM;
        }
        for (char **word = words; *word; word++) {
                if (!strchr(*word, '=') || **word == '=')
                        return -EINVAL;
                r = strv_env_set(to, *word);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int change_env(ImageConfig *c, const char *value) {
        return set_pairs(&c->env, value, /* old_form= */ true);
}

static int change_label(ImageConfig *c, const char *value) {
        return set_pairs(&c->labels, value, /* old_form= */ true);
}

static int add_once(char ***to, const char *word) {
        return strv_contains(*to, word) ? 0 : strv_append(to, word);
}

static int change_expose(ImageConfig *c, const char *value) {
        _cleanup_strv_ char **words = NULL;
        int r = split_words(value, &words);

        if (r >= 0 && !words)
                r = -EINVAL;
        for (char **word = words; r >= 0 && word && *word; word++) {
                _cleanup_free_ char *port = strchr(*word, '/') ? strdup(*word) : str_format("%s/tcp", *word);

                r = port ? add_once(&c->exposed_ports, port) : -ENOMEM;
        }
        return r;
}

static int change_volume(ImageConfig *c, const char *value) {
        _cleanup_strv_ char **words = NULL;
        int r = json_words(value, &words);

        if (r >= 0 && !words)
                r = split_words(value, &words);
        if (r >= 0 && !words)
                r = -EINVAL;
        for (char **word = words; r >= 0 && word && *word; word++)
                r = add_once(&c->volumes, *word);
        return r;
}

static int set_one(char **to, const char *value) {
        return *value ? str_replace(to, value) : -EINVAL;
}

static int change_user(ImageConfig *c, const char *value) {
        return set_one(&c->user, value);
}

static int change_stop_signal(ImageConfig *c, const char *value) {
        return set_one(&c->stop_signal, value);
}

/* A relative directory counts from the one before. */
static int change_workdir(ImageConfig *c, const char *value) {
        char *path;

        if (!*value)
                return -EINVAL;
        path = *value == '/' ? strdup(value) : str_format("%s/%s", c->workdir && !str_equal(c->workdir, "/") ? c->workdir : "", value);
        if (!path)
                return -ENOMEM;
        free(c->workdir);
        c->workdir = path;
        return 0;
}

static int change_on_build(ImageConfig *c, const char *value) {
        return *value ? strv_append(&c->on_build, value) : -EINVAL;
}

int image_change(ImageConfig *config, const char *instruction, Error *reterr) {
        static const struct {
                const char *name;
                int (*change)(ImageConfig *c, const char *value);
        } rows[] = {
                { "CMD", change_cmd },       { "ENTRYPOINT", change_entrypoint }, { "ENV", change_env },
                { "EXPOSE", change_expose }, { "LABEL", change_label },           { "ONBUILD", change_on_build },
                { "STOPSIGNAL", change_stop_signal }, { "USER", change_user },    { "VOLUME", change_volume },
                { "WORKDIR", change_workdir },
        };
        size_t n = strcspn(instruction, " \t=");
        _cleanup_free_ char *value = NULL;

        if (!instruction[n])
                return refuse(reterr, instruction, "an instruction and its value are needed");
        const char *start = instruction + n + 1;
        start += strspn(start, " \t");
        value = strdup(start);
        if (!value)
                return error_oom(reterr);
        for (size_t end = strlen(value); end > 0 && isspace((unsigned char) value[end - 1]);)
                value[--end] = 0;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (strlen(rows[i].name) != n || strncasecmp(rows[i].name, instruction, n) != 0)
                        continue;
                int r = rows[i].change(config, value);
                if (r == -ENOMEM)
                        return error_oom(reterr);
                return r < 0 ? refuse(reterr, instruction, "not a value for it") : 0;
        }
        return refuse(reterr, instruction, "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR are possible");
}
