/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded by who needs it. */
#include "registry/curl-library.h"

#include "base/library.h"

CurlLibrary curl_library;

int curl_library_load(Error *reterr) {
        static const LibraryFunction functions[] = {
#define X(name) { "curl_" #name, offsetof(CurlLibrary, name) },
                CURL_LIBRARY_FUNCTIONS(X)
#undef X
        };
        int r = library_load("libcurl.so.4", functions, ELEMENTSOF(functions), &curl_library, reterr);

        return r < 0 ? error_prefix(reterr, r, "cannot speak to a server") : 0;
}
