/* SPDX-License-Identifier: Apache-2.0 */
/* Options that change the record of a container that is there. */
#include "cli/change-options.h"

#include <unistd.h>

#include "base/str.h"
#include "cli/parse-env.h"

#define FIELD(member) offsetof(ChangeOptions, member)
const Option change_rows[] = {
        { "env", 'e', .kind = OPTION_STRV, .offset = FIELD(env), .metavar = "NAME[=VALUE]",
          .help = "Set an environment variable, from the next start on" },
        { "no-healthcheck", .kind = OPTION_BOOL, .offset = FIELD(no_healthcheck), .help = "Do not check its health any more" },
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
        return *ret_any ? config_check_resources(config, parse, reterr) : 0;
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
        *ret_any = any;
        return config_check_health(to, parse, reterr);
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
