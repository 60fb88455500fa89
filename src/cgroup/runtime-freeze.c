/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping, ending and removing what is in the cgroup of a container. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"
#include "cgroup/runtime-cgroup.h"
#include "cgroup/runtime-tree.h"
#include "cgroup/runtime-limits.h"
#include "cgroup/runtime-systemd.h"

enum {
        FREEZE_TRIES = 500,       /* of FREEZE_PAUSE_MSEC each: a process in uninterruptible sleep is waited for so long */
        FREEZE_PAUSE_MSEC = 10,
        KILL_ROUNDS = 100,
        KILL_WAIT_USEC = 2000000, /* for one process that is killed */
        REMOVE_TRIES = 200,
        EMPTY_WAIT_MSEC = 5000,
};

/* ---- freezing ---- */

static bool has_word(int fd, const char *file, const char *word) {
        char text[1024];

        return cgroup_read_text(fd, file, text, sizeof(text)) >= 0 && strstr(text, word);
}

static bool freezer_has(const CgroupTree *tree, const char *state) {
        const CgroupHierarchy *h = cgroup_tree_v1(tree, "freezer");

        return h && h->fd >= 0 && has_word(h->fd, "freezer.state", state);
}

bool cgroup_tree_is_frozen(const CgroupTree *tree) {
        const CgroupHierarchy *h = cgroup_tree_unified(tree);

        return freezer_has(tree, "FROZEN") || freezer_has(tree, "FREEZING") || (h && h->fd >= 0 && has_word(h->fd, "cgroup.events", "frozen 1"));
}

static void pause_msec(int msec) {
        (void) poll(NULL, 0, msec);
}

/* The freezer of v1 tells nobody when it is done: it is asked again, and told again, as a process that was forked meanwhile
 * can keep it in between (freezer-subsystem.rst). */
static int freeze_v1(int fd, bool freeze, Error *reterr) {
        for (unsigned i = 0; i < FREEZE_TRIES; i++) {
                int r = file_write_string(fd, "freezer.state", freeze ? "FROZEN" : "THAWED");

                if (r < 0 && r != -EBUSY)
                        return error_set_errno(reterr, r, freeze ? "cannot freeze its cgroup" : "cannot thaw its cgroup");
                if (r >= 0 && has_word(fd, "freezer.state", freeze ? "FROZEN" : "THAWED"))
                        return 0;
                pause_msec(i < 5 ? 0 : FREEZE_PAUSE_MSEC);
        }
        if (freeze)
                (void) file_write_string(fd, "freezer.state", "THAWED");
        return error_set(reterr, -ETIMEDOUT, ERROR_INTERNAL, "a process does not let itself be %s", freeze ? "frozen" : "thawed");
}

/* By the unified hierarchy where there is one: who is frozen there can be killed. What another one froze by the other way is
 * thawed, too. */
static int tree_freeze(const CgroupTree *tree, bool freeze, Error *reterr) {
        const CgroupHierarchy *unified = cgroup_tree_unified(tree), *freezer = cgroup_tree_v1(tree, "freezer");
        bool in_unified = unified && unified->fd >= 0, in_freezer = freezer && freezer->fd >= 0;
        int r = 0;

        if (!in_unified && !in_freezer)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot %s the container: it has no cgroup of its own",
                                 freeze ? "pause" : "resume");
        if (in_unified)
                r = cgroup_freeze(unified->fd, freeze, reterr);
        if (r >= 0 && in_freezer && (!in_unified || !freeze))
                r = freeze_v1(freezer->fd, freeze, reterr);
        return r;
}

int runtime_cgroup_freeze(const RuntimeCgroup *cgroup, bool freeze, Error *reterr) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        int r = cgroup->path ? cgroup_tree_open_some(cgroup->path, "freezer", &tree, reterr) : 0;

        return r < 0 ? r : tree_freeze(&tree, freeze, reterr);
}

bool runtime_cgroup_is_frozen(const RuntimeCgroup *cgroup) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;

        return cgroup->path && cgroup_tree_open_some(cgroup->path, "freezer", &tree, /* reterr= */ NULL) >= 0 && cgroup_tree_is_frozen(&tree);
}

/* ---- its processes ---- */

int runtime_cgroup_pids(const RuntimeCgroup *cgroup, pid_t **ret, size_t *ret_n, Error *reterr) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        int r = cgroup->path ? cgroup_tree_open_some(cgroup->path, "freezer", &tree, reterr) : 0;
        const CgroupHierarchy *h = r < 0 ? NULL : cgroup_tree_main(&tree);

        *ret = NULL;
        *ret_n = 0;
        if (!h)
                return MIN(r, 0);
        r = cgroup_pids(h->fd, ret, ret_n);
        return r < 0 ? error_set_errno(reterr, r, "cannot read the processes of '%s%s'", h->mount, cgroup->path) : 0;
}

/* Signals all that are there now. Returns how many there were; with `wait` it is waited for their end, too. */
static int signal_all(int fd, int signal, bool wait) {
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;
        int r = cgroup_pids(fd, &pids, &n);

        for (size_t i = 0; i < n && r >= 0; i++)
                if (pids[i] <= 0 || (kill(pids[i], signal) < 0 && errno == EPERM)) /* 0: of another PID namespace */
                        r = -EPERM;
        for (size_t i = 0; wait && i < n && r >= 0; i++) {
                _cleanup_fd_ int pidfd = pidfd_open(pids[i], 0);

                if (pidfd >= 0)
                        (void) process_wait_end(pidfd, KILL_WAIT_USEC);
        }
        return r < 0 ? r : (int) MIN(n, (size_t) 1 << 30);
}

/* What is forked while the list is read is in the next one. */
static int kill_v1(int fd, const CgroupTree *tree) {
        const CgroupHierarchy *freezer = cgroup_tree_v1(tree, "freezer");
        bool freezes = freezer && freezer->fd >= 0;
        int r = 0, found = 0;

        for (unsigned i = 0; i < KILL_ROUNDS; i++) {
                if (freezes)
                        (void) freeze_v1(freezer->fd, /* freeze= */ true, /* reterr= */ NULL);
                r = signal_all(fd, SIGKILL, /* wait= */ false);
                if (freezes) /* who is frozen does not even end */
                        (void) file_write_string(freezer->fd, "freezer.state", "THAWED");
                if (r <= 0)
                        break;
                found = 1;
                r = signal_all(fd, SIGKILL, /* wait= */ true);
        }
        return r < 0 ? r : r > 0 ? -EBUSY : found;
}

/* 1: there was something to kill. */
static int tree_kill(const CgroupTree *tree) {
        const CgroupHierarchy *unified = cgroup_tree_unified(tree), *h = cgroup_tree_main(tree), *freezer = cgroup_tree_v1(tree, "freezer");

        if (!h)
                return 0;
        if (h != unified)
                return kill_v1(h->fd, tree);
        int found = has_word(h->fd, "cgroup.events", "populated 1");
        int r = file_write_string(h->fd, "cgroup.kill", "1"); /* Linux 5.14 */
        if (freezer && freezer->fd >= 0 && !has_word(freezer->fd, "freezer.state", "THAWED"))
                (void) file_write_string(freezer->fd, "freezer.state", "THAWED");
        return r < 0 ? kill_v1(h->fd, tree) : found;
}

int runtime_cgroup_kill(const RuntimeCgroup *cgroup, int signal, Error *reterr) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;

        if (cgroup->path && !cgroup->path[1]) /* "/" holds all of the machine: the container has none of its own */
                return -ENOENT;
        int r = cgroup->path ? cgroup_tree_open_some(cgroup->path, "freezer", &tree, reterr) : 0;
        const CgroupHierarchy *h = r < 0 ? NULL : cgroup_tree_main(&tree);

        if (r < 0 || !h)
                return r < 0 ? r : -ENOENT;
        if (signal == SIGKILL)
                r = tree_kill(&tree);
        else {
                /* nothing is forked past a signal while all stand still */
                bool freezes = !cgroup_tree_is_frozen(&tree) && tree_freeze(&tree, /* freeze= */ true, /* reterr= */ NULL) >= 0;

                r = signal_all(h->fd, signal, /* wait= */ false);
                if (freezes)
                        (void) tree_freeze(&tree, /* freeze= */ false, /* reterr= */ NULL);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot signal the processes of '%s%s'", h->mount, cgroup->path);
        return r == 0 ? -ENOENT : 0;
}

/* ---- removing ---- */

/* Who was killed may need a moment to go, and what ended is no process of a v1 cgroup only when its parent saw it. */
static int remove_in(const CgroupHierarchy *h, const CgroupTree *tree, const char *path) {
        for (unsigned i = 0; i < REMOVE_TRIES; i++) {
                if (unlinkat(h->root, path + 1, AT_REMOVEDIR) >= 0 || errno == ENOENT)
                        return 0;
                int r = errno == EBUSY ? cgroup_remove_children(h->fd) : -errno;
                if (r < 0 && r != -EBUSY)
                        return r == -ENODEV || r == -ENOENT ? 0 : r;
                if (i % 10 == 5)
                        (void) (h->unified ? file_write_string(h->fd, "cgroup.kill", "1") : kill_v1(h->fd, tree));
                pause_msec(i < 5 ? 0 : FREEZE_PAUSE_MSEC);
        }
        return -EBUSY;
}

/* Waits for the end of what was killed. */
static void wait_empty(const CgroupTree *tree) {
        const CgroupHierarchy *h = cgroup_tree_unified(tree);
        _cleanup_fd_ int events = h && h->fd >= 0 ? openat(h->fd, "cgroup.events", O_RDONLY | O_CLOEXEC) : -EBADF;
        struct pollfd poll_fd = { .fd = events, .events = POLLPRI };
        char text[256];

        while (events >= 0 && pread(events, text, sizeof(text), 0) > 0 && has_word(h->fd, "cgroup.events", "populated 1"))
                if (poll(&poll_fd, 1, EMPTY_WAIT_MSEC) <= 0)
                        break;
}

int runtime_cgroup_remove(const RuntimeCgroup *cgroup, Error *reterr) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        int r = cgroup->path && cgroup->path[1] && !cgroup->is_foreign ? cgroup_tree_open(cgroup->path, &tree, reterr) : 0;

        if (r >= 0 && cgroup->is_made && tree_kill(&tree) > 0)
                wait_empty(&tree);
        if (r >= 0 && cgroup->is_made && cgroup->systemd && cgroup_tree_main(&tree))
                runtime_systemd_stop(cgroup);
        for (size_t i = 0; i < tree.n && r >= 0; i++) {
                const CgroupHierarchy *h = tree.items + i;

                if (h->fd < 0)
                        continue;
                if (!cgroup->is_made) {
                        (void) unlinkat(h->root, cgroup->path + 1, AT_REMOVEDIR);
                        continue;
                }
                r = remove_in(h, &tree, cgroup->path);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot remove the cgroup '%s%s'", h->mount, cgroup->path);
        }
        return MIN(r, 0);
}
