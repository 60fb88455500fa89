/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options that go over from one TCP socket to another that takes its place. */
#pragma once

#include "base/macro.h"

enum { BYPASS_OPTIONS_MAX = 48 };

/* The values of a fresh socket. */
typedef struct BypassDefaults {
        int value[BYPASS_OPTIONS_MAX];
} BypassDefaults;

/* Reads them from a socket that nobody has touched. */
void bypass_options_read(int fd, BypassDefaults *ret);

/* Sets on `to`, a fresh socket, what differs on `from`. What an unprivileged socket cannot take over, or what binds it to the network that
 * it is in, is -EOPNOTSUPP: then it must stay what it is. */
int bypass_options_copy(const BypassDefaults *defaults, int from, int to, int family);
