/* SPDX-License-Identifier: Apache-2.0 */
/* The last steps of a container's init before its exec: limits, capabilities, identity, no_new_privs and the seccomp
 * filter, in the one order that works. */
#pragma once

#include "net/bypass-wall.h"
#include "proc/caps.h"
#include "proc/rlimit.h"
#include "proc/seccomp.h"
#include "proc/user.h"

/* Theory of operation
 *
 *   1. resource limits           while nothing else is reduced
 *   2. bounding set, keepcaps    needs CAP_SETPCAP
 *   3. setgroups, setgid, setuid needs CAP_SETGID and CAP_SETUID; keepcaps saves the permitted set across it
 *   4. capability sets           what the process keeps, and CAP_SYS_ADMIN until the exec where step 6 needs it
 *   5. no_new_privs              where it was asked
 *   6. seccomp                   that of sdpod-bypass first, where there is one: what follows it stands above it; then, last: from here the filter of a stranger's profile judges our own calls, and only
 *                                execve (and write and exit, to report that it failed) is left to do
 *
 * seccomp(2) wants no_new_privs or CAP_SYS_ADMIN in the user namespace. The process may keep that capability up to its
 * execve because execve computes the sets anew from the bounding, inheritable and ambient sets, and none of them has it
 * unless it was granted (capabilities(7), "Transformation of capabilities during execve()"). */
typedef struct Credentials {
        const ContainerUser *user;
        const CapSet *caps;
        const RlimitPlan *rlimits;
        const SeccompFilter *seccomp;
        bool no_new_privileges;
        BypassWall bypass;     /* BYPASS_WALL_NONE: no sdpod-bypass is asked */
        int bypass_fd;         /* else where the listener of its filter goes (proc/seccomp-bypass.h) */
        bool setgroups_denied; /* /proc/self/setgroups says so: a user namespace that maps a single ID */
} Credentials;

/* The execution domain by its name in a record (NULL: the caller's), personality(2). Before the filter, which has its own mind
 * about that call. */
int personality_apply(const char *name, Error *reterr);

/* The OOM score adjustment (0: as it is), while /proc/self is this process's own: whoever changes its IDs, or is not dumpable, may not
 * write there any more (proc(5)). */
int oom_score_apply(int score, Error *reterr);

/* The AppArmor profile (NULL: none) that the next execve() puts this process under; `proc_fd` is a procfs that shows it. */
int apparmor_apply(const char *profile, int proc_fd, Error *reterr);

/* Puts all of it into force on this process, which must have a single thread. No allocation. On failure -errno, and
 * *ret_failed is what could not be done, for the message ("cannot <it>: ..."): static. */
int credentials_apply(const Credentials *credentials, const char **ret_failed);
