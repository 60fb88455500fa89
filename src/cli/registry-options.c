/* SPDX-License-Identifier: Apache-2.0 */
/* Options for registries become words for sdpod-image. */
#include "cli/registry-options.h"

#include "base/str.h"
#include "cli/image-exec.h"

#define CREDS_ENV "SDPOD_REGISTRY_CREDS" /* image/registry-options.h: not for everybody to read in /proc */

int registry_words(const RegistryWords *registry, const Invocation *in, char ***words, Error *reterr) {
        int r = image_exec_add(words, "authfile", registry->authfile);

        if (r >= 0)
                r = image_exec_add(words, "cert-dir", registry->cert_dir);
        if (r >= 0)
                r = image_exec_add(words, "retry", registry->retry);
        if (r >= 0 && options_given(&in->parse, "retry-delay"))
                r = strv_consume(words, str_format("--retry-delay=%llu", (unsigned long long) registry->retry_delay_usec));
        if (r >= 0 && options_given(&in->parse, "tls-verify"))
                r = image_exec_add(words, "tls-verify", registry->tls_verify ? "true" : "false");
        if (r >= 0 && registry->creds && setenv(CREDS_ENV, registry->creds, /* overwrite= */ 1) < 0)
                r = -ENOMEM;
        return r < 0 ? error_oom(reterr) : 0;
}

int platform_words(const PlatformWords *platform, char ***words, Error *reterr) {
        const struct {
                const char *option, *value;
        } rows[] = {
                { "arch", platform->arch }, { "os", platform->os }, { "platform", platform->platform }, { "variant", platform->variant },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (platform->platform && rows[i].value && rows[i].value != platform->platform)
                        return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --platform and --%s together", rows[i].option);
                if (image_exec_add(words, rows[i].option, rows[i].value) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

int registry_pull(const Invocation *in, const char *image, const char *policy, bool quiet, const RegistryWords *registry,
                  const PlatformWords *platform, char ret_id[65], Error *reterr) {
        _cleanup_strv_ char **words = NULL;

        if (strv_append(&words, "pull") < 0 || strv_append(&words, "--with-parent") < 0 || image_exec_add(&words, "policy", policy) < 0 ||
            (quiet && strv_append(&words, "--quiet") < 0))
                return error_oom(reterr);
        int r = registry_words(registry, in, &words, reterr);
        if (r >= 0)
                r = platform_words(platform, &words, reterr);
        if (r < 0)
                return r;
        if (strv_append(&words, "--") < 0 || strv_append(&words, image) < 0)
                return error_oom(reterr);
        r = image_spawn_pull(in, words, ret_id, reterr);
        (void) unsetenv(CREDS_ENV);
        return r;
}
