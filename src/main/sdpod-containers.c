/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-containers: what sdpod-containers.service starts, so that containers can be born in its cgroup (cgroup/containers.h). */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "cgroup/containers.h"
#include "config.h"

static int hold(void) {
        _cleanup_error_ Error error = ERROR_NULL;
        int r = containers_cgroup_hold(&error);

        if (r < 0)
                error_print(&error);
        return r < 0 ? 1 : 0;
}

int main(int argc, char **argv) {
        log_set_program("sdpod-containers");
        if (argc == 1)
                return hold();
        if (argc == 2 && str_equal(argv[1], "--version"))
                return printf("sdpod-containers %s\n", SDPOD_VERSION) < 0;
        (void) puts("sdpod-containers: keeps the cgroup of containers in the foreground, started by systemd");
        return argc == 2 && str_equal(argv[1], "--help") ? 0 : 125;
}
