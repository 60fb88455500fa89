/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `sdpod-image pull`. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "base/tool-options.h"
#include "base/wire.h"
#include "image/pull.h"
#include "image/registry-options.h"

typedef struct Command {
        ToolOptions tool;
        PullOptions pull;
} Command;

static const struct option long_options[] = {
        REGISTRY_LONG_OPTIONS,
        TOOL_LONG_OPTIONS,
        { "quiet", no_argument, NULL, 'q' },
        { "arch", required_argument, NULL, 'a' },     { "os", required_argument, NULL, 'o' },
        { "variant", required_argument, NULL, 'v' },  { "platform", required_argument, NULL, 'p' },
        { "policy", required_argument, NULL, 'P' },   { "all-tags", no_argument, NULL, 'A' },
        { "with-parent", no_argument, NULL, 'w' },    { "check", required_argument, NULL, 'C' },
        {},
};

static int set_option(Command *c, int letter, Error *reterr) {
        PlatformWish *platform = &c->pull.platform;
        char **text = letter == 'a' ? &platform->architecture : letter == 'o' ? &platform->os : letter == 'v' ? &platform->variant : NULL;

        int r = tool_options_set(&c->tool, letter, optarg, reterr);
        if (r == 0)
                r = registry_options_set(&c->pull.registry, letter, optarg, reterr);
        if (r != 0)
                return MIN(r, 0);
        if (text)
                return str_replace(text, optarg) < 0 ? error_oom(reterr) : 0;
        switch (letter) {
        case 'q':
                c->pull.quiet = true;
                return 0;
        case 'p':
                platform_wish_done(platform);
                return platform_wish_parse(optarg, platform, reterr);
        case 'P':
                c->pull.policy = pull_policy_from_string(optarg);
                return c->pull.policy < 0 ? error_set(reterr, -EINVAL, ERROR_INVALID,
                                                      "cannot use --policy '%s': there are always, missing, never and newer", optarg)
                                          : 0;
        case 'A':
                c->pull.all_tags = true;
                return 0;
        case 'C':
                c->pull.check = optarg;
                return 0;
        case 'w':
                c->pull.with_parent = true;
                return 0;
        default:
                return tool_usage(reterr, "unknown option");
        }
}

static int run(const Command *c, char *const *words, Error *reterr) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_stage_ Stage stage = STAGE_NULL;

        if (!*words)
                return tool_usage(reterr, "'pull' needs an image");
        /* the pull's own child dies with it */
        if (c->pull.with_parent && prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
                return error_set_errno(reterr, -errno, "cannot start a pull");
        int r = store_open(c->tool.root, c->tool.runroot, &store, reterr);
        if (r >= 0)
                r = stage_open(&store, &stage, reterr);
        for (; r >= 0 && *words; words++)
                r = image_pull(&stage, *words, &c->pull, reterr);
        return r;
}

int pull_command(int argc, char **argv) {
        _cleanup_free_ char *creds = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        Command c = { .pull = { .registry = REGISTRY_OPTIONS_DEFAULT } };
        int r = registry_options_creds(&creds, &error), letter;

        opterr = 0;
        while (r >= 0 && (letter = getopt_long(argc, argv, "q", long_options, NULL)) >= 0)
                r = set_option(&c, letter, &error);
        c.pull.registry.creds = creds;
        if (r >= 0 && platform_wish_normalise(&c.pull.platform) < 0)
                r = error_oom(&error);
        if (r >= 0)
                r = run(&c, argv + optind + 1, &error); /* behind "pull" */
        platform_wish_done(&c.pull.platform);
        if (creds)
                explicit_bzero(creds, strlen(creds));
        if (c.pull.with_parent) {
                (void) wire_send_result(STDOUT_FILENO, r, &error);
                return r < 0 ? error_exit_status(&error) : EXIT_SUCCESS;
        }
        if (r >= 0)
                return EXIT_SUCCESS;
        error_print(&error);
        return error_exit_status(&error);
}
