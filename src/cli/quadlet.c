/* SPDX-License-Identifier: Apache-2.0 */
/* From a command line to a unit file. */
#include "cli/quadlet.h"

#include <ctype.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "cli/parse-env.h"
#include "cli/parse-mount.h"
#include "unit/quote.h"
#include "unit/write.h"

/* What becomes of an option where the rows do not say it. */
typedef enum Treatment {
        BY_ROW,      /* or PodmanArgs= */
        BY_KEY,      /* a key that the generator reads by a function */
        GENERATOR,   /* the generator says it itself */
        TERMINAL,    /* it is of the terminal that the command was typed at: a service has none */
        ENVIRONMENT, /* --env: looked up now */
        NAME,
        RESTART,
        STOP_TIMEOUT,
        READINESS,   /* --sdnotify */
        NEW_FILE,    /* must not be there yet: is removed before each start */
        IMPOSSIBLE,  /* no unit file can say it */
} Treatment;

typedef struct TreatmentRow {
        const char *name;
        Treatment treatment;
        UnitKey key;
        const char *value; /* GENERATOR: only this value; NULL: any */
} TreatmentRow;

static const TreatmentRow container_treatments[] = {
        { "attach", TERMINAL },
        { "cgroups", GENERATOR, KEY_CgroupsMode, "split" },
        { "cgroups", BY_KEY, KEY_CgroupsMode },
        { "cidfile", NEW_FILE },
        { "detach", GENERATOR },
        { "detach-keys", TERMINAL },
        { "device", BY_KEY, KEY_AddDevice },
        { "env", ENVIRONMENT, KEY_Environment },
        { "expose", BY_KEY, KEY_ExposeHostPort },
        { "gidmap", BY_KEY, KEY_GIDMap },
        { "init-ctr", IMPOSSIBLE },
        { "mount", BY_KEY, KEY_Mount },
        { "name", NAME, KEY_ContainerName },
        { "network", BY_KEY, KEY_Network },
        { "print-quadlet", GENERATOR },
        { "replace", GENERATOR },
        { "restart", RESTART },
        { "rm", GENERATOR },
        { "rootfs", GENERATOR },
        { "sdnotify", READINESS, KEY_Notify },
        { "sig-proxy", TERMINAL },
        { "stop-timeout", STOP_TIMEOUT, KEY_StopTimeout },
        { "subgidname", BY_KEY, KEY_SubGIDMap },
        { "subuidname", BY_KEY, KEY_SubUIDMap },
        { "uidmap", BY_KEY, KEY_UIDMap },
        { "user", BY_KEY, KEY_User },
        { "userns", BY_KEY, KEY_UserNS },
        { "volume", BY_KEY, KEY_Volume },
        {},
};
static const TreatmentRow pod_treatments[] = {
        { "exit-policy", BY_KEY, KEY_ExitPolicy },
        { "gidmap", BY_KEY, KEY_GIDMap },
        { "infra", GENERATOR, .value = "true" },
        { "infra", IMPOSSIBLE },
        { "infra-conmon-pidfile", GENERATOR },
        { "name", NAME, KEY_PodName },
        { "network", BY_KEY, KEY_Network },
        { "pod-id-file", NEW_FILE },
        { "print-quadlet", GENERATOR },
        { "replace", GENERATOR },
        { "uidmap", BY_KEY, KEY_UIDMap },
        { "userns", BY_KEY, KEY_UserNS },
        { "volume", BY_KEY, KEY_Volume },
        {},
};
static const TreatmentRow other_treatments[] = { /* of volumes and networks */
        { "gateway", BY_KEY, KEY_Gateway },
        { "ignore", GENERATOR },
        { "ip-range", BY_KEY, KEY_IPRange },
        { "print-quadlet", GENERATOR },
        { "subnet", BY_KEY, KEY_Subnet },
        {},
};

/* One option of the command line, as the unit file is to have it. */
typedef struct Word {
        const char *name, *value;   /* the option's, paths made absolute */
        bool takes_value, list;
        const TreatmentRow *treatment; /* NULL: by row */
        UnitKey key;                /* KEY_NONE: behind PodmanArgs= */
        const char *said;           /* the key's value */
        bool dropped;
} Word;

typedef struct Quadlet {
        const QuadletRequest *request;
        UnitWriter writer;
        Word *words;
        size_t n;
        const char *name;
} Quadlet;

/* ---- what the options are ---- */

/* Of two names of one thing, the one that is shown. */
static const char *shown_name(const Option *const *tables, const Option *o) {
        for (; o->hidden && *tables; tables++)
                for (const Option *other = *tables; other->name; other++)
                        if (!other->hidden && other->kind == o->kind &&
                            (o->kind == OPTION_SET || o->kind == OPTION_SWITCH ? other->set == o->set : other->offset == o->offset))
                                return other->name;
        return o->name;
}

static const TreatmentRow *find_treatment(UnitType type, const char *name, const char *value) {
        const TreatmentRow *t = type == UNIT_CONTAINER ? container_treatments : type == UNIT_POD ? pod_treatments : other_treatments;

        for (; t->name; t++)
                if (str_equal(t->name, name) && (!t->value || str_equal(t->value, value)))
                        return t;
        return NULL;
}

/* An option whose value is a path and nothing else. */
static bool is_path_option(const Option *o) {
        return (o->complete == COMPLETE_FILE || o->complete == COMPLETE_DIRECTORY) &&
               (str_equal(o->metavar, "FILE") || str_equal(o->metavar, "DIR"));
}

static int make_absolute(Arena *arena, const char *path, size_t n, const char *rest, const char **ret, Error *reterr) {
        _cleanup_free_ char *part = strndup(path, n), *absolute = NULL;
        int r = part ? parse_host_path(part, &absolute, reterr) : error_oom(reterr);

        if (r < 0)
                return r;
        *ret = arena_format(arena, "%s%s", absolute, rest);
        return *ret ? 0 : error_oom(reterr);
}

/* The source of --mount in a line of CSV without quotes. */
static int absolute_mount(Arena *arena, const char *value, const char **ret, Error *reterr) {
        if (strchr(value, '"'))
                return 0;
        for (const char *field = value; *field; field += strcspn(field, ","), field += *field == ',') {
                const char *source = str_after(field, "src=") ?: str_after(field, "source=");
                size_t n = source ? strcspn(source, ",") : 0;

                if (!source || *source != '.')
                        continue;
                int r = make_absolute(arena, source, n, source + n, ret, reterr);
                if (r >= 0)
                        *ret = arena_format(arena, "%.*s%s", (int) (source - value), value, *ret);
                return r < 0 ? r : *ret ? 0 : error_oom(reterr);
        }
        return 0;
}

/* What is relative to the current directory must not be relative to the file's. */
static int absolute_value(Arena *arena, const Option *o, const char *value, const char **ret, Error *reterr) {
        bool word = str_equal(o->name, "hosts-file") && (str_equal(value, "none") || str_equal(value, "image"));
        const char *profile;

        *ret = value;
        if (is_path_option(o) && *value && *value != '/' && !word)
                return make_absolute(arena, value, strlen(value), "", ret, reterr);
        if (str_equal(o->name, "volume") && *value == '.')
                return make_absolute(arena, value, strcspn(value, ":"), value + strcspn(value, ":"), ret, reterr);
        if (str_equal(o->name, "mount"))
                return absolute_mount(arena, value, ret, reterr);
        if (str_equal(o->name, "security-opt") && (profile = str_after(value, "seccomp=")) && *profile && *profile != '/' &&
            !str_equal(profile, "unconfined")) {
                int r = make_absolute(arena, profile, strlen(profile), "", ret, reterr);

                if (r >= 0)
                        *ret = arena_format(arena, "seccomp=%s", *ret);
                return r < 0 ? r : *ret ? 0 : error_oom(reterr);
        }
        return 0;
}

/* Whether a row makes that option, and what of the value is its key's. */
static bool row_makes(const UnitRow *row, const Word *word, const char **ret) {
        const char *name = row->flag ? str_after(row->flag, "--") : NULL, *rest = name ? str_after(name, word->name) : NULL;

        if (!rest)
                return false;
        if (row->kind == KIND_SWITCH) {
                *ret = "true";
                return *rest == '=' ? str_equal(rest + 1, word->value) : !*rest && str_equal(row->prefix, word->value);
        }
        if (*rest || row->kind == KIND_CALL || row->kind == KIND_ALWAYS)
                return false;
        *ret = row->prefix ? str_after(word->value, row->prefix) : word->value;
        return *ret && (row->kind == KIND_BOOL) == !word->takes_value;
}

/* A name that Quadlet would take for that of another file. */
static bool looks_like_file(const char *value) {
        size_t n = strcspn(value, ":");
        _cleanup_free_ char *name = strndup(value, n);

        return !name || (*value != '/' && unit_type_from_file(name) >= 0);
}

static bool mount_looks_like_file(const char *value) {
        for (const char *field = value; *field; field += strcspn(field, ","), field += *field == ',') {
                const char *source = str_after(field, "src=") ?: str_after(field, "source=");
                _cleanup_free_ char *name = source ? strndup(source, strcspn(source, ",")) : NULL;

                if (source && (!name || looks_like_file(name)))
                        return true;
        }
        return strchr(value, '"') || (!strstr(value, "src=") && !strstr(value, "source=")); /* the generator asks for one */
}

static bool port_is_known(const char *value) {
        const char *slash = strrchr(value, '/');
        const char *end = slash ?: value + strlen(value);

        return end > value && isdigit((unsigned char) end[-1]) && (!slash || str_equal(slash, "/tcp") || str_equal(slash, "/udp"));
}

/* Where the generator reads more out of a value than the flag says. */
static bool key_means_this(UnitKey key, const char *value) {
        switch (key) {
        case KEY_Volume:
                return !(strchr(value, ':') && looks_like_file(value)) && *value != ':';
        case KEY_Network:
                return !looks_like_file(value);
        case KEY_Mount:
                return !mount_looks_like_file(value);
        case KEY_AddDevice:
                return *value != '-';
        case KEY_ExposeHostPort:
                return port_is_known(value);
        case KEY_Label:
        case KEY_Annotation:
        case KEY_Environment:
                return *value != '=';
        default:
                return true;
        }
}

static void find_key(const Quadlet *q, Word *word) {
        const UnitTypeInfo *info = unit_type_info(q->request->type);
        Treatment treatment = word->treatment ? word->treatment->treatment : BY_ROW;

        if (treatment != BY_ROW) {
                word->key = word->treatment->key;
                word->said = word->value;
                return;
        }
        for (int prefixed = 1; prefixed >= 0; prefixed--) /* Label=io.containers.autoupdate=... is AutoUpdate= */
                for (size_t i = 0; i < info->n_rows; i++) {
                        const UnitRow *row = info->rows + i;

                        if (prefixed == (row->prefix || row->kind == KIND_SWITCH) && row_makes(row, word, &word->said)) {
                                word->key = row->key;
                                word->list = row->kind != KIND_STRING && row->kind != KIND_JOINED && row->kind != KIND_JOINED_EMPTY &&
                                             row->kind != KIND_BOOL && row->kind != KIND_SWITCH;
                                return;
                        }
                }
}

static void send_to_arguments(Quadlet *q, UnitKey key) {
        for (size_t i = 0; i < q->n; i++)
                if (q->words[i].key == key) {
                        q->words[i].key = KEY_NONE;
                        q->words[i].dropped = false;
                }
}

/* Of what is one value the last one counts; of a list, all of it goes the same way, or its order would be another one. */
static void settle(Quadlet *q) {
        for (size_t i = 0; i < q->n; i++) {
                Word *word = q->words + i;
                bool again = false;

                if (word->key == KEY_NONE)
                        continue;
                for (size_t j = i + 1; !word->list && j < q->n; j++)
                        again = again || (q->words[j].key == word->key && !q->words[j].list);
                word->dropped = again;
                bool all_are_shown = again && str_equal(word->name, "security-opt"); /* by inspect */
                bool said = unit_key_can_say(q->request->type, word->key, word->said) && key_means_this(word->key, word->said);
                if (all_are_shown || (!again && !said))
                        send_to_arguments(q, word->key);
        }
}

/* What `run --pod new:` gives the pod. */
static bool is_pods(const char *name) {
        static const char *const names[] = {
                "add-host", "dns", "dns-option", "dns-search", "gidmap", "hostname", "network", "no-hosts", "publish", "shm-size", "uidmap", "userns",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (str_equal(names[i], name))
                        return true;
        return false;
}

static bool is_wanted(const QuadletRequest *request, const Option *o, const char *name) {
        if (options_find(request->tables, o->name) != o || o->kind == OPTION_REFUSED_BOOL)
                return false; /* a global one; one that was switched off */
        if (request->pod_file && (str_equal(name, "pod") || str_equal(name, "pod-id-file")))
                return false;
        return request->part == QUADLET_ALL || (request->part == QUADLET_POD) == is_pods(name);
}

static int read_options(Quadlet *q, Error *reterr) {
        const OptionParse *parse = q->request->parse;

        q->words = arena_alloc(q->writer.arena, (parse->n_given + 1) * sizeof(*q->words));
        if (!q->words)
                return error_oom(reterr);
        for (size_t i = 0; i < parse->n_given; i++) {
                const Option *o = parse->given[i];
                Word *word = q->words + q->n;

                word->name = shown_name(q->request->tables, o);
                if (!is_wanted(q->request, o, word->name))
                        continue;
                word->takes_value = option_takes_value(o);
                word->list = o->kind == OPTION_STRV || o->kind == OPTION_LIST || o->kind == OPTION_SET;
                int r = absolute_value(q->writer.arena, o, parse->given_values[i], &word->value, reterr);
                if (r < 0)
                        return r;
                if (q->request->recorded && !str_equal(word->value, parse->given_values[i]))
                        unit_write_comment(&q->writer, "--%s %s was relative to a directory that is not on record: the current one is taken",
                                           o->name, parse->given_values[i]);
                if (!word->takes_value) {
                        bool on = false;

                        (void) parse_bool(word->value, &on);
                        word->value = on ? "true" : "false";
                }
                word->treatment = find_treatment(q->request->type, word->name, word->value);
                find_key(q, word);
                q->n++;
        }
        settle(q);
        return 0;
}

/* ---- what is written ---- */

static int cannot_say(UnitKey key, const char *value, Error *reterr) {
        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot write a unit file: %s= cannot say '%s'", unit_key_to_string(key), value);
}

static int write_key(Quadlet *q, UnitKey key, const char *value, Error *reterr) {
        return unit_write_key(&q->writer, key, value) ? 0 : cannot_say(key, value, reterr);
}

static void write_argument(Quadlet *q, const Word *word) {
        bool bare = !word->takes_value && str_equal(word->value, "true");

        unit_write_argument(&q->writer, arena_format(q->writer.arena, "--%s%s%s", word->name, bare ? "" : "=", bare ? "" : word->value) ?: "");
}

static int write_environment(Quadlet *q, const Word *word, Error *reterr) {
        _cleanup_strv_ char **pairs = NULL;
        int r = parse_env(word->value, q->request->environment, &pairs, reterr);

        for (char **pair = pairs; r >= 0 && pair && *pair; pair++)
                r = write_key(q, KEY_Environment, *pair, reterr);
        return r;
}

/* The service is what is restarted: its container is a new one each time. The first start counts, too. */
static void write_restart(Quadlet *q, const char *value) {
        const char *retries = str_after(value, "on-failure:");
        UnitWriter *w = &q->writer;
        uint32_t n;

        if (str_equal(value, "no") || !*value)
                return;
        bool always = str_equal(value, "always") || str_equal(value, "unless-stopped");
        unit_write_line(&w->service, "Restart", always ? "always" : "on-failure");
        if (retries && parse_u32(retries, &n) >= 0 && n > 0 && n < UINT32_MAX) {
                unit_write_line(&w->unit, "StartLimitIntervalSec", "infinity");
                text_addf(&w->unit, "StartLimitBurst=%u\n", n + 1);
        }
        if (always)
                unit_write_line(&w->install, "WantedBy", "default.target");
}

/* systemd must not be less patient. */
static void write_patience(Quadlet *q, const char *value) {
        enum { DEFAULT_SEC = 90, MARGIN_SEC = 10 };
        int64_t seconds = 0;

        if (parse_i64(value, &seconds) < 0)
                return;
        if (seconds < 0)
                unit_write_line(&q->writer.service, "TimeoutStopSec", "infinity");
        else if (seconds > DEFAULT_SEC - MARGIN_SEC && seconds < INT32_MAX)
                text_addf(&q->writer.service, "TimeoutStopSec=%lld\n", (long long) seconds + MARGIN_SEC);
}

static int write_new_file(Quadlet *q, const Word *word) {
        Text *service = &q->writer.service;

        text_add(service, "ExecStartPre=/bin/rm -f ");
        unit_quote_word(service, unit_escape_specifiers(q->writer.arena, word->value, /* dollar= */ true));
        text_add_char(service, '\n');
        write_argument(q, word);
        return 0;
}

/* A service is ready when its container says so, is well, or runs. */
static int write_readiness(Quadlet *q, const Word *word, Error *reterr) {
        if (str_equal(word->value, "container"))
                return write_key(q, KEY_Notify, "true", reterr);
        if (str_equal(word->value, "healthy"))
                return write_key(q, KEY_Notify, "healthy", reterr);
        if (str_equal(word->value, "ignore"))
                unit_write_comment(&q->writer, "--sdnotify=ignore: the service is ready when the container runs");
        return 0;
}

static int write_option(Quadlet *q, const Word *word, Error *reterr) {
        if (word->dropped)
                return 0;
        switch (word->treatment ? word->treatment->treatment : BY_ROW) {
        case GENERATOR:
        case NAME: /* stands in front */
                return 0;
        case TERMINAL:
                unit_write_comment(&q->writer, "without --%s: a service has no terminal", word->name);
                return 0;
        case ENVIRONMENT:
                return write_environment(q, word, reterr);
        case RESTART:
                write_restart(q, word->value);
                return 0;
        case READINESS:
                return write_readiness(q, word, reterr);
        case NEW_FILE:
                return write_new_file(q, word);
        case IMPOSSIBLE:
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot write a unit file: no .%s can be made with --%s",
                                 unit_type_info(q->request->type)->name, word->name);
        case STOP_TIMEOUT:
                write_patience(q, word->value);
                break;
        case BY_ROW:
        case BY_KEY:
                break;
        }
        if (word->key == KEY_NONE) {
                write_argument(q, word);
                return 0;
        }
        return write_key(q, word->key, word->said, reterr);
}

static const Word *find_word(const Quadlet *q, const char *name) {
        for (size_t i = q->n; i-- > 0;)
                if (str_equal(q->words[i].name, name))
                        return q->words + i;
        return NULL;
}

/* "nginx" of "docker.io/library/nginx:1.25@sha256:..." */
static const char *base_of_image(Arena *arena, const char *image) {
        const char *slash = strrchr(image, '/'), *base = slash ? slash + 1 : image;

        return arena_copy_n(arena, base, strcspn(base, ":@"));
}

static void write_global(Quadlet *q) {
        const GlobalOptions *g = q->request->global;
        const struct {
                const char *name, *value;
        } rows[] = {
                { "root", g ? g->root : NULL }, { "runroot", g ? g->runroot : NULL },
                { "storage-driver", g ? g->storage_driver : NULL }, { "cgroup-manager", g ? g->cgroup_manager : NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].value)
                        (void) unit_write_key(&q->writer, KEY_GlobalArgs,
                                              arena_format(q->writer.arena, "--%s=%s", rows[i].name, rows[i].value) ?: "");
}

static int write_image(Quadlet *q, Error *reterr) {
        const Word *rootfs = find_word(q, "rootfs");
        char *const *arguments = q->request->arguments;
        const char *image = arguments ? arguments[0] : NULL;

        if (str_empty(image))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot write a unit file: the image is missing");
        if (rootfs && str_equal(rootfs->value, "true")) {
                bool overlay = str_has_suffix(image, ":O");
                int r = make_absolute(q->writer.arena, image, strlen(image) - (overlay ? 2 : 0), overlay ? ":O" : "", &image, reterr);

                return r < 0 ? r : write_key(q, KEY_Rootfs, image, reterr);
        }
        if (q->request->image)
                image = q->request->image;
        if (unit_type_from_file(image) >= 0)
                return cannot_say(KEY_Image, image, reterr);
        return write_key(q, KEY_Image, image, reterr);
}

/* What stands in front of the options. */
static int write_head(Quadlet *q, Error *reterr) {
        const QuadletRequest *request = q->request;
        const Word *word = find_word(q, "name");
        const char *argument = request->arguments && request->part != QUADLET_POD ? request->arguments[0] : NULL;
        const char *name = word ? word->value : request->name;
        int r = 0;

        write_global(q);
        if (request->type == UNIT_CONTAINER) {
                r = write_image(q, reterr);
                if (r >= 0 && find_word(q, "cgroup-parent") && !find_word(q, "cgroups")) /* not the service's own cgroup then */
                        r = write_key(q, KEY_CgroupsMode, "enabled", reterr);
                if (r >= 0 && name)
                        r = write_key(q, KEY_ContainerName, name, reterr);
                if (r >= 0 && request->pod_file)
                        r = write_key(q, KEY_Pod, request->pod_file, reterr);
                q->name = name ?: base_of_image(q->writer.arena, argument ?: "");
                return r;
        }
        name = name ?: argument;
        q->name = name ?: unit_type_info(request->type)->name;
        if (request->type == UNIT_POD && !find_word(q, "exit-policy")) /* the generator's own is "stop" */
                r = write_key(q, KEY_ExitPolicy, "continue", reterr);
        if (r < 0 || !name)
                return r;
        UnitKey key = request->type == UNIT_POD ? KEY_PodName : request->type == UNIT_VOLUME ? KEY_VolumeName : KEY_NetworkName;
        return write_key(q, key, name, reterr);
}

/* --opt of a volume: the generator puts together what the keys say. */
static void write_volume_options(Quadlet *q) {
        static const struct {
                const char *option;
                UnitKey key;
        } rows[] = { { "device=", KEY_Device }, { "type=", KEY_Type }, { "o=", KEY_Options }, { "image=", KEY_Image } };
        const Word *driver = find_word(q, "driver");
        bool image = driver && str_equal(driver->value, "image"), device = false;

        for (size_t i = 0; i < q->n; i++)
                device = device || str_after(q->words[i].value, "device=");
        for (size_t i = 0; i < q->n; i++) {
                Word *word = q->words + i;
                bool copy = str_equal(word->value, "copy");
                const char *value = NULL;
                UnitKey key = KEY_NONE;

                if (!str_equal(word->name, "opt"))
                        continue;
                for (size_t k = 0; k < ELEMENTSOF(rows) && !value; k++)
                        if ((value = str_after(word->value, rows[k].option)))
                                key = rows[k].key;
                if (copy || str_equal(word->value, "nocopy")) {
                        key = KEY_Copy;
                        value = copy ? "true" : "false";
                }
                if (key == KEY_Type && !device) /* the generator asks for one */
                        continue;
                if (value && (key == KEY_Image) == image && !(key == KEY_Image && looks_like_file(value)))
                        word->dropped = unit_write_key(&q->writer, key, value);
        }
}

static bool name_is_plain(const char *name) {
        if (str_empty(name) || strlen(name) > 200 || *name == '.' || *name == '-')
                return false;
        for (const char *p = name; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("_.-", *p))
                        return false;
        return true;
}

static int make_text(Quadlet *q, QuadletFile *ret, Error *reterr) {
        _cleanup_text_ Text text = {};
        const char *suffix = unit_type_info(q->request->type)->name;
        int r = read_options(q, reterr);

        if (r >= 0)
                r = write_head(q, reterr);
        if (r >= 0 && q->request->type == UNIT_VOLUME)
                write_volume_options(q);
        for (size_t i = 0; r >= 0 && i < q->n; i++)
                r = write_option(q, q->words + i, reterr);
        if (r < 0)
                return r;
        if (q->request->type == UNIT_CONTAINER)
                unit_write_exec(&q->writer, q->request->arguments + 1);
        if (unit_writer_text(&q->writer, &text) < 0)
                return error_oom(reterr);
        ret->name = str_format("%s.%s", name_is_plain(q->name) ? q->name : suffix, suffix);
        ret->text = strdup(text.data);
        return ret->name && ret->text ? 0 : error_oom(reterr);
}

int quadlet_add(const QuadletRequest *request, QuadletFiles *files, Error *reterr) {
        Arena arena = {};
        Quadlet q = { .request = request, .writer = { .type = request->type, .arena = &arena } };
        QuadletFile *items = reallocarray(files->items, files->n + 1, sizeof(*items)), file = {};

        if (!items)
                return error_oom(reterr);
        files->items = items;
        int r = make_text(&q, &file, reterr);
        unit_writer_done(&q.writer);
        arena_done(&arena);
        for (size_t i = 0; r >= 0 && file.name && i < files->n; i++)
                if (str_equal(files->items[i].name, file.name)) {
                        free(file.name);
                        free(file.text);
                        return 0;
                }
        if (r >= 0) {
                items[files->n++] = file;
                return 0;
        }
        free(file.name);
        free(file.text);
        return r;
}

int quadlet_add_with_pod(const QuadletRequest *request, const char *pod, QuadletFiles *files, Error *reterr) {
        QuadletRequest part = *request;

        part.type = UNIT_POD;
        part.part = QUADLET_POD;
        part.name = pod;
        int r = quadlet_add(&part, files, reterr);
        if (r < 0)
                return r;
        _cleanup_free_ char *file = strdup(files->items[files->n - 1].name);
        if (!file)
                return error_oom(reterr);
        part = *request;
        part.part = QUADLET_MEMBER;
        part.pod_file = file;
        return quadlet_add(&part, files, reterr);
}

void quadlet_files_done(QuadletFiles *files) {
        for (size_t i = 0; i < files->n; i++) {
                free(files->items[i].name);
                free(files->items[i].text);
        }
        free(files->items);
        *files = (QuadletFiles){};
}
