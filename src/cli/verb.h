/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs: the table of what `sdpod` can be told to do, and what a verb is given when it runs. */
#pragma once

#include <stdint.h>

#include "base/command.h"
#include "cli/global.h"
#include "state/store.h"

struct Verb;

typedef struct Invocation {
        const struct Verb *verb;
        const char *name;      /* as the table has it: "volume create" */
        GlobalOptions global;
        void *options;         /* the verb's own struct; freed by its rows and options_done() */
        char **arguments;      /* positional words, NULL-terminated, never NULL; borrowed */
        size_t n_arguments;
        char **command_line;   /* the whole argv, borrowed */
        OptionParse parse;     /* for options_given() */
        Store store;           /* empty until invocation_store() */
} Invocation;

/* One verb: in src/cli/verb-NAME.c, const, and listed in the table of verbs.c under its name and its aliases. */
typedef struct Verb {
        const char *arguments;  /* metavar of the positional words: "[options] CONTAINER [CONTAINER...]" without
                                   "[options]" */
        const char *summary;    /* one line, a capital and no full stop */
        const char *description; /* NULL: the summary; more lines for --help */
        const Option *const *options; /* NULL-terminated list of tables; NULL: none */
        size_t options_size;
        const void *options_default; /* copied first; NULL: zeros */
        void (*options_done)(void *options); /* frees what the rows do not; may be NULL */
        size_t arguments_min, arguments_max; /* max 0: no arguments; VERB_ANY: no limit */
        bool enters_container;  /* a process of ours will be seen inside one: the program's file is sealed first */
        bool stop_at_argument;  /* options end at the first positional word */
        CompleteKind complete;  /* of the positional words */
        /* Returns the exit status (0 and more), or -errno with the reason in reterr. */
        int (*run)(Invocation *invocation, Error *reterr);
} Verb;

#define VERB_ANY SIZE_MAX /* for arguments_max */

/* A name in the table. */
typedef struct VerbName {
        const char *name;     /* one to three words; the table is sorted by it */
        const Verb *verb;     /* NULL: see `refused`, or a group's heading */
        const char *heading;  /* of a group: "Manage volumes" */
        const char *refused;  /* known, and refused for this reason */
        bool hidden;
} VerbName;

extern const VerbName verb_names[];
extern const size_t n_verb_names;

/* Finds the longest name that the words begin with; *ret_words is how many words it took. NULL if the first word is not
 * known. */
const VerbName *verb_find(char *const *words, size_t *ret_words);

/* The frame of a name that has a verb. */
Command verb_command(const VerbName *name);

/* Opens the store where it is not open yet. Borrowed. */
int invocation_store(Invocation *invocation, const Store **ret, Error *reterr);

/* The whole program: parses, runs, prints the error. Returns the exit status. */
int verb_main(int argc, char **argv);
