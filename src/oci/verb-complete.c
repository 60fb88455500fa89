/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci __complete -- WORDS...: what could stand in the place of the last word, for the shells. One candidate a line, a tab and
 * a description behind it where there is one; a line ":file" or ":directory" asks the shell for paths as well. */
#include <stdio.h>

#include "base/option-complete.h"
#include "base/str.h"
#include "oci/help.h"
#include "oci/state.h"

static void offer_ids(const GlobalOptions *global, const Offer *offer) {
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_strv_ char **ids = NULL;

        if (oci_root_open(global, /* make= */ false, &root, NULL) < 0 || oci_container_list(&root, &ids, NULL) < 0)
                return;
        for (char **id = ids; id && *id; id++)
                offer_candidate(offer, *id, NULL);
}

static void offer_value(const Offer *offer, CompleteKind kind, const char *const *words) {
        if (kind == COMPLETE_FILE)
                puts(":file");
        else if (kind == COMPLETE_DIRECTORY)
                puts(":directory");
        else if (kind == COMPLETE_SIGNAL)
                offer_signals(offer);
        for (; kind == COMPLETE_WORDS && *words; words++)
                offer_candidate(offer, *words, NULL);
}

typedef struct Line {
        const Verb *verb;      /* NULL: none yet */
        size_t n_arguments;    /* behind the verb */
        const Option *waiting; /* the word is its value */
        GlobalOptions global;
} Line;

/* A row of the verb's tables or the global ones. */
static const Option *find_option(const Line *line, const char *word, const char **ret_value) {
        const Option *const *const lists[] = { line->verb && line->verb->options ? line->verb->options : global_options, global_options, NULL };

        return option_of_word(word, lists, ret_value);
}

/* Reads the words before the one that is typed. The global options among them say where the containers are. */
static void read_line(Line *line, char **words, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const char *value;
                const Option *o = find_option(line, words[i], &value);

                line->waiting = o && option_takes_value(o) && !value ? o : NULL;
                if (o && str_equal(o->name, "root") && (value || i + 1 < n))
                        (void) str_replace(&line->global.root, value ?: words[i + 1]);
                if (line->waiting && i + 1 < n) {
                        line->waiting = NULL;
                        i++;
                } else if (words[i][0] != '-') {
                        line->n_arguments += line->verb ? 1 : 0;
                        line->verb = line->verb ?: verb_find(words[i]);
                }
        }
}

static void complete(Line *line, const char *word) {
        Offer offer = { .f = stdout, .word = word, .before = "", .after = "" };
        const char *value;
        const Option *o = find_option(line, word, &value);

        if (line->waiting)
                offer_value(&offer, line->waiting->complete, line->waiting->words);
        else if (o && value) {
                _cleanup_free_ char *before = strndup(word, (size_t) (value - word));

                offer.before = before ?: "";
                offer.word = value;
                offer_value(&offer, o->complete, o->words);
        } else if (*word == '-') {
                offer_options(&offer, line->verb ? line->verb->options : NULL);
                offer_options(&offer, line->verb ? global_options_everywhere : global_options);
        } else if (!line->verb) {
                for (const Verb *const *verb = verbs; *verb; verb++)
                        if (verb_is_shown(*verb))
                                offer_candidate(&offer, (*verb)->name, (*verb)->summary);
        } else if (line->n_arguments == 0 && line->verb->arguments)
                offer_ids(&line->global, &offer);
        else
                offer_value(&offer, line->verb->complete, NULL);
}

static int run(Invocation *in, _unused_ Error *reterr) {
        Line line = { .global = GLOBAL_OPTIONS_NULL };
        size_t n = in->n_arguments;

        if (n == 0)
                return 0;
        read_line(&line, in->arguments, n - 1);
        complete(&line, in->arguments[n - 1]);
        global_options_done(&line.global);
        return 0;
}

const Verb verb_complete = {
        .name = "__complete",
        .arguments = "-- WORD...",
        .summary = "Print what may follow, for the shells",
        .arguments_max = VERB_ANY,
        .run = run,
};
