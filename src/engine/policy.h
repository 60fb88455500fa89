/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's processes may do: the same for its init and for every exec. */
#pragma once

#include "proc/caps.h"
#include "proc/seccomp.h"
#include "state/container.h"

/* Capabilities and filter by the record; `privileged` adds what exec --privileged gives. */
int policy_resolve(const Store *store, const ContainerConfig *config, bool privileged, CapSet *ret_caps, SeccompFilter *ret_filter,
                   Error *reterr);

/* --seccomp-policy image: whether the image has a profile; -ENOENT with a message. */
int policy_check_profile(const ContainerConfig *config, Error *reterr);

/* Then: puts it where policy_resolve() finds it, which is needed at each start. */
int policy_write_profile(const Store *store, Container *container, Error *reterr);
