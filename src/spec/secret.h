/* SPDX-License-Identifier: Apache-2.0 */
/* A secret as it lies on disk: who it is, and its content, encrypted. */
#pragma once

#include "base/json.h"

enum {
        SECRET_ID_LENGTH = 25,      /* hexadecimal digits, as Podman's are */
        SECRET_NAME_MAX = 253,
        SECRET_SIZE_LIMIT = 511999, /* bytes */
};

typedef struct Secret {
        char *id, *name;
        int64_t created_usec, updated_usec;
        char **labels;    /* pairs */
        char *encryption; /* what keeps it: a word of state/secret-seal.h */
        char *key;        /* path of the key's file; NULL: no such file */
        char *data;       /* encrypted, as base64 */
} Secret;

#define SECRET_NULL ((Secret){})

extern const JsonField secret_fields[];

void secret_done(Secret *secret);
#define _cleanup_secret_ _cleanup_(secret_done)

/* Names are file names, too: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most SECRET_NAME_MAX bytes. */
bool secret_name_is_valid(const char *name) _pure_;
