/* SPDX-License-Identifier: Apache-2.0 */
/* The order of sdpod-net's life.
 *
 * Theory of operation: the child that makes the tap works while this process binds the ports and builds its sandbox; both
 * meet before "ready" is said. Ports are bound before the sandbox, where the user's own rights (and, for root, low ports)
 * still count. "Ready" is the last thing that leaves before the container's bytes are looked at, so nothing is served
 * outside the sandbox. The tap's descriptor keeps the network namespace alive: this process must end with the container. */
#include "net/program.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "net/sandbox.h"
#include "net/slirp-loop.h"

typedef struct Program {
        NetConfig config;
        NetAddresses addresses;
        DnsSource dns;
        SlirpLoop *loop;
        Tap tap;
        int connector[2]; /* socket pair: ours, the child's */
        int init_pidfd, ready_fd, userns_fd, netns_fd, control_fd;
} Program;

static int read_config(int fd, Program *p, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ json_t *json = NULL;
        size_t size;

        /* a memory file comes positioned wherever it was written to */
        (void) lseek(fd, 0, SEEK_SET);
        int r = io_read_all(fd, NET_CONFIG_LIMIT, &text, &size);
        (void) fd_close(fd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the network's config");
        r = json_parse(text, size, "the network's config", &json, reterr);
        if (r >= 0)
                r = json_fields_load(json, net_config_fields, &p->config, reterr);
        if (r >= 0)
                r = net_addresses_from_config(&p->config, &p->addresses, reterr);
        return r;
}

/* Published TCP ports need a process that stays in the container's namespace. */
static int make_connector(Program *p, Error *reterr) {
        bool needed = p->control_fd >= 0; /* they may be published later */

        for (size_t i = 0; i < p->config.n_ports; i++)
                needed |= str_equal(p->config.ports[i].protocol, "tcp");
        if (needed && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p->connector) < 0)
                return error_set_errno(reterr, -errno, "cannot make a socket pair");
        return 0;
}

static int publish_all(Program *p, Error *reterr) {
        for (size_t i = 0; i < p->config.n_ports; i++) {
                _cleanup_port_sockets_ PortSockets sockets = PORT_SOCKETS_NULL;
                NetPort *port = p->config.ports + i;

                int r = port_bind(port, &sockets, reterr);
                if (r < 0)
                        return r;
                port->host_port = sockets.port;
                r = slirp_loop_publish(p->loop, port, &sockets, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int prepare(Program *p, Error *reterr) {
        int r = dns_source_open(&p->config, &p->dns, reterr);
        if (r < 0)
                return r;
        r = slirp_loop_new(&p->config, &p->addresses, TAKE_FD(p->connector[0]), &p->loop, reterr);
        if (r < 0)
                return r;
        r = publish_all(p, reterr);
        if (r < 0)
                return r;
        return sandbox_enter(&p->dns, reterr);
}

static OutletKind outlet_kind(const Program *p) {
        return p->config.no_splice ? OUTLET_NONE : p->control_fd >= 0 ? OUTLET_FORWARDED : OUTLET_OWN;
}

/* Both errors may come: the first cause is our own, unless we got nowhere for the tap's sake. */
static int set_up(int config_fd, Program *p, Error *reterr) {
        _cleanup_error_ Error tap_error = ERROR_NULL;
        TapChild child;

        int r = read_config(config_fd, p, reterr);
        if (r < 0)
                return r;
        r = make_connector(p, reterr);
        if (r < 0)
                return r;
        TapRequest request = { .addresses = &p->addresses, .interface = p->config.interface ?: "tap0",
                               .mtu = p->config.mtu ?: NET_MTU_DEFAULT, .init_pidfd = p->init_pidfd,
                               .connector_fd = p->connector[1], .outlet = outlet_kind(p), .userns_fd = p->userns_fd, .netns_fd = p->netns_fd };
        r = tap_begin(&request, &child, reterr);
        p->connector[1] = fd_close(p->connector[1]);
        if (r < 0)
                return r;
        r = prepare(p, reterr);
        int q = tap_finish(&child, &p->tap, &tap_error);
        if (r < 0)
                return r;
        if (q < 0)
                return error_move(reterr, &tap_error);
        slirp_loop_attach(p->loop, &p->tap);
        slirp_loop_set_dns(p->loop, &p->dns);
        if (p->control_fd >= 0)
                slirp_loop_set_control(p->loop, p->control_fd);
        return sandbox_lock(&p->dns, reterr);
}

static json_t *answer_from_error(const Error *error) {
        json_t *inner = json_object(), *answer = json_object();

        (void) json_object_set_new(inner, "kind", json_string(error_kind_to_string(error->kind)));
        (void) json_object_set_new(inner, "message", json_text(error->message ?: "out of memory"));
        if (error->hint)
                (void) json_object_set_new(inner, "hint", json_text(error->hint));
        (void) json_object_set_new(answer, "error", inner);
        return answer;
}

static json_t *answer_from_ports(const Program *p) {
        json_t *ports = json_array(), *answer = json_object();

        for (size_t i = 0; i < p->config.n_ports; i++)
                (void) json_array_append_new(ports, json_fields_save(net_port_fields, p->config.ports + i));
        (void) json_object_set_new(answer, "ok", json_true());
        (void) json_object_set_new(answer, "ports", ports);
        return answer;
}

static void say(int *fd, json_t *answer) {
        _cleanup_json_ json_t *owned = answer;
        char *text = json_dumps(owned, JSON_COMPACT);

        if (text) {
                /* whoever asked may be gone already; the container is not */
                (void) io_write_full(*fd, text, strlen(text));
                (void) io_write_full(*fd, "\n", 1);
        }
        free(text);
        *fd = fd_close(*fd);
}

static void program_done(Program *p) {
        (void) slirp_loop_free(p->loop);
        dns_source_done(&p->dns);
        tap_done(&p->tap);
        net_config_done(&p->config);
        (void) fd_close(p->connector[0]);
        (void) fd_close(p->connector[1]);
        (void) fd_close(p->init_pidfd);
        (void) fd_close(p->userns_fd);
        (void) fd_close(p->netns_fd);
        (void) fd_close(p->ready_fd);
        (void) fd_close(p->control_fd);
}

int net_program_run(int config_fd, int init_pidfd, int ready_fd, int userns_fd, int netns_fd, int control_fd) {
        _cleanup_(program_done) Program p = { .dns = DNS_SOURCE_NULL, .tap = TAP_NULL, .connector = { -EBADF, -EBADF },
                                              .init_pidfd = init_pidfd, .ready_fd = ready_fd, .userns_fd = userns_fd,
                                              .netns_fd = netns_fd, .control_fd = control_fd };
        _cleanup_error_ Error error = ERROR_NULL;

        /* libslirp gives each connection two buffers of 128 KiB, and keeps them for ten seconds after its end. As mappings of
         * their own they cost no more than what was in them, and go when they are freed: from the heap, four thousand short
         * connections took 300 MiB, which hardly came back. */
        (void) mallopt(M_MMAP_THRESHOLD, 64 * 1024);
        /* libslirp writes to sockets without MSG_NOSIGNAL */
        (void) signal(SIGPIPE, SIG_IGN);
        int r = set_up(config_fd, &p, &error);
        if (r < 0) {
                say(&p.ready_fd, answer_from_error(&error));
                return 1;
        }
        p.userns_fd = fd_close(p.userns_fd); /* they would keep the namespaces alive */
        p.netns_fd = fd_close(p.netns_fd);
        say(&p.ready_fd, answer_from_ports(&p));
        return slirp_loop_run(p.loop, p.init_pidfd) < 0 ? 1 : 0;
}
