/* SPDX-License-Identifier: Apache-2.0 */
/* The options that stand before a verb, and behind it as well. */
#pragma once

#include "base/option.h"
#include "cgroup/runtime-cgroup.h"

typedef struct GlobalOptions {
        char *root, *log, *log_format, *log_level, *rootless, *cgroup_manager;
        bool debug, systemd_cgroup, version;
        int log_fd;
} GlobalOptions;

#define GLOBAL_OPTIONS_NULL ((GlobalOptions){ .log_fd = -EBADF })

extern const Option *const global_options[];
extern const Option *const global_options_everywhere[]; /* those that a verb's own do not shadow: all but --version and --help */

/* Opens the log. From then on errors go there, too, and with --debug or --log-level all that is said. */
int global_options_apply(GlobalOptions *global, Error *reterr);

void global_options_done(GlobalOptions *global);

/* Whether what an ordinary user may not do with cgroups is done without (--rootless). */
bool global_is_rootless(const GlobalOptions *global);

RuntimeCgroupDriver global_cgroup_driver(const GlobalOptions *global);

/* Root of a user namespace that is not the machine's. */
bool global_in_user_namespace(void);
