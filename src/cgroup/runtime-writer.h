/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a cgroup that are written together: in whatever order the kernel takes them, and back again where one fails. */
#pragma once

#include <stdint.h>

#include "cgroup/runtime-tree.h"
#include "spec/runtime-spec.h"

typedef struct CgroupWrite {
        int fd;               /* of the cgroup; borrowed */
        char *file, *text;
        char *old;            /* what it was, written already; NULL: not written, or not to be undone */
        bool done;
} CgroupWrite;

typedef struct CgroupWriter {
        const CgroupTree *tree;
        bool undo;            /* old values are kept */
        CgroupWrite *writes;
        size_t n;
} CgroupWriter;

void cgroup_writer_done(CgroupWriter *w);
#define _cleanup_cgroup_writer_ _cleanup_(cgroup_writer_done)

/* Where a controller is: *ret_fd is the container's cgroup there (borrowed). -EOPNOTSUPP where it has none; `what` is for the message. */
int cgroup_writer_find(const CgroupWriter *w, const char *controller, const char *what, int *ret_fd, bool *ret_v2, Error *reterr);

bool cgroup_writer_has(const CgroupWriter *w, const char *controller);
bool cgroup_writer_has_v2(const CgroupWriter *w, const char *controller);

/* Notes a value; a negative one is "max" in v2. */
int cgroup_writer_add(CgroupWriter *w, int fd, const char *file, int64_t value, bool v2, Error *reterr);
int cgroup_writer_add_text(CgroupWriter *w, int fd, const char *file, const char *text, Error *reterr);

/* Writes all that was noted since. A value may be refused until another one has changed (memory and memory with swap, a quota and its
 * period): what fails with EINVAL is tried again after the others. */
int cgroup_writer_flush(CgroupWriter *w, Error *reterr);

/* Puts back what was, last first. */
void cgroup_writer_undo(CgroupWriter *w);

/* Block devices (runtime-io.c). */
int runtime_limits_write_io(CgroupWriter *w, const RuntimeResources *resources, Error *reterr);
