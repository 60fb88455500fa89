/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher's limits and files. The system calls are in sandbox-calls.c. */
#include "registry/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "registry/sandbox-calls.h"

enum {
        OPEN_FILES = 512,
        FILE_SIZE = 8 * 1024 * 1024,   /* answers that are kept in memory files; pipes have no size */
        THREAD_STACK = 512 * 1024,
        DATA_SIZE = 128 * 1024 * 1024, /* all that can be written to, the parent's at the fork included */
};

/* Newer than the headers of Debian 12 */
#define LANDLOCK_FS_REFER (1ULL << 13)
#define LANDLOCK_FS_TRUNCATE (1ULL << 14)
#define LANDLOCK_FS_IOCTL_DEV (1ULL << 15)
#define LANDLOCK_NET_BIND_TCP (1ULL << 0)
#define LANDLOCK_SCOPES 3ULL /* abstract unix sockets, signals */

/* What getaddrinfo(3) and OpenSSL read. Those that are not there are left out. */
static const char *const readable[] = {
        "/etc/resolv.conf",
        "/run/systemd/resolve",
        "/run/resolvconf",
        "/run/NetworkManager",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/etc/services",
        "/etc/localtime",
        "/etc/ssl",
        "/etc/pki",
        "/etc/ca-certificates",
        "/usr/lib/ssl",
        "/usr/share/ca-certificates",
        "/usr/local/share/ca-certificates",
};

static int allow_reading(int ruleset, const char *path) {
        _cleanup_fd_ int fd = open(path, O_PATH | O_CLOEXEC);
        struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = fd };

        if (fd < 0)
                return 0;
        return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

/* Returns 0 also where the kernel has no Landlock. */
static int restrict_files(void) {
        struct {
                uint64_t fs, net, scoped;
        } attr = { .fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 }; /* all of ABI 1 */
        const char *const own[] = { getenv("SSL_CERT_FILE"), getenv("SSL_CERT_DIR") };
        _cleanup_fd_ int ruleset = -EBADF;
        int abi = (int) syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION), r = 0;

        if (abi < 1)
                return 0;
        attr.fs |= (abi >= 2 ? LANDLOCK_FS_REFER : 0) | (abi >= 3 ? LANDLOCK_FS_TRUNCATE : 0) | (abi >= 5 ? LANDLOCK_FS_IOCTL_DEV : 0);
        attr.net = abi >= 4 ? LANDLOCK_NET_BIND_TCP : 0;
        attr.scoped = abi >= 6 ? LANDLOCK_SCOPES : 0;
        ruleset = (int) syscall(SYS_landlock_create_ruleset, &attr,
                                abi >= 6 ? sizeof(attr) : abi >= 4 ? 2 * sizeof(attr.fs) : sizeof(attr.fs), 0);
        if (ruleset < 0)
                return -errno;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(readable); i++)
                r = allow_reading(ruleset, readable[i]);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(own); i++)
                if (!str_empty(own[i]))
                        r = allow_reading(ruleset, own[i]);
        if (r < 0)
                return r;
        return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

static int limit_resources(void) {
        static const struct {
                int resource;
                rlim_t value;
        } rows[] = {
                { RLIMIT_CORE, 0 },
                { RLIMIT_NOFILE, OPEN_FILES },
                { RLIMIT_FSIZE, FILE_SIZE },
#if !defined(__SANITIZE_ADDRESS__) /* which has its own memory */
                { RLIMIT_DATA, DATA_SIZE },
#endif
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct rlimit limit;

                if (getrlimit((__rlimit_resource_t) rows[i].resource, &limit) < 0)
                        return -errno;
                limit.rlim_cur = limit.rlim_max = MIN(rows[i].value, limit.rlim_max);
                if (setrlimit((__rlimit_resource_t) rows[i].resource, &limit) < 0)
                        return -errno;
        }
        return 0;
}

/* libcurl resolves names in threads, which would each reserve megabytes. */
static void small_threads(void) {
        pthread_attr_t attributes;

        (void) mallopt(M_ARENA_MAX, 2);
        if (pthread_attr_init(&attributes) != 0)
                return;
        if (pthread_attr_setstacksize(&attributes, THREAD_STACK) == 0)
                (void) pthread_setattr_default_np(&attributes);
        (void) pthread_attr_destroy(&attributes);
}

int fetcher_keep_fds(int *const *fds, size_t n) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
                return -errno;
        return fd_keep(fds, n);
}

int fetcher_sandbox(Error *reterr) {
        int r;

        small_threads();
        r = limit_resources();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot limit the network process");
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot restrict the network process");
        r = restrict_files();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot restrict the network process with Landlock");
        r = sandbox_filter_calls();
        return r < 0 ? error_set_errno(reterr, r, "cannot filter the system calls of the network process") : 0;
}
