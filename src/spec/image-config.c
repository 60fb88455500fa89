/* SPDX-License-Identifier: Apache-2.0 */
/* Image configs by tables; what the tables cannot say (sets written as objects, limits) by hand. */
#include "spec/image-config.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "base/parse.h"
#include "base/str.h"
#include "spec/digest.h"
#include "spec/manifest.h"

static const JsonField health_fields[] = {
        JSON_FIELD(ImageHealth, test, "Test", JSON_FIELD_STRV),
        JSON_FIELD(ImageHealth, interval_nsec, "Interval", JSON_FIELD_INT64),
        JSON_FIELD(ImageHealth, timeout_nsec, "Timeout", JSON_FIELD_INT64),
        JSON_FIELD(ImageHealth, start_period_nsec, "StartPeriod", JSON_FIELD_INT64),
        JSON_FIELD(ImageHealth, retries, "Retries", JSON_FIELD_INT64),
        {},
};

/* The object "config". Volumes and ExposedPorts are sets: objects whose values mean nothing. */
static const JsonField process_fields[] = {
        JSON_FIELD(ImageConfig, user, "User", JSON_FIELD_STRING),
        JSON_FIELD(ImageConfig, env, "Env", JSON_FIELD_STRV),
        JSON_FIELD(ImageConfig, entrypoint, "Entrypoint", JSON_FIELD_STRV),
        JSON_FIELD(ImageConfig, cmd, "Cmd", JSON_FIELD_STRV),
        JSON_FIELD(ImageConfig, workdir, "WorkingDir", JSON_FIELD_STRING),
        JSON_FIELD(ImageConfig, labels, "Labels", JSON_FIELD_PAIRS),
        JSON_FIELD(ImageConfig, stop_signal, "StopSignal", JSON_FIELD_STRING),
        JSON_FIELD(ImageConfig, shell, "Shell", JSON_FIELD_STRV),
        JSON_FIELD(ImageConfig, on_build, "OnBuild", JSON_FIELD_STRV),
        JSON_FIELD_OBJECT_OF(ImageConfig, health, "Healthcheck", health_fields),
        {},
};

static const JsonField history_fields[] = {
        JSON_FIELD(ImageHistory, created, "created", JSON_FIELD_STRING),
        JSON_FIELD(ImageHistory, created_by, "created_by", JSON_FIELD_STRING),
        JSON_FIELD(ImageHistory, author, "author", JSON_FIELD_STRING),
        JSON_FIELD(ImageHistory, comment, "comment", JSON_FIELD_STRING),
        JSON_FIELD(ImageHistory, empty_layer, "empty_layer", JSON_FIELD_BOOL),
        {},
};

static const JsonField image_fields[] = {
        JSON_FIELD(ImageConfig, created, "created", JSON_FIELD_STRING),
        JSON_FIELD(ImageConfig, author, "author", JSON_FIELD_STRING),
        JSON_FIELD(ImageConfig, architecture, "architecture", JSON_FIELD_STRING),
        JSON_FIELD(ImageConfig, variant, "variant", JSON_FIELD_STRING),
        JSON_FIELD(ImageConfig, os, "os", JSON_FIELD_STRING),
        JSON_FIELD(ImageConfig, os_version, "os.version", JSON_FIELD_STRING),
        JSON_FIELD_ARRAY_OF(ImageConfig, history, n_history, "history", history_fields),
        {},
};

void image_config_done(ImageConfig *config) {
        json_fields_done(image_fields, config);
        json_fields_done(process_fields, config);
        strv_free(config->volumes);
        strv_free(config->exposed_ports);
        strv_free(config->diff_ids);
        *config = (ImageConfig){};
}

static int refuse(Error *reterr, const char *field, const char *reason) {
        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s: %s", field, reason);
}

/* The keys of an object that stands for a set. */
static int load_set(const json_t *object, const char *field, char ***ret, Error *reterr) {
        const char *key;
        json_t *value;

        if (!object || json_is_null(object))
                return 0;
        if (!json_is_object(object))
                return refuse(reterr, field, "not of the right type");
        if (json_object_size(object) > IMAGE_CONFIG_SET_LIMIT)
                return refuse(reterr, field, "too many entries");
        json_object_foreach((json_t *) object, key, value) {
                if (!json_is_object(value) && !json_is_null(value))
                        return refuse(reterr, field, "not of the right type");
                if (strv_append(ret, key) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int check_words(char *const *words, size_t *total, const char *field, Error *reterr) {
        for (; words && *words; words++) {
                size_t n = strlen(*words);

                *total += n + 1 + sizeof(char *);
                if (n >= IMAGE_CONFIG_WORD_LIMIT || *total > IMAGE_CONFIG_WORDS_LIMIT)
                        return refuse(reterr, field, "longer than the kernel can pass to a program");
        }
        return 0;
}

static bool has_control_bytes(const char *s) {
        for (; *s; s++)
                if (iscntrl((unsigned char) *s))
                        return true;
        return false;
}

/* "80", "80/tcp", "8000-8010/udp". */
static bool port_is_valid(const char *port) {
        unsigned first, last;
        char protocol[8];
        int end = 0;

        if (sscanf(port, "%5u%n", &first, &end) == 1 && end > 0 && !port[end])
                return first <= 65535;
        if (!isdigit((unsigned char) *port) || strlen(port) > 20)
                return false;
        if (sscanf(port, "%5u/%4[a-z]%n", &first, protocol, &end) == 2 && !port[end])
                last = first;
        else if (sscanf(port, "%5u-%5u/%4[a-z]%n", &first, &last, protocol, &end) != 3 || port[end])
                return false;
        return first <= last && last <= 65535 &&
               (str_equal(protocol, "tcp") || str_equal(protocol, "udp") || str_equal(protocol, "sctp"));
}

static int check_health(const ImageHealth *health, Error *reterr) {
        if (health->interval_nsec < 0 || health->timeout_nsec < 0 || health->start_period_nsec < 0 || health->retries < 0 ||
            health->retries > 1000000)
                return refuse(reterr, "Healthcheck", "a negative or absurd number");
        /* the image-spec knows these three words; an empty list inherits, which for a finished image means none */
        if (health->test && !str_equal(health->test[0], "CMD") && !str_equal(health->test[0], "CMD-SHELL") &&
            !str_equal(health->test[0], "NONE") && *health->test[0])
                return refuse(reterr, "Healthcheck", "Test begins with neither CMD, CMD-SHELL nor NONE");
        return 0;
}

static int check_paths(const ImageConfig *c, Error *reterr) {
        if (c->workdir && strlen(c->workdir) >= IMAGE_CONFIG_PATH_LIMIT)
                return refuse(reterr, "WorkingDir", "longer than a path can be");
        if (c->user && (strlen(c->user) > 512 || has_control_bytes(c->user)))
                return refuse(reterr, "User", "not a user name");
        for (char **v = c->volumes; v && *v; v++)
                if (**v != '/' || strlen(*v) >= IMAGE_CONFIG_PATH_LIMIT)
                        return refuse(reterr, "Volumes", "not an absolute path");
        for (char **p = c->exposed_ports; p && *p; p++)
                if (!port_is_valid(*p))
                        return refuse(reterr, "ExposedPorts", "not a port");
        return 0;
}

int image_config_check(const ImageConfig *c, Error *reterr) {
        size_t argv = 0, env = 0;
        int signal;

        int r = check_words(c->entrypoint, &argv, "Entrypoint", reterr);
        if (r >= 0)
                r = check_words(c->cmd, &argv, "Cmd", reterr);
        if (r >= 0)
                r = check_words(c->env, &env, "Env", reterr);
        if (r >= 0)
                r = check_paths(c, reterr);
        if (r >= 0)
                r = check_health(&c->health, reterr);
        if (r < 0)
                return r;
        for (char **e = c->env; e && *e; e++)
                if (**e == '=' || !**e)
                        return refuse(reterr, "Env", "a variable without a name");
        if (c->stop_signal && parse_signal(c->stop_signal, &signal) < 0)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "StopSignal: '%.40s' is not a signal", c->stop_signal);
        if (strv_length(c->labels) > IMAGE_CONFIG_SET_LIMIT)
                return refuse(reterr, "Labels", "too many entries");
        if (strv_length(c->diff_ids) > MANIFEST_LAYERS_LIMIT)
                return refuse(reterr, "rootfs.diff_ids", "too many layers");
        for (char **d = c->diff_ids; d && *d; d++) {
                r = digest_check(*d, "rootfs.diff_ids", reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Env entries without '=' are variables that are empty; a relative WorkingDir is meant from the root; empty strings are
 * what Docker writes for "not said". */
static int normalise(ImageConfig *c) {
        char **empties[] = { &c->workdir, &c->user, &c->stop_signal };

        for (size_t i = 0; i < ELEMENTSOF(empties); i++)
                if (*empties[i] && !**empties[i])
                        (void) str_replace(empties[i], NULL);
        if (c->workdir && *c->workdir != '/') {
                char *absolute = str_format("/%s", c->workdir);

                if (!absolute)
                        return -ENOMEM;
                free(c->workdir);
                c->workdir = absolute;
        }
        for (char **e = c->env; e && *e; e++)
                if (!strchr(*e, '=')) {
                        char *pair = str_format("%s=", *e);

                        if (!pair)
                                return -ENOMEM;
                        free(*e);
                        *e = pair;
                }
        if (c->created && image_time_parse(c->created, &c->created_usec) < 0)
                c->created_usec = 0; /* a strange time hurts nobody: it is only shown */
        return 0;
}

int image_config_load(const json_t *json, ImageConfig *ret, Error *reterr) {
        _cleanup_image_config_ ImageConfig config = {};
        const json_t *process = json_object_get(json, "config"), *rootfs = json_object_get(json, "rootfs");

        if (json_array_size(json_object_get(json, "history")) > IMAGE_CONFIG_SET_LIMIT)
                return refuse(reterr, "history", "too many entries");
        int r = json_fields_load(json, image_fields, &config, reterr);
        if (r >= 0 && process && !json_is_null(process)) {
                r = json_fields_load(process, process_fields, &config, reterr);
                if (r >= 0)
                        r = load_set(json_object_get(process, "Volumes"), "Volumes", &config.volumes, reterr);
                if (r >= 0)
                        r = load_set(json_object_get(process, "ExposedPorts"), "ExposedPorts", &config.exposed_ports, reterr);
        }
        if (r < 0)
                return r;
        r = json_to_strv(json_object_get(rootfs, "diff_ids"), &config.diff_ids);
        if (r == -EBADMSG || (rootfs && !json_is_object(rootfs)))
                return refuse(reterr, "rootfs.diff_ids", "not of the right type");
        if (r >= 0)
                r = normalise(&config);
        if (r < 0)
                return error_oom(reterr);
        r = image_config_check(&config, reterr);
        if (r < 0)
                return r;
        *ret = config;
        config = (ImageConfig){};
        return 0;
}

static int save_set(json_t *object, const char *key, char *const *set) {
        json_t *members = set ? json_object() : NULL;

        for (; set && *set; set++)
                if (json_object_set_new(members, *set, json_object()) < 0) {
                        json_decref(members);
                        return -ENOMEM;
                }
        return members ? json_object_set_new(object, key, members) : 0;
}

json_t *image_config_save(const ImageConfig *config) {
        _cleanup_json_ json_t *json = json_fields_save(image_fields, config);
        _cleanup_json_ json_t *process = json_fields_save(process_fields, config);
        json_t *rootfs;

        if (!json || !process || save_set(process, "Volumes", config->volumes) < 0 ||
            save_set(process, "ExposedPorts", config->exposed_ports) < 0)
                return NULL;
        if (json_object_size(json_object_get(process, "Healthcheck")) == 0)
                (void) json_object_del(process, "Healthcheck");
        rootfs = json_pack("{s:s, s:o}", "type", "layers", "diff_ids", json_from_strv(config->diff_ids));
        if (json_object_set_new(json, "config", TAKE_PTR(process)) < 0 || json_object_set_new(json, "rootfs", rootfs) < 0)
                return NULL;
        return TAKE_PTR(json);
}

int image_time_parse(const char *text, int64_t *ret_usec) {
        struct tm tm = {};
        int64_t usec = 0, seconds, offset = 0;
        int hours, minutes;
        const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

        if (!p)
                return -EINVAL;
        if (*p == '.') {
                int64_t unit = 100000;

                for (p++; isdigit((unsigned char) *p); p++, unit /= 10)
                        usec += (*p - '0') * unit;
        }
        if ((*p == '+' || *p == '-') && sscanf(p + 1, "%2d:%2d", &hours, &minutes) == 2)
                offset = (*p == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
        else if (!str_equal(p, "Z"))
                return -EINVAL;
        seconds = timegm(&tm) - offset;
        if (seconds < -62135596800 || seconds > 253402300799) /* the years 1 to 9999 */
                return -EINVAL;
        *ret_usec = seconds * 1000000 + usec;
        return 0;
}

char *image_time_format(int64_t usec) {
        time_t seconds = usec / 1000000 - (usec % 1000000 < 0);
        int64_t fraction = usec - (int64_t) seconds * 1000000;
        struct tm tm;
        char text[64], digits[16] = "";
        size_t n;

        if (!gmtime_r(&seconds, &tm))
                return NULL;
        if (fraction) {
                n = (size_t) snprintf(digits, sizeof(digits), ".%06d", (int) fraction);
                while (digits[n - 1] == '0')
                        digits[--n] = 0;
        }
        if (strftime(text, sizeof(text), "%m-%dT%H:%M:%S", &tm) == 0)
                return NULL;
        return str_format("%04d-%s%sZ", tm.tm_year + 1900, text, digits); /* %Y does not fill up with zeros */
}
