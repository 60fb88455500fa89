/* SPDX-License-Identifier: Apache-2.0 */
/* --volumes-from: the mounts of other containers. */
#pragma once

#include "state/container.h"

/* Adds to config->mounts the bind mounts and volumes of the containers that config->volumes_from names ("CONTAINER[:OPTION,...]"),
 * where the container has no mount of its own; of two containers the later one wins. `replaces`: a container of config's name is
 * removed first. */
int volumes_from_merge(const Store *store, ContainerConfig *config, bool replaces, Error *reterr);

/* The name in such a word and its options, checked: "ro" or "rw", "z". Both owned. */
int volumes_from_parse(const char *word, char **ret_name, char ***ret_options, Error *reterr);
