/* SPDX-License-Identifier: Apache-2.0 */
/* What the router holds: networks that are in use, containers that use them, and sdpod-net as its uplink. */
#pragma once

#include "engine/router-wire.h"
#include "net/helper.h"
#include "net/names.h"
#include "net/plumb.h"
#include "net/port-bind.h"
#include "state/store.h"

/* A network that some container uses: it has its bridge. */
typedef struct RoutedNetwork {
        NetworkConfig config;
        size_t n_users;
        struct RoutedNetwork *parent; /* of macvlan and ipvlan: whose link they share */
        PortSockets sockets;     /* of a vxlan network */
        uint64_t key;            /* by which sdpod-net knows them; 0: another network has the port */
        struct RoutedNetwork *next;
} RoutedNetwork;

typedef struct RoutedContainer {
        char *id, *name;
        uint64_t key;            /* by which sdpod-net knows it */
        char *target;            /* where sdpod-net was told that its ports lead; NULL: nowhere */
        int pidfd, netns_fd;
        RouterLink *links;       /* with the networks that it is connected to */
        size_t n_links;
        char **dns;              /* name servers of its own; NULL: none */
        NetPort *ports;          /* as they are bound */
        PortSockets *sockets;    /* of them; kept, so that a new sdpod-net gets them, too */
        size_t n_ports;
        void *watch;             /* of whoever waits for its end */
        struct RoutedContainer *next;
} RoutedContainer;

typedef struct RouterState {
        const Store *store;
        Router router;
        int directory_fd;        /* ROUTER_DIRECTORY */
        RoutedNetwork *networks;
        RoutedContainer *containers;
        size_t n_containers;
        uint64_t next_key;
        NetHelper uplink;        /* sdpod-net */
        int uplink_socket;       /* what is told it */
        int64_t uplink_first_usec;   /* since when its starts are counted */
        unsigned uplink_starts;
        bool ending;             /* all goes with the namespace */
        bool inherited;          /* the namespace is that of a router before this one */
        bool taking_up;          /* ... and what it has left is still being found */
        int guard_fd;            /* by which their addresses are told the kernel; -EBADF: not yet */
        bool unguarded;          /* the kernel cannot look at frames on a bridge, */
        bool uncounted;          /* nor count connections */
        void (*forgotten)(RoutedContainer *container, void *data); /* called before a container that has a `watch` goes */
        struct RoutedNames *names; /* who answers them (engine/router-names.h) */
        void (*names_forgotten)(struct RoutedNames *names, void *data); /* called before such a process goes */
        void *data;
} RouterState;

#define ROUTER_STATE_NULL \
        ((RouterState){ .router = ROUTER_NULL, .directory_fd = -EBADF, .uplink = NET_HELPER_NULL, .uplink_socket = -EBADF, .guard_fd = -EBADF })

void router_state_done(RouterState *state);

/* Connects a container, or one that is there to a further network. The descriptors are taken over (and set to -EBADF) where this
 * succeeds. *ret is the container; whoever calls watches its pidfd, and says so in `watch`. */
int router_attach(RouterState *state, RouterRequest *request, int *pidfd, int *netns_fd, RoutedContainer **ret, Error *reterr);

/* Puts right what is missing of a container that runs: links, rules, published ports. Otherwise as router_attach(). */
int router_reload(RouterState *state, RouterRequest *request, int *pidfd, int *netns_fd, RoutedContainer **ret, Error *reterr);

/* Takes a container away from a network, or (NULL) from all: then it is forgotten. Its links go with its namespace when it has
 * ended. */
int router_detach(RouterState *state, const char *id, const char *network, Error *reterr);

/* The network by its name, made if nobody uses it yet; who takes it counts up `n_users`, or releases it. */
int router_take_network(RouterState *state, const char *name, RoutedNetwork **ret, Error *reterr);

/* Puts the rules of all networks and containers into the kernel. */
int router_apply_rules(RouterState *state, Error *reterr);

/* Removes it if nobody uses it. */
void router_release_network(RouterState *state, RoutedNetwork *network);

RoutedNetwork *router_find_network(const RouterState *state, const char *name);
