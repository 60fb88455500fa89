/* SPDX-License-Identifier: Apache-2.0 */
/* Handing over to sdpod-image. */
#include "cli/image-exec.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "config.h"

int image_exec_add(char ***words, const char *option, const char *value) {
        return value ? strv_consume(words, str_format("--%s=%s", option, value)) : 0;
}

int image_exec(const Invocation *in, char **words, Error *reterr) {
        static const char program[] = SDPOD_LIBEXECDIR "/sdpod-image";
        _cleanup_strv_ char **argv = NULL;
        const struct {
                const char *option, *value;
        } globals[] = {
                { "--root", in->global.root },
                { "--runroot", in->global.runroot },
                { "--log-level", log_get_level() >= LOG_LEVEL_DEBUG ? "debug" : log_get_level() >= LOG_LEVEL_INFO ? "info" : NULL },
        };

        if (strv_append(&argv, program) < 0)
                return error_oom(reterr);
        for (size_t i = 0; i < ELEMENTSOF(globals); i++)
                if (globals[i].value && (strv_append(&argv, globals[i].option) < 0 || strv_append(&argv, globals[i].value) < 0))
                        return error_oom(reterr);
        if (strv_extend(&argv, words) < 0)
                return error_oom(reterr);
        (void) fflush(NULL);
        (void) execv(program, argv);
        return error_set_errno(reterr, -errno, "cannot run '%s'", program);
}
