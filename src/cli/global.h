/* SPDX-License-Identifier: Apache-2.0 */
/* The options that stand before any verb. */
#pragma once

#include "base/option.h"

typedef struct GlobalOptions {
        char *root, *runroot;    /* --root, --runroot: NULL: the defaults of state/store.h */
        char *storage_driver;    /* NULL: chosen; "overlay", "fuse-overlayfs" */
        char *cgroup_manager;    /* NULL: systemd where it is there; "systemd", "disabled" */
        bool version, noout;
} GlobalOptions;

/* All that may stand before the verb, and those of them that may also stand behind it. */
extern const Option *const global_options[], *const global_options_everywhere[];

/* Acts on what was given: the log level is set while parsing, --noout here. */
int global_options_apply(const GlobalOptions *global, Error *reterr);
