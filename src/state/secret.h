/* SPDX-License-Identifier: Apache-2.0 */
/* The user's secrets: secrets/NAME, a record each (spec/secret.h), replaced whole. Who writes holds secrets/.lock; readers need
 * none. A container has records of its own, in containers/ID/secrets/: what `secret rm` removes, it keeps. */
#pragma once

#include "spec/secret.h"
#include "state/secret-seal.h"
#include "state/store.h"

typedef enum SecretExisting {
        SECRET_REFUSE,  /* -EEXIST where there is one of that name */
        SECRET_IGNORE,  /* that one stays, and is what the caller gets */
        SECRET_REPLACE, /* it gets the new content, labels and driver options, and keeps its ID */
} SecretExisting;

/* Makes a secret from secret->name and ->labels and the content; `encryption` as in secret_seal(). Fills the rest of it. */
int secret_create(const Store *store, Secret *secret, const SecretMemory *content, const char *encryption, SecretExisting existing,
                  Error *reterr);

/* Finds by full name, full ID, or an ID prefix that only one secret has. -ENOENT with ERROR_NOT_FOUND, -EINVAL when the prefix is
 * ambiguous. */
int secret_open(const Store *store, const char *name_or_id, Secret *ret, Error *reterr);

/* All names, sorted; a vector (NULL: none). */
int secret_list(const Store *store, char ***ret, Error *reterr);

/* Removes it. -ENOENT: somebody else has. */
int secret_remove(const Store *store, const Secret *secret, Error *reterr);

/* Gives the directory a record of its own, as `name`. */
int secret_keep(const Store *store, const Secret *secret, int dir_fd, const char *name, Error *reterr);

/* Reads a record, -ENOENT without a message. */
int secret_load(int dir_fd, const char *name, Secret *ret, Error *reterr);
