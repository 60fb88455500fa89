/* SPDX-License-Identifier: Apache-2.0 */
/* How far the recording of a container has come: `log.state` in its runtime directory, a few numbers that survive the
 * monitor's death and that readers (`logs -f`, inspect) look at.
 *
 * The file holds two slots, each with a generation and a checksum; a save writes the older one in one pwrite(2), a load
 * takes the newest that is whole. It lies on tmpfs: what it must survive is SIGKILL, not power loss. */
#pragma once

#include <stdint.h>

#include "monitor/log-format.h"

#define LOG_STATE_NAME "log.state"

enum {
        LOG_STATE_COMPLETE = 1 << 0, /* no more output of this run will come */
};

/* What is being written right now. It is saved before the first byte goes out, and says all that is needed to make the
 * same bytes again. */
typedef enum LogIntent {
        LOG_INTENT_NONE,
        LOG_INTENT_BATCH,  /* `intent_size` bytes of a spool from `consumed` on */
        LOG_INTENT_ROTATE, /* the log becomes the old log */
        LOG_INTENT_NOTE,   /* the line that says how many bytes were lost */
        _LOG_INTENT_MAX,
} LogIntent;

/* All fields are 64 bits wide: no holes, one checksum. */
typedef struct LogState {
        uint64_t generation;
        uint64_t flags;
        uint64_t run;                        /* random: tells runs apart in the journal */
        uint64_t consumed[_LOG_STREAM_MAX];  /* spool bytes that are in the log */
        uint64_t log_offset, log_inode;      /* the log's end, as recorded; k8s-file only */
        uint64_t intent, intent_stream, intent_size, intent_nsec;
        uint64_t batch;                      /* number of the last intent; journal entries carry it */
        uint64_t lost, lost_noted;           /* bytes that could not be logged; the part the log already tells */
        uint64_t failure;                    /* errno of the last failed write; 0: none since the last success */
} LogState;

/* Opens (`create`: makes, with its space reserved) the file. A descriptor or -errno. */
int log_state_open(int dir_fd, const char *name, bool create);

/* Loads the newest whole slot. -ENODATA if there is none. */
int log_state_load(int fd, LogState *ret);

/* Counts the generation up and saves. */
int log_state_save(int fd, LogState *state);

/* Opens, loads, closes: for readers. -ENOENT where nothing was ever recorded in this boot. */
int log_state_read(int dir_fd, const char *name, LogState *ret);
