/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel lets this user do: tried, not read off its version. */
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/process.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"
#include "config.h"
#include "engine/doctor-check.h"
#include "proc/mount.h"

/* ---- a user namespace, and what can be done in it ---- */

typedef struct Trial {
        int namespaces, mount, attributes; /* 0 or -errno; 1: not tried */
} Trial;

static int try_mount(Trial *t) {
        const MountOption options[] = { { "size", "4096" }, {} };
        _cleanup_fd_ int fd = mount_new("tmpfs", "tmpfs", options, 0, /* reterr= */ NULL);

        if (fd < 0)
                return t->mount = fd;
        t->mount = 0;
        return t->attributes = mount_set(fd, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, /* reterr= */ NULL);
}

/* In a child, which has a user namespace of its own with its own ID alone. */
static void try_namespaces(Trial *ret) {
        Trial *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        *ret = (Trial){ -ENOMEM, 1, 1 };
        if (t == MAP_FAILED)
                return;
        *t = (Trial){ 1, 1, 1 };
        pid_t pid = process_fork_bound(SIGKILL);
        if (pid == 0) {
                t->namespaces = unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ? -errno : 0;
                if (t->namespaces == 0)
                        (void) try_mount(t);
                _exit(0);
        }
        if (pid < 0)
                t->namespaces = -errno;
        else
                (void) process_reap(pid);
        *ret = *t;
        (void) munmap(t, sizeof(*t));
}

static const struct {
        const char *path, *bad, *name, *good;
} namespace_sysctls[] = {
        { "/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone", "1" },
        { "/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces", "15000" },
        { "/proc/sys/user/max_mnt_namespaces", "0", "user.max_mnt_namespaces", "15000" },
};

void doctor_user_namespaces(_unused_ const Doctor *doctor, Finding *f) {
        Trial t;

        try_namespaces(&t);
        if (t.namespaces == 0) {
                finding_say(f, DOCTOR_OK, "can be made");
                return;
        }
        finding_say(f, DOCTOR_PROBLEM, "cannot be made: %s", strerror(-t.namespaces));
        finding_cost(f, "containers do not start");
        finding_fix(f, "a kernel with CONFIG_USER_NS; or, in a container, one that may make user namespaces");
        for (size_t i = 0; i < ELEMENTSOF(namespace_sysctls); i++) {
                _cleanup_free_ char *value = doctor_read_line(namespace_sysctls[i].path);

                if (!str_equal(value, namespace_sysctls[i].bad))
                        continue;
                finding_say(f, DOCTOR_PROBLEM, "cannot be made: %s is %s", namespace_sysctls[i].name, value);
                finding_fix(f, "echo %s=%s | sudo tee /etc/sysctl.d/90-sdpod.conf && sudo sysctl --system", namespace_sysctls[i].name,
                            namespace_sysctls[i].good);
        }
}

#define APPARMOR_RESTRICTS "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"

/* Ubuntu lets only programs with a profile use what they have in a user namespace. */
void doctor_apparmor(_unused_ const Doctor *doctor, Finding *f) {
        _cleanup_free_ char *restricts = doctor_read_line(APPARMOR_RESTRICTS);
        Trial t;

        try_namespaces(&t);
        if (!str_equal(restricts, "1"))
                finding_say(f, DOCTOR_OK, "it does not restrict user namespaces");
        else if (t.namespaces == 0 && t.mount == 0)
                finding_say(f, DOCTOR_OK, "it restricts user namespaces, but not sdpod's");
        else {
                finding_say(f, DOCTOR_PROBLEM, "it lets sdpod mount nothing in user namespaces");
                finding_cost(f, "containers do not start");
                finding_fix(f, "sudo cp %s /etc/apparmor.d/sdpod && sudo apparmor_parser -r /etc/apparmor.d/sdpod", SDPOD_DATADIR "/sdpod/sdpod.apparmor");
        }
}

/* ---- system calls ---- */

static int try_openat2(void) {
        struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
        _cleanup_fd_ int fd = (int) syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

        return fd < 0 ? -errno : 0;
}

static int try_pidfd(void) {
        _cleanup_fd_ int fd = pidfd_open(getpid(), 0);

        return fd < 0 ? -errno : 0;
}

static int try_close_range(void) {
        return close_range(~0U - 1, ~0U, 0) < 0 ? -errno : 0;
}

static int spawn(uint64_t flags, int cgroup_fd) {
        struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD, .cgroup = (uint64_t) cgroup_fd };
        pid_t pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));

        if (pid == 0)
                _exit(0);
        if (pid < 0)
                return -errno;
        (void) process_reap(pid);
        return 0;
}

static int try_clone3(void) {
        return spawn(0, 0);
}

/* Into the cgroup that we are in: not everybody may, but the kernel knows what is meant. */
static int try_clone_into_cgroup(void) {
        _cleanup_free_ char *path = NULL;

        if (process_cgroup(0, &path) < 0)
                return 0; /* the check of cgroups says that */
        _cleanup_fd_ int fd = cgroup_open(path, /* reterr= */ NULL);
        if (fd < 0)
                return 0;
        int r = spawn(CLONE_INTO_CGROUP, fd);
        return r == -EINVAL || r == -E2BIG || r == -ENOSYS ? r : 0;
}

static int try_landlock(void) {
        return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1 ? -ENOSYS : 0;
}

static int try_seccomp(void) {
        const uint32_t action = SECCOMP_RET_ERRNO;

        return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0 ? -errno : 0;
}

static int try_seccomp_notify(void) {
        const uint32_t action = SECCOMP_RET_USER_NOTIF;

        return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0 ? -errno : 0;
}

static int try_mount_api(void) {
        Trial t;

        try_namespaces(&t);
        return t.namespaces < 0 ? 0 : t.mount == -ENOSYS || t.attributes == -ENOSYS ? -ENOSYS : 0;
}

static const struct {
        const char *name;
        int (*run)(void);
        DoctorStatus worth;
        const char *cost;
} features[] = {
        { "clone3", try_clone3, DOCTOR_PROBLEM, "containers do not start" },
        { "openat2", try_openat2, DOCTOR_PROBLEM, "containers do not start" },
        { "pidfd_open", try_pidfd, DOCTOR_PROBLEM, "containers do not start" },
        { "close_range", try_close_range, DOCTOR_PROBLEM, "containers do not start" },
        { "the mount API (fsopen, mount_setattr)", try_mount_api, DOCTOR_PROBLEM, "containers do not start" },
        { "seccomp filters", try_seccomp, DOCTOR_PROBLEM, "containers start only with --security-opt seccomp=unconfined" },
        { "seccomp user notification", try_seccomp_notify, DOCTOR_WARNING, "profiles that ask for it are refused" },
        { "CLONE_INTO_CGROUP", try_clone_into_cgroup, DOCTOR_WARNING, "starts take some 10 ms more" },
        { "Landlock", try_landlock, DOCTOR_PROBLEM, "sdpod-net and pulls have a wall less, and may refuse to run" },
};

void doctor_kernel(_unused_ const Doctor *doctor, Finding *f) {
        _cleanup_strv_ char **missing = NULL;

        for (size_t i = 0; i < ELEMENTSOF(features); i++) {
                if (features[i].run() >= 0 || strv_append(&missing, features[i].name) < 0)
                        continue;
                if (features[i].worth >= f->status)
                        finding_cost(f, "%s", features[i].cost);
                f->status = MAX(f->status, features[i].worth);
        }
        _cleanup_free_ char *words = missing ? strv_join(missing, ", ") : NULL;
        if (!words) {
                finding_say(f, DOCTOR_OK, "has what is used of it");
                return;
        }
        finding_say(f, f->status, "it lacks, or forbids: %s", words);
        finding_fix(f, "Linux 5.14 or later, with CONFIG_SECURITY_LANDLOCK and CONFIG_SECCOMP_FILTER; in a container, a looser seccomp profile");
}

/* ---- the network ---- */

void doctor_tun(_unused_ const Doctor *doctor, Finding *f) {
        _cleanup_fd_ int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

        if (fd >= 0) {
                finding_say(f, DOCTOR_OK, "/dev/net/tun can be used");
                return;
        }
        finding_say(f, DOCTOR_PROBLEM, "/dev/net/tun: %s", strerror(errno));
        finding_cost(f, "containers have no network but --network none and host");
        finding_fix(f, errno == EACCES ? "sudo chmod 666 /dev/net/tun" : "echo tun | sudo tee /etc/modules-load.d/tun.conf && sudo modprobe tun");
}

void doctor_low_ports(const Doctor *doctor, Finding *f) {
        _cleanup_free_ char *text = doctor_read_line("/proc/sys/net/ipv4/ip_unprivileged_port_start");
        uint32_t first = 1024;

        if (doctor->root || (text && parse_u32(text, &first) >= 0 && first <= 80)) {
                finding_say(f, DOCTOR_OK, "ports from %u on can be published", doctor->root ? 1 : first);
                return;
        }
        finding_say(f, DOCTOR_OK, "ports from %u on can be published, those below are root's", first);
        finding_fix(f, "echo net.ipv4.ip_unprivileged_port_start=80 | sudo tee /etc/sysctl.d/90-sdpod-ports.conf && sudo sysctl --system");
}
