/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines by which sdpod calls itself. */
#pragma once

#include "state/store.h"

/* argv of one of the internal verbs ("__start"), with the store's paths told; an owned vector. `storage_driver` may be NULL.
 * 0 or -errno. */
int internal_command(const Store *store, const char *storage_driver, const char *verb, const char *id, char ***ret);

/* Starts a program that is nobody's child who would have to wait for it. Descriptors as process_spawn() has them. */
int internal_spawn_orphan(char *const *argv, const int *fds, size_t n_fds);
