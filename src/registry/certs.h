/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that belong to one registry (containers-certs.d(5)): CAs that it is trusted by (*.crt), and what the user shows
 * it (NAME.cert with NAME.key). */
#pragma once

#include "base/error.h"

typedef struct Certificates {
        char *ca;               /* PEM, all of them; NULL: none */
        char *certificate, *key; /* both or none */
} Certificates;

/* Reads `cert_dir`, or (NULL) the directory of the host ("x:5000") below ~/.config/containers/certs.d,
 * /etc/containers/certs.d and /etc/docker/certs.d: the first of these that is there. The texts are the caller's. */
int certificates_find(const char *cert_dir, const char *host, Certificates *ret, Error *reterr);
