/* SPDX-License-Identifier: Apache-2.0 */
/* Options that change the record of a container that is there. */
#include "cli/change-options.h"

#include <unistd.h>

#include "base/str.h"
#include "cli/parse-blkio.h"
#include "cli/parse-env.h"
#include "cli/parse-life.h"
#include "cli/parse-limit.h"
#include "cli/run-options.h"

/* Defines set_NAME() from an expression over `c` (the config), `value` and `reterr`. */
#define SETTER(name, expression)                                                                \
        static int set_##name(void *options, const char *value, Error *reterr) {                \
                ContainerConfig *c = &((ChangeOptions *) options)->config;                      \
                return (expression);                                                            \
        }

/* The same for an array of limits of devices. */
#define LIMITS(name, member, parser) SETTER(name, parser(value, &c->resources.member, &c->resources.n_##member, reterr))

SETTER(blkio_weight, parse_blkio_weight(c, value, reterr))
SETTER(cpus, parse_cpus(c, value, reterr))
SETTER(cpuset_cpus, parse_cpu_list(value, &c->resources.cpuset_cpus, reterr))
SETTER(cpuset_mems, parse_cpu_list(value, &c->resources.cpuset_mems, reterr))
SETTER(health_cmd, parse_health_cmd(c, value, reterr))
SETTER(health_interval, parse_health_interval(c, value, reterr))
SETTER(health_log_count, parse_health_log(value, &c->health.log_count, reterr))
SETTER(health_log_destination, parse_health_log_destination(c, value, reterr))
SETTER(health_log_size, parse_health_log(value, &c->health.log_size, reterr))
SETTER(health_startup_cmd, parse_health_startup_cmd(c, value, reterr))
SETTER(memory_swap, parse_memory_swap(c, value, reterr))
SETTER(pids_limit, parse_pids_limit(c, value, reterr))
SETTER(restart, parse_restart(c, value, reterr))
LIMITS(weight_device, weight_devices, parse_device_weight)
LIMITS(read_bps, read_bps, parse_device_bps)
LIMITS(read_iops, read_iops, parse_device_iops)
LIMITS(write_bps, write_bps, parse_device_bps)
LIMITS(write_iops, write_iops, parse_device_iops)

static const char *const on_failure_words[] = { "kill", "none", "restart", "stop", NULL };
static const char *const restart_words[] = { "always", "no", "on-failure", "unless-stopped", NULL };
static const char no_cgroup_v1[] = "it is for cgroup v1, which rootless containers cannot use";

#define FIELD(member) offsetof(ChangeOptions, member)
#define CONFIG(member) offsetof(ChangeOptions, config.member)
#define SET(setter) .kind = OPTION_SET, .set = set_##setter
#define WORDS(list) .complete = COMPLETE_WORDS, .words = list

const Option change_limit_rows[] = {
        { "blkio-weight", SET(blkio_weight), .metavar = "N", .help = "Share of block devices' time, 10 to 1000" },
        { "blkio-weight-device", SET(weight_device), .metavar = "DEVICE:N", .help = "The same for one device" },
        { "cpu-period", .kind = OPTION_UINT64, .offset = CONFIG(resources.cpu_period), .metavar = "MICROSECONDS",
          .help = "Period of the CPU quota" },
        { "cpu-quota", .kind = OPTION_INT64, .offset = CONFIG(resources.cpu_quota), .metavar = "MICROSECONDS",
          .help = "CPU time in each period" },
        { "cpu-rt-period", .kind = OPTION_REFUSED, .refused = no_cgroup_v1 },
        { "cpu-rt-runtime", .kind = OPTION_REFUSED, .refused = no_cgroup_v1 },
        { "cpu-shares", 'c', .kind = OPTION_UINT64, .offset = CONFIG(resources.cpu_shares), .metavar = "N",
          .help = "Share of the CPU, relative to 1024" },
        { "cpus", SET(cpus), .metavar = "N", .help = "Number of CPUs, such as 1.5; 0: no limit" },
        { "cpuset-cpus", SET(cpuset_cpus), .metavar = "LIST", .help = "CPUs to run on, such as 0-3,7" },
        { "cpuset-mems", SET(cpuset_mems), .metavar = "LIST", .help = "Memory nodes to use" },
        { "device-read-bps", SET(read_bps), .metavar = "DEVICE:SIZE", .help = "Limit how much is read from a block device in a second" },
        { "device-read-iops", SET(read_iops), .metavar = "DEVICE:N", .help = "Limit how often it is read from in a second" },
        { "device-write-bps", SET(write_bps), .metavar = "DEVICE:SIZE", .help = "Limit how much is written to it in a second" },
        { "device-write-iops", SET(write_iops), .metavar = "DEVICE:N", .help = "Limit how often it is written to in a second" },
        { "memory", 'm', .kind = OPTION_BYTES, .offset = CONFIG(resources.memory), .help = "Memory limit; 0: none" },
        { "memory-reservation", .kind = OPTION_BYTES, .offset = CONFIG(resources.memory_reservation),
          .help = "Memory that is left alone under pressure" },
        { "memory-swap", SET(memory_swap), .metavar = "SIZE", .help = "Limit of memory and swap together; -1: none" },
        { "memory-swappiness", .kind = OPTION_REFUSED, .refused = no_cgroup_v1 },
        { "pids-limit", SET(pids_limit), .metavar = "N", .help = "Number of processes; -1: no limit" },
        {},
};

const Option change_other_rows[] = {
        { "env", 'e', .kind = OPTION_STRV, .offset = FIELD(env), .metavar = "NAME[=VALUE]",
          .help = "Set an environment variable, from the next start on" },
        { "health-cmd", SET(health_cmd), .metavar = "COMMAND", .help = "Command that tells whether the container is well" },
        { "health-interval", SET(health_interval), .metavar = "TIME", .help = "Time between two checks" },
        { "health-log-destination", SET(health_log_destination), .metavar = "WHERE",
          .help = "Where results are kept: local, with the container; events_logger; a directory" },
        { "health-max-log-count", SET(health_log_count), .metavar = "N", .help = "Results that are kept; 0: all" },
        { "health-max-log-size", SET(health_log_size), .metavar = "BYTES", .help = "Characters of a result that are kept; 0: all" },
        { "health-on-failure", .kind = OPTION_STRING, .offset = CONFIG(health.on_failure), .metavar = "ACTION", WORDS(on_failure_words),
          .help = "What is done with an unhealthy container: none, kill, restart, stop" },
        { "health-retries", .kind = OPTION_UINT32, .offset = CONFIG(health.retries), .help = "Failures in a row that mean unhealthy" },
        { "health-start-period", .kind = OPTION_DURATION, .offset = CONFIG(health.start_period_usec),
          .help = "Time in which failures do not count" },
        { "health-startup-cmd", SET(health_startup_cmd), .metavar = "COMMAND", .help = "Command that is run first, until it passes" },
        { "health-startup-interval", .kind = OPTION_DURATION, .offset = CONFIG(health.startup_interval_usec),
          .help = "Time between two such" },
        { "health-startup-retries", .kind = OPTION_UINT32, .offset = CONFIG(health.startup_retries),
          .help = "Failures of it after which the container is restarted" },
        { "health-startup-success", .kind = OPTION_UINT32, .offset = CONFIG(health.startup_successes),
          .help = "How often it must pass" },
        { "health-startup-timeout", .kind = OPTION_DURATION, .offset = CONFIG(health.startup_timeout_usec),
          .help = "Time that it may take" },
        { "health-timeout", .kind = OPTION_DURATION, .offset = CONFIG(health.timeout_usec), .help = "Time that a check may take" },
        { "no-healthcheck", .kind = OPTION_BOOL, .offset = FIELD(no_healthcheck), .help = "Do not check its health any more" },
        { "restart", SET(restart), .metavar = "POLICY", WORDS(restart_words),
          .help = "When to start again: no, always, unless-stopped, on-failure[:N]" },
        { "unsetenv", .kind = OPTION_STRV, .offset = FIELD(unset_env), .metavar = "NAME",
          .help = "Remove an environment variable, from the next start on" },
        {},
};

void change_options_done(void *options) {
        ChangeOptions *o = options;

        container_config_done(&o->config);
}

/* ---- limits ---- */

/* Swap that was not asked for goes with the memory: twice as much in all. */
static void take_memory(const ContainerResources *from, bool with_swap, ContainerResources *to) {
        bool derived = to->memory_swap == 0 || to->memory_swap == to->memory * 2;

        to->memory = from->memory;
        if (!with_swap && (derived || to->memory == 0))
                to->memory_swap = 0;
}

static int take_devices(const ContainerResources *from, ContainerResources *to, bool *any) {
        const struct {
                const ContainerDeviceLimit *from;
                size_t n;
                ContainerDeviceLimit **to;
                size_t *n_to;
        } arrays[] = {
                { from->weight_devices, from->n_weight_devices, &to->weight_devices, &to->n_weight_devices },
                { from->read_bps, from->n_read_bps, &to->read_bps, &to->n_read_bps },
                { from->read_iops, from->n_read_iops, &to->read_iops, &to->n_read_iops },
                { from->write_bps, from->n_write_bps, &to->write_bps, &to->n_write_bps },
                { from->write_iops, from->n_write_iops, &to->write_iops, &to->n_write_iops },
        };

        for (size_t i = 0; i < ELEMENTSOF(arrays); i++)
                for (size_t k = 0; k < arrays[i].n; k++) {
                        ContainerDeviceLimit *limit = NULL;

                        *any = true;
                        for (size_t j = 0; j < *arrays[i].n_to && !limit; j++)
                                if (str_equal((*arrays[i].to)[j].path, arrays[i].from[k].path))
                                        limit = &(*arrays[i].to)[j];
                        if (!limit && !(limit = container_array_add((void **) arrays[i].to, arrays[i].n_to, sizeof(*limit))))
                                return -ENOMEM;
                        limit->value = arrays[i].from[k].value;
                        if (str_replace(&limit->path, arrays[i].from[k].path) < 0)
                                return -ENOMEM;
                }
        return 0;
}

static int take_limits(const ChangeOptions *o, const OptionParse *parse, ContainerConfig *config, bool *ret_any, Error *reterr) {
        const ContainerResources *from = &o->config.resources;
        ContainerResources *to = &config->resources;
        const struct {
                const char *option;
                const void *from;
                void *to;
                size_t size;
        } numbers[] = {
                { "cpus", &from->cpu_quota, &to->cpu_quota, sizeof(to->cpu_quota) },
                { "cpus", &from->cpu_period, &to->cpu_period, sizeof(to->cpu_period) },
                { "cpu-quota", &from->cpu_quota, &to->cpu_quota, sizeof(to->cpu_quota) },
                { "cpu-period", &from->cpu_period, &to->cpu_period, sizeof(to->cpu_period) },
                { "cpu-shares", &from->cpu_shares, &to->cpu_shares, sizeof(to->cpu_shares) },
                { "memory-swap", &from->memory_swap, &to->memory_swap, sizeof(to->memory_swap) },
                { "memory-reservation", &from->memory_reservation, &to->memory_reservation, sizeof(to->memory_reservation) },
                { "pids-limit", &from->pids_limit, &to->pids_limit, sizeof(to->pids_limit) },
                { "blkio-weight", &from->blkio_weight, &to->blkio_weight, sizeof(to->blkio_weight) },
        };

        *ret_any = options_given(parse, "memory");
        if (*ret_any)
                take_memory(from, options_given(parse, "memory-swap"), to);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (options_given(parse, numbers[i].option)) {
                        memcpy(numbers[i].to, numbers[i].from, numbers[i].size);
                        *ret_any = true;
                }
        if (take_devices(from, to, ret_any) < 0 || (from->cpuset_cpus && str_replace(&to->cpuset_cpus, from->cpuset_cpus) < 0) ||
            (from->cpuset_mems && str_replace(&to->cpuset_mems, from->cpuset_mems) < 0))
                return error_oom(reterr);
        *ret_any = *ret_any || from->cpuset_cpus || from->cpuset_mems;
        return *ret_any ? run_options_check_resources(config, parse, reterr) : 0;
}

/* ---- health checks ---- */

static int take_test(char **from, char ***to) {
        char **copy = strv_copy(from);

        if (from && !copy)
                return -ENOMEM;
        strv_free(*to);
        *to = copy;
        return 0;
}

static int take_health(const ChangeOptions *o, const OptionParse *parse, ContainerConfig *config, bool *ret_any, Error *reterr) {
        const ContainerHealth *from = &o->config.health;
        ContainerHealth *to = &config->health;
        static char none[] = "NONE";
        char *no_test[] = { none, NULL };
        const struct {
                const char *option;
                size_t offset, size;
        } values[] = {
#define VALUE(name, member) { name, offsetof(ContainerHealth, member), sizeof(to->member) }
                VALUE("health-interval", interval_usec),
                VALUE("health-max-log-count", log_count),
                VALUE("health-max-log-size", log_size),
                VALUE("health-retries", retries),
                VALUE("health-start-period", start_period_usec),
                VALUE("health-startup-interval", startup_interval_usec),
                VALUE("health-startup-retries", startup_retries),
                VALUE("health-startup-success", startup_successes),
                VALUE("health-startup-timeout", startup_timeout_usec),
                VALUE("health-timeout", timeout_usec),
#undef VALUE
        };
        bool any = o->no_healthcheck || from->test || from->startup_test || from->on_failure || options_given(parse, "health-log-destination");

        if (o->no_healthcheck && from->test)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --no-healthcheck with --health-cmd");
        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                if (options_given(parse, values[i].option)) {
                        memcpy((char *) to + values[i].offset, (const char *) from + values[i].offset, values[i].size);
                        any = true;
                }
        if ((from->test && take_test(from->test, &to->test) < 0) || (o->no_healthcheck && take_test(no_test, &to->test) < 0) ||
            (from->startup_test && take_test(from->startup_test, &to->startup_test) < 0) ||
            (from->on_failure && str_replace(&to->on_failure, from->on_failure) < 0) ||
            (options_given(parse, "health-log-destination") && str_replace(&to->log_destination, from->log_destination) < 0))
                return error_oom(reterr);
        if (any && !o->no_healthcheck && !container_has_health_check(to) && !from->test)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot change the health check of '%s': there is none", config->name);
        if (options_given(parse, "health-retries") && to->retries == 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot use '--health-retries 0': at least one failure makes a container unhealthy");
        if (options_given(parse, "health-timeout") && to->timeout_usec < 1000000)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --health-timeout: it is less than a second");
        *ret_any = any;
        return 0;
}

/* ---- environment ---- */

static int take_env(const ChangeOptions *o, ContainerConfig *config, Error *reterr) {
        int r = 0;

        for (char **name = o->unset_env; name && *name; name++)
                strv_env_unset(config->env, *name);
        for (char **e = o->env; e && *e && r >= 0; e++)
                if ((r = parse_env(*e, environ, &config->env, reterr)) < 0)
                        r = error_prefix(reterr, r, "cannot use '--env %s'", *e);
        return r;
}

int change_options_apply(const ChangeOptions *o, const OptionParse *parse, ContainerConfig *config, Update *ret, Error *reterr) {
        int r = take_limits(o, parse, config, &ret->resources, reterr);

        if (r >= 0)
                r = take_health(o, parse, config, &ret->health, reterr);
        if (r >= 0)
                r = take_env(o, config, reterr);
        if (r < 0)
                return r;
        ret->restart = options_given(parse, "restart");
        if (!ret->restart)
                return 0;
        if (config->auto_remove && o->config.restart_policy)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --restart %s for '%s': it is removed when it ends (--rm)",
                                 o->config.restart_policy, config->name);
        if (str_replace(&config->restart_policy, o->config.restart_policy) < 0)
                return error_oom(reterr);
        config->restart_retries = o->config.restart_retries;
        return 0;
}
