/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a bundle's config.json, up to the plan: both readers find the same in it, every refusal has its reason, and what is
 * let through stays where it belongs. Nothing is made or executed. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/runtime-cgroup.h"
#include "oci/mount-options.h"
#include "oci/seccomp.h"
#include "proc/seccomp-rules.h"
#include "proc/sysctl.h"
#include "spec/runtime-spec.h"

/* By a tree, as records are read in other places. Texts with numbers that a tree cannot hold are left out. */
static void compare_readers(const char *text, size_t size) {
        _cleanup_json_ json_t *tree = NULL, *one = NULL, *other = NULL;
        RuntimeSpec by_text = {}, by_tree = {};
        int a = json_fields_parse(text, size, runtime_spec_fields, &by_text, NULL), b = json_parse(text, size, "config.json", &tree, NULL);

        if (b >= 0)
                b = json_fields_load(tree, runtime_spec_fields, &by_tree, NULL);
        if (b >= 0 && a < 0)
                abort();
        if (b >= 0) {
                one = json_fields_save(runtime_spec_fields, &by_text);
                other = json_fields_save(runtime_spec_fields, &by_tree);
                if (!json_equal(one, other))
                        abort();
        }
        runtime_spec_done(&by_text);
        runtime_spec_done(&by_tree);
}

/* A cgroup of a container is below the root of the hierarchy, whatever the bundle asks. */
static void try_cgroups(const RuntimeSpec *spec) {
        for (int driver = RUNTIME_CGROUP_FILES; driver <= RUNTIME_CGROUP_DISABLED; driver++) {
                _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = RUNTIME_CGROUP_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                int r = runtime_cgroup_plan(spec, "id", (RuntimeCgroupDriver) driver, false, &cgroup, &error);
                if ((r < 0) != (error.message != NULL))
                        abort();
                if (r >= 0 && cgroup.path &&
                    (*cgroup.path != '/' || strstr(cgroup.path, "/../") || str_has_suffix(cgroup.path, "/..")))
                        abort();
                if (r >= 0 && cgroup.unit && strchr(cgroup.unit, '/'))
                        abort();
        }
}

static void try_plan(const RuntimeSpec *spec) {
        _cleanup_free_ char *key = NULL, *state = oci_seccomp_state(spec, "id", "/bundle", "creating", 1, 2);
        size_t size;

        if (!state || seccomp_rules_key(&spec->seccomp, &key, &size) < 0)
                abort();
        for (size_t i = 0; i < spec->n_mounts; i++) {
                _cleanup_oci_mount_options_ OciMountOptions options = OCI_MOUNT_OPTIONS_NULL;

                (void) oci_mount_options_parse(spec->mounts[i].options, &options);
        }
        for (char **pair = spec->annotations; pair && *pair; pair++) {
                _cleanup_free_ char *name = strndup(*pair, strcspn(*pair, "="));

                if (name && !runtime_spec_annotation(spec, name))
                        abort();
        }
        (void) sysctl_check(spec->sysctl, SYSCTL_NAMESPACE_NET, NULL);
        try_cgroups(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        if (memchr(data, 0, size))
                return 0;
        compare_readers((const char *) data, size);
        if (json_fields_parse((const char *) data, size, runtime_spec_fields, &spec, NULL) < 0)
                return 0;
        int r = runtime_spec_check(&spec, &error);
        if ((r < 0) != (error.message != NULL))
                abort();
        if (r >= 0)
                try_plan(&spec);
        return 0;
}
