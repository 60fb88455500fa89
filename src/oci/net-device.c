/* SPDX-License-Identifier: Apache-2.0 */
/* Moving interfaces (rtnetlink(7), IFLA_NET_NS_FD). The kernel keeps name, MTU and hardware address over the move; addresses are lost by it,
 * and set again. */
#include "oci/net-device.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "net/netlink.h"
#include "ns/handle.h"

enum { ADDRESSES_MAX = 64 };

typedef struct Address {
        int family;
        uint8_t bytes[16];
        unsigned prefix;
} Address;

typedef struct Device {
        const char *host_name;
        char name[IF_NAMESIZE]; /* in the container */
        Address addresses[ADDRESSES_MAX];
        size_t n;
} Device;

static unsigned count_bits(const uint8_t *mask, size_t n) {
        unsigned bits = 0;

        for (size_t i = 0; i < n; i++)
                bits += (unsigned) __builtin_popcount(mask[i]);
        return bits;
}

/* Those that the host's administrator gave it: the link-local ones make themselves. */
static void add_address(Device *device, const struct ifaddrs *one) {
        Address address = { .family = one->ifa_addr->sa_family };

        if (device->n >= ADDRESSES_MAX || !one->ifa_netmask)
                return;
        if (address.family == AF_INET) {
                memcpy(address.bytes, &((const struct sockaddr_in *) (const void *) one->ifa_addr)->sin_addr, 4);
                address.prefix = count_bits((const uint8_t *) &((const struct sockaddr_in *) (const void *) one->ifa_netmask)->sin_addr, 4);
        } else if (address.family == AF_INET6) {
                const struct in6_addr *in6 = &((const struct sockaddr_in6 *) (const void *) one->ifa_addr)->sin6_addr;

                if (IN6_IS_ADDR_LINKLOCAL(in6))
                        return;
                memcpy(address.bytes, in6, 16);
                address.prefix = count_bits((const uint8_t *) &((const struct sockaddr_in6 *) (const void *) one->ifa_netmask)->sin6_addr, 16);
        } else
                return;
        device->addresses[device->n++] = address;
}

static int read_addresses(Device *device, Error *reterr) {
        struct ifaddrs *all;

        if (getifaddrs(&all) < 0)
                return error_set_errno(reterr, -errno, "cannot read its addresses");
        for (const struct ifaddrs *one = all; one; one = one->ifa_next)
                if (one->ifa_addr && str_equal(one->ifa_name, device->host_name))
                        add_address(device, one);
        freeifaddrs(all);
        return 0;
}

static int give_away(const Device *device, int netns_fd, Error *reterr) {
        const struct ifinfomsg link = { .ifi_index = (int) if_nametoindex(device->host_name) };
        _cleanup_fd_ int fd = netlink_open();
        NetlinkBatch batch = {};
        uint32_t number = (uint32_t) netns_fd;

        if (link.ifi_index == 0)
                return error_set_errno(reterr, -ENODEV, "cannot find it");
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot ask the kernel");
        size_t start = netlink_begin(&batch, RTM_NEWLINK, 0, &link, sizeof(link));
        (void) netlink_attribute(&batch, IFLA_NET_NS_FD, &number, sizeof(number));
        (void) netlink_attribute(&batch, IFLA_IFNAME, device->name, strlen(device->name) + 1);
        netlink_end(&batch, start);
        int r = netlink_run(fd, &batch);
        return r < 0 ? error_set_errno(reterr, r, "cannot move it") : 0;
}

/* In the container's network namespace. */
static int set_up(Device *device, Error *reterr) {
        _cleanup_fd_ int fd = netlink_open();
        int index = (int) if_nametoindex(device->name), r = 0;
        NetlinkBatch batch = {};

        if (fd < 0 || index == 0)
                return error_set_errno(reterr, fd < 0 ? fd : -ENODEV, "cannot find it again");
        for (size_t i = 0; i < device->n && r >= 0; i++) {
                netlink_address(&batch, index, device->addresses[i].family, device->addresses[i].bytes, device->addresses[i].prefix);
                r = netlink_run(fd, &batch);
        }
        if (r >= 0) {
                netlink_link_up(&batch, index, 0, NULL);
                r = netlink_run(fd, &batch);
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot set it up") : 0;
}

/* In the container's network namespace: "eth%d" is the first of that kind that is free there. */
static int choose_name(Device *device, Error *reterr) {
        const char *mark = strstr(device->name, "%d");
        char name[IF_NAMESIZE + 12];

        for (unsigned i = 0; mark; i++) {
                int n = snprintf(name, sizeof(name), "%.*s%u%s", (int) (mark - device->name), device->name, i, mark + 2);

                if (n >= IF_NAMESIZE)
                        return error_set(reterr, -ENFILE, ERROR_INVALID, "there is no free name for '%s'", device->name);
                if (if_nametoindex(name) != 0)
                        continue;
                (void) strcpy(device->name, name);
                return 0;
        }
        return if_nametoindex(device->name) == 0
                       ? 0 : error_set(reterr, -EEXIST, ERROR_EXISTS, "the container has a device of the name '%s' already", device->name);
}

static int do_inside(int (*function)(Device *device, Error *reterr), Device *device, int netns_fd, int own_fd, Error *reterr) {
        if (setns(netns_fd, CLONE_NEWNET) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the container's network namespace");
        int r = function(device, reterr);
        if (setns(own_fd, CLONE_NEWNET) < 0)
                return error_set_errno(reterr, -errno, "cannot leave the container's network namespace");
        return r;
}

static int move(Device *device, int netns_fd, int own_fd, Error *reterr) {
        int r = read_addresses(device, reterr);

        if (r >= 0)
                r = do_inside(choose_name, device, netns_fd, own_fd, reterr);
        if (r >= 0)
                r = give_away(device, netns_fd, reterr);
        return r < 0 ? r : do_inside(set_up, device, netns_fd, own_fd, reterr);
}

static int move_one(const RuntimeNetDevice *wanted, int netns_fd, int own_fd, Error *reterr) {
        const char *name = str_empty(wanted->name) ? wanted->host_name : wanted->name;
        Device device = { .host_name = wanted->host_name };

        if (strlen(name) >= sizeof(device.name))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "the name '%s' is too long", name);
        (void) strcpy(device.name, name);
        return move(&device, netns_fd, own_fd, reterr);
}

/* One that is joined is not the init's yet. */
static int open_network(const OciNamespaces *namespaces, int pidfd, pid_t pid, Error *reterr) {
        for (size_t i = 0; i < namespaces->n_joins; i++)
                if (namespaces->joins[i].flag == CLONE_NEWNET) {
                        int fd = fcntl(namespaces->joins[i].fd, F_DUPFD_CLOEXEC, 3);

                        return fd < 0 ? error_set_errno(reterr, -errno, "cannot hold the container's network namespace") : fd;
                }
        if (!(namespaces->made & CLONE_NEWNET))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot move network devices without a private network namespace");
        return ns_open_of_process(pidfd, pid, "net", reterr);
}

int oci_net_devices_move(const RuntimeSpec *spec, const OciNamespaces *namespaces, int pidfd, pid_t pid, Error *reterr) {
        _cleanup_fd_ int netns = -EBADF, own = -EBADF;

        if (spec->n_net_devices == 0)
                return 0;
        netns = open_network(namespaces, pidfd, pid, reterr);
        if (netns < 0)
                return netns;
        own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (own < 0)
                return error_set_errno(reterr, -errno, "cannot hold the host's network namespace");
        for (size_t i = 0; i < spec->n_net_devices; i++) {
                int r = move_one(&spec->net_devices[i], netns, own, reterr);

                if (r < 0)
                        return error_prefix(reterr, r, "cannot give the container the network device '%s'", spec->net_devices[i].host_name);
        }
        return 0;
}
