/* SPDX-License-Identifier: Apache-2.0 */
/* The options that sdpod hands on to every command of sdpod-image, for getopt_long(3). */
#pragma once

#include <getopt.h>

#include "base/error.h"

typedef struct ToolOptions {
        const char *root, *runroot; /* where the store is; borrowed; NULL: the default */
} ToolOptions;

#define TOOL_LONG_OPTIONS                                                                                     \
        { "root", required_argument, NULL, 'R' }, { "runroot", required_argument, NULL, 'r' },                 \
        { "log-level", required_argument, NULL, 'l' }

/* Takes one of them; the level holds at once. 1; 0: it is none of them; -EINVAL. The value is borrowed. */
int tool_options_set(ToolOptions *options, int letter, const char *value, Error *reterr);

/* -EINVAL: the command line is not one that sdpod writes. */
int tool_usage(Error *reterr, const char *reason);
