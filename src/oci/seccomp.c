/* SPDX-License-Identifier: Apache-2.0 */
/* Filters for containers, compiled once. */
#include "oci/seccomp.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/annotations.h"
#include "proc/seccomp-cache.h"
#include "proc/seccomp-rules.h"

/* The directory for what is kept, made where it is missing. One that another could write to would be a way to hand out filters. */
static int open_cache(int root_fd) {
        _cleanup_fd_ int fd = root_fd < 0 ? -EBADF : path_open_or_make_dir(root_fd, ".cache", 0700);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0)
                return -EBADF;
        return TAKE_FD(fd);
}

int oci_seccomp_prepare(const RuntimeSpec *spec, int root_fd, SeccompFilter *ret, Error *reterr) {
        _cleanup_fd_ int cache_fd = -EBADF;
        _cleanup_free_ char *key = NULL;
        size_t size;

        *ret = SECCOMP_FILTER_NULL;
        if (!spec->has_seccomp)
                return 0;
        int r = seccomp_rules_key(&spec->seccomp, &key, &size);
        if (r < 0)
                return error_oom(reterr);
        cache_fd = open_cache(root_fd);
        if (cache_fd >= 0 && seccomp_cache_read(cache_fd, key, size, ret) >= 0)
                return 0;
        r = seccomp_rules_compile(&spec->seccomp, "linux.seccomp", ret, reterr);
        if (r >= 0 && cache_fd >= 0)
                (void) seccomp_cache_write(cache_fd, key, size, ret); /* the next container compiles again then */
        return r;
}

/* Through its directory, as the path may be longer than a socket's address. */
static int connect_to(const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = slash ? strndup(path, (size_t) (slash - path) + 1) : NULL;
        _cleanup_fd_ int fd = -EBADF;

        if (!slash)
                return io_unix_connect(AT_FDCWD, path, SOCK_STREAM);
        if (!directory)
                return -ENOMEM;
        fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : io_unix_connect(fd, slash + 1, SOCK_STREAM);
}

int oci_seccomp_connect(const RuntimeSpec *spec, const SeccompFilter *filter, int *ret_fd, Error *reterr) {
        const char *path = str_empty(spec->seccomp.listener_path) ? oci_seccomp_receiver(spec) : spec->seccomp.listener_path;

        *ret_fd = -EBADF;
        if (!(filter->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
                return 0;
        if (str_empty(path))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use linux.seccomp: SCMP_ACT_NOTIFY needs a listenerPath");
        *ret_fd = connect_to(path);
        if (*ret_fd >= 0)
                return 0;
        return error_set_errno(reterr, *ret_fd, "cannot use linux.seccomp.listenerPath: failed to connect with seccomp agent '%s'", path);
}

static json_t *container_state(const RuntimeSpec *spec, const char *id, const char *bundle, const char *status, pid_t pid) {
        _cleanup_json_ json_t *state = json_object();

        if (json_object_set_new(state, "ociVersion", json_text(spec->oci_version ?: "1.0.0")) < 0 ||
            json_object_set_new(state, "id", json_text(id)) < 0 || json_object_set_new(state, "status", json_text(status)) < 0 ||
            json_object_set_new(state, "pid", json_integer(pid)) < 0 || json_object_set_new(state, "bundle", json_text(bundle)) < 0)
                return NULL;
        if (spec->annotations && json_object_set_new(state, "annotations", json_from_pairs(spec->annotations)) < 0)
                return NULL;
        return TAKE_PTR(state);
}

char *oci_seccomp_state(const RuntimeSpec *spec, const char *id, const char *bundle, const char *status, pid_t pid, pid_t container_pid) {
        _cleanup_json_ json_t *message = json_pack("{s:o, s:[s], s:i}", "ociVersion", json_text(spec->oci_version ?: "1.0.0"), "fds",
                                                   "seccompFd", "pid", (int) pid);

        if (!message || (spec->seccomp.listener_metadata &&
                         json_object_set_new(message, "metadata", json_text(spec->seccomp.listener_metadata)) < 0) ||
            json_object_set_new(message, "state", container_state(spec, id, bundle, status, container_pid)) < 0)
                return NULL;
        return json_dumps(message, JSON_COMPACT);
}
