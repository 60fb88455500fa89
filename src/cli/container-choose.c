/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers a command's words mean. */
#include "cli/container-choose.h"

#include "base/log.h"
#include "base/str.h"

/* The container that was made last. -ENOENT (ERROR_NOT_FOUND) where there is none. */
static int open_latest(const Store *store, Container *ret, Error *reterr) {
        _cleanup_container_ Container latest = CONTAINER_NULL;
        _cleanup_strv_ char **ids = NULL;

        int r = container_list(store, &ids, reterr);
        if (r < 0)
                return r;
        for (char **id = ids; id && *id; id++) {
                _cleanup_error_ Error error = ERROR_NULL;
                _cleanup_container_ Container c = CONTAINER_NULL;

                r = container_load(store, *id, &c, &error);
                if (r < 0 && r != -ENOENT)
                        log_warning("%s, leaving it out", error.message);
                if (r < 0 || (latest.config.id && c.config.created_usec <= latest.config.created_usec))
                        continue;
                container_done(&latest);
                latest = c;
                c = CONTAINER_NULL;
        }
        if (!latest.config.id)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find the latest container: there is none");
        *ret = latest;
        latest = CONTAINER_NULL;
        return 0;
}

static int check(bool words, bool latest, Error *reterr) {
        if (words && latest)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--latest and arguments cannot be used together");
        if (!words && !latest)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "a name, an ID or --latest is missing");
        return 0;
}

int container_choose_one(const Store *store, const char *word, bool latest, Container *ret, Error *reterr) {
        int r = check(word, latest, reterr);

        if (r < 0)
                return r;
        return latest ? open_latest(store, ret, reterr) : container_open(store, word, ret, reterr);
}

int container_choose_words(const Store *store, char *const *words, bool latest, char ***ret, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        _cleanup_strv_ char **chosen = NULL;
        int r = check(words && *words, latest, reterr);

        if (r < 0)
                return r;
        if (latest) {
                r = open_latest(store, &c, reterr);
                if (r < 0)
                        return r;
        }
        if (latest ? strv_append(&chosen, c.config.id) < 0 : strv_extend(&chosen, words) < 0)
                return error_oom(reterr);
        *ret = TAKE_PTR(chosen);
        return 0;
}
