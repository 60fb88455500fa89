/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 over EVP. */
#include "image/sha256.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

struct Sha256 {
        EVP_MD_CTX *context;
};

Sha256 *sha256_free(Sha256 *hash) {
        if (hash)
                EVP_MD_CTX_free(hash->context);
        free(hash);
        return NULL;
}

Sha256 *sha256_new(void) {
        Sha256 *hash = calloc(1, sizeof(*hash));

        if (!hash)
                return NULL;
        hash->context = EVP_MD_CTX_new();
        if (!hash->context || EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) != 1)
                return sha256_free(hash);
        return hash;
}

void sha256_update(Sha256 *hash, const void *data, size_t size) {
        /* after a good init this cannot fail (EVP_DigestInit(3)) */
        (void) EVP_DigestUpdate(hash->context, data, size);
}

void sha256_finish(Sha256 *hash, char ret[static DIGEST_LENGTH + 1]) {
        unsigned char sum[EVP_MAX_MD_SIZE];
        char *p = stpcpy(ret, "sha256:");

        (void) EVP_DigestFinal_ex(hash->context, sum, NULL);
        for (size_t i = 0; i < DIGEST_HEX_LENGTH / 2; i++, p += 2)
                (void) snprintf(p, 3, "%02x", sum[i]);
}

int sha256_buffer(const void *data, size_t size, char ret[static DIGEST_LENGTH + 1]) {
        _cleanup_sha256_ Sha256 *hash = sha256_new();

        if (!hash)
                return -ENOMEM;
        sha256_update(hash, data, size);
        sha256_finish(hash, ret);
        return 0;
}
