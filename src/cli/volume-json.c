/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as JSON, and the filters over them. */
#include "cli/volume-json.h"

#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/filter.h"
#include "cli/time-text.h"
#include "cli/volume-use.h"

static const char *const maps[] = { "Labels", "Options", NULL };
static const char *const times[] = { "CreatedAt", NULL };
const TemplateTypes volume_template_types = { .maps = maps, .times = times };

json_t *volume_to_json(const Store *store, const Volume *volume) {
        _cleanup_free_ char *path = volume_data_path(store, volume->name),
                            *created = time_format_rfc3339(volume->created_usec);
        _cleanup_json_ json_t *object = NULL;

        if (!path || !created)
                return NULL;
        object = json_pack("{s:s, s:s, s:o, s:s, s:o, s:s, s:o, s:i, s:i, s:i, s:b, s:b, s:b}", "Name", volume->name, "Driver",
                           volume->driver ?: "local", "Mountpoint", json_text(path), "CreatedAt", created, "Labels",
                           json_from_pairs(volume->labels), "Scope", "local", "Options", json_from_pairs(volume->options), "UID",
                           (int) volume->uid, "GID", (int) volume->gid, "MountCount", (int) volume_mount_count(store, volume),
                           "NeedsCopyUp", volume->needs_copy_up, "NeedsChown", !volume->taken && !volume->owned, "Anonymous",
                           volume->anonymous);
        return TAKE_PTR(object);
}

void volumes_leave_out(json_t *volumes) {
        static const char *const names[] = { "UID", "GID", "NeedsCopyUp", "NeedsChown", "Anonymous" };
        json_t *volume;
        size_t i;

        json_array_foreach(volumes, i, volume)
                for (size_t k = 0; k < ELEMENTSOF(names); k++) {
                        const json_t *value = json_object_get(volume, names[k]);

                        if (json_is_false(value) || (json_is_integer(value) && json_integer_value(value) == 0))
                                (void) json_object_del(volume, names[k]);
                }
}

#define VOLUME(item) (((const VolumeItem *) (item))->volume)

static int match_bool(bool is, const char *value, Error *reterr) {
        bool wanted;

        if (parse_bool(value, &wanted) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "neither true nor false");
        return is == wanted;
}

static int match_anonymous(const void *item, const char *value, Error *reterr) {
        return match_bool(VOLUME(item)->anonymous, value, reterr);
}

static int match_dangling(const void *item, const char *value, Error *reterr) {
        return match_bool(!((const VolumeItem *) item)->used, value, reterr);
}

static int match_driver(const void *item, const char *value, _unused_ Error *reterr) {
        return str_equal(value, VOLUME(item)->driver ?: "local");
}

static int match_scope(_unused_ const void *item, const char *value, _unused_ Error *reterr) {
        return str_equal(value, "local");
}

static int match_label(const void *item, const char *value, _unused_ Error *reterr) {
        return filter_label(VOLUME(item)->labels, value);
}

static int match_not_label(const void *item, const char *value, _unused_ Error *reterr) {
        return !filter_label(VOLUME(item)->labels, value);
}

static int match_name(const void *item, const char *value, Error *reterr) {
        return filter_regex(VOLUME(item)->name, value, reterr);
}

static int match_opt(const void *item, const char *value, _unused_ Error *reterr) {
        return filter_label(VOLUME(item)->options, value);
}

static int match_until(const void *item, const char *value, Error *reterr) {
        int64_t until;
        int r = time_text_parse(value, time_now_usec(), &until, reterr);

        return r < 0 ? r : VOLUME(item)->created_usec < until;
}

static const FilterKey filter_keys[] = {
        { "anonymous", .match = match_anonymous },
        { "dangling", .match = match_dangling },
        { "driver", .match = match_driver },
        { "label", .all = true, .match = match_label },
        { "label!", .all = true, .match = match_not_label },
        { "name", .match = match_name },
        { "opt", .all = true, .match = match_opt },
        { "scope", .match = match_scope },
        { "until", .all = true, .match = match_until },
        {},
};

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static int add_volume(const Store *store, const char *name, char *const *filters, bool unused, char *const *users,
                      json_t *array, Error *reterr) {
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        int r = volume_load(store, name, &volume, &error);

        if (r == -ENOENT)
                return 0; /* removed meanwhile */
        if (r == -ENOMEM)
                return error_move(reterr, &error);
        if (r < 0) { /* one record costs itself */
                log_warning("%s, leaving it out", error.message ?: strerror(-r));
                return 0;
        }
        const VolumeItem item = { &volume, volume_is_used(users, name) };
        if (unused && item.used)
                return 0;
        r = filters_match(filters, filter_keys, &item, reterr);
        if (r <= 0)
                return r;
        return json_array_append_new(array, volume_to_json(store, &volume)) < 0 ? error_oom(reterr) : 0;
}

int volumes_to_json(const Store *store, char *const *filters, bool unused, json_t **ret, Error *reterr) {
        _cleanup_strv_ char **names = NULL, **users = NULL;
        _cleanup_json_ json_t *array = json_array();
        bool needs_users = unused;
        int r = filters_match(filters, filter_keys, NULL, reterr);

        for (char *const *f = filters; f && *f; f++)
                needs_users = needs_users || str_after(*f, "dangling=");
        if (r >= 0)
                r = volume_list(store, &names, reterr);
        /* Only where it is asked for: it reads the record of every container. */
        if (r >= 0 && needs_users)
                r = volume_users(store, NULL, &users, reterr);
        if (names)
                qsort(names, strv_length(names), sizeof(*names), compare_strings);
        for (char **name = names; r >= 0 && name && *name; name++)
                r = add_volume(store, *name, filters, unused, users, array, reterr);
        if (r >= 0)
                *ret = TAKE_PTR(array);
        return r;
}
