/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which items of a list pass its filters. */
#include "cli/filter.h"

#include <regex.h>

#include "base/str.h"

static const FilterKey *find_key(const FilterKey *keys, const char *filter, const char **ret_value, Error *reterr) {
        size_t n = strcspn(filter, "=");

        if (!filter[n]) {
                (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '--filter %s': it is KEY=VALUE", filter);
                return NULL;
        }
        for (; keys->name; keys++)
                if (strlen(keys->name) == n && strncmp(keys->name, filter, n) == 0) {
                        *ret_value = filter + n + 1;
                        return keys;
                }
        (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '--filter %s': there is no filter '%.*s'", filter,
                         (int) n, filter);
        return NULL;
}

/* All values of one key together. */
static int match_key(char *const *filters, const FilterKey *keys, const FilterKey *key, const void *item,
                     Error *reterr) {
        for (; *filters; filters++) {
                const char *value;
                const FilterKey *found = find_key(keys, *filters, &value, reterr);

                if (!found)
                        return -EINVAL;
                if (found != key)
                        continue;
                int r = key->match(item, value, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot use '--filter %s'", *filters);
                if (!r == key->all)
                        return r;
        }
        return key->all;
}

int filters_match(char *const *filters, const FilterKey *keys, const void *item, Error *reterr) {
        for (char *const *f = filters; f && *f; f++) {
                const char *value;
                const FilterKey *key = find_key(keys, *f, &value, reterr);

                if (!key)
                        return -EINVAL;
                if (!item)
                        continue;
                int r = match_key(filters, keys, key, item, reterr);
                if (r <= 0)
                        return r;
        }
        return 1;
}

bool filter_label(char *const *labels, const char *value) {
        size_t n = strcspn(value, "=");

        for (; labels && *labels; labels++)
                if (strncmp(*labels, value, n) == 0 && ((*labels)[n] == '=' || !(*labels)[n])) {
                        if (!value[n])
                                return true;
                        return str_equal((*labels)[n] ? *labels + n + 1 : "", value + n + 1);
                }
        return false;
}

int filter_regex(const char *text, const char *pattern, Error *reterr) {
        regex_t regex;

        if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a regular expression");
        int r = regexec(&regex, text, 0, NULL, 0) == 0;
        regfree(&regex);
        return r;
}
