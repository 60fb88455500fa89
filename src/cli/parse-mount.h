/* SPDX-License-Identifier: Apache-2.0 */
/* -v, --mount and --tmpfs: words to rows of ContainerConfig.mounts. The grammar is that of podman-run(1). */
#pragma once

#include "spec/container.h"

/* [SOURCE:]DESTINATION[:OPTION,...]. A source that begins with '/' or '.' is a host path (made absolute, below the
 * current directory), anything else a volume's name; without a source an anonymous volume (source NULL). */
int parse_volume(ContainerConfig *config, const char *value, Error *reterr);

/* A line of CSV: type=bind|devpts|glob|image|ramfs|tmpfs|volume,src=...,dst=...,OPTION[=VALUE],...; the type is "volume" if not
 * given. One of type glob is one bind mount for each path that is there now. The source of an image is as it was written. */
int parse_mount(ContainerConfig *config, const char *value, Error *reterr);

/* DESTINATION[:OPTION,...] */
int parse_tmpfs(ContainerConfig *config, const char *value, Error *reterr);

/* --volumes-from: CONTAINER[:ro|rw,z] */
int parse_volumes_from(const char *value, char ***words, Error *reterr);

/* The path, made absolute below the current directory and simplified as text. Owned. */
int parse_host_path(const char *path, char **ret, Error *reterr);
