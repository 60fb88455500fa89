/* SPDX-License-Identifier: Apache-2.0 */
/* The environment that a container is made with. */
#pragma once

#include "engine/create.h"

/* Puts config->env together, a later one winning: what every container has, the image's, what --env-merge makes of these (less
 * --unsetenv), the caller's own (--env-host, --http-proxy), and config->env as the command line gave it. */
int create_env_merge(ContainerConfig *config, char *const *image_env, const CreateOptions *options, Error *reterr);

/* The word with $NAME, ${NAME}, ${NAME:-WORD} and ${NAME:+WORD} replaced by what `env` says (nothing where it has no such name),
 * and quotes removed, as a Containerfile has it: what stands in single quotes or behind a backslash stays. Owned. -EINVAL with a
 * reason. */
int create_env_expand(const char *word, char *const *env, char **ret, Error *reterr);
