/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, bars, and words to systemd. */
#include "image/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/notify.h"
#include "base/str.h"
#include "base/time.h"

enum {
        BARS_MAX = 16,
        LINE_MAX_SIZE = 256,
        DRAW_MSEC = 100,
        NOTIFY_MSEC = 1000,
        BAR_WIDTH_MAX = 40,
        DIGEST_SHOWN = 12,
        RATE_MSEC = 3000,         /* the time over which a rate is smoothed */
        EXTEND_SECONDS = 30,
};

typedef struct Bar {
        bool used;
        size_t number;
        char digest[DIGEST_SHOWN + 1];
        const char *note;
        uint64_t bytes, size;
} Bar;

struct Progress {
        char *what;
        bool shown, terminal, manager;
        Bar bars[BARS_MAX];
        size_t rows[BARS_MAX + 1], n_rows; /* lengths of the lines that stand on the terminal */
        uint64_t total, done;              /* bytes; `done` without the bars' */
        int64_t drawn_msec, notified_msec, rate_msec;
        uint64_t rate_bytes, notified_bytes;
        double rate;                       /* bytes a second */
};

Progress *progress_new(const char *what, bool quiet) {
        Progress *p = calloc(1, sizeof(*p));
        const char *term = getenv("TERM");

        if (!p || !(p->what = str_escape_control(what))) {
                free(p);
                return NULL;
        }
        p->shown = !quiet;
        p->terminal = !quiet && isatty(STDERR_FILENO) && !str_empty(term) && !str_equal(term, "dumb");
        p->manager = !str_empty(getenv("NOTIFY_SOCKET"));
        p->rate_msec = p->notified_msec = time_monotonic_usec() / 1000;
        return p;
}

static size_t columns(void) {
        struct winsize size;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) >= 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Back to the first of our lines, and all of them away. A terminal that became narrower has wrapped them. */
static void erase(Progress *p) {
        size_t width = columns(), up = 0;

        for (size_t i = 0; i < p->n_rows; i++)
                up += MAX((size_t) 1, (p->rows[i] + width - 1) / width);
        if (up > 0)
                (void) fprintf(stderr, "\x1b[%zuA\r\x1b[J", up);
        p->n_rows = 0;
}

static void print_bytes(char *text, size_t size, double bytes) {
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
        size_t unit = 0;

        for (; bytes >= 1024 && unit + 1 < ELEMENTSOF(units); unit++)
                bytes /= 1024;
        (void) snprintf(text, size, unit == 0 ? "%.0f%s" : "%.1f%s", bytes, units[unit]);
}

static void put_row(Progress *p, const char *text, size_t width) {
        size_t length = MIN(strlen(text), width > 1 ? width - 1 : 1);

        (void) fprintf(stderr, "%.*s\n", (int) length, text);
        p->rows[p->n_rows++] = length;
}

static void draw_bar(Progress *p, const Bar *bar, size_t width) {
        char line[LINE_MAX_SIZE], done[24], size[24], drawing[BAR_WIDTH_MAX + 3] = "";
        size_t room = width > 64 ? MIN(width - 64, (size_t) BAR_WIDTH_MAX) : 0;

        print_bytes(done, sizeof(done), (double) bar->bytes);
        print_bytes(size, sizeof(size), (double) bar->size);
        if (room > 4 && bar->size > 0) {
                size_t filled = (size_t) ((double) room * (double) MIN(bar->bytes, bar->size) / (double) bar->size);

                drawing[0] = '[';
                for (size_t i = 0; i < room; i++)
                        drawing[i + 1] = i < filled ? '=' : i == filled ? '>' : '-';
                drawing[room + 1] = ']';
                drawing[room + 2] = 0;
        }
        (void) snprintf(line, sizeof(line), "Copying blob %s %s %s%s%s%s%s", bar->digest, drawing, done, bar->size > 0 ? " / " : "",
                        bar->size > 0 ? size : "", bar->note ? " | " : "", bar->note ?: "");
        put_row(p, line, width);
}

static uint64_t bytes_now(const Progress *p) {
        uint64_t bytes = p->done;

        for (size_t i = 0; i < BARS_MAX; i++)
                bytes += p->bars[i].used ? p->bars[i].bytes : 0;
        return bytes;
}

static void measure(Progress *p, int64_t now) {
        int64_t passed = now - p->rate_msec;
        uint64_t bytes = bytes_now(p);

        if (passed < DRAW_MSEC)
                return;
        double rate = bytes > p->rate_bytes ? (double) (bytes - p->rate_bytes) * 1000 / (double) passed : 0;
        double weight = MIN(1.0, (double) passed / RATE_MSEC);
        p->rate = p->rate > 0 ? p->rate * (1 - weight) + rate * weight : rate;
        p->rate_bytes = bytes;
        p->rate_msec = now;
}

static void draw(Progress *p) {
        size_t width = columns(), n = 0;
        char line[LINE_MAX_SIZE], done[24], total[24], rate[24];

        for (size_t i = 0; i < BARS_MAX; i++)
                n += p->bars[i].used;
        erase(p);
        for (size_t i = 0; i < BARS_MAX; i++)
                if (p->bars[i].used)
                        draw_bar(p, p->bars + i, width);
        if (n > 0 && p->total > 0) {
                print_bytes(done, sizeof(done), (double) bytes_now(p));
                print_bytes(total, sizeof(total), (double) p->total);
                print_bytes(rate, sizeof(rate), p->rate);
                (void) snprintf(line, sizeof(line), "Total %s / %s, %s/s", done, total, rate);
                put_row(p, line, width);
        }
        (void) fflush(stderr);
}

void progress_line(Progress *p, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *safe = NULL;
        va_list ap;

        if (!p->shown)
                return;
        va_start(ap, format);
        int n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0) {
                text = NULL;
                return;
        }
        safe = str_escape_control(text);
        if (!safe)
                return;
        if (p->terminal)
                erase(p);
        (void) fprintf(stderr, "%s\n", safe);
        if (p->terminal)
                draw(p);
}

void progress_expect(Progress *p, uint64_t bytes) {
        p->total += bytes;
}

static Bar *find(Progress *p, size_t number) {
        for (size_t i = 0; i < BARS_MAX; i++)
                if (p->bars[i].used && p->bars[i].number == number)
                        return p->bars + i;
        return NULL;
}

int progress_begin(Progress *p, size_t number, const char *digest, uint64_t size) {
        const char *colon = strchr(digest, ':');
        size_t i;

        if (!p->terminal)
                progress_line(p, "Copying blob %s", digest);
        for (i = 0; i < BARS_MAX && p->bars[i].used; i++)
                ;
        if (i == BARS_MAX)
                return -ENOBUFS; /* it is not shown, that is all */
        p->bars[i] = (Bar){ .used = true, .number = number, .size = size };
        (void) snprintf(p->bars[i].digest, sizeof(p->bars[i].digest), "%.*s", DIGEST_SHOWN, colon ? colon + 1 : digest);
        return 0;
}

void progress_bytes(Progress *p, size_t number, uint64_t bytes) {
        Bar *bar = find(p, number);

        if (bar)
                bar->bytes = bytes;
}

void progress_note(Progress *p, size_t number, const char *note) {
        Bar *bar = find(p, number);

        if (bar)
                bar->note = note;
}

void progress_end(Progress *p, size_t number, const char *how) {
        Bar *bar = find(p, number);

        if (!bar)
                return;
        bar->used = false;
        if (!how)
                return;
        p->done += bar->size;
        if (p->terminal)
                progress_line(p, "Copying blob %s %s", bar->digest, how);
}

int progress_timeout(const Progress *p) {
        return p->terminal ? DRAW_MSEC : p->manager ? NOTIFY_MSEC : -1;
}

/* systemd stops what takes longer to start than TimeoutStartSec=; as long as bytes come it is asked for more time
 * (sd_notify(3)). */
static void tell_manager(Progress *p, int64_t now) {
        _cleanup_free_ char *text = NULL;
        char done[24], total[24];
        uint64_t bytes = bytes_now(p);

        if (now - p->notified_msec < NOTIFY_MSEC || bytes == p->notified_bytes)
                return;
        p->notified_msec = now;
        p->notified_bytes = bytes;
        print_bytes(done, sizeof(done), (double) bytes);
        print_bytes(total, sizeof(total), (double) p->total);
        text = str_format("EXTEND_TIMEOUT_USEC=%d000000\nSTATUS=%s: %s of %s", EXTEND_SECONDS, p->what, done, total);
        if (text)
                (void) notify_send(text);
}

void progress_tick(Progress *p) {
        int64_t now = time_monotonic_usec() / 1000;

        measure(p, now);
        if (p->manager)
                tell_manager(p, now);
        if (p->terminal && now - p->drawn_msec >= DRAW_MSEC) {
                p->drawn_msec = now;
                draw(p);
        }
}

Progress *progress_free(Progress *p) {
        if (!p)
                return NULL;
        if (p->terminal) {
                erase(p);
                (void) fflush(stderr);
        }
        free(p->what);
        free(p);
        return NULL;
}
