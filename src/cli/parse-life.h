/* SPDX-License-Identifier: Apache-2.0 */
/* How a container starts, ends and reports: restart policy, stop signal, log options, health checks, entry point. */
#pragma once

#include "spec/container.h"

/* no, never, always, unless-stopped, on-failure[:N]. */
int parse_restart(ContainerConfig *config, const char *value, Error *reterr);

int parse_stop_signal(ContainerConfig *config, const char *value, Error *reterr);

/* Seconds, or -1: wait for ever. */
int parse_stop_timeout(ContainerConfig *config, const char *value, Error *reterr);

int parse_log_driver(ContainerConfig *config, const char *value, Error *reterr);

/* path=FILE, max-size=SIZE, tag=TEXT. */
int parse_log_opt(ContainerConfig *config, const char *value, Error *reterr);

/* A JSON array of strings, or one word; "" is the empty vector. */
int parse_entrypoint(ContainerConfig *config, const char *value, Error *reterr);

/* A JSON array (CMD), a command for the shell (CMD-SHELL), or "none". */
int parse_health_cmd(ContainerConfig *config, const char *value, Error *reterr);
int parse_health_startup_cmd(ContainerConfig *config, const char *value, Error *reterr);

/* "local", "events_logger", or a directory of the host. */
int parse_health_log_destination(ContainerConfig *config, const char *value, Error *reterr);

/* A number, of which 0 means all: UINT32_MAX. */
int parse_health_log(const char *value, uint32_t *ret, Error *reterr);

/* A duration, or "disable": UINT64_MAX. */
int parse_health_interval(ContainerConfig *config, const char *value, Error *reterr);

/* An octal mode for umask(2). */
int parse_umask(ContainerConfig *config, const char *value, Error *reterr);

/* KEY=VALUE */
int parse_annotation(ContainerConfig *config, const char *value, Error *reterr);

/* A container's name. */
int parse_name(ContainerConfig *config, const char *value, Error *reterr);

/* "USER[:GROUP]"; "" is root. */
int parse_user(ContainerConfig *config, const char *value, Error *reterr);

/* A group's name or ID. */
int parse_group_add(ContainerConfig *config, const char *value, Error *reterr);

/* An absolute path in the container. */
int parse_workdir(ContainerConfig *config, const char *value, Error *reterr);

/* A size; 0, in Podman no limit, is UINT64_MAX. */
int parse_shm_size(ContainerConfig *config, const char *value, Error *reterr);

/* true, false, always. */
int parse_systemd_mode(ContainerConfig *config, const char *value, Error *reterr);
