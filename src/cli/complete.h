/* SPDX-License-Identifier: Apache-2.0 */
/* What could stand at the end of a command line, from the same tables that parse it: the answer to
 * `sdpod __complete -- WORDS...`, whose last word is the one being typed (empty for a new one). */
#pragma once

#include "cli/verb.h"

/* Prints one candidate a line, a tab and a description behind it where there is one; a line ":file" or ":directory"
 * asks the shell for paths as well. The words do not include "sdpod". Never fails loudly: what cannot be found is not
 * offered. */
void complete_print(FILE *f, Invocation *invocation, char **words);
