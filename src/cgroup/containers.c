/* SPDX-License-Identifier: Apache-2.0 */
/* Cgroups for containers to be born in. */
#include "cgroup/containers.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"

#define HOLDER_NAME "holder"

/* Where the manager's units are: the names are fixed by logind and the user manager. */
static char *manager_path(void) {
        uid_t uid = geteuid();

        return uid == 0 ? strdup("") : str_format("/user.slice/user-%u.slice/user@%u.service", uid, uid);
}

static char *unit_path(void) {
        _cleanup_free_ char *manager = manager_path();

        return manager ? str_format("%s/%s/" CONTAINERS_UNIT, manager, geteuid() == 0 ? "system.slice" : "app.slice") : NULL;
}

bool containers_cgroup_reachable(void) {
        _cleanup_free_ char *own = NULL, *manager = manager_path();
        const char *below;

        if (geteuid() == 0)
                return true;
        below = manager && process_cgroup(0, &own) >= 0 ? str_after(own, manager) : NULL;
        return below && *below == '/';
}

bool containers_cgroup_is(const char *cgroup, const char *id) {
        _cleanup_free_ char *unit = unit_path(), *expected = unit ? str_format("%s/%s", unit, id) : NULL;

        return expected && str_equal(cgroup, expected);
}

static int open_unit(void) {
        _cleanup_free_ char *path = unit_path();

        return path ? cgroup_open(path, /* reterr= */ NULL) : -ENOMEM;
}

int containers_cgroup_hold(Error *reterr) {
        _cleanup_free_ char *path = NULL;
        int r = process_cgroup(0, &path);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot find the unit's cgroup");
        _cleanup_fd_ int unit = cgroup_open(path, reterr);
        _cleanup_fd_ int holder = unit < 0 ? unit : cgroup_make(unit, HOLDER_NAME, reterr);
        if (holder < 0)
                return holder;
        r = cgroup_attach(holder, getpid());
        if (r >= 0)
                r = cgroup_enable_controllers(unit);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot hand the unit's controllers down");
        pid_t pid = fork();
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot make a process");
        if (pid == 0)
                for (;;)
                        (void) pause();
        return 0;
}

static int set_limits(int cgroup_fd, const LimitSettings *limits) {
        _cleanup_strv_ char **controllers = NULL;
        LimitSettings settings = *limits;
        int r = cgroup_controllers(cgroup_fd, &controllers);

        if (r >= 0)
                r = limits_check(&settings, controllers, /* reterr= */ NULL);
        return r < 0 ? r : limits_write(&settings, cgroup_fd, /* reterr= */ NULL);
}

int containers_cgroup_make(const char *id, const LimitSettings *limits, bool held) {
        _cleanup_fd_ int unit = open_unit();

        if (unit < 0)
                return unit;
        if (held && !cgroup_is_populated(unit, HOLDER_NAME))
                return -ENOENT;
        if (mkdirat(unit, id, 0755) < 0) {
                int r = errno == EEXIST ? cgroup_remove(unit, id) : -errno;

                if (r < 0 || mkdirat(unit, id, 0755) < 0)
                        return r < 0 ? r : -errno;
        }
        _cleanup_fd_ int fd = cgroup_make(unit, id, /* reterr= */ NULL);
        int r = fd < 0 ? fd : set_limits(fd, limits);
        if (r < 0) {
                (void) cgroup_remove(unit, id);
                return r;
        }
        return TAKE_FD(fd);
}

int containers_cgroup_remove(const char *id) {
        _cleanup_fd_ int unit = open_unit();

        if (unit < 0)
                return unit == -ENOENT ? 1 : unit;
        return cgroup_remove(unit, id);
}
