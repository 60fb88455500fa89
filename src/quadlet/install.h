/* SPDX-License-Identifier: Apache-2.0 */
/* Unit files put where systemd's generator finds them, and taken away again. */
#pragma once

#include "cgroup/manager.h"
#include "quadlet/place.h"

typedef struct QuadletInstall {
        bool replace; /* what is there under the same names */
        bool reload;  /* has systemd read the files */
        int (*judge)(QuadletCheck *check, Error *reterr); /* adds what it knows about units that are right; may be NULL */
} QuadletInstall;

/* Verifies what the paths name (quadlet_items_read()), then puts all of it in place, or nothing. Findings are printed. *ret are the
 * paths of the files, owned. */
int quadlet_install(char *const *paths, const QuadletInstall *options, char ***ret, Error *reterr);

typedef struct QuadletRemove {
        bool all, force, ignore, reload;
} QuadletRemove;

/* Removes units by their names, with all files that were installed with them; also by the name of a record. What cannot be removed is
 * printed, and counted in *ret_failed; the others go. *ret are their names, owned. */
int quadlet_remove(char *const *names, const QuadletRemove *options, char ***ret, unsigned *ret_failed, Error *reterr);

/* Connects to systemd, which is to read the files again later: -ENOENT with a message where there is none. */
int quadlet_connect(bool user, Manager *ret, Error *reterr);
