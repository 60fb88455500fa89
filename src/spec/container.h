/* SPDX-License-Identifier: Apache-2.0 */
/* A container as it was asked for, with the image's defaults merged in: what `create` writes to disk, what a start reads,
 * what inspect shows. One table (spec/container.c) reads, writes and frees all of it. Words are the runtime-spec's and,
 * where that has none, Podman's. */
#pragma once

#include <stdint.h>

#include "base/json.h"

enum { CONTAINER_CONFIG_VERSION = 1, CONTAINER_ID_LENGTH = 64 };

typedef struct ContainerMount {
        char *type;        /* "bind", "volume", "tmpfs", "ramfs", "devpts", "image" */
        char *source;      /* absolute host path; the volume's name; the image as the user wrote it; NULL for others */
        char *image_id;    /* of an image: 64 hex digits */
        char **layers;     /* of an image: diff IDs, lowest first */
        char *destination; /* absolute path in the container */
        char **options;    /* mount options as podman-run(1) has them: ro, rw, z, Z, U, nosuid, rprivate, size=..., mode=... */
        bool anonymous;    /* a volume that goes with the container (rm -v, --rm) */
} ContainerMount;

typedef struct ContainerPort {
        char *host_ip;     /* NULL: all addresses */
        uint32_t host_port; /* 0: one is chosen at start */
        uint32_t container_port;
        char *protocol;    /* "tcp" or "udp" */
} ContainerPort;

/* One line of a uid_map or gid_map (user_namespaces(7)); `host_id` is in the user's own view, see ns/idmap.h. */
typedef struct ContainerIdMapping {
        uint32_t container_id, host_id, size;
} ContainerIdMapping;

typedef struct ContainerRlimit {
        char *type;        /* "RLIMIT_NOFILE" */
        uint64_t soft, hard; /* UINT64_MAX: unlimited */
} ContainerRlimit;

typedef struct ContainerDevice {
        char *source;      /* path on the host */
        char *destination; /* path in the container */
        char *permissions; /* "rwm" */
} ContainerDevice;

/* A limit of one block device. */
typedef struct ContainerDeviceLimit {
        char *path;        /* of the device */
        uint64_t value;    /* bytes or operations a second, or a weight */
} ContainerDeviceLimit;

typedef struct ContainerSecret {
        char *name, *id;   /* of the secret when the container was made */
        char *target;      /* below /run/secrets, or an absolute path; of `env` the variable's name */
        bool env;          /* in the environment of the process, looked up by name at each start; else a file */
        uint32_t uid, gid; /* of the file, in the container */
        uint32_t mode;
} ContainerSecret;

/* What it asks of one of its networks (state/network.h). */
typedef struct ContainerNetwork {
        char *name;           /* of the network */
        char *interface_name; /* in the container; NULL: eth0, eth1... by its place */
        char **aliases;       /* further names there */
        char **static_ips;    /* at most one of each of the network's subnets */
        char *static_mac;     /* NULL: one is made up at each start */
        char **options;       /* pairs, podman-run(1) */
} ContainerNetwork;

typedef struct ContainerResources {
        int64_t memory, memory_swap, memory_reservation; /* bytes; 0: no limit; -1: unlimited */
        uint64_t cpu_shares;                     /* 2..262144 as in cgroup v1; 0: not set */
        int64_t cpu_quota;                       /* microseconds per period; 0: not set */
        uint64_t cpu_period;                     /* microseconds; 0: 100000 */
        char *cpuset_cpus, *cpuset_mems;
        int64_t pids_limit;                      /* 0: the default; -1: unlimited */
        uint32_t blkio_weight;                   /* 10..1000 as in cgroup v1; 0: not set */
        ContainerDeviceLimit *weight_devices, *read_bps, *write_bps, *read_iops, *write_iops;
        size_t n_weight_devices, n_read_bps, n_write_bps, n_read_iops, n_write_iops;
        char **cgroup_conf;                      /* "memory.high=1073741824": files of the cgroup */
} ContainerResources;

typedef struct ContainerHealth {
        char **test;       /* NULL: none; {"CMD", ...}, {"CMD-SHELL", "..."} or {"NONE"} as in the image-spec */
        uint64_t interval_usec; /* UINT64_MAX: no timer, only by hand */
        uint64_t timeout_usec, start_period_usec;
        uint32_t retries;
        char *on_failure;  /* NULL: "none"; "kill", "restart", "stop" */
        char **startup_test; /* as test: is run instead of it until it has passed `startup_successes` times */
        uint64_t startup_interval_usec, startup_timeout_usec;
        uint32_t startup_retries; /* failures after which the container is ended; 0: never */
        uint32_t startup_successes;
        char *log_destination; /* NULL: "local"; "events_logger", or a directory */
        uint32_t log_count, log_size; /* kept results, and bytes of each; 0: the default, UINT32_MAX: all */
} ContainerHealth;

/* The values where the record has none (podman-run(1)). */
enum {
        HEALTH_INTERVAL_USEC = 30000000,
        HEALTH_TIMEOUT_USEC = 30000000,
        HEALTH_RETRIES = 3,
        HEALTH_LOG_COUNT = 5,
        HEALTH_LOG_SIZE = 500,
};

/* Whether anything is asked of block devices. */
bool container_resources_have_io(const ContainerResources *resources) _pure_;

/* Whether there is a check to be run. */
bool container_has_health_check(const ContainerHealth *health) _pure_;

typedef struct ContainerConfig {
        int version;              /* CONTAINER_CONFIG_VERSION */
        char *id;                 /* 64 lower-case hex digits */
        char *name;
        int64_t created_usec;     /* since the epoch */

        /* pods */
        char *pod;                /* ID of its pod; NULL: of none */
        bool infra;               /* it holds the pod's namespaces: neither image nor directory, its root has sdpod-infra alone */
        char *init_container;     /* "always", "once": it runs to its end before the pod's other containers start */

        /* where the root file system comes from: an image, or a directory */
        char *image;              /* as the user wrote it */
        char *image_name;         /* normalised: docker.io/library/busybox:latest */
        char *image_id;           /* 64 hex digits: the digest of the image config */
        char *image_digest;       /* "sha256:...": of the manifest */
        char *storage_driver;     /* --storage-driver when it was made; NULL: what works at the first start */
        char **layers;            /* diff IDs ("sha256:..."), lowest first */
        char *rootfs;             /* absolute path, with --rootfs */
        bool rootfs_overlay;      /* --rootfs DIR:O */
        bool read_only;

        /* process */
        char **entrypoint, **command; /* what runs is one after the other; inspect shows both */
        char **create_command;    /* argv of sdpod, for inspect */
        char **env;
        char *workdir;            /* NULL: "/" */
        bool make_workdir;        /* it is the image's: made where the image does not have it */
        char *user;               /* "name|uid[:group|gid]"; NULL: root */
        char **group_add;
        char **cap_add, **cap_drop; /* "CAP_CHOWN" or "ALL" */
        char *seccomp;            /* NULL: the default profile; "unconfined"; or an absolute path of a profile */
        bool no_new_privileges, privileged, init, terminal, open_stdin;
        char **masked_paths_add, **unmask; /* --security-opt mask=, unmask= ("ALL" or paths) */
        char **security_opt;      /* as given, for inspect */
        ContainerRlimit *rlimits;
        size_t n_rlimits;
        char *umask_text;         /* "0022"; NULL: that */
        int oom_score_adj;
        char *personality;        /* "LINUX", "LINUX32" (runtime-spec, config-linux.md); NULL: the caller's */
        char *proc_opts;          /* --security-opt proc-opts=: options of proc(5), "hidepid=2,gid=5" */
        char *apparmor;           /* --security-opt apparmor=: a profile's name; NULL: none */
        char **host_users;        /* --hostuser: their lines are added to passwd */
        char *passwd_entry, *group_entry; /* templates of such lines, with $USERNAME and the like */
        bool no_passwd;           /* --passwd=false: passwd and group are left alone */

        /* namespaces */
        char *userns;             /* NULL or "host", "keep-id[:uid=,gid=]", "auto[:size=]", "nomap", "container:ID", "ns:PATH" */
        ContainerIdMapping *uid_map, *gid_map; /* from --uidmap, --gidmap, or of the container that is joined; empty: by `userns` */
        size_t n_uid_map, n_gid_map;
        char *network;            /* NULL: "slirp"; "none", "host", "slirp[:options]", "ns:PATH", "container:ID"; "bridge": `networks` */
        ContainerNetwork *networks; /* those with a record, in the order of their interfaces; empty for all other modes */
        size_t n_networks;
        char *pid_mode, *ipc_mode, *uts_mode, *cgroupns_mode; /* NULL: "private"; "host"; "container:ID"; "ns:PATH" */
                                  /* ipc_mode besides: NULL: "shareable"; "private": nobody may join; "none": without /dev/shm */
        char *hostname;
        char **volumes_from;      /* as given: their mounts stand in `mounts` */
        char **requires;          /* --requires: IDs of containers that must run before it */

        /* files */
        ContainerMount *mounts;
        size_t n_mounts;
        ContainerDevice *devices;
        size_t n_devices;
        ContainerSecret *secrets;
        size_t n_secrets;
        uint64_t shm_size;        /* bytes; 0: 64 MiB */
        char *systemd;            /* --systemd: NULL: "true"; "false", "always" */
        bool systemd_mode;        /* what that comes to for this command: it is prepared for a systemd inside */
        char *init_path;          /* --init-path: absolute; NULL: the default one */
        uint64_t shm_size_systemd; /* bytes, of the tmpfs that --systemd mounts; 0: the kernel's default */
        bool no_hosts, no_read_only_tmpfs;
        bool no_hostname;         /* /etc/hostname is the image's */
        char *hosts_file;         /* what /etc/hosts is made from: NULL: the host's; "none", "image", or a path */
        char *timezone;           /* NULL: the image's; "local", or a name below /usr/share/zoneinfo */
        char **chroot_dirs;       /* directories of the container that get the files of its /etc, too */
        char **add_hosts;         /* "name:address" */
        char **dns, **dns_search, **dns_options;

        /* network */
        ContainerPort *ports;
        size_t n_ports;
        char **expose;            /* "80/tcp" */
        bool publish_all;         /* --publish-all: `ports` has those of `expose` */

        /* limits */
        ContainerResources resources;
        char **sysctl;            /* "net.core.x=1" */
        char *cgroups;            /* NULL: "enabled"; "disabled", "no-conmon", "split" */
        char *cgroup_parent;

        /* life */
        bool auto_remove;
        bool remove_image;        /* --rmi: the image goes, too, where nobody else uses it */
        uint32_t timeout;         /* seconds after which it is killed; 0: never */
        char *pid_file, *conmon_pid_file, *cid_file; /* absolute paths */
        char *restart_policy;     /* NULL: "no"; "always", "unless-stopped", "on-failure" */
        uint32_t restart_retries;
        int stop_signal;          /* 0: SIGTERM */
        int64_t stop_timeout;     /* seconds; -1: wait for ever */
        char *log_driver;         /* NULL: decided at start; "k8s-file", "journald", "none", "passthrough" */
        char **log_opt;           /* "path=...", "max-size=10m", "tag=..." */
        char *sdnotify;           /* NULL: "container"; "conmon", "healthy", "ignore" */
        char *notify_socket;      /* $NOTIFY_SOCKET at creation */
        char *systemd_unit;       /* $PODMAN_SYSTEMD_UNIT or $SDPOD_SYSTEMD_UNIT at creation: a unit file's container */
        ContainerHealth health;
        char **labels, **annotations; /* pairs */
} ContainerConfig;

#define CONTAINER_CONFIG_NULL ((ContainerConfig){ .version = CONTAINER_CONFIG_VERSION, .stop_timeout = 10 })

extern const JsonField container_config_fields[], container_resources_fields[];

/* The part of them that `ps` shows and that --filter asks for: a list of a thousand containers reads a thousand records. */
extern const JsonField container_listed_fields[];

/* That which says what images it is made of: before one is removed all records are read. */
extern const JsonField container_image_fields[];

/* Frees everything inside. */
void container_config_done(ContainerConfig *config);
#define _cleanup_container_config_ _cleanup_(container_config_done)

/* Whether one of the mounts that the container was asked for is at `destination`. */
bool container_has_mount(const ContainerConfig *config, const char *destination) _pure_;

/* Appends a zeroed item to an array and counts it; returns the item, or NULL when out of memory.
 *     ContainerPort *port = container_array_add((void **) &c->ports, &c->n_ports, sizeof(*port)); */
void *container_array_add(void **items, size_t *n_items, size_t size);

/* Container and volume names: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255 bytes. */
bool container_name_is_valid(const char *name) _pure_;
