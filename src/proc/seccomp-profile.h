/* SPDX-License-Identifier: Apache-2.0 */
/* A person's own seccomp profile, in the JSON that Docker and Podman read. */
#pragma once

#include "proc/seccomp.h"

/* Reads the profile at `path`, compiles it for a bounding set of capabilities with libseccomp (which is loaded here and
 * nowhere else) and keeps the result below `data_fd` (-EBADF: not), so that the same profile costs nothing again. */
int seccomp_profile_prepare(const char *path, uint64_t capabilities, int data_fd, SeccompFilter *ret, Error *reterr);
