/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a secret on disk. There are two ways, in the order of their worth:
 *
 *   systemd-creds  systemd-creds(1) encrypts under the machine's key, which only root reads, or that of its TPM. For root; for
 *                  ordinary users from systemd 256 on, whose service does it for them.
 *   key-file       AES-256-GCM under a key of the user's own, a file of mode 0600 away from the secrets
 *                  (~/.config/sdpod/secrets.key; root: /etc/sdpod/secrets.key). It guards copies of the secrets: a backup of the
 *                  data directory, a container that has it as a volume. Who can read all of the user's files has the key, too.
 *
 * The identity of a secret is sealed with it, so that one cannot be taken for another. */
#pragma once

#include "base/secret-memory.h"
#include "spec/secret.h"

#define SECRET_BY_CREDS "systemd-creds"
#define SECRET_BY_KEY "key-file"

/* Encrypts the content: sets secret->data, ->encryption and ->key; secret->id must be set. `wanted` is one of the words above,
 * or NULL: the first that works here, which is tried both ways. */
int secret_seal(Secret *secret, const SecretMemory *content, const char *wanted, Error *reterr);

/* Decrypts it. */
int secret_unseal(const Secret *secret, SecretMemory *ret, Error *reterr);

/* One of the two ways. encrypt() sets what secret_seal() says but ->encryption. */
typedef struct SecretSeal {
        const char *name;
        int (*encrypt)(Secret *secret, const SecretMemory *content, Error *reterr);
        int (*decrypt)(const Secret *secret, SecretMemory *ret, Error *reterr);
} SecretSeal;

extern const SecretSeal secret_seal_by_creds, secret_seal_by_key;

/* Where the key of new secrets is; owned. */
int secret_key_path(char **ret, Error *reterr);
