/* SPDX-License-Identifier: Apache-2.0 */
/* What pull and push take for the registry, on the command line of sdpod-image. A name and password come in the environment: the
 * command line can be read by everybody. */
#pragma once

#include <getopt.h>

#include "registry/client.h"

#define REGISTRY_CREDS_ENV "SDPOD_REGISTRY_CREDS" /* "USER[:PASSWORD]"; taken out of the environment at once */

enum {
        OPTION_TLS_VERIFY = 1000, /* [=true|false] */
        OPTION_CERT_DIR,
        OPTION_AUTHFILE,
        OPTION_RETRY,
        OPTION_RETRY_DELAY,       /* microseconds */
};

#define REGISTRY_LONG_OPTIONS                                               \
        { "tls-verify", optional_argument, NULL, OPTION_TLS_VERIFY },        \
        { "cert-dir", required_argument, NULL, OPTION_CERT_DIR },            \
        { "authfile", required_argument, NULL, OPTION_AUTHFILE },            \
        { "retry", required_argument, NULL, OPTION_RETRY },                  \
        { "retry-delay", required_argument, NULL, OPTION_RETRY_DELAY }

/* Takes one of them: 1; 0: it is none of them; -EINVAL. The value is borrowed. */
int registry_options_set(RegistryOptions *options, int letter, const char *value, Error *reterr);

/* Takes the credentials out of the environment: owned, NULL where there are none. */
int registry_options_creds(char **ret, Error *reterr);
