/* SPDX-License-Identifier: Apache-2.0 */
/* Where a saved image goes: members of a tar archive, or files of a directory. */
#pragma once

#include <stdint.h>

#include "base/error.h"

typedef struct SaveOutput {
        int fd;              /* borrowed: the archive, or the directory */
        bool directory;
        char **names;        /* members that are there already: images share layers */
} SaveOutput;

void save_output_done(SaveOutput *output);
#define _cleanup_save_output_ _cleanup_(save_output_done)

/* Begins a member of `size` bytes; *ret_fd (borrowed from the output, or owned where it is a directory) takes them. 0 when it
 * is there already, else 1. */
int save_output_begin(SaveOutput *output, const char *name, uint64_t size, int *ret_fd, Error *reterr);

/* Ends the member that has been written. */
int save_output_end(SaveOutput *output, uint64_t size, int fd, Error *reterr);

/* A whole small member. */
int save_output_file(SaveOutput *output, const char *name, const void *data, size_t size, Error *reterr);

/* The end of an archive. */
int save_output_finish(SaveOutput *output, Error *reterr);
