/* SPDX-License-Identifier: Apache-2.0 */
/* libarchive, loaded by who needs it. */
#include "image/archive-library.h"

#include "base/library.h"

ArchiveLibrary archive_library;

static bool loaded;

int archive_library_load(Error *reterr) {
        static const LibraryFunction functions[] = {
#define X(name) { "archive_" #name, offsetof(ArchiveLibrary, f_##name) },
                ARCHIVE_LIBRARY_FUNCTIONS(X)
#undef X
        };
        int r = loaded ? 0 : library_load("libarchive.so.13", functions, ELEMENTSOF(functions), &archive_library, reterr);

        loaded = r >= 0;
        return r < 0 ? error_prefix(reterr, r, "cannot compress or decompress") : 0;
}

int archive_library_check(Error *reterr) {
        return loaded ? 0 : error_set(reterr, -ENOENT, ERROR_INTERNAL, "cannot compress or decompress: libarchive was not loaded");
}
