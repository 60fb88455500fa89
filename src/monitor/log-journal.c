/* SPDX-License-Identifier: Apache-2.0 */
/* Entries for the journal, in its native protocol. */
#include "monitor/log-journal.h"

#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/time.h"

enum {
        SEND_BUFFER = 8 * 1024 * 1024, /* as much as the kernel lets us */
        ID_SHORT = 12,
        TAIL_MAX = 160,
};

/* Appends NAME=value; a value with a newline takes the protocol's binary form, so no name forges a field. */
static int add_field(FILE *f, const char *name, const char *value) {
        if (str_empty(value))
                return 0;
        if (!strchr(value, '\n'))
                return fprintf(f, "%s=%s\n", name, value) < 0 ? -ENOMEM : 0;

        uint64_t size = htole64(strlen(value));
        if (fprintf(f, "%s\n", name) < 0 || fwrite(&size, sizeof(size), 1, f) != 1 || fprintf(f, "%s\n", value) < 0)
                return -ENOMEM;
        return 0;
}

int log_journal_fields(LogJournalFields *fields, const LogJournalIdentity *identity) {
        char *text = NULL, id[ID_SHORT + 1];
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        (void) snprintf(id, sizeof(id), "%s", identity->id);
        const char *tag = str_empty(identity->tag) ? NULL : identity->tag;
        const char *unit = str_empty(identity->unit) ? NULL : identity->unit;
        const struct {
                const char *name, *value;
        } all[] = {
                { "CONTAINER_ID", id },
                { "CONTAINER_ID_FULL", identity->id },
                { "CONTAINER_NAME", identity->name },
                { "CONTAINER_TAG", tag },
                { "IMAGE_NAME", identity->image },
                { "SYSLOG_IDENTIFIER", tag ?: identity->name ?: id },
                /* the fields by which journalctl finds a unit's messages that others sent for it */
                { identity->user ? "USER_UNIT" : "UNIT", unit },
                { "OBJECT_SYSTEMD_UNIT", identity->user ? NULL : unit },
        };
        int r = 0;
        for (size_t i = 0; i < ELEMENTSOF(all) && r >= 0; i++)
                r = add_field(f, all[i].name, all[i].value);
        if (fclose(f) != 0)
                r = -ENOMEM;
        if (r < 0) {
                free(text);
                return r;
        }
        *fields = (LogJournalFields){ .text = text, .size = size, .strip_cr = identity->terminal };
        return 0;
}

void log_journal_fields_done(LogJournalFields *fields) {
        free(fields->text);
        *fields = (LogJournalFields){};
}

int log_journal_connect(void) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
        const int size = SEND_BUFFER;
        _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* the kernel takes its own limit */
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static const char partial_field[] = "CONTAINER_PARTIAL_MESSAGE=true\n";
static const char message_field[] = "MESSAGE\n";

static struct iovec iov_of(const void *data, size_t size) {
        return (struct iovec){ .iov_base = (void *) data, .iov_len = size };
}

static void fill_message(struct mmsghdr *message, struct iovec *iov, const LogPiece *piece, size_t size, uint64_t *le_size) {
        size_t n = 2; /* the fields and the tail are there */

        if (piece->partial)
                iov[n++] = iov_of(partial_field, sizeof(partial_field) - 1);
        iov[n++] = iov_of(message_field, sizeof(message_field) - 1);
        *le_size = htole64(size);
        iov[n++] = iov_of(le_size, sizeof(*le_size));
        iov[n++] = iov_of(piece->text, size);
        iov[n++] = iov_of("\n", 1);
        *message = (struct mmsghdr){ .msg_hdr = { .msg_iov = iov, .msg_iovlen = n } };
}

int log_journal_send(int fd, const LogJournalFields *fields, const LogJournalBatch *batch, LogInput input, unsigned skip) {
        struct mmsghdr messages[LOG_JOURNAL_BATCH_MAX];
        struct iovec iov[LOG_JOURNAL_BATCH_MAX][7];
        uint64_t sizes[LOG_JOURNAL_BATCH_MAX];
        char tail[TAIL_MAX];
        unsigned n = 0;
        LogPiece piece;

        int priority = batch->priority >= 0 ? batch->priority : batch->stream == LOG_STDERR ? LOG_ERR : LOG_INFO;
        int tail_size = snprintf(tail, sizeof(tail), "PRIORITY=%d\nSDPOD_BATCH=%016llx:%llu\n", priority,
                                 (unsigned long long) batch->run, (unsigned long long) batch->batch);
        for (; n < LOG_JOURNAL_BATCH_MAX && log_input_next(&input, &piece);) {
                size_t size = piece.size;

                if (skip > 0) {
                        skip--;
                        continue;
                }
                if (fields->strip_cr && !piece.partial && size > 0 && piece.text[size - 1] == '\r')
                        size--; /* journalctl would call the line a blob */
                iov[n][0] = iov_of(fields->text, fields->size);
                iov[n][1] = iov_of(tail, (size_t) tail_size);
                fill_message(&messages[n], iov[n], &piece, size, &sizes[n]);
                n++;
        }
        if (n == 0)
                return 0;
        int sent = (int) RETRY_EINTR(sendmmsg(fd, messages, n, MSG_NOSIGNAL | MSG_DONTWAIT));
        return sent >= 0 ? sent : errno == ENOBUFS ? -EAGAIN : -errno;
}

static void journal_closep(sd_journal **j) {
        sd_journal_close(*j);
}

static int count_matches(sd_journal *j) {
        int n = 0, r;

        sd_journal_restart_data(j);
        r = sd_journal_seek_head(j);
        while (r >= 0 && (r = sd_journal_next(j)) > 0)
                n++;
        return r < 0 ? r : n;
}

int log_journal_settle(int fd, uint64_t timeout_usec) {
        _cleanup_(journal_closep) sd_journal *j = NULL;
        char match[64], text[256];
        uint64_t nonce;

        if (getrandom(&nonce, sizeof(nonce), 0) < 0)
                return -errno;
        (void) snprintf(match, sizeof(match), "SDPOD_MARK=%016llx", (unsigned long long) nonce);
        int size = snprintf(text, sizeof(text),
                            "MESSAGE=started again while output was on its way to the journal\nPRIORITY=5\n"
                            "SYSLOG_IDENTIFIER=sdpod-monitor\n%s\n", match);
        int r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);
        if (r >= 0)
                r = sd_journal_add_match(j, match, 0);
        if (r < 0)
                return r;
        /* here, before anything else runs, waiting for room in the queue is right */
        const struct timeval timeout = { .tv_sec = (time_t) (timeout_usec / 1000000) + 1 };
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 || fcntl(fd, F_SETFL, 0) < 0)
                return -errno;
        r = RETRY_EINTR(send(fd, text, (size_t) size, MSG_NOSIGNAL)) < 0 ? -errno : 0;
        (void) fcntl(fd, F_SETFL, O_NONBLOCK);
        for (int64_t until = time_monotonic_usec() + (int64_t) timeout_usec; r >= 0;) {
                int64_t left = until - time_monotonic_usec();

                r = count_matches(j);
                if (r != 0)
                        return r < 0 ? r : 0;
                if (left <= 0)
                        return -ETIMEDOUT;
                r = sd_journal_wait(j, (uint64_t) MIN(left, 200000));
        }
        return r;
}

int log_journal_count(const char *id, uint64_t run, uint64_t batch) {
        _cleanup_(journal_closep) sd_journal *j = NULL;
        char match[128], match_id[128];

        (void) snprintf(match, sizeof(match), "SDPOD_BATCH=%016llx:%llu", (unsigned long long) run,
                        (unsigned long long) batch);
        (void) snprintf(match_id, sizeof(match_id), "CONTAINER_ID_FULL=%s", id);
        int r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);
        if (r >= 0)
                r = sd_journal_add_match(j, match, 0);
        if (r >= 0)
                r = sd_journal_add_match(j, match_id, 0);
        return r < 0 ? r : count_matches(j);
}
