/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds a host port that is taken, as far as /proc lets the user see. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Looks at the caller's own network namespace alone. "'nginx' (process 4711)", "container 'web'", or "another user's process"; NULL if it cannot be told. Owned. */
char *port_holder_find(int family, bool tcp, uint16_t port);
