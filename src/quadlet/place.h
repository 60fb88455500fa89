/* SPDX-License-Identifier: Apache-2.0 */
/* Where unit files are put, what systemd has there already, and the records of what was installed together.
 *
 * A record is a file ".NAME.app" beside the units, with the name of a file a line: Podman's form, so that either program removes what
 * the other one has installed. ".UNIT.asset" is its older form: files that belong to UNIT. */
#pragma once

#include "quadlet/check.h"

/* The directory of the search path that is this user's to write to: Podman's, or sdpod's own where Podman's is left to Podman's
 * generator. Owned. */
int quadlet_place_directory(const QuadletCheck *check, char **ret, Error *reterr);

/* A unit of systemd's own of that name ("web" for web.service) that comes before the generator's; owned, NULL where there is
 * none. What lies in directories that come after it is hidden, which is told the same way. */
char *quadlet_place_native(bool user, const char *service);

/* All records of a directory. */
typedef struct QuadletRecord {
        char *name;    /* ".web.app" */
        char **files;  /* with the unit, for the older form */
} QuadletRecord;

typedef struct QuadletRecords {
        QuadletRecord *items;
        size_t n;
} QuadletRecords;

/* Reads them; lines that are not the name of a file there are passed over. */
int quadlet_records_read(int dir_fd, QuadletRecords *ret, Error *reterr);
void quadlet_records_done(QuadletRecords *records);
#define _cleanup_quadlet_records_ _cleanup_(quadlet_records_done)

/* The record that has this file, or is called so; NULL. */
const QuadletRecord *quadlet_records_of(const QuadletRecords *records, const char *file) _pure_;
const QuadletRecord *quadlet_records_named(const QuadletRecords *records, const char *name) _pure_;
