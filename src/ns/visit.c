/* SPDX-License-Identifier: Apache-2.0 */
/* Doing something inside other namespaces. */
#include "ns/visit.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/process.h"

enum {
        STACK_SIZE = 1024 * 1024, /* it costs what is used of it */
        GUARD_SIZE = 64 * 1024,
};

typedef struct Visit {
        int userns_fd, netns_fd;
        int (*function)(void *data, Error *reterr);
        void *data;
        Error *error;
        int code;
} Visit;

static int go(void *p) {
        Visit *visit = p;

        if (visit->userns_fd >= 0 && setns(visit->userns_fd, CLONE_NEWUSER) < 0)
                visit->code = error_set_errno(visit->error, -errno, "cannot enter the user namespace of the network");
        else if (visit->netns_fd >= 0 && setns(visit->netns_fd, CLONE_NEWNET) < 0)
                visit->code = error_set_errno(visit->error, -errno, "cannot enter a network namespace");
        else
                visit->code = visit->function(visit->data, visit->error);
        return 0;
}

int ns_visit(int userns_fd, int netns_fd, int (*function)(void *data, Error *reterr), void *data, Error *reterr) {
        Visit visit = { .userns_fd = userns_fd, .netns_fd = netns_fd, .function = function, .data = data, .error = reterr, .code = -EPIPE };
        char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

        if (stack == MAP_FAILED)
                return error_oom(reterr);
        pid_t pid = mprotect(stack, GUARD_SIZE, PROT_NONE) < 0
                            ? -1
                            : clone(go, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &visit);
        int r = pid < 0 ? error_set_errno(reterr, -errno, "cannot start a process for the network") : 0;
        if (pid > 0) {
                int status = process_reap(pid);

                r = status == 0 ? visit.code : error_set(reterr, -EPIPE, ERROR_INTERNAL, "cannot set up the network: its process ended with status %d", status);
        }
        (void) munmap(stack, STACK_SIZE);
        return r;
}
