/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a library by its name. */
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int library_load(const char *file, const LibraryFunction *functions, size_t n, void *table, Error *reterr) {
        void *handle = dlopen(file, RTLD_LAZY | RTLD_LOCAL);

        if (!handle)
                return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "%s is not there: %s", file, dlerror());
        for (size_t i = 0; i < n; i++) {
                void *function = dlsym(handle, functions[i].name);

                if (!function)
                        return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "%s has no %s()", file, functions[i].name);
                (void) memcpy((char *) table + functions[i].offset, &function, sizeof(function));
        }
        return 0;
}
