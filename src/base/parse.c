/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and other small words. */
#include "base/parse.h"

#include <ctype.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/str.h"

int parse_u64(const char *s, uint64_t *ret) {
        uint64_t value = 0;

        if (!s || !*s)
                return -EINVAL;
        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*s - '0'), &value))
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

int parse_u32(const char *s, uint32_t *ret) {
        uint64_t value;
        int r = parse_u64(s, &value);

        if (r < 0)
                return r;
        if (value > UINT32_MAX)
                return -ERANGE;
        *ret = (uint32_t) value;
        return 0;
}

int parse_i64(const char *s, int64_t *ret) {
        uint64_t value;
        bool negative = s && *s == '-';
        int r = parse_u64(negative ? s + 1 : s, &value);

        if (r < 0)
                return r;
        if (value > (uint64_t) INT64_MAX + negative)
                return -ERANGE;
        *ret = negative ? (int64_t) (0 - value) : (int64_t) value;
        return 0;
}

int parse_fd_option(const char *argument, const char *const *options, size_t n, int *fds) {
        uint32_t fd;

        for (size_t i = 0; i < n; i++) {
                const char *value = str_after(argument, options[i]);

                if (!value)
                        continue;
                if (parse_u32(value, &fd) < 0 || fd <= STDERR_FILENO || fd > INT_MAX)
                        return -EINVAL;
                fds[i] = (int) fd;
                return 0;
        }
        return -ENOENT;
}

int parse_mode(const char *s, mode_t *ret) {
        mode_t value = 0;

        if (!s || !*s)
                return -EINVAL;
        for (; *s; s++) {
                if (*s < '0' || *s > '7')
                        return -EINVAL;
                value = value * 8 + (mode_t) (*s - '0');
                if (value > 07777)
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

int parse_id(const char *s, uint32_t *ret) {
        uint32_t value;
        int r = parse_u32(s, &value);

        if (r < 0)
                return r;
        if (value == UINT32_MAX)
                return -ERANGE;
        *ret = value;
        return 0;
}

int parse_bool(const char *s, bool *ret) {
        static const char *const words[2][6] = {
                { "0", "false", "no", "off", "f", "n" },
                { "1", "true", "yes", "on", "t", "y" },
        };

        for (size_t value = 0; s && value < 2; value++)
                for (size_t i = 0; i < ELEMENTSOF(words[value]); i++)
                        if (strcasecmp(s, words[value][i]) == 0) {
                                *ret = value == 1;
                                return 0;
                        }
        return -EINVAL;
}

/* Reads digits with an optional fraction from *s, moves it on, and gives value * scale rounded down. */
static int parse_scaled(const char **s, const char *const *units, const uint64_t *scales, size_t n_units, uint64_t *ret) {
        long double value = 0, place = 1;
        const char *p = *s;
        bool digits = false;

        for (; isdigit((unsigned char) *p); p++, digits = true)
                value = value * 10 + (*p - '0');
        if (*p == '.')
                for (p++; isdigit((unsigned char) *p); p++, digits = true)
                        value += (*p - '0') * (place /= 10);
        if (!digits)
                return -EINVAL;

        size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\xc2\xb5\xce\xbc");
        for (size_t i = 0; i < n_units; i++) {
                if (strlen(units[i]) != n || strncasecmp(p, units[i], n) != 0)
                        continue;
                value *= (long double) scales[i];
                if (value >= (long double) INT64_MAX)
                        return -ERANGE;
                *s = p + n;
                *ret = (uint64_t) value;
                return 0;
        }
        return -EINVAL;
}

int parse_bytes(const char *s, uint64_t *ret) {
        static const char *const units[] = { "", "b", "k", "kb", "kib", "m", "mb", "mib", "g", "gb", "gib",
                                       "t", "tb", "tib", "p", "pb", "pib" };
        static const uint64_t scales[] = { 1, 1, 1ULL << 10, 1ULL << 10, 1ULL << 10, 1ULL << 20, 1ULL << 20, 1ULL << 20,
                                           1ULL << 30, 1ULL << 30, 1ULL << 30, 1ULL << 40, 1ULL << 40, 1ULL << 40,
                                           1ULL << 50, 1ULL << 50, 1ULL << 50 };
        uint64_t value;

        static_assert(ELEMENTSOF(units) == ELEMENTSOF(scales), "a scale for each unit");
        if (!s)
                return -EINVAL;
        int r = parse_scaled(&s, units, scales, ELEMENTSOF(units), &value);
        if (r < 0)
                return r;
        if (*s)
                return -EINVAL;
        *ret = value;
        return 0;
}

int parse_duration(const char *s, uint64_t *ret_usec) {
        static const char *const units[] = { "", "us", "\xc2\xb5s", "\xce\xbcs", "ms", "s", "m", "h" };
        static const uint64_t scales[] = { 1000000, 1, 1, 1, 1000, 1000000, 60000000, 3600000000 };
        uint64_t total = 0;
        size_t parts = 0;

        static_assert(ELEMENTSOF(units) == ELEMENTSOF(scales), "a scale for each unit");
        if (!s || !*s)
                return -EINVAL;
        for (; *s; parts++) {
                uint64_t part;
                int r = parse_scaled(&s, units, scales, ELEMENTSOF(units), &part);
                bool has_unit = r >= 0 && !isdigit((unsigned char) s[-1]) && s[-1] != '.';

                if (r < 0)
                        return r;
                if (!has_unit && (parts > 0 || *s))
                        return -EINVAL;
                if (__builtin_add_overflow(total, part, &total))
                        return -ERANGE;
        }
        *ret_usec = total;
        return 0;
}

int parse_signal(const char *s, int *ret) {
        uint32_t number;

        if (!s || !*s)
                return -EINVAL;
        if (parse_u32(s, &number) >= 0) {
                if (number < 1 || number > (uint32_t) SIGRTMAX)
                        return -EINVAL;
                *ret = (int) number;
                return 0;
        }
        if (strncasecmp(s, "SIG", 3) == 0)
                s += 3;
        if (strncasecmp(s, "RTMIN", 5) == 0 || strncasecmp(s, "RTMAX", 5) == 0) {
                bool from_min = strncasecmp(s, "RTMIN", 5) == 0;
                uint32_t offset = 0;

                if (s[5] && (s[5] != (from_min ? '+' : '-') || parse_u32(s + 6, &offset) < 0))
                        return -EINVAL;
                if (offset > 30)
                        return -EINVAL;
                *ret = from_min ? SIGRTMIN + (int) offset : SIGRTMAX - (int) offset;
                return *ret < SIGRTMIN || *ret > SIGRTMAX ? -EINVAL : 0;
        }
        for (int i = 1; i < SIGRTMIN; i++) {
                const char *name = sigabbrev_np(i);

                if (name && strcasecmp(s, name) == 0) {
                        *ret = i;
                        return 0;
                }
        }
        return -EINVAL;
}

const char *signal_name_to(int signal, char name[static SIGNAL_NAME_SIZE]) {
        const char *abbreviation;

        if (signal >= SIGRTMIN && signal <= SIGRTMAX)
                (void) snprintf(name, SIGNAL_NAME_SIZE, "SIGRTMIN+%d", signal - SIGRTMIN);
        else if ((abbreviation = sigabbrev_np(signal)))
                (void) snprintf(name, SIGNAL_NAME_SIZE, "SIG%s", abbreviation);
        else
                return NULL;
        return name;
}
