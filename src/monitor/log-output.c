/* SPDX-License-Identifier: Apache-2.0 */
/* Entries to descriptors, in large pieces. */
#include <string.h>

#include "base/io.h"
#include "monitor/log-read.h"

enum { OUTPUT_SIZE = 128 * 1024 };

static int flush(void *userdata) {
        LogOutput *o = userdata;
        int r = o->size > 0 ? io_write_full(o->fds[o->current], o->buffer, o->size) : 0;

        o->size = 0;
        return r;
}

static int put(LogOutput *o, const char *data, size_t size) {
        if (o->size + size > OUTPUT_SIZE) {
                int r = flush(o);
                if (r < 0)
                        return r;
        }
        if (size > OUTPUT_SIZE)
                return io_write_full(o->fds[o->current], data, size);
        memcpy(o->buffer + o->size, data, size);
        o->size += size;
        return 0;
}

static int put_entry(const LogEntry *e, void *userdata) {
        LogOutput *o = userdata;
        int r = 0;

        if (e->stream != o->current) { /* both may be one terminal: in the order of the log */
                r = flush(o);
                o->current = e->stream;
        }
        if (r >= 0 && o->timestamps && !o->in_line[e->stream]) {
                r = put(o, e->time, e->time_size);
                r = r < 0 ? r : put(o, " ", 1);
        }
        o->in_line[e->stream] = e->partial;
        if (r >= 0)
                r = put(o, e->text, e->size);
        if (r >= 0 && !e->partial)
                r = put(o, "\n", 1);
        return r;
}

int log_output_init(LogOutput *output, int stdout_fd, int stderr_fd, bool timestamps, LogSink *ret_sink) {
        *output = (LogOutput){ .fds = { stdout_fd, stderr_fd }, .timestamps = timestamps, .buffer = malloc(OUTPUT_SIZE) };
        *ret_sink = (LogSink){ .entry = put_entry, .idle = flush, .userdata = output };
        return output->buffer ? 0 : -ENOMEM;
}

void log_output_done(LogOutput *output) {
        free(output->buffer);
        *output = (LogOutput){};
}
