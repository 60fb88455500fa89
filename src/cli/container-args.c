/* SPDX-License-Identifier: Apache-2.0 */
/* The containers that a verb is told to work on. */
#include "cli/container-args.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/container-filter.h"

enum { CIDFILE_LIMIT = 4096 };

static int add_from_cidfiles(const ContainerSelect *select, char ***words, Error *reterr) {
        for (char **path = select->cidfiles; path && *path; path++) {
                _cleanup_free_ char *text = NULL;
                int r = file_read(AT_FDCWD, *path, CIDFILE_LIMIT, &text, /* ret_size= */ NULL);

                if (r == -ENOENT && select->ignore)
                        continue;
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot read the container ID from '%s'", *path);
                text[strcspn(text, "\n")] = 0;
                if (strv_append(words, text) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int parse_filter(const Store *store, const ContainerSelect *select, ContainerFilter **ret, Error *reterr) {
        return container_filter_parse(store, select->filters, time_now_usec(), ret, reterr);
}

/* All IDs that pass the filters; with --latest the newest of them. */
static int add_selected(const Store *store, const ContainerSelect *select, char ***words, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        _cleanup_free_ char *latest = NULL;
        _cleanup_container_filter_ ContainerFilter *filter = NULL;
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        int64_t latest_usec = INT64_MIN;
        int r = parse_filter(store, select, &filter, reterr);

        if (r >= 0)
                r = container_lister_open(store, &lister, reterr);
        if (r >= 0)
                r = container_list(store, &ids, reterr);

        for (char **id = ids; id && *id && r >= 0; id++) {
                _cleanup_container_ Container container = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                if (container_load_listed(&lister, *id, &container, &error) < 0) {
                        if (error.code != -ENOENT) /* one that vanished meanwhile is none of ours */
                                error_print(&error);
                        continue;
                }
                if (!container_filter_matches(filter, &container))
                        continue;
                if (!select->latest)
                        r = strv_append(words, container.config.id);
                else if (container.config.created_usec > latest_usec) {
                        latest_usec = container.config.created_usec;
                        r = str_replace(&latest, container.config.id);
                }
        }
        if (r >= 0 && select->latest && !latest && !select->filters)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find the latest container: there is none");
        if (r >= 0 && latest)
                r = strv_append(words, latest);
        return r == -ENOMEM ? error_oom(reterr) : r;
}

static int collect(Invocation *in, const Store *store, const ContainerSelect *select, char ***ret, Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        bool selects = select->all || select->latest || select->filters;
        int r = 0;

        if (in->n_arguments > 0 && (select->all || select->latest))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--all and --latest cannot be used with container names");
        if (in->n_arguments == 0 && !selects && !select->cidfiles)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "you must provide at least one name or id");
        for (size_t i = 0; i < in->n_arguments && r >= 0; i++)
                r = strv_append(&words, in->arguments[i]);
        if (r < 0)
                return error_oom(reterr);
        r = add_from_cidfiles(select, &words, reterr);
        if (r >= 0 && in->n_arguments == 0 && selects)
                r = add_selected(store, select, &words, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(words);
        return 0;
}

/* *ret says of each word whether its container goes by itself. */
static int prepare_all(const Store *store, char *const *words, const ContainerFilter *filter, ContainerPrepare prepare, void *data,
                       bool **ret) {
        bool *goes = calloc(strv_length(words) + 1, sizeof(bool));

        if (!goes)
                return -ENOMEM;
        for (size_t i = 0; words[i]; i++) {
                _cleanup_container_ Container container = CONTAINER_NULL;

                if (container_open(store, words[i], &container, /* reterr= */ NULL) >= 0 && container_filter_matches(filter, &container))
                        goes[i] = prepare(store, &container, data) && container.config.auto_remove;
        }
        (void) prepare(store, /* container= */ NULL, data);
        *ret = goes;
        return 0;
}

int containers_each(Invocation *in, const ContainerSelect *select, ContainerAction action, void *data, Error *reterr) {
        return containers_each_prepared(in, select, /* prepare= */ NULL, action, data, reterr);
}

int containers_each_prepared(Invocation *in, const ContainerSelect *select, ContainerPrepare prepare, ContainerAction action, void *data,
                             Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_container_filter_ ContainerFilter *filter = NULL;
        _cleanup_error_ Error last = ERROR_NULL;
        _cleanup_free_ bool *goes = NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = parse_filter(store, select, &filter, reterr);
        if (r >= 0)
                r = collect(in, store, select, &words, reterr);
        if (r < 0)
                return r;
        if (prepare && words && words[0] && words[1] && prepare_all(store, words, filter, prepare, data, &goes) < 0)
                return error_oom(reterr);
        for (char **word = words; word && *word; word++) {
                _cleanup_container_ Container container = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = container_open(store, *word, &container, &error);
                if (r == -ENOENT && goes && goes[word - words]) {
                        puts(*word);
                        continue;
                }
                if (r == -ENOENT && select->ignore)
                        continue;
                /* names and filters together: the names that match, too */
                if (r >= 0 && !container_filter_matches(filter, &container))
                        continue;
                if (r >= 0)
                        r = action(store, &container, *word, data, &error);
                if (r == -ENOENT && select->ignore)
                        continue;
                if (r >= 0)
                        continue;
                if (last.code < 0)
                        error_print(&last);
                (void) error_move(&last, &error);
        }
        return last.code < 0 ? error_move(reterr, &last) : 0;
}
