/* SPDX-License-Identifier: Apache-2.0 */
/* The network of a container, by its mode. */
#include "engine/network.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/str.h"

int network_check(const ContainerConfig *config, Error *reterr) {
        if (str_equal(config->network, "none") || str_equal(config->network, "host"))
                return 0;
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use --network=%s: not there yet", config->network ?: "slirp");
}

int network_files(const ContainerConfig *config, char **ret_resolv_conf, char **ret_hosts, Error *reterr) {
        *ret_hosts = str_format("127.0.0.1 localhost\n::1 localhost\n");
        *ret_resolv_conf = NULL;
        if (str_equal(config->network, "host"))
                (void) file_read(AT_FDCWD, "/etc/resolv.conf", 65536, ret_resolv_conf, NULL);
        return *ret_hosts ? 0 : error_oom(reterr);
}

int network_start(_unused_ const ContainerConfig *config, _unused_ int init_pidfd, _unused_ ContainerProcess *process, _unused_ Error *reterr) {
        return 0;
}
