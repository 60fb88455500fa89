/* SPDX-License-Identifier: Apache-2.0 */
/* Credential helpers: `docker-credential-NAME get|store|erase`, with one word or one JSON object on the standard input and one
 * object on the standard output (docker-credential-helpers). A helper is a program that the user has installed and named; its
 * output is still bounded, and so is its time. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fcntl.h>

#include "base/io.h"
#include "base/json.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "registry/auth.h"

enum {
        HELPER_OUTPUT_LIMIT = 64 * 1024,
        HELPER_TIMEOUT_MSEC = 30 * 1000,
        HELPER_NAME_LIMIT = 64,
};

bool auth_helper_name_is_valid(const char *name) {
        size_t n = strlen(name);

        return n > 0 && n <= HELPER_NAME_LIMIT && *name != '.' && *name != '-' &&
               strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

/* The program in $PATH: absolute directories of it only, so that the current one is never meant. Owned. */
static int find_program(const char *name, char **ret, Error *reterr) {
        _cleanup_strv_ char **dirs = strv_split(getenv("PATH") ?: "/usr/local/bin:/usr/bin:/bin", ":");

        if (!auth_helper_name_is_valid(name))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the credential helper '%.80s': that is no name of one", name);
        if (!dirs)
                return error_oom(reterr);
        for (char **dir = dirs; *dir; dir++) {
                _cleanup_free_ char *path = **dir == '/' ? str_format("%s/docker-credential-%s", *dir, name) : NULL;

                if (path && access(path, X_OK) == 0) {
                        *ret = TAKE_PTR(path);
                        return 0;
                }
        }
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot use the credential helper '%s': there is no docker-credential-%s in $PATH", name,
                         name);
}

/* All that comes before the time is over; -ETIMEDOUT, -EFBIG. */
static int read_until_end(int fd, int64_t deadline, char **ret) {
        _cleanup_free_ char *text = malloc(HELPER_OUTPUT_LIMIT + 1);
        size_t n = 0;

        if (!text)
                return -ENOMEM;
        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                int64_t left = deadline - time_monotonic_usec() / 1000;
                ssize_t k;

                if (left <= 0 || poll(&p, 1, (int) left) == 0)
                        return -ETIMEDOUT;
                k = RETRY_EINTR(read(fd, text + n, HELPER_OUTPUT_LIMIT - n + 1));
                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += (size_t) k;
                if (n > HELPER_OUTPUT_LIMIT)
                        return -EFBIG;
        }
        text[n] = 0;
        *ret = TAKE_PTR(text);
        return 0;
}

/* Runs it. The input is smaller than a pipe takes without a reader. Returns its exit status. */
static int run_helper(const char *helper, const char *verb, const char *input, char **ret_output, Error *reterr) {
        _cleanup_free_ char *path = NULL, *output = NULL;
        int in[2], out[2], pidfd;
        int64_t deadline = time_monotonic_usec() / 1000 + HELPER_TIMEOUT_MSEC;
        pid_t pid;

        int r = find_program(helper, &path, reterr);
        if (r < 0)
                return r;
        if (strlen(input) > HELPER_OUTPUT_LIMIT / 2 || pipe2(in, O_CLOEXEC) < 0)
                return error_set(reterr, -E2BIG, ERROR_INVALID, "cannot ask the credential helper '%s'", helper);
        if (pipe2(out, O_CLOEXEC) < 0) {
                (void) fd_close(in[0]);
                (void) fd_close(in[1]);
                return error_set_errno(reterr, -errno, "cannot ask the credential helper '%s'", helper);
        }
        _cleanup_fd_ int in_read = in[0], in_write = in[1], out_read = out[0], out_write = out[1];
        char *argv[] = { path, (char *) verb, NULL };
        const int fds[] = { in_read, out_write, STDERR_FILENO };

        r = process_spawn(path, argv, NULL, fds, ELEMENTSOF(fds), &pid, &pidfd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run the credential helper '%s'", path);
        in_read = fd_close(in_read);
        out_write = fd_close(out_write);
        void (*before)(int) = signal(SIGPIPE, SIG_IGN);
        r = io_write_full(in_write, input, strlen(input));
        (void) signal(SIGPIPE, before);
        in_write = fd_close(in_write);
        if (r >= 0 || r == -EPIPE)
                r = read_until_end(out_read, deadline, &output);
        if (r >= 0)
                r = process_wait_end(pidfd, (uint64_t) MAX(deadline - time_monotonic_usec() / 1000, INT64_C(0)) * 1000);
        if (r < 0)
                (void) process_signal(pidfd, SIGKILL);
        int status = process_reap(pid);
        (void) fd_close(pidfd);
        if (r == -ETIMEDOUT)
                return error_set(reterr, r, ERROR_UNREACHABLE, "cannot use the credential helper '%s': it did not end within %d s", helper,
                                 HELPER_TIMEOUT_MSEC / 1000);
        if (r == -EFBIG)
                return error_set(reterr, r, ERROR_INVALID, "cannot use the credential helper '%s': it says more than %d KiB", helper,
                                 HELPER_OUTPUT_LIMIT / 1024);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot use the credential helper '%s'", helper);
        *ret_output = TAKE_PTR(output);
        return status;
}

/* Its own words for a fault, in one line. */
static int helper_failed(const char *helper, const char *verb, char *output, int status, Error *reterr) {
        output[strcspn(output, "\n")] = 0;
        return error_set(reterr, -EREMOTEIO, ERROR_DENIED, "cannot %s credentials with the helper '%s': %.200s (exit status %d)", verb, helper,
                         *output ? output : "it gives no reason", status);
}

static void wipe(char *output) {
        explicit_bzero(output, strlen(output));
}

int auth_helper_get(const char *helper, const char *server, Credentials *ret, Error *reterr) {
        _cleanup_free_ char *output = NULL;
        _cleanup_json_ json_t *json = NULL;
        const char *username, *secret;

        int status = run_helper(helper, "get", server, &output, reterr);
        if (status < 0)
                return status;
        if (status != 0)
                /* the one fault that is none, by the text that the protocol gives it */
                return strstr(output, "credentials not found") ? 0 : helper_failed(helper, "get", output, status, reterr);
        int r = json_parse(output, strlen(output), "what the credential helper says", &json, reterr);
        wipe(output);
        if (r < 0)
                return r;
        username = json_get_string(json, "Username");
        secret = json_get_string(json, "Secret");
        if (!username || str_empty(secret))
                return error_set(reterr, -EBADMSG, ERROR_INVALID, "cannot use the credential helper '%s': it gives no Username and Secret", helper);
        if (str_equal(username, "<token>"))
                ret->identity_token = strdup(secret);
        else {
                ret->username = strdup(username);
                ret->password = strdup(secret);
        }
        return ret->identity_token || (ret->username && ret->password) ? 1 : error_oom(reterr);
}

int auth_helper_store(const char *helper, const char *server, const Credentials *credentials, Error *reterr) {
        _cleanup_json_ json_t *json = json_pack("{s:s, s:s?, s:s?}", "ServerURL", server, "Username", credentials->username, "Secret",
                                                credentials->password);
        _cleanup_free_ char *input = json ? json_dumps(json, JSON_COMPACT) : NULL, *output = NULL;

        if (!input)
                return error_oom(reterr);
        int status = run_helper(helper, "store", input, &output, reterr);
        wipe(input);
        if (status <= 0)
                return status;
        return helper_failed(helper, "store", output, status, reterr);
}

int auth_helper_erase(const char *helper, const char *server, Error *reterr) {
        _cleanup_free_ char *output = NULL;

        int status = run_helper(helper, "erase", server, &output, reterr);
        if (status <= 0)
                return status;
        return strstr(output, "credentials not found") ? 0 : helper_failed(helper, "erase", output, status, reterr);
}
