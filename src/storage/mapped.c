/* SPDX-License-Identifier: Apache-2.0 */
/* Work on files that belong to the user's subordinate IDs. */
#include "storage/mapped.h"

#include <fcntl.h>
#include <fts.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "ns/userns.h"

typedef struct Removal {
        int dir_fd;
        const char *name;
} Removal;

static int remove_inside(void *data, Error *reterr) {
        const Removal *removal = data;
        int r = path_remove_tree(removal->dir_fd, removal->name);

        return r < 0 ? error_set_errno(reterr, r, "cannot remove '%s'", removal->name) : 0;
}

int mapped_remove_tree(int dir_fd, const char *name, Error *reterr) {
        _cleanup_user_map_ UserMap map = {};
        Removal removal = { dir_fd, name };
        int r = path_remove_tree(dir_fd, name);

        if (r >= 0)
                return 0;
        if ((r != -EACCES && r != -EPERM) || geteuid() == 0)
                return error_set_errno(reterr, r, "cannot remove '%s'", name);
        r = user_map_default(&map, reterr);
        return r < 0 ? r : userns_run(&map, 0, remove_inside, &removal, reterr);
}

/* What is gone meanwhile, or was never there, counts nothing. */
static int measure(const char *path, int fts_options, uint64_t *ret) {
        char *const paths[] = { (char *) path, NULL };
        FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | fts_options, NULL);
        int r = 0;

        if (!walk)
                return -errno;
        *ret = 0;
        for (FTSENT *e; r >= 0 && (e = fts_read(walk));)
                if (e->fts_info == FTS_F && S_ISREG(e->fts_statp->st_mode))
                        *ret += (uint64_t) e->fts_statp->st_size;
                else if ((e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS) && e->fts_errno != ENOENT)
                        r = -e->fts_errno;
        fts_close(walk);
        return r;
}

typedef struct Measure {
        int dir_fd;
        const char *name;
        uint64_t *size; /* shared with the child that counts */
} Measure;

static int measure_inside(void *data, Error *reterr) {
        const Measure *m = data;

        if (fchdir(m->dir_fd) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the directory of '%s'", m->name);
        int r = measure(m->name, /* fts_options= */ 0, m->size);
        return r < 0 ? error_set_errno(reterr, r, "cannot read '%s'", m->name) : 0;
}

int mapped_measure_tree(int dir_fd, const char *name, uint64_t *ret, Error *reterr) {
        _cleanup_user_map_ UserMap map = {};
        _cleanup_free_ char *path = str_format("/proc/self/fd/%d/%s", dir_fd, name);
        Measure m = { .dir_fd = dir_fd, .name = name };

        if (!path)
                return error_oom(reterr);
        /* as ourselves: most containers have written nothing that we cannot read, and to enter the user's namespace takes a
         * millisecond */
        if (measure(path, FTS_NOCHDIR, ret) >= 0)
                return 0;
        int r = user_map_default(&map, reterr);
        if (r < 0)
                return r;
        m.size = mmap(NULL, sizeof(*m.size), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (m.size == MAP_FAILED)
                return error_oom(reterr);
        r = userns_run(&map, /* flags= */ 0, measure_inside, &m, reterr);
        if (r >= 0)
                *ret = *m.size;
        (void) munmap(m.size, sizeof(*m.size));
        return r;
}

typedef struct Ownership {
        const char *path;
        uid_t uid;
        gid_t gid;
} Ownership;

static int change_owner_inside(void *data, Error *reterr) {
        const Ownership *o = data;

        return lchown(o->path, o->uid, o->gid) < 0 ? error_set_errno(reterr, -errno, "cannot change the owner of '%s'", o->path) : 0;
}

int mapped_change_owner(const UserMap *base, const char *path, uid_t uid, gid_t gid, Error *reterr) {
        Ownership ownership = { path, uid, gid };

        return userns_run(base, 0, change_owner_inside, &ownership, reterr);
}

static int make_and_send(int socket, int (*make)(void *data, size_t i, Error *reterr), void *data, size_t n, Error *reterr) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_fd_ int fd = make(data, i, reterr);

                if (fd < 0)
                        return fd;
                int r = wire_send_result_fd(socket, 0, /* error= */ NULL, fd);
                if (r < 0)
                        return r;
        }
        return 0;
}

int mapped_make_trees(const UserMap *base, int (*make)(void *data, size_t i, Error *reterr), void *data, size_t n, int *fds,
                      Error *reterr) {
        int pair[2], r = 0;

        for (size_t i = 0; i < n; i++)
                fds[i] = -EBADF;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        pid_t pid = fork();
        if (pid == 0) {
                _cleanup_error_ Error error = ERROR_NULL;

                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                r = userns_enter(base, CLONE_NEWNS, &error);
                if (r >= 0)
                        r = make_and_send(pair[1], make, data, n, &error);
                if (r < 0)
                        (void) wire_send_result(pair[1], r, &error);
                _exit(0);
        }
        (void) fd_close(pair[1]);
        _cleanup_fd_ int fd = pair[0];
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        for (size_t i = 0; i < n && r >= 0; i++)
                r = wire_receive_result_fd(fd, &fds[i], reterr);
        (void) process_reap(pid);
        return r;
}
