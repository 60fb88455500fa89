/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses what keeps a secret on disk. */
#include "state/secret-seal.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"

static const SecretSeal *const seals[] = { &secret_seal_by_creds, &secret_seal_by_key };

/* A secret that cannot be read again is worth nothing, so it is read at once. */
static int try_seal(const SecretSeal *seal, Secret *secret, const SecretMemory *content, Error *reterr) {
        _cleanup_secret_memory_ SecretMemory again = SECRET_MEMORY_NULL;
        int r = seal->encrypt(secret, content, reterr);

        if (r >= 0)
                r = seal->decrypt(secret, &again, reterr);
        if (r >= 0 && (again.size != content->size || memcmp(again.data, content->data, content->size) != 0))
                r = error_set(reterr, -EIO, ERROR_INTERNAL, "cannot encrypt with %s: what it decrypts is something else", seal->name);
        if (r >= 0)
                r = str_replace(&secret->encryption, seal->name) < 0 ? error_oom(reterr) : 0;
        return r;
}

int secret_seal(Secret *secret, const SecretMemory *content, const char *wanted, Error *reterr) {
        for (size_t i = 0; i < ELEMENTSOF(seals); i++) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (wanted && !str_equal(wanted, seals[i]->name))
                        continue;
                int r = try_seal(seals[i], secret, content, &error);
                if (r >= 0)
                        return 0;
                if (wanted || i + 1 == ELEMENTSOF(seals))
                        return error_move(reterr, &error);
                log_debug("%s: %s", seals[i]->name, error.message ?: "cannot encrypt");
        }
        return error_set(reterr, -EINVAL, ERROR_INVALID, "'%s' is neither " SECRET_BY_CREDS " nor " SECRET_BY_KEY, wanted);
}

int secret_unseal(const Secret *secret, SecretMemory *ret, Error *reterr) {
        for (size_t i = 0; i < ELEMENTSOF(seals); i++)
                if (str_equal(secret->encryption, seals[i]->name)) {
                        int r = seals[i]->decrypt(secret, ret, reterr);

                        return r < 0 ? error_prefix(reterr, r, "cannot read secret '%s'", secret->name) : 0;
                }
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot read secret '%s': it is encrypted with '%s', which is not known",
                         secret->name, secret->encryption ?: "");
}
