/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned user namespaces. */
#include "ns/pinned.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "ns/userns.h"

enum { STACK_SIZE = 1024 * 1024 };

int userns_pin(const UserMap *map, Error *reterr) {
        struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
        char path[48];

        if (map->host || map->single || geteuid() == 0)
                return error_set(reterr, -ENOTSUP, ERROR_UNSUPPORTED, "cannot keep a user namespace: it is of no use to %s",
                                 map->single ? "a user without subordinate IDs" : "root");
        long pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        (void) pause();
        }
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot make a user namespace");
        int r = userns_write_maps((pid_t) pid, map, reterr);
        if (r >= 0) {
                (void) snprintf(path, sizeof(path), "/proc/%ld/ns/user", pid);
                r = open(path, O_RDONLY | O_CLOEXEC);
                if (r < 0)
                        r = error_set_errno(reterr, -errno, "cannot keep a user namespace");
        }
        (void) kill((pid_t) pid, SIGKILL);
        (void) process_reap((pid_t) pid);
        return r;
}

/* The ranges of `map` with the pinned namespace's IDs on the outside, as text for uid_map. -ENOTSUP where one is not whole. */
static int translate(const IdMap *map, const IdMap *pinned, char **ret) {
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < map->n; i++) {
                const ContainerIdMapping *range = &map->ranges[i];
                uint32_t first, last;
                char *longer;

                if (range->size == 0 || !idmap_from_host(pinned, range->host_id, &first) ||
                    !idmap_from_host(pinned, range->host_id + range->size - 1, &last) || last - first != range->size - 1)
                        return -ENOTSUP;
                longer = str_format("%s%u %u %u\n", text ?: "", range->container_id, first, range->size);
                if (!longer)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        if (!text)
                return -ENOTSUP;
        *ret = TAKE_PTR(text);
        return 0;
}

typedef struct Inside {
        int pinned_fd;
        char *uid_map, *gid_map;
        struct clone_args *args;
        int (*function)(void *data);
        void *data;
        long pid;
        int code;
} Inside;

/* Shares memory and descriptors with the caller, which waits for its end. No allocation. What it returns is its exit status
 * (clone(2)). The user owns the namespace that is
 * joined and keeps its IDs, so the kernel leaves the shared memory dumpable (commit_creds()). */
static int clone_from_inside(void *p) {
        Inside *inside = p;
        char path[32];

        if (setns(inside->pinned_fd, CLONE_NEWUSER) < 0) {
                inside->code = -errno;
                return 0;
        }
        inside->pid = syscall(SYS_clone3, inside->args, sizeof(*inside->args));
        if (inside->pid == 0)
                return inside->function(inside->data);
        if (inside->pid < 0) {
                inside->code = -errno;
                return 0;
        }
        (void) snprintf(path, sizeof(path), "/proc/%ld", inside->pid);
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        inside->code = fd < 0 ? -errno : file_write_string(fd, "gid_map", inside->gid_map);
        if (inside->code >= 0)
                inside->code = file_write_string(fd, "uid_map", inside->uid_map);
        (void) fd_close(fd);
        return 0;
}

int userns_clone_inside(int pinned_fd, const UserMap *pinned, const UserMap *map, struct clone_args *args,
                        int (*function)(void *data), void *data, Error *reterr) {
        _cleanup_free_ char *uid_map = NULL, *gid_map = NULL;
        Inside inside = { .pinned_fd = pinned_fd, .args = args, .function = function, .data = data };

        int r = translate(&map->uid, &pinned->uid, &uid_map);
        if (r >= 0)
                r = translate(&map->gid, &pinned->gid, &gid_map);
        if (r < 0)
                return r == -ENOTSUP ? r : error_oom(reterr);
        inside.uid_map = uid_map;
        inside.gid_map = gid_map;
        args->flags |= CLONE_NEWUSER | CLONE_PARENT;
        args->exit_signal = 0; /* clone3(2): with CLONE_PARENT it is that of the cloning process */
        char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
        if (stack == MAP_FAILED)
                return error_oom(reterr);
        pid_t helper = clone(clone_from_inside, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &inside);
        r = helper < 0 ? -errno : 0;
        if (helper > 0)
                (void) process_reap(helper);
        (void) munmap(stack, STACK_SIZE);
        if (r >= 0)
                r = inside.code;
        if (r >= 0)
                return (int) inside.pid;
        if (inside.pid > 0) {
                (void) kill((pid_t) inside.pid, SIGKILL);
                (void) process_reap((pid_t) inside.pid);
        }
        return error_set_errno(reterr, r, "cannot make the container's namespaces");
}
