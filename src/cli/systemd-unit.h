/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a service for `generate systemd` (podman-generate-systemd(1)). */
#pragma once

#include "cli/command-line.h"
#include "unit/buffer.h"

typedef struct SystemdOptions {
        bool files, new, name, no_header, template;
        char **after, **requires, **wants, **env;
        char *format, *restart_policy, *container_prefix, *pod_prefix, *separator;
        uint32_t restart_sec, start_timeout, stop_timeout;
        bool restart_sec_given, start_timeout_given, stop_timeout_given;
} SystemdOptions;

/* What the service starts, stops and removes. */
typedef struct SystemdUnit {
        const SystemdOptions *options;
        const CommandLine *line;    /* --new: the command that made it */
        bool pod;
        const char *unit;           /* "container-web", without .service */
        const char *name;           /* of what is started: name or ID; of a pod without --new its infra container */
        const char *pod_unit;       /* of a member: the pod's "pod-shop" */
        char *const *requires;      /* units of --requires, without .service */
        char *const *starts;        /* of a pod: units of its members */
        const char *restart_policy; /* of the record; NULL */
        bool payload_notifies;      /* --sdnotify=container was asked for */
        int64_t stop_timeout;       /* of the record */
        const char *online;         /* what says that the network is there */
} SystemdUnit;

/* 0, or -ENOMEM. */
int systemd_unit_text(const SystemdUnit *unit, Arena *arena, Text *ret);
