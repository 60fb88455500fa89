/* SPDX-License-Identifier: Apache-2.0 */
/* Makes and configures the tap device of a container.
 *
 * Theory of operation: setns(2) with the pidfd needs no capability but those which the owner of the container's user
 * namespace has there. It is a child that goes, since nobody comes back from a user namespace; the tap is opened inside,
 * because tun(4) binds it to the namespace of whoever opens it, and its descriptor returns over a socket pair. */
#include "net/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "net/netlink.h"
#include "net/port-connector.h"
#include "net/port-route.h"

/* Where the child stopped, so that the parent can say it. */
typedef enum TapStep {
        TAP_STEP_JOIN,
        TAP_STEP_OPEN,
        TAP_STEP_CREATE,
        TAP_STEP_CONFIGURE,
        TAP_STEP_DONE,
        _TAP_STEP_MAX,
} TapStep;

/* What the child gives back, in this order. */
enum {
        TAP_FD_TAP,
        TAP_FD_DIAG,
        TAP_FD_RULES,
        TAP_FD_LISTENER4,
        TAP_FD_LISTENER6,
        TAP_FDS,
};

typedef struct TapAnswer {
        TapStep step;
        int error;
        bool ipv6, transparent;
        bool has[TAP_FDS]; /* which descriptors come with it */
} TapAnswer;

static int join(const TapRequest *request) {
        int pidfd = request->init_pidfd;

        if (request->netns_fd >= 0)
                return (request->userns_fd >= 0 && setns(request->userns_fd, CLONE_NEWUSER) < 0) || setns(request->netns_fd, CLONE_NEWNET) < 0 ? -errno : 0;
        if (setns(pidfd, CLONE_NEWUSER | CLONE_NEWNET) >= 0)
                return 0;
        /* EINVAL: the container shares our user namespace (rootful without --userns), where nobody may enter twice */
        if (errno == EINVAL && setns(pidfd, CLONE_NEWNET) >= 0)
                return 0;
        return -errno;
}

static int configure(const TapRequest *request, int ifindex, Tap *tap) {
        const NetAddresses *a = request->addresses;
        _cleanup_fd_ int fd = netlink_open();
        NetlinkBatch batch = {};
        bool ipv6 = a->ipv6;

        if (fd < 0)
                return fd;
        /* before the link goes up, when the kernel would make an address of its own; also where there is to be none at all */
        netlink_link_no_link_local(&batch, ifindex);
        ipv6 = netlink_run(fd, &batch) >= 0 && ipv6;
        netlink_link_up(&batch, LOOPBACK, 0, NULL);
        netlink_link_up(&batch, ifindex, request->mtu, a->mac);
        netlink_address(&batch, ifindex, AF_INET, &a->container, a->prefix);
        netlink_default_route(&batch, ifindex, AF_INET, &a->gateway);
        int r = netlink_run(fd, &batch);
        if (r < 0)
                return r;
        if (ipv6) {
                netlink_address(&batch, ifindex, AF_INET6, &a->link_local6, 64);
                netlink_address(&batch, ifindex, AF_INET6, &a->container6, a->prefix6);
                netlink_default_route(&batch, ifindex, AF_INET6, &a->gateway6);
                /* a kernel or a sysctl without IPv6 (net.ipv6.conf.all.disable_ipv6) leaves the container IPv4 */
                ipv6 = netlink_run(fd, &batch) >= 0;
        }
        tap->ipv6 = ipv6;
        tap->transparent = (request->connector_fd >= 0 || request->outlet != OUTLET_NONE) && port_route_set_up(fd, ipv6) >= 0;
        if (request->connector_fd >= 0) { /* what servers inside send goes to the relay by the loopback interface */
                netlink_link_big_tcp(&batch, LOOPBACK);
                (void) netlink_run(fd, &batch);
        }
        if (request->outlet != OUTLET_NONE && tap->transparent)
                (void) outlet_rules_set_up(request->outlet, a, request->interface, ifindex, ipv6, &tap->outlet);
        return 0;
}

static int make(const TapRequest *request, Tap *tap, TapStep *step) {
        struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
        _cleanup_fd_ int fd = -EBADF;

        *step = TAP_STEP_JOIN;
        int r = join(request);
        if (r < 0)
                return r;
        *step = TAP_STEP_OPEN;
        fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *step = TAP_STEP_CREATE;
        (void) strncpy(ifr.ifr_name, request->interface, IFNAMSIZ - 1);
        if (ioctl(fd, TUNSETIFF, &ifr) < 0)
                return -errno;
        *step = TAP_STEP_CONFIGURE;
        int ifindex = (int) if_nametoindex(request->interface);
        if (ifindex == 0)
                return -errno;
        r = configure(request, ifindex, tap);
        if (r < 0)
                return r;
        *step = TAP_STEP_DONE;
        tap->fd = TAKE_FD(fd);
        tap->diag_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        return 0;
}

static int *place_of(Tap *tap, size_t i) {
        int *const places[TAP_FDS] = { &tap->fd, &tap->diag_fd, &tap->outlet.rules_fd, &tap->outlet.listener4, &tap->outlet.listener6 };

        return places[i];
}

_noreturn_ static void run_child(const TapRequest *request, int socket_fd) {
        Tap tap = TAP_NULL;
        TapAnswer answer = {};
        int fds[TAP_FDS];
        size_t n_fds = 0;

        answer.error = make(request, &tap, &answer.step);
        answer.ipv6 = tap.ipv6;
        answer.transparent = tap.transparent;
        for (size_t i = 0; answer.error >= 0 && i < TAP_FDS; i++) {
                answer.has[i] = *place_of(&tap, i) >= 0;
                if (answer.has[i])
                        fds[n_fds++] = *place_of(&tap, i);
        }
        bool failed = io_send_fds(socket_fd, &answer, sizeof(answer), fds, n_fds) < 0 || answer.error < 0;
        if (request->connector_fd < 0 || failed)
                _exit(failed);
        _exit(port_connector_serve(request->connector_fd) < 0);
}

int tap_begin(const TapRequest *request, TapChild *ret, Error *reterr) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make a socket pair");
        pid_t pid = fork();
        if (pid == 0)
                run_child(request, pair[1]);
        int code = -errno;
        (void) fd_close(pair[1]);
        if (pid < 0) {
                (void) fd_close(pair[0]);
                return error_set_errno(reterr, code, "cannot fork");
        }
        *ret = (TapChild){ .pid = pid, .socket = pair[0], .stays = request->connector_fd >= 0 };
        return 0;
}

static int explain(const TapAnswer *answer, Error *reterr) {
        static const char *const texts[_TAP_STEP_MAX] = {
                [TAP_STEP_JOIN] = "cannot enter the container's network namespace",
                [TAP_STEP_OPEN] = "cannot open '/dev/net/tun'",
                [TAP_STEP_CREATE] = "cannot create the container's network interface",
                [TAP_STEP_CONFIGURE] = "cannot configure the container's network interface",
                [TAP_STEP_DONE] = "cannot use the container's network interface",
        };

        (void) error_set_errno(reterr, answer->error, "%s", texts[answer->step]);
        if (answer->step == TAP_STEP_OPEN)
                error_hint(reterr, "user-mode networking needs /dev/net/tun, readable and writable (module 'tun')");
        return answer->error;
}

int tap_finish(TapChild *child, Tap *ret, Error *reterr) {
        _cleanup_fd_ int socket_fd = TAKE_FD(child->socket);
        TapAnswer answer = {};
        Tap tap = TAP_NULL;
        int fds[TAP_FDS];
        size_t n_fds = ELEMENTSOF(fds), taken = 0;

        ssize_t n = io_receive_fds(socket_fd, &answer, sizeof(answer), fds, &n_fds);
        bool done = n == sizeof(answer) && answer.error >= 0;
        if (!done || !child->stays)
                (void) process_reap(child->pid);
        tap.ipv6 = answer.ipv6;
        tap.transparent = answer.transparent;
        for (size_t i = 0; i < TAP_FDS && taken < n_fds; i++)
                if (answer.has[i])
                        *place_of(&tap, i) = fds[taken++];
        while (taken < n_fds)
                (void) fd_close(fds[--n_fds]);
        if (done && tap.fd >= 0) {
                *ret = tap;
                return 0;
        }
        tap_done(&tap);
        if (n != sizeof(answer) || answer.error >= 0 || answer.step < 0 || answer.step >= _TAP_STEP_MAX)
                return error_set(reterr, -EPROTO, ERROR_INTERNAL, "cannot set up the container's network interface: no answer");
        return explain(&answer, reterr);
}

void tap_done(Tap *tap) {
        tap->fd = fd_close(tap->fd);
        tap->diag_fd = fd_close(tap->diag_fd);
        outlet_sockets_done(&tap->outlet);
}
