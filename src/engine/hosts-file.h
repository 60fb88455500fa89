/* SPDX-License-Identifier: Apache-2.0 */
/* What /etc/hosts of a container is made from. */
#pragma once

#include "state/container.h"

/* The file that --hosts-file names, or /etc/hosts of the image: owned text, NULL where there is none or nothing was named. */
int hosts_file_base(const Store *store, const ContainerConfig *config, char **ret, Error *reterr);
