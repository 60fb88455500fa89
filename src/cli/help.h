/* SPDX-License-Identifier: Apache-2.0 */
/* --help: generated from the verb and option tables, at most 80 columns. */
#pragma once

#include <stdio.h>

#include "cli/verb.h"

/* The list of verbs and global options. */
void help_print_main(FILE *f);

/* The verbs of a group ("volume"). */
void help_print_group(FILE *f, const VerbName *group);

/* One verb. */
void help_print_verb(FILE *f, const VerbName *name);

/* Whether `name` is a verb directly below `group` ("": the top); the word after it, or NULL. */
const char *help_word_below(const char *group, const char *name);
