/* SPDX-License-Identifier: Apache-2.0 */
/* Options of pushing become words. */
#include "cli/push-options.h"

#include "base/str.h"
#include "cli/image-exec.h"

const char *const push_compressions[] = { "gzip", "zstd", "zstd:chunked", NULL };
const char *const push_formats[] = { "oci", "v2s2", "v2s1", NULL };

int push_words(const PushWords *push, const Invocation *in, char ***words, Error *reterr) {
        if (image_exec_add(words, "compression-format", push->compression_format) < 0 ||
            image_exec_add(words, "compression-level", push->compression_level) < 0 ||
            image_exec_add(words, "digestfile", push->digest_file) < 0 || image_exec_add(words, "manifest-type", push->format) < 0 ||
            (push->force_compression && strv_append(words, "--force-compression") < 0) ||
            (push->quiet && strv_append(words, "--quiet") < 0))
                return error_oom(reterr);
        return registry_words(&push->registry, in, words, reterr);
}
