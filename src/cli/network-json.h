/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as JSON in two ways: in the words of `podman network inspect`, and in the field names that its templates have; and the
 * filters over them. */
#pragma once

#include "cli/template.h"
#include "cli/network-use.h"
#include "state/network.h"

extern const TemplateTypes network_template_types;

/* "name", "subnets"...; the containers that are in it and run (NULL: not shown). NULL when out of memory. */
json_t *network_to_json(const NetworkConfig *network, const NetworkUse *use);

/* "Name", "Subnets"... */
json_t *network_to_fields(const NetworkConfig *network, const NetworkUse *use);

/* All that pass the filters, in the order of their names; a callback for each. `use` is read where a filter or the caller wants it. */
typedef int (*NetworkVisit)(const NetworkConfig *network, const NetworkUse *use, void *data, Error *reterr);
int networks_each(const Store *store, char *const *filters, bool want_use, NetworkVisit visit, void *data, Error *reterr);

/* The filters of `network prune`: label, label!, until. */
int networks_check_prune_filters(char *const *filters, Error *reterr);
