/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned user namespaces. */
#include "ns/pinned.h"

#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "ns/handle.h"
#include "ns/userns.h"

enum {
        STACK_SIZE = 8 * 1024 * 1024, /* what a process has; it costs what is used of it */
        GUARD_SIZE = 64 * 1024,
};

/* It is made with a process that only stays until it is held. */
static int make(const UserMap *map, int (*write_maps)(pid_t pid, const UserMap *map, Error *reterr), Error *reterr) {
        _cleanup_fd_ int pidfd = -EBADF;
        struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd, .exit_signal = SIGCHLD };
        long pid = syscall(SYS_clone3, &args, sizeof(args));

        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        (void) pause();
        }
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot make a user namespace");
        int r = write_maps((pid_t) pid, map, reterr);
        if (r >= 0)
                r = ns_open_of_process(pidfd, (pid_t) pid, "user", reterr);
        (void) process_signal(pidfd, SIGKILL);
        (void) process_reap((pid_t) pid);
        return r;
}

int userns_pin(const UserMap *map, Error *reterr) {
        if (map->host || geteuid() == 0)
                return error_set(reterr, -ENOTSUP, ERROR_UNSUPPORTED, "cannot keep a user namespace: it is of no use to root");
        return make(map, userns_write_maps, reterr);
}

int userns_pin_directly(const UserMap *map, Error *reterr) {
        return make(map, userns_write_maps_directly, reterr);
}

char *userns_pin_text(const UserMap *map) {
        const struct {
                const char *word;
                const IdMap *map;
        } halves[] = { { "uid", &map->uid }, { "gid", &map->gid } };
        _cleanup_free_ char *text = strdup("");

        for (size_t h = 0; h < ELEMENTSOF(halves); h++)
                for (size_t i = 0; i < halves[h].map->n && text; i++) {
                        const ContainerIdMapping *range = &halves[h].map->ranges[i];
                        char *longer = str_format("%s%s %u %u %u\n", text, halves[h].word, range->container_id, range->host_id,
                                                  range->size);
                        free(text);
                        text = longer;
                }
        return TAKE_PTR(text);
}

int userns_pin_check(int fd, uid_t owner) {
        struct statfs fs;
        uid_t uid;

        if (fstatfs(fd, &fs) < 0)
                return -errno;
        if (fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWUSER || ioctl(fd, NS_GET_OWNER_UID, &uid) < 0)
                return -EINVAL;
        return uid == owner ? 0 : -EPERM;
}

typedef struct Inside {
        int pinned_fd;
        const UserMap *view;
        struct clone_args *args;
        int (*function)(void *data);
        void (*mapped)(void *data);
        void *data;
        long pid;
        int code;
        Error *error;
} Inside;

/* Shares memory and descriptors with the caller, which stands still until its end: it may allocate. What it returns is its
 * exit status (clone(2)). The user owns the namespace that is joined and keeps its IDs, so the kernel leaves the shared
 * memory dumpable (commit_creds()). */
static int clone_from_inside(void *p) {
        Inside *inside = p;

        if (setns(inside->pinned_fd, CLONE_NEWUSER) < 0) {
                inside->code = error_set_errno(inside->error, -errno, "cannot enter the user namespace that is around the container's");
                return 0;
        }
        inside->pid = syscall(SYS_clone3, inside->args, sizeof(*inside->args));
        if (inside->pid == 0)
                return inside->function(inside->data);
        inside->code = inside->pid < 0 ? error_set_errno(inside->error, -errno, "cannot make the container's namespaces")
                                       : userns_write_maps_directly((pid_t) inside->pid, inside->view, inside->error);
        if (inside->code >= 0 && inside->mapped)
                inside->mapped(inside->data);
        return 0;
}

int userns_clone_inside(int pinned_fd, const UserMap *view, struct clone_args *args, int (*function)(void *data),
                        void (*mapped)(void *data), void *data, Error *reterr) {
        Inside inside = {
                .pinned_fd = pinned_fd,
                .view = view,
                .args = args,
                .function = function,
                .mapped = mapped,
                .data = data,
                .error = reterr,
        };

        args->flags |= CLONE_NEWUSER;
        /* clone3(2): with CLONE_PARENT it is that of the cloning process */
        args->exit_signal = (args->flags & CLONE_PARENT) ? 0 : SIGCHLD;
        char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
        if (stack == MAP_FAILED || mprotect(stack, GUARD_SIZE, PROT_NONE) < 0)
                return error_oom(reterr);
        pid_t helper = clone(clone_from_inside, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &inside);
        int r = helper < 0 ? error_set_errno(reterr, -errno, "cannot make the container's process") : inside.code;
        if (helper > 0)
                (void) process_reap(helper);
        (void) munmap(stack, STACK_SIZE);
        if (r >= 0)
                return (int) inside.pid;
        if (inside.pid > 0) {
                (void) kill((pid_t) inside.pid, SIGKILL);
                (void) process_reap((pid_t) inside.pid);
        }
        return r;
}
