/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for what nobody else may read: passwords, keys, secrets. It is in no core dump, where the kernel allows it not in the
 * swap either, and it is overwritten before it is given back. */
#pragma once

#include "base/macro.h"

typedef struct SecretMemory {
        void *data;  /* NULL: none */
        size_t size; /* what is used of it */
        size_t room; /* what there is */
} SecretMemory;

#define SECRET_MEMORY_NULL ((SecretMemory){})

/* Room for so many bytes, all zero, and one more, so that a text in it always ends. Replaces nothing: *ret must be empty. */
int secret_memory_new(size_t room, SecretMemory *ret);

/* Overwrites it and gives it back. */
void secret_memory_done(SecretMemory *memory);
#define _cleanup_secret_memory_ _cleanup_(secret_memory_done)

/* Reads all that the descriptor has, at most `limit` bytes: -EFBIG beyond. */
int secret_memory_read(int fd, size_t limit, SecretMemory *ret);

/* Overwrites a string and frees it; and a vector of them. NULL is fine. */
void secret_free(char *s);
void secret_strv_free(char **v);
