/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod unshare: a command, or the shell, in the user namespace of the user's whole ID map. */
#include <signal.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/verbs.h"
#include "engine/unshare.h"

typedef struct UnshareOptions {
        bool unused; /* no row fills it */
} UnshareOptions;

static const Option rows[] = {
        { "rootless-netns", .kind = OPTION_REFUSED_BOOL, .refused = "there is no network namespace that containers share" },
        {},
};
static const Option *const tables[] = { rows, NULL };

static int run(Invocation *in, Error *reterr) {
        const char *shell = getenv("SHELL");
        char *const shell_words[] = { (char *) (str_empty(shell) ? "/bin/sh" : shell), NULL };
        char *const *words = in->n_arguments > 0 ? in->arguments : shell_words;
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = engine_unshare(store, reterr);
        if (r < 0)
                return r;
        (void) signal(SIGXFSZ, SIG_DFL); /* ignored for our own sake (verb_main()) */
        (void) execvp(words[0], words);
        r = -errno;
        (void) error_set_errno(reterr, r, "cannot run '%s'", words[0]);
        if (reterr)
                reterr->kind = r == -ENOENT ? ERROR_COMMAND_NOT_FOUND : ERROR_NOT_EXECUTABLE;
        return r;
}

const Verb verb_unshare = {
        .arguments = "[COMMAND [ARG...]]",
        .summary = "Run a command in the user namespace of the containers",
        .description = "Run a command, or the shell, in the user namespace that containers are stored under, with mounts of its own.",
        .options = tables,
        .options_size = sizeof(UnshareOptions),
        .arguments_max = VERB_ANY,
        .stop_at_argument = true,
        .complete = COMPLETE_FILE,
        .run = run,
};
