/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which name. */
#include "state/name-link.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "state/name.h"

#define LOCK ".lock" /* held by who removes a leftover */

static const struct {
        const char *names, *records, *record, *what;
        NameKind other;
} kinds[_NAME_KIND_MAX] = {
        [NAME_CONTAINER] = { "names", "containers", "container.json", "container", NAME_POD },
        [NAME_POD] = { "pod-names", "pods", "pod.json", "pod", NAME_CONTAINER },
};

static int read_at(int dir_fd, const char *path, char ret_id[static CONTAINER_ID_LENGTH + 1]) {
        char text[CONTAINER_ID_LENGTH + 2];
        ssize_t n = readlinkat(dir_fd, path, text, sizeof(text) - 1);

        if (n < 0)
                return errno == EINVAL ? -EBADMSG : -errno;
        text[n] = 0;
        return name_link_id(text, ret_id) ? 0 : -EBADMSG;
}

int name_link_read(const Store *store, NameKind kind, const char *name, char ret_id[static CONTAINER_ID_LENGTH + 1]) {
        _cleanup_free_ char *path = str_format("%s/%s", kinds[kind].names, name);

        return path ? read_at(store->data_fd, path, ret_id) : -ENOMEM;
}

/* 1: it leads to a record; 0: it is a leftover. */
static int look(const Store *store, NameKind kind, const char *name, char ret_id[static CONTAINER_ID_LENGTH + 1]) {
        int r = name_link_read(store, kind, name, ret_id);

        if (r < 0)
                return r;
        _cleanup_free_ char *path = str_format("%s/%s/%s", kinds[kind].records, ret_id, kinds[kind].record);
        return path ? faccessat(store->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 : -ENOMEM;
}

int name_link_find(const Store *store, NameKind kind, const char *name, char ret_id[static CONTAINER_ID_LENGTH + 1]) {
        int r = look(store, kind, name, ret_id);

        return r > 0 ? 0 : r == 0 ? -ENOENT : r;
}

static int in_use(NameKind kind, const char *name, const char *id, Error *reterr) {
        return error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot take the name '%s': it is in use by %s %.12s", name, kinds[kind].what, id);
}

/* Of two commands that find the same leftover, the later one must not take the name from the earlier one, which has it by then: the
 * look and the removal are one step. */
static int drop_leftover(const Store *store, NameKind kind, int names_fd, const char *name, Error *reterr) {
        char holder[CONTAINER_ID_LENGTH + 1];
        _cleanup_fd_ int lock = store_lock(names_fd, LOCK, /* exclusive= */ true, reterr);

        if (lock < 0)
                return lock;
        int found = look(store, kind, name, holder);
        if (found == 0 || found == -EBADMSG)
                (void) unlinkat(names_fd, name, 0);
        return 0;
}

int name_link_take(const Store *store, NameKind kind, const char *name, const char *id, Error *reterr) {
        char text[NAME_LINK_SIZE], holder[CONTAINER_ID_LENGTH + 1];
        _cleanup_fd_ int names_fd = store_open_data(store, kinds[kind].names, reterr);

        if (names_fd < 0)
                return names_fd;
        name_link_text(id, text);
        for (int tries = 0; tries < 10; tries++) {
                if (symlinkat(text, names_fd, name) == 0) {
                        /* of a container and a pod that take one name at once, the later one sees the other: both look afterwards */
                        if (look(store, kinds[kind].other, name, holder) <= 0)
                                return 0;
                        (void) unlinkat(names_fd, name, 0);
                        return in_use(kinds[kind].other, name, holder, reterr);
                }
                if (errno != EEXIST)
                        return error_set_errno(reterr, -errno, "cannot take the name '%s'", name);
                int found = look(store, kind, name, holder);
                if (found == -ENOENT)
                        continue;
                if (found == -ENOMEM)
                        return error_oom(reterr);
                if (found > 0)
                        return str_equal(holder, id) ? 0 : in_use(kind, name, holder, reterr);
                int r = drop_leftover(store, kind, names_fd, name, reterr);
                if (r < 0)
                        return r;
        }
        return error_set(reterr, -EBUSY, ERROR_IN_USE, "cannot take the name '%s': others keep taking it", name);
}

void name_link_drop(const Store *store, NameKind kind, const char *name, const char *id) {
        _cleanup_free_ char *path = str_format("%s/%s", kinds[kind].names, name);
        char holder[CONTAINER_ID_LENGTH + 1];

        if (path && read_at(store->data_fd, path, holder) >= 0 && str_equal(holder, id))
                (void) unlinkat(store->data_fd, path, 0);
}

void name_link_drop_others(const Store *store, NameKind kind, const char *name, const char *id) {
        int names_fd = store_open_data(store, kinds[kind].names, /* reterr= */ NULL);
        DIR *dir = names_fd < 0 ? NULL : fdopendir(names_fd);

        if (!dir) {
                (void) fd_close(names_fd);
                return;
        }
        for (struct dirent *e; (e = readdir(dir));) {
                char holder[CONTAINER_ID_LENGTH + 1];

                if (*e->d_name != '.' && !str_equal(e->d_name, name) && read_at(dirfd(dir), e->d_name, holder) >= 0 && str_equal(holder, id))
                        (void) unlinkat(dirfd(dir), e->d_name, 0);
        }
        (void) closedir(dir);
}

int ids_append(char ***ids, size_t *n, size_t *room, char *id) {
        if (id && *n + 2 > *room) {
                char **grown = reallocarray(*ids, *room * 2 + 16, sizeof(char *));

                if (!grown) {
                        free(id);
                        return -ENOMEM;
                }
                *ids = grown;
                *room = *room * 2 + 16;
        }
        if (!id)
                return -ENOMEM;
        (*ids)[(*n)++] = id;
        (*ids)[*n] = NULL;
        return 0;
}

int ids_compare(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void sort_once(char **ids, size_t n) {
        size_t kept = 0;

        if (n == 0)
                return;
        qsort(ids, n, sizeof(char *), ids_compare);
        for (size_t i = 1; i < n; i++)
                if (str_equal(ids[i], ids[kept]))
                        free(ids[i]);
                else
                        ids[++kept] = ids[i];
        ids[kept + 1] = NULL;
}

int name_link_list(const Store *store, NameKind kind, char ***ret, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int names_fd = store_open_data(store, kinds[kind].names, reterr), r = 0;
        size_t n = 0, room = 0;

        if (names_fd < 0)
                return names_fd;
        DIR *dir = fdopendir(names_fd);
        if (!dir) {
                (void) fd_close(names_fd);
                return error_set_errno(reterr, -errno, "cannot list the %ss", kinds[kind].what);
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                char id[CONTAINER_ID_LENGTH + 1];

                if (*e->d_name != '.' && read_at(dirfd(dir), e->d_name, id) >= 0)
                        r = ids_append(&ids, &n, &room, strdup(id));
        }
        (void) closedir(dir);
        if (r < 0)
                return error_oom(reterr);
        sort_once(ids, n);
        *ret = TAKE_PTR(ids);
        return 0;
}
