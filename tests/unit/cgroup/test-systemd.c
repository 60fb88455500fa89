/* SPDX-License-Identifier: Apache-2.0 */
/* Units that containers of sdpod-oci are in: their names, properties by annotation, and, where a systemd runs, one that is real. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/str.h"
#include "base/test.h"
#include "cgroup/manager.h"
#include "cgroup/runtime-cgroup.h"
#include "cgroup/runtime-systemd.h"

TEST(paths_become_units) {
        static const struct {
                const char *wanted;
                bool rootless;
                const char *slice, *unit;
        } rows[] = {
                { NULL, false, "system.slice", "sdpod-oci-x.scope" },
                { "", true, "user.slice", "sdpod-oci-x.scope" },
                { "machine.slice:libpod:abc", false, "machine.slice", "libpod-abc.scope" },
                { ":libpod:abc", true, "user.slice", "libpod-abc.scope" },
                { "a-b.slice::abc", false, "a-b.slice", "abc.scope" },
                { "-:p:n", false, "-.slice", "p-n.scope" },
                { "machine.slice:libpod", false, NULL, NULL },
                { "/a/b", false, NULL, NULL },
                { "machine:libpod:abc", false, NULL, NULL },
                { "machine.slice:libpod:", false, NULL, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                RuntimeSpec spec = { .cgroups_path = (char *) rows[i].wanted };
                _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = RUNTIME_CGROUP_NULL;
                int r = runtime_cgroup_plan(&spec, "x", RUNTIME_CGROUP_SYSTEMD, rows[i].rootless, &cgroup, NULL);

                CHECK_INT(r, rows[i].unit ? 0 : -EINVAL);
                CHECK_STR(cgroup.slice, rows[i].slice);
                CHECK_STR(cgroup.unit, rows[i].unit);
        }
}

TEST(annotations_become_values_of_the_bus) {
        static const struct {
                const char *name, *value, *real_name, *signature;
                const char *bytes; /* of the value, in hexadecimal */
        } rows[] = {
                { "CollectMode", "'inactive'", "CollectMode", "s", "08000000696e61637469766500" },
                { "TimeoutStopUSec", "uint64 5", "TimeoutStopUSec", "t", "0500000000000000" },
                { "TimeoutStopSec", "2", "TimeoutStopUSec", "t", "80841e0000000000" },
                { "TimeoutStopSec", "0.5", "TimeoutStopUSec", "t", "20a1070000000000" },
                { "Flag", "true", "Flag", "b", "01000000" },
                { "Number", "-1", "Number", "i", "ffffffff" },
                { "Small", "byte 7", "Small", "y", "07" },
                { "Bytes", "@ay [1, 2]", "Bytes", "ay", "020000000102" },
                { "Before", "['a', \"b\"]", "Before", "as", "0e00000001000000610000000100000062 00" },
                { "Empty", "@as []", "Empty", "as", "00000000" },
                { "Quoted", "'a\\'b'", "Quoted", "s", "0300000061276200" },
                { "Before", "['a'", NULL, NULL, NULL },
                { "Before", "['a' 'b']", NULL, NULL, NULL },
                { "Before", "[]", NULL, NULL, NULL },
                { "Number", "5 6", NULL, NULL, NULL },
                { "Number", "5x", NULL, NULL, NULL },
                { "Number", "byte 256", NULL, NULL, NULL },
                { "Number", "3000000000", NULL, NULL, NULL },
                { "Text", "'open", NULL, NULL, NULL },
                { "Text", "text", NULL, NULL, NULL },
                { "Text", "", NULL, NULL, NULL },
                { "TimeoutStopSec", "'5'", NULL, NULL, NULL },
                { "ab", "5", NULL, NULL, NULL },
                { "Exec-Start", "5", NULL, NULL, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_bus_body_ BusBody body = {};
                int r = runtime_variant_put(&body, rows[i].name, rows[i].value);

                if (r != (rows[i].signature ? 0 : -EINVAL))
                        test_note("%s %s: %d", rows[i].name, rows[i].value, r);
                CHECK_INT(r, rows[i].signature ? 0 : -EINVAL);
                if (r < 0)
                        continue;
                CHECK_STR(body.data + 4, rows[i].real_name);
                const char *signature = body.data + 4 + strlen(rows[i].real_name) + 2;
                CHECK_STR(signature, rows[i].signature);
                const unsigned char *value = (const unsigned char *) body.data + body.size;
                size_t n = 0;
                for (const char *p = rows[i].bytes; *p; p++)
                        n += *p != ' ';
                value -= n / 2;
                for (const char *p = rows[i].bytes; *p; p += 2) {
                        unsigned byte;

                        p += *p == ' ';
                        CHECK_INT(sscanf(p, "%2x", &byte), 1);
                        CHECK_INT(*value++, byte);
                }
        }
}

TEST(a_scope_holds_the_container_and_goes_with_it) {
        char *annotations[] = { (char *) "org.systemd.property.TimeoutStopSec=7", (char *) "other=x", NULL };
        _cleanup_free_ char *name = str_format("system.slice:sdpod-test:%d", (int) getpid()), *user = str_format(":sdpod-test:%d", (int) getpid());
        RuntimeSpec spec = { .cgroups_path = geteuid() == 0 ? name : user, .annotations = annotations };
        _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = RUNTIME_CGROUP_NULL, again = RUNTIME_CGROUP_NULL;
        RuntimeResources resources = { .pids = { .limit = 50, .has_limit = true } };
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;

        if (!manager_is_there())
                SKIP("no systemd runs here");
        pid_t pid = fork();
        if (pid == 0) {
                (void) pause();
                _exit(0);
        }
        CHECK_INT(runtime_cgroup_plan(&spec, "x", RUNTIME_CGROUP_SYSTEMD, geteuid() != 0, &cgroup, NULL), 0);
        CHECK_INT(runtime_cgroup_plan(&spec, "x", RUNTIME_CGROUP_SYSTEMD, geteuid() != 0, &again, NULL), 0);
        int r = runtime_cgroup_make(&cgroup, &spec, pid, &error), r_attach = -1, r_pids = -1, r_again = 0, r_freeze = -1, r_update = 0, r_remove = -1;
        if (r >= 0) {
                r_attach = runtime_cgroup_attach(&cgroup, pid, 0, NULL, &error);
                r_pids = runtime_cgroup_pids(&cgroup, &pids, &n, NULL);
                r_again = runtime_cgroup_make(&again, &spec, pid, NULL);
                r_freeze = runtime_cgroup_freeze(&cgroup, true, NULL);
                r_update = runtime_cgroup_update(&cgroup, &resources, NULL);
                r_remove = runtime_cgroup_remove(&cgroup, &error);
        } else
                test_note("%s", error.message);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        CHECK_INT(r, 0);
        CHECK_INT(r_attach, 0);
        CHECK_INT(r_pids, 0);
        CHECK_INT(n, 1);
        CHECK_INT(pids[0], pid);
        CHECK_INT(r_again, -EEXIST);
        CHECK_INT(r_freeze, 0);
        CHECK(r_update == 0 || r_update == -EOPNOTSUPP);
        CHECK_INT(r_remove, 0);
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        ManagerUnit *units = NULL;
        char *names[] = { cgroup.unit, NULL };
        CHECK_INT(manager_connect(&manager, NULL), 0);
        CHECK_INT(manager_list_units(&manager, names, /* patterns= */ false, &units, &n, NULL), 0);
        CHECK_STR(units[0].load_state, "not-found");
        manager_units_free(units, n);
}
