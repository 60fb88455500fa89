/* SPDX-License-Identifier: Apache-2.0 */
/* A container becomes an image (podman-commit(1)). */
#pragma once

#include "content/tree.h"
#include "image/stage.h"

typedef struct CommitOptions {
        char **changes;          /* instructions of a Containerfile */
        const char *author, *message;
        const char *name;        /* as the user wrote it; NULL: none */
        bool docker;             /* the manifest is Docker's; else OCI's */
        bool squash;             /* all layers in one */
        bool include_volumes;    /* the container's volumes are the image's */
} CommitOptions;

/* Makes the image; *ret_id is its ID, hex. The container is read as it is: who wants it to hold still pauses it. */
int commit_container(Stage *stage, const char *container, const CommitOptions *options, char **ret_id, Error *reterr);
