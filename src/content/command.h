/* SPDX-License-Identifier: Apache-2.0 */
/* The part of sdpod-image's command line that is about containers' files, see README.md. */
#pragma once

#include "base/macro.h"

/* Whether `name` is one of these commands. */
bool content_command_is(const char *name) _pure_;

/* Parses, works, prints. `argv` as main() has it; options stand behind the command. Returns the exit status. */
int content_command(int argc, char **argv);
