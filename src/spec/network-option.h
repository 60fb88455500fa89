/* SPDX-License-Identifier: Apache-2.0 */
/* What the options of a network (`network create --opt`) may be, by driver. */
#pragma once

#include "spec/network.h"

/* Whether the driver has this option with this value: 0, or -EINVAL, -EOPNOTSUPP with the reason. *ret is the value as it is written
 * down ("1" of a truth value is "true"); owned. */
int network_option_check(const char *driver, const char *name, const char *value, char **ret, Error *reterr);

/* A number of bits a second, with k, m or g for powers of 1000 and perhaps "bit" behind: "10m", "500kbit". -EINVAL, also below 8000. */
int network_rate_parse(const char *text, uint64_t *ret);

/* One to 16 addresses with commas between; a vector. */
int network_remotes_parse(const char *text, char ***ret);
