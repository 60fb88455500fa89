/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a task of the container that waits in a system call. All of it may be another's, or gone, by the time that it is here:
 * whoever uses it asks the kernel whether the task still waits (SECCOMP_IOCTL_NOTIF_ID_VALID). */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

/* Copies so many bytes from the task's memory. 0 or -errno. */
int bypass_task_read(pid_t tid, uint64_t address, void *to, size_t size);

/* The task's descriptors can be taken through this (pidfd_getfd(2)). A pidfd, or -errno. */
int bypass_task_open(int proc_fd, pid_t tid);

/* Flags of descriptor `fd` as fcntl(2)'s F_GETFL has them, with O_CLOEXEC. */
int bypass_task_fd_flags(int proc_fd, pid_t tid, int fd);

/* Whether the task has this capability in the user namespace that we are in, too. */
bool bypass_task_may(int proc_fd, pid_t tid, unsigned capability);

enum { BYPASS_EPOLLS_MAX = 8 };

/* Who else knows a socket in the task's descriptor table. */
typedef struct BypassFdUse {
        bool duplicated;             /* another descriptor is the same socket */
        bool unknown;                /* there is too much to look through */
        int epolls[BYPASS_EPOLLS_MAX]; /* the task's numbers of its epoll instances */
        size_t n_epolls;
} BypassFdUse;

/* Looks through the table for descriptor `fd`, a socket of this inode. */
int bypass_task_fd_use(int proc_fd, pid_t tid, int fd, ino_t inode, BypassFdUse *ret);

/* The events and the data with which epoll instance `epoll` of the task watches its descriptor `fd`, file `inode`: 1, or 0 where it does
 * not. */
int bypass_task_epoll_watch(int proc_fd, pid_t tid, int epoll, int fd, ino_t inode, uint32_t *ret_events, uint64_t *ret_data);
