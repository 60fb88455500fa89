/* SPDX-License-Identifier: Apache-2.0 */
/* Environment variables and labels, as options and as files. */
#pragma once

#include "base/error.h"

enum { ENV_FILE_LIMIT = 16 * 1024 * 1024 };

/* One word of -e: NAME=VALUE; NAME takes the value from `host` and is passed over when it is not set there; PREFIX*
 * takes all that begin with it. A later one wins in place. */
int parse_env(const char *value, char *const *host, char ***env, Error *reterr);

/* A file of such words, one a line; lines that are empty or begin with '#' (behind blanks) are passed over. Nothing is
 * unquoted. */
int parse_env_file(const char *path, char *const *host, char ***env, Error *reterr);

/* NAME=VALUE or NAME (an empty value) into pairs, and a file of them. */
int parse_label_file(const char *path, char ***labels, Error *reterr);

/* All of --label-file, and then of --label, either NULL for none; the reason names the option. */
int parse_labels(char *const *files, char *const *values, char ***labels, Error *reterr);
