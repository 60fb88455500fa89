/* SPDX-License-Identifier: Apache-2.0 */
/* What the shells' completion asks of tables of options. */
#pragma once

#include <stdio.h>

#include "base/option.h"

/* A place in a half-typed line; all is borrowed. */
typedef struct Offer {
        FILE *f;
        const char *word;   /* the beginning that candidates must have */
        const char *before; /* printed before a candidate: "--name=" */
        const char *after;  /* ... and behind it */
} Offer;

#define OFFER_NULL ((Offer){ .word = "", .before = "", .after = "" }) /* .f is to be set */

/* Prints a candidate that fits as a line, a tab and its description behind it (NULL: none). */
void offer_candidate(const Offer *offer, const char *candidate, const char *description);

/* All options that --help shows, and the names of all signals. */
void offer_options(const Offer *offer, const Option *const *tables);
void offer_signals(const Offer *offer);

/* The row that a word of the line means: --name, --name=VALUE, or a cluster of letters, of which one that takes a value is the last.
 * `lists` are NULL-terminated lists of tables, searched in this order. *ret_value is the value in the word itself (borrowed), or
 * NULL. NULL: no option that is known. */
const Option *option_of_word(const char *word, const Option *const *const *lists, const char **ret_value);
