/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor: what a blob is, its digest, its size (image-spec, descriptor.md). */
#pragma once

#include <stdint.h>

#include "base/json.h"

typedef struct Platform {
        char *architecture, *os, *variant; /* Go's words: "amd64", "linux", "v8"; NULL: not said */
} Platform;

typedef struct Descriptor {
        char *media_type;    /* NULL: not said */
        char *digest;        /* checked */
        int64_t size;        /* at least 0 */
        char **annotations;  /* pairs */
        Platform platform;
} Descriptor;

/* Reads and checks one; `what` says whose it is in messages. */
int descriptor_load(const json_t *json, const char *what, Descriptor *ret, Error *reterr);
void descriptor_done(Descriptor *descriptor);
#define _cleanup_descriptor_ _cleanup_(descriptor_done)

/* The architecture that this program runs on, in Go's word ("amd64", "arm64"). */
const char *platform_host_architecture(void);
