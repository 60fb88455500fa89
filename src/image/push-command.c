/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of push and of the manifest lists: every option belongs to one table, which says who takes it. */
#include "image/push-command.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/tool-options.h"
#include "image/list-command.h"
#include "image/push.h"
#include "image/registry-options.h"
#include "state/events.h"

typedef struct PushCommand {
        ToolOptions tool;
        const char *digest_file;
        char *creds;
        PushOptions push;
        ListOptions list;
        char **arguments;
        size_t n_arguments;
} PushCommand;

static int set_compression(PushCommand *c, const char *value, _unused_ Error *reterr) {
        c->push.compression = value;
        return 0;
}

static int set_level(PushCommand *c, const char *value, Error *reterr) {
        uint32_t n;

        if (parse_u32(value, &n) < 0 || n > 100)
                return tool_usage(reterr, "--compression-level is a number");
        c->push.copy.level = (int) n;
        return 0;
}

static int set_force(PushCommand *c, _unused_ const char *value, _unused_ Error *reterr) {
        c->push.copy.force = true;
        return 0;
}

static int set_compress(PushCommand *c, _unused_ const char *value, _unused_ Error *reterr) {
        c->push.compress = true;
        return 0;
}

static int set_type(PushCommand *c, const char *value, Error *reterr) {
        c->push.copy.type = manifest_type_from_string(value);
        if (str_equal(value, "v2s1"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot push as 'v2s1': Docker's schema 1 has no digest of its content and is not written");
        if ((int) c->push.copy.type < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot push as '%.40s': there are oci and v2s2", value);
        return 0;
}

static int set_digest_file(PushCommand *c, const char *value, _unused_ Error *reterr) {
        c->digest_file = value;
        return 0;
}

static int set_quiet(PushCommand *c, _unused_ const char *value, _unused_ Error *reterr) {
        c->push.copy.quiet = true;
        return 0;
}

static int set_all(PushCommand *c, const char *value, _unused_ Error *reterr) {
        c->list.all = !str_equal(value, "false");
        return 0;
}

static int set_amend(PushCommand *c, _unused_ const char *value, _unused_ Error *reterr) {
        c->list.amend = true;
        return 0;
}

static int set_remove(PushCommand *c, _unused_ const char *value, _unused_ Error *reterr) {
        c->list.remove = true;
        return 0;
}

static int set_annotation(PushCommand *c, const char *value, Error *reterr) {
        if (!strchr(value, '=') || *value == '=')
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --annotation '%.200s': it is not KEY=VALUE", value);
        return strv_append(&c->list.annotations, value) < 0 ? error_oom(reterr) : 0;
}

static int set_arch(PushCommand *c, const char *value, _unused_ Error *reterr) {
        c->list.architecture = value;
        return 0;
}

static int set_os(PushCommand *c, const char *value, _unused_ Error *reterr) {
        c->list.os = value;
        return 0;
}

static int set_variant(PushCommand *c, const char *value, _unused_ Error *reterr) {
        c->list.variant = value;
        return 0;
}

static int set_os_version(PushCommand *c, const char *value, _unused_ Error *reterr) {
        c->list.os_version = value;
        return 0;
}

static int set_features(PushCommand *c, const char *value, Error *reterr) {
        return strv_append(&c->list.features, value) < 0 ? error_oom(reterr) : 0;
}

static int set_os_features(PushCommand *c, const char *value, Error *reterr) {
        return strv_append(&c->list.os_features, value) < 0 ? error_oom(reterr) : 0;
}

static const struct {
        const char *name;
        int argument; /* of getopt_long(3) */
        int (*set)(PushCommand *c, const char *value, Error *reterr);
} rows[] = {
        { "all", optional_argument, set_all },
        { "amend", no_argument, set_amend },
        { "annotation", required_argument, set_annotation },
        { "arch", required_argument, set_arch },
        { "compress", no_argument, set_compress },
        { "compression-format", required_argument, set_compression },
        { "compression-level", required_argument, set_level },
        { "digestfile", required_argument, set_digest_file },
        { "features", required_argument, set_features },
        { "force-compression", no_argument, set_force },
        { "manifest-type", required_argument, set_type },
        { "os", required_argument, set_os },
        { "os-features", required_argument, set_os_features },
        { "os-version", required_argument, set_os_version },
        { "quiet", no_argument, set_quiet },
        { "remove", no_argument, set_remove },
        { "variant", required_argument, set_variant },
};

static int parse(PushCommand *c, int argc, char **argv, Error *reterr) {
        static const struct option shared[] = { TOOL_LONG_OPTIONS, REGISTRY_LONG_OPTIONS };
        struct option options[ELEMENTSOF(rows) + ELEMENTSOF(shared) + 1] = {};
        int index, letter, r = registry_options_creds(&c->creds, reterr);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                options[i] = (struct option){ rows[i].name, rows[i].argument, NULL, 1 };
        memcpy(options + ELEMENTSOF(rows), shared, sizeof(shared));
        opterr = 0;
        while (r >= 0 && (letter = getopt_long(argc, argv, "", options, &index)) >= 0) {
                if (letter == 1) {
                        r = rows[index].set(c, optarg, reterr);
                        continue;
                }
                r = tool_options_set(&c->tool, letter, optarg, reterr) ?: registry_options_set(&c->push.registry, letter, optarg, reterr);
                if (r == 0)
                        r = tool_usage(reterr, "unknown option");
        }
        if (r < 0)
                return r;
        c->push.registry.creds = c->creds;
        if (c->push.registry.retries >= 0)
                c->push.copy.retries = (unsigned) c->push.registry.retries;
        c->arguments = argv + optind + (optind < argc);
        c->n_arguments = (size_t) (argc - optind - (optind < argc));
        return 0;
}

static int write_digest(const PushCommand *c, const CopyResult *result, Error *reterr) {
        if (!c->digest_file)
                return 0;
        /* in place: it may be in any directory and on any file system, and be a pipe or /dev/stdout */
        _cleanup_fd_ int fd = open(c->digest_file, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0644);
        int r = fd < 0 ? -errno : io_write_full(fd, result->digest, strlen(result->digest));
        return r < 0 ? error_set_errno(reterr, r, "cannot write '%s'", c->digest_file) : 0;
}

static int run_push(PushCommand *c, Stage *stage, Error *reterr) {
        CopyResult result;
        int r = image_push(stage, c->arguments[0], c->arguments[1], &c->push, &result, reterr);

        if (r < 0)
                return r;
        event_named(stage->store, "image", "push", digest_hex(result.config_digest), c->arguments[1] ?: c->arguments[0]);
        return write_digest(c, &result, reterr);
}

static int run_list_push(PushCommand *c, Stage *stage, Error *reterr) {
        CopyResult result;
        int r = list_push(stage, c->arguments[0], c->arguments[1], &c->push, &c->list, &result, reterr);

        return r < 0 ? r : write_digest(c, &result, reterr);
}

static int run_list_add(PushCommand *c, Stage *stage, Error *reterr) {
        return list_add(stage, c->arguments[0], c->arguments + 1, &c->push.registry, &c->list, reterr);
}

static int run_list_annotate(PushCommand *c, Stage *stage, Error *reterr) {
        return list_annotate(stage, c->arguments[0], c->arguments[1], &c->list, reterr);
}

static int run_list_create(PushCommand *c, Stage *stage, Error *reterr) {
        return list_create(stage, c->arguments[0], c->arguments + 1, &c->push.registry, &c->list, reterr);
}

static int run_list_inspect(PushCommand *c, Stage *stage, Error *reterr) {
        return list_inspect(stage->store, c->arguments[0], &c->push.registry, reterr);
}

static int run_list_remove(PushCommand *c, Stage *stage, Error *reterr) {
        return list_take_out(stage, c->arguments[0], c->arguments[1], reterr);
}

static const struct {
        const char *name;
        size_t least, most;
        int (*run)(PushCommand *c, Stage *stage, Error *reterr);
} commands[] = {
        { "manifest-add", 2, SIZE_MAX, run_list_add },
        { "manifest-annotate", 2, 2, run_list_annotate },
        { "manifest-create", 1, SIZE_MAX, run_list_create },
        { "manifest-inspect", 1, 1, run_list_inspect },
        { "manifest-push", 1, 2, run_list_push },
        { "manifest-remove", 2, 2, run_list_remove },
        { "push", 1, 2, run_push },
};

static size_t find_command(const char *name) {
        size_t i;

        for (i = 0; i < ELEMENTSOF(commands) && !str_equal(commands[i].name, name); i++)
                ;
        return i;
}

static int run(PushCommand *c, const char *name, Error *reterr) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_stage_ Stage stage = STAGE_NULL;
        size_t i = find_command(name);

        if (c->n_arguments < commands[i].least || c->n_arguments > commands[i].most)
                return tool_usage(reterr, "not the number of words that it takes");
        int r = push_options_check(&c->push, reterr);
        if (r >= 0)
                r = store_open(c->tool.root, c->tool.runroot, &store, reterr);
        if (r >= 0)
                r = stage_open(&store, &stage, reterr);
        return r < 0 ? r : commands[i].run(c, &stage, reterr);
}

int push_command(int argc, char **argv) {
        PushCommand c = { .push = { .registry = REGISTRY_OPTIONS_DEFAULT, .copy = { .retries = 3 } }, .list = { .all = false } };
        _cleanup_error_ Error error = ERROR_NULL;

        log_set_program("sdpod");
        int r = parse(&c, argc, argv, &error);
        if (r >= 0)
                r = run(&c, argv[optind], &error);
        if (c.creds)
                explicit_bzero(c.creds, strlen(c.creds));
        free(c.creds);
        strv_free(c.list.annotations);
        strv_free(c.list.features);
        strv_free(c.list.os_features);
        if (r >= 0)
                return EXIT_SUCCESS;
        error_print(&error);
        return error_exit_status(&error);
}
