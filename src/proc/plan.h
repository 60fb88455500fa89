/* SPDX-License-Identifier: Apache-2.0 */
/* All that the container's init needs to know, decided beforehand: the init itself takes no decisions, reads no
 * configuration and resolves no names but those inside the root file system. Made by engine/plan.c. Strings and arrays are
 * borrowed from the container's record unless they say otherwise. */
#pragma once

#include <sys/types.h>

#include "base/secret-memory.h"
#include "net/bypass-wall.h"
#include "ns/idmap.h"
#include "proc/caps.h"
#include "proc/seccomp.h"

typedef enum RootfsKind {
        ROOTFS_OVERLAY,   /* native overlay over layers */
        ROOTFS_TREE,      /* a detached mount made elsewhere (fuse-overlayfs, a volume of another map) */
        ROOTFS_DIRECTORY, /* --rootfs */
        ROOTFS_EMPTY,     /* nothing but what is mounted in it: a pod's infra container */
} RootfsKind;

typedef struct RootfsPlan {
        RootfsKind kind;
        const char *data_path;    /* the store's data directory: what the paths below are relative to */
        char **lower;             /* ROOTFS_OVERLAY: directories, highest first; owned */
        char *upper, *work;       /* owned; upper NULL: read-only overlay */
        int tree_fd;              /* ROOTFS_TREE */
        const char *directory;    /* ROOTFS_DIRECTORY: absolute path */
        bool read_only;
        bool use_volatile;        /* skip syncing: the container goes with its process (overlayfs `volatile`) */
} RootfsPlan;

typedef enum MountKind {
        MOUNT_BIND,
        MOUNT_TMPFS,
        MOUNT_RAMFS,
        MOUNT_DEVPTS,
        MOUNT_OVERLAY, /* -v SRC:DST:O, images: made elsewhere */
        MOUNT_SYMLINK, /* no mount, but the symlink that the source is (no-dereference) */
} MountKind;

typedef struct MountPlan {
        MountKind kind;
        char *source;           /* absolute host path; owned */
        char *subpath;          /* below it, where symlinks do not lead out; owned */
        int source_fd;          /* O_PATH of it as the user saw it: what the init mounts must be this very object */
        int tree_fd;            /* a detached mount made elsewhere, or -EBADF; then `source` only serves messages */
        char *destination;      /* owned */
        uint64_t attributes;    /* MOUNT_ATTR_* */
        uint64_t propagation;   /* MS_PRIVATE, ...; 0: private, and all below it */
        bool propagation_recursive;
        bool recursive;
        char *data;             /* tmpfs, ramfs, devpts: "size=64m,mode=1777"; the symlink's target; owned */
        char **lower;           /* overlay: directories, highest first, besides the source; owned */
        char *upper, *work;     /* overlay: NULL: read-only; owned */
        bool copy_up;           /* fill the fresh volume (or tmpfs) with what the image has there */
        bool keep_owner;        /* ... but the directory itself keeps its owner and mode */
        bool chown;             /* :U: to the container's user */
} MountPlan;

/* A user of the host whose line the container's passwd gets. */
typedef struct HostUser {
        char *name, *gecos, *home; /* owned */
        uid_t uid;
        gid_t gid;
} HostUser;

/* A file in a tmpfs that only the container sees. */
typedef struct SecretPlan {
        SecretMemory content;   /* owned */
        char *target;           /* below /run/secrets, or an absolute path; owned */
        uid_t uid;
        gid_t gid;
        mode_t mode;
} SecretPlan;

typedef struct DevicePlan {
        const char *source, *destination, *permissions;
} DevicePlan;

enum { NAMESPACE_JOINS_MAX = 8 };

/* What setns(2) takes: a pidfd with the namespaces to enter of that process (Linux 5.8), or one namespace. */
typedef struct NamespaceJoin {
        int fd;                  /* owned */
        int flags;
        char *what;              /* for the message: "the namespaces of container 'x'"; owned */
} NamespaceJoin;

/* Which namespaces are made, and which are joined. */
typedef struct NamespacePlan {
        int flags;               /* CLONE_NEW* to make; CLONE_NEWUSER too unless the map is root's own, or one is joined */
        NamespaceJoin joins[NAMESPACE_JOINS_MAX]; /* before the clone, in this order: the user namespace is in the first */
        size_t n_joins;
        NamespaceJoin cgroup;    /* the cgroup namespace: once the init is in its own cgroup; fd -EBADF: none */
        bool user;               /* the user namespace is joined */
        bool host_network, host_pid, host_ipc, host_cgroup; /* the starter's own is kept */
        bool no_shm;             /* --ipc=none */
        int shm_fd;              /* a detached mount of the /dev/shm that is shared, or -EBADF */
} NamespacePlan;

typedef struct ProcPlan {
        const ContainerConfig *config;
        UserMap map;             /* owned */
        int parent_userns_fd;    /* the user namespace in which the container's is made; -EBADF: the starter's own */
        UserMap parent_view;     /* then: the map as seen from there; owned */
        bool parent_userns_optional; /* it only saves time (ns/pinned.h): where it cannot be used, the starter's own is */
        NamespacePlan namespaces;
        bool tcp_is_local;       /* no TCP connection of its network namespace leaves this machine as such (proc/sysctl.h) */
        bool hands_out_namespaces; /* the init sends its user and network namespace, for those who may not look into it */
        RootfsPlan rootfs;
        MountPlan *mounts;       /* in the order in which they are made; owned */
        size_t n_mounts;
        SecretPlan *secrets;     /* owned */
        size_t n_secrets;
        bool secrets_apart;      /* somebody else's mount is on /run/secrets: each is mounted by itself */
        SecretMemory *secret_env; /* "NAME=VALUE": what else is in the environment; owned */
        size_t n_secret_env;
        char **masked_paths, **read_only_paths; /* owned */
        CapSet caps;
        SeccompFilter seccomp;
        BypassWall bypass;       /* sdpod-bypass is asked about connections (proc/seccomp-bypass.h); BYPASS_WALL_NONE: it is not */
        char *kept_name;         /* keep-id: the user's name, which passwd and group of the container get a line of; owned */
        uid_t kept_uid;
        gid_t kept_gid;
        char *kept_gecos;        /* may be NULL; owned */
        HostUser *host_users;    /* --hostuser: owned */
        size_t n_host_users;
        char **args;             /* what is executed; owned */
        char **env;              /* the whole environment but HOME, which the user decides; owned */
        const char *hostname;    /* NULL: not set */
        int cgroup_fd;           /* directory of the container's cgroup to be born in, or -EBADF */
        int stdio[3];            /* for no terminal: becomes 0, 1, 2 */
        int listen_fds;          /* number of socket-activation descriptors from 3 on (sd_listen_fds(3)) */
        int notify_fd;           /* the starter's: where the container's words for systemd come to, or -EBADF */
        const int *kept_fds;     /* further descriptors of the caller's that the process gets, ascending */
        size_t n_kept_fds;
        const char *init_path;   /* --init: a static init on the host, bound to /run/podman-init */
        int failure_exit_status;  /* what the init ends with when it cannot execute the program; 0: by the error (125, 126, 127) */
        bool orphan;              /* where it can be had: the child of the subreaper that will supervise it, from the beginning */
        bool die_with_parent;    /* a foreground container ends when its command is killed */
        int (*place)(pid_t pid, void *data, Error *reterr); /* puts the waiting init into its cgroup; NULL: it is there */
        void *place_data;
        bool cgroup_rw;          /* /sys/fs/cgroup writable (--systemd, --privileged) */
} ProcPlan;

#define PROC_PLAN_NULL                                                                                  \
        ((ProcPlan){ .parent_userns_fd = -EBADF, .rootfs = { .tree_fd = -EBADF }, .cgroup_fd = -EBADF, .notify_fd = -EBADF, \
                     .stdio = { -EBADF, -EBADF, -EBADF },                                               \
                     .namespaces = { .cgroup = { .fd = -EBADF }, .shm_fd = -EBADF } })

void proc_plan_done(ProcPlan *plan);
#define _cleanup_proc_plan_ _cleanup_(proc_plan_done)

/* Overwrites and frees the secrets: the init, once it is cloned, has its own. */
void proc_plan_forget_secrets(ProcPlan *plan);

/* Appends a mount with its descriptors unset; NULL when out of memory. */
MountPlan *proc_plan_add_mount(ProcPlan *plan);
