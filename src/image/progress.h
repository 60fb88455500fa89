/* SPDX-License-Identifier: Apache-2.0 */
/* What a pull or a push shows on stderr while it goes on: plain lines, and on a terminal below them one line for each layer that is
 * under way, drawn anew in place. To a service's manager it says that it is alive. */
#pragma once

#include <stdint.h>

#include "base/macro.h"

typedef struct Progress Progress;

/* `what` is done ("Pulling NAME"). `quiet`: shows nothing, and tells the manager all the same. NULL: out of memory. */
Progress *progress_new(const char *what, bool quiet);
Progress *progress_free(Progress *progress);
DEFINE_CLEANUP(Progress, progress_free)
#define _cleanup_progress_ _cleanup_(progress_freep)

/* A line that stays. Control bytes are escaped. */
void progress_line(Progress *progress, const char *format, ...) _printf_(2, 3);

/* Bytes that are to come or to go in all. */
void progress_expect(Progress *progress, uint64_t bytes);

/* A blob is under way; `number` names it. It is at `bytes` of `size` (0: not known). */
int progress_begin(Progress *progress, size_t number, const char *digest, uint64_t size);
void progress_bytes(Progress *progress, size_t number, uint64_t bytes);

/* All bytes are there, and something is still done with them. */
void progress_note(Progress *progress, size_t number, const char *note);

/* It is done with (`how`: "done"), or will be begun again (NULL). */
void progress_end(Progress *progress, size_t number, const char *how);

/* Milliseconds until progress_tick() is wanted; -1: not at all. */
int progress_timeout(const Progress *progress);

/* Draws, and tells the manager, if it is time. */
void progress_tick(Progress *progress);
