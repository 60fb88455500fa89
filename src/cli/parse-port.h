/* SPDX-License-Identifier: Apache-2.0 */
/* -p and --expose. */
#pragma once

#include "spec/container.h"

enum { PUBLISH_MAX = 128 * 1024 }; /* rows of one container: all ports of both protocols */

/* [[ADDRESS:][HOST-PORT[-PORT]]:]PORT[-PORT][/PROTOCOL]: one row of ContainerConfig.ports for each port of a range. An
 * IPv6 address stands in brackets; 0.0.0.0 means all addresses, as in Podman. */
int parse_publish(ContainerConfig *config, const char *value, Error *reterr);

/* PORT[-PORT][/PROTOCOL] into ContainerConfig.expose, one "80/tcp" for each. */
int parse_expose(ContainerConfig *config, const char *value, Error *reterr);

/* Whether no two rows want the same host port at the same address. */
int parse_ports_check(const ContainerConfig *config, Error *reterr);
