/* SPDX-License-Identifier: Apache-2.0 */
/* --systemd: what a systemd inside a container expects to find. */
#include "engine/systemd-mode.h"

#include <signal.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "engine/plan-mounts.h"

/* The commands that Podman takes for one. */
static bool is_systemd(const ContainerConfig *config) {
        static const char *const paths[] = { "/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init" };
        const char *program = config->entrypoint && *config->entrypoint ? config->entrypoint[0] : config->command ? config->command[0] : NULL;

        if (!program)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (str_equal(program, paths[i]))
                        return true;
        return str_equal(path_basename(program), "systemd");
}

int systemd_mode_choose(ContainerConfig *config, bool stop_signal_given, Error *reterr) {
        config->systemd_mode = str_equal(config->systemd, "always") || (!str_equal(config->systemd, "false") && is_systemd(config));
        if (!config->systemd_mode)
                return 0;
        if (!stop_signal_given && config->stop_signal == 0)
                config->stop_signal = SIGRTMIN + 3; /* systemd(1): halts, and ends as the first process */
        if (strv_env_get(config->env, "container_uuid"))
                return 0;
        return strv_consume(&config->env, str_format("container_uuid=%.32s", config->id)) < 0 ? error_oom(reterr) : 0;
}

int systemd_mode_plan(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        static const struct {
                const char *destination, *mode;
        } rows[] = { { "/run", "755" }, { "/run/lock", "755" }, { "/tmp", "1777" }, { "/var/log/journal", "755" } };

        if (!config->systemd_mode)
                return 0;
        plan->cgroup_rw = true;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *data = config->shm_size_systemd && config->shm_size_systemd != UINT64_MAX
                                                    ? str_format("mode=%s,size=%llu", rows[i].mode, (unsigned long long) config->shm_size_systemd)
                                                    : str_format("mode=%s", rows[i].mode);
                int r = data ? plan_free_tmpfs(config, rows[i].destination, data, plan, reterr) : error_oom(reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}
