/* SPDX-License-Identifier: Apache-2.0 */
/* Whether and when a container that has ended starts again, where no systemd decides it: podman-run(1), --restart. */
#pragma once

#include <stdint.h>

#include "base/macro.h"

typedef struct RestartPolicy {
        enum { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS } kind;
        uint32_t retries; /* on-failure: at most so many; 0: no limit */
} RestartPolicy;

/* "no", "always", "unless-stopped" (which differs from always only at boot), "on-failure"; NULL and "" are "no".
 * -EINVAL for other words. */
int restart_policy_parse(const char *name, uint32_t retries, RestartPolicy *ret);

/* Whether to start again after this exit; `restarts` is how often that was done since somebody started it. */
bool restart_policy_wants(const RestartPolicy *policy, int exit_code, uint32_t restarts, bool stopped_by_user) _pure_;

/* How long to wait, given the wait before (0: none yet) and how long it has run: 100 ms, doubled up to a minute, from the
 * beginning again after 10 s of running. */
uint64_t restart_policy_delay(uint64_t before_usec, uint64_t ran_usec) _pure_;
