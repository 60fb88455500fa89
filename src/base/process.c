/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, held by pidfd. */
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "base/time.h"

enum { CGROUP_LIMIT = 4 * 1024 * 1024 };

static int read_stat(pid_t pid, char *ret_state, uint64_t *ret_start_time) {
        _cleanup_free_ char *text = NULL;
        char path[32], *p;
        unsigned long long start_time;

        (void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
        int r = file_read(AT_FDCWD, path, 8192, &text, /* ret_size= */ NULL);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        /* the command name is in parentheses and may hold any byte: begin behind the last one */
        p = strrchr(text, ')');
        if (!p || sscanf(p, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", ret_state,
                         &start_time) != 2)
                return -EIO;
        *ret_start_time = start_time;
        return 0;
}

int process_start_time(pid_t pid, uint64_t *ret) {
        char state;

        return read_stat(pid, &state, ret);
}

bool process_is_stopped(pid_t pid, uint64_t start_time) {
        uint64_t found;
        char state;

        return read_stat(pid, &state, &found) >= 0 && found == start_time && (state == 'T' || state == 't');
}

int process_cgroup(pid_t pid, char **ret) {
        _cleanup_free_ char *text = NULL;
        char path[32], *save = NULL;

        (void) snprintf(path, sizeof(path), pid > 0 ? "/proc/%d/cgroup" : "/proc/self/cgroup", (int) pid);
        int r = file_read(AT_FDCWD, path, CGROUP_LIMIT, &text, /* ret_size= */ NULL);
        if (r < 0)
                return r;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                const char *found = str_after(line, "0::");

                if (found)
                        return (*ret = strdup(found)) ? 0 : -ENOMEM;
        }
        return -ENOENT;
}

int process_open(pid_t pid, uint64_t start_time) {
        _cleanup_fd_ int fd = pidfd_open(pid, 0);
        uint64_t found;

        if (fd < 0)
                return -errno;
        /* the pidfd came first: if the start time matches now, it is the process that the pidfd holds */
        int r = process_start_time(pid, &found);
        if (r < 0)
                return r;
        return found == start_time ? TAKE_FD(fd) : -ESRCH;
}

int process_signal(int pidfd, int signal) {
        return pidfd_send_signal(pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

bool process_has_ended(int pidfd) {
        struct pollfd fd = { .fd = pidfd, .events = POLLIN };

        return RETRY_EINTR(poll(&fd, 1, 0)) > 0;
}

int process_wait_end(int pidfd, uint64_t timeout_usec) {
        struct pollfd fd = { .fd = pidfd, .events = POLLIN };
        uint64_t begin = (uint64_t) time_monotonic_usec();

        for (;;) {
                uint64_t gone = (uint64_t) time_monotonic_usec() - begin, left = timeout_usec > gone ? timeout_usec - gone : 0;
                struct timespec timeout = { .tv_sec = (time_t) (left / 1000000), .tv_nsec = (long) (left % 1000000) * 1000 };
                int r = ppoll(&fd, 1, timeout_usec == UINT64_MAX ? NULL : &timeout, NULL);

                if (r > 0)
                        return 0;
                if (r == 0)
                        return -ETIMEDOUT;
                if (errno != EINTR)
                        return -errno;
        }
}

/* In the child: puts each descriptor in its place. First all go above the range, then down, so none is overwritten. */
static int place_fds(const int *fds, size_t n_fds) {
        int high[16];

        if (n_fds > ELEMENTSOF(high))
                return -E2BIG;
        for (size_t i = 0; i < n_fds; i++) {
                int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

                high[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, (int) n_fds);
                if (high[i] < 0)
                        return -errno;
        }
        for (size_t i = 0; i < n_fds; i++)
                if (dup2(high[i], (int) i) < 0)
                        return -errno;
        return close_range((unsigned) n_fds, ~0U, 0) < 0 ? -errno : 0;
}

enum { SPAWN_STACK = 64 * 1024 };

typedef struct Spawn {
        const char *path;
        char *const *argv, *const *envp;
        const int *fds;
        size_t n_fds;
} Spawn;

/* Runs in the memory of the parent, which waits until the execve. */
static int spawned(void *data) {
        const Spawn *spawn = data;
        sigset_t none;

        for (int i = 1; i < _NSIG; i++)
                (void) signal(i, SIG_DFL); /* KILL and STOP refuse; fine */
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        if (place_fds(spawn->fds, spawn->n_fds) >= 0)
                (void) execve(spawn->path, spawn->argv, spawn->envp);
        _exit(127);
}

int process_spawn(const char *path, char *const *argv, char *const *envp, const int *fds, size_t n_fds, pid_t *ret_pid,
                  int *ret_pidfd) {
        Spawn spawn = { .path = path, .argv = argv, .envp = envp ?: environ, .fds = fds, .n_fds = n_fds };
        _cleanup_free_ char *stack = malloc(SPAWN_STACK);
        _cleanup_fd_ int pidfd = -EBADF;
        sigset_t all, old;

        if (!stack)
                return -ENOMEM;
        /* no copy of the address space: that and its page faults cost more than many a helper takes to do its work */
        (void) sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, &old);
        pid_t pid = clone(spawned, stack + SPAWN_STACK, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &spawn, &pidfd);
        int code = -errno;
        (void) sigprocmask(SIG_SETMASK, &old, NULL);
        if (pid < 0) {
                pidfd = -EBADF;
                return code;
        }
        if (ret_pidfd)
                *ret_pidfd = TAKE_FD(pidfd);
        if (ret_pid)
                *ret_pid = pid;
        return 0;
}

pid_t process_fork_bound(int signal) {
        pid_t parent = getpid(), pid = fork();

        if (pid == 0 && (prctl(PR_SET_PDEATHSIG, signal) < 0 || getppid() != parent))
                _exit(1);
        return pid;
}

int process_reap(pid_t pid) {
        int status;

        if (RETRY_EINTR(waitpid(pid, &status, 0)) < 0)
                return -errno;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
