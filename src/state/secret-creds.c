/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that systemd-creds(1) encrypts. What goes in and out is in memory files: nothing of it is an argument, in the
 * environment or on disk. */
#include "state/secret-seal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"

#define PROGRAM "/usr/bin/systemd-creds"

enum { SEALED_LIMIT = 4 * 1024 * 1024, WORDS_LIMIT = 4096 };

/* What it complained of, in one line. */
static char *complaint(int fd) {
        _cleanup_free_ char *text = NULL;

        if (lseek(fd, 0, SEEK_SET) < 0 || io_read_all(fd, WORDS_LIMIT, &text, /* ret_size= */ NULL) < 0)
                return NULL;
        text[strcspn(text, "\n")] = 0;
        return *text ? TAKE_PTR(text) : NULL;
}

/* Runs `systemd-creds VERB`; *ret_out holds what it wrote, at its beginning. An ordinary user has the system's service do it. */
static int run(const char *verb, const Secret *secret, const void *data, size_t size, int *ret_out, Error *reterr) {
        static char *const environment[] = { (char *) "PATH=/usr/bin:/bin", (char *) "LC_ALL=C", NULL };
        _cleanup_free_ char *name = str_format("--name=sdpod-%s", secret->id);
        const char *argv[8] = { PROGRAM, verb, name, "-", "-", geteuid() == 0 ? NULL : "--user" };
        _cleanup_fd_ int in = io_memfd("secret", data, size), out = io_memfd("secret", "", 0), err = io_memfd("errors", "", 0);
        const int fds[] = { in, out, err };
        pid_t pid;

        if (!name)
                return error_oom(reterr);
        int r = in < 0 ? in : out < 0 ? out : err < 0 ? err : 0;
        if (r >= 0 && access(PROGRAM, X_OK) < 0)
                r = -errno;
        if (r >= 0)
                r = process_spawn(PROGRAM, (char *const *) argv, environment, fds, ELEMENTSOF(fds), &pid, /* ret_pidfd= */ NULL);
        if (r >= 0)
                r = process_reap(pid);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run '%s'", PROGRAM);
        if (r > 0) {
                _cleanup_free_ char *words = complaint(err);

                return error_set(reterr, -EIO, ERROR_UNSUPPORTED, "'systemd-creds %s' failed: %s", verb, words ?: "it does not say why");
        }
        if (lseek(out, 0, SEEK_SET) < 0)
                return error_set_errno(reterr, -errno, "cannot read what '%s' wrote", PROGRAM);
        *ret_out = TAKE_FD(out);
        return 0;
}

static int encrypt(Secret *secret, const SecretMemory *content, Error *reterr) {
        _cleanup_fd_ int out = -EBADF;
        _cleanup_free_ char *text = NULL;
        int r = run("encrypt", secret, content->data, content->size, &out, reterr);

        if (r < 0)
                return r;
        r = io_read_all(out, SEALED_LIMIT, &text, /* ret_size= */ NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read what '%s' wrote", PROGRAM);
        free(secret->data);
        secret->data = TAKE_PTR(text);
        return str_replace(&secret->key, NULL);
}

static int decrypt(const Secret *secret, SecretMemory *ret, Error *reterr) {
        _cleanup_fd_ int out = -EBADF;

        if (!secret->data)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the record has no content");
        int r = run("decrypt", secret, secret->data, strlen(secret->data), &out, reterr);
        if (r < 0)
                return r;
        r = secret_memory_read(out, SECRET_SIZE_LIMIT, ret);
        return r < 0 ? error_set_errno(reterr, r, "cannot read what '%s' wrote", PROGRAM) : 0;
}

const SecretSeal secret_seal_by_creds = { SECRET_BY_CREDS, encrypt, decrypt };
