/* SPDX-License-Identifier: Apache-2.0 */
/* The networks that a container was asked for, by their records. */
#pragma once

#include "spec/network.h"
#include "state/container.h"

/* Replaces IDs by names and looks whether there are such networks, each once, with what is asked of them. -ENOENT: there is none. */
int network_names_resolve(const Store *store, ContainerConfig *config, Error *reterr);

/* Whether one network can give what is asked of it. */
int network_names_check(const NetworkConfig *network, const ContainerNetwork *wanted, Error *reterr);

/* The one of that name (not ID) that a container is in, or NULL. */
ContainerNetwork *network_names_find(const ContainerConfig *config, const char *name) _pure_;

/* The names of all, sorted; a vector (NULL: none). -ENOMEM. */
int network_names_sorted(const ContainerConfig *config, char ***ret);

/* Frees what is in it. */
void network_names_forget(ContainerNetwork *network);
