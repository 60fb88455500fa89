/* SPDX-License-Identifier: Apache-2.0 */
/* Options that change the record of a container that is there: those of `update`, and the limits of `container clone`. */
#pragma once

#include "cli/config-options.h"
#include "cli/verb.h"
#include "engine/update.h"

/* The first member of a verb's own options struct: the rows' offsets count from it. */
typedef struct ChangeOptions {
        ContainerConfig config; /* what the options say; nothing else of it means anything */
        char **env, **unset_env;
        bool no_healthcheck;
} ChangeOptions;
static_assert(offsetof(ChangeOptions, config) == 0, "the rows of config-options.h count from it");

/* The rows beside those of config-options.h: the environment, and no health checks. */
extern const Option change_rows[];

/* Puts what was on the command line into a container's record, and checks it. *ret says what has changed. */
int change_options_apply(const ChangeOptions *options, const OptionParse *parse, ContainerConfig *config, Update *ret, Error *reterr);

/* For Verb.options_done. */
void change_options_done(void *options);
