/* SPDX-License-Identifier: Apache-2.0 */
/* --sysctl: only what belongs to a namespace of the container's own may be written (namespaces(7), sysctl(8)), so that
 * no word of a user, a unit or an image changes a setting of the host. */
#pragma once

#include "base/error.h"

/* The namespaces that are the container's own and not another's or the host's. */
typedef enum SysctlNamespaces {
        SYSCTL_NAMESPACE_IPC = 1 << 0,
        SYSCTL_NAMESPACE_NET = 1 << 1,
        SYSCTL_NAMESPACE_UTS = 1 << 2,
} SysctlNamespaces;

/* Checks "key=value" words; a key is written with dots or slashes. -EINVAL or -EPERM with a message for the first bad one. */
int sysctl_check(char *const *words, SysctlNamespaces own, Error *reterr);

/* What a network namespace of the container's own begins with, unless a word says otherwise: its root group may ping without CAP_NET_RAW
 * (icmp(7), ping_group_range), as with Podman; and where no TCP connection of it leaves this machine without being made anew by
 * sdpod-net, there is nothing for congestion control to find out: Reno, which every kernel has, sends at once, while the host's default
 * may be BBR, whose pacing costs more than the sending. `proc_fd` as below. */
int sysctl_apply_defaults(char *const *words, bool tcp_is_local, int proc_fd, Error *reterr);

/* Writes them below `proc_fd`, which must be the root of a procfs that the container cannot have shaped (a private
 * fsmount(2), or /proc before anything of the image runs). Checks again. */
int sysctl_apply(char *const *words, SysctlNamespaces own, int proc_fd, Error *reterr);
