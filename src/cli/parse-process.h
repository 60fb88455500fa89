/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns the container's process and the small files around it: personality, time zone, lines of passwd, ... */
#pragma once

#include "spec/container.h"

/* "LINUX" or "LINUX32"; "" is none. */
int parse_personality(ContainerConfig *config, const char *value, Error *reterr);

/* "local", or ("" is none) a name such as Europe/Berlin, which this machine must know. */
int parse_timezone(ContainerConfig *config, const char *value, Error *reterr);

/* One line, with $USERNAME, $UID, $GID, $NAME and $HOME; and with $GROUPNAME, $GID and $USERLIST. */
int parse_passwd_entry(ContainerConfig *config, const char *value, Error *reterr);
int parse_group_entry(ContainerConfig *config, const char *value, Error *reterr);

/* A user's name or ID on the host. */
int parse_host_user(ContainerConfig *config, const char *value, Error *reterr);

/* "none", "image", or a file of the host. */
int parse_hosts_file(ContainerConfig *config, const char *value, Error *reterr);

/* An absolute directory in the container. */
int parse_chrootdir(ContainerConfig *config, const char *value, Error *reterr);

/* A path on the host, made absolute, into the field; "" is none. */
int parse_path_field(const char *value, char **field, Error *reterr);

/* "default" or "image". */
int parse_seccomp_policy(ContainerConfig *config, const char *value, Error *reterr);

/* A size, or 0 for no limit: UINT64_MAX. */
int parse_shm_size_systemd(ContainerConfig *config, const char *value, Error *reterr);

/* --preserve-fds N and --preserve-fd LIST as the numbers they stand for, ascending and each once. -EINVAL where one is not
 * open, or not inherited: descriptors of our own are close-on-exec. */
int parse_preserved_fds(uint32_t n, char *const *list, int **ret, size_t *ret_n, Error *reterr);
