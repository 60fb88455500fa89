/* SPDX-License-Identifier: Apache-2.0 */
/* --filter for images. */
#include <fnmatch.h>

#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/filter.h"
#include "cli/image-json.h"
#include "cli/time-text.h"

typedef struct Item {
        const Store *store;
        const ImageInfo *image;
        size_t uses;
} Item;

#define IMAGE(item) (((const Item *) (item))->image)

static int match_bool(bool is, const char *value, Error *reterr) {
        bool wanted;

        if (parse_bool(value, &wanted) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "neither true nor false");
        return is == wanted;
}

/* A pattern stands for a name in full, without its host, or by its last component; each with and without the tag. */
static bool name_matches(const char *name, const char *pattern) {
        const char *base = strrchr(name, '/'), *path = strchr(name, '/');
        const char *const parts[] = { name, path ? path + 1 : name, base ? base + 1 : name };

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                _cleanup_free_ char *repository = strdup(parts[i]);
                char *colon = repository ? strrchr(repository, ':') : NULL;

                if (colon)
                        *colon = 0;
                if (fnmatch(pattern, parts[i], FNM_PATHNAME) == 0 || (repository && fnmatch(pattern, repository, FNM_PATHNAME) == 0))
                        return true;
        }
        return false;
}

static int match_reference(const void *item, const char *value, _unused_ Error *reterr) {
        for (char **name = IMAGE(item)->names; name && *name; name++)
                if (name_matches(*name, value))
                        return true;
        return false;
}

static int match_dangling(const void *item, const char *value, Error *reterr) {
        return match_bool(!IMAGE(item)->names, value, reterr);
}

static int match_false(_unused_ const void *item, const char *value, Error *reterr) {
        return match_bool(false, value, reterr);
}

static int match_containers(const void *item, const char *value, Error *reterr) {
        return match_bool(((const Item *) item)->uses > 0, value, reterr);
}

static int match_label(const void *item, const char *value, _unused_ Error *reterr) {
        return filter_label(IMAGE(item)->config.labels, value);
}

static int match_not_label(const void *item, const char *value, _unused_ Error *reterr) {
        return !filter_label(IMAGE(item)->config.labels, value);
}

static int match_id(const void *item, const char *value, _unused_ Error *reterr) {
        return str_after(IMAGE(item)->id, str_after(value, "sha256:") ?: value) != NULL;
}

static int created_of(const void *item, const char *value, int64_t *ret, Error *reterr) {
        _cleanup_image_info_ ImageInfo other = {};
        int r = image_store_resolve(((const Item *) item)->store, value, &other, reterr);

        if (r >= 0)
                *ret = other.config.created_usec;
        return r;
}

static int match_before(const void *item, const char *value, Error *reterr) {
        int64_t created;
        int r = created_of(item, value, &created, reterr);

        return r < 0 ? r : IMAGE(item)->config.created_usec < created;
}

static int match_since(const void *item, const char *value, Error *reterr) {
        int64_t created;
        int r = created_of(item, value, &created, reterr);

        return r < 0 ? r : IMAGE(item)->config.created_usec > created;
}

static int match_until(const void *item, const char *value, Error *reterr) {
        int64_t until;
        int r = time_text_parse(value, time_now_usec(), &until, reterr);

        return r < 0 ? r : IMAGE(item)->config.created_usec < until;
}

static const FilterKey keys[] = {
        { "after", .all = true, .match = match_since },
        { "before", .all = true, .match = match_before },
        { "containers", .match = match_containers },
        { "dangling", .match = match_dangling },
        { "id", .match = match_id },
        { "intermediate", .match = match_false },
        { "label", .all = true, .match = match_label },
        { "label!", .all = true, .match = match_not_label },
        { "readonly", .match = match_false },
        { "reference", .match = match_reference },
        { "since", .all = true, .match = match_since },
        { "until", .all = true, .match = match_until },
        {},
};

int image_matches(const Store *store, const ImageInfo *image, char *const *filters, size_t uses, Error *reterr) {
        const Item item = { store, image, uses };

        return filters_match(filters, keys, image ? &item : NULL, reterr);
}
