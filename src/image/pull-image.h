/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of an image on a registry: index, manifest, config; all small, all checked. */
#pragma once

#include "image/commit.h"
#include "registry/client.h"
#include "spec/platform.h"

typedef struct PullImage {
        Manifest manifest;
        NewImage image;      /* without names */
        int locks_fd, config_lock_fd; /* nobody sweeps the config away (pull-lock.h) */
        const Store *config_store;    /* where the config lies, from which it goes if no image comes of it */
} PullImage;

#define PULL_IMAGE_NULL ((PullImage){ .locks_fd = -EBADF, .config_lock_fd = -EBADF })

/* Gets them by tag or digest, through an index where there is one. */
int pull_image_find(const Store *store, RegistryClient *client, const char *tag_or_digest, const PlatformWish *wish, PullImage *ret,
                    Error *reterr);
void pull_image_done(PullImage *image);
#define _cleanup_pull_image_ _cleanup_(pull_image_done)
