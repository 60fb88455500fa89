/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs: what `sdpod-oci` can be told to do, and what a verb is given when it runs. */
#pragma once

#include "oci/global.h"

struct Verb;

typedef struct Invocation {
        const struct Verb *verb;
        GlobalOptions global;
        void *options;         /* the verb's own struct; freed by its rows */
        char **arguments;      /* positional words, NULL-terminated, never NULL; borrowed */
        size_t n_arguments;
        OptionParse parse;     /* for options_given() */
} Invocation;

/* One verb: in src/oci/verb-NAME.c, const, and listed in verbs.c. */
typedef struct Verb {
        const char *name;
        const char *arguments;        /* metavar of the positional words */
        const char *summary;          /* one line, a capital and no full stop */
        const char *description;      /* more lines for --help; NULL: none */
        const Option *const *options; /* NULL-terminated list of tables; NULL: none */
        size_t options_size;
        const void *options_default;  /* copied first; NULL: zeros */
        size_t arguments_min, arguments_max; /* max VERB_ANY: no limit */
        bool stop_at_argument;        /* options end at the first positional word */
        bool enters;                  /* a process of this program goes into a container: see oci/seal.h */
        bool ignores_options;         /* it is refused by name whatever follows */
        int error_status;             /* the exit status of an error that is not one of the command line; 0: 1 */
        CompleteKind complete;        /* of the words behind a container's ID */
        /* Returns the exit status (0 and more), or -errno with the reason in reterr. */
        int (*run)(Invocation *in, Error *reterr);
} Verb;

#define VERB_ANY SIZE_MAX

extern const Verb *const verbs[]; /* sorted by name, NULL-terminated */

/* NULL: there is none. */
const Verb *verb_find(const char *name);

extern const Verb verb_checkpoint, verb_complete, verb_create, verb_delete, verb_events, verb_exec, verb_features, verb_kill, verb_list,
        verb_pause, verb_ps, verb_restore, verb_resume, verb_run, verb_spec, verb_start, verb_state, verb_update;
