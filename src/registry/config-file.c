/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of configuration: whole, bounded, with the path in every message. */
#include "registry/config-file.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

int config_file_read(const char *path, char **ret, Error *reterr) {
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
                return -ENOENT;
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot read '%s'", path);
        if (!S_ISREG(st.st_mode))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot read '%s': it is not a regular file", path);
        int r = io_read_all(fd, CONFIG_FILE_LIMIT, ret, NULL);
        if (r == -EFBIG)
                return error_set(reterr, r, ERROR_INVALID, "cannot read '%s': it is larger than %d KiB", path, CONFIG_FILE_LIMIT / 1024);
        if (r == -EBADMSG)
                return error_set(reterr, r, ERROR_INVALID, "cannot read '%s': there is a NUL byte in it", path);
        return r < 0 ? error_set_errno(reterr, r, "cannot read '%s'", path) : 0;
}

static const char *absolute_env(const char *name) {
        const char *value = getenv(name);

        return value && *value == '/' ? value : NULL;
}

char *config_user_path(const char *rest) {
        const char *home = absolute_env("HOME");

        if (!home) {
                const struct passwd *pw = getpwuid(getuid());

                home = pw && pw->pw_dir && *pw->pw_dir == '/' ? pw->pw_dir : NULL;
        }
        errno = home ? ENOMEM : ENOENT;
        return home ? str_format("%s/%s", home, rest) : NULL;
}

char *config_home_path(const char *rest) {
        const char *dir = absolute_env("XDG_CONFIG_HOME");
        _cleanup_free_ char *below = dir ? NULL : str_format(".config/%s", rest);

        if (dir)
                return str_format("%s/%s", dir, rest);
        return below ? config_user_path(below) : NULL;
}

char *config_runtime_path(const char *rest) {
        const char *dir = absolute_env("XDG_RUNTIME_DIR");

        return dir ? str_format("%s/%s", dir, rest) : str_format("/run/containers/%u/%s", (unsigned) getuid(), rest);
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void close_dir(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}

int config_list(const char *path, const char *suffix, char ***ret, Error *reterr) {
        _cleanup_(close_dir) DIR *dir = opendir(path);
        _cleanup_strv_ char **names = NULL;

        *ret = NULL;
        if (!dir)
                return errno == ENOENT || errno == ENOTDIR ? 0 : error_set_errno(reterr, -errno, "cannot read '%s'", path);
        for (const struct dirent *entry; (entry = readdir(dir));)
                if (*entry->d_name != '.' && str_has_suffix(entry->d_name, suffix) && strv_append(&names, entry->d_name) < 0)
                        return error_oom(reterr);
        if (names)
                qsort(names, strv_length(names), sizeof(*names), compare);
        *ret = TAKE_PTR(names);
        return 0;
}
