/* SPDX-License-Identifier: Apache-2.0 */
/* The names of what --security-opt opens in the default profile. */
#include "proc/seccomp.h"

#include <string.h>

static const char *const names[] = {
        [SECCOMP_OPENING_NESTED_USERNS] = "nested-userns",
        [SECCOMP_OPENING_KEYRING] = "keyring",
        [SECCOMP_OPENING_AF_ALG] = "af-alg",
        [SECCOMP_OPENING_AF_VSOCK] = "af-vsock",
        [SECCOMP_OPENING_SOCKET_FAMILIES] = "socket-families",
        [SECCOMP_OPENING_SOCKETCALL] = "socketcall",
        [SECCOMP_OPENING_IO_URING] = "io-uring",
        [SECCOMP_OPENING_TTY_INJECTION] = "tty-injection",
        [SECCOMP_OPENING_MODIFY_LDT] = "modify-ldt",
        [SECCOMP_OPENING_USERFAULTFD] = "userfaultfd",
        [SECCOMP_OPENING_PERSONALITY] = "personality",
};
static_assert(ELEMENTSOF(names) == _SECCOMP_OPENING_MAX, "every opening has a name");
static_assert(SECCOMP_OPENING_FIRST_BIT + _SECCOMP_OPENING_MAX <= 64, "openings fit beside the capabilities");

int seccomp_opening_from_name(const char *name) {
        for (int i = 0; i < _SECCOMP_OPENING_MAX; i++)
                if (strcmp(name, names[i]) == 0)
                        return i;
        return -ENOENT;
}

const char *seccomp_opening_to_name(int opening) {
        return opening >= 0 && opening < _SECCOMP_OPENING_MAX ? names[opening] : NULL;
}
