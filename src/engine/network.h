/* SPDX-License-Identifier: Apache-2.0 */
/* The network of a container, by its mode. */
#pragma once

#include "state/container.h"

/* The text of the container's /etc/resolv.conf and /etc/hosts (owned; NULL: the image's own file stays). */
int network_files(const ContainerConfig *config, char **ret_resolv_conf, char **ret_hosts, Error *reterr);

/* Whether a mode is one that is there; with a message for those that are not. */
int network_check(const ContainerConfig *config, Error *reterr);

/* Gives the waiting init its network: starts sdpod-net for "slirp". Fills process->net_pid and the ports as they are
 * really bound. */
int network_start(const ContainerConfig *config, int init_pidfd, ContainerProcess *process, Error *reterr);
