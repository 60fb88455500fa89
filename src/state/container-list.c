/* SPDX-License-Identifier: Apache-2.0 */
/* Many containers at once: which there are, which of them may run, and as much of their records as lists need. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "state/container-record.h"
#include "state/name-link.h"

/* ---- which may run ---- */

int container_running_mark(const Store *store, const char *id, Error *reterr) {
        _cleanup_fd_ int dir_fd = store_open_runtime(store, "running", reterr);

        if (dir_fd < 0)
                return dir_fd;
        _cleanup_fd_ int fd = openat(dir_fd, id, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? error_set_errno(reterr, -errno, "cannot mark container %.12s as running", id) : 0;
}

void container_running_unmark(const Store *store, const char *id) {
        _cleanup_free_ char *path = str_format("running/%s", id);

        if (path)
                (void) unlinkat(store->runtime_fd, path, 0); /* one that stays costs a look */
}

int container_lister_open(const Store *store, ContainerLister *ret, Error *reterr) {
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        int r = 0;

        lister.store = store;
        if ((lister.data_fd = store_open_data(store, "containers", reterr)) < 0)
                return lister.data_fd;
        if ((lister.runtime_fd = store_open_runtime(store, "containers", reterr)) < 0)
                return lister.runtime_fd;
        int fd = store_open_runtime(store, "running", reterr);
        if (fd < 0)
                return fd;
        DIR *dir = fdopendir(fd);
        if (!dir) {
                (void) fd_close(fd);
                return error_set_errno(reterr, -errno, "cannot list the running containers");
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));)
                if (*e->d_name != '.')
                        r = ids_append(&lister.running, &lister.n_running, &lister.room, strdup(e->d_name));
        (void) closedir(dir);
        if (r < 0)
                return error_oom(reterr);
        if (lister.n_running > 0)
                qsort(lister.running, lister.n_running, sizeof(char *), ids_compare);
        *ret = lister;
        lister = CONTAINER_LISTER_NULL;
        return 0;
}

void container_lister_done(ContainerLister *lister) {
        (void) fd_close(lister->data_fd);
        (void) fd_close(lister->runtime_fd);
        strv_free(lister->running);
        *lister = CONTAINER_LISTER_NULL;
}

bool container_may_run(const ContainerLister *lister, const char *id) {
        return lister->n_running > 0 && bsearch(&id, lister->running, lister->n_running, sizeof(char *), ids_compare);
}

int container_load_config(const ContainerLister *lister, const char *id, const JsonField *fields, ContainerConfig *ret, Error *reterr) {
        char path[CONTAINER_PATH_SIZE];

        if (strlen(id) != CONTAINER_ID_LENGTH)
                return container_no_such(id, reterr);
        container_file_path("", id, "container.json", path);
        return container_load_record(lister->data_fd, path, id, fields, ret, reterr);
}

int container_load_listed(const ContainerLister *lister, const char *id, Container *ret, Error *reterr) {
        char state[CONTAINER_PATH_SIZE], process[CONTAINER_PATH_SIZE];

        /* straight into its place: to free an empty one takes as long as to read a small record */
        *ret = CONTAINER_NULL;
        int r = container_load_config(lister, id, container_listed_fields, &ret->config, reterr);
        if (r >= 0) {
                container_file_path("", id, "state.json", state);
                container_file_path("", id, "process.json", process);
                r = container_load_run(lister->store, lister->data_fd, state, lister->runtime_fd,
                                       container_may_run(lister, id) ? process : NULL, ret, reterr);
                if (r < 0)
                        r = error_prefix(reterr, r, "container '%s'", ret->config.name);
        }
        if (r < 0)
                container_done(ret);
        return r;
}

int container_list(const Store *store, char ***ret, Error *reterr) {
        return name_link_list(store, NAME_CONTAINER, ret, reterr);
}
