/* SPDX-License-Identifier: Apache-2.0 */
/* Lock files of blobs. */
#include "image/pull-lock.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "spec/digest.h"

#define LOCKS_DIRECTORY "pulls"

/* How often a holder is looked at, and how often in a row it must have been stopped. */
enum { LOOK_SECONDS = 2, STOPPED_LOOKS = 4 };

/* What stands in the file of a lock for writing. */
typedef struct Holder {
        pid_t pid;
        uint64_t start_time;
} Holder;

/* 0; -EAGAIN: somebody else has it; or another -errno. */
static int lock(int fd, short type, int command) {
        struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

        if (RETRY_EINTR(fcntl(fd, command, &lock)) >= 0)
                return 0;
        return errno == EACCES ? -EAGAIN : -errno;
}

/* Whether the file still has its name: who removed it held the lock before us. */
static bool has_name(int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && st.st_nlink > 0;
}

static int open_lock(int dir_fd, const char *hex, Error *reterr) {
        int fd = openat(dir_fd, hex, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

        return fd < 0 ? error_set_errno(reterr, -errno, "cannot open a lock of a pull") : fd;
}

/* Removes it if nobody locks it. */
static void remove_idle(int dir_fd, const char *hex) {
        _cleanup_fd_ int fd = openat(dir_fd, hex, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0 && lock(fd, F_WRLCK, F_OFD_SETLK) >= 0 && has_name(fd))
                (void) unlinkat(dir_fd, hex, 0);
}

int pull_lock_open(const Store *store, Error *reterr) {
        _cleanup_fd_ int fd = store_open_runtime(store, LOCKS_DIRECTORY, reterr), list_fd = -EBADF;

        if (fd < 0)
                return fd;
        list_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = list_fd < 0 ? NULL : fdopendir(list_fd);
        if (!dir)
                return error_set_errno(reterr, -errno, "cannot read the locks of pulls");
        (void) TAKE_FD(list_fd);
        for (struct dirent *e; (e = readdir(dir));)
                if (digest_hex_is_valid(e->d_name))
                        remove_idle(fd, e->d_name);
        (void) closedir(dir);
        return TAKE_FD(fd);
}

/* Who fetches: a lock does not tell. Where it cannot be written, nobody asks. */
static void write_holder(int fd) {
        Holder holder;

        memset(&holder, 0, sizeof(holder)); /* the padding is written, too */
        holder.pid = getpid();
        if (process_start_time(holder.pid, &holder.start_time) >= 0)
                (void) !pwrite(fd, &holder, sizeof(holder), 0);
}

/* Whether who fetches was stopped. */
static bool holder_is_stopped(int fd) {
        Holder holder;

        return pread(fd, &holder, sizeof(holder), 0) == sizeof(holder) && process_is_stopped(holder.pid, holder.start_time);
}

int pull_lock_try(int dir_fd, const char *hex, int *ret_fd, Error *reterr) {
        static const struct {
                short type;
                PullLockState state;
        } rows[] = { { F_WRLCK, PULL_LOCK_OURS }, { F_RDLCK, PULL_LOCK_SHARED } };

        for (;;) {
                _cleanup_fd_ int fd = open_lock(dir_fd, hex, reterr);
                int r = fd < 0 ? fd : -EAGAIN;
                size_t i;

                for (i = 0; i < ELEMENTSOF(rows) && r == -EAGAIN; i++)
                        r = lock(fd, rows[i].type, F_OFD_SETLK);
                if (fd < 0)
                        return fd;
                *ret_fd = -EBADF;
                if (r == -EAGAIN)
                        return PULL_LOCK_BUSY;
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot take a lock of a pull");
                if (!has_name(fd))
                        continue;
                if (rows[i - 1].state == PULL_LOCK_OURS)
                        write_holder(fd);
                *ret_fd = TAKE_FD(fd);
                return (int) rows[i - 1].state;
        }
}

int pull_lock_share(int fd) {
        return lock(fd, F_RDLCK, F_OFD_SETLK);
}

int pull_lock_own(int fd) {
        return lock(fd, F_WRLCK, F_OFD_SETLK);
}

void pull_lock_release(int dir_fd, const char *hex, int fd) {
        if (fd < 0)
                return;
        if (lock(fd, F_WRLCK, F_OFD_SETLK) >= 0 && has_name(fd))
                (void) unlinkat(dir_fd, hex, 0);
        (void) fd_close(fd);
}

static void nothing(_unused_ int signal) {
}

/* Interrupts the wait for the lock. */
static void start_clock(void) {
        const struct sigaction action = { .sa_handler = nothing }; /* without SA_RESTART */
        const struct itimerval every = { .it_interval.tv_sec = LOOK_SECONDS, .it_value.tv_sec = LOOK_SECONDS };
        sigset_t alarm;

        (void) sigemptyset(&alarm);
        (void) sigaddset(&alarm, SIGALRM);
        (void) sigaction(SIGALRM, &action, NULL);
        (void) sigprocmask(SIG_UNBLOCK, &alarm, NULL);
        (void) setitimer(ITIMER_REAL, &every, NULL);
}

/* Whether the name has come to stand for another file: somebody has given this one up. */
static bool is_given_up(int fd, int dir_fd, const char *hex) {
        struct stat ours, named;

        return fstat(fd, &ours) < 0 || fstatat(dir_fd, hex, &named, AT_SYMLINK_NOFOLLOW) < 0 || ours.st_ino != named.st_ino;
}

/* A lock whose holder stands still is taken away from its name: who looks next makes a new one, and fetches. The one who goes on some
 * day finds the blob in the store, or is the first. */
_noreturn_ static void wait_for_lock(int lock_fd, int pipe_fd, int dir_fd, const char *hex, short type) {
        struct flock wanted = { .l_type = type, .l_whence = SEEK_SET };
        int *const kept[] = { &lock_fd, &pipe_fd, &dir_fd };
        int stopped = 0;

        (void) signal(SIGINT, SIG_IGN);
        if (fd_keep(kept, ELEMENTSOF(kept)) < 0)
                _exit(1);
        start_clock();
        while (fcntl(lock_fd, F_OFD_SETLKW, &wanted) < 0) {
                if (errno != EINTR || is_given_up(lock_fd, dir_fd, hex))
                        _exit(1);
                stopped = holder_is_stopped(lock_fd) ? stopped + 1 : 0;
                if (stopped < STOPPED_LOOKS)
                        continue;
                (void) unlinkat(dir_fd, hex, 0);
                _exit(1);
        }
        _exit(0);
}

int pull_wait_start(int dir_fd, const char *hex, PullLockState state, PullWait *ret, Error *reterr) {
        _cleanup_fd_ int lock_fd = open_lock(dir_fd, hex, reterr);
        int pair[2];

        if (lock_fd < 0)
                return lock_fd;
        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot wait for another pull");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        pid_t pid = process_fork_bound(SIGKILL); /* the description is ours, too, and so is the lock */
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot wait for another pull");
        if (pid == 0)
                wait_for_lock(lock_fd, theirs, dir_fd, hex, state == PULL_LOCK_OURS ? F_WRLCK : F_RDLCK);
        *ret = (PullWait){ .pid = pid, .pipe_fd = TAKE_FD(ours), .lock_fd = TAKE_FD(lock_fd), .state = state };
        return 0;
}

void pull_wait_done(PullWait *wait) {
        if (wait->pid > 0) {
                (void) kill(wait->pid, SIGKILL);
                (void) process_reap(wait->pid);
        }
        (void) fd_close(wait->pipe_fd);
        (void) fd_close(wait->lock_fd);
        *wait = PULL_WAIT_NULL;
}

bool pull_lock_is_held(const Store *store, const char *hex) {
        char path[sizeof(LOCKS_DIRECTORY) + 1 + DIGEST_HEX_LENGTH];

        if (!digest_hex_is_valid(hex))
                return false;
        (void) snprintf(path, sizeof(path), LOCKS_DIRECTORY "/%s", hex);
        _cleanup_fd_ int fd = openat(store->runtime_fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        return fd >= 0 && lock(fd, F_WRLCK, F_OFD_SETLK) == -EAGAIN;
}
