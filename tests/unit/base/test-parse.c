/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "base/parse.h"
#include "base/str.h"
#include "base/test.h"

TEST(bytes_have_units_of_1024) {
        static const struct {
                const char *text;
                int r;
                uint64_t value;
        } rows[] = {
                { "0", 0, 0 },          { "512", 0, 512 },           { "64m", 0, 64ULL << 20 }, { "1.5GiB", 0, 1610612736 },
                { "10kb", 0, 10240 },   { "1T", 0, 1ULL << 40 },     { "", -EINVAL, 0 },        { "m", -EINVAL, 0 },
                { "1x", -EINVAL, 0 },   { "-1", -EINVAL, 0 },        { "1 m", -EINVAL, 0 },     { "1m1", -EINVAL, 0 },
                { "9999999p", -ERANGE, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t value = 0;

                CHECK_INT(parse_bytes(rows[i].text, &value), rows[i].r);
                CHECK_INT(value, rows[i].value);
        }
}

TEST(durations_are_those_of_go) {
        uint64_t usec = 0;

        CHECK_INT(parse_duration("1h30m", &usec), 0);
        CHECK_INT(usec, 5400000000);
        CHECK_INT(parse_duration("250ms", &usec), 0);
        CHECK_INT(usec, 250000);
        CHECK_INT(parse_duration("10", &usec), 0);
        CHECK_INT(usec, 10000000);
        CHECK_INT(parse_duration("", &usec), -EINVAL);
        CHECK_INT(parse_duration("1d", &usec), -EINVAL);
        CHECK_INT(parse_duration("s", &usec), -EINVAL);
}

/* A number without a unit stands alone (Go knows none but 0; Podman takes seconds). */
TEST(durations_have_units) {
        static const char *const wrong[] = { "1h30", "1.5.5", "1m 2s", "s", ".", "1.2.3s", "-1s" };
        uint64_t usec = 0;

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                CHECK_INT(parse_duration(wrong[i], &usec), -EINVAL);
        CHECK_INT(parse_duration("2.5", &usec), 0);
        CHECK_INT(usec, 2500000);
}

TEST(signals_by_name_and_number) {
        int signal = 0;

        CHECK_INT(parse_signal("term", &signal), 0);
        CHECK_INT(signal, SIGTERM);
        CHECK_INT(parse_signal("SIGRTMIN+3", &signal), 0);
        CHECK_INT(signal, SIGRTMIN + 3);
        CHECK_INT(parse_signal("9", &signal), 0);
        CHECK_INT(signal, 9);
        CHECK_INT(parse_signal("0", &signal), -EINVAL);
        CHECK_INT(parse_signal("99999999999", &signal), -EINVAL);
        CHECK_INT(parse_signal("NOPE", &signal), -EINVAL);
        CHECK_STR(signal_name(15), "SIGTERM");
}

TEST(numbers_refuse_what_is_not_wholly_a_number) {
        uint64_t u = 7;
        int64_t i = 7;
        uint32_t id = 7;

        CHECK_INT(parse_u64("18446744073709551615", &u), 0);
        CHECK(u == UINT64_MAX);
        CHECK_INT(parse_u64("18446744073709551616", &u), -ERANGE);
        CHECK_INT(parse_u64("+1", &u), -EINVAL);
        CHECK_INT(parse_u64(" 1", &u), -EINVAL);
        CHECK_INT(parse_i64("-9223372036854775808", &i), 0);
        CHECK(i == INT64_MIN);
        CHECK_INT(parse_id("4294967295", &id), -ERANGE);
        CHECK_INT(parse_id("99999999999", &id), -ERANGE);
        CHECK_INT(id, 7);
}

TEST(control_bytes_are_escaped) {
        _cleanup_free_ char *clean = str_escape_control("a\033]0;x\007\xc2\x9b\xff\xc3\xa9\n");

        CHECK_STR(clean, "a\\x1b]0;x\\x07\\xc2\\x9b\\xff\xc3\xa9\\x0a");
}

TEST(environment_later_wins_in_place) {
        _cleanup_strv_ char **env = NULL;

        CHECK_INT(strv_env_set(&env, "A=1"), 0);
        CHECK_INT(strv_env_set(&env, "AB=2"), 0);
        CHECK_INT(strv_env_set(&env, "A=3"), 0);
        CHECK_INT(strv_length(env), 2);
        CHECK_STR(strv_env_get(env, "A"), "3");
        CHECK_STR(strv_env_get(env, "B"), NULL);
        CHECK_STR(env[1], "AB=2");
}

TEST(random_digits_are_digits_and_random) {
        _cleanup_free_ char *a = str_random_hex(64), *b = str_random_hex(64), *none = str_random_hex(0);

        CHECK(a && b && strlen(a) == 64 && strspn(a, "0123456789abcdef") == 64);
        CHECK(strcmp(a, b) != 0);
        CHECK_STR(none, "");
}

TEST(short_ids_are_no_numbers) {
        for (size_t i = 0; i < 8192; i++) { /* 29 of them would be by chance */
                _cleanup_free_ char *id = str_random_id(64);

                CHECK(id && strlen(id) == 64 && strspn(id, "0123456789") < 12);
        }
}

TEST(descriptors_are_told_by_number) {
        static const char *const options[] = { "--in-fd=", "--out-fd=" }, *const bad[] = { "--in-fd=", "--in-fd=2", "--in-fd=-3", "--in-fd=3x", "--in-fd=4294967295" };
        int fds[] = { -EBADF, -EBADF };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_INT(parse_fd_option(bad[i], options, ELEMENTSOF(options), fds), -EINVAL);
        CHECK_INT(parse_fd_option("--name=a", options, ELEMENTSOF(options), fds), -ENOENT);
        CHECK_INT(fds[0], -EBADF);
        CHECK_INT(parse_fd_option("--out-fd=3", options, ELEMENTSOF(options), fds), 0);
        CHECK_INT(fds[0], -EBADF);
        CHECK_INT(fds[1], 3);
}
