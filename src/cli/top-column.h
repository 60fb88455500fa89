/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of `top`: descriptors as podman-top(1) and AIX's ps have them. */
#pragma once

#include <stdio.h>

#include "engine/processes.h"

typedef struct TopColumn TopColumn;

/* By name ("pid") or code ("%p"); NULL for an unknown one. */
const TopColumn *top_column_find(const char *name);
const char *top_column_heading(const TopColumn *column);

/* What a table shows: the process and where it lives. */
typedef struct TopRow {
        const ProcessList *list;
        const ProcessInfo *process;
        double uptime; /* seconds since boot, now */
} TopRow;

/* Prints one cell, control bytes escaped. */
void top_column_print(const TopColumn *column, const TopRow *row, FILE *out);

/* All names, for messages: "args, capamb, ...". Owned. */
char *top_column_names(void);

/* A duration as Go prints it: "986.407138ms", "1h2m12.5s", "0s". Owned. */
char *top_duration(double seconds);
