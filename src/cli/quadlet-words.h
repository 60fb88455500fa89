/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of cli/quadlet.c: the options of a command line, each with what becomes of it in a unit file. */
#pragma once

#include "cli/quadlet.h"
#include "unit/write.h"

/* What becomes of an option where the rows do not say it. */
typedef enum QuadletTreatment {
        QUADLET_BY_ROW,      /* or PodmanArgs= */
        QUADLET_BY_KEY,      /* a key that the generator reads by a function */
        QUADLET_GENERATOR,   /* the generator says it itself */
        QUADLET_TERMINAL,    /* it is of the terminal that the command was typed at: a service has none */
        QUADLET_ENVIRONMENT, /* --env: looked up now */
        QUADLET_NAME,
        QUADLET_RESTART,
        QUADLET_STOP_TIMEOUT,
        QUADLET_READINESS,   /* --sdnotify */
        QUADLET_NEW_FILE,    /* must not be there yet: is removed before each start */
        QUADLET_IMPOSSIBLE,  /* no unit file can say it */
} QuadletTreatment;

typedef struct QuadletTreatmentRow {
        const char *name;
        QuadletTreatment treatment;
        UnitKey key;
        const char *value; /* QUADLET_GENERATOR: only this value; NULL: any */
} QuadletTreatmentRow;

/* One option of the command line, as the unit file is to have it. */
typedef struct QuadletWord {
        const char *name, *value;   /* the option's, paths made absolute */
        bool takes_value, list;
        const QuadletTreatmentRow *treatment; /* NULL: by row */
        UnitKey key;                /* KEY_NONE: behind PodmanArgs= */
        const char *said;           /* the key's value */
        bool refers;                /* ... which names another file of the set */
        bool dropped;
} QuadletWord;

typedef struct Quadlet {
        const QuadletRequest *request;
        const QuadletFiles *files;  /* those that are there already */
        UnitWriter writer;
        QuadletWord *words;
        size_t n;
        const char *name;
} Quadlet;

/* Fills `words`: paths made absolute, keys found, what a later one replaces dropped. Comments go to the writer. */
int quadlet_read_options(Quadlet *q, Error *reterr);

/* The last of that name; NULL. */
const QuadletWord *quadlet_find_word(const Quadlet *q, const char *name) _pure_;

/* The first `n` characters are a path, which is made absolute; `rest` stands behind it. */
int quadlet_make_absolute(Arena *arena, const char *path, size_t n, const char *rest, const char **ret, Error *reterr);

/* A name that Quadlet would take for that of another file. */
bool quadlet_looks_like_file(const char *value);
