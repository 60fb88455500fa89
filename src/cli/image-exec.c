/* SPDX-License-Identifier: Apache-2.0 */
/* Handing over to sdpod-image. */
#include "cli/image-exec.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "config.h"
#include "engine/shared-userns.h"

int image_exec_add(char ***words, const char *option, const char *value) {
        return value ? strv_consume(words, str_format("--%s=%s", option, value)) : 0;
}

enum { CAPTURE_LIMIT = 64 * 1024 * 1024 };

static const char program[] = SDPOD_LIBEXECDIR "/sdpod-image";

/* What works on the files of layers and containers makes user namespaces: inside the one that the monitor keeps, they take no newuidmap. The
 * number of its descriptor, which stays open for the program, is in the environment. It only saves time. */
static int offer_userns(char **words) {
        static const char *const commands[] = { "check", "commit", "diff",  "export", "import",        "load",
                                                "pull",  "push",   "save", "cp",     "volume-export", "volume-import" };
        char number[16];
        bool of_files = false;

        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                of_files |= words && str_equal(words[0], commands[i]);
        _cleanup_fd_ int fd = of_files ? shared_userns_open_default() : -EBADF;
        int kept = fd < 0 ? -EBADF : fcntl(fd, F_DUPFD, 3);
        if (kept < 0)
                return kept;
        (void) snprintf(number, sizeof(number), "%d", kept);
        (void) setenv("SDPOD_USERNS_FD", number, /* overwrite= */ true);
        return kept;
}

static void withdraw_userns(int kept) {
        (void) unsetenv("SDPOD_USERNS_FD");
        (void) fd_close(kept);
}

static int make_argv(const Invocation *in, char **words, char ***ret) {
        const struct {
                const char *option, *value;
        } globals[] = {
                { "--root", in->global.root },
                { "--runroot", in->global.runroot },
                { "--log-level", log_get_level() >= LOG_LEVEL_DEBUG ? "debug" : log_get_level() >= LOG_LEVEL_INFO ? "info" : NULL },
        };

        if (strv_append(ret, program) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(globals); i++)
                if (globals[i].value && (strv_append(ret, globals[i].option) < 0 || strv_append(ret, globals[i].value) < 0))
                        return -ENOMEM;
        return strv_extend(ret, words);
}

int image_exec(const Invocation *in, char **words, Error *reterr) {
        _cleanup_strv_ char **argv = NULL;

        if (make_argv(in, words, &argv) < 0)
                return error_oom(reterr);
        (void) offer_userns(words);
        (void) fflush(NULL);
        (void) execv(program, argv);
        return error_set_errno(reterr, -errno, "cannot run '%s'", program);
}

int image_run(const Invocation *in, char **words, Error *reterr) {
        static const int stdio[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
        _cleanup_strv_ char **argv = NULL;
        pid_t pid;

        if (make_argv(in, words, &argv) < 0)
                return error_oom(reterr);
        (void) fflush(NULL);
        int userns = offer_userns(words);
        int r = process_spawn(program, argv, /* envp= */ NULL, stdio, ELEMENTSOF(stdio), &pid, /* ret_pidfd= */ NULL);
        withdraw_userns(userns);
        if (r >= 0)
                r = process_reap(pid);
        return r < 0 ? error_set_errno(reterr, r, "cannot run '%s'", program) : r;
}

int image_capture(const Invocation *in, char **words, char **ret, Error *reterr) {
        _cleanup_strv_ char **argv = NULL;
        _cleanup_free_ char *text = NULL;
        int pair[2];
        pid_t pid;

        if (make_argv(in, words, &argv) < 0)
                return error_oom(reterr);
        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot run '%s'", program);
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        const int fds[] = { STDIN_FILENO, theirs, STDERR_FILENO };
        (void) fflush(NULL);
        int r = process_spawn(program, argv, /* envp= */ NULL, fds, ELEMENTSOF(fds), &pid, /* ret_pidfd= */ NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run '%s'", program);
        theirs = fd_close(theirs);
        r = io_read_all(ours, CAPTURE_LIMIT, &text, NULL);
        ours = fd_close(ours); /* what is too much ends it */
        int status = process_reap(pid);
        if (status == 0 && r < 0)
                return error_set_errno(reterr, r, "cannot hear from '%s'", program);
        *ret = TAKE_PTR(text);
        return status;
}

/* The answer is the ID, if there is one, and the result. */
static int receive_answer(int socket, char ret_id[65], Error *reterr) {
        char line[66];

        *ret_id = 0;
        ssize_t n = RETRY_EINTR(recv(socket, line, sizeof(line), MSG_PEEK | MSG_TRUNC));
        if (n == 65) {
                (void) recv(socket, line, sizeof(line), 0);
                (void) snprintf(ret_id, 65, "%.64s", line);
        }
        int r = wire_receive_result(socket, reterr);
        if (r >= 0 && strspn(ret_id, "0123456789abcdef") != 64)
                r = error_set(reterr, -EPIPE, ERROR_INTERNAL, "cannot pull: '%s' gave no image", program);
        return r;
}

int image_spawn_pull(const Invocation *in, char **words, char ret_id[65], Error *reterr) {
        _cleanup_strv_ char **argv = NULL;
        int pair[2];
        pid_t pid;

        if (make_argv(in, words, &argv) < 0)
                return error_oom(reterr);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot run '%s'", program);
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        const int fds[] = { -EBADF, theirs, STDERR_FILENO };
        (void) fflush(NULL);
        int userns = offer_userns(words);
        int r = process_spawn(program, argv, environ, fds, ELEMENTSOF(fds), &pid, /* ret_pidfd= */ NULL);
        withdraw_userns(userns);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run '%s'", program);
        theirs = fd_close(theirs);
        r = receive_answer(ours, ret_id, reterr);
        (void) process_reap(pid);
        return r;
}
