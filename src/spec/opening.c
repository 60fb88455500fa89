/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the openings. */
#include "spec/opening.h"

#include <string.h>

static const char *const names[] = {
        [SECURITY_OPENING_NESTED_USERNS] = "nested-userns",
        [SECURITY_OPENING_KEYRING] = "keyring",
        [SECURITY_OPENING_AF_ALG] = "af-alg",
        [SECURITY_OPENING_AF_VSOCK] = "af-vsock",
        [SECURITY_OPENING_SOCKET_FAMILIES] = "socket-families",
        [SECURITY_OPENING_SOCKETCALL] = "socketcall",
        [SECURITY_OPENING_IO_URING] = "io-uring",
        [SECURITY_OPENING_TTY_INJECTION] = "tty-injection",
        [SECURITY_OPENING_MODIFY_LDT] = "modify-ldt",
        [SECURITY_OPENING_USERFAULTFD] = "userfaultfd",
        [SECURITY_OPENING_PERSONALITY] = "personality",
};
static_assert(ELEMENTSOF(names) == _SECURITY_OPENING_MAX, "every opening has a name");
static_assert(SECURITY_OPENING_FIRST_BIT + _SECURITY_OPENING_MAX <= 64, "openings fit beside the capabilities");

int security_opening_from_name(const char *name) {
        for (int i = 0; i < _SECURITY_OPENING_MAX; i++)
                if (strcmp(name, names[i]) == 0)
                        return i;
        return -ENOENT;
}

const char *security_opening_to_name(int opening) {
        return opening >= 0 && opening < _SECURITY_OPENING_MAX ? names[opening] : NULL;
}
