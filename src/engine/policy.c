/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's processes may do. */
#include "engine/policy.h"

#include "spec/opening.h"

int policy_resolve(const Store *store, const ContainerConfig *config, bool privileged, CapSet *ret_caps, SeccompFilter *ret_filter,
                   Error *reterr) {
        CapSet caps;
        uint64_t openings = 0;

        int r = caps_resolve(config->cap_add, config->cap_drop, config->privileged || privileged, &caps, reterr);
        if (r < 0)
                return r;
        for (char **p = config->security_opt; p && *p; p++) {
                int opening = security_opening_from_name(*p);

                if (opening >= 0)
                        openings |= SECURITY_OPENING_BIT(opening);
        }
        const SeccompRequest request = {
                .profile = config->seccomp,
                .capabilities = caps.bounding,
                .openings = openings,
                .privileged = config->privileged || privileged,
                .data_fd = store->data_fd,
        };
        r = seccomp_prepare(&request, ret_filter, reterr);
        if (r >= 0)
                *ret_caps = caps;
        return r;
}
