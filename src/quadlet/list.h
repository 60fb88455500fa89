/* SPDX-License-Identifier: Apache-2.0 */
/* The unit files that the generator sees, and what systemd says of their services. */
#pragma once

#include "quadlet/place.h"

typedef struct QuadletRow {
        const Unit *unit;       /* of the check */
        char *service;          /* "web.service"; NULL where it has no name */
        char *status;           /* "active/running", "Not loaded", ... */
        const char *fault;      /* what is wrong with the file; NULL */
        char *application;      /* the record that has it, ".web.app"; NULL */
        const char *pod;        /* Pod= of a container; NULL */
} QuadletRow;

typedef struct QuadletList {
        QuadletCheck check;
        QuadletRow *rows;
        size_t n;
} QuadletList;

/* `judge`: also find out what is wrong with each. Where there is no systemd, nothing is loaded. */
int quadlet_list(bool judge, QuadletList *ret, Error *reterr);
void quadlet_list_done(QuadletList *list);
#define _cleanup_quadlet_list_ _cleanup_(quadlet_list_done)
