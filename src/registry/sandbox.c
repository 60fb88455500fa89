/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher's sandbox: limits first. */
#include "registry/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>

int fetcher_sandbox(Error *reterr) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot restrict the network process");
        return 0;
}
