/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a copy of the host's resolv.conf current. */
#include "net/dns-source.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

enum {
        PAGE = 4096,
        TEXT_LIMIT = 16 * 1024,
        REFRESH_MSEC = 1000, /* libslirp's own pace */
};

/* The one name that the sandbox may open. It stands in the program's own data, not in a mapping of its own, because the
 * seccomp filter keeps mappings of that part of the address space from being undone (sandbox.c). */
static char sealed_name[PAGE] __attribute__((aligned(4096)));

static char *text_from_servers(char *const *servers) {
        char *text = strdup("");

        for (; text && *servers; servers++) {
                char *longer = str_format("%snameserver %s\n", text, *servers);

                free(text);
                text = longer;
        }
        return text;
}

int dns_source_open(const NetConfig *config, DnsSource *ret, Error *reterr) {
        _cleanup_dns_source_ DnsSource source = DNS_SOURCE_NULL;
        char path[PATH_MAX] = "/etc/resolv.conf"; /* it may come later */

        if (config->dns && *config->dns) {
                source.text = text_from_servers(config->dns);
                if (!source.text)
                        return error_oom(reterr);
        } else {
                char *real = realpath("/etc/resolv.conf", /* resolved= */ NULL);

                if (real && strlen(real) < sizeof(path))
                        memcpy(path, real, strlen(real) + 1);
                free(real);
                source.file = strdup(path_basename(path));
                if (!source.file)
                        return error_oom(reterr);
                *strrchr(path, '/') = '\0';
                source.dir_fd = open(*path ? path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (source.dir_fd < 0)
                        source.dir_fd = -EBADF;
        }
        *ret = source;
        source = DNS_SOURCE_NULL;
        return 0;
}

static bool same_file(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
               a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int write_copy(int fd, const char *text, size_t size) {
        if (ftruncate(fd, 0) < 0)
                return -errno;
        return pwrite(fd, text, size, 0) == (ssize_t) size ? 0 : -EIO;
}

static void copy_if_changed(DnsSource *s, int fd) {
        char text[TEXT_LIMIT];
        struct stat st;
        size_t size = 0;

        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || same_file(&st, &s->seen))
                return;
        ssize_t n = io_read_full(fd, text, sizeof(text));
        if (n < 0)
                return;
        size = (size_t) n;
        /* a file that is longer is cut at a line: half an address would be another address */
        while (size == sizeof(text) && size > 0 && text[size - 1] != '\n')
                size--;
        if (write_copy(s->copy_fd, text, size) >= 0)
                s->seen = st;
}

void dns_source_refresh(DnsSource *s, int64_t now_msec) {
        if (s->dir_fd < 0 || !s->name || now_msec - s->checked_msec < REFRESH_MSEC)
                return;
        s->checked_msec = now_msec;
        /* these flags and no others: the seccomp filter compares them */
        int fd = openat(s->dir_fd, s->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return; /* it is being replaced, or there is none: what was known stays */
        copy_if_changed(s, fd);
        (void) fd_close(fd);
}

int dns_source_seal(DnsSource *s, int copy_fd) {
        s->copy_fd = copy_fd;
        if (s->text) {
                int r = write_copy(copy_fd, s->text, strlen(s->text));
                if (r < 0)
                        return r;
        }
        if (s->file && strlen(s->file) < sizeof(sealed_name)) {
                memcpy(sealed_name, s->file, strlen(s->file) + 1);
                s->name = sealed_name;
        }
        if (mprotect(sealed_name, sizeof(sealed_name), PROT_READ) < 0)
                return -errno;
        free(TAKE_PTR(s->text));
        free(TAKE_PTR(s->file));
        dns_source_refresh(s, REFRESH_MSEC);
        s->checked_msec = 0;
        return 0;
}

void dns_source_done(DnsSource *s) {
        s->dir_fd = fd_close(s->dir_fd);
        s->copy_fd = fd_close(s->copy_fd);
        free(TAKE_PTR(s->text));
        free(TAKE_PTR(s->file));
}
