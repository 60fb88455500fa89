/* SPDX-License-Identifier: Apache-2.0 */
/* From a command line to a unit file: what is written. */
#include "cli/quadlet.h"

#include <ctype.h>

#include "base/parse.h"
#include "base/str.h"
#include "cli/parse-env.h"
#include "cli/quadlet-words.h"
#include "unit/quote.h"

static int cannot_say(UnitKey key, const char *value, Error *reterr) {
        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot write a unit file: %s= cannot say '%s'", unit_key_to_string(key), value);
}

static int write_key(Quadlet *q, UnitKey key, const char *value, Error *reterr) {
        return unit_write_key(&q->writer, key, value) ? 0 : cannot_say(key, value, reterr);
}

static void write_argument(Quadlet *q, const QuadletWord *word) {
        bool bare = !word->takes_value && str_equal(word->value, "true");

        unit_write_argument(&q->writer, arena_format(q->writer.arena, "--%s%s%s", word->name, bare ? "" : "=", bare ? "" : word->value) ?: "");
}

static int write_environment(Quadlet *q, const QuadletWord *word, Error *reterr) {
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

static int write_new_file(Quadlet *q, const QuadletWord *word) {
        Text *service = &q->writer.service;

        text_add(service, "ExecStartPre=/bin/rm -f ");
        unit_quote_readable(service, unit_escape_specifiers(q->writer.arena, word->value, /* dollar= */ true));
        text_add_char(service, '\n');
        write_argument(q, word);
        return 0;
}

/* A service is ready when its container says so, is well, or runs. */
static int write_readiness(Quadlet *q, const QuadletWord *word, Error *reterr) {
        if (str_equal(word->value, "container"))
                return write_key(q, KEY_Notify, "true", reterr);
        if (str_equal(word->value, "healthy"))
                return write_key(q, KEY_Notify, "healthy", reterr);
        if (str_equal(word->value, "ignore"))
                unit_write_comment(&q->writer, "--sdnotify=ignore: the service is ready when the container runs");
        return 0;
}

static int write_option(Quadlet *q, const QuadletWord *word, Error *reterr) {
        if (word->dropped)
                return 0;
        switch (word->treatment ? word->treatment->treatment : QUADLET_BY_ROW) {
        case QUADLET_GENERATOR:
        case QUADLET_NAME: /* stands in front */
                return 0;
        case QUADLET_TERMINAL:
                unit_write_comment(&q->writer, "without --%s: a service has no terminal", word->name);
                return 0;
        case QUADLET_ENVIRONMENT:
                return write_environment(q, word, reterr);
        case QUADLET_RESTART:
                write_restart(q, word->value);
                return 0;
        case QUADLET_READINESS:
                return write_readiness(q, word, reterr);
        case QUADLET_NEW_FILE:
                return write_new_file(q, word);
        case QUADLET_IMPOSSIBLE:
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot write a unit file: no .%s can be made with --%s",
                                 unit_type_info(q->request->type)->name, word->name);
        case QUADLET_STOP_TIMEOUT:
                write_patience(q, word->value);
                break;
        case QUADLET_BY_ROW:
        case QUADLET_BY_KEY:
                break;
        }
        if (word->key == KEY_NONE) {
                write_argument(q, word);
                return 0;
        }
        return write_key(q, word->key, word->said, reterr);
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
        const QuadletWord *rootfs = quadlet_find_word(q, "rootfs");
        char *const *arguments = q->request->arguments;
        const char *image = arguments ? arguments[0] : NULL;

        if (str_empty(image))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot write a unit file: the image is missing");
        if (rootfs && str_equal(rootfs->value, "true")) {
                bool overlay = str_has_suffix(image, ":O");
                int r = quadlet_make_absolute(q->writer.arena, image, strlen(image) - (overlay ? 2 : 0), overlay ? ":O" : "", &image, reterr);

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
        const QuadletWord *word = quadlet_find_word(q, "name");
        const char *argument = request->arguments && request->part != QUADLET_POD ? request->arguments[0] : NULL;
        const char *name = word ? word->value : request->name;
        int r = 0;

        write_global(q);
        if (request->type == UNIT_CONTAINER) {
                r = write_image(q, reterr);
                if (r >= 0 && quadlet_find_word(q, "cgroup-parent") && !quadlet_find_word(q, "cgroups")) /* not the service's own cgroup then */
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
        if (request->type == UNIT_POD && !quadlet_find_word(q, "exit-policy")) /* the generator's own is "stop" */
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
        const QuadletWord *driver = quadlet_find_word(q, "driver");
        bool image = driver && str_equal(driver->value, "image"), device = false;

        for (size_t i = 0; i < q->n; i++)
                device = device || str_after(q->words[i].value, "device=");
        for (size_t i = 0; i < q->n; i++) {
                QuadletWord *word = q->words + i;
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
                if (value && (key == KEY_Image) == image && !(key == KEY_Image && quadlet_looks_like_file(value)))
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
        int r = quadlet_read_options(q, reterr);

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

bool quadlet_files_have(const QuadletFiles *files, const char *name) {
        for (size_t i = 0; i < files->n; i++)
                if (str_equal(files->items[i].name, name))
                        return true;
        return false;
}

int quadlet_add(const QuadletRequest *request, QuadletFiles *files, Error *reterr) {
        Arena arena = {};
        Quadlet q = { .request = request, .files = files, .writer = { .type = request->type, .arena = &arena } };
        QuadletFile *items = reallocarray(files->items, files->n + 1, sizeof(*items)), file = {};

        if (!items)
                return error_oom(reterr);
        files->items = items;
        int r = make_text(&q, &file, reterr);
        unit_writer_done(&q.writer);
        arena_done(&arena);
        if (r >= 0 && !quadlet_files_have(files, file.name)) {
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
