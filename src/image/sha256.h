/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by libcrypto, which uses the processor's instructions for it. */
#pragma once

#include "base/error.h"
#include "spec/digest.h"

typedef struct Sha256 Sha256;

Sha256 *sha256_new(void); /* NULL: out of memory */
Sha256 *sha256_free(Sha256 *hash);
DEFINE_CLEANUP(Sha256, sha256_free)
#define _cleanup_sha256_ _cleanup_(sha256_freep)

void sha256_update(Sha256 *hash, const void *data, size_t size);

/* Ends the hash and writes "sha256:..." with its NUL. */
void sha256_finish(Sha256 *hash, char ret[static DIGEST_LENGTH + 1]);

/* The digest of a whole buffer. Returns 0 or -ENOMEM. */
int sha256_buffer(const void *data, size_t size, char ret[static DIGEST_LENGTH + 1]);
