/* SPDX-License-Identifier: Apache-2.0 */
/* A pod as `pod ps` shows it, and the filters over pods. */
#pragma once

#include "cli/format.h"
#include "engine/pod.h"

typedef struct PodEntry {
        Pod pod;
        PodMembers members;
} PodEntry;

void pod_entry_done(PodEntry *entry);

/* Whether it passes --filter: ctr-ids, ctr-names, ctr-number, ctr-status, id, label, label!, name, network, status, until.
 * NULL checks the words alone. Returns 1, 0 or -errno. */
int pod_filter_matches(char *const *filters, const PodEntry *entry, Error *reterr);
extern const char *const pod_filter_keys[];

/* As `--format json` has it, and with the fields of templates and tables. NULL: out of memory. */
json_t *pod_row_json(const PodEntry *entry);
json_t *pod_row_fields(const PodEntry *entry, bool no_trunc, int64_t now_usec);

extern const FormatField pod_row_names[];
extern const TemplateTypes pod_row_types;
extern const TemplateTypes pod_inspect_types; /* of inspect_pod() */

typedef int (*PodCompare)(const void *a, const void *b);

/* created, id, name, number, status; NULL: there is no such order. */
PodCompare pod_compare_by(const char *key);
extern const char *const pod_sort_keys[];
