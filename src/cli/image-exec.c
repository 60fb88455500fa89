/* SPDX-License-Identifier: Apache-2.0 */
/* Handing over to sdpod-image. */
#include "cli/image-exec.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "config.h"

int image_exec_add(char ***words, const char *option, const char *value) {
        return value ? strv_consume(words, str_format("--%s=%s", option, value)) : 0;
}

static const char program[] = SDPOD_LIBEXECDIR "/sdpod-image";

static int make_argv(const Invocation *in, char **words, char ***ret) {
        const struct {
                const char *option, *value;
        } globals[] = {
                { "--root", in->global.root },
                { "--runroot", in->global.runroot },
                { "--log-level", log_get_level() >= LOG_LEVEL_DEBUG ? "debug" : log_get_level() >= LOG_LEVEL_INFO ? "info" : NULL },
        };

        if (strv_append(ret, program) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(globals); i++)
                if (globals[i].value && (strv_append(ret, globals[i].option) < 0 || strv_append(ret, globals[i].value) < 0))
                        return -ENOMEM;
        return strv_extend(ret, words);
}

int image_exec(const Invocation *in, char **words, Error *reterr) {
        _cleanup_strv_ char **argv = NULL;

        if (make_argv(in, words, &argv) < 0)
                return error_oom(reterr);
        (void) fflush(NULL);
        (void) execv(program, argv);
        return error_set_errno(reterr, -errno, "cannot run '%s'", program);
}

int image_run(const Invocation *in, char **words, Error *reterr) {
        static const int stdio[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
        _cleanup_strv_ char **argv = NULL;
        pid_t pid;

        if (make_argv(in, words, &argv) < 0)
                return error_oom(reterr);
        (void) fflush(NULL);
        int r = process_spawn(program, argv, /* envp= */ NULL, stdio, ELEMENTSOF(stdio), &pid, /* ret_pidfd= */ NULL);
        if (r >= 0)
                r = process_reap(pid);
        return r < 0 ? error_set_errno(reterr, r, "cannot run '%s'", program) : r;
}
