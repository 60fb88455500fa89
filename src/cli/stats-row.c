/* SPDX-License-Identifier: Apache-2.0 */
/* A container as `stats` shows it. What is not known, as its controller is missing, is "--". */
#include "cli/stats-row.h"

#include "base/str.h"
#include "base/time.h"
#include "cli/time-text.h"
#include "cli/top-column.h"

enum { SHORT_ID = 12, SIZE_DIGITS = 4 };

/* Sorted. */
static const FormatField fields[] = {
        { "AVGCPU", "AVG CPU %" },
        { "AvgCPU" },
        { "BlockIO", "BLOCK IO" },
        { "BlockInput" },
        { "BlockOutput" },
        { "CPU" },
        { "CPUNano" },
        { "CPUPerc", "CPU %" },
        { "CPUSystemNano" },
        { "ContainerID" },
        { "Duration" },
        { "ID", "ID" },
        { "MemLimit" },
        { "MemPerc", "MEM %" },
        { "MemUsage", "MEM USAGE / LIMIT" },
        { "MemUsageBytes", "MEM USAGE / LIMIT" },
        { "Name" },
        { "NetIO", "NET IO" },
        { "NetInput" },
        { "NetOutput" },
        { "PIDS", "PIDS" },
        { "PIDs" },
        { "PerCPU" },
        { "SystemNano" },
        { "Up" },
        { "UpTime", "CPU TIME" },
        {},
};

const FormatList stats_list = {
        .fields = fields,
        .table = "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDS}}\t{{.UpTime}}"
                 "\t{{.AVGCPU}}",
        .json_indent = 1,
};

static const FormatField pod_fields[] = {
        { "BlockIO", "BLOCK IO" },
        { "CID", "CID" },
        { "CPU", "CPU %" },
        { "Mem", "MEM %" },
        { "MemUsage", "MEM USAGE/ LIMIT" },
        { "MemUsageBytes", "MEM USAGE/ LIMIT" },
        { "Name" },
        { "NetIO", "NET IO" },
        { "PIDS", "PIDS" },
        { "Pod" },
        {},
};

const FormatList stats_pod_list = {
        .fields = pod_fields,
        .table = "table {{.Pod}}\t{{.CID}}\t{{.Name}}\t{{.CPU}}\t{{.MemUsage}}\t{{.Mem}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDS}}",
        .json_indent = 1,
};

void stats_entry_done(StatsEntry *entry) {
        free(entry->id);
        free(entry->name);
        free(entry->pod);
        *entry = (StatsEntry){};
}

bool stats_needs_cpu_percent(const char *format) {
        return !format || format_is_json(format) || format_uses_field(format, "CPU") || format_uses_field(format, "CPUPerc");
}

static char *percent_text(bool known, double percent) {
        return known ? str_format("%.2f%%", percent) : strdup("--");
}

/* In powers of 1024: "2.891MiB". */
static char *binary_size(uint64_t bytes) {
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        double size = (double) bytes;
        size_t unit = 0;

        for (; size >= 1024 && unit < ELEMENTSOF(units) - 1; unit++)
                size /= 1024;
        return str_format("%.*g%s", SIZE_DIGITS, size, units[unit]);
}

static char *decimal_size(uint64_t bytes) {
        return time_text_size(bytes, SIZE_DIGITS, /* space= */ false);
}

static char *pair_text(bool known, uint64_t a, uint64_t b, char *(*size)(uint64_t)) {
        _cleanup_free_ char *first = NULL, *second = NULL;

        if (!known)
                return strdup("-- / --");
        first = size(a);
        second = size(b);
        return first && second ? str_format("%s / %s", first, second) : NULL;
}

/* What is printed of an entry, in the order of the JSON's keys. */
typedef struct Texts {
        char *id, *name, *cpu_time, *cpu, *average, *memory, *memory_percent, *net, *block, *pids;
} Texts;

static void texts_done(Texts *t) {
        char **all[] = { &t->id, &t->cpu_time, &t->cpu, &t->average, &t->memory, &t->memory_percent, &t->net, &t->block, &t->pids };

        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                free(*all[i]);
}

static double average_percent(const ContainerStats *s) {
        return s->age_usec > 0 ? (double) s->used.cpu_usec / (double) s->age_usec * 100 : 0;
}

static Texts make_texts(const StatsEntry *e, bool no_trunc) {
        const ContainerStats *s = &e->stats;
        const CgroupCounters *u = &s->used;
        double memory_percent = s->memory_limit > 0 ? (double) u->memory / (double) s->memory_limit * 100 : 0;

        return (Texts){
                .id = strndup(e->id, no_trunc ? strlen(e->id) : SHORT_ID),
                .name = e->name,
                .cpu_time = top_duration((double) u->cpu_usec / (double) TIME_USEC_PER_SEC),
                .cpu = percent_text(u->has_cpu, e->cpu_percent),
                .average = percent_text(u->has_cpu, average_percent(s)),
                .memory = pair_text(u->has_memory, u->memory, s->memory_limit, decimal_size),
                .memory_percent = percent_text(u->has_memory, memory_percent),
                .net = pair_text(s->has_net, s->net_in, s->net_out, decimal_size),
                .block = pair_text(u->has_io, u->io_read, u->io_written, decimal_size),
                .pids = u->has_pids ? str_format("%llu", (unsigned long long) u->pids) : strdup("--"),
        };
}

static int put_text(json_t *row, const char *key, const char *text) {
        return text ? json_object_set_new_nocheck(row, key, json_text(text)) : -1;
}

static int put_number(json_t *row, const char *key, uint64_t number) {
        return json_object_set_new_nocheck(row, key, json_integer((json_int_t) number));
}

static int put_real(json_t *row, const char *key, double number) {
        return json_object_set_new_nocheck(row, key, json_real(number));
}

json_t *stats_row_json(const StatsEntry *entry, bool no_trunc) {
        _cleanup_(texts_done) Texts t = make_texts(entry, no_trunc);
        _cleanup_json_ json_t *row = json_object();

        if (put_text(row, "id", t.id) < 0 || put_text(row, "name", t.name) < 0 || put_text(row, "cpu_time", t.cpu_time) < 0 ||
            put_text(row, "cpu_percent", t.cpu) < 0 || put_text(row, "avg_cpu", t.average) < 0 ||
            put_text(row, "mem_usage", t.memory) < 0 || put_text(row, "mem_percent", t.memory_percent) < 0 ||
            put_text(row, "net_io", t.net) < 0 || put_text(row, "block_io", t.block) < 0 || put_text(row, "pids", t.pids) < 0)
                return NULL;
        return TAKE_PTR(row);
}

static int put_numbers(json_t *row, const StatsEntry *e) {
        const ContainerStats *s = &e->stats;
        const CgroupCounters *u = &s->used;
        const struct {
                const char *key;
                uint64_t value;
        } numbers[] = {
                { "BlockInput", u->io_read },
                { "BlockOutput", u->io_written },
                { "CPUNano", u->cpu_usec * 1000 },
                { "CPUSystemNano", u->cpu_system_usec * 1000 },
                { "Duration", u->cpu_usec * 1000 },
                { "MemLimit", u->has_memory ? s->memory_limit : 0 },
                { "NetInput", s->net_in },
                { "NetOutput", s->net_out },
                { "PIDs", u->pids },
                { "SystemNano", (uint64_t) time_now_usec() * 1000 },
        };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (put_number(row, numbers[i].key, numbers[i].value) < 0)
                        return -ENOMEM;
        return 0;
}

json_t *stats_row_fields(const StatsEntry *entry, bool no_trunc) {
        _cleanup_(texts_done) Texts t = make_texts(entry, no_trunc);
        const ContainerStats *s = &entry->stats;
        const CgroupCounters *u = &s->used;
        _cleanup_free_ char *binary = pair_text(u->has_memory, u->memory, s->memory_limit, binary_size);
        _cleanup_json_ json_t *row = json_object();

        if (put_text(row, "ID", t.id) < 0 || put_text(row, "ContainerID", entry->id) < 0 || put_text(row, "Name", t.name) < 0 ||
            put_text(row, "CPUPerc", t.cpu) < 0 || put_text(row, "AVGCPU", t.average) < 0 || put_text(row, "MemUsage", t.memory) < 0 ||
            put_text(row, "MemUsageBytes", binary) < 0 || put_text(row, "MemPerc", t.memory_percent) < 0 ||
            put_text(row, "NetIO", t.net) < 0 || put_text(row, "BlockIO", t.block) < 0 || put_text(row, "PIDS", t.pids) < 0 ||
            put_text(row, "Up", t.cpu_time) < 0 || put_text(row, "UpTime", t.cpu_time) < 0 ||
            put_real(row, "CPU", entry->cpu_percent) < 0 || put_real(row, "AvgCPU", average_percent(s)) < 0 ||
            json_object_set_new_nocheck(row, "PerCPU", json_array()) < 0 || put_numbers(row, entry) < 0)
                return NULL;
        return TAKE_PTR(row);
}

json_t *stats_pod_row(const StatsEntry *entry) {
        _cleanup_(texts_done) Texts t = make_texts(entry, /* no_trunc= */ false);
        const ContainerStats *s = &entry->stats;
        _cleanup_free_ char *binary = pair_text(s->used.has_memory, s->used.memory, s->memory_limit, binary_size);
        _cleanup_free_ char *pod = strndup(entry->pod, SHORT_ID);
        _cleanup_json_ json_t *row = json_object();

        if (put_text(row, "CPU", t.cpu) < 0 || put_text(row, "MemUsage", t.memory) < 0 || put_text(row, "MemUsageBytes", binary) < 0 ||
            put_text(row, "Mem", t.memory_percent) < 0 || put_text(row, "NetIO", t.net) < 0 || put_text(row, "BlockIO", t.block) < 0 ||
            put_text(row, "PIDS", t.pids) < 0 || put_text(row, "Pod", pod) < 0 || put_text(row, "CID", t.id) < 0 ||
            put_text(row, "Name", t.name) < 0)
                return NULL;
        return TAKE_PTR(row);
}
