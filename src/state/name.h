/* SPDX-License-Identifier: Apache-2.0 */
/* Names for containers that were given none. */
#pragma once

#include <stdbool.h>

/* A made-up name such as "brave_otter"; owned, NULL when out of memory. Not unique: the caller claims it. */
char *name_generate(void);

/* A service that systemd was asked for by its alias (`systemctl start web.container`, `shop.pod`, before anything else mentions the
 * unit) has %n and %N made of the alias, and so $PODMAN_SYSTEMD_UNIT and the names that the generator writes. `asked` is that variable;
 * the answer is the name of the unit that this process really is in, else `asked`. Owned; NULL: out of memory, or `asked` is. */
char *name_of_own_unit(const char *asked);

/* *ret is `name` with the alias replaced where there is one; owned, NULL where it stays. */
int name_without_alias(const char *name, const char *alias, const char *own, char **ret);

/* What the link of a name says: the ID in 43 letters instead of 64 digits, since a link of less than 60 bytes lies in its inode on
 * most file systems, and a longer one takes a block. */
enum { NAME_LINK_SIZE = 44 };
void name_link_text(const char *id, char ret[static NAME_LINK_SIZE]);

/* The ID (65 bytes) that such a text means, or that stands there in digits, as older versions wrote it; false: neither. */
bool name_link_id(const char *text, char *ret_id);
