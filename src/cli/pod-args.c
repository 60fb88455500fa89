/* SPDX-License-Identifier: Apache-2.0 */
/* The pods that a verb is told to work on. */
#include "cli/pod-args.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

enum { ID_FILE_LIMIT = 4096 };

int pod_id_file_read(const char *path, char **ret, Error *reterr) {
        int r = file_read(AT_FDCWD, path, ID_FILE_LIMIT, ret, /* ret_size= */ NULL);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the pod's ID from '%s'", path);
        (*ret)[strcspn(*ret, "\n")] = 0;
        return 0;
}

int pod_id_file_write(const char *path, const char *id, Error *reterr) {
        _cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        int r = fd < 0 ? -errno : io_write_full(fd, id, strlen(id));

        return r < 0 ? error_set_errno(reterr, r, "cannot write --pod-id-file '%s'", path) : 0;
}

static int find_latest(const Store *store, char **ret_id, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int64_t latest = INT64_MIN;
        int r = pod_list(store, &ids, reterr);

        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_pod_ Pod pod = POD_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                int k = pod_load(store, *id, &pod, &error);
                if (k < 0 && k != -ENOENT)
                        log_warning("%s, leaving it out", error.message);
                if (k < 0 || pod.config.created_usec <= latest)
                        continue;
                latest = pod.config.created_usec;
                r = str_replace(ret_id, *id) < 0 ? error_oom(reterr) : 0;
        }
        if (r >= 0 && !*ret_id)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find the latest pod: there is none");
        return r;
}

int pod_choose_one(const Store *store, const char *word, bool latest, Pod *ret, Error *reterr) {
        _cleanup_free_ char *id = NULL;

        if (word && latest)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--latest and arguments cannot be used together");
        if (!word && !latest)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "a name, an ID or --latest is missing");
        if (!latest)
                return pod_open(store, word, ret, reterr);
        int r = find_latest(store, &id, reterr);
        return r < 0 ? r : pod_load(store, id, ret, reterr);
}

static int collect(Invocation *in, const Store *store, const PodSelect *select, char ***ret, Error *reterr) {
        _cleanup_strv_ char **words = NULL, **all = NULL;
        _cleanup_free_ char *latest = NULL;
        int r = 0;

        if (in->n_arguments > 0 && (select->all || select->latest))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--all and --latest cannot be used with pod names");
        if (select->all && select->latest)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--all and --latest cannot be used together");
        if (in->n_arguments == 0 && !select->all && !select->latest && !select->id_files)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "you must provide at least one name or id");
        for (char **path = select->id_files; path && *path; path++) {
                _cleanup_free_ char *id = NULL;

                r = pod_id_file_read(*path, &id, reterr);
                if (r == -ENOENT && select->ignore) {
                        error_done(reterr);
                        continue;
                }
                if (r < 0)
                        return r;
                if (strv_append(&words, id) < 0)
                        return error_oom(reterr);
        }
        r = select->all ? pod_list(store, &all, reterr) : select->latest ? find_latest(store, &latest, reterr) : 0;
        if (r < 0)
                return r;
        if (strv_extend(&words, in->arguments) < 0 || strv_extend(&words, all) < 0 || (latest && strv_append(&words, latest) < 0))
                return error_oom(reterr);
        *ret = TAKE_PTR(words);
        return 0;
}

int pods_each(Invocation *in, const PodSelect *select, PodAction action, void *data, Error *reterr) {
        _cleanup_error_ Error last = ERROR_NULL;
        _cleanup_strv_ char **words = NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = collect(in, store, select, &words, reterr);
        if (r < 0)
                return r;
        for (char **word = words; word && *word; word++) {
                _cleanup_pod_ Pod pod = POD_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = pod_open(store, *word, &pod, &error);
                if (r == -ENOENT && (select->ignore || select->all))
                        continue;
                if (r >= 0)
                        r = action(store, &pod, data, &error);
                if (r >= 0) {
                        puts(pod.config.id);
                        (void) fflush(stdout);
                        continue;
                }
                if (last.code < 0)
                        error_print(&last);
                (void) error_move(&last, &error);
        }
        return last.code < 0 ? error_move(reterr, &last) : 0;
}
