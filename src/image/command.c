/* SPDX-License-Identifier: Apache-2.0 */
/* What sdpod-image is told, and what it answers. */
#include "image/command.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "base/tool-options.h"
#include "image/load.h"
#include "registry/download.h"
#include "image/pull.h"
#include "image/push-command.h"
#include "image/save.h"
#include "state/events.h"

typedef struct Command {
        ToolOptions tool;
        const char *input;         /* NULL: the standard input */
        const char *architecture;
        ImportOptions import;
        const char *output;        /* save; NULL: the standard output */
        const char *save_format;
        bool json, multiple, compress;
        char **arguments;
} Command;

static const struct option long_options[] = {
        TOOL_LONG_OPTIONS,
        { "format", required_argument, NULL, 'f' },
        { "input", required_argument, NULL, 'i' },     { "quiet", no_argument, NULL, 'q' },
        { "arch", required_argument, NULL, 'a' },      { "os", required_argument, NULL, 'o' },
        { "variant", required_argument, NULL, 'v' },   { "change", required_argument, NULL, 'c' },
        { "message", required_argument, NULL, 'm' },   { "output", required_argument, NULL, 'O' },
        { "save-format", required_argument, NULL, 'F' }, { "multiple", no_argument, NULL, 'M' },
        { "compress", no_argument, NULL, 'C' },        {},
};

static int set_option(Command *c, int letter, Error *reterr) {
        int r = tool_options_set(&c->tool, letter, optarg, reterr);

        if (r != 0)
                return MIN(r, 0);
        switch (letter) {
        case 'f':
                c->json = str_equal(optarg, "json");
                return c->json || str_equal(optarg, "text") ? 0 : tool_usage(reterr, "the format is 'text' or 'json'");
        case 'i':
                c->input = str_equal(optarg, "-") ? NULL : optarg;
                return 0;
        case 'q':
                return 0; /* it only leaves out progress (podman-load(1)), of which load and import show none */
        case 'a':
                c->architecture = optarg;
                return str_replace(&c->import.architecture, optarg) < 0 ? error_oom(reterr) : 0;
        case 'o':
                return str_replace(&c->import.os, optarg) < 0 ? error_oom(reterr) : 0;
        case 'v':
                return str_replace(&c->import.variant, optarg) < 0 ? error_oom(reterr) : 0;
        case 'c':
                return strv_append(&c->import.changes, optarg) < 0 ? error_oom(reterr) : 0;
        case 'm':
                return str_replace(&c->import.message, optarg) < 0 ? error_oom(reterr) : 0;
        case 'O':
                c->output = optarg;
                return 0;
        case 'F':
                c->save_format = optarg;
                return 0;
        case 'M':
                c->multiple = true;
                return 0;
        case 'C':
                c->compress = true;
                return 0;
        default:
                return tool_usage(reterr, "unknown option");
        }
}

static int print_text(const LoadResult *result, bool import) {
        for (size_t i = 0; i < result->n_images; i++) {
                const Loaded *image = result->images + i;

                /* podman-import(1) prints the ID */
                if (import)
                        (void) printf("sha256:%s\n", image->id);
                else
                        (void) printf("Loaded image: %s%s\n", image->name ? "" : "sha256:", image->name ?: image->id);
        }
        return fflush(stdout) < 0 ? -errno : 0;
}

static int print_json(const LoadResult *result) {
        for (size_t i = 0; i < result->n_images; i++) {
                _cleanup_json_ json_t *line = json_pack("{s:s?, s:s}", "name", result->images[i].name, "id", result->images[i].id);

                if (!line || json_dumpf(line, stdout, JSON_COMPACT) < 0 || putchar('\n') < 0)
                        return -EIO;
        }
        return fflush(stdout) < 0 ? -errno : 0;
}

static int run_load(Command *c, Stage *stage, LoadResult *ret, Error *reterr) {
        if (c->arguments[0])
                return tool_usage(reterr, "'load' takes no arguments");
        return image_load(stage, c->input, c->architecture, ret, reterr);
}

static int run_import(Command *c, Stage *stage, LoadResult *ret, Error *reterr) {
        const char *path = c->arguments[0];

        if (!path || (c->arguments[1] && c->arguments[2]))
                return tool_usage(reterr, "'import' takes a file and perhaps a name");
        if (strstr(path, "://") && !download_is_url(path))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot import '%s': only http:// and https:// are there", path);
        if (str_replace(&c->import.name, c->arguments[1]) < 0)
                return error_oom(reterr);
        return image_import(stage, str_equal(path, "-") ? NULL : path, &c->import, ret, reterr);
}

static int run_save(Command *c, Stage *stage, _unused_ LoadResult *ret, Error *reterr) {
        SaveOptions options = { .path = c->output, .multiple = c->multiple, .copy = { .quiet = true } };

        if (!c->arguments[0])
                return tool_usage(reterr, "'save' needs an image");
        options.format = save_format_from_string(c->save_format ?: "docker-archive");
        if (options.format == _FILE_FORMAT_INVALID)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot save as '%s': there are docker-archive, oci-archive, oci-dir and docker-dir", c->save_format);
        if (c->compress && options.format != FILE_DIRECTORY)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --compress: only --format docker-dir knows compressed layers");
        if (c->compress)
                options.copy.compression = COMPRESSION_GZIP;
        if (options.format == FILE_DIRECTORY)
                options.copy.type = MANIFEST_DOCKER;
        return image_save(stage, c->arguments, &options, reterr);
}

static const struct {
        const char *name;
        int (*run)(Command *c, Stage *stage, LoadResult *ret, Error *reterr);
        bool import;
        const char *event;
} commands[] = {
        { "import", run_import, true, "import" },
        { "load", run_load, false, "loadfromarchive" },
        { "save", run_save, false, "save" },
};

static int run(Command *c, const char *name, Error *reterr) {
        _cleanup_load_result_ LoadResult result = {};
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_stage_ Stage stage = STAGE_NULL;
        size_t i;

        for (i = 0; i < ELEMENTSOF(commands) && !str_equal(commands[i].name, name); i++)
                ;
        if (i == ELEMENTSOF(commands))
                return tool_usage(reterr, name ? "unknown command" : "no command");
        int r = store_open(c->tool.root, c->tool.runroot, &store, reterr);
        if (r >= 0)
                r = stage_open(&store, &stage, reterr);
        if (r >= 0)
                r = commands[i].run(c, &stage, &result, reterr);
        if (r < 0)
                return r;
        for (size_t k = 0; k < result.n_images; k++)
                event_named(&store, "image", commands[i].event, result.images[k].id, result.images[k].name);
        for (char **image = c->arguments; commands[i].run == run_save && *image; image++)
                event_named(&store, "image", commands[i].event, /* id= */ NULL, *image);
        r = c->json ? print_json(&result) : print_text(&result, commands[i].import);
        return r < 0 ? error_set_errno(reterr, r, "cannot write to the standard output") : 0;
}

/* Commands with options of their own. The command stands behind global options, each with its value as a word of its own. */
static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
} own_commands[] = {
        { "manifest-add", push_command },     { "manifest-annotate", push_command }, { "manifest-create", push_command },
        { "manifest-inspect", push_command }, { "manifest-push", push_command },     { "manifest-remove", push_command },
        { "pull", pull_command },             { "push", push_command },
};

int image_command(int argc, char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;
        Command c = {};
        int r = 0, letter, word = 1;

        log_set_program("sdpod"); /* the user has typed sdpod */
        while (word + 1 < argc && str_after(argv[word], "--"))
                word += 2;
        for (size_t i = 0; i < ELEMENTSOF(own_commands) && word < argc; i++)
                if (str_equal(argv[word], own_commands[i].name))
                        return own_commands[i].run(argc, argv);
        opterr = 0;
        /* getopt_long(3) moves the options in front of the words */
        while (r >= 0 && (letter = getopt_long(argc, argv, "i:qc:m:", long_options, NULL)) >= 0)
                r = set_option(&c, letter, &error);
        if (r >= 0) {
                c.arguments = argv + optind + (optind < argc);
                r = run(&c, argv[optind], &error);
        }
        strv_free(c.import.changes);
        free(c.import.message);
        free(c.import.name);
        free(c.import.architecture);
        free(c.import.os);
        free(c.import.variant);
        if (r >= 0)
                return EXIT_SUCCESS;
        error_print(&error);
        return error_exit_status(&error);
}
