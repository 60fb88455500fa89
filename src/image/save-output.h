/* SPDX-License-Identifier: Apache-2.0 */
/* Where a saved image goes: members of a tar archive, or files of a directory. */
#pragma once

#include <stdint.h>

#include "base/error.h"

typedef struct SaveOutput {
        int fd;              /* borrowed: the archive, or the directory */
        bool directory;
        int temporary_fd;    /* borrowed: a directory for members of an archive whose size is not known yet */
        char **names;        /* members that are there already: images share layers */
} SaveOutput;

void save_output_done(SaveOutput *output);
#define _cleanup_save_output_ _cleanup_(save_output_done)

/* A member on its way. */
typedef struct SaveMember {
        int fd;              /* takes its bytes; borrowed from the output if `in_place` */
        bool in_place;
} SaveMember;

#define SAVE_MEMBER_NULL ((SaveMember){ .fd = -EBADF })

/* Whether it has a member of this name: written by us, or a file of `size` bytes that was in the directory. */
bool save_output_has(const SaveOutput *output, const char *name, uint64_t size);

/* Begins a member whose name and size are known, or (NULL) are only told at its end. */
int save_output_begin(SaveOutput *output, const char *name, uint64_t size, SaveMember *ret, Error *reterr);

/* Ends a member that has been written; a name that is there already is kept as it is. */
int save_output_end(SaveOutput *output, SaveMember *member, const char *name, uint64_t size, Error *reterr);

/* Forgets a member. In the place of one that was begun in an archive with its name stands rubbish. */
void save_output_cancel(SaveOutput *output, SaveMember *member);

/* A whole small member. In a directory it replaces one of its name as a whole. */
int save_output_file(SaveOutput *output, const char *name, const void *data, size_t size, Error *reterr);

/* The end of an archive. */
int save_output_finish(SaveOutput *output, Error *reterr);
