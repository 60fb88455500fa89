/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what sdpod-net gives up; see the header for the order. */
#include "net/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "net/seccomp-filter.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* Landlock bits that Debian 12's headers do not know yet (landlock(7)). */
#define LANDLOCK_ACCESS_FS_REFER_ (1ULL << 13)    /* ABI 2 */
#define LANDLOCK_ACCESS_FS_TRUNCATE_ (1ULL << 14) /* ABI 3 */
#define LANDLOCK_ACCESS_FS_IOCTL_DEV_ (1ULL << 15) /* ABI 5 */
#define LANDLOCK_SCOPES_ 3ULL                     /* ABI 6: abstract unix sockets, signals */

enum {
        OPEN_FILES = 65536,
};

static int map_ids(uid_t uid, gid_t gid) {
        char line[64];

        (void) snprintf(line, sizeof(line), "%u %u 1\n", uid, uid);
        int r = file_write_string(AT_FDCWD, "/proc/self/uid_map", line);
        if (r < 0)
                return r;
        r = file_write_string(AT_FDCWD, "/proc/self/setgroups", "deny");
        if (r < 0)
                return r;
        (void) snprintf(line, sizeof(line), "%u %u 1\n", gid, gid);
        return file_write_string(AT_FDCWD, "/proc/self/gid_map", line);
}

/* An empty root on a tmpfs. /tmp is only where it stands for a moment. Returns the copy's descriptor. */
static int empty_root(void) {
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,nr_inodes=8,mode=0755") < 0)
                return -errno;
        if (chdir("/tmp") < 0 || mkdir("etc", 0755) < 0)
                return -errno;
        _cleanup_fd_ int fd = open("etc/resolv.conf", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return -errno;
        if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int drop_capabilities(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[2] = {};

        for (int i = 0; i < 64; i++)
                if (prctl(PR_CAPBSET_DROP, i) < 0)
                        break; /* EINVAL behind the last */
        (void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static int limit(int resource, rlim_t value) {
        struct rlimit now;

        if (getrlimit(resource, &now) < 0)
                return -errno;
        now.rlim_max = MIN(now.rlim_max, value);
        now.rlim_cur = now.rlim_max;
        return setrlimit(resource, &now) < 0 ? -errno : 0;
}

static int set_limits(void) {
        static const struct {
                int resource;
                rlim_t value;
        } limits[] = {
                { RLIMIT_NOFILE, OPEN_FILES }, /* also raises the soft limit: a socket a connection */
                { RLIMIT_CORE, 0 },
                { RLIMIT_NPROC, 0 },
                { RLIMIT_MEMLOCK, 0 },
                { RLIMIT_MSGQUEUE, 0 },
                { RLIMIT_FSIZE, 65536 },
                { RLIMIT_AS, SANDBOX_MEMORY },
        };

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                int r = limit(limits[i].resource, limits[i].value);
                if (r < 0)
                        return r;
        }
        return 0;
}

int sandbox_enter(DnsSource *dns, Error *reterr) {
        uid_t uid = geteuid();
        gid_t gid = getegid();

        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
                int r = error_set_errno(reterr, -errno, "cannot make a user namespace for sdpod-net");
                return error_with_hint(reterr, r, "rootless containers need user namespaces: see user.max_user_namespaces, and AppArmor's "
                                  "kernel.apparmor_restrict_unprivileged_userns");
        }
        int r = map_ids(uid, gid);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot map the user of sdpod-net");
        int copy_fd = empty_root();
        if (copy_fd < 0)
                return error_set_errno(reterr, copy_fd, "cannot make an empty root for sdpod-net");
        r = drop_capabilities();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot drop the capabilities of sdpod-net");
        r = dns_source_seal(dns, copy_fd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot copy the host's resolv.conf");
        r = set_limits();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot limit sdpod-net");
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot restrict sdpod-net");
        (void) prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0); /* Linux 6.3 */
        return 0;
}

static int landlock_allow_reading(int ruleset, int dir_fd) {
        struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = dir_fd };

        return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

/* Returns 0 also where the kernel has no Landlock. */
static int landlock(const DnsSource *dns) {
        struct {
                uint64_t fs, net, scoped;
        } attr = { .fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 }; /* all of ABI 1 */
        _cleanup_fd_ int ruleset = -EBADF, root = -EBADF;

        int abi = (int) syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        if (abi < 1)
                return 0;
        attr.fs |= abi >= 2 ? LANDLOCK_ACCESS_FS_REFER_ : 0;
        /* the copy's descriptor was opened before, and truncating through it is decided by how it was opened */
        attr.fs |= abi >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE_ : 0;
        attr.fs |= abi >= 5 ? LANDLOCK_ACCESS_FS_IOCTL_DEV_ : 0;
        attr.scoped = abi >= 6 ? LANDLOCK_SCOPES_ : 0;
        ruleset = (int) syscall(SYS_landlock_create_ruleset, &attr, abi >= 6 ? sizeof(attr) : sizeof(attr.fs), 0);
        if (ruleset < 0)
                return -errno;
        root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return -errno;
        int r = landlock_allow_reading(ruleset, root);
        if (r >= 0 && dns->dir_fd >= 0)
                r = landlock_allow_reading(ruleset, dns->dir_fd);
        if (r < 0)
                return r;
        return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

int sandbox_lock(const DnsSource *dns, Error *reterr) {
        int r = landlock(dns);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot restrict sdpod-net with Landlock");
        r = seccomp_filter_install(dns->dir_fd, dns->name);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot install the seccomp filter of sdpod-net");
        return 0;
}
