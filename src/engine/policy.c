/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's processes may do. */
#include "engine/policy.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "spec/opening.h"

#define SECCOMP_LABEL "io.containers.seccomp.profile" /* containers-image's word for a profile inside an image */
#define SECCOMP_FILE "seccomp.json"                   /* in the runtime directory */

int policy_check_profile(const ContainerConfig *config, Error *reterr) {
        if (str_equal(config->seccomp, "image") && !strv_env_get(config->labels, SECCOMP_LABEL))
                return error_set(reterr, -ENOENT, ERROR_INVALID, "cannot use --seccomp-policy image: the image has no label '" SECCOMP_LABEL "'");
        return 0;
}

int policy_write_profile(const Store *store, Container *container, Error *reterr) {
        const char *text = strv_env_get(container->config.labels, SECCOMP_LABEL);

        if (!str_equal(container->config.seccomp, "image"))
                return 0;
        int fd = text ? container_runtime_fd(store, container, reterr) : -ENOENT;
        if (fd < 0)
                return text ? fd : policy_check_profile(&container->config, reterr);
        int r = file_write_atomic(fd, SECCOMP_FILE, text, strlen(text), 0600, FILE_VOLATILE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write the image's seccomp profile") : 0;
}

int policy_resolve(const Store *store, const ContainerConfig *config, bool privileged, CapSet *ret_caps, SeccompFilter *ret_filter,
                   Error *reterr) {
        _cleanup_free_ char *path = NULL;
        CapSet caps;
        uint64_t openings = 0;

        int r = caps_resolve(config->cap_add, config->cap_drop, config->privileged || privileged, &caps, reterr);
        if (r < 0)
                return r;
        for (char **p = config->security_opt; p && *p; p++) {
                int opening = security_opening_from_name(*p);

                if (opening >= 0)
                        openings |= SECURITY_OPENING_BIT(opening);
        }
        if (str_equal(config->seccomp, "image") &&
            !(path = str_format("%s/containers/%s/" SECCOMP_FILE, store->runtime_path, config->id)))
                return error_oom(reterr);
        const SeccompRequest request = {
                .profile = path ?: config->seccomp,
                .capabilities = caps.bounding,
                .openings = openings,
                .privileged = config->privileged || privileged,
                .data_fd = store->data_fd,
        };
        r = seccomp_prepare(&request, ret_filter, reterr);
        if (r >= 0)
                *ret_caps = caps;
        return r;
}
