/* SPDX-License-Identifier: Apache-2.0 */
/* The root, the limits and the system calls of dnsmasq. */
#include "net/names-sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "base/macro.h"
#include "base/syscall-filter.h"

enum {
        OPEN_FILES = 256,
        PROGRAM_FD = 511, /* beyond what can be opened later: no other program can ever stand there */
        PROCESSES = 64,   /* dnsmasq has up to 20 for TCP */
        MEMORY_LIMIT = 256 * 1024 * 1024,
        FILE_LIMIT = 64 * 1024,
};

/* Parts of the new root. Where one of them is a symlink on the host, it is one here. */
static const struct {
        const char *path;
        uint64_t attributes;
        bool file;
} parts[] = {
        { "/usr/lib", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false },
        { "/usr/lib64", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false },
        { "/lib", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false },
        { "/lib64", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false },
        { "/dev/null", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, true },
        { "/dev/urandom", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, true },
};

/* A copy of what is mounted at a path, attached nowhere. */
static int take_tree(int dir_fd, const char *path, uint64_t attributes) {
        struct mount_attr attr = { .attr_set = attributes };
        _cleanup_fd_ int fd = open_tree(dir_fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);

        if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int take_directory(const NamesDirectory *d) {
        _cleanup_fd_ int fd = open(d->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_dev != d->device || st.st_ino != d->inode)
                return -ESTALE;
        return take_tree(fd, "", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int write_file(const char *path, const char *text) {
        _cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

        return fd < 0 ? -errno : io_write_full(fd, text, strlen(text));
}

static int put(int tree_fd, const char *relative, bool file) {
        _cleanup_fd_ int made = -EBADF;

        if (!file && mkdir(relative, 0755) < 0)
                return -errno;
        if (file && (made = open(relative, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) < 0)
                return -errno;
        return move_mount(tree_fd, "", AT_FDCWD, relative, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/* A symlink of the host (len > 0) or a tree. */
typedef struct Part {
        char link[64];
        int tree;
} Part;

/* What the root is made of. The descriptors end with the exec, or with this process. */
typedef struct Taken {
        Part parts[ELEMENTSOF(parts)];
        int names[NAMES_NETWORKS_MAX];
        size_t n_names;
} Taken;

static int take_part(const char *path, uint64_t attributes, Part *ret) {
        ssize_t n = readlink(path, ret->link, sizeof(ret->link) - 1);

        if (n > 0) {
                ret->link[n] = '\0';
                return 0;
        }
        if (errno == ENOENT)
                return 0;
        ret->tree = take_tree(AT_FDCWD, path, attributes);
        return ret->tree < 0 ? ret->tree : 0;
}

/* In the new root, which is the working directory. */
static int fill_root(const Taken *t) {
        const Part *taken = t->parts;
        char name[32];

        if (mkdir("usr", 0755) < 0 || mkdir("dev", 0755) < 0 || mkdir("etc", 0755) < 0 || mkdir("names", 0755) < 0)
                return -errno;
        int r = write_file("etc/passwd", "root:x:0:0::/:\n"); /* --user=root is the one that dnsmasq does not try to become */
        if (r >= 0)
                r = write_file("etc/group", "root:x:0:\n");
        for (size_t i = 0; i < t->n_names && r >= 0; i++) {
                (void) snprintf(name, sizeof(name), "names/%zu", i);
                r = put(t->names[i], name, /* file= */ false);
        }
        for (size_t i = 0; i < ELEMENTSOF(parts) && r >= 0; i++) {
                if (*taken[i].link && symlink(taken[i].link, parts[i].path + 1) < 0)
                        r = -errno;
                else if (taken[i].tree >= 0)
                        r = put(taken[i].tree, parts[i].path + 1, parts[i].file);
        }
        return r;
}

static int take_all(const NamesSandbox *s, Taken *ret) {
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                ret->parts[i] = (Part){ .tree = -EBADF };
                int r = take_part(parts[i].path, parts[i].attributes, ret->parts + i);
                if (r < 0)
                        return r;
        }
        for (ret->n_names = 0; ret->n_names < s->n_directories; ret->n_names++) {
                int fd = ret->names[ret->n_names] = take_directory(&s->directories[ret->n_names]);
                if (fd < 0)
                        return fd;
        }
        return 0;
}

/* On a tmpfs, of the one ID that there is; at /tmp it only stands for a moment. */
static int enter_root(const Taken *taken) {
        struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
        int r;

        if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,nr_inodes=64,mode=0755") < 0 || chdir("/tmp") < 0)
                return -errno;
        r = fill_root(taken);
        if (r < 0)
                return r;
        if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return -errno;
        return mount_setattr(AT_FDCWD, "/", 0, &read_only, sizeof(read_only)) < 0 ? -errno : 0;
}

/* Groups are denied where the ID map was written without privilege; then there are no others than the user's own. */
static int become_nobody(void) {
        if (setgroups(0, NULL) < 0 && errno != EPERM)
                return -errno;
        return setresgid(NAMES_UID, NAMES_UID, NAMES_UID) < 0 || setresuid(NAMES_UID, NAMES_UID, NAMES_UID) < 0 ? -errno : 0;
}

/* dnsmasq does not start without CAP_NET_BIND_SERVICE. It has it in its own user namespace, to which no network belongs; it can bind
 * port 53 since all ports are open to everybody in the router's namespace. */
static int drop_capabilities(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = {};
        const uint32_t bit = 1U << CAP_NET_BIND_SERVICE;

        for (int i = 0; i < 64; i++)
                if (i != CAP_NET_BIND_SERVICE && prctl(PR_CAPBSET_DROP, i) < 0)
                        break; /* EINVAL behind the last */
        data[0].effective = data[0].permitted = data[0].inheritable = bit;
        if (syscall(SYS_capset, &header, data) < 0)
                return -errno;
        return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) < 0 ? -errno : 0;
}

static int set_limits(void) {
        static const struct {
                int resource;
                rlim_t value;
        } limits[] = {
                { RLIMIT_NOFILE, OPEN_FILES },
                { RLIMIT_CORE, 0 },
                { RLIMIT_NPROC, PROCESSES },
                { RLIMIT_MEMLOCK, 0 },
                { RLIMIT_MSGQUEUE, 0 },
                { RLIMIT_FSIZE, FILE_LIMIT },
                { RLIMIT_AS, MEMORY_LIMIT },
        };

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                const struct rlimit limit = { .rlim_cur = limits[i].value, .rlim_max = limits[i].value };
                struct rlimit now;

                if (getrlimit(limits[i].resource, &now) < 0)
                        return -errno;
                if (now.rlim_max >= limit.rlim_max && setrlimit(limits[i].resource, &limit) < 0)
                        return -errno;
        }
        return 0;
}

enum {
        OPEN_FLAGS = O_RDWR | O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_DIRECTORY, /* the root is read-only */
        SOCKET_TYPES = SOCK_STREAM | SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
        FORK_FLAGS = CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD,
};

#define LOW_IS(n, v) SYSCALL_ARG(n, LOW_IS, v)
#define WITHIN(n, v) SYSCALL_ARG(n, LOW_WITHIN, v)

static const SyscallRule rules[] = {
#ifdef __NR_poll
        { __NR_poll, {} },
#endif
        { __NR_ppoll, {} },
        { __NR_recvmsg, {} },
        { __NR_sendmsg, {} },
        { __NR_recvfrom, {} },
        { __NR_sendto, {} },
        { __NR_read, {} },
        { __NR_write, {} },
        { __NR_readv, {} },
        { __NR_writev, {} },
        { __NR_close, {} },
        { __NR_ioctl, { LOW_IS(1, SIOCGIFNAME) } },
        { __NR_ioctl, { LOW_IS(1, SIOCGIFFLAGS) } },
        { __NR_ioctl, { LOW_IS(1, SIOCGIFINDEX) } },
        { __NR_ioctl, { LOW_IS(1, SIOCGIFMTU) } },
        { __NR_ioctl, { LOW_IS(1, SIOCGIFADDR) } },
        { __NR_ioctl, { LOW_IS(1, TCGETS) } },
        { __NR_getpid, {} },
        { __NR_clock_gettime, {} },
        { __NR_gettimeofday, {} },
        { __NR_times, {} },
        { __NR_clock_nanosleep, {} },
        { __NR_nanosleep, {} },
        /* sockets: UDP and TCP; netlink to see interfaces and addresses, a local one for their names */
        { __NR_socket, { LOW_IS(0, AF_INET), WITHIN(1, SOCKET_TYPES) } },
        { __NR_socket, { LOW_IS(0, AF_INET6), WITHIN(1, SOCKET_TYPES) } },
        { __NR_socket, { LOW_IS(0, AF_NETLINK), LOW_IS(2, NETLINK_ROUTE) } },
        { __NR_socket, { LOW_IS(0, AF_UNIX), WITHIN(1, SOCK_DGRAM | SOCK_CLOEXEC) } },
        { __NR_bind, {} },
        { __NR_connect, {} },
        { __NR_listen, {} },
        { __NR_accept, {} },
        { __NR_accept4, {} },
        { __NR_shutdown, {} },
        { __NR_getsockname, {} },
        { __NR_getpeername, {} },
        { __NR_setsockopt, {} },
        { __NR_getsockopt, {} },
        { __NR_pipe2, {} },
        { __NR_fcntl, { LOW_IS(1, F_GETFL) } },
        { __NR_fcntl, { LOW_IS(1, F_SETFL) } },
        { __NR_fcntl, { LOW_IS(1, F_GETFD) } },
        { __NR_fcntl, { LOW_IS(1, F_SETFD) } },
        /* files: what the root has */
        { __NR_openat, { LOW_IS(0, AT_FDCWD), WITHIN(2, OPEN_FLAGS) } },
        { __NR_newfstatat, {} },
        { __NR_fstat, {} },
        { __NR_fstatfs, {} },
#ifdef __NR_access
        { __NR_access, {} },
#endif
        { __NR_faccessat, {} },
        { __NR_getdents64, {} },
        { __NR_lseek, {} },
        { __NR_pread64, {} },
        { __NR_chdir, {} },
        { __NR_umask, {} },
        { __NR_dup, {} },
#ifdef __NR_dup2
        { __NR_dup2, {} },
#endif
        { __NR_dup3, {} },
        { __NR_inotify_init1, {} },
        { __NR_inotify_add_watch, {} },
        /* a process a TCP connection */
        { __NR_clone, { WITHIN(0, FORK_FLAGS) } },
        { __NR_wait4, {} },
        { __NR_kill, {} },
        { __NR_tgkill, {} },
#ifdef __NR_alarm
        { __NR_alarm, {} },
#endif
        { __NR_setitimer, {} },
        { __NR_rt_sigaction, {} },
        { __NR_rt_sigprocmask, {} },
        { __NR_rt_sigreturn, {} },
        { __NR_restart_syscall, {} },
        { __NR_exit, {} },
        { __NR_exit_group, {} },
        /* the loader, and memory */
        { __NR_execveat, { LOW_IS(0, PROGRAM_FD) } },
        { __NR_mmap, {} },
        { __NR_mprotect, {} },
        { __NR_munmap, {} },
        { __NR_mremap, {} },
        { __NR_madvise, {} },
        { __NR_brk, {} },
#ifdef __NR_arch_prctl
        { __NR_arch_prctl, {} },
#endif
        { __NR_set_tid_address, {} },
        { __NR_set_robust_list, {} },
        { __NR_rseq, {} },
        { __NR_futex, {} },
        { __NR_getrandom, {} },
        { __NR_prlimit64, { LOW_IS(0, 0), SYSCALL_ARG(2, IS, 0) } },
        { __NR_uname, {} },
        { __NR_getuid, {} },
        { __NR_geteuid, {} },
        { __NR_getgid, {} },
        { __NR_getegid, {} },
        { __NR_getppid, {} },
        { __NR_gettid, {} },
        { __NR_capget, {} },
        { __NR_prctl, { LOW_IS(0, PR_CAPBSET_READ) } },
        { __NR_prctl, { LOW_IS(0, PR_SET_NAME) } },
        { __NR_prctl, { LOW_IS(0, PR_SET_DUMPABLE), LOW_IS(1, 0) } },
};

/* What came from the caller: its mask and what it ignores. */
static void reset_signals(void) {
        sigset_t none;

        for (int i = 1; i < NSIG; i++)
                (void) signal(i, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

/* 0, 1, 2 and the program at its number; all others end with the exec. */
static int arrange_descriptors(const NamesSandbox *s) {
        _cleanup_fd_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null_fd < 0 || dup3(s->program_fd, PROGRAM_FD, O_CLOEXEC) < 0)
                return -errno;
        return dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(s->stderr_fd, 2) < 0 ? -errno : 0;
}

static int execute(const NamesSandbox *s, Error *reterr) {
        char *const environment[] = { NULL };
        SyscallFilter filter;

        syscall_filter_begin(&filter);
        syscall_filter_allow(&filter, rules, ELEMENTSOF(rules));
        int r = syscall_filter_install(&filter, EPERM);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot install the seccomp filter of dnsmasq");
        (void) syscall(SYS_execveat, PROGRAM_FD, "", s->argv, environment, AT_EMPTY_PATH);
        return error_set_errno(reterr, -errno, "cannot start dnsmasq");
}

int names_sandbox_exec(const NamesSandbox *s, Error *reterr) {
        Taken taken;

        (void) setsid();
        reset_signals();
        /* as the user yet, whose directories let nobody in; and before /tmp is covered, where they may lie */
        int r = take_all(s, &taken);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot copy the mounts of dnsmasq");
        r = become_nobody();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot become the user of dnsmasq");
        r = enter_root(&taken);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make the root of dnsmasq");
        r = arrange_descriptors(s);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot arrange the descriptors of dnsmasq");
        r = set_limits();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot limit dnsmasq");
        r = drop_capabilities();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot drop the capabilities of dnsmasq");
        /* after the change of IDs, which undoes it; the caller is gone already: nobody waits for an answer, and the socket says so */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot restrict dnsmasq");
        return execute(s, reterr);
}
