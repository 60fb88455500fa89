/* SPDX-License-Identifier: Apache-2.0 */
/* Where unit files are looked for (podman-systemd.unit(5), and directories of our own beside each of those). */
#pragma once

#include "unit/set.h"

typedef struct UnitDirs {
        UnitSearchDir *items;
        size_t n;
} UnitDirs;

/* What decides about them; all strings are borrowed and may be NULL. */
typedef struct UnitDirsContext {
        bool user;
        bool share;                  /* also Podman's directories */
        unsigned uid;
        const char *unit_dirs;       /* $QUADLET_UNIT_DIRS: takes the place of all others */
        const char *runtime_dir;     /* $XDG_RUNTIME_DIR */
        const char *config_home;     /* $XDG_CONFIG_HOME */
        const char *home;            /* $HOME */
} UnitDirsContext;

/* Fills in the list, first the directories that win. A relative entry of $QUADLET_UNIT_DIRS ends the list:
 * *ret_relative is then that entry (borrowed from context, not terminated; NULL otherwise). 0 or -ENOMEM. */
int unit_dirs_list(const UnitDirsContext *context, UnitDirs *ret, const char **ret_relative);
void unit_dirs_done(UnitDirs *dirs);

/* The list that counts for this process: its environment, its user, whether Podman's generator is there, and [generator] share= of
 * sdpod.conf. `report` is told what is wrong with these. 0 or -ENOMEM. */
int unit_dirs_find(bool user, void (*report)(void *userdata, UnitSeverity severity, const char *text), void *userdata, UnitDirs *ret);

/* Whether Podman's generator of that kind is installed, and not masked. `root` is "" but in tests. */
bool unit_dirs_podman_generates(bool user, const char *root);
