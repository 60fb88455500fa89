/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod secret create, ls, inspect, rm, exists. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "cli/parse-env.h"
#include "cli/time-text.h"
#include "cli/verbs.h"
#include "state/secret.h"

/* What is in a secret passes through memory of libraries here: no core dump may have it. */
static void keep_to_ourselves(void) {
        (void) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* ---- create ---- */

typedef struct CreateOptions {
        char **labels, *encryption;
        bool env, ignore, replace;
} CreateOptions;

static const char *const drivers[] = { "file", NULL };

static int set_driver(_unused_ void *options, const char *value, Error *reterr) {
        return str_equal(value, "file") ? 0 : error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "only 'file' is there yet");
}

static int set_driver_opts(void *options, const char *value, Error *reterr) {
        CreateOptions *o = options;
        _cleanup_strv_ char **words = NULL;
        int r = csv_split(value, &words, reterr);

        for (char **w = words; r >= 0 && w && *w; w++) {
                const char *encryption = str_after(*w, "encryption=");

                if (!encryption)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "'%s': only 'encryption=' is there yet", *w);
                if (!str_equal(encryption, SECRET_BY_CREDS) && !str_equal(encryption, SECRET_BY_KEY))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "'%s' is neither " SECRET_BY_CREDS " nor " SECRET_BY_KEY, encryption);
                if (str_replace(&o->encryption, encryption) < 0)
                        return error_oom(reterr);
        }
        return r;
}

static void create_options_done(void *options) {
        free(((CreateOptions *) options)->encryption);
}

#define FIELD(member) offsetof(CreateOptions, member)
static const Option create_rows[] = {
        { "driver", 'd', .kind = OPTION_SET, .set = set_driver, .metavar = "DRIVER",
          .help = "Who keeps the secret: file", .complete = COMPLETE_WORDS, .words = drivers },
        { "driver-opts", .kind = OPTION_SET, .set = set_driver_opts, .metavar = "NAME=VALUE",
          .help = "encryption=systemd-creds or encryption=key-file (default: the first that works)" },
        { "env", .kind = OPTION_BOOL, .offset = FIELD(env), .help = "FILE names a variable of the environment" },
        { "ignore", .kind = OPTION_BOOL, .offset = FIELD(ignore), .help = "Do not fail when the secret exists" },
        { "label", 'l', .kind = OPTION_STRV, .offset = FIELD(labels), .metavar = "KEY[=VALUE]", .help = "Add a label" },
        { "replace", .kind = OPTION_BOOL, .offset = FIELD(replace), .help = "Give a secret that exists the new content" },
        {},
};
#undef FIELD
static const Option *const create_options[] = { create_rows, NULL };

static int read_variable(const char *name, SecretMemory *ret, Error *reterr) {
        const char *value = getenv(name);

        if (!value)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "environment variable %s is not set", name);
        if (secret_memory_new(strlen(value), ret) < 0)
                return error_oom(reterr);
        ret->size = ret->room;
        memcpy(ret->data, value, ret->size);
        return 0;
}

static int read_file(const char *path, SecretMemory *ret, Error *reterr) {
        bool from_stdin = str_equal(path, "-");
        _cleanup_fd_ int fd = from_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open '%s'", path);
        if (from_stdin && isatty(fd)) {
                (void) error_set(reterr, -EINVAL, ERROR_INVALID, "the standard input is a terminal, which would show it");
                return error_with_hint(reterr, -EINVAL, "pipe it in, or name a file");
        }
        int r = secret_memory_read(fd, SECRET_SIZE_LIMIT, ret);
        if (r == -EFBIG)
                return error_set(reterr, r, ERROR_INVALID, "secret data must be larger than 0 and less than %d bytes", SECRET_SIZE_LIMIT + 1);
        return r < 0 ? error_set_errno(reterr, r, "cannot read '%s'", path) : 0;
}

static int run_create(Invocation *in, Error *reterr) {
        const CreateOptions *o = in->options;
        _cleanup_secret_memory_ SecretMemory content = SECRET_MEMORY_NULL;
        _cleanup_secret_ Secret secret = SECRET_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        keep_to_ourselves();
        if (r >= 0 && o->ignore && o->replace)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --ignore with --replace");
        if (r >= 0)
                r = parse_labels(/* files= */ NULL, o->labels, &secret.labels, reterr);
        if (r < 0)
                return r;
        if (!(secret.name = strdup(in->arguments[0])))
                return error_oom(reterr);
        r = o->env ? read_variable(in->arguments[1], &content, reterr) : read_file(in->arguments[1], &content, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot create secret '%s'", secret.name);
        r = secret_create(store, &secret, &content, o->encryption, o->replace ? SECRET_REPLACE : o->ignore ? SECRET_IGNORE : SECRET_REFUSE,
                          reterr);
        if (r >= 0)
                printf("%s\n", secret.id);
        return r;
}

const Verb verb_secret_create = {
        .arguments = "NAME FILE|-",
        .summary = "Create a secret",
        .options = create_options,
        .options_size = sizeof(CreateOptions),
        .options_done = create_options_done,
        .arguments_min = 2,
        .arguments_max = 2,
        .complete = COMPLETE_FILE,
        .run = run_create,
};

/* ---- ls ---- */

typedef struct ListOptions {
        char **filters, *format;
        bool no_heading, quiet;
} ListOptions;

#define FIELD(member) offsetof(ListOptions, member)
static const char *const filter_words[] = { "id=", "name=", NULL };
static const Option list_rows[] = {
        { "filter", 'f', .kind = OPTION_LIST, .offset = FIELD(filters), .metavar = "KEY=VALUE", .help = "List only what matches",
          .complete = COMPLETE_WORDS, .words = filter_words },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "TEMPLATE", .help = "Print by a Go template, or json" },
        { "noheading", 'n', .kind = OPTION_BOOL, .offset = FIELD(no_heading), .help = "Print no headings" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Print IDs only" },
        {},
};
#undef FIELD
static const Option *const list_options[] = { list_rows, NULL };

static const FormatField list_fields[] = {
        { "ID", NULL }, { "Name", NULL }, { "Driver", NULL }, { "CreatedAt", "CREATED" }, { "UpdatedAt", "UPDATED" }, {},
};
static const FormatList list_format = {
        list_fields, NULL, "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.CreatedAt}}\t{{.UpdatedAt}}", 4
};

static int match_name(const void *item, const char *value, Error *reterr) {
        return filter_regex(((const Secret *) item)->name, value, reterr);
}

static int match_id(const void *item, const char *value, _unused_ Error *reterr) {
        return str_after(((const Secret *) item)->id, value) != NULL;
}

static const FilterKey filter_keys[] = { { "id", .match = match_id }, { "name", .match = match_name }, {} };

static json_t *list_row(const Secret *secret, int64_t now) {
        _cleanup_free_ char *created = time_text_ago(secret->created_usec, now), *updated = time_text_ago(secret->updated_usec, now);

        return created && updated ? json_pack("{s:s, s:s, s:s, s:s, s:s}", "ID", secret->id, "Name", secret->name, "Driver", "file",
                                              "CreatedAt", created, "UpdatedAt", updated)
                                  : NULL;
}

static int run_list(Invocation *in, Error *reterr) {
        const ListOptions *o = in->options;
        _cleanup_strv_ char **names = NULL;
        _cleanup_json_ json_t *rows = json_array();
        int64_t now = time_now_usec();
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0 && o->quiet && o->format)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --quiet with --format");
        if (r >= 0)
                r = filters_match(o->filters, filter_keys, NULL, reterr);
        if (r >= 0)
                r = secret_list(store, &names, reterr);
        for (char **name = names; r >= 0 && name && *name; name++) {
                _cleanup_secret_ Secret secret = SECRET_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = secret_open(store, *name, &secret, &error);
                if (r < 0) {
                        if (r != -ENOENT) /* that was removed meanwhile; a damaged one does not hide the others */
                                error_print(&error);
                        r = 0;
                        continue;
                }
                r = filters_match(o->filters, filter_keys, &secret, reterr);
                if (r > 0 && json_array_append_new(rows, list_row(&secret, now)) < 0)
                        r = error_oom(reterr);
        }
        if (r < 0)
                return r;
        return o->quiet ? format_quiet(rows, "ID", /* no_trunc= */ true, stdout, reterr)
                        : format_list(&list_format, o->format, o->no_heading, rows, stdout, reterr);
}

const Verb verb_secret_ls = {
        .summary = "List secrets",
        .options = list_options,
        .options_size = sizeof(ListOptions),
        .run = run_list,
};

/* ---- inspect ---- */

typedef struct InspectOptions {
        char *format;
        bool pretty, show_secret;
} InspectOptions;

#define FIELD(member) offsetof(InspectOptions, member)
static const Option inspect_rows[] = {
        { "format", 'f', .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "TEMPLATE", .help = "Print by a Go template, or json" },
        { "pretty", .kind = OPTION_BOOL, .offset = FIELD(pretty), .help = "Print lines for people" },
        { "showsecret", .kind = OPTION_BOOL, .offset = FIELD(show_secret), .help = "Print what is in the secret, too" },
        {},
};
#undef FIELD
static const Option *const inspect_options[] = { inspect_rows, NULL };

static const char *const inspect_maps[] = { "Labels", "Options", NULL };
static const char *const inspect_times[] = { "CreatedAt", "UpdatedAt", NULL };
static const TemplateTypes inspect_types = { .maps = inspect_maps, .times = inspect_times };

static json_t *to_json(const Store *store, const Secret *secret) {
        _cleanup_free_ char *path = str_format("%s/secrets", store->data_path), *created = time_format_rfc3339(secret->created_usec),
                            *updated = time_format_rfc3339(secret->updated_usec);
        _cleanup_json_ json_t *options = json_object();

        if (!path || !created || !updated || json_object_set_new(options, "path", json_text(path)) < 0 ||
            json_object_set_new(options, "encryption", json_text(secret->encryption)) < 0 ||
            (secret->key && json_object_set_new(options, "key", json_text(secret->key)) < 0))
                return NULL;
        return json_pack("{s:s, s:s, s:s, s:{s:s, s:{s:s, s:O}, s:o}}", "ID", secret->id, "CreatedAt", created, "UpdatedAt", updated,
                         "Spec", "Name", secret->name, "Driver", "Name", "file", "Options", options, "Labels",
                         json_from_pairs(secret->labels));
}

static int add_content(const Secret *secret, json_t *object, Error *reterr) {
        _cleanup_secret_memory_ SecretMemory content = SECRET_MEMORY_NULL;
        int r = secret_unseal(secret, &content, reterr);

        if (r < 0)
                return r;
        json_t *text = json_stringn(content.data, content.size) ?: json_text(content.data);
        return json_object_set_new(object, "SecretData", text) < 0 ? error_oom(reterr) : 0;
}

static int inspect_one(const Store *store, const char *name, bool show_secret, json_t *array, Error *reterr) {
        _cleanup_secret_ Secret secret = SECRET_NULL;
        int r = secret_open(store, name, &secret, reterr);

        if (r < 0)
                return r;
        _cleanup_json_ json_t *object = to_json(store, &secret);
        if (!object)
                return error_oom(reterr);
        if (show_secret)
                r = add_content(&secret, object, reterr);
        if (r >= 0 && json_array_append(array, object) < 0)
                return error_oom(reterr);
        return r;
}

static int print_pretty(const json_t *array) {
        const json_t *object;
        size_t i;

        json_array_foreach(array, i, object) {
                const json_t *spec = json_object_get(object, "Spec");
                _cleanup_free_ char *created = NULL, *updated = NULL;

                if (time_text_go(json_get_string(object, "CreatedAt"), &created) < 0 ||
                    time_text_go(json_get_string(object, "UpdatedAt"), &updated) < 0)
                        return -ENOMEM;
                printf("ID:              %s\nName:              %s\nDriver:            file\n", json_get_string(object, "ID"),
                       json_get_string(spec, "Name"));
                printf("Created at:        %s\nUpdated at:        %s\n", created, updated);
        }
        return 0;
}

/* Shows what is there, and ends with 125 when something is not, as Podman does. */
static int run_inspect(Invocation *in, Error *reterr) {
        const InspectOptions *o = in->options;
        _cleanup_json_ json_t *array = json_array();
        const Store *store;
        int r = invocation_store(in, &store, reterr), status = 0;

        if (r >= 0 && o->pretty && (o->format || o->show_secret))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --pretty with %s", o->format ? "--format" : "--showsecret");
        if (o->show_secret)
                keep_to_ourselves();
        for (char **name = in->arguments; r >= 0 && *name; name++) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (inspect_one(store, *name, o->show_secret, array, &error) >= 0)
                        continue;
                error_print(&error);
                status = 125;
        }
        if (r < 0)
                return r;
        r = o->pretty   ? print_pretty(array)
            : o->format ? format_objects(o->format, &inspect_types, array, stdout, reterr)
                        : format_json(array, 4, stdout, reterr);
        return r < 0 ? r : status;
}

const Verb verb_secret_inspect = {
        .arguments = "SECRET [SECRET...]",
        .summary = "Show secrets, but not what is in them",
        .options = inspect_options,
        .options_size = sizeof(InspectOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_SECRET,
        .run = run_inspect,
};

/* ---- rm, exists ---- */

typedef struct SecretRemoveOptions {
        bool all, ignore;
} SecretRemoveOptions;

static const Option remove_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = offsetof(SecretRemoveOptions, all), .help = "Remove all secrets" },
        { "ignore", 'i', .kind = OPTION_BOOL, .offset = offsetof(SecretRemoveOptions, ignore),
          .help = "Do not fail when a secret is not there" },
        {},
};
static const Option *const remove_options[] = { remove_rows, NULL };

static int remove_one(const Store *store, const char *name, bool ignore, Error *reterr) {
        _cleanup_secret_ Secret secret = SECRET_NULL;
        int r = secret_open(store, name, &secret, reterr);

        if (r == -EBADMSG && !secret.name && (secret.name = strdup(name))) { /* damaged: it goes by its name */
                error_done(reterr);
                r = 0;
        }
        if (r >= 0)
                r = secret_remove(store, &secret, reterr);
        if (r == -ENOENT && ignore) {
                error_done(reterr);
                return 0;
        }
        if (r >= 0)
                printf("%s\n", secret.id ?: secret.name);
        return r;
}

static int run_remove(Invocation *in, Error *reterr) {
        const SecretRemoveOptions *o = in->options;
        _cleanup_strv_ char **names = NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr), status = 0;

        if (r >= 0 && o->all == (in->n_arguments > 0))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "'sdpod %s' requires one argument, or the --all flag", in->name);
        if (r >= 0 && o->all)
                r = secret_list(store, &names, reterr);
        if (r < 0)
                return r;
        for (char **name = o->all ? names : in->arguments; name && *name; name++) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (remove_one(store, *name, o->ignore || o->all, &error) >= 0)
                        continue;
                error_print(&error);
                status = 125;
        }
        return status;
}

const Verb verb_secret_rm = {
        .arguments = "SECRET [SECRET...]",
        .summary = "Remove secrets",
        .description = "Remove secrets. Containers that were made with one as a file keep their copy of it.",
        .options = remove_options,
        .options_size = sizeof(SecretRemoveOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_SECRET,
        .run = run_remove,
};

static int run_exists(Invocation *in, Error *reterr) {
        _cleanup_secret_ Secret secret = SECRET_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = secret_open(store, in->arguments[0], &secret, reterr);
        if (r == -ENOENT) {
                error_done(reterr);
                return 1;
        }
        return r;
}

const Verb verb_secret_exists = {
        .arguments = "SECRET",
        .summary = "Tell by the exit status whether a secret exists",
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_SECRET,
        .run = run_exists,
};
