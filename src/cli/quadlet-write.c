/* SPDX-License-Identifier: Apache-2.0 */
/* Unit files that were made go to stdout or into the current directory. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/quadlet.h"

int quadlet_print(const QuadletFiles *files, _unused_ Error *reterr) {
        for (size_t i = 0; i < files->n; i++) {
                const QuadletFile *file = files->items + i;

                if (i > 0)
                        puts("\n---");
                if (files->n > 1) /* the type is told by the group */
                        printf("# FileName=%.*s\n", (int) (strrchr(file->name, '.') - file->name), file->name);
                else
                        printf("# %s\n", file->name);
                fputs(file->text, stdout);
        }
        return 0;
}

int quadlet_write(const QuadletFiles *files, bool replace, Error *reterr) {
        for (size_t i = 0; i < files->n; i++) {
                const QuadletFile *file = files->items + i;
                _cleanup_free_ char *cwd = getcwd(NULL, 0);

                if (!cwd)
                        return error_set_errno(reterr, -errno, "cannot find the current directory");
                if (!replace && faccessat(AT_FDCWD, file->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot write '%s': it is there already", file->name);
                int r = file_write_atomic(AT_FDCWD, file->name, file->text, strlen(file->text), 0644, FILE_VOLATILE);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write '%s'", file->name);
                printf("%s/%s\n", cwd, file->name);
        }
        return 0;
}

const char *quadlet_new_pod(const OptionParse *parse) {
        const char *pod = NULL;

        for (size_t i = 0; i < parse->n_given; i++)
                if (str_equal(parse->given[i]->name, "pod"))
                        pod = str_after(parse->given_values[i], "new:");
        return str_empty(pod) ? NULL : pod;
}

int quadlet_print_one(const QuadletRequest *request, Error *reterr) {
        _cleanup_quadlet_files_ QuadletFiles files = {};
        const char *pod = quadlet_new_pod(request->parse);
        int r = pod ? quadlet_add_with_pod(request, pod, &files, reterr) : quadlet_add(request, &files, reterr);

        return r < 0 ? r : quadlet_print(&files, reterr);
}
