/* SPDX-License-Identifier: Apache-2.0 */
/* Records the output of one container. */
#include "monitor/recorder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

static const uint64_t settle_timeout_usec = 5000000;
static const char *const spool_names[_LOG_STREAM_MAX] = { "log.stdout", "log.stderr" };

int recorder_shared_init(RecorderShared *shared) {
        *shared = RECORDER_SHARED_NULL;
        shared->in = malloc(RECORDER_IN_SIZE);
        shared->out = malloc(RECORDER_OUT_SIZE);
        return shared->in && shared->out ? 0 : -ENOMEM;
}

void recorder_shared_done(RecorderShared *shared) {
        free(shared->in);
        free(shared->out);
        (void) fd_close(shared->journal_fd);
        *shared = RECORDER_SHARED_NULL;
}

static int save(Recorder *r) {
        return log_state_save(r->state_fd, &r->state);
}

/* Gives back what is consumed; an emptied spool starts over at 0, which is saved before it is filled again. */
static int release(Recorder *r, LogStream stream, bool all) {
        int emptied = log_spool_release(&r->spool[stream], all);

        if (emptied <= 0)
                return emptied;
        r->state.consumed[stream] = 0;
        return save(r);
}

static int begin_intent(Recorder *r, LogIntent intent, LogStream stream, uint64_t size, uint64_t nsec) {
        r->state.intent = intent;
        r->state.intent_stream = stream;
        r->state.intent_size = size;
        r->state.intent_nsec = nsec;
        r->state.log_offset = r->file.offset;
        r->state.log_inode = r->file.inode;
        r->state.batch++;
        r->sent = 0;
        return save(r);
}

/* The intent is done as far as `input` bytes of it. */
static int end_intent(Recorder *r, uint64_t input) {
        LogStream stream = (LogStream) r->state.intent_stream;

        if (r->state.intent == LOG_INTENT_BATCH) {
                r->state.consumed[stream] += input;
                r->spool[stream].consumed = r->state.consumed[stream];
        } else if (r->state.intent == LOG_INTENT_NOTE && input > 0) {
                r->state.lost_noted += r->state.intent_size;
                r->state.failure = 0;
        }
        r->state.intent = LOG_INTENT_NONE;
        r->state.log_offset = r->file.offset;
        r->state.log_inode = r->file.inode;
        return save(r);
}

static int rotate(Recorder *r) {
        int k = begin_intent(r, LOG_INTENT_ROTATE, LOG_STDOUT, 0, 0);

        if (k >= 0)
                k = log_file_rotate(&r->file, r->file.inode);
        if (k < 0) {
                (void) end_intent(r, 0);
                return k;
        }
        return end_intent(r, 0);
}

/* What the open intent's bytes are; they lie in `in`. */
static int intent_input(Recorder *r, LogInput *ret) {
        uint64_t size = r->state.intent_size;
        LogStream stream = (LogStream) r->state.intent_stream;
        ssize_t n;

        if (r->state.intent == LOG_INTENT_NOTE)
                n = (ssize_t) log_note(size, r->state.failure, r->shared->in);
        else
                n = log_spool_read(&r->spool[stream], r->state.consumed[stream], r->shared->in,
                                   MIN(size, (uint64_t) RECORDER_IN_SIZE));
        if (n < 0)
                return (int) n;
        *ret = (LogInput){ .p = r->shared->in, .end = r->shared->in + n };
        return 0;
}

static LogStream intent_log_stream(const Recorder *r) {
        return r->state.intent == LOG_INTENT_NOTE ? LOG_STDERR : (LogStream) r->state.intent_stream;
}

/* The first `n_entries` of the input, in bytes of input. */
static size_t entries_size(LogInput input, size_t n_entries) {
        const char *begin = input.p;
        LogPiece piece;

        while (n_entries > 0 && log_input_next(&input, &piece))
                n_entries--;
        return (size_t) (input.p - begin);
}

/* The disk took only `written` bytes: the whole entries among them count, the torn one is cut off again, so that no
 * reader ever meets half an entry that will change. */
static int shorten_intent(Recorder *r, size_t written, int failure) {
        const char *out = r->shared->out, *newline = written > 0 ? memrchr(out, '\n', written) : NULL;
        size_t whole = newline ? (size_t) (newline - out) + 1 : 0, n = 0;
        LogInput input;

        for (const char *p = out; p < out + whole; p++)
                n += *p == '\n';
        r->file.offset += whole;
        int k = ftruncate(r->file.fd, (off_t) r->file.offset) < 0 ? -errno : intent_input(r, &input);
        if (k >= 0)
                k = end_intent(r, entries_size(input, n));
        return k < 0 ? k : -failure;
}

/* Writes the `size` bytes that the open intent made in `out`. */
static int write_intent(Recorder *r, size_t size) {
        int failure;
        ssize_t n = log_file_write(&r->file, r->shared->out, size, &failure);

        if (failure != 0)
                return shorten_intent(r, n > 0 ? (size_t) n : 0, failure);
        r->file.offset += size;
        return end_intent(r, r->state.intent_size);
}

static size_t format_now(Recorder *r, LogInput *input, LogStream stream, uint64_t nsec) {
        char time[LOG_TIME_SIZE];

        log_format_time(nsec, time);
        return log_format(input, stream, time, r->shared->out, RECORDER_OUT_SIZE);
}

static int make_room(Recorder *r, size_t size) {
        int k = log_file_refresh(&r->file);

        return k >= 0 && log_file_is_full(&r->file, size) ? rotate(r) : k;
}

/* After the death of an earlier life: the same bytes to the same place. */
static int repeat_file_intent(Recorder *r) {
        LogInput input;
        int k = intent_input(r, &input);

        return k < 0 ? k : write_intent(r, format_now(r, &input, intent_log_stream(r), r->state.intent_nsec));
}

/* Puts what was sent of the open intent on the books and closes it. */
static int cancel_journal_intent(Recorder *r) {
        LogInput input;
        int k = intent_input(r, &input);

        if (k < 0)
                return k;
        return end_intent(r, r->sent > 0 ? entries_size(input, r->sent) : 0);
}

static int connect_journal(Recorder *r) {
        if (r->shared->journal_fd < 0)
                r->shared->journal_fd = log_journal_connect();
        return MIN(r->shared->journal_fd, 0);
}

static int send_journal_intent(Recorder *r) {
        const LogJournalBatch batch = {
                .run = r->state.run,
                .batch = r->state.batch,
                .stream = intent_log_stream(r),
                .priority = r->state.intent == LOG_INTENT_NOTE ? LOG_WARNING : -1,
        };
        LogInput input;
        int k = intent_input(r, &input);

        while (k >= 0) {
                k = connect_journal(r);
                if (k >= 0)
                        k = log_journal_send(r->shared->journal_fd, &r->fields, &batch, input, r->sent);
                if (k == 0)
                        return end_intent(r, r->state.intent_size);
                r->sent += k > 0 ? (unsigned) k : 0;
        }
        if (k == -EAGAIN)
                return k;
        r->shared->journal_fd = fd_close(r->shared->journal_fd); /* journald's socket may be a new one next time */
        (void) cancel_journal_intent(r);
        return k;
}

/* Picks what can be logged now and logs it. 1 when there may be more, 0 when there is not. */
static int drain_once(Recorder *r, LogStream stream, bool flush) {
        uint64_t pending = recorder_pending(r, stream);
        size_t size = (size_t) MIN(pending, (uint64_t) RECORDER_IN_SIZE);

        ssize_t n = log_spool_read(&r->spool[stream], r->spool[stream].consumed, r->shared->in, size);
        if (n < 0)
                return (int) n;
        size = log_input_ready(r->shared->in, (size_t) n, flush && (uint64_t) n == pending);
        if (size == 0)
                return 0;

        LogInput input = { .p = r->shared->in, .end = r->shared->in + size };
        uint64_t now = log_now();
        int k;
        if (r->driver == LOG_DRIVER_JOURNAL) {
                k = begin_intent(r, LOG_INTENT_BATCH, stream, entries_size(input, LOG_JOURNAL_BATCH_MAX), now);
                k = k < 0 ? k : send_journal_intent(r);
        } else {
                size_t out_size = format_now(r, &input, stream, now);

                k = make_room(r, out_size);
                if (k >= 0)
                        k = begin_intent(r, LOG_INTENT_BATCH, stream, (uint64_t) (input.p - r->shared->in), now);
                k = k < 0 ? k : write_intent(r, out_size);
        }
        return k < 0 ? k : 1;
}

static int note_loss(Recorder *r) {
        uint64_t now = log_now();
        LogInput input;
        int k = r->driver == LOG_DRIVER_FILE ? make_room(r, LOG_HEADER_SIZE + LOG_NOTE_MAX) : 0;

        if (k >= 0)
                k = begin_intent(r, LOG_INTENT_NOTE, LOG_STDERR, r->state.lost - r->state.lost_noted, now);

        if (k < 0)
                return k;
        if (r->driver == LOG_DRIVER_JOURNAL)
                return send_journal_intent(r);
        k = intent_input(r, &input);
        return k < 0 ? k : write_intent(r, format_now(r, &input, LOG_STDERR, now));
}

static int resume_file(Recorder *r) {
        if (r->state.intent == LOG_INTENT_ROTATE) {
                int k = log_file_rotate(&r->file, r->state.log_inode);

                return k < 0 ? k : end_intent(r, 0);
        }
        if (r->file.inode == r->state.log_inode)
                r->file.offset = MIN(r->file.offset, r->state.log_offset);
        return r->state.intent == LOG_INTENT_NONE ? 0 : repeat_file_intent(r);
}

/* An intent is left open by a full queue of the journal, or by an earlier life whose log cannot be written now. */
static int go_on(Recorder *r) {
        return r->driver == LOG_DRIVER_JOURNAL ? send_journal_intent(r) : resume_file(r);
}

static int drain_all(Recorder *r, LogStream stream, bool flush) {
        int k = 0;

        if (r->state.intent != LOG_INTENT_NONE)
                k = go_on(r);
        if (k >= 0 && r->state.lost > r->state.lost_noted)
                k = note_loss(r);
        if (k >= 0)
                do
                        k = drain_once(r, stream, flush);
                while (k > 0);
        return k;
}

int recorder_drain(Recorder *r, LogStream stream, bool flush) {
        int k = 0;

        if (r->driver == LOG_DRIVER_NONE)
                r->state.consumed[stream] = r->spool[stream].consumed = r->spool[stream].size;
        else
                k = drain_all(r, stream, flush);
        int released = release(r, stream, /* all= */ false);
        if (k < 0 && k != -EAGAIN)
                r->state.failure = (uint64_t) -k;
        return k < 0 ? k : released;
}

void recorder_drop(Recorder *r, LogStream stream, int failure) {
        LogSpool *spool = &r->spool[stream];

        if (r->state.intent != LOG_INTENT_NONE)
                (void) cancel_journal_intent(r);
        uint64_t to = spool->consumed + (recorder_pending(r, stream) + 1) / 2;
        ssize_t n = log_spool_read(spool, to, r->shared->in, LOG_LINE_MAX);
        const char *newline = n > 0 ? memchr(r->shared->in, '\n', (size_t) n) : NULL;
        if (newline)
                to += (uint64_t) (newline - r->shared->in) + 1;
        r->state.lost += to - spool->consumed;
        r->state.failure = (uint64_t) -failure;
        r->state.consumed[stream] = spool->consumed = to;
        (void) save(r); /* the space was reserved */
        (void) release(r, stream, /* all= */ true);
}

static void show_output(Recorder *r, LogStream stream, uint64_t from) {
        const LogSpool *spool = &r->spool[stream];

        while (r->on_output && from < spool->size) {
                ssize_t n = log_spool_read(spool, from, r->shared->in,
                                           (size_t) MIN(spool->size - from, (uint64_t) RECORDER_IN_SIZE));
                if (n <= 0)
                        return;
                r->on_output(stream, r->shared->in, (size_t) n, r->userdata);
                from += (uint64_t) n;
        }
}

static int log_from_memory(Recorder *r, LogStream stream, LogInput *input) {
        const LogJournalBatch batch = { .run = r->state.run, .stream = stream, .priority = -1 };
        int failure = 0;

        if (r->driver == LOG_DRIVER_NONE) {
                input->p = input->end;
                return 0;
        }
        if (r->driver == LOG_DRIVER_JOURNAL) {
                int n = connect_journal(r);

                n = n < 0 ? n : log_journal_send(r->shared->journal_fd, &r->fields, &batch, *input, 0);
                input->p += n > 0 ? entries_size(*input, (size_t) n) : 0;
                return MIN(n, 0);
        }
        LogInput rest = *input;
        size_t size = format_now(r, &rest, stream, log_now());
        int k = make_room(r, size);
        if (k >= 0)
                (void) log_file_write(&r->file, r->shared->out, size, &failure);
        if (k < 0)
                return k;
        if (failure != 0)
                return ftruncate(r->file.fd, (off_t) r->file.offset) < 0 ? -errno : -failure;
        r->file.offset += size;
        r->state.log_offset = r->file.offset;
        *input = rest;
        return save(r);
}

/* No room for the spool at all: better through memory, where a kill could lose it, than not at all. */
static ssize_t fill_from_memory(Recorder *r, LogStream stream, int pipe_fd, size_t size) {
        ssize_t n = RETRY_EINTR(read(pipe_fd, r->shared->in, MIN(size, (size_t) RECORDER_IN_SIZE)));

        if (n <= 0)
                return n < 0 ? -errno : 0;
        if (r->on_output)
                r->on_output(stream, r->shared->in, (size_t) n, r->userdata);
        LogInput input = { .p = r->shared->in, .end = r->shared->in + n };
        while (input.p < input.end) {
                int k = log_from_memory(r, stream, &input);

                if (k < 0) {
                        r->state.lost += (uint64_t) (input.end - input.p);
                        r->state.failure = (uint64_t) -k;
                        (void) save(r);
                        break;
                }
        }
        return n;
}

/* The spool's file system is full, or the file is as large as we may make one. */
static bool is_no_room(ssize_t code) {
        return code == -ENOSPC || code == -EDQUOT || code == -EFBIG;
}

ssize_t recorder_fill(Recorder *r, LogStream stream, int pipe_fd, size_t size) {
        LogSpool *spool = &r->spool[stream];
        uint64_t before = spool->size, pending = recorder_pending(r, stream);

        if (pending >= MONITOR_SPOOL_MAX)
                return -ENOBUFS;
        size = MIN(size, (size_t) (MONITOR_SPOOL_MAX - pending));
        ssize_t n = log_spool_fill(spool, pipe_fd, size);
        if (is_no_room(n) && pending == 0) {
                int k = release(r, stream, /* all= */ true);
                if (k < 0)
                        return k;
                before = 0;
                n = log_spool_fill(spool, pipe_fd, size);
        }
        if (is_no_room(n))
                return recorder_pending(r, stream) > 0 ? -ENOBUFS : fill_from_memory(r, stream, pipe_fd, size);
        if (n > 0)
                show_output(r, stream, before);
        return n;
}

static int set_up(Recorder *r, RecorderShared *shared, const MonitorConfig *config, int dir_fd) {
        *r = RECORDER_NULL;
        r->shared = shared;
        r->config = config;
        r->driver = str_equal(config->driver, "k8s-file")   ? LOG_DRIVER_FILE
                    : str_equal(config->driver, "journald") ? LOG_DRIVER_JOURNAL
                                                            : LOG_DRIVER_NONE;
        r->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
        return r->dir_fd < 0 ? -errno : 0;
}

static int open_log(Recorder *r, Error *reterr) {
        const MonitorConfig *c = r->config;
        const LogJournalIdentity identity = {
                .id = c->id, .name = c->name, .image = c->image, .tag = c->tag, .unit = c->unit,
                .user = geteuid() != 0, .terminal = c->terminal,
        };

        if (r->driver == LOG_DRIVER_FILE)
                return log_file_open(&r->file, c->path, c->max_size, reterr);
        if (r->driver == LOG_DRIVER_JOURNAL && log_journal_fields(&r->fields, &identity) < 0)
                return error_oom(reterr);
        return 0;
}

static int open_spools(Recorder *r, Error *reterr) {
        for (int i = 0; i < _LOG_STREAM_MAX; i++) {
                int k = log_spool_open(&r->spool[i], r->dir_fd, spool_names[i], r->state.consumed[i]);

                if (k < 0)
                        return error_set_errno(reterr, k, "cannot open '%s' of container '%s'", spool_names[i], r->config->id);
                r->state.consumed[i] = r->spool[i].consumed;
        }
        return 0;
}

static int write_config(Recorder *r, Error *reterr) {
        _cleanup_json_ json_t *json = json_fields_save(monitor_config_fields, r->config);

        if (!json)
                return error_oom(reterr);
        return json_write(r->dir_fd, RECORDER_CONFIG_NAME, json, 0600, FILE_VOLATILE, reterr);
}

int recorder_begin(Recorder *r, RecorderShared *shared, const MonitorConfig *config, int dir_fd, Error *reterr) {
        int k = set_up(r, shared, config, dir_fd);

        for (int i = 0; k >= 0 && i < _LOG_STREAM_MAX; i++)
                if (unlinkat(r->dir_fd, spool_names[i], 0) < 0 && errno != ENOENT)
                        k = -errno;
        if (k >= 0)
                k = r->state_fd = log_state_open(r->dir_fd, LOG_STATE_NAME, /* create= */ true);
        if (k >= 0 && getrandom(&r->state.run, sizeof(r->state.run), 0) < 0)
                k = -errno;
        if (k < 0) {
                recorder_done(r);
                return error_set_errno(reterr, k, "cannot begin to record '%s'", config->id);
        }
        LogState before = {};
        if (log_state_load(r->state_fd, &before) >= 0)
                r->state.generation = before.generation; /* the new slot must be the newest */
        k = open_log(r, reterr);
        if (k >= 0)
                k = open_spools(r, reterr);
        if (k >= 0)
                k = write_config(r, reterr);
        if (k >= 0 && r->driver == LOG_DRIVER_FILE)
                (void) log_file_begin(&r->file); /* for looks; a full disk shows at the first line */
        r->state.log_offset = r->file.offset;
        r->state.log_inode = r->file.inode;
        if (k >= 0 && (k = save(r)) < 0)
                (void) error_set_errno(reterr, k, "cannot begin to record '%s'", config->id);
        if (k < 0)
                recorder_done(r);
        return MIN(k, 0);
}

static int resume_journal(Recorder *r) {
        if (r->state.intent == LOG_INTENT_NONE)
                return 0;
        int k = connect_journal(r);
        if (k >= 0 && !r->shared->settled) {
                k = log_journal_settle(r->shared->journal_fd, settle_timeout_usec);
                if (k < 0)
                        log_warning("cannot see whether the journal has the last lines, sending them again: %s",
                                    strerror(-k));
                r->shared->settled = true;
        }
        if (k >= 0)
                k = log_journal_count(r->config->id, r->state.run, r->state.batch);
        r->sent = k > 0 ? (unsigned) k : 0;
        return send_journal_intent(r);
}

int recorder_resume(Recorder *r, RecorderShared *shared, const MonitorConfig *config, int dir_fd, Error *reterr) {
        int k = set_up(r, shared, config, dir_fd);

        if (k >= 0)
                k = r->state_fd = log_state_open(r->dir_fd, LOG_STATE_NAME, /* create= */ true);
        if (k >= 0)
                k = log_state_load(r->state_fd, &r->state);
        if (k < 0)
                (void) error_set_errno(reterr, k, "cannot read '%s' of container '%s'", LOG_STATE_NAME, config->id);
        if (k >= 0)
                k = open_spools(r, reterr);
        if (k >= 0 && (k = save(r)) < 0) /* an emptied spool: before it is filled again */
                (void) error_set_errno(reterr, k, "cannot save '%s' of container '%s'", LOG_STATE_NAME, config->id);
        if (k >= 0)
                k = open_log(r, reterr);
        if (k < 0) {
                recorder_done(r);
                return k;
        }
        k = r->driver == LOG_DRIVER_FILE ? resume_file(r) : r->driver == LOG_DRIVER_JOURNAL ? resume_journal(r) : 0;
        if (k < 0 && k != -EAGAIN)
                log_warning("cannot write the log of container '%s' yet: %s", config->id, strerror(-k));
        return 0;
}

void recorder_done(Recorder *r) {
        for (int i = 0; i < _LOG_STREAM_MAX; i++)
                log_spool_done(&r->spool[i]);
        r->state_fd = fd_close(r->state_fd);
        r->dir_fd = fd_close(r->dir_fd);
        log_file_done(&r->file);
        log_journal_fields_done(&r->fields);
}

int recorder_finish(Recorder *r, bool force) {
        for (int i = 0; i < _LOG_STREAM_MAX; i++) {
                int k = recorder_drain(r, (LogStream) i, /* flush= */ true);

                if (k < 0 && !force)
                        return k;
                while (k < 0 && recorder_pending(r, (LogStream) i) > 0)
                        recorder_drop(r, (LogStream) i, k);
        }
        r->state.flags |= LOG_STATE_COMPLETE;
        int k = save(r);
        for (int i = 0; i < _LOG_STREAM_MAX; i++)
                (void) unlinkat(r->dir_fd, spool_names[i], 0);
        (void) unlinkat(r->dir_fd, RECORDER_CONFIG_NAME, 0);
        return force ? 0 : k;
}
