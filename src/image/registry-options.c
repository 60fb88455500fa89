/* SPDX-License-Identifier: Apache-2.0 */
/* Options for the registry. */
#include "image/registry-options.h"

#include <string.h>

#include "base/parse.h"
#include "base/str.h"

int registry_options_set(RegistryOptions *options, int letter, const char *value, Error *reterr) {
        uint64_t number;
        bool verify = true;

        switch (letter) {
        case OPTION_TLS_VERIFY:
                if (value && parse_bool(value, &verify) < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --tls-verify '%s': not true or false", value);
                options->tls = verify ? REGISTRY_TLS_VERIFY : REGISTRY_TLS_INSECURE;
                return 1;
        case OPTION_CERT_DIR:
                options->cert_dir = value;
                return 1;
        case OPTION_AUTHFILE:
                options->authfile = value;
                return 1;
        case OPTION_RETRY:
                if (parse_u64(value, &number) < 0 || number > 1000)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --retry '%s': not a number from 0 to 1000", value);
                options->retries = (int) number;
                return 1;
        case OPTION_RETRY_DELAY:
                if (parse_u64(value, &options->retry_delay_usec) < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --retry-delay '%s': not a number", value);
                return 1;
        default:
                return 0;
        }
}

int registry_options_creds(char **ret, Error *reterr) {
        char *value = getenv(REGISTRY_CREDS_ENV);

        *ret = NULL;
        if (!value)
                return 0;
        *ret = strdup(value);
        explicit_bzero(value, strlen(value));
        (void) unsetenv(REGISTRY_CREDS_ENV);
        return *ret ? 0 : error_oom(reterr);
}
