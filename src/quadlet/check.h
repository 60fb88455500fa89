/* SPDX-License-Identifier: Apache-2.0 */
/* Unit files read, converted and judged as the generator does it, with nothing written; and found by the names that people use. */
#pragma once

#include "quadlet/source.h"
#include "unit/dirs.h"
#include "unit/set.h"

enum { QUADLET_FINDINGS_MAX = 1000 };

typedef struct QuadletFinding {
        UnitSeverity severity;
        const Unit *unit;      /* NULL: of none */
        unsigned source;       /* which of its files: 0 is the unit file */
        uint32_t line;         /* 0: all of it */
        char *text;            /* "FILE:LINE: what is wrong" */
} QuadletFinding;

typedef struct QuadletCheck {
        UnitSet set;
        UnitDirs dirs;             /* the search path */
        bool user;                 /* for a user manager */
        const QuadletItems *items; /* whose names and lines the findings have; may be NULL */
        QuadletFinding *findings;
        size_t n_findings;
        unsigned n_errors, n_warnings;
        bool deaf;                 /* units are converted once more: what is found has been found before */
} QuadletCheck;

/* Finds out where unit files are looked for. */
int quadlet_check_begin(QuadletCheck *check, Error *reterr);
void quadlet_check_done(QuadletCheck *check);
#define _cleanup_quadlet_check_ _cleanup_(quadlet_check_done)

/* Reads all files of the search path; quadlet_check_run() then judges them. */
int quadlet_check_load(QuadletCheck *check, Error *reterr);

/* The same for the units among these items (borrowed), and for all files below these directories (may be NULL). What else is in the
 * search path, or beside an item in its directory, is there to be referred to. `dir`: where the items are going to be; NULL: each
 * is judged where it is. */
int quadlet_check_load_items(QuadletCheck *check, const QuadletItems *items, const char *dir, char *const *directories, Error *reterr);

/* Converts the units that are not aside and drops the result: the findings are what matters. */
int quadlet_check_run(QuadletCheck *check, Error *reterr);

/* All of it for the files of the search path; `judge`: quadlet_check_run(), too. */
int quadlet_check_read(QuadletCheck *check, bool judge, Error *reterr);

/* Adds a warning about a unit, at an entry of its files (NULL: all of it), after quadlet_check_run(). */
void quadlet_check_warn(QuadletCheck *check, const Unit *unit, const UnitEntry *at, const char *message);

/* The first finding of a unit that is an error; NULL. */
const char *quadlet_check_fault(const QuadletCheck *check, const Unit *unit) _pure_;

/* Prints the findings to stderr: errors, and warnings where they are wanted. */
void quadlet_check_print(const QuadletCheck *check, bool warnings);

/* The unit that a person means by "web.container", "web.service" or "web". -ENOENT with a message; -EINVAL where several may be meant,
 * naming them. */
int quadlet_check_find(const QuadletCheck *check, const char *word, Unit **ret, Error *reterr);
