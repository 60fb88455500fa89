/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces, ID maps and what goes into resolv.conf and hosts. */
#pragma once

#include "spec/container.h"

/* "", host, keep-id[:uid=N,gid=N], auto[:size=N], nomap, container:NAME, ns:PATH. */
int parse_userns(ContainerConfig *config, const char *value, Error *reterr);

/* Whether a map has one of the flags that engine/id-maps.h reads. */
bool parse_id_map_has_flags(const char *value) _pure_;

/* CONTAINER:HOST[:SIZE] into an array of mappings that do not overlap. */
int parse_id_map(const char *value, ContainerIdMapping **items, size_t *n_items, Error *reterr);

/* Appends `n` mappings to an empty array: one map stands for both. */
int parse_id_map_copy(const ContainerIdMapping *from, size_t n, ContainerIdMapping **items, size_t *n_items, Error *reterr);

/* --pid, --uts, --cgroupns: "", private, host, container:ID, ns:PATH. `field` gets NULL for private. */
int parse_namespace(const char *value, char **field, Error *reterr);

/* --ipc: the same, besides shareable (NULL), private and none, which nobody may join. */
int parse_ipc(const char *value, char **field, Error *reterr);

/* --requires: names with commas between. */
int parse_requires(const char *value, char ***names, Error *reterr);

/* --dns: an address, or "none", alone. */
int parse_dns(ContainerConfig *config, const char *value, Error *reterr);

/* A word of resolv.conf: nothing that would begin another word or line. */
int parse_resolv_word(const char *value, char ***words, Error *reterr);

/* NAME:ADDRESS */
int parse_add_host(ContainerConfig *config, const char *value, Error *reterr);

/* Letters, digits, '-', '_' and '.', at most 64 bytes, the kernel's limit. */
int parse_hostname(ContainerConfig *config, const char *value, Error *reterr);
