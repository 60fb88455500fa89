/* SPDX-License-Identifier: Apache-2.0 */
/* A container as `stats` shows it. */
#pragma once

#include "cli/format.h"
#include "engine/stats.h"

typedef struct StatsEntry {
        char *id, *name;
        char *pod; /* of pod stats; else NULL */
        int64_t created_usec;
        ContainerStats stats;
        double cpu_percent; /* since the reading before; 100 is one CPU */
} StatsEntry;

void stats_entry_done(StatsEntry *entry);

extern const FormatList stats_list;

/* The keys of Podman's JSON, and the fields of a template. NULL: out of memory. */
json_t *stats_row_json(const StatsEntry *entry, bool no_trunc);
json_t *stats_row_fields(const StatsEntry *entry, bool no_trunc);

/* The same for `pod stats`, whose JSON has the names of its fields. */
extern const FormatList stats_pod_list;
json_t *stats_pod_row(const StatsEntry *entry);

/* Whether a format (NULL: the table) shows how busy the CPU is now, for which it takes two readings. */
bool stats_needs_cpu_percent(const char *format);
