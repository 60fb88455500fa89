/* SPDX-License-Identifier: Apache-2.0 */
/* run and create with --pod. */
#pragma once

#include "cli/run-options.h"

/* Finds the pod that the options name, or makes it (new:NAME, which gets the network, ports, hostname and ID map that the
 * command asks for), and gives the config what it has from there. `starts`: the container will be started at once, so the infra
 * container is. Nothing where no pod is named. */
int pod_member_prepare(Invocation *in, const Store *store, bool starts, Error *reterr);
