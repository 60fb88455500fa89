/* SPDX-License-Identifier: Apache-2.0 */
/* `sdpod unshare`: entering the user's own user namespace. */
#include "engine/unshare.h"

#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "engine/shared-userns.h"
#include "ns/userns.h"

/* The namespace around the containers: from inside it those that run can be entered, too. */
static int join(int userns_fd, Error *reterr) {
        if (setns(userns_fd, CLONE_NEWUSER) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the user namespace");
        if (setgroups(0, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot drop the supplementary groups");
        if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot become root of the user namespace");
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot make a mount namespace");
        return 0;
}

static int set_environment(const Store *store, Error *reterr) {
        const struct {
                const char *name, *value;
        } variables[] = {
                { STORE_SESSION_DATA, store->data_path },
                { STORE_SESSION_RUNTIME, store->runtime_path },
                { "CONTAINERS_GRAPHROOT", store->data_path },
                { "CONTAINERS_RUNROOT", store->runtime_path },
        };

        for (size_t i = 0; i < ELEMENTSOF(variables); i++)
                if (setenv(variables[i].name, variables[i].value, /* overwrite= */ 1) < 0)
                        return error_oom(reterr);
        return 0;
}

int engine_unshare(const Store *store, Error *reterr) {
        _cleanup_fd_ int directory = -EBADF, userns = -EBADF;
        _cleanup_free_ char *path = NULL;
        _cleanup_user_map_ UserMap map = {};

        if (store_session_path(STORE_SESSION_DATA))
                return 0;
        if (geteuid() == 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "please use unshare with rootless");
        directory = store_open_runtime(store, MOUNTS_DIRECTORY, reterr);
        if (directory < 0)
                return directory;
        int r = user_map_default(&map, reterr);
        if (r < 0)
                return r;
        user_map_warn_single(&map, store->runtime_fd);
        userns = shared_userns_open(&map);
        r = userns >= 0 ? join(userns, reterr) : userns_enter(&map, CLONE_NEWNS, reterr);
        if (r < 0)
                return r;
        path = str_format("%s/" MOUNTS_DIRECTORY, store->runtime_path);
        if (!path)
                return error_oom(reterr);
        if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700,size=1m") < 0)
                return error_set_errno(reterr, -errno, "cannot mount '%s'", path);
        return set_environment(store, reterr);
}
