/* SPDX-License-Identifier: Apache-2.0 */
/* Says inside of a container what it finds there: one fact a line, "KEY VALUE". It is linked statically, and needs no file but for the
 * facts that only /proc has.
 *
 *   facts              all of them
 *   facts try PATH...  "try.PATH read write" as far as it can be opened so, or the error's name */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct attributes {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
};

static void identity(int argc, char **argv, char **env) {
        gid_t groups[256];
        char cwd[4096];

        for (int i = 0; i < argc; i++)
                printf("arg.%d %s\n", i, argv[i]);
        for (char **e = env; *e; e++)
                printf("env.%.*s %s\n", (int) strcspn(*e, "="), *e, strchr(*e, '=') ? strchr(*e, '=') + 1 : "");
        printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : strerrorname_np(errno));
        printf("uid %d %d\ngid %d %d\ngroups", getuid(), geteuid(), getgid(), getegid());
        int n = getgroups(256, groups);
        for (int i = 0; i < n; i++)
                printf(" %u", groups[i]);
        mode_t mask = umask(0);
        printf("\numask %04o\npid %d\nppid %d\nsid %d\npgid %d\n", mask, getpid(), getppid(), getsid(0), getpgid(0));
}

static void capabilities(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = {};
        uint64_t bounding = 0, ambient = 0;

        (void) syscall(SYS_capget, &header, data);
        for (unsigned long c = 0; c < 64; c++) {
                if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1)
                        bounding |= 1ULL << c;
                if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, c, 0, 0) == 1)
                        ambient |= 1ULL << c;
        }
        printf("cap.effective %08x%08x\ncap.permitted %08x%08x\ncap.inheritable %08x%08x\n", data[1].effective, data[0].effective,
               data[1].permitted, data[0].permitted, data[1].inheritable, data[0].inheritable);
        printf("cap.bounding %016llx\ncap.ambient %016llx\n", (unsigned long long) bounding, (unsigned long long) ambient);
        printf("securebits %d\nnnp %d\nseccomp %d\nkeepcaps %d\npdeathsig ", prctl(PR_GET_SECUREBITS), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
               prctl(PR_GET_SECCOMP, 0, 0, 0, 0), prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
        int s = 0;
        (void) prctl(PR_GET_PDEATHSIG, &s, 0, 0, 0);
        printf("%d\ndumpable %d\n", s, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
        int subreaper = 0;
        (void) prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
        printf("subreaper %d\n", subreaper);
}

static void limits(void) {
        static const char *const names[RLIM_NLIMITS] = {
                [RLIMIT_CPU] = "CPU", [RLIMIT_FSIZE] = "FSIZE", [RLIMIT_DATA] = "DATA", [RLIMIT_STACK] = "STACK", [RLIMIT_CORE] = "CORE",
                [RLIMIT_RSS] = "RSS", [RLIMIT_NPROC] = "NPROC", [RLIMIT_NOFILE] = "NOFILE", [RLIMIT_MEMLOCK] = "MEMLOCK",
                [RLIMIT_AS] = "AS", [RLIMIT_LOCKS] = "LOCKS", [RLIMIT_SIGPENDING] = "SIGPENDING", [RLIMIT_MSGQUEUE] = "MSGQUEUE",
                [RLIMIT_NICE] = "NICE", [RLIMIT_RTPRIO] = "RTPRIO", [RLIMIT_RTTIME] = "RTTIME",
        };

        for (int i = 0; i < RLIM_NLIMITS; i++) {
                struct rlimit r = {};

                (void) getrlimit(i, &r);
                printf("rlimit.%s %lld %lld\n", names[i], (long long) r.rlim_cur, (long long) r.rlim_max);
        }
}

static void scheduling(void) {
        struct attributes a = {};
        cpu_set_t cpus;
        struct timespec monotonic, boot;

        (void) syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0);
        printf("scheduler %u nice %d priority %u flags %llu runtime %llu deadline %llu period %llu\n", a.policy, a.nice, a.priority,
               (unsigned long long) a.flags, (unsigned long long) a.runtime, (unsigned long long) a.deadline,
               (unsigned long long) a.period);
        long io = syscall(SYS_ioprio_get, 1, 0);
        printf("ioprio %ld %ld\n", io >> 13, io & 7);
        printf("cpus");
        (void) sched_getaffinity(0, sizeof(cpus), &cpus);
        for (int i = 0; i < CPU_SETSIZE; i++)
                if (CPU_ISSET(i, &cpus))
                        printf(" %d", i);
        int mode = -1;
        unsigned long nodes[16] = {};
        (void) syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0);
        printf("\nmempolicy %d %lu\npersonality %x\n", mode, nodes[0], personality(0xffffffff));
        (void) clock_gettime(CLOCK_MONOTONIC, &monotonic);
        (void) clock_gettime(CLOCK_BOOTTIME, &boot);
        printf("monotonic %lld\nboottime %lld\n", (long long) monotonic.tv_sec, (long long) boot.tv_sec);
}

static void signals(void) {
        sigset_t mask;

        (void) sigprocmask(SIG_SETMASK, NULL, &mask);
        printf("blocked");
        for (int i = 1; i < 65; i++)
                if (sigismember(&mask, i) == 1)
                        printf(" %d", i);
        printf("\nignored");
        for (int i = 1; i < 65; i++) {
                struct sigaction action;

                if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
                        printf(" %d", i);
        }
        printf("\n");
}

static void descriptors(void) {
        struct winsize size = {};
        struct termios t = {};

        printf("fds");
        for (int fd = 0; fd < 4096; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        printf(" %d", fd);
        printf("\n");
        for (int fd = 0; fd < 3; fd++) {
                struct stat st = {};

                (void) fstat(fd, &st);
                printf("fd.%d %s %o %u:%u owner %u:%u\n", fd, isatty(fd) ? "tty" : "other", st.st_mode, major(st.st_rdev), minor(st.st_rdev), st.st_uid,
                       st.st_gid);
        }
        if (ioctl(0, TIOCGWINSZ, &size) == 0)
                printf("winsize %dx%d\n", size.ws_col, size.ws_row);
        if (tcgetattr(0, &t) == 0)
                printf("onlcr %d\n", (t.c_oflag & ONLCR) != 0);
        int tty = open("/dev/tty", O_RDWR | O_NOCTTY);
        printf("controlling %s\n", tty >= 0 ? "yes" : strerrorname_np(errno));
}

static void link_of(const char *key, const char *path) {
        char target[4096];
        ssize_t n = readlink(path, target, sizeof(target) - 1);

        printf("%s %.*s\n", key, n < 0 ? 32 : (int) n, n < 0 ? strerrorname_np(errno) : target);
}

/* "file.PATH mode type:rdev owner" of what a container's /dev is supposed to have, and of / itself */
static void files(void) {
        static const char *const paths[] = { "/", "/dev", "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/console",
                                             "/dev/ptmx", "/dev/pts/ptmx", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/shm", "/dev/mqueue",
                                             "/dev/fuse", "/dev/kmsg", "/dev/made", "/dev/sub/made", "/made", "/pipe", "/dev/core" };

        for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
                struct stat st;

                if (lstat(paths[i], &st) < 0)
                        printf("file.%s %s\n", paths[i], strerrorname_np(errno));
                else
                        printf("file.%s %07o %u:%u %u:%u\n", paths[i], st.st_mode, major(st.st_rdev), minor(st.st_rdev), st.st_uid, st.st_gid);
        }
        link_of("link./dev/fd", "/dev/fd");
        link_of("link./dev/stdin", "/dev/stdin");
        link_of("link./dev/stdout", "/dev/stdout");
        link_of("link./dev/stderr", "/dev/stderr");
        link_of("link./dev/ptmx", "/dev/ptmx");
}

/* "PREFIX.N LINE" of each line of a file */
static void lines(const char *prefix, const char *path) {
        char line[8192];
        FILE *f = fopen(path, "re");

        for (int i = 0; f && fgets(line, sizeof(line), f); i++)
                printf("%s.%d %.*s\n", prefix, i, (int) strcspn(line, "\n"), line);
        if (f)
                (void) fclose(f);
}

/* "mount.TARGET OPTIONS | PROPAGATION | ROOT TYPE SOURCE SUPEROPTIONS", the topmost one of a place comes last */
static void mounts(void) {
        char line[8192];
        FILE *f = fopen("/proc/self/mountinfo", "re");

        while (f && fgets(line, sizeof(line), f)) {
                char root[4096], target[4096], options[512];
                int after = 0;

                if (sscanf(line, "%*d %*d %*s %4095s %4095s %511s %n", root, target, options, &after) < 3)
                        continue;
                char *rest = line + after, *dash = strstr(rest, "- ");
                rest[strcspn(rest, "\n")] = 0;
                printf("mount.%s %s | %.*s| %s %s\n", target, options, dash ? (int) (dash - rest) : 0, rest, root, dash ? dash + 2 : "");
        }
        if (f)
                (void) fclose(f);
}

static void namespaces(void) {
        static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };
        struct utsname u = {};

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                char path[64], key[32];

                (void) snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
                (void) snprintf(key, sizeof(key), "ns.%s", names[i]);
                link_of(key, path);
        }
        (void) uname(&u);
        printf("hostname %s\ndomainname %s\nmachine %s\n", u.nodename, u.domainname, u.machine);
        long serial = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
        printf("keyring %ld\n", serial);
}

static int try(int argc, char **argv) {
        for (int i = 2; i < argc; i++) {
                char letter;
                int fd = open(argv[i], O_RDONLY | O_NONBLOCK), error = errno;
                ssize_t n = fd >= 0 ? read(fd, &letter, 1) : -1;

                printf("try.%s %s", argv[i], fd < 0 ? strerrorname_np(error) : n > 0 ? "data" : n == 0 ? "empty" : strerrorname_np(errno));
                fd = open(argv[i], O_WRONLY | O_NONBLOCK);
                printf(" %s\n", fd >= 0 ? "writable" : strerrorname_np(errno));
        }
        return 0;
}

int main(int argc, char **argv, char **env) {
        static char buffer[1 << 20];

        (void) setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
        if (argc > 1 && strcmp(argv[1], "try") == 0)
                return try(argc, argv);
        descriptors();
        identity(argc, argv, env);
        capabilities();
        limits();
        scheduling();
        signals();
        files();
        mounts();
        namespaces();
        lines("oomscore", "/proc/self/oom_score_adj");
        lines("uidmap", "/proc/self/uid_map");
        lines("gidmap", "/proc/self/gid_map");
        lines("setgroups", "/proc/self/setgroups");
        lines("cgroup", "/proc/self/cgroup");
        lines("timens", "/proc/self/timens_offsets");
        lines("label", "/proc/self/attr/current");
        return 0;
}
