/* SPDX-License-Identifier: Apache-2.0 */
/* Which key of a unit file an option of a command line is, or what else becomes of it. */
#include "cli/quadlet-words.h"

#include <ctype.h>

#include "base/parse.h"
#include "base/str.h"
#include "cli/parse-mount.h"

static const QuadletTreatmentRow container_treatments[] = {
        { "attach", QUADLET_TERMINAL },
        { "cgroups", QUADLET_GENERATOR, KEY_CgroupsMode, "split" },
        { "cgroups", QUADLET_BY_KEY, KEY_CgroupsMode },
        { "cidfile", QUADLET_NEW_FILE },
        { "detach", QUADLET_GENERATOR },
        { "detach-keys", QUADLET_TERMINAL },
        { "device", QUADLET_BY_KEY, KEY_AddDevice },
        { "env", QUADLET_ENVIRONMENT, KEY_Environment },
        { "expose", QUADLET_BY_KEY, KEY_ExposeHostPort },
        { "gidmap", QUADLET_BY_KEY, KEY_GIDMap },
        { "init-ctr", QUADLET_IMPOSSIBLE },
        { "mount", QUADLET_BY_KEY, KEY_Mount },
        { "name", QUADLET_NAME, KEY_ContainerName },
        { "network", QUADLET_BY_KEY, KEY_Network },
        { "print-quadlet", QUADLET_GENERATOR },
        { "replace", QUADLET_GENERATOR },
        { "restart", QUADLET_RESTART },
        { "rm", QUADLET_GENERATOR },
        { "rootfs", QUADLET_GENERATOR },
        { "sdnotify", QUADLET_READINESS, KEY_Notify },
        { "sig-proxy", QUADLET_TERMINAL },
        { "stop-timeout", QUADLET_STOP_TIMEOUT, KEY_StopTimeout },
        { "subgidname", QUADLET_BY_KEY, KEY_SubGIDMap },
        { "subuidname", QUADLET_BY_KEY, KEY_SubUIDMap },
        { "uidmap", QUADLET_BY_KEY, KEY_UIDMap },
        { "user", QUADLET_BY_KEY, KEY_User },
        { "userns", QUADLET_BY_KEY, KEY_UserNS },
        { "volume", QUADLET_BY_KEY, KEY_Volume },
        {},
};
static const QuadletTreatmentRow pod_treatments[] = {
        { "exit-policy", QUADLET_BY_KEY, KEY_ExitPolicy },
        { "gidmap", QUADLET_BY_KEY, KEY_GIDMap },
        { "infra", QUADLET_GENERATOR, .value = "true" },
        { "infra", QUADLET_IMPOSSIBLE },
        { "infra-conmon-pidfile", QUADLET_GENERATOR },
        { "name", QUADLET_NAME, KEY_PodName },
        { "network", QUADLET_BY_KEY, KEY_Network },
        { "pod-id-file", QUADLET_NEW_FILE },
        { "print-quadlet", QUADLET_GENERATOR },
        { "replace", QUADLET_GENERATOR },
        { "uidmap", QUADLET_BY_KEY, KEY_UIDMap },
        { "userns", QUADLET_BY_KEY, KEY_UserNS },
        { "volume", QUADLET_BY_KEY, KEY_Volume },
        {},
};
static const QuadletTreatmentRow other_treatments[] = { /* of volumes and networks */
        { "gateway", QUADLET_BY_KEY, KEY_Gateway },
        { "ignore", QUADLET_GENERATOR },
        { "ip-range", QUADLET_BY_KEY, KEY_IPRange },
        { "print-quadlet", QUADLET_GENERATOR },
        { "subnet", QUADLET_BY_KEY, KEY_Subnet },
        {},
};

/* Of two names of one thing, the one that is shown. */
static const char *shown_name(const Option *const *tables, const Option *o) {
        for (; o->hidden && o->kind != OPTION_NOTHING && *tables; tables++)
                for (const Option *other = *tables; other->name; other++)
                        if (!other->hidden && other->kind == o->kind &&
                            (o->kind == OPTION_SET || o->kind == OPTION_SWITCH ? other->set == o->set : other->offset == o->offset))
                                return other->name;
        return o->name;
}

static const QuadletTreatmentRow *find_treatment(UnitType type, const char *name, const char *value) {
        const QuadletTreatmentRow *t = type == UNIT_CONTAINER ? container_treatments : type == UNIT_POD ? pod_treatments : other_treatments;

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

int quadlet_make_absolute(Arena *arena, const char *path, size_t n, const char *rest, const char **ret, Error *reterr) {
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
                int r = quadlet_make_absolute(arena, source, n, source + n, ret, reterr);
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
                return quadlet_make_absolute(arena, value, strlen(value), "", ret, reterr);
        if (str_equal(o->name, "volume") && *value == '.')
                return quadlet_make_absolute(arena, value, strcspn(value, ":"), value + strcspn(value, ":"), ret, reterr);
        if (str_equal(o->name, "mount"))
                return absolute_mount(arena, value, ret, reterr);
        if (str_equal(o->name, "security-opt") && (profile = str_after(value, "seccomp=")) && *profile && *profile != '/' &&
            !str_equal(profile, "unconfined")) {
                int r = quadlet_make_absolute(arena, profile, strlen(profile), "", ret, reterr);

                if (r >= 0)
                        *ret = arena_format(arena, "seccomp=%s", *ret);
                return r < 0 ? r : *ret ? 0 : error_oom(reterr);
        }
        return 0;
}

/* Whether a row makes that option, and what of the value is its key's. */
static bool row_makes(const UnitRow *row, const QuadletWord *word, const char **ret) {
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

bool quadlet_looks_like_file(const char *value) {
        size_t n = strcspn(value, ":");
        _cleanup_free_ char *name = strndup(value, n);

        return !name || (*value != '/' && unit_type_from_file(name) >= 0);
}

static bool mount_looks_like_file(const char *value) {
        for (const char *field = value; *field; field += strcspn(field, ","), field += *field == ',') {
                const char *source = str_after(field, "src=") ?: str_after(field, "source=");
                _cleanup_free_ char *name = source ? strndup(source, strcspn(source, ",")) : NULL;

                if (source && (!name || quadlet_looks_like_file(name)))
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
                return !(strchr(value, ':') && quadlet_looks_like_file(value)) && *value != ':';
        case KEY_Network:
                return !quadlet_looks_like_file(value);
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

/* Whether the value begins with the name of a volume or network whose file is in the same set: then the file is named, so that its
 * service comes first. */
static int refer_to_file(const Quadlet *q, QuadletWord *word, Error *reterr) {
        const char *suffix = word->key == KEY_Volume ? "volume" : word->key == KEY_Network ? "network" : NULL;
        size_t n = strcspn(word->value, ":");

        if (!suffix || (word->key == KEY_Volume && !word->value[n])) /* the path of an anonymous one */
                return 0;
        const char *name = arena_format(q->writer.arena, "%.*s.%s", (int) n, word->value, suffix);
        if (!name)
                return error_oom(reterr);
        if (!quadlet_files_have(q->files, name))
                return 0;
        word->said = arena_format(q->writer.arena, "%s%s", name, word->value + n);
        word->refers = true;
        return word->said ? 0 : error_oom(reterr);
}

static void find_key(const Quadlet *q, QuadletWord *word) {
        const UnitTypeInfo *info = unit_type_info(q->request->type);
        QuadletTreatment treatment = word->treatment ? word->treatment->treatment : QUADLET_BY_ROW;

        if (treatment != QUADLET_BY_ROW) {
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
                QuadletWord *word = q->words + i;
                bool again = false;

                if (word->key == KEY_NONE)
                        continue;
                for (size_t j = i + 1; !word->list && j < q->n; j++)
                        again = again || (q->words[j].key == word->key && !q->words[j].list);
                word->dropped = again;
                bool all_are_shown = again && str_equal(word->name, "security-opt"); /* by inspect */
                bool said = unit_key_can_say(q->request->type, word->key, word->said) &&
                            (word->refers || key_means_this(word->key, word->said));
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

int quadlet_read_options(Quadlet *q, Error *reterr) {
        const OptionParse *parse = q->request->parse;

        q->words = arena_alloc(q->writer.arena, (parse->n_given + 1) * sizeof(*q->words));
        if (!q->words)
                return error_oom(reterr);
        for (size_t i = 0; i < parse->n_given; i++) {
                const Option *o = parse->given[i];
                QuadletWord *word = q->words + q->n;

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
                r = refer_to_file(q, word, reterr);
                if (r < 0)
                        return r;
                q->n++;
        }
        settle(q);
        return 0;
}

const QuadletWord *quadlet_find_word(const Quadlet *q, const char *name) {
        for (size_t i = q->n; i-- > 0;)
                if (str_equal(q->words[i].name, name))
                        return q->words + i;
        return NULL;
}
