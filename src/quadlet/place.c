/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of units, and records of what belongs together. */
#include "quadlet/place.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"

/* ~/.config, or NULL. */
static char *config_home(void) {
        const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

        if (config && config[0] == '/')
                return strdup(config);
        return home && home[0] == '/' ? str_format("%s/.config", home) : NULL;
}

int quadlet_place_directory(const QuadletCheck *check, char **ret, Error *reterr) {
        static const char *const families[] = { "containers", "sdpod" }; /* Podman's first: the files are the same files */
        const char *given = getenv("QUADLET_UNIT_DIRS");
        _cleanup_free_ char *base = check->user ? config_home() : strdup("/etc");

        if (!str_empty(given) && check->dirs.n > 0)
                return (*ret = strdup(check->dirs.items[0].path)) ? 0 : error_oom(reterr);
        for (size_t f = 0; f < ELEMENTSOF(families) && base; f++) {
                _cleanup_free_ char *path = str_format("%s/%s/systemd", base, families[f]);

                for (size_t i = 0; i < check->dirs.n && path; i++)
                        if (strcmp(check->dirs.items[i].path, path) == 0) {
                                *ret = TAKE_PTR(path);
                                return 0;
                        }
        }
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot tell where unit files belong: neither HOME nor XDG_CONFIG_HOME is set");
}

char *quadlet_place_native(bool user, const char *service) {
        static const char *const system_dirs[] = { "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                                                   "/usr/lib/systemd/system", "/lib/systemd/system", NULL },
                          *const user_dirs[] = { "/etc/systemd/user", "/run/systemd/user", "/usr/local/share/systemd/user",
                                                 "/usr/share/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user", NULL };
        _cleanup_free_ char *config = user ? config_home() : NULL, *own = NULL;

        own = config ? str_format("%s/systemd/user/%s.service", config, service) : NULL;
        if (own && faccessat(AT_FDCWD, own, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return TAKE_PTR(own);
        for (const char *const *dir = user ? user_dirs : system_dirs; *dir; dir++) {
                _cleanup_free_ char *path = str_format("%s/%s.service", *dir, service);

                if (path && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return TAKE_PTR(path);
        }
        return NULL;
}

/* ---- records ---- */

void quadlet_records_done(QuadletRecords *records) {
        for (size_t i = 0; i < records->n; i++) {
                free(records->items[i].name);
                strv_free(records->items[i].files);
        }
        free(records->items);
        *records = (QuadletRecords){};
}

/* Names of files there only: a line with a path would have us remove something else. */
static int read_lines(QuadletRecord *record, char *text) {
        for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                if (quadlet_name_check(line, _UNIT_TYPE_INVALID, NULL) >= 0 && strv_append(&record->files, line) < 0)
                        return -ENOMEM;
        return 0;
}

static int add_record(QuadletRecords *records, int dir_fd, const char *name) {
        enum { RECORD_MAX = QUADLET_ITEMS_MAX * (QUADLET_NAME_MAX + 1) };
        _cleanup_free_ char *text = NULL, *unit = NULL;
        QuadletRecord *grown;

        if (file_read(dir_fd, name, RECORD_MAX, &text, NULL) < 0)
                return 0;
        grown = realloc(records->items, (records->n + 1) * sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        records->items = grown;
        QuadletRecord *record = grown + records->n++;
        *record = (QuadletRecord){ .name = strdup(name) };
        if (str_has_suffix(name, ".asset")) {
                unit = strndup(name + 1, strlen(name) - 1 - STRLEN(".asset"));
                if (!unit || strv_append(&record->files, unit) < 0)
                        return -ENOMEM;
        }
        return record->name ? read_lines(record, text) : -ENOMEM;
}

int quadlet_records_read(int dir_fd, QuadletRecords *ret, Error *reterr) {
        int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *stream = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        if (!stream) {
                r = -errno;
                (void) fd_close(copy);
                return error_set_errno(reterr, r, "cannot read the records of what is installed");
        }
        while (r >= 0 && (entry = readdir(stream)))
                if (entry->d_name[0] == '.' && (str_has_suffix(entry->d_name, ".app") || str_has_suffix(entry->d_name, ".asset")))
                        r = add_record(ret, dir_fd, entry->d_name);
        (void) closedir(stream);
        return r < 0 ? error_oom(reterr) : 0;
}

const QuadletRecord *quadlet_records_of(const QuadletRecords *records, const char *file) {
        for (size_t i = 0; i < records->n; i++)
                if (strv_contains(records->items[i].files, file))
                        return records->items + i;
        return NULL;
}

const QuadletRecord *quadlet_records_named(const QuadletRecords *records, const char *name) {
        for (size_t i = 0; i < records->n; i++)
                if (strcmp(records->items[i].name, name) == 0)
                        return records->items + i;
        return NULL;
}
