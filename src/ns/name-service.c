/* SPDX-License-Identifier: Apache-2.0 */
/* A user's name from the C library's name service. */
#include <pwd.h>
#include <string.h>

#include "ns/subid.h"

char *subid_name_service(uid_t uid) {
        const struct passwd *entry = getpwuid(uid);

        return entry ? strdup(entry->pw_name) : NULL;
}
