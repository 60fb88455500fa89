/* SPDX-License-Identifier: Apache-2.0 */
/* Starts sdpod-bypass. */
#include "net/bypass-helper.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "config.h"

enum {
        CHILD_LISTEN_FD = 3,
        CHILD_INIT_FD,
        CHILD_READY_FD,
        CHILD_USERNS_FD,
        CHILD_FDS,
};

static int add_address(char ***argv, const char *option, int family, const void *address) {
        char text[INET6_ADDRSTRLEN];

        return inet_ntop(family, address, text, sizeof(text)) ? strv_consume(argv, str_format("%s%s", option, text)) : -errno;
}

static char **arguments_of(const char *program, const NetConfig *config, const NetAddresses *addresses, bool userns) {
        static const char *const fixed[] = { "--listen-fd=3", "--init-pidfd=4", "--ready-fd=5" };
        _cleanup_strv_ char **argv = NULL;
        int r = strv_append(&argv, program);

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(fixed); i++)
                r = strv_append(&argv, fixed[i]);
        if (r >= 0 && userns)
                r = strv_append(&argv, "--userns-fd=6");
        if (r >= 0)
                r = add_address(&argv, "--gateway=", AF_INET, &addresses->gateway);
        if (r >= 0 && addresses->ipv6)
                r = add_address(&argv, "--gateway6=", AF_INET6, &addresses->gateway6);
        if (r >= 0 && config->outbound_addr)
                r = strv_consume(&argv, str_format("--source=%s", config->outbound_addr));
        if (r >= 0 && config->outbound_addr6)
                r = strv_consume(&argv, str_format("--source6=%s", config->outbound_addr6));
        if (r >= 0 && !str_empty(config->name))
                r = strv_consume(&argv, str_format("--name=%s", config->name));
        return r < 0 ? NULL : TAKE_PTR(argv);
}

int bypass_helper_start(const BypassHelperRequest *request, BypassHelper *ret, Error *reterr) {
        const char *program = request->program ?: SDPOD_LIBEXECDIR "/sdpod-bypass";
        _cleanup_strv_ char **argv = NULL;
        NetAddresses addresses;
        int pair[2];
        pid_t pid;

        int r = net_addresses_from_config(request->config, &addresses, reterr);
        if (r < 0)
                return r;
        argv = arguments_of(program, request->config, &addresses, request->userns_fd >= 0);
        if (!argv)
                return error_oom(reterr);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make a socket pair");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        char *envp[] = { NULL };
        int fds[CHILD_FDS] = { -EBADF, -EBADF, -EBADF, [CHILD_LISTEN_FD] = request->listen_fd, [CHILD_INIT_FD] = request->init_pidfd,
                               [CHILD_READY_FD] = theirs, [CHILD_USERNS_FD] = request->userns_fd };

        r = process_spawn(program, argv, envp, fds, request->userns_fd >= 0 ? CHILD_FDS : CHILD_USERNS_FD, &pid, /* ret_pidfd= */ NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot start '%s'", program);
        *ret = (BypassHelper){ .pid = pid, .ready_fd = TAKE_FD(ours) };
        return 0;
}

int bypass_helper_wait_ready(BypassHelper *helper, Error *reterr) {
        _cleanup_fd_ int fd = TAKE_FD(helper->ready_fd);
        int r = fd < 0 ? 0 : wire_receive_result(fd, reterr);

        if (r >= 0)
                return 0;
        int status = process_reap(helper->pid);
        if (status == 127)
                return error_set(reterr, -ENOENT, ERROR_INTERNAL, "cannot start '%s': is it installed?", SDPOD_LIBEXECDIR "/sdpod-bypass");
        return r;
}

void bypass_helper_done(BypassHelper *helper) {
        helper->ready_fd = fd_close(helper->ready_fd);
}

int bypass_helper_bring(int dir_fd, const char *name, int listener_fd, int route_fd) {
        const int fds[] = { listener_fd, route_fd };
        _cleanup_fd_ int fd = io_unix_connect(dir_fd, name, SOCK_SEQPACKET);

        return fd < 0 ? fd : io_send_fds(fd, "+", 1, fds, ELEMENTSOF(fds));
}
