/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-image takes this process's place: what reads archives is not linked into sdpod. */
#pragma once

#include "cli/verb.h"

/* Runs it with the words (see src/image/README.md) behind the global options. Only returns with an error. */
int image_exec(const Invocation *in, char **words, Error *reterr);

/* Appends "--option=value" where there is a value. 0 or -ENOMEM. */
int image_exec_add(char ***words, const char *option, const char *value);

/* Runs it and waits for its end: for what must be done afterwards. Returns its exit status, or -errno. */
int image_run(const Invocation *in, char **words, Error *reterr);

/* Runs its `pull` as a child with these words behind the global options, and waits for it: progress on stderr. The ID of the
 * image (64 digits) goes to ret_id. */
int image_spawn_pull(const Invocation *in, char **words, char ret_id[65], Error *reterr);

/* Runs it with its standard output caught: at most 64 MiB of text. Returns its exit status (0: then *ret, owned), or -errno. */
int image_capture(const Invocation *in, char **words, char **ret, Error *reterr);
