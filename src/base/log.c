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

static const char *program = "sdpod";
static LogLevel last_level = LOG_LEVEL_WARNING;

void log_set_program(const char *name) {
        program = name;
}

void log_set_level(LogLevel level) {
        last_level = level;
}

LogLevel log_get_level(void) {
        return last_level;
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

void log_line(LogLevel level, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *clean = NULL, *line = NULL;
        int saved_errno = errno;
        va_list ap;

        if (level > MAX(last_level, LOG_LEVEL_HINT))
                return;

        va_start(ap, format);
        int r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r >= 0 && (clean = str_escape_control(text)) &&
            asprintf(&line, "%s: %s%s\n", level == LOG_LEVEL_HINT ? "hint" : program, level == LOG_LEVEL_WARNING ? "warning: " : "",
                     clean) >= 0)
                print(level, line);
        errno = saved_errno;
}
