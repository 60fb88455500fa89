/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of a container's init share. Only for the files of this room that run inside it, from the clone to the exec. */
#pragma once

#include "ns/idmap.h"
#include "oci/identity.h"
#include "oci/mount-options.h"
#include "oci/namespaces.h"
#include "oci/process.h"

typedef struct OciInside {
        const OciCreate *create;
        const RuntimeSpec *spec;
        const OciNamespaces *namespaces;
        OciMountOptions *options;    /* of each of spec->mounts */
        int *tree_fds;               /* for each of them: a detached mount that the starter made; later one to make read-only; or -EBADF */
        int *device_fds;             /* for each of spec->devices: likewise a node, in a file system of the starter's */
        int root_tree_fd;            /* the root file system's, likewise */
        int sync_fd, peer_fd;        /* the handshake with the starter, and the starter's end of it */
        int listen_fd;               /* the socket `start` */
        int root_fd;                 /* the container's root mount */
        int proc_fd;                 /* the host's /proc, verified: no image has shaped it */
        int null_fd;                 /* the host's /dev/null, verified */
        int empty_fd;                /* the mount that covers the first masked directory, or -EBADF */
        int console_fd, master_fd;   /* the terminal's two sides, or -EBADF */
        pid_t pid;                   /* as the runtime has it */
        OciLabels labels;            /* what the host's kernel has */
        char *program;               /* what args[0] means; owned */
        char **env;                  /* owned */
        char *listener_message;      /* for who hears the filter's questions; owned, or NULL */
} OciInside;

/* What the init does after the clone; does not return. */
_noreturn_ void oci_init_run(OciInside *inside);

/* Each step returns 0 or -errno with the error set. Their order is in init.c. */
int oci_mount_root(OciInside *inside, Error *reterr);          /* rootfs.c */
int oci_enter_root(OciInside *inside, Error *reterr);
int oci_move_root(const OciInside *inside, Error *reterr);     /* no-pivot.c: to the place where chroot(2) is enough */
bool oci_root_stays_shared(const OciInside *inside);           /* its mounts are to be seen outside (rootfsPropagation) */
bool oci_root_is_joined(const OciInside *inside);              /* its mount namespace is somebody else's, who sees its mounts */
bool oci_root_is_host(const OciInside *inside);                /* ... the caller's, which stays as it is (host-mounts.h) */
int oci_mount_early(OciInside *inside, Error *reterr);         /* mounts.c: what does not show the cgroup */
int oci_mount_late(OciInside *inside, Error *reterr);
int oci_make_read_only(OciInside *inside, Error *reterr);      /* what was left writable until all is in it */
int oci_prepare_devices(OciInside *inside, Error *reterr);     /* devices.c; by the starter */
int oci_make_devices(OciInside *inside, Error *reterr);
int oci_give_cgroup(const OciInside *inside, Error *reterr);   /* cgroup-owner.c; by the starter */
int oci_make_console(OciInside *inside, Error *reterr);        /* console.c */
int oci_hide_paths(OciInside *inside, Error *reterr);          /* masks.c */
int oci_settle(OciInside *inside, Error *reterr);              /* settle.c: host name, sysctl, ... of the namespaces */

/* A mount of type cgroup on a machine with v1 hierarchies (cgroup-mounts.c). */
int oci_mount_cgroups(OciInside *inside, const RuntimeMount *mount, const OciMountOptions *options, Error *reterr);

/* Of linux.uidMappings and linux.gidMappings; borrowed. */
static inline IdMap oci_uid_map(const RuntimeSpec *spec) {
        return (IdMap){ .ranges = spec->uid_mappings, .n = spec->n_uid_mappings };
}

static inline IdMap oci_gid_map(const RuntimeSpec *spec) {
        return (IdMap){ .ranges = spec->gid_mappings, .n = spec->n_gid_mappings };
}
