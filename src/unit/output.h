/* SPDX-License-Identifier: Apache-2.0 */
/* Services and links on disk, where systemd reads them (systemd.generator(7)). */
#pragma once

#include "unit/set.h"

typedef struct UnitOutput {
        int dir_fd;          /* argv[1] of a generator; unset for a dry run */
        int late_fd;         /* argv[3], for services that say what is wrong with a file; unset where there is none */
        bool dry_run;        /* prints to stdout instead */
        bool check;          /* finds what is wrong, [Install] included, and neither writes nor prints */
        const char *program; /* named in the files */
} UnitOutput;

/* Converts all units of the set and writes them: first what others refer to. Faults of single units are kept there
 * and stop nothing else; an error is returned when the directory cannot be written to, or memory ran out. */
int unit_output_all(UnitSet *set, const UnitOutput *output);

/* Makes the link `path` (relative, directories are made) to `target`, whether or not there is one already. Never leaves
 * the directory and follows no link. */
int unit_output_link(int dir_fd, const char *path, const char *target);
