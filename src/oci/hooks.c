/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks (config.md, "POSIX-platform Hooks"). */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/hook.h"

enum { OUTPUT_SHOWN = 1024 };

static const char *const names[_HOOK_MAX] = {
        [HOOK_PRESTART] = "prestart",
        [HOOK_CREATE_RUNTIME] = "createRuntime",
        [HOOK_CREATE_CONTAINER] = "createContainer",
        [HOOK_START_CONTAINER] = "startContainer",
        [HOOK_POSTSTART] = "poststart",
        [HOOK_POSTSTOP] = "poststop",
};

/* The state as runtime.md has it; owned. */
static char *state_text(const OciHookState *state) {
        json_t *annotations = json_from_pairs(state->spec->annotations);
        json_t *object = json_pack("{s:s, s:s, s:s, s:i, s:s, s:o?}", "ociVersion", state->spec->oci_version ?: "1.0.0", "id", state->id,
                                   "status", state->status, "pid", (int) state->pid, "bundle", state->bundle, "annotations", annotations);
        char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

        json_decref(object);
        return text;
}

/* What the hook printed, as far as it helps to know why it failed. */
static int explain(RuntimeHookKind kind, size_t i, const RuntimeHook *hook, int output_fd, int code, const char *what, Error *reterr) {
        char text[OUTPUT_SHOWN + 1];
        ssize_t n = pread(output_fd, text, OUTPUT_SHOWN, 0);

        text[MAX(n, 0)] = 0;
        text[strcspn(text, "\n")] = 0;
        /* the beginning is what engines and their users look for */
        return error_set(reterr, code, ERROR_INTERNAL, "error running %s hook #%zu: %s: %s%s%s", names[kind], i, hook->path, what,
                         *text ? ": " : "", text);
}

static int wait_for(const RuntimeHook *hook, int pidfd) {
        uint64_t timeout = hook->has_timeout && hook->timeout > 0 ? (uint64_t) hook->timeout * 1000000U : UINT64_MAX;
        int r = process_wait_end(pidfd, timeout);

        if (r < 0)
                (void) process_signal(pidfd, SIGKILL);
        return r;
}

/* How it ended, where that was no success. */
static bool describe_end(pid_t pid, char what[static 64]) {
        int status;

        if (RETRY_EINTR(waitpid(pid, &status, 0)) < 0)
                (void) snprintf(what, 64, "%s", strerror(errno));
        else if (WIFSIGNALED(status)) {
                const char *name = sigdescr_np(WTERMSIG(status));

                (void) snprintf(what, 64, "signal: %s", name ?: "unknown");
                what[strlen("signal: ")] = (char) tolower((unsigned char) what[strlen("signal: ")]);
        } else if (WEXITSTATUS(status) == 0)
                return false;
        else
                (void) snprintf(what, 64, "exit status %d", WEXITSTATUS(status));
        return true;
}

static int run(RuntimeHookKind kind, size_t i, const RuntimeHook *hook, const OciHookState *about, const char *state, Error *reterr) {
        static char *const no_env[] = { NULL };
        char *const own_args[] = { hook->path, NULL };
        char *const *env = hook->env ?: hook->has_env ? no_env : about->env ?: environ;
        _cleanup_fd_ int input = io_memfd("state", state, strlen(state)), output = io_memfd("output", "", 0), pidfd = -EBADF;
        const int fds[] = { input, output, output };
        char what[64];
        pid_t pid;

        if (input < 0 || output < 0)
                return error_set_errno(reterr, input < 0 ? input : output, "cannot run the hook '%s'", hook->path);
        int r = process_spawn(hook->path, hook->args ?: own_args, env, fds, ELEMENTSOF(fds), &pid, &pidfd);
        if (r < 0)
                return explain(kind, i, hook, output, r, strerror(-r), reterr);
        int waited = wait_for(hook, pidfd);
        bool failed = describe_end(pid, what);
        if (waited < 0)
                return explain(kind, i, hook, output, -ETIMEDOUT, "it took longer than its timeout", reterr);
        return failed ? explain(kind, i, hook, output, -EIO, what, reterr) : 0;
}

int oci_hooks_run_here(RuntimeHookKind kind, const OciHookState *state, bool go_on, Error *reterr) {
        const RuntimeHookList *hooks = &state->spec->hooks[kind];
        _cleanup_error_ Error first = ERROR_NULL;
        int code = 0;

        if (hooks->n == 0)
                return 0;
        _cleanup_free_ char *text = state_text(state);
        if (!text)
                return error_oom(reterr);
        for (size_t i = 0; i < hooks->n && (go_on || code >= 0); i++) {
                int r = run(kind, i, &hooks->items[i], state, text, code < 0 ? NULL : &first);

                code = code < 0 ? code : r;
        }
        return code < 0 ? error_move(reterr, &first) : 0;
}

int oci_hooks_run(RuntimeHookKind kind, const OciHookState *state, bool go_on, Error *reterr) {
        if (state->spec->hooks[kind].n == 0)
                return 0;
        _cleanup_fd_ int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        (void) !chdir(state->bundle); /* one that is gone is no reason to leave a hook out */
        int r = oci_hooks_run_here(kind, state, go_on, reterr);
        if (back >= 0)
                (void) !fchdir(back);
        return r;
}
