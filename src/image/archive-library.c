/* SPDX-License-Identifier: Apache-2.0 */
/* libarchive, loaded by who needs it. */
#include "image/archive-library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

ArchiveLibrary archive_library;

static bool loaded;

int archive_library_load(Error *reterr) {
        static const struct {
                const char *name;
                size_t offset;
        } functions[] = {
#define X(name) { "archive_" #name, offsetof(ArchiveLibrary, f_##name) },
                ARCHIVE_LIBRARY_FUNCTIONS(X)
#undef X
        };
        if (loaded)
                return 0;
        void *handle = dlopen("libarchive.so.13", RTLD_LAZY | RTLD_LOCAL);
        if (!handle)
                return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot compress or decompress: libarchive is not there: %s", dlerror());
        for (size_t i = 0; i < ELEMENTSOF(functions); i++) {
                void *function = dlsym(handle, functions[i].name);

                if (!function)
                        return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot compress or decompress: libarchive has no %s()", functions[i].name);
                (void) memcpy((char *) &archive_library + functions[i].offset, &function, sizeof(function));
        }
        loaded = true;
        return 0;
}

int archive_library_check(Error *reterr) {
        return loaded ? 0 : error_set(reterr, -ENOENT, ERROR_INTERNAL, "cannot compress or decompress: libarchive was not loaded");
}
