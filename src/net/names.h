/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the containers of a network: dnsmasq(8) on the bridge of the router namespace, one for each network with dns_enabled.
 *
 * Theory of operation. Each container has a file with its names in a directory that dnsmasq watches (--hostsdir, inotify(7)), so
 * that one more costs one rename(2), however many are there. No answer is waited for: dnsmasq looks at its inotify descriptor before
 * it reads a query (poll(2) tells of both), and the rename is in that queue before the container has run and can ask. The file is
 * named after the address, not the container, since dnsmasq never forgets the name of a file that it has seen.
 *
 * dnsmasq reads what hostile containers send. It runs as nobody, with user, mount, PID, IPC and UTS namespaces of its own, in a root
 * with nothing but the system's libraries, the directory of names, /dev/null and /dev/urandom, without a capability that counts
 * anywhere, under limits and a seccomp filter. It is the init of its PID namespace: what it forks for TCP ends with it. It is told
 * the bridge and takes only what came in by it (--bind-dynamic looks at the interface of each packet), so that a container cannot
 * ask for the names of another network. It ends with the process that started it.
 *
 * A resolver takes "there is no such name" from its first server for an answer, and dnsmasq does not look at who asks. So a container
 * on several networks has a dnsmasq of its own, with the directories of all of them, in its own network namespace. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "spec/network.h"

#define NAMES_DOMAIN "dns.podman" /* the one that Podman has: `web` is also `web.dns.podman` */

#define NAMES_ADDRESS "127.0.0.11" /* of a container's own resolver, in its network namespace */

enum {
        NAMES_PEER_PORT = 5354,   /* where other hosts ask */
        NAMES_NETWORKS_MAX = 16,  /* of one request */
};

typedef enum NamesRole {
        NAMES_OF_NETWORK,    /* the containers of a network ask, on its bridge */
        NAMES_FOR_PEERS,     /* other hosts (`peers`) ask there for names of this one, and nothing else is answered */
        NAMES_OF_CONTAINER,  /* one container asks, at NAMES_ADDRESS, for the names of several networks, or with servers of its own */
} NamesRole;

typedef struct NamesRequest {
        NamesRole role;
        const char *subject;      /* "network 'x'", for messages */
        const NetworkConfig *const *networks; /* whose names */
        size_t n_networks;
        const char *interface;    /* the network's bridge; it has its addresses already. Not of a container */
        int userns_fd, netns_fd;  /* of the router, or the container's network namespace; -EBADF: the caller's (its user namespace is root's) */
        int directory_fd;         /* where the names are: names/NETWORK/ below it */
        char *const *upstream;    /* who is asked for other names; nobody where all networks are internal */
        char *const *peers;       /* who is asked for names of containers that are not known here: addresses of other hosts */
        const char *program;      /* NULL: the installed dnsmasq */
} NamesRequest;

typedef struct Names {
        pid_t pid;  /* a child of the caller; SIGKILL ends all of it */
        int pidfd;  /* owned */
} Names;

#define NAMES_NULL ((Names){ .pidfd = -EBADF })

/* Where dnsmasq is installed; NULL: nowhere. */
const char *names_program(void);

/* Starts dnsmasq; it answers when this returns. -ENOENT with a hint: there is no such program. */
int names_start(const NamesRequest *request, Names *ret, Error *reterr);

/* Closes the descriptor. The process runs on. */
void names_done(Names *names);

/* From now on the names lead to the addresses and, the first name, back. Names that DNS cannot have are left out. The directory is made
 * if need be. `addresses`: at least one, "10.89.0.2" or "10.89.0.2/24". */
int names_add(int directory_fd, const char *network, char *const *addresses, char *const *names, Error *reterr);

/* The end of that; `addresses` as they were added. No error if nothing is there. */
int names_remove(int directory_fd, const char *network, char *const *addresses);

/* Removes the network's directory with all names; NULL: those of all networks. */
int names_clear(int directory_fd, const char *network);

/* Whether DNS can have it: labels of up to 63 letters, digits, '-' and '_', with dots between, 253 bytes at most. */
bool names_is_valid(const char *name) _pure_;
