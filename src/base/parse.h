/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and other small words of the command line and of unit files. All refuse what they do not wholly understand
 * with -EINVAL, and what does not fit with -ERANGE; outputs are written only on success. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

int parse_u64(const char *s, uint64_t *ret);
int parse_u32(const char *s, uint32_t *ret);
int parse_i64(const char *s, int64_t *ret);

/* "OPTION" and a number, of a program that is handed descriptors, as in "--ready-fd=5": the number goes to the option's place in `fds`. -ENOENT: it is
 * none of the options; -EINVAL: not a number of a descriptor, or one of the standard three. */
int parse_fd_option(const char *argument, const char *const *options, size_t n, int *fds);

/* An octal mode, at most 07777. */
int parse_mode(const char *s, mode_t *ret);

/* A user or group ID: decimal, not (uid_t) -1. */
int parse_id(const char *s, uint32_t *ret);

/* true/false, yes/no, on/off, 1/0, t/f, y/n, any case. */
int parse_bool(const char *s, bool *ret);

/* A size in bytes: a number, perhaps with a fraction, and a unit b, k, m, g, t or p of 1024 ("64m", "1.5GiB", "10kb"). */
int parse_bytes(const char *s, uint64_t *ret);

/* A duration in microseconds as Go's time.ParseDuration has it ("1h30m", "250ms", "1.5s"); a bare number is seconds. */
int parse_duration(const char *s, uint64_t *ret_usec);

/* A signal by number or name, with or without SIG, any case, RTMIN+n too. */
int parse_signal(const char *s, int *ret);

/* "SIGTERM" for 15; NULL if there is no such signal. In `name`, or with signal_name() in a place of the caller's block. */
enum { SIGNAL_NAME_SIZE = 24 };
const char *signal_name_to(int signal, char name[static SIGNAL_NAME_SIZE]);
#define signal_name(signal) signal_name_to(signal, (char[SIGNAL_NAME_SIZE]){})
