/* SPDX-License-Identifier: Apache-2.0 */
/* Starts sdpod-net and hears its one answer. */
#include "net/helper.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "config.h"

enum {
        ANSWER_LIMIT = 4 * 1024 * 1024,
        CHILD_CONFIG_FD = 3,
        CHILD_INIT_FD,
        CHILD_READY_FD,
        CHILD_USERNS_FD,
        CHILD_NETNS_FD,
        CHILD_CONTROL_FD,
        CHILD_FDS,
        PUBLISH_ARGUMENTS = 32, /* ports beyond are not worth the room in ps */
};

static int config_memfd(const NetConfig *config, Error *reterr) {
        _cleanup_json_ json_t *json = json_fields_save(net_config_fields, config);
        char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

        if (!text)
                return error_oom(reterr);
        int fd = io_memfd("sdpod-net-config", text, strlen(text));
        free(text);
        return fd < 0 ? error_set_errno(reterr, fd, "cannot write the network's config") : fd;
}

/* What the program is told, and what ps and port_holder_find() read of it. */
static char **arguments_of(const char *program, const NetHelperRequest *request) {
        const NetConfig *config = request->config;
        _cleanup_strv_ char **argv = NULL;
        int r = strv_append(&argv, program);

        if (r >= 0)
                r = strv_append(&argv, "--config-fd=3");
        if (r >= 0)
                r = strv_append(&argv, "--init-pidfd=4");
        if (r >= 0)
                r = strv_append(&argv, "--ready-fd=5");
        if (r >= 0 && request->userns_fd >= 0)
                r = strv_append(&argv, "--userns-fd=6");
        if (r >= 0 && request->netns_fd >= 0)
                r = strv_append(&argv, "--netns-fd=7");
        if (r >= 0 && request->control_fd >= 0)
                r = strv_append(&argv, "--control-fd=8");
        if (r >= 0 && !str_empty(config->name))
                r = strv_consume(&argv, str_format("--name=%s", config->name));
        for (size_t i = 0; r >= 0 && i < MIN(config->n_ports, (size_t) PUBLISH_ARGUMENTS); i++)
                if (config->ports[i].host_port != 0)
                        r = strv_consume(&argv, str_format("--publish=%u/%s", config->ports[i].host_port, config->ports[i].protocol));
        return r < 0 ? NULL : TAKE_PTR(argv);
}

int net_helper_start(const NetHelperRequest *request, NetHelper *ret, Error *reterr) {
        const char *program = request->program ?: SDPOD_LIBEXECDIR "/sdpod-net";
        _cleanup_fd_ int config_fd = -EBADF, write_fd = -EBADF, read_fd = -EBADF;
        _cleanup_strv_ char **argv = NULL;
        NetAddresses addresses;
        NetHelper helper = NET_HELPER_NULL;
        int pair[2];

        int r = net_addresses_from_config(request->config, &addresses, reterr);
        if (r < 0)
                return r;
        argv = arguments_of(program, request);
        if (!argv)
                return error_oom(reterr);
        config_fd = config_memfd(request->config, reterr);
        if (config_fd < 0)
                return config_fd;
        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a pipe");
        read_fd = pair[0];
        write_fd = pair[1];
        char *envp[] = { NULL };
        int fds[CHILD_FDS] = { -EBADF, -EBADF, -EBADF, [CHILD_CONFIG_FD] = config_fd,
                               [CHILD_INIT_FD] = request->init_pidfd, [CHILD_READY_FD] = write_fd,
                               [CHILD_USERNS_FD] = request->userns_fd, [CHILD_NETNS_FD] = request->netns_fd,
                               [CHILD_CONTROL_FD] = request->control_fd };
        size_t n_fds = request->netns_fd >= 0 ? CHILD_FDS : CHILD_USERNS_FD;

        r = process_spawn(program, argv, envp, fds, n_fds, &helper.pid, &helper.pidfd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot start '%s'", program);
        helper.ready_fd = TAKE_FD(read_fd);
        *ret = helper;
        return 0;
}

/* The program's error object as ours. */
static int take_error(const json_t *inner, Error *reterr) {
        const char *message = json_get_string(inner, "message"), *hint = json_get_string(inner, "hint");

        ErrorKind kind = error_kind_from_string(json_get_string(inner, "kind") ?: "");
        (void) error_set(reterr, -EREMOTEIO, kind, "%s", message ?: "cannot set up the network: no reason given");
        if (hint)
                error_hint(reterr, "%s", hint);
        return -EREMOTEIO;
}

static int take_ports(const json_t *array, NetPort **ret_ports, size_t *ret_n_ports, Error *reterr) {
        size_t n = json_array_size(array);
        NetPort *ports = calloc(n ?: 1, sizeof(*ports));

        if (!ports)
                return error_oom(reterr);
        for (size_t i = 0; i < n; i++) {
                int r = json_fields_load(json_array_get(array, i), net_port_fields, ports + i, reterr);
                if (r < 0) {
                        net_ports_free(ports, n);
                        return r;
                }
        }
        *ret_ports = ports;
        *ret_n_ports = n;
        return 0;
}

static int fail(NetHelper *helper, int code, Error *reterr) {
        int status = process_reap(helper->pid);

        if (code == -ENODATA)
                return error_set(reterr, -EREMOTEIO, ERROR_INTERNAL, "cannot set up the network: sdpod-net ended with status %d%s",
                                 status, status == 127 ? " (is it installed?)" : "");
        return code;
}

int net_helper_wait_ready(NetHelper *helper, NetPort **ret_ports, size_t *ret_n_ports, Error *reterr) {
        _cleanup_fd_ int fd = TAKE_FD(helper->ready_fd);
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ json_t *answer = NULL;
        size_t size;

        int r = io_read_all(fd, ANSWER_LIMIT, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot hear sdpod-net");
        if (size == 0)
                return fail(helper, -ENODATA, reterr);
        r = json_parse(text, size, "the answer of sdpod-net", &answer, reterr);
        if (r < 0)
                return r;
        const json_t *error = json_object_get(answer, "error");
        if (error)
                return fail(helper, take_error(error, reterr), reterr);
        return ret_ports ? take_ports(json_object_get(answer, "ports"), ret_ports, ret_n_ports, reterr) : 0;
}

void net_helper_done(NetHelper *helper) {
        helper->pidfd = fd_close(helper->pidfd);
        helper->ready_fd = fd_close(helper->ready_fd);
}
