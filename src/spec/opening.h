/* SPDX-License-Identifier: Apache-2.0 */
/* The named openings: what `--security-opt NAME` gives back of what the default policy takes away, beside what
 * capabilities open. proc/seccomp-default.txt says, rule by rule, what each does. */
#pragma once

#include <stdint.h>

#include "base/macro.h"

typedef enum SecurityOpening {
        SECURITY_OPENING_NESTED_USERNS,   /* user namespaces inside, and with them mounts; clone3 */
        SECURITY_OPENING_KEYRING,         /* add_key, request_key, keyctl */
        SECURITY_OPENING_AF_ALG,
        SECURITY_OPENING_AF_VSOCK,
        SECURITY_OPENING_SOCKET_FAMILIES, /* every address family */
        SECURITY_OPENING_SOCKETCALL,      /* i386's socketcall(2), whose address family no filter sees */
        SECURITY_OPENING_IO_URING,
        SECURITY_OPENING_TTY_INJECTION,   /* ioctl TIOCSTI and TIOCLINUX */
        SECURITY_OPENING_MODIFY_LDT,
        SECURITY_OPENING_USERFAULTFD,
        SECURITY_OPENING_PERSONALITY,     /* every personality(2) */
        _SECURITY_OPENING_MAX,
} SecurityOpening;

/* In one word with the capabilities, whose bits are below. */
enum { SECURITY_OPENING_FIRST_BIT = 48 };
#define SECURITY_OPENING_BIT(opening) (UINT64_C(1) << (SECURITY_OPENING_FIRST_BIT + (opening)))

/* "nested-userns" <-> the opening; -ENOENT for an unknown name, NULL for an unknown number. */
int security_opening_from_name(const char *name) _pure_;
const char *security_opening_to_name(int opening) _pure_;
