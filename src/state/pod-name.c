/* SPDX-License-Identifier: Apache-2.0 */
/* Names of pods. */
#include "state/pod-name.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "spec/container.h"
#include "state/name.h"

#define DIRECTORY "pod-names"

/* The ID that the link at `path` says; -ENOENT, or -EBADMSG where it says none. */
static int read_link(int dir_fd, const char *path, char ret_id[static CONTAINER_ID_LENGTH + 1]) {
        char text[CONTAINER_ID_LENGTH + 2];
        ssize_t n = readlinkat(dir_fd, path, text, sizeof(text) - 1);

        if (n < 0)
                return errno == EINVAL ? -EBADMSG : -errno;
        text[n] = 0;
        return name_link_id(text, ret_id) ? 0 : -EBADMSG;
}

/* Whether `names`/NAME points at a record; its ID. What points at nothing is a leftover. */
static bool is_held(const Store *store, const char *names, const char *name, const char *records, const char *record, char ret_id[static CONTAINER_ID_LENGTH + 1]) {
        _cleanup_free_ char *link = str_format("%s/%s", names, name), *path = NULL;

        if (!link || read_link(store->data_fd, link, ret_id) < 0)
                return false;
        path = str_format("%s/%s/%s", records, ret_id, record);
        return !path || faccessat(store->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

#define POD_RECORD "pods", "pod.json"
#define CONTAINER_RECORD "containers", "container.json"

static int in_use(const char *name, const char *what, const char *id, Error *reterr) {
        return error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot take the name '%s': it is in use by %s %.12s", name, what, id);
}

int pod_name_check(const Store *store, const char *name, Error *reterr) {
        char id[CONTAINER_ID_LENGTH + 1];

        return is_held(store, DIRECTORY, name, POD_RECORD, id) ? in_use(name, "pod", id, reterr) : 0;
}

int pod_name_take(const Store *store, const char *name, const char *id, Error *reterr) {
        char text[NAME_LINK_SIZE], holder[CONTAINER_ID_LENGTH + 1];
        _cleanup_fd_ int names_fd = store_open_data(store, DIRECTORY, reterr);

        if (names_fd < 0)
                return names_fd;
        name_link_text(id, text);
        for (int tries = 0; tries < 10; tries++) {
                if (symlinkat(text, names_fd, name) == 0) {
                        if (!is_held(store, "names", name, CONTAINER_RECORD, holder)) /* after it: see claim_name() in container.c */
                                return 0;
                        (void) unlinkat(names_fd, name, 0);
                        return in_use(name, "container", holder, reterr);
                }
                if (errno != EEXIST)
                        return error_set_errno(reterr, -errno, "cannot take the name '%s'", name);
                if (is_held(store, DIRECTORY, name, POD_RECORD, holder))
                        return in_use(name, "pod", holder, reterr);
                (void) unlinkat(names_fd, name, 0);
        }
        return error_set(reterr, -EBUSY, ERROR_IN_USE, "cannot take the name '%s': others keep taking it", name);
}

void pod_name_drop(const Store *store, const char *name, const char *id) {
        _cleanup_free_ char *path = str_format(DIRECTORY "/%s", name);
        char holder[CONTAINER_ID_LENGTH + 1];

        if (path && read_link(store->data_fd, path, holder) >= 0 && str_equal(holder, id))
                (void) unlinkat(store->data_fd, path, 0);
}

static int find_by_prefix(const Store *store, const char *prefix, char **ret_id, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        const char *found = NULL;
        int r = pod_name_list(store, &ids, reterr);

        if (r < 0)
                return r;
        for (char **id = ids; id && *id; id++) {
                if (!str_after(*id, prefix))
                        continue;
                if (found)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "more than one pod has an ID that begins with '%s'", prefix);
                found = *id;
        }
        if (!found)
                return -ENOENT;
        return (*ret_id = strdup(found)) ? 0 : error_oom(reterr);
}

int pod_name_find(const Store *store, const char *name_or_id, char **ret_id, Error *reterr) {
        size_t digits = strspn(name_or_id, "0123456789abcdef");
        char id[CONTAINER_ID_LENGTH + 1];

        if (container_name_is_valid(name_or_id) && is_held(store, DIRECTORY, name_or_id, POD_RECORD, id))
                return (*ret_id = strdup(id)) ? 0 : error_oom(reterr);
        int r = digits > 0 && digits <= CONTAINER_ID_LENGTH && !name_or_id[digits] ? find_by_prefix(store, name_or_id, ret_id, reterr) : -ENOENT;
        return r == -ENOENT ? error_set(reterr, r, ERROR_NOT_FOUND, "no pod with name or ID '%s' found: no such pod", name_or_id) : r;
}

int pod_name_list(const Store *store, char ***ret, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int names_fd = store_open_data(store, DIRECTORY, reterr), r = 0;

        if (names_fd < 0)
                return names_fd;
        DIR *dir = fdopendir(names_fd);
        if (!dir) {
                (void) fd_close(names_fd);
                return error_set_errno(reterr, -errno, "cannot list the pods");
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                char id[CONTAINER_ID_LENGTH + 1];

                if (*e->d_name != '.' && read_link(dirfd(dir), e->d_name, id) >= 0)
                        r = strv_append(&ids, id);
        }
        (void) closedir(dir);
        if (r < 0)
                return error_oom(reterr);
        *ret = TAKE_PTR(ids);
        return 0;
}
