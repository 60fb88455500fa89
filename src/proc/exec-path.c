/* SPDX-License-Identifier: Apache-2.0 */
/* Which file a command's first word means, and why it could not be executed. */
#include "proc/exec-path.h"

#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int exec_path_explain(int code, const char *name, Error *reterr) {
        if (code == -ENOENT || code == -ENOTDIR)
                return error_set(reterr, code, ERROR_COMMAND_NOT_FOUND, "cannot run '%s' in the container: %s", name,
                                 strerror(-code));
        int r = error_set(reterr, code, ERROR_NOT_EXECUTABLE, "cannot run '%s' in the container: %s", name, strerror(-code));
        if (code == -ENOEXEC)
                error_hint(reterr, "is the image made for another processor, or is it a script without '#!'?");
        return r;
}

int exec_path_find(const char *name, const char *path, char **ret, Error *reterr) {
        _cleanup_strv_ char **directories = NULL;
        bool denied = false;

        if (str_empty(name))
                return error_set(reterr, -ENOENT, ERROR_COMMAND_NOT_FOUND, "cannot run '' in the container: the command is empty");
        if (strchr(name, '/'))
                return (*ret = strdup(name)) ? 0 : error_oom(reterr);
        directories = strv_split(path ?: DEFAULT_PATH, ":");
        if (!directories)
                return error_oom(reterr);
        for (char **d = directories; *d; d++) {
                _cleanup_free_ char *candidate = str_format("%s/%s", str_empty(*d) ? "." : *d, name);
                struct stat st;

                if (!candidate)
                        return error_oom(reterr);
                if (stat(candidate, &st) < 0 || !S_ISREG(st.st_mode))
                        continue;
                if (st.st_mode & 0111) {
                        *ret = TAKE_PTR(candidate);
                        return 0;
                }
                denied = true;
        }
        if (denied)
                return exec_path_explain(-EACCES, name, reterr);
        return error_set(reterr, -ENOENT, ERROR_COMMAND_NOT_FOUND,
                         "cannot run '%s' in the container: executable file not found in $PATH", name);
}
