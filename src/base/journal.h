/* SPDX-License-Identifier: Apache-2.0 */
/* What a short-lived process says to the journal: the journal learns a line's unit from /proc, and loses it where the writer has
 * ended by then, so that `systemctl status` would not show the line. An entry that names its unit, and
 * the unit's start, is found in any case. */
#pragma once

#include "base/macro.h"

/* Whether the descriptor is the journal's ($JOURNAL_STREAM, systemd.exec(5)). */
bool journal_is(int fd);

/* Sends one entry that belongs to this process's unit; `priority` as in syslog(3). 0 or -errno. */
int journal_send(const char *identifier, int priority, const char *message);

/* The unit that this process runs in: of the user's manager, or for root of the system's. Owned; NULL: none. */
char *journal_own_unit(void);

/* The same from a cgroup's path. */
char *journal_unit_of(const char *cgroup, bool of_user);
