/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, held by pidfd; a pid that is stored always has its start time beside it, since pids are used again. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

/* The start time of a process in clock ticks since boot, field 22 of /proc/PID/stat (proc(5)). -ESRCH if it is gone. */
int process_start_time(pid_t pid, uint64_t *ret);

/* Whether that very process is stopped (SIGSTOP, Ctrl-Z, a debugger). */
bool process_is_stopped(pid_t pid, uint64_t start_time);

/* The cgroup of a process (0: this one) in the unified hierarchy (cgroups(7)). Owned; -ENOENT: there is none. */
int process_cgroup(pid_t pid, char **ret);

/* A pidfd of `pid` if it still is the process that started at `start_time`; -ESRCH otherwise. */
int process_open(pid_t pid, uint64_t start_time);

/* pidfd_send_signal(2), pidfd_getfd(2)-style thin wrappers that return -errno. */
int process_signal(int pidfd, int signal);

/* Whether the process behind the pidfd has ended (zombies count as ended). */
bool process_has_ended(int pidfd);

/* Waits until it has ended, at most `timeout_usec` (UINT64_MAX: for ever). 0, or -ETIMEDOUT. */
int process_wait_end(int pidfd, uint64_t timeout_usec);

/* Starts a program (absolute path, argv, envp; NULL environ) with descriptors `fds[i]` at number i for all i < n_fds
 * (-EBADF: /dev/null) and nothing else open, default signal dispositions and an empty mask. Returns the pid and a
 * pidfd (may be NULL). */
int process_spawn(const char *path, char *const *argv, char *const *envp, const int *fds, size_t n_fds, pid_t *ret_pid,
                  int *ret_pidfd);

/* fork(2), of which the child gets `signal` when its parent ends, and ends at once where that is so already (prctl(2),
 * PR_SET_PDEATHSIG; a change of IDs undoes it). Returns what fork(2) does. */
pid_t process_fork_bound(int signal);

/* Reaps a child. Returns its exit status as a shell has it (128+n for a signal), or -errno. */
int process_reap(pid_t pid);
