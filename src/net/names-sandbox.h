/* SPDX-License-Identifier: Apache-2.0 */
/* Where dnsmasq runs; what it is and what it is kept from stands in net/names.h. Inside of net/names-*.c. */
#pragma once

#include <sys/types.h>

#include "net/names.h"

enum { NAMES_UID = 65534 }; /* nobody, inside and, where the user has such an ID, outside */

typedef struct NamesDirectory {
        char *path;   /* by path, as only a mount of the own namespace can be cloned from; */
        dev_t device; /* it is this one */
        ino_t inode;
} NamesDirectory;

typedef struct NamesSandbox {
        NamesDirectory directories[NAMES_NETWORKS_MAX]; /* number i becomes /names/i */
        size_t n_directories;
        int program_fd, stderr_fd;
        char *const *argv;
} NamesSandbox;

/* Turns the caller, the first process of new user, mount and PID namespaces (with all capabilities there, and NAMES_UID mapped), into
 * the program. Returns only with an error. */
int names_sandbox_exec(const NamesSandbox *sandbox, Error *reterr);
