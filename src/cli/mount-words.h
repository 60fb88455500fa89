/* SPDX-License-Identifier: Apache-2.0 */
/* The words that a mount can be given ("ro", "size=1m"), and which go together. */
#pragma once

#include "spec/container.h"

typedef enum MountType {
        MOUNT_TYPE_BIND = 1 << 0,
        MOUNT_TYPE_VOLUME = 1 << 1,
        MOUNT_TYPE_TMPFS = 1 << 2,
        MOUNT_TYPE_RAMFS = 1 << 3,
        MOUNT_TYPE_IMAGE = 1 << 4,
        MOUNT_TYPE_DEVPTS = 1 << 5,
} MountType;

/* Which words were there already; zeroed at the beginning of a mount. */
typedef struct MountWordsSeen {
        char groups[32];
} MountWordsSeen;

/* Adds one word to the options of the mount. */
int mount_words_add(ContainerMount *mount, MountType type, const char *text, MountWordsSeen *seen, Error *reterr);

/* Adds all of them, between commas, and checks them. */
int mount_words_add_all(ContainerMount *mount, MountType type, const char *text, Error *reterr);

/* Whether they go together. */
int mount_words_check(const ContainerMount *mount, Error *reterr);
