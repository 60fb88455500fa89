/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded by who needs it. */
#include "registry/curl-library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

CurlLibrary curl_library;

int curl_library_load(Error *reterr) {
        static const struct {
                const char *name;
                size_t offset;
        } functions[] = {
#define X(name) { "curl_" #name, offsetof(CurlLibrary, name) },
                CURL_LIBRARY_FUNCTIONS(X)
#undef X
        };
        void *handle = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);

        if (!handle)
                return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot speak to a server: libcurl is not there: %s", dlerror());
        for (size_t i = 0; i < ELEMENTSOF(functions); i++) {
                void *function = dlsym(handle, functions[i].name);

                if (!function)
                        return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot speak to a server: libcurl has no %s()", functions[i].name);
                (void) memcpy((char *) &curl_library + functions[i].offset, &function, sizeof(function));
        }
        return 0;
}
