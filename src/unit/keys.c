/* SPDX-License-Identifier: Apache-2.0 */
/* Names of types and keys, and which name was meant. */
#include "unit/keys.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "unit/convert.h"

static const char *const key_names[] = {
#define DEFINE_NAME(name) [KEY_##name] = #name,
        UNIT_KEYS(DEFINE_NAME)
#undef DEFINE_NAME
};
static_assert(ELEMENTSOF(key_names) == _UNIT_KEY_MAX, "one name a key");

const UnitTypeInfo *unit_type_info(UnitType type) {
        static const UnitTypeInfo *const types[_UNIT_TYPE_MAX] = {
                [UNIT_ARTIFACT] = &unit_artifact_info,
                [UNIT_BUILD] = &unit_build_info,
                [UNIT_CONTAINER] = &unit_container_info,
                [UNIT_IMAGE] = &unit_image_info,
                [UNIT_KUBE] = &unit_kube_info,
                [UNIT_NETWORK] = &unit_network_info,
                [UNIT_POD] = &unit_pod_info,
                [UNIT_VOLUME] = &unit_volume_info,
        };

        assert(type >= 0 && type < _UNIT_TYPE_MAX);
        return types[type];
}

UnitType unit_type_from_file(const char *name) {
        const char *dot = strrchr(name, '.');

        if (!dot || dot == name)
                return _UNIT_TYPE_INVALID;
        for (UnitType t = 0; t < _UNIT_TYPE_MAX; t++)
                if (strcmp(dot + 1, unit_type_info(t)->name) == 0)
                        return t;
        return _UNIT_TYPE_INVALID;
}

UnitType unit_type_from_group(const char *group) {
        for (UnitType t = 0; t < _UNIT_TYPE_MAX; t++)
                if (strcmp(group, unit_type_info(t)->group) == 0)
                        return t;
        return _UNIT_TYPE_INVALID;
}

UnitKey unit_key_from_string(const char *name) {
        size_t low = KEY_NONE + 1, high = _UNIT_KEY_MAX;

        while (low < high) {
                size_t middle = (low + high) / 2;
                int order = strcmp(name, key_names[middle]);

                if (order == 0)
                        return (UnitKey) middle;
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return KEY_NONE;
}

const char *unit_key_to_string(UnitKey key) {
        return key_names[key];
}

const UnitRow *unit_type_row(UnitType type, UnitKey key) {
        const UnitTypeInfo *info = unit_type_info(type);

        for (size_t i = 0; key != KEY_NONE && i < info->n_rows; i++)
                if (info->rows[i].key == key)
                        return info->rows + i;
        return NULL;
}

/* "Publish" for PublishPort: the beginning of a name, long enough to mean it. */
static bool is_beginning(const char *name, const char *candidate) {
        return strlen(name) >= 4 && strncasecmp(name, candidate, strlen(name)) == 0;
}

const char *unit_key_nearest(UnitType type, const char *name) {
        const UnitTypeInfo *info = unit_type_info(type);
        /* Two letters that changed places count as two, so two is the least that is of use. */
        size_t best = (strlen(name) <= 3 ? 1 : MAX(strlen(name) / 3, (size_t) 2)) + 1;
        const char *nearest = NULL, *longer = NULL;

        for (size_t i = 0; i < info->n_rows; i++) {
                const char *candidate = key_names[info->rows[i].key];
                size_t distance = str_distance(name, candidate, best - 1);

                if (distance < best) {
                        best = distance;
                        nearest = candidate;
                }
                if (!longer && is_beginning(name, candidate))
                        longer = candidate;
        }
        return best > 1 && longer ? longer : nearest;
}
