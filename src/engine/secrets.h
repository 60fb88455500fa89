/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of a container (podman-run(1), --secret): files are those of the time it was made, variables those of each start. */
#pragma once

#include "proc/plan.h"
#include "state/container.h"

/* Finds the secrets that the config names (by ID perhaps, or its beginning), and notes name and ID. */
int secrets_resolve(const Store *store, ContainerConfig *config, Error *reterr);

/* Gives the new container records of its own of those that are files, still encrypted. */
int secrets_keep(const Store *store, const Container *container, Error *reterr);

/* Reads what the container has as files and variables, into the plan. */
int secrets_plan(const Store *store, const Container *container, ProcPlan *plan, Error *reterr);

/* Adds those that are variables to an environment, which the caller frees by secret_strv_free(). */
int secrets_add_env(const Store *store, const ContainerConfig *config, char ***env, Error *reterr);
