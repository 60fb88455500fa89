/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a container's process. */
#include "oci/environment.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "proc/user.h"

static int add_home(const RuntimeUser *user, char ***env, Error *reterr) {
        _cleanup_fd_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *words = str_format("%u:%u", user->uid, user->gid);
        _cleanup_container_user_ ContainerUser found = CONTAINER_USER_NULL;

        if (!words)
                return error_oom(reterr);
        const char *home = root >= 0 && user_resolve(root, words, /* group_add= */ NULL, &found, /* reterr= */ NULL) >= 0 ? found.home : NULL;
        return strv_consume(env, str_format("HOME=%s", home ?: "/")) < 0 ? error_oom(reterr) : 0;
}

/* Of a variable that is there twice the last one holds, in the place of the first. */
static int copy_once(char *const *from, char ***env) {
        for (char *const *e = from; e && *e; e++) {
                int r = strchr(*e, '=') ? strv_env_set(env, *e) : strv_append(env, *e);

                if (r < 0)
                        return r;
        }
        return 0;
}

int oci_environment(const RuntimeProcess *process, int n_listen, char ***ret, Error *reterr) {
        _cleanup_strv_ char **env = calloc(1, sizeof(*env));

        if (!env || copy_once(process->env, &env) < 0)
                return error_oom(reterr);
        if (n_listen > 0) {
                const char *names = getenv("LISTEN_FDNAMES");

                if (strv_consume(&env, str_format("LISTEN_FDS=%d", n_listen)) < 0 || strv_append(&env, "LISTEN_PID=1") < 0 ||
                    (names && strv_consume(&env, str_format("LISTEN_FDNAMES=%s", names)) < 0))
                        return error_oom(reterr);
        }
        /* an empty one is none, and must not stay beside the one that is found */
        if (str_empty(strv_env_get(env, "HOME")))
                strv_env_unset(env, "HOME");
        int r = strv_env_get(env, "HOME") ? 0 : add_home(&process->user, &env, reterr);
        if (r >= 0)
                *ret = TAKE_PTR(env);
        return r;
}
