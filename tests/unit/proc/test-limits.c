/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits, --sysctl and masked paths. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "proc/masked.h"
#include "proc/rlimit.h"
#include "proc/sysctl.h"

#define STRV(...) ((char **) (const char *const[]){ __VA_ARGS__, NULL })

static struct rlimit in_child(const RlimitPlan *plan, int resource) {
        struct rlimit found = {};
        int fds[2], status;
        pid_t pid;

        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                int failed;

                if (rlimit_apply(plan, &failed) < 0)
                        _exit(1);
                getrlimit((__rlimit_resource_t) resource, &found);
                _exit(write(fds[1], &found, sizeof(found)) == sizeof(found) ? 0 : 1);
        }
        close(fds[1]);
        CHECK_INT(read(fds[0], &found, sizeof(found)), sizeof(found));
        close(fds[0]);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        return found;
}

TEST(plans_take_effect) {
        ContainerRlimit items[] = { { (char *) "RLIMIT_NOFILE", 100, 200 }, { (char *) "RLIMIT_CORE", 0, 0 } };
        ContainerRlimit unknown[] = { { (char *) "RLIMIT_NOFILES", 0, 0 } };
        RlimitPlan plan;
        struct rlimit limit, now;

        CHECK_INT(rlimit_plan(items, 2, &plan, NULL), 0);
        limit = in_child(&plan, RLIMIT_NOFILE);
        CHECK(limit.rlim_cur == 100 && limit.rlim_max == 200);
        CHECK_INT(rlimit_plan(NULL, 0, &plan, NULL), 0);
        limit = in_child(&plan, RLIMIT_NOFILE);
        getrlimit(RLIMIT_NOFILE, &now);
        CHECK(limit.rlim_cur == MIN(now.rlim_max, 1048576UL) && limit.rlim_max == limit.rlim_cur);
        CHECK_INT(rlimit_plan(unknown, 1, &plan, NULL), -EINVAL);
}

TEST(a_hard_limit_that_cannot_be_raised_is_named) {
        ContainerRlimit items[] = { { (char *) "RLIMIT_MEMLOCK", 64, 1UL << 40 } };
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                _cleanup_error_ Error error = ERROR_NULL;
                struct rlimit less = { 4096, 4096 };
                RlimitPlan plan;

                setrlimit(RLIMIT_MEMLOCK, &less);
                if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
                        _exit(2);
                if (rlimit_plan(items, 1, &plan, &error) != -EPERM)
                        _exit(3);
                _exit(strstr(error.message, "cannot set limit 'memlock' to 1099511627776: the hard limit of this session is 4096")
                              ? 0 : 4);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(WEXITSTATUS(status), 0);
}

TEST(sysctls_of_own_namespaces) {
        static const char *const good[] = { "net.ipv4.ip_forward=1", "net/ipv4/ip_forward=1", "kernel.msgmax=8192", "fs.mqueue.msg_max=5",
                                            "kernel.sem=1\t2 3 4", "kernel.domainname=x", "net.ipv4.conf.eth0/1.forwarding=1", "net.core.x=" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                CHECK_INT(sysctl_check(STRV(good[i]), SYSCTL_NAMESPACE_IPC | SYSCTL_NAMESPACE_NET | SYSCTL_NAMESPACE_UTS, NULL), 0);
}

TEST(other_sysctls_are_refused) {
        static const char *const bad[] = {
                "kernel.shm_rmid_forced=1+kernel.core_pattern=x\n", "kernel.core_pattern=x", "kernel/core_pattern=|/x", "net/../kernel/core_pattern=x",
                "net./..kernel=1", "net.//.kernel=1", "net..x=1", "/net/core/x=1", ".net=1", "net=1", "net.=1", "net/=1", "net", "=1", "", "net.ipv4.x=a\nb",
                "net.ipv4.x=a\x1b", "net.ipv4 .x=1", "kernel.hostname=x", "vm.swappiness=1", "kernel.semx=1", "fs.mqueue=1", "network.x=1", "net/./x=1",
                "fs.file-max=1", "user.max_user_namespaces=1",
        };
        _cleanup_error_ Error error = ERROR_NULL;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                int r = sysctl_check(STRV(bad[i]), SYSCTL_NAMESPACE_IPC | SYSCTL_NAMESPACE_NET | SYSCTL_NAMESPACE_UTS, NULL);

                if (r >= 0)
                        test_note("'%s' was let through", bad[i]);
                CHECK(r < 0);
        }
        CHECK_INT(sysctl_check(STRV("net.ipv4.ip_forward=1"), SYSCTL_NAMESPACE_IPC, &error), -EPERM);
        CHECK_STR(error.message, "cannot use --sysctl 'net.ipv4.ip_forward=1': with this --network the setting is not the container's own");
        /* a value is one value: what looks like a second setting is text for the first, which the kernel then refuses */
        CHECK_INT(sysctl_check(STRV("kernel.shm_rmid_forced=1+kernel.core_pattern=x"), SYSCTL_NAMESPACE_IPC, NULL), 0);
}

TEST(sysctl_is_written_to_the_kernel_only) {
        char name[] = "/tmp/sdpod-test-XXXXXX";
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK(mkdtemp(name));
        _cleanup_fd_ int dir = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK_INT(mkdirat(dir, "sys", 0755), 0);
        CHECK_INT(sysctl_apply(STRV("net.core.x=1"), SYSCTL_NAMESPACE_NET, dir, &error), -EXDEV);
        CHECK_INT(unlinkat(dir, "sys", AT_REMOVEDIR), 0);
        CHECK_INT(symlinkat("/proc/sys", dir, "sys"), 0);
        CHECK(sysctl_apply(STRV("net.core.x=1"), SYSCTL_NAMESPACE_NET, dir, &error) < 0);
        CHECK_INT(unlinkat(dir, "sys", 0), 0);
        CHECK_INT(rmdir(name), 0);
        _cleanup_fd_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK_INT(sysctl_apply(STRV("net.ipv4.no_such_setting=1"), SYSCTL_NAMESPACE_NET, proc, &error), -ENOENT);
}

TEST(masked_and_read_only) {
        _cleanup_masked_paths_ MaskedPaths p = MASKED_PATHS_NULL, q = MASKED_PATHS_NULL, all = MASKED_PATHS_NULL, privileged = MASKED_PATHS_NULL;

        CHECK_INT(masked_paths_resolve(NULL, NULL, false, &p, NULL), 0);
        CHECK(strv_contains(p.masked, "/proc/kcore") && strv_contains(p.masked, "/proc/kallsyms") && strv_contains(p.masked, "/sys/firmware"));
        CHECK(strv_contains(p.read_only, "/proc/sys") && strv_contains(p.read_only, "/proc/sysrq-trigger"));
        CHECK_INT(masked_paths_resolve(STRV("/a:/b/./c"), STRV("/proc/k*:/proc/sys", "/sys/*"), false, &q, NULL), 0);
        CHECK(!strv_contains(q.masked, "/proc/kcore") && !strv_contains(q.masked, "/proc/keys") && strv_contains(q.masked, "/proc/scsi"));
        CHECK(!strv_contains(q.masked, "/sys/firmware") && strv_contains(q.masked, "/sys/dev/block")); /* '*' stops at a slash */
        CHECK(strv_contains(q.masked, "/a") && strv_contains(q.masked, "/b/c"));
        CHECK(!strv_contains(q.read_only, "/proc/sys") && strv_contains(q.read_only, "/proc/bus"));
        CHECK_INT(masked_paths_resolve(STRV("/a"), STRV("ALL"), false, &all, NULL), 0);
        CHECK_INT(strv_length(all.masked), 1);
        CHECK_INT(strv_length(all.read_only), 0);
        CHECK_INT(masked_paths_resolve(NULL, NULL, true, &privileged, NULL), 0);
        CHECK(!privileged.masked && !privileged.read_only);
        CHECK_INT(masked_paths_resolve(STRV("proc"), NULL, false, &privileged, NULL), -EINVAL);
        CHECK_INT(masked_paths_resolve(STRV("/proc/../etc"), NULL, false, &privileged, NULL), -EINVAL);
        CHECK_INT(masked_paths_resolve(STRV("ALL"), NULL, false, &privileged, NULL), -EINVAL);
}
