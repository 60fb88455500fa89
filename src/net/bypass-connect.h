/* SPDX-License-Identifier: Apache-2.0 */
/* The answers to a container's connect(2), bind(2) and listen(2). docs/NETWORK.md has the reasons. */
#pragma once

#include <linux/seccomp.h>

#include "net/bypass-options.h"
#include "net/bypass-route.h"
#include "net/bypass-wall.h"

/* What there is of the host. */
typedef struct BypassHost {
        int proc_fd;                    /* the host's /proc */
        BypassWall wall;
        uint64_t cookie;                /* of the host's network namespace (SO_NETNS_COOKIE, Linux 5.14) */
        BypassDefaults defaults4, defaults6;
        BypassGateways gateways;
        struct in_addr source4;         /* addresses that leave; unspecified: the host decides */
        struct in6_addr source6;
} BypassHost;

/* Where the questions of a process and its children come from. */
typedef struct BypassListener {
        int fd, route_fd;
        uint64_t cookie;                /* of the container's network namespace */
} BypassListener;

typedef enum BypassVerdict {
        BYPASS_GONE,      /* nobody waits any more */
        BYPASS_CONTINUE,  /* the kernel goes on with the call, in the container's own network */
        BYPASS_RETURN,    /* the call returns `error` (0 or negative) */
        BYPASS_WAIT,      /* ... once `fd` is connected or has failed (bypass_connect_finish()), or EINPROGRESS when the time is over */
} BypassVerdict;

typedef struct BypassAnswer {
        BypassVerdict verdict;
        int error;
        int fd;               /* BYPASS_WAIT: owned by who gets the answer */
        int64_t timeout_usec; /* 0: none */
} BypassAnswer;

/* Sets what can be known at the start. 0 or -errno. */
int bypass_host_prepare(BypassHost *host);

/* The namespace's cookie of a socket; -errno where it is none. */
int bypass_socket_cookie(int fd, uint64_t *ret);

void bypass_connect_answer(const BypassHost *host, const BypassListener *listener, const struct seccomp_notif *request,
                           BypassAnswer *ret);

/* After poll(2) says that the socket is no more on its way. 0 or the negative errno that connect(2) returns. */
int bypass_connect_finish(int fd);

/* Whether whoever asked still waits. */
bool bypass_is_waiting(const BypassListener *listener, uint64_t id);
