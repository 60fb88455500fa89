/* SPDX-License-Identifier: Apache-2.0 */
/* A pod as it was asked for: what `pod create` writes to disk. What its containers share (network, ports, hosts, hostname, ID
 * map) is on record with its infra container (ContainerConfig.infra); so are the volumes and devices that members get. */
#pragma once

#include "spec/container.h"

enum { POD_CONFIG_VERSION = 1 };

typedef struct PodConfig {
        int version;           /* POD_CONFIG_VERSION */
        char *id;              /* 64 lower-case hex digits */
        char *name;
        int64_t created_usec;  /* since the epoch */
        char **create_command; /* argv of sdpod, for inspect */
        char **labels;         /* pairs */
        char **share;          /* namespaces that members join: "cgroup", "ipc", "net", "pid", "uts" */
        char *hostname;        /* NULL: the pod's name */
        char *exit_policy;     /* NULL: "continue"; "stop": when the last member has ended the pod is stopped */
        char *restart_policy;  /* of members that say nothing themselves; NULL: "no" */
        uint32_t restart_retries;
        char *infra_id;        /* the infra container; NULL: there is none */
        char *cgroup_parent;   /* a slice of systemd's; NULL: POD_CGROUP_PARENT */
        bool no_share_parent;  /* members are not in the pod's slice */
        ContainerResources resources; /* limits of that slice */
} PodConfig;

#define POD_CONFIG_NULL ((PodConfig){ .version = POD_CONFIG_VERSION })
#define POD_CGROUP_PARENT "user.slice"

extern const JsonField pod_config_fields[];

void pod_config_done(PodConfig *config);
#define _cleanup_pod_config_ _cleanup_(pod_config_done)

/* Whether members join that namespace of the infra container. */
bool pod_shares(const PodConfig *config, const char *namespace) _pure_;

/* The name of the pod's slice (owned): the parent's name is in it, as systemd wants (systemd.slice(5)). */
char *pod_slice(const PodConfig *config);

/* Whether any limit is asked of the pod's slice. */
bool pod_has_limits(const PodConfig *config) _pure_;

/* What Podman calls a pod whose containers are in these numbers (podman-pod-ps(1)). */
typedef struct PodCount {
        unsigned all, created, running, paused, ended;
} PodCount;

const char *pod_state(const PodCount *count) _pure_;
