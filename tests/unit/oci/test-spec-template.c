/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "oci/spec-template.h"
#include "spec/runtime-spec.h"

static void read_template(bool rootless, RuntimeSpec *spec) {
        char directory[] = "/tmp/test-spec-template.XXXXXX";
        _cleanup_free_ char *text = NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK(mkdtemp(directory));
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_INT(oci_spec_template_write(fd, rootless, &error), 0);
        CHECK_INT(oci_spec_template_write(fd, rootless, &error), -EEXIST);
        CHECK_STR(error.message, "cannot write config.json: File config.json exists. Remove it first");
        CHECK_INT(file_read(fd, "config.json", 1 << 20, &text, NULL), 0);
        CHECK(strncmp(text, "{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n\t\t\"terminal\": true,", 50) == 0);
        CHECK_INT(runtime_spec_read(fd, "config.json", spec, &error), 0);
        CHECK_INT(runtime_spec_check(spec, &error), 0);
        (void) close(fd);
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}

TEST(what_root_gets) {
        _cleanup_runtime_spec_ RuntimeSpec spec;

        read_template(false, &spec);
        CHECK_STR(spec.process.args[0], "sh");
        CHECK_INT(spec.n_mounts, 7);
        CHECK_STR(spec.mounts[2].options[5], "gid=5");
        CHECK_STR(spec.mounts[5].type, "sysfs");
        CHECK(runtime_spec_namespace(&spec, "network") && !runtime_spec_namespace(&spec, "user"));
        CHECK_INT(spec.resources.n_devices, 1);
        CHECK_INT(spec.n_uid_mappings, 0);
        CHECK(strv_contains(spec.masked_paths, "/proc/kcore") && strv_contains(spec.readonly_paths, "/proc/sys"));
}

TEST(what_a_user_gets) {
        _cleanup_runtime_spec_ RuntimeSpec spec;

        read_template(true, &spec);
        CHECK_INT(spec.n_mounts, 7);
        CHECK_STR(spec.mounts[2].options[5], NULL);
        CHECK_STR(spec.mounts[5].source, "/sys");
        CHECK(!runtime_spec_namespace(&spec, "network") && runtime_spec_namespace(&spec, "user"));
        CHECK_INT(spec.resources.n_devices, 0);
        CHECK_INT(spec.uid_mappings[0].host_id, geteuid());
        CHECK_INT(spec.gid_mappings[0].host_id, getegid());
}
