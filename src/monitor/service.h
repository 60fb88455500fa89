/* SPDX-License-Identifier: Apache-2.0 */
/* The user's monitor: a socket-activated service of systemd that takes its descriptors back from systemd's store. */
#pragma once

#include "base/error.h"

/* Runs until SIGTERM. `runtime_path` is the directory for the list of watched containers (NULL: the default). */
int monitor_service_run(const char *runtime_path, Error *reterr);
