/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine may ask of this runtime. */
#include "oci/features.h"

#include "base/json.h"
#include "base/str.h"
#include "config.h"
#include "oci/memory-policy.h"
#include "oci/mount-options.h"
#include "proc/caps.h"
#include "proc/seccomp-rules.h"

static const char *const hooks[] = { "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL };

static const char *const namespaces[] = { "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts", NULL };

/* Annotations by which the author of an image's config would get at the host, where an engine hands them on from there. */
static const char *const unsafe_annotations[] = { "bundle", "org.systemd.property.", "run.oci.", NULL };

static json_t *words(const char *const *list) {
        return json_from_strv((char *const *) list);
}

static json_t *seccomp_words(SeccompWords list, bool only_supported) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; seccomp_word(list, i); i++)
                if ((!only_supported || seccomp_flag_is_supported(seccomp_word(list, i))) &&
                    json_array_append_new(array, json_string(seccomp_word(list, i))) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static json_t *names(const char *(*name)(size_t i)) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; name(i); i++)
                if (json_array_append_new(array, json_string(name(i))) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static json_t *capabilities(void) {
        _cleanup_json_ json_t *array = json_array();

        for (int cap = 0; caps_to_name(cap); cap++)
                if (json_array_append_new(array, json_string(caps_to_name(cap))) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static json_t *seccomp_section(void) {
        return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "enabled", 1, "actions", seccomp_words(SECCOMP_ACTIONS, false), "operators",
                         seccomp_words(SECCOMP_OPERATORS, false), "archs", seccomp_words(SECCOMP_ARCHITECTURES, false), "knownFlags",
                         seccomp_words(SECCOMP_FLAGS, false), "supportedFlags", seccomp_words(SECCOMP_FLAGS, true));
}

static json_t *linux_section(void) {
        return json_pack("{s:o, s:o, s:{s:b, s:b, s:b, s:b, s:b}, s:o, s:{s:b}, s:{s:b}, s:{s:b}, s:{s:o, s:o}, s:{s:{s:b}}, s:{s:b}}",
                         "namespaces", words(namespaces), "capabilities", capabilities(),
                         "cgroup", "v1", 1, "v2", 1, "systemd", 1, "systemdUser", 1, "rdma", 1,
                         "seccomp", seccomp_section(), "apparmor", "enabled", 1, "selinux", "enabled", 1, "intelRdt", "enabled", 0,
                         "memoryPolicy", "modes", names(oci_memory_policy_mode), "flags", names(oci_memory_policy_flag),
                         "mountExtensions", "idmap", "enabled", 1, "netDevices", "enabled", 1);
}

static json_t *annotations(void) {
        _cleanup_json_ json_t *object = json_pack("{s:s, s:s}", "io.sdpod.version", SDPOD_VERSION,
                                                  "org.opencontainers.runc.checkpoint.enabled", "false");
        unsigned version[3];

        if (object && seccomp_library_version(version) >= 0 &&
            json_object_set_new(object, "io.github.seccomp.libseccomp.version",
                                json_sprintf("%u.%u.%u", version[0], version[1], version[2])) < 0)
                return NULL;
        return TAKE_PTR(object);
}

int oci_features_print(FILE *f, Error *reterr) {
        _cleanup_json_ json_t *features = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "ociVersionMin", "1.0.0", "ociVersionMax", "1.3.0",
                                                    "hooks", words(hooks), "mountOptions", names(oci_mount_option_name), "linux", linux_section(),
                                                    "annotations", annotations(), "potentiallyUnsafeConfigAnnotations",
                                                    words(unsafe_annotations));

        if (!features)
                return error_oom(reterr);
        if (json_dumpf(features, f, JSON_INDENT(4)) < 0 || fputc('\n', f) == EOF || fflush(f) != 0)
                return error_set_errno(reterr, -EIO, "cannot write to standard output");
        return 0;
}
