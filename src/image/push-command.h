/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of sdpod-image that send images away: push, and the manifest lists. */
#pragma once

#include <stdbool.h>

/* Whether argv has one of them, behind the global options. */
bool push_command_is(int argc, char **argv);

/* Parses, works, prints. Returns the exit status. */
int push_command(int argc, char **argv);
