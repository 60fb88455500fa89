/* SPDX-License-Identifier: Apache-2.0 */
/* What stats makes of counters. */
#include "base/str.h"
#include "base/test.h"
#include "cli/stats-row.h"

TEST(bytes_of_interfaces_are_summed_without_the_loopback) {
        static const char text[] =
                "Inter-|   Receive                                                |  Transmit\n"
                " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
                "    lo:    1000      10    0    0    0     0          0         0     1000      10    0    0    0     0       0          0\n"
                "  tap0:    2000      20    0    0    0     0          0         0      300       3    0    0    0     0       0          0\n"
                "  eth1:5        1    0    0    0     0          0         0      7       1    0    0    0     0       0          0\n";
        uint64_t in, out;

        stats_parse_net(text, &in, &out);
        CHECK_INT(in, 2005);
        CHECK_INT(out, 307);
        stats_parse_net("", &in, &out);
        CHECK_INT(in, 0);
        stats_parse_net("  lo:", &in, &out);
        CHECK_INT(in, 0);
        stats_parse_net(" eth0:1 2", &in, &out);
        CHECK_INT(in, 1);
        CHECK_INT(out, 0);
}

TEST(a_row_has_the_texts_of_podman) {
        char id[] = "0123456789abcdef", name[] = "web";
        const StatsEntry entry = {
                .id = id, .name = name, .cpu_percent = 12.345,
                .stats = {
                        .running = true, .has_net = true, .net_in = 1200, .net_out = 3910, .age_usec = 10000000, .memory_limit = 67108864,
                        .used = { .has_cpu = true, .has_memory = true, .cpu_usec = 88410, .memory = 9712000, .memory_max = 67108864 },
                },
        };
        _cleanup_json_ json_t *json = stats_row_json(&entry, false), *row = stats_row_fields(&entry, true);

        CHECK(json && row);
        CHECK_STR(json_get_string(json, "id"), "0123456789ab");
        CHECK_STR(json_get_string(json, "cpu_time"), "88.41ms");
        CHECK_STR(json_get_string(json, "cpu_percent"), "12.35%");
        CHECK_STR(json_get_string(json, "avg_cpu"), "0.88%");
        CHECK_STR(json_get_string(json, "mem_usage"), "9.712MB / 67.11MB");
        CHECK_STR(json_get_string(json, "mem_percent"), "14.47%");
        CHECK_STR(json_get_string(json, "net_io"), "1.2kB / 3.91kB");
        CHECK_STR(json_get_string(json, "block_io"), "-- / --");
        CHECK_STR(json_get_string(json, "pids"), "--");
        CHECK_STR(json_get_string(row, "ID"), id);
        CHECK_STR(json_get_string(row, "MemUsageBytes"), "9.262MiB / 64MiB");
        CHECK_INT(json_get_integer(row, "CPUNano", 0), 88410000);
        for (const FormatField *field = stats_list.fields; field->name; field++)
                CHECK(json_object_get(row, field->name));
}

TEST(a_second_reading_is_made_for_the_cpu_alone) {
        CHECK(stats_needs_cpu_percent(NULL));
        CHECK(stats_needs_cpu_percent("json"));
        CHECK(stats_needs_cpu_percent("table {{.ID}} {{.CPUPerc}}"));
        CHECK(!stats_needs_cpu_percent("{{.ID}} {{.MemUsage}}"));
}
