/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to a record: the image is found, its defaults are merged in, all is checked, the name is taken. */
#pragma once

#include "image/store.h"
#include "spec/platform.h"
#include "state/container.h"

typedef struct CreateOptions {
        bool replace;            /* an existing container of the name is removed first, running or not */
        bool entrypoint_given;   /* the request's entrypoint stands, even when empty, and drops the image's command */
        bool stop_signal_given, stop_timeout_given;
        const char *image_volume; /* what becomes of the image's volumes: NULL: "anonymous"; "tmpfs", "ignore" */
        char *const *env_host;   /* "K=V" of --env-host and --http-proxy: over the image's environment, below the request's */
        char *const *env_merge, *const *unset_env; /* what is made of, and taken from, the image's */
        bool unset_env_all;
        char *const *uid_maps, *const *gid_maps; /* those with flags (engine/id-maps.h); NULL: none */
        const char *sub_uid_name, *sub_gid_name; /* both or none: whose subordinate IDs are the container's */
        const char *pull;        /* NULL: "missing"; "always", "never", "newer" */
        /* Pulls the image by that policy: the ID of what is there then. */
        int (*pull_image)(void *data, const char *image, const char *policy, char ret_id[65], Error *reterr);
        void *pull_data;
        PlatformWish platform;   /* what is asked for (borrowed): an image that does not fit counts as missing */
        const char *storage_driver; /* NULL: what works */
} CreateOptions;

/* Makes the record of a container and its volumes. `config` is moved into *ret, which comes locked. */
int engine_create(const Store *store, ContainerConfig *config, const CreateOptions *options, Container *ret, Error *reterr);
