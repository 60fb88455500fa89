/* SPDX-License-Identifier: Apache-2.0 */
/* --pidfile and --conmon-pidfile. */
#pragma once

#include "spec/container.h"

/* Writes the PID of the container's init into both. There is no conmon: who reads its file wants to know when the container has
 * ended, and that the init tells. */
int pid_files_write(const ContainerConfig *config, pid_t pid, Error *reterr);
