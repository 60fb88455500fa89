/* SPDX-License-Identifier: Apache-2.0 */
/* Options as rows of a table: what parses them, what --help prints and what the shells complete all come from the row.
 * The grammar is that of Podman's flag library: --x VALUE, --x=VALUE, -xVALUE, -x VALUE, -x=VALUE, clusters such as
 * -itd, bools that take a value only by '=', and "--", after which nothing is an option. */
#pragma once

#include <stdint.h>

#include "base/error.h"

typedef enum OptionKind {
        OPTION_BOOL,     /* bool */
        OPTION_STRING,   /* char * */
        OPTION_STRV,     /* char **: each use appends its whole value */
        OPTION_LIST,     /* char **: each use appends the fields of its value, a line of CSV */
        OPTION_INT,      /* int */
        OPTION_INT64,    /* int64_t */
        OPTION_UINT32,   /* uint32_t */
        OPTION_UINT64,   /* uint64_t */
        OPTION_BYTES,    /* uint64_t: "512m" */
        OPTION_DURATION, /* uint64_t, microseconds: "1m30s" */
        OPTION_SET,      /* `set` is called with the value */
        OPTION_SWITCH,   /* a bool on the command line; `set` is called with "true" or "false" */
        OPTION_NOTHING,  /* a bool that changes nothing: what it asks for is so, or there is nothing that it could hold for */
        OPTION_HELP,     /* ends the parsing: help is wanted */
        OPTION_REFUSED,  /* known, and refused with the reason in `refused`; takes a value */
        OPTION_REFUSED_BOOL, /* the same, takes none; "=false" is accepted */
} OptionKind;

/* What the shells offer for a value or a positional argument. */
typedef enum CompleteKind {
        COMPLETE_NOTHING,
        COMPLETE_FILE,
        COMPLETE_DIRECTORY,
        COMPLETE_WORDS,      /* the row's `words` */
        COMPLETE_SIGNAL,
        COMPLETE_CAPABILITY,
        COMPLETE_CONTAINER,
        COMPLETE_IMAGE,
        COMPLETE_VOLUME,
        COMPLETE_SECRET,
        COMPLETE_POD,
        COMPLETE_NETWORK,
        COMPLETE_UNIT,       /* a unit file that is installed */
        COMPLETE_CONNECT,    /* a network, and then a container */
        COMPLETE_COMMAND,    /* a verb of ours */
        COMPLETE_COPY,       /* a container and a colon, or a file of the host */
        COMPLETE_SOURCE,     /* a volume and a colon, or a file of the host */
        _COMPLETE_MAX,
} CompleteKind;

typedef struct Option {
        const char *name;     /* long, without the dashes; NULL ends a table */
        char letter;          /* 0: none */
        bool hidden;          /* works, but is not in --help: other names of the same thing */
        bool optional;        /* an empty value is as if the option was not there: a script's variable that is not set */
        OptionKind kind;
        const char *metavar;  /* NULL: by kind */
        const char *help;
        size_t offset;        /* of the field in the options struct */
        int (*set)(void *options, const char *value, Error *reterr); /* OPTION_SET: leaves the reason in reterr */
        int (*check)(const char *value, Error *reterr); /* of a STRV or each field of a LIST, before it is kept; NULL: any */
        CompleteKind complete;
        const char *const *words; /* NULL-terminated; offered beside what `complete` finds; with COMPLETE_WORDS all that is accepted, unless `set` decides */
        const char *refused;  /* "there is no ... in rootless containers", NULL: "it is not there yet" */
} Option;

/* Tables that fill one struct: a NULL-terminated list of tables. */
typedef struct OptionSet {
        const Option *const *tables;
        void *target;
} OptionSet;

/* One pass over a command line. The words are borrowed. */
typedef struct OptionParse {
        const OptionSet *sets; /* searched in this order */
        size_t n_sets;
        char **words;          /* NULL-terminated */
        size_t next;           /* the word that is looked at next */
        bool stop_at_argument; /* options end where the first argument stands (run, exec) */
        const char *unknown;   /* what an option that is in no table is called before ": --NAME"; NULL: "unknown flag" */
        bool help;             /* --help was met, and parsing ended there */
        const Option **given;  /* owned: the rows that were used, in order */
        const char **given_values; /* owned: the value of each, borrowed ("true" for a bool without one) */
        size_t n_given;
        char **arguments;      /* owned vector of borrowed words */
        size_t n_arguments;
} OptionParse;

/* Parses from `next` on. Faults of the line are ERROR_USAGE, of a value ERROR_INVALID, what is not there yet
 * ERROR_UNSUPPORTED. */
int options_parse(OptionParse *parse, Error *reterr);
void options_parse_done(OptionParse *parse);

/* Whether the option was on the command line, whatever its value. */
bool options_given(const OptionParse *parse, const char *name) _pure_;

/* The row of that name (long) or letter, in one list of tables; NULL. */
const Option *options_find(const Option *const *tables, const char *name) _pure_;
const Option *options_find_letter(const Option *const *tables, char letter) _pure_;

/* Whether --help and the shells show it. */
bool option_is_shown(const Option *option) _pure_;

/* Whether a separate word follows the option as its value. */
bool option_takes_value(const Option *option) _pure_;

/* Frees what the rows own in the struct (strings and vectors) and leaves them empty. */
void options_free(const Option *const *tables, void *target);

/* Cuts one line of CSV (RFC 4180) into fields: a field that begins with '"' ends at the next single one, "" stands for
 * one of them. -EINVAL with a reason. */
int csv_split(const char *line, char ***ret, Error *reterr);
