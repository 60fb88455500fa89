/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for people on stderr. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
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

void log_line(LogLevel level, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *clean = NULL, *line = NULL;
        int saved_errno = errno;
        va_list ap;

        if (level > MAX(last_level, LOG_LEVEL_HINT))
                return;

        va_start(ap, format);
        int r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r >= 0 && (clean = str_escape_control(text))) {
                const char *warning = level == LOG_LEVEL_WARNING ? "warning: " : "";

                r = level == LOG_LEVEL_HINT ? asprintf(&line, "hint: %s\n", clean)
                                            : asprintf(&line, "%s: %s%s\n", program, warning, clean);
                if (r >= 0)
                        (void) io_write_full(/* STDERR_FILENO */ 2, line, strlen(line)); /* nowhere left to say it */
        }
        errno = saved_errno;
}
