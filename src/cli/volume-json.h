/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as ls, inspect and prune see them. */
#pragma once

#include "cli/format.h"
#include "storage/volume.h"

/* A volume and whether a container uses it, for filters. */
typedef struct VolumeItem {
        const Volume *volume;
        bool used;
} VolumeItem;

/* Podman's fields of `volume inspect`. A new reference; NULL when out of memory. */
json_t *volume_to_json(const Store *store, const Volume *volume);

/* Takes away what Podman leaves out of JSON where it says nothing: false, and an owner of 0. */
void volumes_leave_out(json_t *volumes);

extern const TemplateTypes volume_template_types;

/* All volumes that pass the filters, sorted by name, as an array of volume_to_json(). The filters: anonymous, dangling,
 * driver, label, label!, name, opt, scope, until. With `unused` only those that no container uses. */
int volumes_to_json(const Store *store, char *const *filters, bool unused, json_t **ret, Error *reterr);
