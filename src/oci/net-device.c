/* SPDX-License-Identifier: Apache-2.0 */
/* Moving interfaces. */
#include "oci/net-device.h"

#include "base/str.h"

int oci_net_devices_move(const RuntimeSpec *spec, int pidfd, pid_t pid, Error *reterr) {
        (void) pidfd;
        (void) pid;
        return spec->n_net_devices == 0 ? 0 : error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot move network devices yet (linux.netDevices)");
}
