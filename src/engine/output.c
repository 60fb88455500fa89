/* SPDX-License-Identifier: Apache-2.0 */
/* Where the output of a container in the background goes. */
#include "engine/output.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "cgroup/manager.h"
#include "base/journal.h"
#include "config.h"
#include "engine/network-restart.h"
#include "monitor/client.h"

static const char *const drivers[] = { "k8s-file", "journald", "none", "passthrough" };

/* A unit file's container logs to the journal, where people look for a unit's output; one from the shell to a file, which
 * every user can read back, whatever the journal's storage. */
static const char *default_driver(const ContainerConfig *config) {
        return config->systemd_unit || str_equal(config->cgroups, "split") ? "journald" : "k8s-file";
}

static const char *option(const ContainerConfig *config, const char *key) {
        return strv_env_get(config->log_opt, key);
}

int output_decide_log(const Store *store, Container *container, bool foreground, Error *reterr) {
        const ContainerConfig *config = &container->config;
        const char *driver = config->log_driver ?: foreground ? "k8s-file" : default_driver(config), *path = option(config, "path");
        bool known = false;

        if (str_equal(driver, "json-file")) /* Podman's other name for it */
                driver = "k8s-file";
        for (size_t i = 0; i < ELEMENTSOF(drivers); i++)
                known = known || str_equal(driver, drivers[i]);
        if (!known)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot use --log-driver=%s: there are k8s-file, journald, passthrough and none", driver);
        if (foreground && str_equal(driver, "journald"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use --log-driver=journald in the foreground: not there yet; use --detach, or k8s-file");
        int r = str_replace(&container->state.log_driver, driver);
        if (r >= 0 && str_equal(driver, "k8s-file") && !path) {
                free(container->state.log_path);
                container->state.log_path = str_format("%s/containers/%s/ctr.log", store->data_path, config->id);
                r = container->state.log_path ? 0 : -ENOMEM;
        } else if (r >= 0)
                r = str_replace(&container->state.log_path, str_equal(driver, "k8s-file") ? path : NULL);
        return r < 0 ? error_oom(reterr) : 0;
}

/* Our own streams, for those who want the bare descriptors of the unit. */
static int pass_through(const ContainerConfig *config, Output *output, Error *reterr) {
        if (config->terminal)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --log-driver=passthrough with --tty");
        for (int i = 1; i < 3; i++)
                if ((output->pipes.theirs[i] = fcntl(i, F_DUPFD_CLOEXEC, 3)) < 0)
                        return error_set_errno(reterr, -errno, "cannot pass the streams through");
        return 0;
}

void output_done(Output *output) {
        pipes_done(&output->pipes);
}

int output_prepare(const Store *store, Container *container, Output *ret, Error *reterr) {
        int r = output_decide_log(store, container, /* foreground= */ false, reterr);

        if (r < 0)
                return r;
        ret->store = store;
        if (str_equal(container->state.log_driver, "passthrough"))
                return pass_through(&container->config, ret, reterr);
        return container->config.terminal ? 0 : pipes_make(container->config.open_stdin, &ret->pipes, reterr);
}

int output_max_size(const ContainerConfig *config, uint64_t *ret, Error *reterr) {
        const char *text = option(config, "max-size");

        if (text && parse_bytes(text, ret) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --log-opt max-size=%s: not a size", text);
        return 0;
}

/* Asks systemd for a monitor that can be asked: the socket is not there yet right after the installation, and a monitor that
 * lives since before an update refuses keys that it does not know. Its next life goes on with all that this one has. */
static bool mend_monitor(int code, const MonitorConfig *monitor, const Error *error) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;

        if (code == -ENOENT)
                return manager_connect(&manager, /* reterr= */ NULL) >= 0 && manager_start_unit(&manager, "sdpod-monitor.socket", /* reterr= */ NULL) >= 0;
        if (code != -EINVAL || error->kind != ERROR_INVALID || monitor_config_check(monitor, /* reterr= */ NULL) < 0)
                return false; /* another one would not like it either */
        return manager_connect(&manager, /* reterr= */ NULL) >= 0 && manager_restart_unit(&manager, "sdpod-monitor.service", /* reterr= */ NULL) >= 0;
}

static int watch(int runtime_fd, const MonitorConfig *monitor, const int *fds, size_t n, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        int r = monitor_client_watch(runtime_fd, monitor, fds, n, &error);

        if (r < 0 && mend_monitor(r, monitor, &error)) {
                error_done(&error);
                r = monitor_client_watch(runtime_fd, monitor, fds, n, &error);
        }
        return r < 0 ? error_move(reterr, &error) : 0;
}

int output_hand_over(Container *container, Proc *proc, void *data, Error *reterr) {
        Output *output = data;
        const ContainerConfig *config = &container->config;
        _cleanup_free_ char *runtime_dir = str_format("%s/containers/%s", output->store->runtime_path, config->id);
        _cleanup_free_ char *unit = journal_own_unit(); /* that journal entries are filed under */
        MonitorConfig monitor = {
                .id = config->id,
                .name = config->name,
                .image = config->image_name,
                .runtime_dir = runtime_dir,
                .driver = container->state.log_driver,
                .path = container->state.log_path,
                .tag = (char *) option(config, "tag"),
                .unit = unit,
                .terminal = config->terminal,
                .open_stdin = config->open_stdin && !config->terminal,
                .pidfd = true,
                .net_pid = container->process.net_pid,
                .net_start_time = container->process.net_start_time,
        };
        _cleanup_strv_ char **net_command = NULL;
        int fds[MONITOR_FDS_MAX], r;
        size_t n = 0;

        if (str_equal(monitor.driver, "passthrough"))
                return 0;
        if (!runtime_dir)
                return error_oom(reterr);
        r = output_max_size(config, &monitor.max_size, reterr);
        if (r < 0)
                return r;
        if (monitor.net_pid > 0 && network_restart_command(output->store, config->id, &net_command) < 0)
                return error_oom(reterr);
        monitor.net_command = net_command;
        if (config->terminal)
                fds[n++] = proc->console_fd;
        else {
                fds[n++] = output->pipes.ours[1];
                fds[n++] = output->pipes.ours[2];
                if (config->open_stdin)
                        fds[n++] = output->pipes.ours[0];
        }
        fds[n++] = proc->pidfd;
        return watch(output->store->runtime_fd, &monitor, fds, n, reterr);
}

int output_solo_command(const Store *store, const Container *container, char *const *start, char ***ret) {
        _cleanup_strv_ char **argv = NULL;
        const char *const words[] = { SDPOD_LIBEXECDIR "/sdpod-monitor", "--solo", "--ready-fd=3" };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(words) && r >= 0; i++)
                r = strv_append(&argv, words[i]);
        if (r >= 0)
                r = strv_consume(&argv, str_format("--id=%s", container->config.id));
        if (r >= 0)
                r = strv_consume(&argv, str_format("--store-data=%s", store->data_path));
        if (r >= 0)
                r = strv_consume(&argv, str_format("--store-runtime=%s", store->runtime_path));
        if (r >= 0)
                r = strv_append(&argv, "--");
        if (r >= 0)
                r = strv_extend(&argv, start);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(argv);
        return 0;
}

int output_solo_answer(const char *answer, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;

        if (str_empty(answer))
                return error_set(reterr, -EPIPE, ERROR_INTERNAL, "cannot start the container: its monitor ended without a word");
        int r = json_parse(answer, strlen(answer), "the monitor's answer", &json, reterr);
        if (r < 0)
                return r;
        return json_get_bool(json, "ok", false) ? 0
                                                : error_set(reterr, -EIO, ERROR_INTERNAL, "cannot start the container: %s",
                                                            json_get_string(json, "error") ?: "its monitor says no more");
}
