/* SPDX-License-Identifier: Apache-2.0 */
/* inih for `sdpod` itself, which reads unit files in a few verbs only: the library is loaded at the first call. The generators
 * are linked with it and not with this file. */
#include <dlfcn.h>
#include <ini.h>

#include "base/macro.h"
#include "unit/load-inih.h"

enum { NO_LIBRARY = -3 }; /* ini_parse_stream() has -1 and -2 */

static void *find(const char *name) {
        void *handle = dlopen("libinih.so.1", RTLD_NOW | RTLD_LOCAL); /* counted, never closed */

        return handle ? dlsym(handle, name) : NULL;
}

bool unit_library_is_there(void) {
        return find("ini_parse_stream");
}

int ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user) {
        typeof(&ini_parse_stream) function = (typeof(function)) find("ini_parse_stream");

        return function ? function(reader, stream, handler, user) : NO_LIBRARY;
}

int ini_parse_string(const char *string, ini_handler handler, void *user) {
        typeof(&ini_parse_string) function = (typeof(function)) find("ini_parse_string");

        return function ? function(string, handler, user) : NO_LIBRARY;
}
