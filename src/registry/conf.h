/* SPDX-License-Identifier: Apache-2.0 */
/* registries.conf, version 2 (containers-registries.conf(5)) and its drop-ins; version 1 is translated. */
#pragma once

#include "base/error.h"
#include "spec/reference.h"

typedef enum ShortNameMode {
        SHORT_NAME_PERMISSIVE, /* the default */
        SHORT_NAME_ENFORCING,
        SHORT_NAME_DISABLED,
} ShortNameMode;

typedef enum MirrorUse {
        MIRROR_ALL,
        MIRROR_DIGEST_ONLY,
        MIRROR_TAG_ONLY,
} MirrorUse;

typedef struct Mirror {
        char *location;
        bool insecure;
        MirrorUse use;
} Mirror;

typedef struct Registry {
        char *prefix, *location; /* location NULL: what the user wrote (below a wildcard) */
        bool insecure, blocked, mirror_by_digest_only;
        Mirror *mirrors;
        size_t n_mirrors;
} Registry;

typedef struct RegistriesConf {
        char *path;                 /* the main file, for messages */
        char **search;              /* unqualified-search-registries */
        char **aliases;             /* "name=full", the last one counts */
        char **credential_helpers;  /* NULL: the auth files alone */
        ShortNameMode mode;
        Registry *registries;
        size_t n_registries;
} RegistriesConf;

/* Reads the files of the user or of the system. */
int registries_conf_load(RegistriesConf *ret, Error *reterr);
void registries_conf_done(RegistriesConf *conf);
#define _cleanup_registries_conf_ _cleanup_(registries_conf_done)

/* Merges one file's text into it, as drop-ins are. */
int registries_conf_parse(const char *text, const char *path, RegistriesConf *conf, Error *reterr);

/* The table with the longest prefix of a full name ("host/path:tag@digest"); NULL. `ret_matched` (may be NULL) is the length of
 * what its location stands for. Borrowed. */
const Registry *registries_conf_find(const RegistriesConf *conf, const char *name, size_t *ret_matched);

/* Whether `prefix` ("host", "host/path", "host/path:tag", "*.host") covers `name`: the number of bytes that it covers, or 0. */
size_t registry_prefix_matches(const char *prefix, const char *name) _pure_;
