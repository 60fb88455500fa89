/* SPDX-License-Identifier: Apache-2.0 */
/* libseccomp, as a static program has it: in itself. Linked in place of seccomp-library.c. */
#include "proc/seccomp-library.h"

int seccomp_library_load(SeccompLibrary *ret, Error *reterr) {
        (void) reterr;
#define X(function) .function = function,
        *ret = (SeccompLibrary){ SECCOMP_LIBRARY_FUNCTIONS(X) };
#undef X
        return 0;
}

void seccomp_library_done(SeccompLibrary *library) {
        (void) library;
}
