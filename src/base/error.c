/* SPDX-License-Identifier: Apache-2.0 */
/* The error object: set at the origin, prefixed on the way, printed once. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

static const struct {
        const char *name;
        int exit_status;
} kinds[_ERROR_KIND_MAX] = {
        [ERROR_INTERNAL] = { "internal", 125 },
        [ERROR_INVALID] = { "invalid", 125 },
        [ERROR_USAGE] = { "usage", 125 },
        [ERROR_NOT_FOUND] = { "not-found", 125 },
        [ERROR_EXISTS] = { "exists", 125 },
        [ERROR_IN_USE] = { "in-use", 125 },
        [ERROR_STATE] = { "state", 125 },
        [ERROR_DENIED] = { "denied", 125 },
        [ERROR_UNSUPPORTED] = { "unsupported", 125 },
        [ERROR_UNREACHABLE] = { "unreachable", 125 },
        [ERROR_CORRUPT] = { "corrupt", 125 },
        [ERROR_NOT_EXECUTABLE] = { "not-executable", 126 },
        [ERROR_COMMAND_NOT_FOUND] = { "command-not-found", 127 },
};

void error_done(Error *error) {
        if (!error)
                return;
        free(error->message);
        free(error->hint);
        *error = ERROR_NULL;
}

static int error_setv(Error *reterr, int code, ErrorKind kind, const char *suffix, const char *format, va_list ap)
        _printf_(5, 0);
static int error_setv(Error *reterr, int code, ErrorKind kind, const char *suffix, const char *format, va_list ap) {
        _cleanup_free_ char *text = NULL;
        char *message = NULL;

        assert(code < 0);
        if (!reterr)
                return code;
        if (vasprintf(&text, format, ap) < 0)
                return error_oom(reterr);
        if (!suffix)
                message = TAKE_PTR(text);
        else if (asprintf(&message, "%s: %s", text, suffix) < 0)
                return error_oom(reterr);

        error_done(reterr);
        *reterr = (Error){ .code = code, .kind = kind, .message = message };
        return code;
}

int error_set(Error *reterr, int code, ErrorKind kind, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        int r = error_setv(reterr, code, kind, /* suffix= */ NULL, format, ap);
        va_end(ap);
        return r;
}

int error_set_errno(Error *reterr, int code, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        int r = error_setv(reterr, code, error_kind_from_errno(code), strerror(-code), format, ap);
        va_end(ap);
        return r;
}

int error_prefix(Error *reterr, int code, const char *format, ...) {
        _cleanup_free_ char *prefix = NULL;
        char *message = NULL;
        va_list ap;

        if (!reterr)
                return code;
        va_start(ap, format);
        int r = vasprintf(&prefix, format, ap);
        va_end(ap);
        if (r < 0)
                return error_oom(reterr);
        if (!reterr->message)
                return error_set_errno(reterr, code, "%s", prefix);
        if (asprintf(&message, "%s: %s", prefix, reterr->message) < 0)
                return error_oom(reterr);
        free(reterr->message);
        reterr->message = message;
        return code;
}

static void set_hint(Error *reterr, const char *format, va_list ap) _printf_(2, 0);

static void set_hint(Error *reterr, const char *format, va_list ap) {
        char *hint = NULL;

        if (!reterr || vasprintf(&hint, format, ap) < 0)
                return; /* the message stands without it */
        free(reterr->hint);
        reterr->hint = hint;
}

void error_hint(Error *reterr, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        set_hint(reterr, format, ap);
        va_end(ap);
}

int error_with_hint(Error *reterr, int code, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        set_hint(reterr, format, ap);
        va_end(ap);
        return code;
}

int error_move(Error *to, Error *from) {
        int code = from->code;

        if (to) {
                error_done(to);
                *to = *from;
                *from = ERROR_NULL;
        } else
                error_done(from);
        return code;
}

int error_oom(Error *reterr) {
        error_done(reterr);
        if (reterr)
                *reterr = (Error){ .code = -ENOMEM, .kind = ERROR_INTERNAL };
        return -ENOMEM;
}

ErrorKind error_kind_from_errno(int code) {
        switch (-code) {
        case ENOENT:
                return ERROR_NOT_FOUND;
        case EEXIST:
                return ERROR_EXISTS;
        case EBUSY:
                return ERROR_IN_USE;
        case EINVAL:
        case ENAMETOOLONG:
        case ERANGE:
                return ERROR_INVALID;
        case EACCES:
        case EPERM:
        case EROFS:
                return ERROR_DENIED;
        case ENOSYS:
        case EOPNOTSUPP:
                return ERROR_UNSUPPORTED;
        case EBADMSG:
                return ERROR_CORRUPT;
        default:
                return ERROR_INTERNAL;
        }
}

const char *error_kind_to_string(ErrorKind kind) {
        return kind < _ERROR_KIND_MAX ? kinds[kind].name : kinds[ERROR_INTERNAL].name;
}

ErrorKind error_kind_from_string(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (str_equal(kinds[i].name, name))
                        return (ErrorKind) i;
        return ERROR_INTERNAL;
}

int error_exit_status(const Error *error) {
        return error->kind < _ERROR_KIND_MAX ? kinds[error->kind].exit_status : 125;
}

void error_print(const Error *error) {
        const char *message = error->message ?: strerror(-error->code);

        log_line(LOG_LEVEL_ERROR, "%s", message);
        if (error->hint)
                log_line(LOG_LEVEL_HINT, "%s", error->hint);
}
