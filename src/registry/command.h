/* SPDX-License-Identifier: Apache-2.0 */
/* `sdpod-image login`, `logout` and `search`: what `sdpod` hands over, with options of their own (see README.md). */
#pragma once

#include <stdio.h>

#include "registry/client.h"

#define REGISTRY_PASSWORD_ENV "SDPOD_REGISTRY_PASSWORD" /* of --password: not for everybody to read in /proc */

/* main() of such a command. Returns the exit status. */
int registry_command(int argc, char **argv, const char *name);
bool registry_command_is_known(const char *name) _pure_;

typedef struct LoginOptions {
        RegistryOptions registry;
        const char *username;     /* NULL: asked for */
        const char *password;     /* NULL: asked for */
        bool password_stdin, get_login, verbose, all;
} LoginOptions;

/* login.c. `name` is "host[:port][/namespace]"; NULL: the first of unqualified-search-registries. */
int registry_login(const char *name, const LoginOptions *options, Error *reterr);
int registry_logout(const char *name, const LoginOptions *options, Error *reterr);

typedef struct SearchOptions {
        RegistryOptions registry;
        uint64_t limit;           /* of each registry; 0: 25 */
        bool list_tags;
} SearchOptions;

/* search.c. Prints a JSON array, one object for each image or tag. */
int registry_search(const char *term, const SearchOptions *options, FILE *out, Error *reterr);
