/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces. */
#include "ns/userns.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"

enum { MAP_RANGES_MAX = 340 }; /* the kernel's own limit since Linux 4.15 (user_namespaces(7)) */

static int check_helper(const char *path, Error *reterr) {
        struct stat st;

        if (stat(path, &st) < 0) {
                int r = error_set_errno(reterr, -errno, "cannot run '%s'", path);
                error_hint(reterr, "install the package that has it: uidmap (Debian, Ubuntu), shadow-utils (Fedora)");
                return r;
        }
        return 0;
}

static int spawn_helper(const char *path, pid_t target, const IdMap *map, int error_fd, pid_t *ret) {
        _cleanup_strv_ char **argv = NULL;
        char *const environment[] = { (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
        const int fds[] = { -EBADF, -EBADF, error_fd };
        int r = strv_append(&argv, path);

        if (r >= 0)
                r = strv_consume(&argv, str_format("%d", (int) target));
        for (size_t i = 0; i < map->n && r >= 0; i++) {
                const uint32_t numbers[] = { map->ranges[i].container_id, map->ranges[i].host_id, map->ranges[i].size };

                for (size_t k = 0; k < ELEMENTSOF(numbers) && r >= 0; k++)
                        r = strv_consume(&argv, str_format("%u", numbers[k]));
        }
        return r < 0 ? r : process_spawn(path, argv, environment, fds, ELEMENTSOF(fds), ret, /* ret_pidfd= */ NULL);
}

/* What the helper printed, as one short line. */
static char *helper_words(int error_fd) {
        char *text = NULL;

        if (lseek(error_fd, 0, SEEK_SET) < 0 || io_read_all(error_fd, 4096, &text, /* ret_size= */ NULL) < 0)
                return NULL;
        text[strcspn(text, "\n")] = 0;
        return text;
}

static int write_by_helpers(pid_t pid, const UserMap *map, Error *reterr) {
        static const char *const paths[] = { "/usr/bin/newuidmap", "/usr/bin/newgidmap" };
        const IdMap *const maps[] = { &map->uid, &map->gid };
        _cleanup_fd_ int words = io_memfd("newidmap", "", 0);
        pid_t helpers[ELEMENTSOF(paths)] = {};
        int code = 0;

        if (words < 0)
                return error_set_errno(reterr, words, "cannot set up the user namespace");
        for (size_t i = 0; i < ELEMENTSOF(paths) && code >= 0; i++) {
                code = spawn_helper(paths[i], pid, maps[i], words, &helpers[i]);
                if (code < 0)
                        (void) error_set_errno(reterr, code, "cannot run '%s'", paths[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                int status = helpers[i] > 0 ? process_reap(helpers[i]) : 0;

                if (status == 0 || code < 0)
                        continue;
                code = check_helper(paths[i], reterr);
                if (code >= 0) {
                        _cleanup_free_ char *said = helper_words(words);

                        code = error_set(reterr, -EPERM, ERROR_INTERNAL, "cannot set up the user namespace: %s",
                                         str_empty(said) ? "newuidmap failed" : said);
                        error_hint(reterr, "check the ranges of your user in /etc/subuid and /etc/subgid");
                }
        }
        return code;
}

static int write_map_file(int proc_fd, const char *name, const IdMap *map) {
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < map->n; i++) {
                char *longer = str_format("%s%u %u %u\n", text ?: "", map->ranges[i].container_id, map->ranges[i].host_id,
                                          map->ranges[i].size);
                if (!longer)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        return file_write_string(proc_fd, name, text);
}

int userns_write_maps_directly(pid_t pid, const UserMap *map, Error *reterr) {
        char path[32];
        int r = 0;

        (void) snprintf(path, sizeof(path), "/proc/%d", (int) pid);
        _cleanup_fd_ int proc_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (proc_fd < 0)
                return error_set_errno(reterr, -errno, "cannot set up the user namespace");
        /* without privilege a gid_map is only accepted after setgroups was given up (user_namespaces(7)) */
        if (map->single)
                r = file_write_string(proc_fd, "setgroups", "deny");
        if (r >= 0)
                r = write_map_file(proc_fd, "gid_map", &map->gid);
        if (r >= 0)
                r = write_map_file(proc_fd, "uid_map", &map->uid);
        return r < 0 ? error_set_errno(reterr, r, "cannot set up the user namespace") : 0;
}

int userns_write_maps(pid_t pid, const UserMap *map, Error *reterr) {
        if (map->host)
                return 0;
        if (map->uid.n > MAP_RANGES_MAX || map->gid.n > MAP_RANGES_MAX)
                return error_set(reterr, -E2BIG, ERROR_INVALID, "cannot set up the user namespace: more than %d ID ranges",
                                 MAP_RANGES_MAX);
        if (geteuid() != 0 && !map->single)
                return write_by_helpers(pid, map, reterr);
        return userns_write_maps_directly(pid, map, reterr);
}

static int explain_unshare(int code, Error *reterr) {
        int r = error_set_errno(reterr, code, "cannot make a user namespace");

        if (code == -EPERM)
                error_hint(reterr, "see /proc/sys/kernel/unprivileged_userns_clone, "
                                          "/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
        else if (code == -ENOSPC || code == -EUSERS)
                error_hint(reterr, "raise /proc/sys/user/max_user_namespaces");
        return r;
}

static int outer_fd = -EBADF;

void userns_set_outer(int userns_fd) {
        outer_fd = userns_fd;
}

/* Goes into the outer namespace, whose root may write the maps of those inside it, to be there for a moment. False: there is none, or none
 * that helps. */
static bool enter_outer(const UserMap *map, UserMap *ret_view) {
        _cleanup_user_map_ UserMap base = {};

        return outer_fd >= 0 && !map->single && geteuid() != 0 && user_map_default(&base, /* reterr= */ NULL) >= 0 &&
               user_map_to_view(map, &base, ret_view, /* reterr= */ NULL) >= 0 && setns(outer_fd, CLONE_NEWUSER) >= 0;
}

/* The maps must be written from outside: a helper child does it while we wait for its end. */
static int map_self(const UserMap *map, int flags, Error *reterr) {
        _cleanup_user_map_ UserMap view = {};
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot set up the user namespace");
        bool inside = enter_outer(map, &view);
        pid_t self = getpid(), writer = fork();
        if (writer == 0) {
                _cleanup_error_ Error error = ERROR_NULL;
                char byte;

                (void) fd_close(pair[0]);
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                int r = read(pair[1], &byte, 1) != 1 ? -EPIPE
                        : inside                     ? userns_write_maps_directly(self, &view, &error)
                                                     : userns_write_maps(self, map, &error);
                (void) wire_send_result(pair[1], r, &error);
                _exit(0);
        }
        (void) fd_close(pair[1]);
        _cleanup_fd_ int fd = pair[0];
        if (writer < 0)
                return error_set_errno(reterr, -errno, "cannot set up the user namespace");
        int r = unshare(CLONE_NEWUSER | flags) < 0 ? explain_unshare(-errno, reterr) : 0;
        if (r >= 0 && write(fd, "", 1) != 1)
                r = error_set_errno(reterr, -errno, "cannot set up the user namespace");
        if (r >= 0)
                r = wire_receive_result(fd, reterr);
        (void) fd_close(TAKE_FD(fd));
        (void) process_reap(writer);
        return r;
}

int userns_enter(const UserMap *map, int flags, Error *reterr) {
        int r;

        if (map->host)
                r = unshare(flags) < 0 ? error_set_errno(reterr, -errno, "cannot make namespaces") : 0;
        else
                r = map_self(map, flags, reterr);
        if (r < 0)
                return r;
        if (!map->host) {
                if (!map->single && setgroups(0, NULL) < 0)
                        return error_set_errno(reterr, -errno, "cannot drop the supplementary groups");
                if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                        return error_set_errno(reterr, -errno, "cannot become root of the user namespace");
        }
        if ((flags & CLONE_NEWNS) && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot make the mounts private");
        return 0;
}

int userns_join(int userns_fd, int flags, Error *reterr) {
        if (setns(userns_fd, CLONE_NEWUSER) < 0 || unshare(flags) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the user namespace");
        if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot become root of the user namespace");
        if ((flags & CLONE_NEWNS) && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot make the mounts private");
        return 0;
}

int userns_run(const UserMap *map, int flags, int (*function)(void *data, Error *reterr), void *data, Error *reterr) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        pid_t pid = fork();
        if (pid == 0) {
                _cleanup_error_ Error error = ERROR_NULL;

                (void) fd_close(pair[0]);
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                int r = userns_enter(map, flags, &error);
                if (r >= 0)
                        r = function(data, &error);
                (void) wire_send_result(pair[1], r, &error);
                _exit(0);
        }
        (void) fd_close(pair[1]);
        _cleanup_fd_ int fd = pair[0];
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        int r = wire_receive_result(fd, reterr);
        (void) process_reap(pid);
        return r;
}
