/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a socket of the host that a container holds from going elsewhere. Whatever asks before a call, the call itself may be
 * another by then (seccomp_unotify(2)); so there is a wall in the kernel, one of two. */
#pragma once

#include "base/error.h"

typedef enum BypassWall {
        BYPASS_WALL_NONE,
        BYPASS_WALL_TIE,      /* each socket is tied to its peer (net/bypass-target.h), for everybody who holds it */
        BYPASS_WALL_LANDLOCK, /* the container's processes can neither connect nor bind TCP sockets; sdpod-bypass does it for them */
} BypassWall;

/* Which one this process, an ordinary user in the host's network, can have. Kernels since 2026 let nobody but an administrator filter a TCP
 * socket, and so there is no tie. -EOPNOTSUPP, with a message: none. */
int bypass_wall_choose(BypassWall *ret, Error *reterr);

/* The second: puts this thread and its children under it for good. Needs no_new_privs or CAP_SYS_ADMIN. No allocation. */
int bypass_wall_raise(void);
