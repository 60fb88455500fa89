/* SPDX-License-Identifier: Apache-2.0 */
/* `sdpod unshare`: a command as root of the user's own IDs, with mounts of its own. */
#pragma once

#include "state/store.h"

/* The directory below the runtime directory that containers and images are mounted in. In a session it is a tmpfs that only the
 * session sees: mounts and their directories go with its last process, however that ends. */
#define MOUNTS_DIRECTORY "mounts"

/* Makes this process, which has a single thread, root of a user namespace with all of the user's IDs, the one around the user's
 * containers where the monitor keeps that, and of a mount namespace of its own; and sets the environment of a session
 * (state/store.h, podman-unshare(1)). In a session already, nothing is done. ERROR_INVALID for the machine's root. */
int engine_unshare(const Store *store, Error *reterr);
