/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a container's life is made of. */
#include "cli/parse-life.h"

#include <sys/stat.h>

#include "base/parse.h"
#include "base/str.h"
#include "cli/parse-mount.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)
#define NOT_YET(...) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, __VA_ARGS__)

int parse_restart(ContainerConfig *config, const char *value, Error *reterr) {
        static const char *const policies[] = { "always", "unless-stopped", "on-failure" };
        size_t n = strcspn(value, ":");
        const char *policy = NULL;
        uint32_t retries = 0;

        for (size_t i = 0; i < ELEMENTSOF(policies); i++)
                if (strlen(policies[i]) == n && strncmp(value, policies[i], n) == 0)
                        policy = policies[i];
        if (!policy && !str_equal(value, "no") && !str_equal(value, "never") && *value)
                return INVALID("not one of no, always, unless-stopped, on-failure[:N]");
        if (value[n]) {
                if (!str_equal(policy, "on-failure"))
                        return INVALID("only on-failure counts its retries");
                if (parse_u32(value + n + 1, &retries) < 0)
                        return INVALID("'%s' is not a number of retries", value + n + 1);
        }
        if (str_replace(&config->restart_policy, policy) < 0)
                return error_oom(reterr);
        config->restart_retries = retries;
        return 0;
}

int parse_stop_signal(ContainerConfig *config, const char *value, Error *reterr) {
        return parse_signal(value, &config->stop_signal) < 0 ? INVALID("there is no such signal") : 0;
}

int parse_stop_timeout(ContainerConfig *config, const char *value, Error *reterr) {
        int64_t seconds;

        if (parse_i64(value, &seconds) < 0 || seconds < -1 || seconds > UINT32_MAX)
                return INVALID("not a number of seconds, nor -1");
        config->stop_timeout = seconds;
        return 0;
}

int parse_log_driver(ContainerConfig *config, const char *value, Error *reterr) {
        static const struct {
                const char *name, *means;
        } drivers[] = {
                { "journald", "journald" }, { "json-file", "k8s-file" }, { "k8s-file", "k8s-file" }, { "none", "none" },
                { "passthrough", "passthrough" },
        };

        for (size_t i = 0; i < ELEMENTSOF(drivers); i++)
                if (str_equal(drivers[i].name, value))
                        return str_replace(&config->log_driver, drivers[i].means) < 0 ? error_oom(reterr) : 0;
        return INVALID("not one of journald, json-file, k8s-file, none, passthrough");
}

int parse_log_opt(ContainerConfig *config, const char *value, Error *reterr) {
        const char *rest;
        _cleanup_free_ char *path = NULL, *absolute = NULL;
        uint64_t size;

        if (!strchr(value, '='))
                return INVALID("it is NAME=VALUE");
        if ((rest = str_after(value, "max-size="))) {
                if (parse_bytes(rest, &size) < 0 || size == 0)
                        return INVALID("'%s' is not a size such as 10m", rest);
        } else if ((rest = str_after(value, "path="))) {
                if (!*rest)
                        return INVALID("the path is missing");
                int r = parse_host_path(rest, &path, reterr);
                if (r < 0)
                        return r;
                absolute = str_format("path=%s", path);
                if (!absolute)
                        return error_oom(reterr);
        } else if (!str_after(value, "tag="))
                return NOT_YET("only path, max-size and tag are there yet");
        return strv_env_set(&config->log_opt, absolute ?: value) < 0 ? error_oom(reterr) : 0;
}

/* 1 and the words when the text is a JSON array of strings; 0 when it is something else. */
static int json_words(const char *text, char ***ret, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;

        if (text[strspn(text, " \t\r\n")] != '[')
                return 0;
        int r = json_parse(text, strlen(text), "words", &json, NULL);
        if (r == -ENOMEM)
                return error_oom(reterr);
        if (r < 0 || !json_is_array(json))
                return 0;
        r = json_to_strv(json, ret);
        if (r == -ENOMEM)
                return error_oom(reterr);
        return r < 0 ? 0 : 1;
}

int parse_entrypoint(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        int r = json_words(value, &words, reterr);

        if (r < 0)
                return r;
        if (r == 0 && *value && strv_append(&words, value) < 0)
                return error_oom(reterr);
        strv_free(config->entrypoint);
        config->entrypoint = TAKE_PTR(words);
        return 0;
}

/* The words of "CMD a b": cut at blanks. */
static int fields(const char *text, char ***ret, Error *reterr) {
        _cleanup_strv_ char **parts = strv_split(text, " \t\n"), **words = NULL;

        if (!parts)
                return error_oom(reterr);
        for (char **p = parts; *p; p++)
                if (**p && strv_append(&words, *p) < 0)
                        return error_oom(reterr);
        *ret = TAKE_PTR(words);
        return 0;
}

static int make_test(const char *kind, char *const *rest, char ***ret, Error *reterr) {
        _cleanup_strv_ char **test = NULL;

        if (strv_append(&test, kind) < 0 || strv_extend(&test, rest) < 0)
                return error_oom(reterr);
        strv_free(*ret);
        *ret = TAKE_PTR(test);
        return 0;
}

static int make_shell_test(char *text, char ***ret, Error *reterr) {
        char *const one[] = { text, NULL };

        if (!text)
                return error_oom(reterr);
        return *text ? make_test("CMD-SHELL", one, ret, reterr) : INVALID("the command is missing");
}

static int health_from_array(char **words, char ***ret, Error *reterr) {
        _cleanup_free_ char *joined = NULL;

        if (!words)
                return INVALID("the command is missing");
        if (strcasecmp(words[0], "none") == 0)
                return make_test("NONE", NULL, ret, reterr);
        if (strcasecmp(words[0], "CMD-SHELL") == 0) {
                joined = strv_join(words + 1, " ");
                return make_shell_test(joined, ret, reterr);
        }
        if (strcasecmp(words[0], "CMD") == 0)
                return words[1] ? make_test("CMD", words + 1, ret, reterr) : INVALID("the command is missing");
        return words[1] ? make_test("CMD", words, ret, reterr) : make_shell_test(words[0], ret, reterr);
}

static int health_from_text(const char *text, char ***ret, Error *reterr) {
        static const char blanks[] = " \t\n";
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *command = NULL;
        size_t n;

        text += strspn(text, blanks);
        n = strcspn(text, blanks);
        if (n == STRLEN("none") && strncasecmp(text, "none", n) == 0)
                return make_test("NONE", NULL, ret, reterr);
        if (n == STRLEN("CMD") && strncasecmp(text, "CMD", n) == 0) {
                int r = fields(text + n, &words, reterr);
                if (r < 0)
                        return r;
                return words ? make_test("CMD", words, ret, reterr) : INVALID("the command is missing");
        }
        if (n == STRLEN("CMD-SHELL") && strncasecmp(text, "CMD-SHELL", n) == 0)
                text += n + strspn(text + n, blanks);
        command = strdup(text);
        return make_shell_test(command, ret, reterr);
}

static int parse_health_test(const char *value, char ***test, Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        int is_array = json_words(value, &words, reterr);

        if (is_array < 0)
                return is_array;
        return is_array ? health_from_array(words, test, reterr) : health_from_text(value, test, reterr);
}

int parse_health_cmd(ContainerConfig *config, const char *value, Error *reterr) {
        return parse_health_test(value, &config->health.test, reterr);
}

int parse_health_startup_cmd(ContainerConfig *config, const char *value, Error *reterr) {
        return parse_health_test(value, &config->health.startup_test, reterr);
}

int parse_health_log_destination(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (!*value)
                return INVALID("it is local, events_logger or a directory");
        if (str_equal(value, "local") || str_equal(value, "events_logger"))
                return str_replace(&config->health.log_destination, str_equal(value, "local") ? NULL : value) < 0 ? error_oom(reterr) : 0;
        int r = parse_host_path(value, &path, reterr);
        if (r < 0)
                return r;
        if (stat(path, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot find '%s'", path);
        if (!S_ISDIR(st.st_mode))
                return INVALID("'%s' is not a directory", path);
        return str_replace(&config->health.log_destination, path) < 0 ? error_oom(reterr) : 0;
}

int parse_health_log(const char *value, uint32_t *ret, Error *reterr) {
        if (parse_u32(value, ret) < 0)
                return INVALID("not a number");
        if (*ret == 0)
                *ret = UINT32_MAX;
        return 0;
}

int parse_health_interval(ContainerConfig *config, const char *value, Error *reterr) {
        if (str_equal(value, "disable")) {
                config->health.interval_usec = UINT64_MAX;
                return 0;
        }
        if (parse_duration(value, &config->health.interval_usec) < 0)
                return INVALID("not a duration such as 30s, nor disable");
        if (config->health.interval_usec == 0)
                config->health.interval_usec = UINT64_MAX;
        return 0;
}

int parse_umask(ContainerConfig *config, const char *value, Error *reterr) {
        mode_t mode;

        if (parse_mode(value, &mode) < 0 || mode > 0777)
                return INVALID("not an octal mode up to 0777");
        return str_replace(&config->umask_text, value) < 0 ? error_oom(reterr) : 0;
}

int parse_annotation(ContainerConfig *config, const char *value, Error *reterr) {
        if (!strchr(value, '=') || *value == '=')
                return INVALID("it is KEY=VALUE");
        return strv_env_set(&config->annotations, value) < 0 ? error_oom(reterr) : 0;
}

int parse_name(ContainerConfig *config, const char *value, Error *reterr) {
        if (!container_name_is_valid(value))
                return INVALID("names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*");
        return str_replace(&config->name, value) < 0 ? error_oom(reterr) : 0;
}

/* A name or an ID: the container's own files say which names there are. */
static bool is_user_word(const char *text) {
        for (const char *p = text; *p; p++)
                if ((unsigned char) *p <= ' ' || *p == 0x7f || *p == ':' || *p == '/')
                        return false;
        return *text;
}

int parse_user(ContainerConfig *config, const char *value, Error *reterr) {
        const char *colon = strchr(value, ':');
        _cleanup_free_ char *user = strndup(value, colon ? (size_t) (colon - value) : strlen(value));

        if (!user)
                return error_oom(reterr);
        if (!is_user_word(user) || (colon && !is_user_word(colon + 1))) /* an empty variable must not mean root */
                return INVALID("it is USER[:GROUP], names or IDs");
        return str_replace(&config->user, value) < 0 ? error_oom(reterr) : 0;
}

int parse_group_add(ContainerConfig *config, const char *value, Error *reterr) {
        if (!is_user_word(value))
                return INVALID("not a group's name or ID");
        return strv_append(&config->group_add, value) < 0 ? error_oom(reterr) : 0;
}

int parse_workdir(ContainerConfig *config, const char *value, Error *reterr) {
        if (*value != '/')
                return INVALID("not an absolute path");
        return str_replace(&config->workdir, value) < 0 ? error_oom(reterr) : 0;
}

int parse_shm_size(ContainerConfig *config, const char *value, Error *reterr) {
        uint64_t size;

        if (parse_bytes(value, &size) < 0)
                return INVALID("not a size such as 64m");
        config->shm_size = size ?: UINT64_MAX;
        return 0;
}

int parse_systemd_mode(ContainerConfig *config, const char *value, Error *reterr) {
        bool on = true, always = str_equal(value, "always");

        if (!always && parse_bool(value, &on) < 0)
                return INVALID("--systemd values must be one of \"true, false, always\"");
        return str_replace(&config->systemd, always ? "always" : on ? NULL : "false") < 0 ? error_oom(reterr) : 0;
}
