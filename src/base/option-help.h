/* SPDX-License-Identifier: Apache-2.0 */
/* --help of tables of options, at most 80 columns wide. */
#pragma once

#include <stdio.h>

#include "base/option.h"

/* Prints text in words from column `column` on, indented to it on the lines that follow. */
void help_print_wrapped(FILE *f, const char *text, size_t column);

/* The rows that are shown, sorted, under a title; nothing where there are none. `before`: tables whose letters come first, so that
 * theirs are not promised here. */
void help_print_options(FILE *f, const char *title, const Option *const *tables, const Option *const *before);

/* Whether there is a row that is shown. */
bool options_are_shown(const Option *const *tables);
