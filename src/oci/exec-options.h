/* SPDX-License-Identifier: Apache-2.0 */
/* What `exec` is told about the process it makes. */
#pragma once

#include "base/option.h"
#include "spec/runtime-spec.h"

typedef struct ExecOptions {
        char *console_socket, *pidfd_socket, *pid_file, *process, *cwd, *user, *process_label, *apparmor;
        char **env, **additional_gids, **cap, **cgroup;
        uint32_t preserve_fds;
        bool detach, tty, no_new_privs, ignore_paused;
} ExecOptions;

extern const Option exec_rows[];

/* The process: the container's own with what the options say, or that of --process. `spec` loses its own. */
int exec_process(const OptionParse *parse, const ExecOptions *options, char **arguments, RuntimeSpec *spec, RuntimeProcess *ret, Error *reterr);
