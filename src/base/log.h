/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for people on stderr: "sdpod: text". Control bytes of the text are escaped, so that nothing which came from an
 * image or a name drives the reader's terminal. The only global state is the level, the program's name and the file beside stderr. */
#pragma once

#include "base/macro.h"

typedef enum LogLevel {
        LOG_LEVEL_ERROR,
        LOG_LEVEL_HINT,     /* belongs to the error or warning before it; printed as "hint: ..." */
        LOG_LEVEL_WARNING,
        LOG_LEVEL_INFO,
        LOG_LEVEL_DEBUG,
        _LOG_LEVEL_MAX,
        _LOG_LEVEL_INVALID = -EINVAL,
} LogLevel;

/* Sets the name that lines begin with; the string is borrowed for the program's life. */
void log_set_program(const char *name);

/* Sets the last level that is printed; the default is LOG_LEVEL_WARNING. */
void log_set_level(LogLevel level);
LogLevel log_get_level(void);

typedef enum LogFormat {
        LOG_FORMAT_TEXT,    /* time="2026-11-23T02:03:15Z" level=error msg="..." */
        LOG_FORMAT_JSON,    /* {"level":"error","msg":"...","time":"2026-11-23T02:03:15Z"} */
} LogFormat;

/* Lines up to this level go into a file as well, for the programs that read an OCI runtime's --log. -EBADF: none any more. The
 * descriptor is the caller's. */
void log_set_file(int fd, LogFormat format, LogLevel level);

/* "error", "warn", "warning", "info", "debug" (and podman's "trace", "fatal", "panic"); _LOG_LEVEL_INVALID otherwise. */
LogLevel log_level_from_string(const char *name);

/* Prints one line if the level allows; keeps errno. */
void log_line(LogLevel level, const char *format, ...) _printf_(2, 3);

#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_hint(...) log_line(LOG_LEVEL_HINT, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
