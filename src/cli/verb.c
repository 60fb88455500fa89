/* SPDX-License-Identifier: Apache-2.0 */
/* From argv to a verb's run(): finds the verb, fills its options, runs it and prints what went wrong. */
#include "cli/verb.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/help.h"
#include "config.h"
#include "engine/seal.h"

enum { OWN_FILES = 4096 };

/* Whether the words spell `name`; returns their number, 0 if not. */
static size_t match_words(const char *name, char *const *words) {
        size_t n = 0;

        for (;;) {
                size_t length = strcspn(name, " ");

                if (!words[n] || strlen(words[n]) != length || strncmp(words[n], name, length) != 0)
                        return 0;
                n++;
                if (!name[length])
                        return n;
                name += length + 1;
        }
}

const VerbName *verb_find(char *const *words, size_t *ret_words) {
        const VerbName *found = NULL;

        *ret_words = 0;
        for (size_t i = 0; i < n_verb_names; i++) {
                size_t n = match_words(verb_names[i].name, words);

                if (n > *ret_words) {
                        found = &verb_names[i];
                        *ret_words = n;
                }
        }
        return found;
}

int invocation_store(Invocation *invocation, const Store **ret, Error *reterr) {
        if (invocation->store.data_fd < 0) {
                int r = store_open(invocation->global.root, invocation->global.runroot, &invocation->store, reterr);

                if (r < 0)
                        return r;
        }
        *ret = &invocation->store;
        return 0;
}

Command verb_command(const VerbName *name) {
        const Verb *verb = name->verb;

        return (Command){
                .program = "sdpod",
                .name = name->name,
                .arguments = verb->arguments,
                .summary = verb->summary,
                .description = verb->description,
                .options = verb->options,
                .global_options = global_options_everywhere,
                .arguments_min = verb->arguments_min,
                .arguments_max = verb->arguments_max,
                .stop_at_argument = verb->stop_at_argument,
        };
}

/* Runs a verb with the words that follow its name. */
static int run_verb(Invocation *in, const VerbName *name, char **words, Error *reterr) {
        static char *nothing[] = { NULL };
        const Command command = verb_command(name);

        int r = command_parse(&command, words, in->options, &in->global, &in->parse, reterr);
        if (r < 0)
                return r;
        if (in->parse.help) {
                help_print_verb(stdout, name);
                return 0;
        }
        in->arguments = in->parse.arguments ?: nothing;
        in->n_arguments = in->parse.n_arguments;
        r = global_options_apply(&in->global, reterr);
        if (r >= 0 && name->verb->enters_container && store_session_path(STORE_SESSION_DATA))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot run 'sdpod %s' inside 'sdpod unshare': it is not there yet",
                                 in->name);
        if (r >= 0 && name->verb->enters_container)
                seal_own_program(in->command_line);
        return r < 0 ? r : name->verb->run(in, reterr);
}

static int prepare_and_run(Invocation *in, const VerbName *name, char **words, Error *reterr) {
        const Verb *verb = name->verb;
        _cleanup_free_ void *options = command_options_new(verb->options_size, verb->options_default);

        if (!options)
                return error_oom(reterr);
        in->verb = verb;
        in->name = name->name;
        in->options = options;
        int r = run_verb(in, name, words, reterr);
        options_free(verb->options, options);
        if (verb->options_done)
                verb->options_done(options);
        options_parse_done(&in->parse);
        in->options = NULL;
        return r;
}

static int usage_hint(const VerbName *name, Error *reterr) {
        if (reterr && reterr->kind == ERROR_USAGE && !reterr->hint)
                return error_with_hint(reterr, reterr->code, "try 'sdpod %s%s--help'", name ? name->name : "", name ? " " : "");
        return -EINVAL;
}

/* The name of this group (NULL: of the first level) that a mistyped word most likely meant; NULL where none is near. */
static const char *nearest_name(const VerbName *group, const char *word) {
        size_t skip = group ? strlen(group->name) + 1 : 0, best = (strlen(word) <= 3 ? 1 : 2) + 1;
        const char *nearest = NULL;

        for (size_t i = 0; i < n_verb_names; i++) {
                const VerbName *name = &verb_names[i];

                if (name->hidden || (!name->verb && !name->heading))
                        continue;
                if (group && (strncmp(name->name, group->name, skip - 1) != 0 || name->name[skip - 1] != ' '))
                        continue;
                size_t distance = strchr(name->name + skip, ' ') ? best : str_distance(word, name->name + skip, best - 1);

                if (distance < best) {
                        best = distance;
                        nearest = name->name;
                }
        }
        return nearest;
}

/* Says that the word is none of the group's (NULL: of the first level), or missing. */
static int no_such_name(const VerbName *group, const char *word, Error *reterr) {
        const char *nearest = word ? nearest_name(group, word) : NULL;
        const char *before = group ? group->name : "", *space = group ? " " : "";

        (void) error_set(reterr, -EINVAL, ERROR_USAGE, word ? "unrecognized command 'sdpod %s%s%s'"
                                                            : "missing command 'sdpod %s%s%s'",
                         before, space, word ?: "COMMAND");
        return nearest ? error_with_hint(reterr, -EINVAL, "did you mean 'sdpod %s'?", nearest) : usage_hint(group, reterr);
}

static bool is_help(const char *word) {
        return str_equal(word, "--help") || str_equal(word, "-h") || str_equal(word, "help");
}

/* Picks the verb out of the words and goes on with it. */
static int dispatch(Invocation *in, char **words, Error *reterr) {
        size_t n;
        const VerbName *name = verb_find(words, &n);

        if (!name)
                return no_such_name(NULL, words[0], reterr);
        if (name->verb) {
                int r = prepare_and_run(in, name, words + n, reterr);

                if (r < 0)
                        (void) usage_hint(name, reterr);
                return r;
        }
        if (name->refused)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot run 'sdpod %s': %s", name->name, name->refused);
        if (is_help(words[n])) {
                help_print_group(stdout, name);
                return 0;
        }
        if (!words[n]) /* as Podman: what there is, and the error */
                help_print_group(stdout, name);
        return no_such_name(name, words[n], reterr);
}

static int parse_and_dispatch(Invocation *in, char **argv, Error *reterr) {
        static char *nothing[] = { NULL };
        const OptionSet set = { global_options, &in->global };
        OptionParse parse = {
                .sets = &set, .n_sets = 1, .words = argv, .next = argv[0] ? 1 : 0, .stop_at_argument = true
        };
        int r = options_parse(&parse, reterr);

        if (r < 0)
                (void) usage_hint(NULL, reterr);
        else if (parse.help)
                help_print_main(stdout);
        else if (in->global.version)
                printf("sdpod version %s\n", SDPOD_VERSION);
        else
                r = dispatch(in, parse.arguments ?: nothing, reterr);
        options_parse_done(&parse);
        return r;
}

/* What the shell was limited to (ulimit -n, -f) is no measure for us: as many descriptors as we may have, and a file that may not
 * grow is an error with a text instead of a signal. Containers get their own limits, and all signals as they come. */
static void raise_own_limits(void) {
        struct rlimit files;

        if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < OWN_FILES) {
                files.rlim_cur = MIN(files.rlim_max, (rlim_t) OWN_FILES);
                (void) setrlimit(RLIMIT_NOFILE, &files);
        }
        (void) signal(SIGXFSZ, SIG_IGN);
}

/* Keys of [Service] that were meant for the container hold for this command, which then fails at the first thing that they forbid. The
 * error tells what that was; this, where to look. */
static void hint_service(Error *error) {
        static const int signs[] = { -EPERM, -ENOSYS, -EPIPE };
        bool is_root = geteuid() == 0, sign = false;

        for (size_t i = 0; i < ELEMENTSOF(signs); i++)
                sign = sign || error->code == signs[i];
        if (!sign || !getenv("INVOCATION_ID")) /* systemd.exec(5) */
                return;
        if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER && (is_root || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) &&
            (!is_root || prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) != 0))
                return;
        error_hint(error, "what [Service] forbids is forbidden to sdpod, too: NoNewPrivileges=, CapabilityBoundingSet=, SystemCallFilter=, Restrict...=, "
                          "Protect...=; NoNewPrivileges=, DropCapability= and SeccompProfile= of [Container] hold for the container alone");
}

int verb_main(int argc, char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;
        Invocation in = { .command_line = argv, .store = STORE_NULL };
        int r;

        (void) argc;
        log_set_program("sdpod");
        raise_own_limits();
        (void) umask(umask(0) & 0077); /* what the store is made of must be the user's own to use */
        r = fd_open_standard();
        if (r >= 0)
                r = parse_and_dispatch(&in, argv, &error);
        else
                (void) error_set_errno(&error, r, "cannot open '/dev/null'");
        /* A full disk behind standard output must not look like success. */
        if (r >= 0 && fflush(stdout) != 0)
                r = error_set_errno(&error, -errno, "cannot write to standard output");
        store_done(&in.store);
        options_free(global_options, &in.global);
        if (r >= 0)
                return r;
        if (!error.message)
                (void) error_set_errno(&error, r, "cannot finish");
        hint_service(&error);
        error_print(&error);
        return error_exit_status(&error);
}
