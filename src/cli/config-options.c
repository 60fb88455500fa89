/* SPDX-License-Identifier: Apache-2.0 */
/* Options that fill a ContainerConfig, for several verbs; each table sorted. */
#include "cli/config-options.h"

#include "base/str.h"
#include "cli/parse-blkio.h"
#include "cli/parse-life.h"
#include "cli/parse-limit.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

int config_each_field(ContainerConfig *c, const char *value, int (*parse)(ContainerConfig *, const char *, Error *), Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        int r = csv_split(value, &words, reterr);

        for (char **w = words; r >= 0 && w && *w; w++)
                r = parse(c, *w, reterr);
        return r;
}

const char config_no_cgroup_v1[] = "it is for cgroup v1, which rootless containers cannot use";
const char *const config_restart_words[] = { "always", "no", "on-failure", "unless-stopped", NULL };
const char *const config_userns_words[] = { "auto", "host", "keep-id", "nomap", NULL };
static const char *const on_failure_words[] = { "kill", "none", "restart", "stop", NULL };

#define CONFIG(member) offsetof(ContainerConfig, member)

/* ---- limits ---- */

#define LIMITS(name, array, parse) CONFIG_LIST(name, parse(value, &c->resources.array, &c->resources.n_##array, reterr))

CONFIG_PARSED(blkio_weight)
CONFIG_PARSED(cpus)
CONFIG_SETTER(cpuset_cpus, parse_cpu_list(value, &c->resources.cpuset_cpus, reterr))
CONFIG_SETTER(cpuset_mems, parse_cpu_list(value, &c->resources.cpuset_mems, reterr))
CONFIG_PARSED(memory_swap)
CONFIG_PARSED(pids_limit)
LIMITS(weight_device, weight_devices, parse_device_weight)
LIMITS(read_bps, read_bps, parse_device_bps)
LIMITS(read_iops, read_iops, parse_device_iops)
LIMITS(write_bps, write_bps, parse_device_bps)
LIMITS(write_iops, write_iops, parse_device_iops)

const Option config_limit_rows[] = {
        { "blkio-weight", SET(blkio_weight), .metavar = "N", .help = "Share of block devices' time, 10 to 1000" },
        { "blkio-weight-device", SET(weight_device), .metavar = "DEVICE:N", .help = "The same for one device" },
        { "cpu-period", .kind = OPTION_UINT64, .offset = CONFIG(resources.cpu_period), .metavar = "MICROSECONDS",
          .help = "Period of the CPU quota" },
        { "cpu-quota", .kind = OPTION_INT64, .offset = CONFIG(resources.cpu_quota), .metavar = "MICROSECONDS",
          .help = "CPU time in each period" },
        { "cpu-rt-period", .kind = OPTION_REFUSED, .refused = config_no_cgroup_v1 },
        { "cpu-rt-runtime", .kind = OPTION_REFUSED, .refused = config_no_cgroup_v1 },
        { "cpu-shares", 'c', .kind = OPTION_UINT64, .offset = CONFIG(resources.cpu_shares), .metavar = "N",
          .help = "Share of the CPU, relative to 1024" },
        { "cpus", SET(cpus), .metavar = "N", .help = "Number of CPUs, such as 1.5; 0: no limit" },
        { "cpuset-cpus", SET(cpuset_cpus), .optional = true, .metavar = "LIST", .help = "CPUs to run on, such as 0-3,7" },
        { "cpuset-mems", SET(cpuset_mems), .optional = true, .metavar = "LIST", .help = "Memory nodes to use" },
        { "device-read-bps", SET(read_bps), .metavar = "DEVICE:SIZE", .help = "Limit how much is read from a block device in a second" },
        { "device-read-iops", SET(read_iops), .metavar = "DEVICE:N", .help = "Limit how often it is read from in a second" },
        { "device-write-bps", SET(write_bps), .metavar = "DEVICE:SIZE", .help = "Limit how much is written to a block device in a second" },
        { "device-write-iops", SET(write_iops), .metavar = "DEVICE:N", .help = "Limit how often it is written to in a second" },
        { "memory", 'm', .kind = OPTION_BYTES, .offset = CONFIG(resources.memory), .optional = true, .help = "Memory limit; 0: none" },
        { "memory-reservation", .kind = OPTION_BYTES, .offset = CONFIG(resources.memory_reservation), .optional = true,
          .help = "Memory that is left alone under pressure" },
        { "memory-swap", SET(memory_swap), .optional = true, .metavar = "SIZE", .help = "Limit of memory and swap together; -1: none" },
        { "memory-swappiness", .kind = OPTION_REFUSED, .refused = config_no_cgroup_v1 },
        { "pids-limit", SET(pids_limit), .metavar = "N", .help = "Number of processes; -1: no limit" },
        {},
};

int config_check_resources(ContainerConfig *c, const OptionParse *parse, Error *reterr) {
        ContainerResources *r = &c->resources;

        if (options_given(parse, "cpus") &&
            (options_given(parse, "cpu-quota") || options_given(parse, "cpu-period")))
                return INVALID("cannot use --cpus with --cpu-quota or --cpu-period");
        if (r->cpu_period && (r->cpu_period < 1000 || r->cpu_period > 1000000))
                return INVALID("cannot use '--cpu-period %llu': not from 1000 to 1000000",
                               (unsigned long long) r->cpu_period);
        if (r->cpu_quota < -1 || (r->cpu_quota > 0 && r->cpu_quota < 1000))
                return INVALID("cannot use '--cpu-quota %lld': less than 1000", (long long) r->cpu_quota);
        if (r->cpu_shares && (r->cpu_shares < 2 || r->cpu_shares > 262144))
                return INVALID("cannot use '--cpu-shares %llu': not from 2 to 262144",
                               (unsigned long long) r->cpu_shares);
        if (r->memory_swap && !r->memory)
                return INVALID("cannot use --memory-swap without --memory");
        if (r->memory_swap > 0 && r->memory_swap < r->memory)
                return INVALID("cannot use --memory-swap: it is less than --memory, which it includes");
        if (r->memory && r->memory_reservation > r->memory)
                return INVALID("cannot use --memory-reservation: it is more than --memory");
        if (r->memory && !r->memory_swap && __builtin_mul_overflow(r->memory, 2, &r->memory_swap))
                r->memory_swap = -1;
        return 0;
}

/* ---- health checks, restart policy ---- */

CONFIG_PARSED(health_cmd)
CONFIG_PARSED(health_interval)
CONFIG_PARSED(health_log_destination)
CONFIG_SETTER(health_log_count, parse_health_log(value, &c->health.log_count, reterr))
CONFIG_SETTER(health_log_size, parse_health_log(value, &c->health.log_size, reterr))
CONFIG_PARSED(health_startup_cmd)
CONFIG_PARSED(restart)

/* The end of a help text: that of a container that is made, and of one that is there. */
#define OF_NEW(made, there) made
#define OF_OLD(made, there) there
#define HEALTH_ROWS(TEXT) \
        { "health-cmd", SET(health_cmd), .metavar = "COMMAND", \
          .help = "Command that tells whether the container is well" }, \
        { "health-interval", SET(health_interval), .metavar = "TIME", .help = "Time between two checks" TEXT(" (default 30s)", "") }, \
        { "health-log-destination", SET(health_log_destination), .metavar = "WHERE", \
          .help = "Where results are kept, too: a directory, events_logger; local: with the container alone" }, \
        { "health-max-log-count", SET(health_log_count), .metavar = "N", .help = "Results that are kept" TEXT(" (default 5, 0: all)", "; 0: all") }, \
        { "health-max-log-size", SET(health_log_size), .metavar = "BYTES", \
          .help = "Characters of a result that are kept" TEXT(" (default 500, 0: all)", "; 0: all") }, \
        { "health-on-failure", .kind = OPTION_STRING, .offset = CONFIG(health.on_failure), .metavar = "ACTION", WORDS(on_failure_words), \
          .help = "What is done with an unhealthy container: none, kill, restart, stop" }, \
        { "health-retries", .kind = OPTION_UINT32, .offset = CONFIG(health.retries), \
          .help = "Failures in a row that mean unhealthy" TEXT(" (default 3)", "") }, \
        { "health-start-period", .kind = OPTION_DURATION, .offset = CONFIG(health.start_period_usec), \
          .help = "Time in which failures do not count" }, \
        { "health-startup-cmd", SET(health_startup_cmd), .metavar = "COMMAND", .help = "Command that is run first, until it passes" }, \
        { "health-startup-interval", .kind = OPTION_DURATION, .offset = CONFIG(health.startup_interval_usec), \
          .help = "Time between two such" TEXT(" (default 30s)", "") }, \
        { "health-startup-retries", .kind = OPTION_UINT32, .offset = CONFIG(health.startup_retries), \
          .help = "Failures of it after which the container is restarted" TEXT(" (default 0: never)", "") }, \
        { "health-startup-success", .kind = OPTION_UINT32, .offset = CONFIG(health.startup_successes), \
          .help = "How often it must pass" TEXT(" (default 1)", "") }, \
        { "health-startup-timeout", .kind = OPTION_DURATION, .offset = CONFIG(health.startup_timeout_usec), \
          .help = "Time that it may take" TEXT(" (default 30s)", "") }, \
        { "health-timeout", .kind = OPTION_DURATION, .offset = CONFIG(health.timeout_usec), \
          .help = "Time that a check may take" TEXT(" (default 30s)", "") }
#define RESTART_ROW \
        { "restart", SET(restart), .metavar = "POLICY", WORDS(config_restart_words), \
          .help = "When to start again: no, always, unless-stopped, on-failure[:N]" }

const Option config_life_rows[] = {
        HEALTH_ROWS(OF_NEW),
        { "healthcheck-command", SET(health_cmd), .hidden = true },
        { "healthcheck-interval", SET(health_interval), .hidden = true },
        { "healthcheck-retries", .kind = OPTION_UINT32, .offset = CONFIG(health.retries), .hidden = true },
        { "healthcheck-start-period", .kind = OPTION_DURATION, .offset = CONFIG(health.start_period_usec),
          .hidden = true },
        { "healthcheck-timeout", .kind = OPTION_DURATION, .offset = CONFIG(health.timeout_usec), .hidden = true },
        RESTART_ROW,
        {},
};

const Option config_life_change_rows[] = {
        HEALTH_ROWS(OF_OLD),
        RESTART_ROW,
        {},
};

int config_check_health(const ContainerHealth *health, const OptionParse *parse, Error *reterr) {
        bool retries = options_given(parse, "health-retries") || options_given(parse, "healthcheck-retries");
        bool timeout = options_given(parse, "health-timeout") || options_given(parse, "healthcheck-timeout");

        if (retries && health->retries == 0)
                return INVALID("cannot use '--health-retries 0': at least one failure makes a container unhealthy");
        if (timeout && health->timeout_usec < 1000000)
                return INVALID("cannot use --health-timeout: it is less than a second");
        return 0;
}
