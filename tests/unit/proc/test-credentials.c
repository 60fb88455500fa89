/* SPDX-License-Identifier: Apache-2.0 */
/* What a process really has after credentials_apply() and an exec, inside a user namespace of its own. */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "proc/credentials.h"

#define STRV(...) ((char **) (const char *const[]){ __VA_ARGS__, NULL })

enum { NO_NAMESPACE = 77, FAILED = 78 };

/* In the parent, so that more than one ID can be mapped where it is root; -1 where that is denied. */
static bool write_maps(pid_t pid, const char *kind) {
        char path[64], text[128];
        bool root = geteuid() == 0;
        _cleanup_fd_ int fd = -EBADF;

        if (!root && strcmp(kind, "gid") == 0) {
                snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
                if (file_write_string(AT_FDCWD, path, "deny") < 0)
                        return false;
        }
        snprintf(path, sizeof(path), "/proc/%d/%s_map", pid, kind);
        snprintf(text, sizeof(text), root ? "0 100000 65536" : "0 %u 1", strcmp(kind, "gid") == 0 ? getegid() : geteuid());
        return file_write_string(AT_FDCWD, path, text) >= 0;
}

/* Runs `credentials` and then `cat /proc/self/status`; the text is owned by the caller. */
static char *status_after(const Credentials *credentials) {
        int out[2], go[2], ready[2], status;
        char *text, byte;
        pid_t pid;

        CHECK(pipe2(out, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0 && pipe2(ready, O_CLOEXEC) == 0);
        pid = fork();
        if (pid == 0) {
                const char *failed;

                if (unshare(CLONE_NEWUSER) < 0 || write(ready[1], "", 1) != 1 || read(go[0], &byte, 1) != 1 || byte != 'y')
                        _exit(NO_NAMESPACE);
                if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                        _exit(NO_NAMESPACE);
                dup2(out[1], STDOUT_FILENO);
                if (credentials_apply(credentials, &failed) < 0) {
                        dprintf(STDERR_FILENO, "# cannot %s: %m\n", failed);
                        _exit(FAILED);
                }
                execl("/bin/cat", "cat", "/proc/self/status", NULL);
                _exit(FAILED);
        }
        close(out[1]);
        close(ready[1]);
        if (read(ready[0], &byte, 1) == 1) {
                byte = write_maps(pid, "uid") && write_maps(pid, "gid") ? 'y' : 'n';
                CHECK_INT(write(go[1], &byte, 1), 1);
        }
        CHECK_INT(io_read_all(out[0], 65536, &text, NULL), 0);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        close(out[0]);
        close(ready[0]);
        close(go[0]);
        close(go[1]);
        if (WIFEXITED(status) && WEXITSTATUS(status) == NO_NAMESPACE) {
                free(text);
                SKIP("no user namespace can be made here");
        }
        CHECK_INT(status, 0);
        return text;
}

/* The value of a field of /proc/PID/status, as a number in `base`. */
static unsigned long long field(const char *text, const char *name, int base) {
        const char *at = strstr(text, name);

        CHECK(at);
        return strtoull(at + strlen(name), NULL, base);
}

static Credentials usual(const ContainerUser *user, const CapSet *caps, const RlimitPlan *plan, const SeccompFilter *filter) {
        return (Credentials){ .user = user, .caps = caps, .rlimits = plan, .seccomp = filter, .setgroups_denied = geteuid() != 0 };
}

static void check_sets(const char *text, uint64_t permitted, uint64_t inheritable, uint64_t ambient, uint64_t bounding) {
        CHECK_INT(field(text, "\nCapPrm:", 16), permitted);
        CHECK_INT(field(text, "\nCapEff:", 16), permitted);
        CHECK_INT(field(text, "\nCapInh:", 16), inheritable);
        CHECK_INT(field(text, "\nCapAmb:", 16), ambient);
        CHECK_INT(field(text, "\nCapBnd:", 16), bounding);
}

static SeccompFilter default_filter(const CapSet *caps) {
        SeccompFilter filter;

        CHECK_INT(seccomp_prepare(&(SeccompRequest){ .capabilities = caps->bounding, .data_fd = -EBADF }, &filter, NULL), 0);
        return filter;
}

TEST(root_by_default) {
        ContainerUser user = CONTAINER_USER_NULL;
        RlimitPlan plan = {};
        CapSet caps;

        CHECK_INT(caps_resolve(NULL, NULL, false, &caps, NULL), 0);
        _cleanup_seccomp_filter_ SeccompFilter filter = default_filter(&caps);
        Credentials credentials = usual(&user, &caps, &plan, &filter);
        _cleanup_free_ char *text = status_after(&credentials);

        check_sets(text, caps_default(), 0, 0, caps_default());
        CHECK_INT(field(text, "\nSeccomp:", 10), 2);
        CHECK_INT(field(text, "\nNoNewPrivs:", 10), 0);
        if (geteuid() == 0)
                CHECK(strncmp(strstr(text, "\nGroups:") + 8, "\t \n", 3) == 0);
}

TEST(no_capability_at_all) {
        ContainerUser user = CONTAINER_USER_NULL;
        RlimitPlan plan = {};
        CapSet caps;

        CHECK_INT(caps_resolve(NULL, STRV("ALL"), false, &caps, NULL), 0);
        _cleanup_seccomp_filter_ SeccompFilter filter = default_filter(&caps);
        Credentials credentials = usual(&user, &caps, &plan, &filter);
        _cleanup_free_ char *text = status_after(&credentials);

        check_sets(text, 0, 0, 0, 0);
        CHECK_INT(field(text, "\nSeccomp:", 10), 2);
}

TEST(another_user_has_nothing) {
        gid_t groups[] = { 7, 8 };
        ContainerUser user = { .uid = 1000, .gid = 1001, .groups = groups, .n_groups = 2 };
        RlimitPlan plan = {};
        CapSet caps;

        if (geteuid() != 0)
                SKIP("a user namespace with more than one ID needs root here");
        CHECK_INT(caps_resolve(NULL, NULL, false, &caps, NULL), 0);
        _cleanup_seccomp_filter_ SeccompFilter filter = default_filter(&caps);
        Credentials credentials = usual(&user, &caps, &plan, &filter);
        _cleanup_free_ char *text = status_after(&credentials);

        check_sets(text, 0, 0, 0, caps_default());
        CHECK_INT(field(text, "\nUid:", 10), 1000);
        CHECK_INT(field(text, "\nGid:", 10), 1001);
        CHECK(strstr(text, "\nGroups:\t7 8 \n"));
        CHECK_INT(field(text, "\nSeccomp:", 10), 2);
}

TEST(another_user_keeps_what_was_added) {
        ContainerUser user = { .uid = 1000, .gid = 1001 };
        uint64_t raw = CAPS_BIT(CAP_NET_RAW);
        RlimitPlan plan = {};
        CapSet caps;

        if (geteuid() != 0)
                SKIP("a user namespace with more than one ID needs root here");
        CHECK_INT(caps_resolve(STRV("NET_RAW"), NULL, false, &caps, NULL), 0);
        _cleanup_seccomp_filter_ SeccompFilter filter = default_filter(&caps);
        Credentials credentials = usual(&user, &caps, &plan, &filter);
        _cleanup_free_ char *text = status_after(&credentials);

        check_sets(text, raw, raw, raw, caps_default() | raw);
}

TEST(no_new_privileges_and_unconfined) {
        ContainerUser user = CONTAINER_USER_NULL;
        RlimitPlan plan = {};
        CapSet caps;
        SeccompFilter filter;

        CHECK_INT(caps_resolve(NULL, NULL, true, &caps, NULL), 0);
        CHECK_INT(seccomp_prepare(&(SeccompRequest){ .privileged = true, .data_fd = -EBADF }, &filter, NULL), 0);
        Credentials credentials = usual(&user, &caps, &plan, &filter);
        credentials.no_new_privileges = true;
        _cleanup_free_ char *text = status_after(&credentials);

        check_sets(text, caps_all(), 0, 0, caps_all());
        CHECK_INT(field(text, "\nNoNewPrivs:", 10), 1);
        CHECK_INT(field(text, "\nSeccomp:", 10), 0);
}
