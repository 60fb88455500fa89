/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of a unit. */
#include "engine/credentials.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/container.h"

enum { CREDENTIALS_SIZE_LIMIT = 1024 * 1024, /* of all of a unit's, by systemd */ SECRET_MODE = 0444 /* as that of other secrets */ };

/* systemd says whom it has executed (systemd.exec(5), $SYSTEMD_EXEC_PID). */
static bool is_main_process(void) {
        uint32_t pid;

        return parse_u32(getenv("SYSTEMD_EXEC_PID") ?: "", &pid) >= 0 && pid == (uint32_t) getpid();
}

static int add(int dir_fd, const char *name, ProcPlan *plan, Error *reterr) {
        SecretPlan *file = container_array_add((void **) &plan->secrets, &plan->n_secrets, sizeof(*file));

        if (!file)
                return error_oom(reterr);
        *file = (SecretPlan){ .target = strdup(name), .mode = SECRET_MODE };
        if (!file->target)
                return error_oom(reterr);
        _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        int r = fd < 0 ? -errno : secret_memory_read(fd, CREDENTIALS_SIZE_LIMIT, &file->content);
        return r < 0 ? error_set_errno(reterr, r, "cannot read the unit's credential '%s'", name) : 0;
}

int credentials_plan(ProcPlan *plan, Error *reterr) {
        const char *path = getenv("CREDENTIALS_DIRECTORY");
        int r = 0;

        if (!path || !is_main_process())
                return 0;
        DIR *dir = opendir(path);
        if (!dir)
                return error_set_errno(reterr, -errno, "cannot read the unit's credentials in '%s'", path);
        for (struct dirent *e; r >= 0 && (e = readdir(dir));)
                if (*e->d_name != '.')
                        r = add(dirfd(dir), e->d_name, plan, reterr);
        (void) closedir(dir);
        return r;
}
