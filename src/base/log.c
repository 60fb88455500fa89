/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for people on stderr. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/io.h"
#include "base/journal.h"
#include "base/str.h"
#include "base/time.h"

static const char *program = "sdpod";
static LogLevel last_level = LOG_LEVEL_WARNING;
static struct {
        int fd;
        LogFormat format;
        LogLevel level;
} file = { .fd = -EBADF };

void log_set_program(const char *name) {
        program = name;
}

void log_set_level(LogLevel level) {
        last_level = level;
}

LogLevel log_get_level(void) {
        return last_level;
}

void log_set_file(int fd, LogFormat format, LogLevel level) {
        file.fd = fd;
        file.format = format;
        file.level = level;
}

LogLevel log_level_from_string(const char *name) {
        static const struct {
                const char *name;
                LogLevel level;
        } names[] = {
                { "debug", LOG_LEVEL_DEBUG },   { "error", LOG_LEVEL_ERROR },     { "fatal", LOG_LEVEL_ERROR },
                { "info", LOG_LEVEL_INFO },     { "panic", LOG_LEVEL_ERROR },     { "trace", LOG_LEVEL_DEBUG },
                { "warn", LOG_LEVEL_WARNING },  { "warning", LOG_LEVEL_WARNING },
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (str_equal(names[i].name, name))
                        return names[i].level;
        return _LOG_LEVEL_INVALID;
}

static void print(LogLevel level, char *line) {
        static const int priorities[_LOG_LEVEL_MAX] = {
                [LOG_LEVEL_ERROR] = LOG_ERR,  [LOG_LEVEL_HINT] = LOG_ERR,    [LOG_LEVEL_WARNING] = LOG_WARNING,
                [LOG_LEVEL_INFO] = LOG_INFO,  [LOG_LEVEL_DEBUG] = LOG_DEBUG,
        };
        size_t size = strlen(line);

        if (journal_is(STDERR_FILENO)) {
                line[size - 1] = 0; /* the journal's lines have no newline */
                if (journal_send(program, priorities[level], line) >= 0)
                        return;
                line[size - 1] = '\n';
        }
        (void) io_write_full(STDERR_FILENO, line, size); /* nowhere left to say it */
}

/* The text with a backslash before each quote and backslash; it has no control bytes any more. Owned. */
static char *quoted(const char *text) {
        char *copy = malloc(strlen(text) * 2 + 1), *to = copy;

        if (!copy)
                return NULL;
        for (; *text; *to++ = *text++)
                if (*text == '"' || *text == '\\')
                        *to++ = '\\';
        *to = 0;
        return copy;
}

static void print_to_file(LogLevel level, const char *text) {
        static const char *const names[_LOG_LEVEL_MAX] = {
                [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_HINT] = "info", [LOG_LEVEL_WARNING] = "warning",
                [LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
        };
        /* whole seconds, as every reader of these files takes them */
        _cleanup_free_ char *now = time_format_rfc3339(time_now_usec() / TIME_USEC_PER_SEC * TIME_USEC_PER_SEC), *msg = quoted(text);
        _cleanup_free_ char *line = NULL;

        if (!now || !msg)
                return;
        if (file.format == LOG_FORMAT_JSON)
                line = str_format("{\"level\":\"%s\",\"msg\":\"%s\",\"time\":\"%s\"}\n", names[level], msg, now);
        else
                line = str_format("time=\"%s\" level=%s msg=\"%s\"\n", now, names[level], msg);
        if (line)
                (void) io_write_full(file.fd, line, strlen(line)); /* it is on stderr, too */
}

void log_line(LogLevel level, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *clean = NULL, *line = NULL;
        int saved_errno = errno;
        va_list ap;

        bool to_file = file.fd >= 0 && level <= file.level;

        if (level > MAX(last_level, LOG_LEVEL_HINT) && !to_file)
                return;

        va_start(ap, format);
        int r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r >= 0 && (clean = str_escape_control(text)) && to_file)
                print_to_file(level, clean);
        if (clean && level <= MAX(last_level, LOG_LEVEL_HINT) &&
            asprintf(&line, "%s: %s%s\n", level == LOG_LEVEL_HINT ? "hint" : program, level == LOG_LEVEL_WARNING ? "warning: " : "",
                     clean) >= 0)
                print(level, line);
        errno = saved_errno;
}
