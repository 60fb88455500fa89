/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which address of a network. */
#include "state/lease.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "state/container.h"

#define DIRECTORY "leases"
#define NEXT DIRECTORY "/.next" /* NETWORK/SUBNET: a symlink that says which address was given last */

enum { TRIES_MAX = 1 << 17 }; /* of a network larger than that not every address is tried */

/* What may be given of a subnet. */
typedef struct Range {
        IpSubnet subnet;
        IpAddress start, end, gateway;
} Range;

static Range range_of(const NetworkSubnet *item) {
        Range range = {};

        (void) ip_parse_subnet(item->subnet, &range.subnet); /* records are checked when they are read */
        range.start = ip_first(&range.subnet);
        range.end = ip_last(&range.subnet);
        if (item->lease_range.start_ip)
                (void) ip_parse(item->lease_range.start_ip, &range.start);
        if (item->lease_range.end_ip)
                (void) ip_parse(item->lease_range.end_ip, &range.end);
        if (item->gateway)
                (void) ip_parse(item->gateway, &range.gateway);
        return range;
}

/* Neither the subnet's own address, nor its broadcast address, nor the gateway's. */
static bool is_hosts(const Range *range, const IpAddress *address) {
        IpAddress first = ip_first(&range->subnet), last = ip_last(&range->subnet);

        return range->subnet.prefix + 1 >= ip_bits(range->subnet.address.family) ||
               (!ip_equal(address, &first) && !ip_equal(address, &last) && !ip_equal(address, &range->gateway));
}

static char *lease_path(const char *network, const char *address) {
        return str_format(DIRECTORY "/%s/%.*s", network, (int) strcspn(address, "/"), address);
}

/* With a NUL behind it; -ENOENT. */
static int read_link(int dir_fd, const char *path, char *text, size_t size) {
        ssize_t n = readlinkat(dir_fd, path, text, size - 1);

        if (n < 0)
                return -errno;
        text[n] = 0;
        return 0;
}

static int make_directories(const Store *store, const char *network) {
        _cleanup_free_ char *leases = str_format(DIRECTORY "/%s", network), *next = str_format(NEXT "/%s", network);
        const char *const paths[] = { DIRECTORY, NEXT, leases, next };

        if (!leases || !next)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (mkdirat(store->runtime_fd, paths[i], 0700) < 0 && errno != EEXIST)
                        return -errno;
        return 0;
}

/* 1: it is this container's now; 0: somebody else's. */
static int try_take(const Store *store, const char *network, const char *container_id, const IpAddress *address) {
        _cleanup_free_ char *path = lease_path(network, ip_text(address));

        if (!path)
                return -ENOMEM;
        for (unsigned i = 0; i < 8; i++) {
                if (symlinkat(container_id, store->runtime_fd, path) >= 0)
                        return 1;
                if (errno == EEXIST) {
                        char holder[CONTAINER_ID_LENGTH + 2];

                        /* an earlier start of its own, whose command was killed */
                        return read_link(store->runtime_fd, path, holder, sizeof(holder)) >= 0 && str_equal(holder, container_id);
                }
                if (errno != ENOENT)
                        return -errno;
                int r = make_directories(store, network); /* which may go again at any time with the last lease of another one */
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        return -EBUSY;
}

/* One that does not run, and that nobody is just starting or connecting: they hold its lock. The lock is kept in *ret_lock while
 * its lease is taken away. */
static bool is_stale(const Store *store, const char *container_id, int *ret_lock) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        _cleanup_container_ Container container = CONTAINER_NULL;
        _cleanup_free_ char *path = NULL;

        if (strlen(container_id) != CONTAINER_ID_LENGTH || strspn(container_id, "0123456789abcdef") != CONTAINER_ID_LENGTH)
                return true;
        if (!(path = str_format("containers/%s/lock", container_id)))
                return false;
        _cleanup_fd_ int fd = openat(store->runtime_fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno != ENOENT)
                return false;
        if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) < 0)
                return false;
        int r = container_load(store, container_id, &container, /* reterr= */ NULL);
        if (r < 0 ? r != -ENOENT : container.pidfd >= 0)
                return false;
        *ret_lock = TAKE_FD(fd);
        return true;
}

/* Of two commands that find the same lease stale, the later one must not take away what a third has taken since: they look and remove
 * one after the other. The lock of a container does not do for that, as it goes with its container. */
static void collect_one(const Store *store, const char *network, const char *address) {
        _cleanup_free_ char *directory = str_format(DIRECTORY "/%s", network);
        char holder[CONTAINER_ID_LENGTH + 2];
        _cleanup_fd_ int container_lock = -EBADF;

        if (!directory)
                return;
        _cleanup_fd_ int dir_fd = openat(store->runtime_fd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir_fd < 0 || RETRY_EINTR(flock(dir_fd, LOCK_EX)) < 0)
                return;
        if (read_link(dir_fd, address, holder, sizeof(holder)) >= 0 && is_stale(store, holder, &container_lock))
                (void) unlinkat(dir_fd, address, 0);
}

/* With the last lease the directories go; the order makes sure that nobody's lease goes with them. */
static void remove_empty(const Store *store, const char *network) {
        _cleanup_free_ char *path = str_format(DIRECTORY "/%s", network);

        if (!path || unlinkat(store->runtime_fd, path, AT_REMOVEDIR) < 0)
                return;
        int fd = openat(store->runtime_fd, NEXT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0)
                (void) path_remove_tree(fd, network);
        (void) fd_close(fd);
        if (unlinkat(store->runtime_fd, NEXT, AT_REMOVEDIR) >= 0)
                (void) unlinkat(store->runtime_fd, DIRECTORY, AT_REMOVEDIR);
}

static DIR *open_dir(const Store *store, const char *path) {
        int fd = openat(store->runtime_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir)
                (void) fd_close(fd);
        return dir;
}

static void collect_network(const Store *store, const char *network) {
        _cleanup_free_ char *directory = str_format(DIRECTORY "/%s", network);
        DIR *dir = directory ? open_dir(store, directory) : NULL;

        if (!dir)
                return;
        for (struct dirent *e; (e = readdir(dir));)
                if (*e->d_name != '.')
                        collect_one(store, network, e->d_name);
        (void) closedir(dir);
        remove_empty(store, network);
}

void lease_collect(const Store *store, const char *network) {
        DIR *dir = NULL;

        if (network) {
                collect_network(store, network);
                return;
        }
        if (!(dir = open_dir(store, DIRECTORY)))
                return;
        for (struct dirent *e; (e = readdir(dir));)
                if (*e->d_name != '.')
                        collect_network(store, e->d_name);
        (void) closedir(dir);
}

/* ---- the next free one ---- */

static char *next_path(const char *network, const Range *range, const char *suffix) {
        return str_format(NEXT "/%s/%s%s", network, ip_text(&range->subnet.address), suffix);
}

/* Where to begin: behind the one that was given last, or at the start. */
static IpAddress first_to_try(const Store *store, const char *network, const Range *range) {
        _cleanup_free_ char *path = next_path(network, range, "");
        char text[IP_TEXT_SIZE];
        IpAddress last;

        if (!path || read_link(store->runtime_fd, path, text, sizeof(text)) < 0 || ip_parse(text, &last) < 0 ||
            last.family != range->start.family || ip_compare(&last, &range->start) < 0 || ip_compare(&last, &range->end) >= 0)
                return range->start;
        return ip_add(&last, 1);
}

/* It only saves work: where that fails, the next one begins elsewhere. */
static void note_last(const Store *store, const char *network, const char *container_id, const Range *range, const IpAddress *address) {
        _cleanup_free_ char *path = next_path(network, range, ""), *temporary = next_path(network, range, container_id);

        if (!path || !temporary)
                return;
        (void) unlinkat(store->runtime_fd, temporary, 0);
        if (symlinkat(ip_text(address), store->runtime_fd, temporary) >= 0 &&
            renameat(store->runtime_fd, temporary, store->runtime_fd, path) < 0)
                (void) unlinkat(store->runtime_fd, temporary, 0);
}

/* -ENOSPC: all are taken. */
static int take_next(const Store *store, const char *network, const char *container_id, const Range *range, IpAddress *ret) {
        IpAddress begin = first_to_try(store, network, range), address = begin;

        for (unsigned i = 0; i < TRIES_MAX; i++) {
                int r = is_hosts(range, &address) ? try_take(store, network, container_id, &address) : 0;

                if (r < 0)
                        return r;
                if (r > 0) {
                        note_last(store, network, container_id, range, &address);
                        *ret = address;
                        return 0;
                }
                address = ip_compare(&address, &range->end) >= 0 ? range->start : ip_add(&address, 1);
                if (ip_equal(&address, &begin))
                        break;
        }
        return -ENOSPC;
}

static int take_any(const Store *store, const NetworkConfig *network, const char *container_id, const Range *range, IpAddress *ret,
                    Error *reterr) {
        int r = take_next(store, network->name, container_id, range, ret);

        if (r == -ENOSPC) {
                collect_network(store, network->name);
                r = take_next(store, network->name, container_id, range, ret);
        }
        if (r == -ENOSPC)
                return error_set(reterr, r, ERROR_STATE, "IPAM error: failed to find free IP in range: %s - %s of network '%s'",
                                 ip_text(&range->start), ip_text(&range->end), network->name);
        return r < 0 ? error_set_errno(reterr, r, "cannot take an address of network '%s'", network->name) : 0;
}

static int take_wanted(const Store *store, const NetworkConfig *network, const char *container_id, const IpAddress *address, Error *reterr) {
        _cleanup_free_ char *path = lease_path(network->name, ip_text(address));
        char holder[CONTAINER_ID_LENGTH + 2] = "";
        int r = try_take(store, network->name, container_id, address);

        if (!path)
                return error_oom(reterr);
        if (r == 0) {
                collect_one(store, network->name, ip_text(address));
                r = try_take(store, network->name, container_id, address);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot take address %s of network '%s'", ip_text(address), network->name);
        if (r > 0)
                return 0;
        (void) read_link(store->runtime_fd, path, holder, sizeof(holder));
        return error_set(reterr, -EADDRINUSE, ERROR_IN_USE,
                         "IPAM error: requested ip address %s is already allocated to container ID %s", ip_text(address), holder);
}

/* The one that lies in the subnet; false: none does. */
static bool find_wanted(char *const *wanted, const Range *range, IpAddress *ret) {
        for (; wanted && *wanted; wanted++)
                if (ip_parse(*wanted, ret) >= 0 && ip_contains(&range->subnet, ret))
                        return true;
        return false;
}

int lease_check_wanted(const NetworkConfig *network, char *const *wanted, Error *reterr) {
        for (char *const *text = wanted; text && *text; text++) {
                IpAddress address = {}, other;
                bool found = false;

                if (ip_parse(*text, &address) < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "'%s' is not an IP address", *text);
                for (size_t i = 0; i < network->n_subnets && !found; i++) {
                        Range range = range_of(&network->subnets[i]);

                        found = ip_contains(&range.subnet, &address);
                        if (found && !is_hosts(&range, &address))
                                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                                 "requested static ip %s of network %s is not one of a container", *text, network->name);
                        if (found && find_wanted(wanted, &range, &other) && !ip_equal(&other, &address))
                                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                                 "requested static ips %s and %s are both in subnet %s of network %s", ip_text(&other), *text,
                                                 network->subnets[i].subnet, network->name);
                }
                if (!found)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "requested static ip %s not in any subnet on network %s", *text,
                                         network->name);
        }
        return 0;
}

int lease_take(const Store *store, const NetworkConfig *network, const char *container_id, char *const *wanted, char ***ret, Error *reterr) {
        _cleanup_strv_ char **addresses = NULL;
        int r = lease_check_wanted(network, wanted, reterr);

        for (size_t i = 0; r >= 0 && network_has_addresses(network) && i < network->n_subnets; i++) {
                Range range = range_of(&network->subnets[i]);
                IpAddress address = {};

                r = find_wanted(wanted, &range, &address) ? take_wanted(store, network, container_id, &address, reterr)
                                                         : take_any(store, network, container_id, &range, &address, reterr);
                if (r >= 0 && strv_consume(&addresses, str_format("%s/%u", ip_text(&address), range.subnet.prefix)) < 0)
                        r = error_oom(reterr);
        }
        if (r < 0) {
                lease_drop(store, network->name, container_id, addresses);
                return r;
        }
        *ret = TAKE_PTR(addresses);
        return 0;
}

void lease_drop(const Store *store, const char *network, const char *container_id, char *const *addresses) {
        for (; addresses && *addresses; addresses++) {
                _cleanup_free_ char *path = lease_path(network, *addresses);
                char holder[CONTAINER_ID_LENGTH + 2];

                if (path && read_link(store->runtime_fd, path, holder, sizeof(holder)) >= 0 && str_equal(holder, container_id))
                        (void) unlinkat(store->runtime_fd, path, 0);
        }
        remove_empty(store, network);
}
