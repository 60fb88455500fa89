/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of the container's init share. Only for the files of this room that run inside it. */
#pragma once

#include "proc/plan.h"

typedef struct Init {
        const ProcPlan *plan;
        int root_fd;     /* the container's root mount */
        int proc_fd;     /* a private handle of the container's procfs: nothing the image or a volume can cover */
        int null_fd;     /* the host's /dev/null, verified */
        int empty_fd;    /* the mount that covers the first masked directory, or -EBADF */
        int console_fd;  /* the terminal's own side, or -EBADF */
        int master_fd;   /* the other side, for the starter */
} Init;

/* Each step returns 0 or -errno with the error set. Their order is in init.c. */
int init_mount_root(Init *init, Error *reterr);         /* rootfs.c */
int init_mount_proc(Init *init, Error *reterr);         /* kernel-mounts.c */
int init_mount_dev(Init *init, Error *reterr);
int init_mount_sys(Init *init, Error *reterr);
int init_mount_cgroup(Init *init, Error *reterr);
int init_mask_paths(Init *init, Error *reterr);
int init_mount_volumes(Init *init, Error *reterr);      /* volumes.c */
int init_mount_secrets(Init *init, Error *reterr);      /* secrets.c */
int init_list_user(Init *init, Error *reterr);          /* accounts.c */
int init_seal_root(Init *init, Error *reterr);          /* rootfs.c */
int init_pivot_root(Init *init, Error *reterr);

/* Whether the mount is the one that /dev/pts becomes when /dev is made, so that the container's terminal is in it. */
bool init_is_terminals(const MountPlan *mount);

/* Whether something may be mounted there, whatever symlinks led to it: neither on the root nor over what the kernel shows. */
int init_check_target(const Init *init, int target_fd, Error *reterr);

/* Opens the place for a mount inside the root, making directories (or an empty file, `as_file`) where missing. Symlinks
 * resolve inside the root. Returns an O_PATH descriptor. */
int init_open_target(const Init *init, const char *path, bool as_file, Error *reterr);
