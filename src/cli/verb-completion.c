/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod completion: prints the completion of a shell, which is installed with the program. */
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "cli/verbs.h"
#include "config.h"

enum { SCRIPT_LIMIT = 1024 * 1024 };

typedef struct CompletionOptions {
        char *file;
} CompletionOptions;

static const Option rows[] = {
        { "file", 'f', .kind = OPTION_STRING, .offset = offsetof(CompletionOptions, file), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Write it to this file" },
        { "no-desc", .kind = OPTION_REFUSED_BOOL, .hidden = true, .refused = "the shells are always given the descriptions" },
        {},
};
static const Option *const tables[] = { rows, NULL };

static const struct {
        const char *shell, *path;
} scripts[] = {
        { "bash", SDPOD_DATADIR "/bash-completion/completions/sdpod" },
        { "fish", SDPOD_DATADIR "/fish/vendor_completions.d/sdpod.fish" },
        { "zsh", SDPOD_DATADIR "/zsh/vendor-completions/_sdpod" },
};

static const char *find_script(const char *shell) {
        for (size_t i = 0; i < ELEMENTSOF(scripts); i++)
                if (str_equal(scripts[i].shell, shell))
                        return scripts[i].path;
        return NULL;
}

static int run(Invocation *in, Error *reterr) {
        const CompletionOptions *o = in->options;
        const char *shell = in->arguments[0], *path = find_script(shell);
        _cleanup_free_ char *text = NULL;
        size_t size;

        if (str_equal(shell, "powershell"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot complete for 'powershell': sdpod runs on Linux alone, and "
                                                                         "nobody has written it");
        if (!path)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot complete for '%s': not one of bash, fish, zsh", shell);
        int r = file_read(AT_FDCWD, path, SCRIPT_LIMIT, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read '%s'", path);
        if (!o->file)
                return fwrite(text, 1, size, stdout) == size ? 0 : error_set_errno(reterr, -EIO, "cannot write to standard output");
        _cleanup_fd_ int fd = open(o->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        r = fd < 0 ? -errno : io_write_full(fd, text, size);
        return r < 0 ? error_set_errno(reterr, r, "cannot write '%s'", o->file) : 0;
}

const Verb verb_completion = {
        .arguments = "SHELL",
        .summary = "Print the completion of a shell: bash, fish or zsh",
        .options = tables,
        .options_size = sizeof(CompletionOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .run = run,
};
