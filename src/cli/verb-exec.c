/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod exec: a further command in a running container. */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/container-choose.h"
#include "cli/detach-keys.h"
#include "cli/parse-env.h"
#include "cli/parse-process.h"
#include "cli/verbs.h"
#include "engine/exec.h"

typedef struct ExecVerbOptions {
        char **env, **env_files;
        char *user, *workdir, *detach_keys;
        bool detach, interactive, tty, privileged, latest;
        uint32_t preserve_fds;
        char **preserve_fd;
} ExecVerbOptions;

#define FIELD(member) offsetof(ExecVerbOptions, member)
static const Option exec_rows[] = {
        { "detach", 'd', .kind = OPTION_BOOL, .offset = FIELD(detach), .help = "Do not wait for its end; its output is thrown away" },
        { "detach-keys", .kind = OPTION_STRING, .offset = FIELD(detach_keys), .metavar = "KEYS",
          .help = "With -i -t: type these to leave it running (default ctrl-p,ctrl-q)" },
        { "env", 'e', .kind = OPTION_STRV, .offset = FIELD(env), .metavar = "NAME[=VALUE]", .help = "Set an environment variable" },
        { "env-file", .kind = OPTION_STRV, .offset = FIELD(env_files), .metavar = "FILE", .help = "Read environment variables from a file",
          .complete = COMPLETE_FILE },
        { "interactive", 'i', .kind = OPTION_BOOL, .offset = FIELD(interactive), .help = "Pass our standard input" },
        { "latest", 'l', .kind = OPTION_BOOL, .offset = FIELD(latest), .help = "In the container that was made last; all arguments are the command" },
        { "preserve-fd", .kind = OPTION_LIST, .offset = FIELD(preserve_fd), .metavar = "NUMBER", .help = "Pass this descriptor of the caller on" },
        { "preserve-fds", .kind = OPTION_UINT32, .offset = FIELD(preserve_fds), .help = "Pass so many descriptors on, from 3 on" },
        { "privileged", .kind = OPTION_BOOL, .offset = FIELD(privileged), .help = "All capabilities that the container's namespace has, no filter" },
        { "tty", 't', .kind = OPTION_BOOL, .offset = FIELD(tty), .help = "Give it a terminal" },
        { "user", 'u', .kind = OPTION_STRING, .offset = FIELD(user), .metavar = "USER[:GROUP]", .help = "Run as this user" },
        { "workdir", 'w', .kind = OPTION_STRING, .offset = FIELD(workdir), .metavar = "DIR", .help = "Working directory",
          .complete = COMPLETE_DIRECTORY },
        {},
};
static const Option *const exec_options[] = { exec_rows, NULL };

static int run_exec(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        _cleanup_strv_ char **env = NULL;
        _cleanup_free_ int *fds = NULL;
        size_t n_fds = 0;
        ExecVerbOptions *o = in->options;
        const Store *store;
        char keys[DETACH_KEYS_MAX];
        int exit_code, r = detach_keys_parse(o->detach_keys, keys, reterr);

        if (r >= 0 && in->n_arguments < (o->latest ? 1 : 2))
                r = error_set(reterr, -EINVAL, ERROR_USAGE, "must provide a non-empty command to start an exec session");
        if (r >= 0)
                r = parse_preserved_fds(o->preserve_fds, o->preserve_fd, &fds, &n_fds, reterr);
        for (char **f = o->env_files; f && *f && r >= 0; f++)
                r = parse_env_file(*f, environ, &env, reterr);
        for (char **e = o->env; e && *e && r >= 0; e++)
                r = parse_env(*e, environ, &env, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_choose_one(store, o->latest ? NULL : in->arguments[0], o->latest, &container, reterr);
        if (r < 0)
                return r;
        if (o->tty && o->interactive && !o->detach && !isatty(STDIN_FILENO))
                log_warning("the input device is not a TTY: --tty and --interactive might not work properly");
        const ExecOptions options = {
                .args = in->arguments + !o->latest,
                .kept_fds = fds,
                .n_kept_fds = n_fds,
                .env = env,
                .user = o->user,
                .workdir = o->workdir,
                .open_stdin = o->interactive,
                .terminal = o->tty,
                .privileged = o->privileged,
                .detach = o->detach,
                .detach_keys = keys,
        };
        r = engine_exec(store, &container, &options, &exit_code, reterr);
        return r < 0 ? r : exit_code;
}

const Verb verb_exec = {
        .arguments = "CONTAINER COMMAND [ARG...]",
        .summary = "Run a command in a running container",
        .options = exec_options,
        .options_size = sizeof(ExecVerbOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .stop_at_argument = true,
        .complete = COMPLETE_CONTAINER,
        .enters_container = true,
        .run = run_exec,
};
