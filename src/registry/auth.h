/* SPDX-License-Identifier: Apache-2.0 */
/* Who the user is at a registry: auth files (containers-auth.json(5), and Docker's config.json) and credential helpers. */
#pragma once

#include "registry/endpoint.h"

/* Finds credentials for a repository ("quay.io/ns/image") or a host, in `authfile` alone, or (NULL) in $REGISTRY_AUTH_FILE
 * alone, or in the files where people have them. The most specific key counts. `helpers` (NULL: the files alone) are
 * credential-helpers of registries.conf, asked in their order, "containers-auth.json" being the files. Returns 1, or 0 where
 * there are none. */
int auth_find(const char *authfile, char *const *helpers, const char *name, Credentials *ret, Error *reterr);

/* The file that login writes. Owned. */
int auth_file(const char *authfile, char **ret, Error *reterr);

/* Stores and removes what one key (host or namespace) has, in the file that login writes or in the helper that it names for
 * that host. The file is replaced as a whole, with mode 0600. Removing: 1, or 0 where there was nothing. */
int auth_store(const char *authfile, const char *key, const Credentials *credentials, Error *reterr);
int auth_remove(const char *authfile, const char *key, Error *reterr);

/* Removes everything from the file that login writes. */
int auth_remove_all(const char *authfile, Error *reterr);

/* One auth file's text: credentials for a name as above. `ret_helper` is the helper to ask instead (owned; then 2 is
 * returned), `ret_server` the key to ask it for. For auth_find() and for tests. */
int auth_parse(const char *text, size_t size, const char *path, const char *name, Credentials *ret, char **ret_helper, char **ret_server,
               Error *reterr);

/* auth-helper.c: the program docker-credential-NAME, found in $PATH. */

/* 1, or 0 where the helper has none. */
int auth_helper_get(const char *helper, const char *server, Credentials *ret, Error *reterr);
int auth_helper_store(const char *helper, const char *server, const Credentials *credentials, Error *reterr);
int auth_helper_erase(const char *helper, const char *server, Error *reterr);

/* Whether a name is one of a helper: letters, digits, '-', '_', '.', and not a path. */
bool auth_helper_name_is_valid(const char *name) _pure_;
