/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup of a container of sdpod-oci, on the hierarchies that this machine has. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "base/test.h"
#include "cgroup/runtime-cgroup.h"

static char *name_of_test(void) {
        return str_format("/sdpod-test-%d", (int) getpid());
}

/* Skips where the machine does not let us; the plan is the caller's to free. */
static RuntimeCgroup made(RuntimeSpec *spec) {
        RuntimeCgroup cgroup = RUNTIME_CGROUP_NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        if (geteuid() != 0)
                SKIP("only root makes cgroups everywhere");
        CHECK_INT(runtime_cgroup_plan(spec, "x", RUNTIME_CGROUP_FILES, /* rootless= */ false, &cgroup, &error), 0);
        int r = runtime_cgroup_make(&cgroup, spec, 0, &error);
        if (r == -EROFS || r == -EACCES || r == -EPERM)
                SKIP("cgroups cannot be made here");
        if (r < 0)
                printf("# %s\n", error.message);
        CHECK_INT(r, 0);
        if (!cgroup.is_made)
                SKIP("there are no cgroups here");
        return cgroup;
}

static pid_t sleeper(void) {
        pid_t pid = fork();

        if (pid == 0) {
                (void) pause();
                _exit(0);
        }
        CHECK(pid > 0);
        return pid;
}

TEST(paths_stay_below_the_root) {
        static const struct {
                const char *wanted, *path;
        } rows[] = {
                { NULL, "/x" }, { "", "/x" }, { "a/b", "/a/b" }, { "/a/b/", "/a/b" }, { "/../../etc", "/etc" }, { "../..", "/" }, { "/a/./b//c", "/a/b/c" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                RuntimeSpec spec = { .cgroups_path = (char *) rows[i].wanted };
                _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = RUNTIME_CGROUP_NULL;

                CHECK_INT(runtime_cgroup_plan(&spec, "x", RUNTIME_CGROUP_FILES, /* rootless= */ false, &cgroup, NULL), 0);
                CHECK_STR(cgroup.path, rows[i].path);
        }
}

TEST(processes_are_found_frozen_and_killed_and_nothing_stays) {
        _cleanup_free_ char *name = name_of_test();
        RuntimeSpec spec = { .cgroups_path = name };
        _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = made(&spec);
        _cleanup_free_ pid_t *pids = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_strv_ char **paths = NULL;
        pid_t first = sleeper(), second = sleeper();
        size_t n;
        int status;

        CHECK_INT(runtime_cgroup_attach(&cgroup, first, NULL, NULL), 0);
        CHECK_INT(runtime_cgroup_attach(&cgroup, second, NULL, NULL), 0);
        CHECK_INT(runtime_cgroup_attach(&cgroup, second, NULL, NULL), 0);
        CHECK_INT(runtime_cgroup_pids(&cgroup, &pids, &n, NULL), 0);
        CHECK_INT(n, 2);
        CHECK_INT(runtime_cgroup_make(&cgroup, &spec, 0, &error), -EBUSY);
        CHECK_STR(error.message, "container's cgroup is not empty: 2 process(es) found");
        CHECK_INT(runtime_cgroup_freeze(&cgroup, true, NULL), 0);
        CHECK(runtime_cgroup_is_frozen(&cgroup));
        CHECK_INT(runtime_cgroup_freeze(&cgroup, false, NULL), 0);
        CHECK(!runtime_cgroup_is_frozen(&cgroup));
        CHECK_INT(runtime_cgroup_kill(&cgroup, SIGTERM, NULL), 0);
        CHECK_INT(waitpid(first, &status, 0), first);
        CHECK_INT(WTERMSIG(status), SIGTERM);
        CHECK_INT(waitpid(second, &status, 0), second);
        CHECK_INT(runtime_cgroup_kill(&cgroup, SIGTERM, NULL), -ENOENT);

        first = sleeper();
        CHECK_INT(runtime_cgroup_attach(&cgroup, first, NULL, NULL), 0);
        CHECK_INT(runtime_cgroup_freeze(&cgroup, true, NULL), 0);
        CHECK_INT(runtime_cgroup_paths(&cgroup, &paths, NULL), 0);
        CHECK(strv_length(paths) > 0);
        CHECK_INT(runtime_cgroup_remove(&cgroup, NULL), 0);
        CHECK_INT(waitpid(first, &status, 0), first);
        CHECK_INT(WTERMSIG(status), SIGKILL);
        for (char **p = paths; *p; p++)
                CHECK(access(strchr(*p, '=') + 1, F_OK) < 0);
        CHECK_INT(runtime_cgroup_remove(&cgroup, NULL), 0);
}

TEST(a_frozen_cgroup_is_refused) {
        _cleanup_free_ char *name = name_of_test();
        RuntimeSpec spec = { .cgroups_path = name };
        _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = made(&spec);
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK_INT(runtime_cgroup_freeze(&cgroup, true, NULL), 0);
        int r = runtime_cgroup_make(&cgroup, &spec, 0, &error);
        (void) runtime_cgroup_remove(&cgroup, NULL);
        CHECK_INT(r, -EBUSY);
        CHECK_STR(error.message, "container's cgroup unexpectedly frozen");
}

TEST(processes_go_to_sub_cgroups_that_are_there) {
        _cleanup_free_ char *name = name_of_test();
        RuntimeSpec spec = { .cgroups_path = name };
        _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = made(&spec);
        _cleanup_error_ Error error = ERROR_NULL;
        char *outside[] = { (char *) "../..", NULL }, *missing[] = { (char *) "nosuch", NULL }, *bad[] = { (char *) ":x", NULL },
             *self[] = { (char *) "/", NULL };
        pid_t pid = sleeper();

        CHECK(runtime_cgroup_attach(&cgroup, pid, outside, &error) < 0);
        CHECK_INT(runtime_cgroup_attach(&cgroup, pid, missing, NULL), -ENOENT);
        CHECK_INT(runtime_cgroup_attach(&cgroup, pid, bad, NULL), -EINVAL);
        CHECK_INT(runtime_cgroup_attach(&cgroup, pid, self, NULL), 0);
        CHECK_INT(runtime_cgroup_kill(&cgroup, SIGKILL, NULL), 0);
        CHECK_INT(waitpid(pid, NULL, 0), pid);
        CHECK_INT(runtime_cgroup_remove(&cgroup, NULL), 0);
}
