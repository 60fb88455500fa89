/* SPDX-License-Identifier: Apache-2.0 */
/* The directories that sdpod keeps state in. */
#include "state/store.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

/* Root of a user namespace that is not the machine's: only there the environment may say where the store is. */
static bool in_user_namespace(void) {
        _cleanup_free_ char *text = NULL;
        unsigned inside, outside, size;

        return geteuid() == 0 && file_read(AT_FDCWD, "/proc/self/uid_map", 64 * 1024, &text, /* ret_size= */ NULL) >= 0 &&
               (sscanf(text, "%u %u %u", &inside, &outside, &size) != 3 || inside != 0 || outside != 0 || size != UINT32_MAX);
}

const char *store_session_path(const char *variable) {
        const char *path = getenv(variable);

        return path && *path == '/' && in_user_namespace() ? path : NULL;
}

static char *default_data_path(Error *reterr) {
        const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
        char *path;

        if (geteuid() == 0)
                path = strdup(store_session_path(STORE_SESSION_DATA) ?: "/var/lib/sdpod");
        else if (!str_empty(xdg) && *xdg == '/')
                path = str_format("%s/sdpod", xdg);
        else {
                if (str_empty(home) || *home != '/') {
                        const struct passwd *entry = getpwuid(geteuid());

                        home = entry ? entry->pw_dir : NULL;
                }
                if (str_empty(home) || *home != '/') {
                        (void) error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find the home directory: HOME is not set");
                        return NULL;
                }
                path = str_format("%s/.local/share/sdpod", home);
        }
        if (!path)
                (void) error_oom(reterr);
        return path;
}

/* A directory nobody else can have prepared: ours, and closed to others. */
static int check_private(const char *path, Error *reterr) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot use '%s'", path);
        if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0022))
                return error_set(reterr, -EPERM, ERROR_DENIED,
                                 "cannot use '%s': not a directory of user %u that others cannot write", path, geteuid());
        return 0;
}

static char *default_runtime_path(Error *reterr) {
        const char *xdg = getenv("XDG_RUNTIME_DIR");
        _cleanup_free_ char *path = NULL;

        if (geteuid() == 0)
                path = strdup(store_session_path(STORE_SESSION_RUNTIME) ?: "/run/sdpod");
        else if (!str_empty(xdg) && *xdg == '/') {
                if (check_private(xdg, reterr) < 0) {
                        error_hint(reterr, "XDG_RUNTIME_DIR must be a directory of yours with mode 0700");
                        return NULL;
                }
                path = str_format("%s/sdpod", xdg);
        } else {
                path = str_format("/run/user/%u", geteuid());
                if (path && check_private(path, /* reterr= */ NULL) >= 0) {
                        char *below = str_format("%s/sdpod", path);

                        free(path);
                        path = below;
                } else {
                        /* no login session: a directory in /tmp, whose owner store_open() checks before use */
                        free(path);
                        path = str_format("/tmp/sdpod-run-%u", geteuid());
                }
        }
        if (!path)
                (void) error_oom(reterr);
        return TAKE_PTR(path);
}

static int open_directory(const char *path, Error *reterr) {
        int r = path_mkdirs(path, 0700);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot make the directory '%s'", path);
        r = check_private(path, reterr);
        if (r < 0)
                return r;
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open the directory '%s'", path);
        return fd;
}

static int resolve_path(const char *given, char *(*otherwise)(Error *), char **ret, Error *reterr) {
        if (!given)
                return (*ret = otherwise(reterr)) ? 0 : -ENOENT;
        if (*given == '/')
                *ret = strdup(given);
        else {
                _cleanup_free_ char *cwd = getcwd(NULL, 0);

                *ret = cwd ? str_format("%s/%s", cwd, given) : NULL;
        }
        return *ret ? 0 : error_oom(reterr);
}

/* Read once a command, and not once a container. */
static void read_boot_id(Store *store) {
        _cleanup_free_ char *text = NULL;

        if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", sizeof(store->boot_id) - 1, &text, /* ret_size= */ NULL) < 0)
                return;
        text[strcspn(text, "\n")] = 0;
        (void) stpcpy(store->boot_id, text); /* the limit above is the room */
}

int store_open(const char *data, const char *runtime, Store *ret, Error *reterr) {
        _cleanup_store_ Store store = STORE_NULL;

        int r = resolve_path(data, default_data_path, &store.data_path, reterr);
        if (r >= 0)
                r = resolve_path(runtime, default_runtime_path, &store.runtime_path, reterr);
        if (r < 0)
                return r;
        store.data_fd = open_directory(store.data_path, reterr);
        if (store.data_fd < 0)
                return store.data_fd;
        store.runtime_fd = open_directory(store.runtime_path, reterr);
        if (store.runtime_fd < 0)
                return store.runtime_fd;
        read_boot_id(&store);
        *ret = store;
        store = STORE_NULL;
        return 0;
}

void store_done(Store *store) {
        free(store->data_path);
        free(store->runtime_path);
        (void) fd_close(store->data_fd);
        (void) fd_close(store->runtime_fd);
        *store = STORE_NULL;
}

int store_open_data(const Store *store, const char *name, Error *reterr) {
        int fd = path_open_or_make_dir(store->data_fd, name, 0700);

        return fd < 0 ? error_set_errno(reterr, fd, "cannot open '%s/%s'", store->data_path, name) : fd;
}

int store_open_runtime(const Store *store, const char *name, Error *reterr) {
        int fd = path_open_or_make_dir(store->runtime_fd, name, 0700);

        return fd < 0 ? error_set_errno(reterr, fd, "cannot open '%s/%s'", store->runtime_path, name) : fd;
}

bool store_lock_has_name(int fd, int dir_fd, const char *name) {
        struct stat held;

        return fstat(fd, &held) == 0 && path_leads_to(dir_fd, name, &held);
}

int store_lock(int dir_fd, const char *name, bool exclusive, Error *reterr) {
        struct flock lock = { .l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET };

        for (;;) {
                _cleanup_fd_ int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

                if (fd < 0)
                        return error_set_errno(reterr, -errno, "cannot open the lock '%s'", name);
                if (RETRY_EINTR(fcntl(fd, F_OFD_SETLKW, &lock)) < 0)
                        return error_set_errno(reterr, -errno, "cannot take the lock '%s'", name);
                /* the file may have been removed while we waited: then the lock guards nothing, and the name is opened again, which
                 * fails where the directory went, too */
                if (store_lock_has_name(fd, dir_fd, name))
                        return TAKE_FD(fd);
        }
}
