/* SPDX-License-Identifier: Apache-2.0 */
/* Which kernel settings a container may ask for, and writing them. */
#include "proc/sysctl.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

enum { KEY_MAX = 255, VALUE_MAX = 4096 };

/* Paths below /proc/sys; those that end in a slash are whole trees. */
static const struct {
        const char *path;
        SysctlNamespaces namespace;
        const char *mode; /* the option that decides whose namespace it is */
} allowed[] = {
        { "fs/mqueue/", SYSCTL_NAMESPACE_IPC, "--ipc" },
        { "kernel/domainname", SYSCTL_NAMESPACE_UTS, "--uts" },
        { "kernel/msgmax", SYSCTL_NAMESPACE_IPC, "--ipc" },
        { "kernel/msgmnb", SYSCTL_NAMESPACE_IPC, "--ipc" },
        { "kernel/msgmni", SYSCTL_NAMESPACE_IPC, "--ipc" },
        { "kernel/sem", SYSCTL_NAMESPACE_IPC, "--ipc" },
        { "kernel/shm_rmid_forced", SYSCTL_NAMESPACE_IPC, "--ipc" },
        { "kernel/shmall", SYSCTL_NAMESPACE_IPC, "--ipc" },
        { "kernel/shmmax", SYSCTL_NAMESPACE_IPC, "--ipc" },
        { "kernel/shmmni", SYSCTL_NAMESPACE_IPC, "--ipc" },
        { "net/", SYSCTL_NAMESPACE_NET, "--network" },
};

/* The path below /proc/sys for a key. As in sysctl(8) the first separator found decides: after a dot, dots separate and a
 * slash stands for a dot (net.ipv4.conf.eth0/1.forwarding); after a slash it is a path. Every component is plain. */
static int key_to_path(const char *key, size_t n, char ret[static KEY_MAX + 1]) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-@:";
        char path[KEY_MAX + 1];
        size_t first, start = 0;

        if (n == 0 || n > KEY_MAX)
                return -EINVAL;
        memcpy(path, key, n);
        path[n] = '\0';
        first = strcspn(path, "./");
        if (path[first] == '.')
                for (size_t i = 0; i < n; i++)
                        path[i] = path[i] == '.' ? '/' : path[i] == '/' ? '.' : path[i];
        for (size_t i = 0; i <= n; i++) {
                if (path[i] && path[i] != '/') {
                        if (path[i] != '.' && !strchr(plain, path[i]))
                                return -EINVAL;
                        continue;
                }
                if (i == start || path[start] == '.') /* empty, hidden, "." or ".." */
                        return -EINVAL;
                start = i + 1;
        }
        memcpy(ret, path, n + 1);
        return 0;
}

static int check_one(const char *word, SysctlNamespaces own, char ret_path[static KEY_MAX + 1], const char **ret_value,
                     Error *reterr) {
        const char *equals = strchr(word, '=');

        if (!equals || key_to_path(word, (size_t) (equals - word), ret_path) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --sysctl '%s': it is not KEY=VALUE", word);
        for (const char *v = equals + 1; *v; v++)
                if ((*v != '\t' && *v < ' ') || *v == 0x7f || v - equals > VALUE_MAX)
                        return error_set(reterr, -EINVAL, ERROR_INVALID,
                                         "cannot use --sysctl '%s': the value is not one line of text", word);
        for (size_t i = 0; i < ELEMENTSOF(allowed); i++) {
                bool tree = str_has_suffix(allowed[i].path, "/");

                if (tree ? !str_after(ret_path, allowed[i].path) : !str_equal(ret_path, allowed[i].path))
                        continue;
                if (!FLAGS_SET(own, allowed[i].namespace))
                        return error_set(reterr, -EPERM, ERROR_DENIED,
                                         "cannot use --sysctl '%s': with this %s the setting is not the container's own",
                                         word, allowed[i].mode);
                *ret_value = equals + 1;
                return 0;
        }
        (void) error_set(reterr, -EPERM, ERROR_DENIED, "cannot use --sysctl '%s': the setting belongs to no namespace of "
                                                       "the container", word);
        if (reterr && str_equal(ret_path, "kernel/hostname"))
                error_hint(reterr, "use --hostname");
        return -EPERM;
}

int sysctl_check(char *const *words, SysctlNamespaces own, Error *reterr) {
        char path[KEY_MAX + 1];
        const char *value;

        for (char *const *w = words; w && *w; w++) {
                int r = check_one(*w, own, path, &value, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_one(int sys_fd, const char *path, const char *value) {
        _cleanup_fd_ int fd = path_open_beneath(sys_fd, path, O_WRONLY | O_NOCTTY | O_NONBLOCK, 0);

        if (fd < 0)
                return fd;
        return io_write_full(fd, value, strlen(value));
}

int sysctl_apply(char *const *words, SysctlNamespaces own, int proc_fd, Error *reterr) {
        _cleanup_fd_ int sys_fd = -EBADF;
        struct statfs about;

        if (!words || !*words)
                return 0;
        sys_fd = path_open_beneath(proc_fd, "sys", O_PATH | O_DIRECTORY, 0);
        if (sys_fd < 0)
                return error_set_errno(reterr, sys_fd, "cannot open directory '/proc/sys'");
        if (fstatfs(sys_fd, &about) < 0 || about.f_type != PROC_SUPER_MAGIC)
                return error_set(reterr, -EXDEV, ERROR_DENIED, "cannot write a --sysctl: '/proc/sys' is not the kernel's");
        for (char *const *w = words; *w; w++) {
                char path[KEY_MAX + 1];
                const char *value;
                int r = check_one(*w, own, path, &value, reterr);

                if (r < 0)
                        return r;
                r = write_one(sys_fd, path, value);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot set --sysctl '%s'", *w);
        }
        return 0;
}

static bool is_named(char *const *words, const char *wanted) {
        char path[KEY_MAX + 1];
        const char *value;

        for (char *const *w = words; w && *w; w++)
                if (check_one(*w, SYSCTL_NAMESPACE_NET | SYSCTL_NAMESPACE_IPC | SYSCTL_NAMESPACE_UTS, path, &value, /* reterr= */ NULL) >= 0 &&
                    str_equal(path, wanted))
                        return true;
        return false;
}

int sysctl_apply_defaults(char *const *words, bool tcp_is_local, int proc_fd, Error *reterr) {
        static const struct {
                const char *path, *value;
                bool for_local_tcp;
        } defaults[] = {
                { "sys/net/ipv4/ping_group_range", "0 0", .for_local_tcp = false },
                { "sys/net/ipv4/tcp_congestion_control", "reno", .for_local_tcp = true },
        };

        for (size_t i = 0; i < ELEMENTSOF(defaults); i++) {
                if ((defaults[i].for_local_tcp && !tcp_is_local) || is_named(words, defaults[i].path + STRLEN("sys/")))
                        continue;
                int r = write_one(proc_fd, defaults[i].path, defaults[i].value);
                /* the host's root may have taken it from those that everybody may use (ip-sysctl: tcp_allowed_congestion_control) */
                if (r < 0 && !(defaults[i].for_local_tcp && (r == -EPERM || r == -ENOENT)))
                        return error_set_errno(reterr, r, "cannot write '/proc/%s'", defaults[i].path);
        }
        return 0;
}
