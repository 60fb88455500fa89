/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup of a container of sdpod-oci, on the hierarchies that this machine has. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "base/test.h"
#include "cgroup/runtime-cgroup.h"
#include "cgroup/runtime-limits.h"

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
        if (r == -EOPNOTSUPP)
                SKIP("a controller is missing");
        if (r < 0)
                test_note("%s", error.message);
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
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        pid_t first = sleeper(), second = sleeper();
        size_t n;
        int status;

        CHECK_INT(runtime_cgroup_attach(&cgroup, first, 0, NULL, NULL), 0);
        CHECK_INT(runtime_cgroup_attach(&cgroup, second, 0, NULL, NULL), 0);
        CHECK_INT(runtime_cgroup_attach(&cgroup, second, 0, NULL, NULL), 0);
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
        CHECK_INT(runtime_cgroup_attach(&cgroup, first, 0, NULL, NULL), 0);
        CHECK_INT(runtime_cgroup_freeze(&cgroup, true, NULL), 0);
        CHECK_INT(cgroup_tree_open(cgroup.path, &tree, NULL), 0);
        CHECK(tree.n > 0);
        CHECK_INT(runtime_cgroup_remove(&cgroup, NULL), 0);
        CHECK_INT(waitpid(first, &status, 0), first);
        CHECK_INT(WTERMSIG(status), SIGKILL);
        for (size_t i = 0; i < tree.n; i++) {
                _cleanup_free_ char *path = str_format("%s%s", tree.items[i].mount, cgroup.path);

                CHECK(access(path, F_OK) < 0);
        }
        CHECK_INT(runtime_cgroup_remove(&cgroup, NULL), 0);
}

TEST(a_frozen_cgroup_is_refused) {
        _cleanup_free_ char *name = name_of_test();
        RuntimeSpec spec = { .cgroups_path = name };
        _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = made(&spec);
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK_INT(runtime_cgroup_freeze(&cgroup, true, NULL), 0);
        _cleanup_runtime_cgroup_ RuntimeCgroup other = RUNTIME_CGROUP_NULL;
        CHECK_INT(runtime_cgroup_plan(&spec, "x", RUNTIME_CGROUP_FILES, /* rootless= */ false, &other, NULL), 0);
        int r = runtime_cgroup_make(&other, &spec, 0, &error), r_remove = runtime_cgroup_remove(&other, NULL);
        bool stays = runtime_cgroup_is_frozen(&cgroup);
        (void) runtime_cgroup_remove(&cgroup, NULL);
        CHECK_INT(r, -EBUSY);
        CHECK_INT(r_remove, 0);
        CHECK(stays); /* it is not the refused one's to remove */
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

        CHECK(runtime_cgroup_attach(&cgroup, pid, 0, outside, &error) < 0);
        CHECK_INT(runtime_cgroup_attach(&cgroup, pid, 0, missing, NULL), -ENOENT);
        CHECK_INT(runtime_cgroup_attach(&cgroup, pid, 0, bad, NULL), -EINVAL);
        CHECK_INT(runtime_cgroup_attach(&cgroup, pid, 0, self, NULL), 0);
        CHECK_INT(runtime_cgroup_kill(&cgroup, SIGKILL, NULL), 0);
        CHECK_INT(waitpid(pid, NULL, 0), pid);
        CHECK_INT(runtime_cgroup_remove(&cgroup, NULL), 0);
}

TEST(shares_become_the_weight_that_the_peers_write) {
        static const uint64_t rows[][2] = {
                { 0, 1 }, { 2, 1 }, { 3, 2 }, { 10, 4 }, { 100, 17 }, { 512, 59 }, { 1000, 99 }, { 1024, 100 }, { 2048, 174 }, { 5000, 356 },
                { 10240, 639 }, { 100000, 4340 }, { 262143, 10000 }, { 262144, 10000 }, { UINT64_MAX, 10000 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                CHECK_INT(runtime_cpu_weight(rows[i][0]), rows[i][1]);
}

TEST(swap_is_what_is_left_of_both) {
        static const struct {
                int64_t memory, both;
                int r;
                int64_t swap;
        } rows[] = {
                { 100, 300, 0, 200 }, { 100, 100, 0, 0 },   { 100, -1, 0, -1 },      { 0, -1, 0, -1 },    { -1, 0, 0, -1 },
                { 100, 0, 0, 0 },     { 100, 50, -EINVAL, 0 }, { 0, 50, -EINVAL, 0 }, { -1, 50, -EINVAL, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int64_t swap = 0;

                CHECK_INT(runtime_swap(rows[i].memory, rows[i].both, &swap, NULL), rows[i].r);
                CHECK_INT(swap, rows[i].swap);
        }
}

/* The value of a file of the cgroup: `v1` or, where the unified hierarchy has the controller, `v2`. */
static char *value_of(const RuntimeCgroup *cgroup, const char *controller, const char *v1, const char *v2) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        char text[CGROUP_TEXT_SIZE];

        CHECK_INT(cgroup_tree_open(cgroup->path, &tree, NULL), 0);
        const CgroupHierarchy *h = cgroup_tree_v1(&tree, controller), *unified = cgroup_tree_unified(&tree);
        if (h ? cgroup_read_text(h->fd, v1, text, sizeof(text)) < 0 : !unified || cgroup_read_text(unified->fd, v2, text, sizeof(text)) < 0) {
                (void) runtime_cgroup_remove(cgroup, NULL);
                SKIP("a controller is missing");
        }
        return strdup(text);
}

#define CHECK_VALUE(controller, v1, v2, wanted_v1, wanted_v2)                                                         \
        do {                                                                                                          \
                _cleanup_free_ char *_value = value_of(&cgroup, controller, v1, v2);                                  \
                CHECK(str_equal(_value, wanted_v1) || str_equal(_value, wanted_v2) || (printf("# %s: %s\n", v2, _value), false)); \
        } while (0)

TEST(limits_are_written_and_changed_all_or_not_at_all) {
        _cleanup_free_ char *name = name_of_test();
        RuntimeSpec spec = {
                .cgroups_path = name,
                .resources = {
                        .memory = { .limit = 64 << 20, .has_limit = true, .reservation = 32 << 20, .has_reservation = true },
                        .cpu = { .shares = 1024, .has_shares = true, .quota = 20000, .has_quota = true, .period = 50000, .has_period = true, .cpus = (char *) "0" },
                        .pids = { .limit = 30, .has_limit = true },
                },
        };
        _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = made(&spec);
        RuntimeResources more = { .memory = { .limit = 128 << 20, .has_limit = true }, .cpu = { .quota = -1, .has_quota = true }, .pids = { .limit = -1, .has_limit = true } },
                         wrong = { .memory = { .limit = 96 << 20, .has_limit = true }, .cpu = { .quota = 30000, .has_quota = true, .cpus = (char *) "0" }, .n_hugepage_limits = 1,
                                   .hugepage_limits = &(RuntimeHugepageLimit){ .page_size = (char *) "3MB", .limit = 0 } };

        CHECK(cgroup.is_limited);
        CHECK_VALUE("memory", "memory.limit_in_bytes", "memory.max", "67108864", "67108864");
        CHECK_VALUE("memory", "memory.soft_limit_in_bytes", "memory.low", "33554432", "33554432");
        CHECK_VALUE("cpu", "cpu.shares", "cpu.weight", "1024", "100");
        CHECK_VALUE("cpu", "cpu.cfs_quota_us", "cpu.max", "20000", "20000 50000");
        CHECK_VALUE("cpuset", "cpuset.cpus", "cpuset.cpus", "0", "0");
        CHECK_VALUE("pids", "pids.max", "pids.max", "30", "30");
        CHECK_INT(runtime_cgroup_update(&cgroup, &more, NULL), 0);
        CHECK_VALUE("memory", "memory.limit_in_bytes", "memory.max", "134217728", "134217728");
        CHECK_VALUE("cpu", "cpu.cfs_quota_us", "cpu.max", "-1", "max 50000");
        CHECK_VALUE("cpu", "cpu.shares", "cpu.weight", "1024", "100");
        CHECK_VALUE("pids", "pids.max", "pids.max", "max", "max");
        CHECK(runtime_cgroup_update(&cgroup, &wrong, NULL) < 0);
        CHECK_VALUE("memory", "memory.limit_in_bytes", "memory.max", "134217728", "134217728");
        CHECK_VALUE("cpu", "cpu.cfs_quota_us", "cpu.max", "-1", "max 50000");
        CHECK_INT(runtime_cgroup_remove(&cgroup, NULL), 0);
}

TEST(a_controller_that_is_missing_is_named) {
        _cleanup_free_ char *name = name_of_test();
        char *unified[] = { (char *) "nosuch.max=1", NULL };
        RuntimeSpec spec = { .cgroups_path = name };
        _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = made(&spec);
        RuntimeResources rdma = { .n_rdma = 1, .rdma = &(RuntimeRdma){ .device = (char *) "mlx5_1", .hca_handles = 1, .has_hca_handles = true } },
                         key = { .unified = unified };
        _cleanup_error_ Error error = ERROR_NULL;

        int r = runtime_cgroup_update(&cgroup, &rdma, &error), r_key = runtime_cgroup_update(&cgroup, &key, NULL);
        (void) runtime_cgroup_remove(&cgroup, NULL);
        CHECK_INT(r_key, -EOPNOTSUPP);
        CHECK(r == -EOPNOTSUPP || r == -EINVAL || r == -ENODEV); /* where there is RDMA there is no such device */
        if (r == -EOPNOTSUPP)
                CHECK_STR(error.message, "cannot set a limit on RDMA: the cgroup controller 'rdma' is not available");
}

TEST(counters_have_all_sections) {
        static const char *const sections[] = { "cpu", "cpuset", "memory", "pids", "blkio", "hugetlb" };
        _cleanup_free_ char *name = name_of_test();
        RuntimeSpec spec = { .cgroups_path = name };
        _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = made(&spec);
        _cleanup_json_ json_t *stats = NULL;
        pid_t pid = sleeper();
        uint64_t kills = 77;
        short events = 0;

        CHECK_INT(runtime_cgroup_attach(&cgroup, pid, 0, NULL, NULL), 0);
        int r = runtime_cgroup_stats(&cgroup, &stats, NULL), oom = runtime_cgroup_open_oom(&cgroup, &events),
            r_kills = runtime_cgroup_oom_kills(&cgroup, &kills);
        CHECK_INT(runtime_cgroup_remove(&cgroup, NULL), 0);
        CHECK_INT(waitpid(pid, NULL, 0), pid);
        CHECK_INT(r, 0);
        for (size_t i = 0; i < ELEMENTSOF(sections); i++)
                CHECK(json_is_object(json_object_get(stats, sections[i])));
        CHECK(json_object_get(json_object_get(stats, "cpu"), "usage"));
        if (oom == -EOPNOTSUPP)
                SKIP("there is no memory controller");
        CHECK(oom >= 0 && events != 0);
        CHECK_INT(close(oom), 0);
        CHECK_INT(r_kills, 0);
        CHECK_INT(kills, 0);
        CHECK(json_get_integer(json_object_get(json_object_get(stats, "memory"), "usage"), "limit", 0) > 0);
}

TEST(an_oom_kill_is_told_and_counted) {
        _cleanup_free_ char *name = name_of_test();
        RuntimeSpec spec = { .cgroups_path = name, .resources = { .memory = { .limit = 8 << 20, .has_limit = true, .swap = 8 << 20, .has_swap = true } } };
        _cleanup_runtime_cgroup_ RuntimeCgroup cgroup = made(&spec);
        uint64_t kills = 0;
        short events = 0;
        int oom = runtime_cgroup_open_oom(&cgroup, &events), status = 0;
        pid_t pid = fork();

        if (pid == 0) {
                char *block;

                if (runtime_cgroup_attach(&cgroup, getpid(), 0, NULL, NULL) < 0 || !(block = malloc(64 << 20)))
                        _exit(1);
                for (size_t i = 0; i < 64 << 20; i += 4096)
                        ((volatile char *) block)[i] = 1;
                _exit(0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        struct pollfd poll_fd = { .fd = oom, .events = events };
        int told = poll(&poll_fd, 1, 60000);
        runtime_cgroup_drain_oom(oom);
        int after = poll(&poll_fd, 1, 0), r = runtime_cgroup_oom_kills(&cgroup, &kills);
        (void) close(oom);
        CHECK_INT(runtime_cgroup_remove(&cgroup, NULL), 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        CHECK_INT(told, 1);
        CHECK_INT(after, 0);
        CHECK_INT(r, 0);
        CHECK_INT(kills, 1);
}
