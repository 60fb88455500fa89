/* SPDX-License-Identifier: Apache-2.0 */
/* Whether and when a container that has ended starts again. */
#include "monitor/restart-policy.h"

#include "base/str.h"

static const uint64_t first_usec = 100000, last_usec = 60000000, steady_usec = 10000000;

int restart_policy_parse(const char *name, uint32_t retries, RestartPolicy *ret) {
        static const struct {
                const char *name;
                int kind;
        } names[] = {
                { "always", RESTART_ALWAYS },
                { "no", RESTART_NO },
                { "on-failure", RESTART_ON_FAILURE },
                { "unless-stopped", RESTART_ALWAYS },
        };

        if (str_empty(name))
                name = "no";
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (str_equal(names[i].name, name)) {
                        *ret = (RestartPolicy){ .kind = names[i].kind, .retries = retries };
                        return 0;
                }
        return -EINVAL;
}

bool restart_policy_wants(const RestartPolicy *policy, int exit_code, uint32_t restarts, bool stopped_by_user) {
        if (stopped_by_user || policy->kind == RESTART_NO)
                return false;
        if (policy->kind == RESTART_ALWAYS)
                return true;
        return exit_code != 0 && (policy->retries == 0 || restarts < policy->retries);
}

uint64_t restart_policy_delay(uint64_t before_usec, uint64_t ran_usec) {
        if (before_usec == 0 || ran_usec >= steady_usec)
                return first_usec;
        return MIN(before_usec * 2, last_usec);
}
