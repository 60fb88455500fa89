/* SPDX-License-Identifier: Apache-2.0 */
/* What is set in the container's namespaces besides mounts: names, network, kernel settings. */
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "net/netns.h"
#include "oci/inside.h"
#include "proc/sysctl.h"

static int set_names(const OciInside *inside, Error *reterr) {
        const char *host = inside->spec->hostname, *domain = inside->spec->domainname;

        if ((!str_empty(host) || !str_empty(domain)) && !oci_namespaces_has(inside->namespaces, CLONE_NEWUTS))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot set the %s without a private UTS namespace",
                                 str_empty(host) ? "domainname" : "hostname");
        if (!str_empty(host) && sethostname(host, strlen(host)) < 0)
                return error_set_errno(reterr, -errno, "cannot set the host name '%s'", host);
        if (!str_empty(domain) && setdomainname(domain, strlen(domain)) < 0)
                return error_set_errno(reterr, -errno, "cannot set the domain name '%s'", domain);
        return 0;
}

static int set_sysctl(const OciInside *inside, Error *reterr) {
        SysctlNamespaces own = (oci_namespaces_has(inside->namespaces, CLONE_NEWIPC) ? SYSCTL_NAMESPACE_IPC : 0) |
                               (oci_namespaces_has(inside->namespaces, CLONE_NEWNET) ? SYSCTL_NAMESPACE_NET : 0) |
                               (oci_namespaces_has(inside->namespaces, CLONE_NEWUTS) ? SYSCTL_NAMESPACE_UTS : 0);

        return sysctl_apply(inside->spec->sysctl, own, inside->proc_fd, reterr);
}

int oci_settle(OciInside *inside, Error *reterr) {
        int r = inside->namespaces->made & CLONE_NEWNET ? netns_loopback_up() : 0;

        if (r < 0)
                return error_set_errno(reterr, r, "cannot bring the loopback interface up");
        r = set_names(inside, reterr);
        return r < 0 ? r : set_sysctl(inside, reterr);
}
