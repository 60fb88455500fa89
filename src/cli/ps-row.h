/* SPDX-License-Identifier: Apache-2.0 */
/* A container as `ps` shows it: as JSON for programs, and as the fields of its templates and table. */
#pragma once

#include "cli/format.h"
#include "state/container.h"

typedef struct PsEntry {
        Container container;      /* without open descriptors */
        char *pod_name;           /* with --pod; NULL: not asked for, or of no pod */
        char *health;             /* "healthy", ...; "": not checked */
        bool measured;            /* the sizes are known */
        uint64_t size_rw, size_rootfs;
} PsEntry;

typedef struct PsView {
        bool no_trunc;
        int64_t now_usec;
} PsView;

/* Fields, headings and the table, without and with the size. */
extern const FormatList ps_list, ps_list_size, ps_list_namespaces;

/* An object of `ps --format json`; NULL when out of memory. */
json_t *ps_row_json(const PsEntry *entry, const PsView *view);

/* The table that ps_list and ps_list_size describe, written without templates: it is what most calls want, of many rows. Returns
 * -ENOMEM, -EIO. */
int ps_table_write(PsEntry *const *entries, size_t n, const PsView *view, bool size, bool no_heading, FILE *out);

/* An object with all fields of ps_list; NULL when out of memory. `namespaces`: with those of the process. */
json_t *ps_row_fields(const PsEntry *entry, const PsView *view, bool namespaces);

/* "Up 3 seconds ago (healthy)", "Exited (0) 2 hours ago", "Created". `health` may be NULL. Owned. */
char *ps_status_text(const Container *container, const char *health, int64_t now_usec);

/* "0.0.0.0:8080->80/tcp, 443/tcp": neighbours as ranges, exposed ports behind the published ones. Owned. */
char *ps_ports_text(const Container *container);

/* A comparison for qsort of pointers to entries by a key of --sort; NULL for an unknown one. */
typedef int (*PsCompare)(const void *a, const void *b);
PsCompare ps_compare_by(const char *key);
extern const char *const ps_sort_keys[];
