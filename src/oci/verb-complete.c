/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci __complete -- WORDS...: what could stand in the place of the last word, for the shells. One candidate a line, a tab and
 * a description behind it where there is one; a line ":file" or ":directory" asks the shell for paths as well. */
#include <stdio.h>

#include "base/parse.h"
#include "base/str.h"
#include "oci/help.h"
#include "oci/state.h"

/* So many signals have names of their own, from 1 on. */
enum { SIGNALS = 32 };

static void offer(const char *word, const char *before, const char *candidate, const char *description) {
        if (str_after(candidate, word))
                printf("%s%s%s%s\n", before, candidate, description ? "\t" : "", description ?: "");
}

static void offer_ids(const GlobalOptions *global, const char *word) {
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_strv_ char **ids = NULL;

        if (oci_root_open(global, /* make= */ false, &root, NULL) < 0 || oci_container_list(&root, &ids, NULL) < 0)
                return;
        for (char **id = ids; id && *id; id++)
                offer(word, "", *id, NULL);
}

static void offer_value(const char *word, const char *before, CompleteKind kind, const char *const *words) {
        if (kind == COMPLETE_FILE)
                puts(":file");
        else if (kind == COMPLETE_DIRECTORY)
                puts(":directory");
        else if (kind == COMPLETE_SIGNAL)
                for (int i = 1; i < SIGNALS; i++)
                        offer(word, before, signal_name(i) ?: "", NULL);
        for (; kind == COMPLETE_WORDS && *words; words++)
                offer(word, before, *words, NULL);
}

static void offer_options(const char *word, const Option *const *tables) {
        for (; tables && *tables; tables++)
                for (const Option *o = *tables; o->name; o++) {
                        char name[64];

                        (void) snprintf(name, sizeof(name), "--%s", o->name);
                        if (option_is_shown(o))
                                offer(word, "", name, o->help);
                }
}

/* The row that an option's word means, in the verb's tables or the global ones. */
static const Option *find_option(const char *word, const Option *const *tables) {
        _cleanup_free_ char *name = word[0] == '-' && word[1] == '-' ? strndup(word + 2, strcspn(word + 2, "=")) : NULL;

        if (name)
                return options_find(tables, name) ?: options_find(global_options, name);
        if (word[0] != '-' || !word[1] || word[2])
                return NULL;
        return options_find_letter(tables, word[1]) ?: options_find_letter(global_options, word[1]);
}

typedef struct Line {
        const Verb *verb;      /* NULL: none yet */
        size_t n_arguments;    /* behind the verb */
        const Option *waiting; /* the word is its value */
        GlobalOptions global;
} Line;

/* Reads the words before the one that is typed. The global options among them say where the containers are. */
static void read_line(Line *line, char **words, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const Option *o = find_option(words[i], line->verb ? line->verb->options : NULL);
                const char *value = strchr(words[i], '=');

                line->waiting = o && option_takes_value(o) && !value ? o : NULL;
                if (o && str_equal(o->name, "root") && (value || i + 1 < n))
                        (void) str_replace(&line->global.root, value ? value + 1 : words[i + 1]);
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
        const Option *const *tables = line->verb ? line->verb->options : NULL;
        const char *value = strchr(word, '=');
        const Option *o = value ? find_option(word, tables) : NULL;

        if (line->waiting)
                offer_value(word, "", line->waiting->complete, line->waiting->words);
        else if (o) {
                _cleanup_free_ char *before = strndup(word, (size_t) (value + 1 - word));
                offer_value(value + 1, before ?: "", o->complete, o->words);
        } else if (*word == '-') {
                offer_options(word, tables);
                offer_options(word, line->verb ? global_options_everywhere : global_options);
        } else if (!line->verb) {
                for (const Verb *const *verb = verbs; *verb; verb++)
                        if (verb_is_shown(*verb))
                                offer(word, "", (*verb)->name, (*verb)->summary);
        } else if (line->n_arguments == 0 && line->verb->arguments)
                offer_ids(&line->global, word);
        else
                offer_value(word, "", line->verb->complete, NULL);
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
