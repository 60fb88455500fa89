/* SPDX-License-Identifier: Apache-2.0 */
/* The network of a container, by its mode. */
#pragma once

#include "net/helper.h"
#include "proc/proc.h"
#include "state/container.h"

/* The text of the container's /etc/resolv.conf and /etc/hosts (owned; NULL: the image's own file stays). */
int network_files(const Store *store, const Container *container, char **ret_resolv_conf, char **ret_hosts, Error *reterr);

/* Whether its mode and options are ones that are there; with a message for those that are not. */
int network_check(const ContainerConfig *config, Error *reterr);

/* Begins to give the waiting init its network: starts sdpod-net where the mode wants it. Returns at once. */
int network_start(const ContainerConfig *config, const Proc *proc, NetHelper *ret, Error *reterr);

/* The same with other ports than the config's. */
int network_start_with(const ContainerConfig *config, const ContainerPort *ports, size_t n_ports, const Proc *proc, NetHelper *ret,
                       Error *reterr);

/* The config of a network of the container's own in user space: 1; 0: it has none. */
int network_slirp_config(const ContainerConfig *config, NetConfig *ret, Error *reterr);

/* The container's own wish about bypass (engine/bypass.h), an annotation: 1, or 0 where it says nothing. */
#define NETWORK_BYPASS_ANNOTATION "sdpod.network.bypass"
int network_bypass_annotation(const ContainerConfig *config, bool *ret, Error *reterr);

/* The mode of --network by the name that it has on the command line, without options; what is on record is "slirp:mtu=1400". */
const char *network_mode_name(const ContainerConfig *config) _pure_;

/* Whether the mode needs somebody outside who gives it its network. */
bool network_has_helper(const ContainerConfig *config) _pure_;

/* Waits until the network works; fills the process's network helper and its ports as they are really bound. */
int network_wait(NetHelper *helper, ContainerProcess *process, Error *reterr);
