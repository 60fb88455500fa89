/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a mount in config.json: mount(8)'s names and those that the runtime-spec adds (config-linux.md). */
#pragma once

#include <stdint.h>

#include "base/error.h"

typedef struct OciMountOptions {
        uint64_t set, clear;             /* MOUNT_ATTR_* of the mount itself */
        uint64_t set_below, clear_below; /* of it and all below it ("rro", ...) */
        uint64_t propagation[4];         /* MS_PRIVATE, MS_SHARED | MS_REC, ... in their order */
        size_t n_propagation;
        bool bind, recursive;            /* "bind", "rbind" */
        bool read_only;                  /* "ro" was the last word on it */
        bool copy_up;                    /* "tmpcopyup" */
        bool idmap, idmap_below;         /* "idmap", "ridmap" */
        bool no_follow;                  /* "src-nofollow": a symlink as the source is mounted itself */
        bool copy_symlink;               /* "copy-symlink": a symlink as the source is made again, not mounted */
        char **data;                     /* words for the file system, "size=64k"; owned */
} OciMountOptions;

#define OCI_MOUNT_OPTIONS_NULL ((OciMountOptions){})

void oci_mount_options_done(OciMountOptions *options);
#define _cleanup_oci_mount_options_ _cleanup_(oci_mount_options_done)

/* Sorts the words (NULL: none). What no table knows is for the file system to judge. Only -ENOMEM and -E2BIG. */
int oci_mount_options_parse(char *const *words, OciMountOptions *ret);

/* The names that are known here, the i-th; NULL at the end: for `features`. */
const char *oci_mount_option_name(size_t i) _pure_;

/* "shared", "rslave", ... as mount(2) takes it; 0 for another word. */
uint64_t oci_propagation_from_word(const char *word) _pure_;
