/* SPDX-License-Identifier: Apache-2.0 */
/* libseccomp, loaded by who needs it. */
#include "proc/seccomp-library.h"

#include <dlfcn.h>

int seccomp_library_load(SeccompLibrary *ret, Error *reterr) {
        SeccompLibrary library = { .handle = dlopen("libseccomp.so.2", RTLD_NOW | RTLD_LOCAL) };

        if (!library.handle)
                return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot use a seccomp profile: libseccomp is not there: %s",
                                 dlerror());
#define X(function)                                                                                                        \
        library.function = (typeof(library.function)) dlsym(library.handle, #function);                                     \
        if (!library.function) {                                                                                            \
                seccomp_library_done(&library);                                                                             \
                return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot use a seccomp profile: libseccomp has no %s()", #function); \
        }
        SECCOMP_LIBRARY_FUNCTIONS(X)
#undef X
        *ret = library;
        return 0;
}

void seccomp_library_done(SeccompLibrary *library) {
        if (library->handle)
                (void) dlclose(library->handle);
        library->handle = NULL;
}
