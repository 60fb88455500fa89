/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, in words for a person and in numbers for a program.
 *
 * Functions return 0 (or a documented positive) and -errno. Where a user could read the text they also take an
 * `Error *reterr` as the last parameter and fill it where the fault is found; callers add a prefix only when they
 * know something new. It is printed once, in main. `reterr` may be NULL: the code alone then travels. */
#pragma once

#include <stdarg.h>

#include "base/macro.h"

/* The kind decides the exit status and (in the API) the HTTP status. */
typedef enum ErrorKind {
        ERROR_INTERNAL,
        ERROR_INVALID,      /* the input is wrong */
        ERROR_USAGE,        /* the command line is wrong: "try 'sdpod run --help'" follows */
        ERROR_NOT_FOUND,
        ERROR_EXISTS,
        ERROR_IN_USE,
        ERROR_STATE,        /* not possible in the state it is in (not running, already running) */
        ERROR_DENIED,
        ERROR_UNSUPPORTED,  /* not on this machine, or not there yet */
        ERROR_UNREACHABLE,
        ERROR_CORRUPT,
        ERROR_NOT_EXECUTABLE,     /* the container's command is there and cannot be executed: 126 */
        ERROR_COMMAND_NOT_FOUND,  /* the container's command is not there: 127 */
        _ERROR_KIND_MAX,
} ErrorKind;

typedef struct Error {
        int code;        /* -errno; 0 where nothing is set */
        ErrorKind kind;
        char *message;   /* owned */
        char *hint;      /* owned, may be NULL: what a person can do about it */
} Error;

#define ERROR_NULL ((Error){})
#define _cleanup_error_ _cleanup_(error_done)

/* Frees what is inside and leaves an empty error. NULL is fine, as for every `reterr`: who gets over a fault forgets it so. */
void error_done(Error *error);

/* Sets the error (replacing an earlier one) and returns `code`, a negative errno. The text is a sentence without a
 * full stop, in the form: cannot <verb> <what> '<subject>': <reason>. */
int error_set(Error *reterr, int code, ErrorKind kind, const char *format, ...) _printf_(4, 5);

/* The same, with the system's text for `code` appended after ": ", and the kind taken from the code. */
int error_set_errno(Error *reterr, int code, const char *format, ...) _printf_(3, 4);

/* Puts "<text>: " before the message that is there (sets one from `code` if there is none). Returns `code`. */
int error_prefix(Error *reterr, int code, const char *format, ...) _printf_(3, 4);

/* Adds the hint line, or puts it in the place of one. */
void error_hint(Error *reterr, const char *format, ...) _printf_(2, 3);

/* The same. Returns `code`, which holds where nobody wants the text, too (`reterr` is NULL). */
int error_with_hint(Error *reterr, int code, const char *format, ...) _printf_(3, 4);

/* Moves `from` into `to` (which may be NULL) and leaves `from` empty. Returns the code. */
int error_move(Error *to, Error *from);

/* Out of memory: needs no allocation. Returns -ENOMEM. */
int error_oom(Error *reterr);

/* The kind that an errno stands for when nothing more is known. */
ErrorKind error_kind_from_errno(int code) _pure_;

/* The name of a kind for JSON between our programs ("not-found"), and back (ERROR_INTERNAL for unknown words). */
const char *error_kind_to_string(ErrorKind kind) _pure_;
ErrorKind error_kind_from_string(const char *name) _pure_;

/* The exit status that sdpod ends with for this error: 125, 126 or 127 (podman-run(1), EXIT STATUS). */
int error_exit_status(const Error *error) _pure_;

/* Prints "<program>: <message>" and the hint to stderr, with control bytes escaped. */
void error_print(const Error *error);
