/* SPDX-License-Identifier: Apache-2.0 */
/* Which user, group and home directory the container process has: --user and --group-add resolved with the container's own
 * /etc/passwd and /etc/group. Those files are a stranger's: they are found by the kernel inside the root, must be regular
 * files, are read in bounded memory and never through the C library's name services. */
#pragma once

#include <sys/types.h>

#include "ns/idmap.h"

typedef struct ContainerUser {
        uid_t uid;
        gid_t gid;
        gid_t *groups;    /* supplementary, ascending, without duplicates */
        size_t n_groups;
        bool keep_groups; /* --group-add keep-groups: the caller's own stay */
        char *name;       /* as in passwd; NULL where it has no line */
        char *home;       /* for $HOME; "/" where nothing says another */
} ContainerUser;

#define CONTAINER_USER_NULL ((ContainerUser){})

void container_user_done(ContainerUser *user);
#define _cleanup_container_user_ _cleanup_(container_user_done)

/* `spec` is "user|uid[:group|gid]" (NULL: root; "" is refused), `group_add` holds names, IDs or "keep-groups" and may be
 * NULL. What is all digits is always an ID, whatever passwd says. Without a group in `spec` the group is passwd's (root
 * for an ID without a line) and the groups that list the user are supplementary; with one there are none but
 * `group_add`'s, as in Podman. */
int user_resolve(int root_fd, const char *spec, char *const *group_add, ContainerUser *ret, Error *reterr);

/* Makes the user's own group one of the supplementary ones as well, as Podman and Docker do where a user was asked for:
 * else a file that is closed to a group (mode 0604) would be open to whoever has it as the first (CVE-2022-2989). */
int user_add_own_group(ContainerUser *user);

/* Whether a line of `list` ("etc/passwd", "etc/group") has the name or the ID. True as well where the list cannot be read. */
bool user_is_listed(int root_fd, const char *list, const char *name, uint32_t id);

/* Whether the container's user namespace has all of the user's IDs; -EINVAL, with a message that says which it has not. */
int user_check_mapped(const ContainerUser *user, const UserMap *map, Error *reterr);
