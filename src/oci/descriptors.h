/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets, descriptors and files that the caller hands over on the command line or in the environment. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/option.h"

/* Options of `create`, `run` and `exec`, into members of these names. */
#define HANDED_OVER_ROWS(type) \
        { "console-socket", .kind = OPTION_STRING, .offset = offsetof(type, console_socket), .metavar = "PATH", \
          .help = "Send the terminal's master side to this socket", .complete = COMPLETE_FILE }, \
        { "pid-file", .kind = OPTION_STRING, .offset = offsetof(type, pid_file), .metavar = "FILE", \
          .help = "Write the process ID here", .complete = COMPLETE_FILE }, \
        { "pidfd-socket", .kind = OPTION_STRING, .offset = offsetof(type, pidfd_socket), .metavar = "PATH", \
          .help = "Send a descriptor of the process to this socket", .complete = COMPLETE_FILE }, \
        { "preserve-fds", .kind = OPTION_UINT32, .offset = offsetof(type, preserve_fds), \
          .help = "Hand on so many descriptors behind those of $LISTEN_FDS" }

/* Connects to a unix stream socket; NULL as a path leaves *ret alone. */
int oci_connect(const char *path, const char *option, int *ret, Error *reterr);

/* How many descriptors from 3 on are handed over by socket activation to this very process (sd_listen_fds(3)). Without $LISTEN_PID they
 * are ours, too: crun does not ask for it. */
int oci_listen_fds(void);

/* Whether so many descriptors can be handed on by --preserve-fds; those of them that are not open are passed over. */
int oci_check_preserved(uint32_t preserve_fds, Error *reterr);

/* Writes the number alone, without a newline, at once. */
int oci_write_pid_file(const char *path, pid_t pid, Error *reterr);
