/* SPDX-License-Identifier: Apache-2.0 */
/* --help and --version, from the tables. */
#pragma once

#include <stdio.h>

#include "oci/verb.h"

void help_print_main(FILE *f);

/* The first line begins "sdpod-oci version ", which engines parse; the last one, with a plus before each word, is crun's way to say
 * what the program can do. */
void help_print_version(FILE *f);

/* Whether --help and the shells show it. */
bool verb_is_shown(const Verb *verb);
