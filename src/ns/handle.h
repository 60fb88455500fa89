/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces as descriptors (ioctl_ns(2)): what a path or a process stands for, looked at before it is entered. */
#pragma once

#include "ns/idmap.h"

/* Opens the namespace at `path`, which must be one of type `type` (CLONE_NEWNET, ...). -EINVAL where it is something else. */
int ns_open(const char *path, int type, Error *reterr);

/* Opens the namespace `name` ("user", "net", ...) of the process behind the pidfd; `pid` is its PID. -ESRCH: it has ended. */
int ns_open_of_process(int pidfd, pid_t pid, const char *name, Error *reterr);

/* Whether the namespace is the caller's own of that name. */
bool ns_is_own(int fd, const char *name);

/* The user namespace that owns this one, and the one around this user namespace. A descriptor; -EPERM where it is none of ours. */
int ns_owner(int fd);
int ns_parent(int fd);

/* Whether this user made the user namespace: 0, or -EPERM. */
int ns_check_user(int userns_fd, uid_t uid);

/* The ID map of a process (0: of no process but of the user namespace `userns_fd`), in the eyes of the caller. */
int ns_read_map(pid_t pid, int userns_fd, UserMap *ret, Error *reterr);

/* Whether two maps map the same IDs; the order of their ranges says nothing. */
bool user_map_equal(const UserMap *a, const UserMap *b);
