/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines by which sdpod calls itself. */
#include "engine/internal-command.h"

#include <unistd.h>

#include "base/process.h"
#include "base/str.h"
#include "engine/seal.h"

int internal_command(const Store *store, const char *storage_driver, const char *verb, const char *id, char ***ret) {
        _cleanup_strv_ char **argv = NULL;
        const char *const words[] = {
                "--root", store->data_path, "--runroot", store->runtime_path, verb, id,
        };
        int r = strv_consume(&argv, seal_program_path());

        if (r >= 0 && storage_driver)
                r = strv_consume(&argv, str_format("--storage-driver=%s", storage_driver));
        for (size_t i = 0; i < ELEMENTSOF(words) && r >= 0; i++)
                r = strv_append(&argv, words[i]);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(argv);
        return 0;
}

/* The process in between ends at once. */
int internal_spawn_orphan(char *const *argv, const int *fds, size_t n_fds) {
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(process_spawn(argv[0], argv, /* envp= */ NULL, fds, n_fds, /* ret_pid= */ NULL, /* ret_pidfd= */ NULL) < 0);
        return process_reap(pid) == 0 ? 0 : -ECHILD;
}
