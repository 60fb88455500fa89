/* SPDX-License-Identifier: Apache-2.0 */
/* Subordinate IDs: which host IDs a user may map into user namespaces (subuid(5), subgid(5)). */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct SubidRange {
        uint32_t start, size;
} SubidRange;

/* All ranges of user `uid` in `file` ("/etc/subuid", "/etc/subgid"), in the file's order; entries have its `name`
 * (subid_user_name(); may be NULL) or the number. Owned array; none is not an error (*ret_n is 0). */
int subid_ranges(const char *file, uid_t uid, const char *name, SubidRange **ret, size_t *ret_n, Error *reterr);

/* The login name of `uid`: from /etc/passwd, or from the name service where it is not there. Owned; NULL: unknown. */
char *subid_user_name(uid_t uid);

/* The same from the name service alone: nsswitch.conf(5). A static program asks getent(1), as the C library loads libraries for it. */
char *subid_name_service(uid_t uid);
