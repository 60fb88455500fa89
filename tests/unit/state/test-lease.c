/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "fresh-store.h"
#include "state/lease.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static NetworkSubnet subnets4[] = { { .subnet = (char *) "10.89.0.0/29", .gateway = (char *) "10.89.0.1" } };
static NetworkSubnet subnets6[] = { { .subnet = (char *) "10.89.1.0/24", .gateway = (char *) "10.89.1.1" },
                                    { .subnet = (char *) "fd00:1::/64", .gateway = (char *) "fd00:1::1" } };
static NetworkSubnet subnets_range[] = { { .subnet = (char *) "10.89.2.0/24", .gateway = (char *) "10.89.2.11",
                                           .lease_range = { (char *) "10.89.2.10", (char *) "10.89.2.12" } } };
static const NetworkConfig net4 = { .name = (char *) "net", .subnets = subnets4, .n_subnets = 1 },
                           net6 = { .name = (char *) "two", .subnets = subnets6, .n_subnets = 2 },
                           ranged = { .name = (char *) "ranged", .subnets = subnets_range, .n_subnets = 1 };

/* All that it took, with blanks between; NULL where that failed with *ret_error. */
static char *take(Store *store, const NetworkConfig *network, const char *id, const char *wanted, int *ret_error) {
        _cleanup_strv_ char **addresses = NULL, **list = wanted ? strv_split(wanted, " ") : NULL;

        *ret_error = lease_take(store, network, id, list, &addresses, /* reterr= */ NULL);
        return *ret_error < 0 ? NULL : strv_join(addresses, " ");
}

#define CHECK_TAKE(network, id, wanted, found)                                        \
        do {                                                                          \
                int error;                                                            \
                _cleanup_free_ char *got = take(&store, network, id, wanted, &error); \
                CHECK_INT(error, 0);                                                  \
                CHECK_STR(got, found);                                                \
        } while (0)
#define CHECK_REFUSED(network, id, wanted, code)                                      \
        do {                                                                          \
                int error;                                                            \
                _cleanup_free_ char *got = take(&store, network, id, wanted, &error); \
                CHECK_INT(error, code);                                               \
        } while (0)

static void drop(Store *store, const NetworkConfig *network, const char *id, const char *address) {
        char *addresses[] = { (char *) address, NULL };

        lease_drop(store, network->name, id, addresses);
}

/* A container whose process is this one, so that it runs. */
static void running(Store *store, const char *name, Container *ret) {
        CHECK_INT(create_container(store, name, ret), 0);
        ret->process.pid = getpid();
        CHECK_INT(process_start_time(getpid(), &ret->process.start_time), 0);
        CHECK(ret->process.boot_id = strdup(store->boot_id));
        CHECK_INT(container_save_process(store, ret, NULL), 0);
}

TEST(one_after_the_other) {
        _cleanup_store_ Store store = STORE_NULL;
        struct stat st;

        fresh_store(&store);
        CHECK_TAKE(&net6, A, NULL, "10.89.1.2/24 fd00:1::2/64");
        drop(&store, &net6, A, "10.89.1.2/24");
        CHECK_TAKE(&net6, A, NULL, "10.89.1.3/24 fd00:1::3/64"); /* not the one that was given just now */
        CHECK_TAKE(&ranged, A, NULL, "10.89.2.10/24");
        CHECK_TAKE(&ranged, A, NULL, "10.89.2.12/24"); /* the gateway lies between */
        drop(&store, &net6, A, "fd00:1::2/64");
        drop(&store, &net6, A, "fd00:1::3");
        drop(&store, &net6, A, "10.89.1.3");
        drop(&store, &ranged, A, "10.89.2.10/24");
        CHECK(fstatat(store.runtime_fd, "leases", &st, AT_SYMLINK_NOFOLLOW) >= 0);
        drop(&store, &ranged, A, "10.89.2.12/24");
        CHECK_INT(fstatat(store.runtime_fd, "leases", &st, AT_SYMLINK_NOFOLLOW), -1); /* nothing is left */
}

TEST(all_taken_and_given_back) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container web = CONTAINER_NULL, other = CONTAINER_NULL;

        fresh_store(&store);
        running(&store, "web", &web);
        running(&store, "other", &other);
        for (unsigned i = 2; i <= 6; i++) {
                _cleanup_free_ char *address = str_format("10.89.0.%u/29", i);

                CHECK_TAKE(&net4, web.config.id, NULL, address);
        }
        CHECK_REFUSED(&net4, other.config.id, NULL, -ENOSPC);
        container_unlock(&web); /* it runs: that alone keeps its addresses */
        CHECK_REFUSED(&net4, other.config.id, NULL, -ENOSPC);
        drop(&store, &net4, other.config.id, "10.89.0.4/29"); /* not its own */
        CHECK_REFUSED(&net4, other.config.id, NULL, -ENOSPC);
        drop(&store, &net4, web.config.id, "10.89.0.4/29");
        CHECK_TAKE(&net4, other.config.id, NULL, "10.89.0.4/29");
}

TEST(wanted_addresses) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container web = CONTAINER_NULL, other = CONTAINER_NULL;

        fresh_store(&store);
        running(&store, "web", &web);
        running(&store, "other", &other);
        CHECK_TAKE(&net6, web.config.id, "fd00:1::77", "10.89.1.2/24 fd00:1::77/64");
        CHECK_TAKE(&net6, other.config.id, "10.89.1.200", "10.89.1.200/24 fd00:1::2/64");
        CHECK_REFUSED(&net6, other.config.id, "fd00:1::77", -EADDRINUSE);
        CHECK_TAKE(&net6, web.config.id, "10.89.1.2", "10.89.1.2/24 fd00:1::3/64"); /* it has that one itself */
        CHECK_REFUSED(&net6, other.config.id, "10.89.1.1", -EINVAL);   /* the gateway */
        CHECK_REFUSED(&net6, other.config.id, "10.89.1.0", -EINVAL);
        CHECK_REFUSED(&net6, other.config.id, "10.89.1.255", -EINVAL);
        CHECK_REFUSED(&net6, other.config.id, "10.89.2.1", -EINVAL);
        CHECK_REFUSED(&net6, other.config.id, "../../etc", -EINVAL);
        CHECK_REFUSED(&net6, other.config.id, "10.89.1.7 10.89.1.8", -EINVAL);
        /* a refused start gives back what it had got already */
        CHECK_REFUSED(&net6, other.config.id, "10.89.1.9 fd00:1::77", -EADDRINUSE);
        CHECK_TAKE(&net6, web.config.id, "10.89.1.9", "10.89.1.9/24 fd00:1::4/64");
}

TEST(leases_of_the_dead_are_taken_over) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container dead = CONTAINER_NULL, starting = CONTAINER_NULL, web = CONTAINER_NULL;

        fresh_store(&store);
        CHECK_INT(create_container(&store, "dead", &dead), 0);
        CHECK_INT(create_container(&store, "starting", &starting), 0);
        running(&store, "web", &web);
        CHECK_TAKE(&net4, dead.config.id, "10.89.0.2", "10.89.0.2/29");
        CHECK_TAKE(&net4, starting.config.id, "10.89.0.3", "10.89.0.3/29");
        CHECK_TAKE(&net4, A, "10.89.0.4", "10.89.0.4/29"); /* of one that is gone */
        CHECK_REFUSED(&net4, web.config.id, "10.89.0.2", -EADDRINUSE); /* its lock is held: it may be starting */
        container_unlock(&dead);
        CHECK_TAKE(&net4, web.config.id, "10.89.0.2", "10.89.0.2/29");
        CHECK_REFUSED(&net4, web.config.id, "10.89.0.3", -EADDRINUSE);
        CHECK_TAKE(&net4, web.config.id, "10.89.0.4", "10.89.0.4/29");
        CHECK_TAKE(&net4, web.config.id, NULL, "10.89.0.2/29"); /* what a killed start of its own has left */
        CHECK_TAKE(&net4, web.config.id, "10.89.0.5", "10.89.0.5/29");
        CHECK_TAKE(&net4, web.config.id, "10.89.0.6", "10.89.0.6/29");
        CHECK_REFUSED(&net4, web.config.id, "10.89.0.3", -EADDRINUSE);
        container_unlock(&starting);
        lease_collect(&store, NULL);
        CHECK_TAKE(&net4, web.config.id, NULL, "10.89.0.3/29"); /* behind .2, which was given last */
}

typedef struct Starters {
        Store store;
        Container containers[6];
} Starters;

static int take_wanted(size_t i, void *data) {
        Starters *starters = data;
        int error;
        _cleanup_free_ char *got = take(&starters->store, &net4, starters->containers[i].config.id, "10.89.0.3", &error);

        return got != NULL;
}

/* The lease of a container that is gone, so that no lock of its own is there to be held: two want the address at once. */
TEST(an_address_of_the_dead_goes_to_one) {
        Starters starters = { .store = STORE_NULL };
        int results[ELEMENTSOF(starters.containers)], wrong = 0;

        fresh_store(&starters.store);
        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                CHECK_INT(create_container(&starters.store, NULL, &starters.containers[i]), 0); /* locked, as who starts one has it */
        CHECK_INT(mkdirat(starters.store.runtime_fd, "leases", 0700), 0);
        CHECK_INT(mkdirat(starters.store.runtime_fd, "leases/net", 0700), 0);
        for (int round = 0; round < 150; round++) {
                int winners = 0;

                (void) unlinkat(starters.store.runtime_fd, "leases/net/10.89.0.3", 0);
                CHECK_INT(symlinkat(A, starters.store.runtime_fd, "leases/net/10.89.0.3"), 0);
                test_together(ELEMENTSOF(results), take_wanted, &starters, results);
                for (size_t i = 0; i < ELEMENTSOF(results); i++)
                        winners += results[i];
                wrong += winners != 1;
        }
        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                container_done(&starters.containers[i]);
        store_done(&starters.store);
        CHECK_INT(wrong, 0);
}

/* Many at once: each address once, whatever the order. */
TEST(many_at_once) {
        enum { PROCESSES = 8, EACH = 25 };
        _cleanup_store_ Store store = STORE_NULL;
        pid_t pids[PROCESSES];
        int pipes[2];

        fresh_store(&store);
        CHECK(pipe2(pipes, O_CLOEXEC) >= 0);
        for (unsigned i = 0; i < PROCESSES; i++) {
                pids[i] = fork();
                CHECK(pids[i] >= 0);
                if (pids[i] > 0)
                        continue;
                for (unsigned k = 0; k < EACH; k++) {
                        _cleanup_strv_ char **addresses = NULL;
                        IpSubnet got;
                        char id[CONTAINER_ID_LENGTH + 1] = A;

                        id[0] = (char) ('0' + i);
                        id[1] = (char) ('0' + k / 10);
                        id[2] = (char) ('0' + k % 10);
                        if (lease_take(&store, &net6, id, NULL, &addresses, NULL) < 0 || ip_parse_subnet(addresses[0], &got) < 0 ||
                            write(pipes[1], &got.address.bytes[3], 1) != 1)
                                _exit(1);
                }
                _exit(0);
        }
        (void) close(pipes[1]);
        bool seen[256] = {};
        unsigned char last;
        unsigned n = 0;
        while (read(pipes[0], &last, 1) == 1) {
                CHECK(last > 1 && last < 255 && !seen[last]);
                seen[last] = true;
                n++;
        }
        (void) close(pipes[0]);
        for (unsigned i = 0; i < PROCESSES; i++) {
                int status = 0;

                CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
                CHECK_INT(status, 0);
        }
        CHECK_INT(n, PROCESSES * EACH);
}
