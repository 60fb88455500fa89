/* SPDX-License-Identifier: Apache-2.0 */
/* The session keyring of a container. */
#include "oci/keyring.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

int oci_keyring_join(const char *id, Error *reterr) {
        _cleanup_free_ char *name = str_format("_ses.%s", id); /* the name that runc gives it, too */

        if (!name)
                return error_oom(reterr);
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0) >= 0 || errno == ENOSYS)
                return 0;
        int r = error_set_errno(reterr, -errno, "cannot make a session keyring");
        return error_with_hint(reterr, r, "--no-new-keyring does without");
}
