/* SPDX-License-Identifier: Apache-2.0 */
/* Entries for the journal, in its native protocol: one datagram an entry (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
 *
 * What is sent cannot be taken back, and journald does not answer. So each entry carries the number of its batch
 * (SDPOD_BATCH=), the batch is noted in the state before the first datagram, and a monitor that finds such a note after
 * its death counts how many entries of the batch have arrived: they are sent in order on one socket, so the rest is what
 * is missing. journald may still have some in its queue; a mark sent behind them shows when it has not. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "monitor/log-format.h"

enum { LOG_JOURNAL_BATCH_MAX = 64 };

/* The fields that are the same in all entries of a container, as they stand in a datagram. */
typedef struct LogJournalFields {
        char *text;
        size_t size;
        bool strip_cr; /* a terminal's lines end in CR LF */
} LogJournalFields;

typedef struct LogJournalIdentity {
        const char *id, *name, *image, *tag, *unit;
        bool user;     /* the unit is one of the user's manager */
        bool terminal;
} LogJournalIdentity;

int log_journal_fields(LogJournalFields *fields, const LogJournalIdentity *identity);
void log_journal_fields_done(LogJournalFields *fields);

/* A non-blocking socket to journald. A descriptor or -errno. */
int log_journal_connect(void);

/* Where the entries of a batch belong. */
typedef struct LogJournalBatch {
        uint64_t run, batch;
        LogStream stream;
        int priority; /* syslog's; -1: by the stream */
} LogJournalBatch;

/* Sends the entries of `input` from number `skip` on, in order. Returns how many went out (the caller adds them to
 * `skip` and calls again while there are more), 0 when there is nothing to send, -EAGAIN when the queue is full. */
int log_journal_send(int fd, const LogJournalFields *fields, const LogJournalBatch *batch, LogInput input, unsigned skip);

/* Sends a mark and waits (at most `timeout_usec`) until it can be read back: whatever was sent before has arrived then,
 * or never will. -ETIMEDOUT, or what reading the journal says. */
int log_journal_settle(int fd, uint64_t timeout_usec);

/* How many entries of a batch are in the journal. */
int log_journal_count(const char *id, uint64_t run, uint64_t batch);
