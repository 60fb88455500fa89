/* SPDX-License-Identifier: Apache-2.0 */
/* What sdpod-image is told about containers' files, and what it answers. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/tool-options.h"
#include "content/command.h"
#include "content/check.h"
#include "content/commit.h"
#include "content/cp.h"
#include "content/export.h"
#include "content/volume-data.h"

typedef struct Command {
        ToolOptions tool;
        const char *output, *iidfile;
        CommitOptions commit;
        CpOptions cp;
        CheckOptions check;
        TreeKind kind;
        bool json;
        char **arguments;
} Command;

static const struct option long_options[] = {
        TOOL_LONG_OPTIONS,
        { "format", required_argument, NULL, 'f' },
        { "output", required_argument, NULL, 'O' },   { "author", required_argument, NULL, 'a' },
        { "change", required_argument, NULL, 'c' },   { "message", required_argument, NULL, 'm' },
        { "iidfile", required_argument, NULL, 'i' },
        { "kind", required_argument, NULL, 'k' },     { "squash", no_argument, NULL, 's' },         { "include-volumes", no_argument, NULL, 'v' },
        { "quick", no_argument, NULL, 'Q' },          { "repair", no_argument, NULL, 'R' + 128 },
        { "max", required_argument, NULL, 'x' },      { "users-file", required_argument, NULL, 'u' },
        { "keep-owners", no_argument, NULL, 'K' },    { "overwrite", no_argument, NULL, 'o' },
        {},
};

static int set_flag(Command *c, int letter, Error *reterr) {
        switch (letter) {
        case 'Q':
                c->check.quick = true;
                return 0;
        case 'R' + 128:
                c->check.repair = true;
                return 0;
        case 'K':
                c->cp.keep_owners = true;
                return 0;
        case 'o':
                c->cp.overwrite = true;
                return 0;
        case 's':
                c->commit.squash = true;
                return 0;
        case 'v':
                c->commit.include_volumes = true;
                return 0;
        default:
                return tool_usage(reterr, "unknown option");
        }
}

static int set_option(Command *c, int letter, Error *reterr) {
        int r = tool_options_set(&c->tool, letter, optarg, reterr);

        if (r != 0)
                return MIN(r, 0);
        switch (letter) {
        case 'f':
                c->json = str_equal(optarg, "json");
                c->commit.docker = str_equal(optarg, "docker");
                return c->json || c->commit.docker || str_equal(optarg, "text") || str_equal(optarg, "oci") ? 0 : tool_usage(reterr, "unknown format");
        case 'O':
                c->output = optarg;
                return 0;
        case 'a':
                c->commit.author = optarg;
                return 0;
        case 'm':
                c->commit.message = optarg;
                return 0;
        case 'c':
                return strv_append(&c->commit.changes, optarg) < 0 ? error_oom(reterr) : 0;
        case 'k':
                c->kind = tree_kind_from_string(optarg);
                return c->kind < 0 ? tool_usage(reterr, "unknown kind") : 0;
        case 'x':
                return parse_u64(optarg, &c->check.max_usec) < 0 ? tool_usage(reterr, "--max is in microseconds") : 0;
        case 'u':
                c->check.users_file = optarg;
                return 0;
        case 'i':
                c->iidfile = optarg;
                return 0;
        default:
                return set_flag(c, letter, reterr);
        }
}

static int run_diff(Command *c, const Store *store, Error *reterr) {
        if (!c->arguments[0] || (c->arguments[1] && c->arguments[2]))
                return tool_usage(reterr, "'diff' takes one or two names");
        return diff_print(store, c->arguments[0], c->arguments[1], c->kind, c->json, reterr);
}

static int run_export(Command *c, const Store *store, Error *reterr) {
        if (!c->arguments[0] || c->arguments[1])
                return tool_usage(reterr, "'export' takes a container");
        return export_container(store, c->arguments[0], c->output, reterr);
}

static int run_volume_export(Command *c, const Store *store, Error *reterr) {
        if (!c->arguments[0] || c->arguments[1])
                return tool_usage(reterr, "'volume-export' takes a volume");
        return volume_export(store, c->arguments[0], c->output, reterr);
}

static int run_volume_import(Command *c, const Store *store, Error *reterr) {
        if (!c->arguments[0] || !c->arguments[1] || c->arguments[2])
                return tool_usage(reterr, "'volume-import' takes a volume and a file");
        return volume_import(store, c->arguments[0], c->arguments[1], reterr);
}

static int write_id_file(const char *path, const char *id, Error *reterr) {
        FILE *file = fopen(path, "we");
        int r = !file || fputs(id, file) < 0 ? -errno : 0;

        if (file && fclose(file) != 0)
                r = r < 0 ? r : -errno;
        return r < 0 ? error_set_errno(reterr, r, "cannot write the image ID to '%s'", path) : 0;
}

static int run_commit(Command *c, const Store *store, Error *reterr) {
        _cleanup_stage_ Stage stage = STAGE_NULL;
        _cleanup_free_ char *id = NULL;

        if (!c->arguments[0] || (c->arguments[1] && c->arguments[2]))
                return tool_usage(reterr, "'commit' takes a container and perhaps a name");
        c->commit.name = c->arguments[1];
        int r = stage_open(store, &stage, reterr);
        if (r >= 0)
                r = commit_container(&stage, c->arguments[0], &c->commit, &id, reterr);
        if (r >= 0 && c->iidfile)
                r = write_id_file(c->iidfile, id, reterr);
        if (r < 0)
                return r;
        printf("%s\n", id);
        return fflush(stdout) < 0 ? error_set_errno(reterr, -errno, "cannot write to the standard output") : 0;
}

static int run_cp(Command *c, const Store *store, Error *reterr) {
        if (!c->arguments[0] || !c->arguments[1] || c->arguments[2])
                return tool_usage(reterr, "'cp' takes a source and a destination");
        return cp_run(store, c->arguments[0], c->arguments[1], &c->cp, reterr);
}

static int run_check(Command *c, const Store *store, Error *reterr) {
        size_t left = 0;

        if (c->arguments[0])
                return tool_usage(reterr, "'check' takes no arguments");
        int r = check_run(store, &c->check, &left, reterr);
        if (r < 0 || left == 0)
                return r;
        (void) fflush(stdout);
        (void) error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%zu things are damaged in '%s'", left, store->data_path);
        return error_with_hint(reterr, -EBADMSG, c->check.repair ? "containers need them: see to what is in them, then use --repair --force"
                                                  : "sdpod system check --repair removes them, and the images that need them");
}

static const struct {
        const char *name;
        int (*run)(Command *c, const Store *store, Error *reterr);
} commands[] = {
        { "check", run_check },
        { "commit", run_commit },
        { "cp", run_cp },
        { "diff", run_diff },
        { "export", run_export },
        { "volume-export", run_volume_export },
        { "volume-import", run_volume_import },
};

bool content_command_is(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                if (str_equal(commands[i].name, name))
                        return true;
        return false;
}

static int run(Command *c, const char *name, Error *reterr) {
        _cleanup_store_ Store store = STORE_NULL;
        int r = store_open(c->tool.root, c->tool.runroot, &store, reterr);

        for (size_t i = 0; i < ELEMENTSOF(commands) && r >= 0; i++)
                if (str_equal(commands[i].name, name))
                        return commands[i].run(c, &store, reterr);
        return r;
}

int content_command(int argc, char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;
        Command c = {};
        int r = 0, letter;

        log_set_program("sdpod"); /* the user has typed sdpod */
        opterr = 0;
        while (r >= 0 && (letter = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
                r = set_option(&c, letter, &error);
        if (r >= 0) {
                c.arguments = argv + optind + (optind < argc);
                r = run(&c, argv[optind], &error);
        }
        strv_free(c.commit.changes);
        if (r >= 0)
                return EXIT_SUCCESS;
        error_print(&error);
        return error_exit_status(&error);
}
