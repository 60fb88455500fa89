/* SPDX-License-Identifier: Apache-2.0 */
/* Writing members: ustar headers, or files. */
#include "image/save-output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

enum { BLOCK = 512 };

/* A ustar header (POSIX.1-2008, pax, "ustar Interchange Format"). */
typedef struct Header {
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[8], user[32], group[32],
             major[8], minor[8], prefix[155], padding[12];
} Header;

static_assert(sizeof(Header) == BLOCK, "a header is a block");

void save_output_done(SaveOutput *output) {
        strv_free(output->names);
        *output = (SaveOutput){ .fd = -EBADF };
}

static int write_all(int fd, const void *data, size_t size, Error *reterr) {
        int r = io_write_full(fd, data, size);

        return r < 0 ? error_set_errno(reterr, r, "cannot write") : 0;
}

static void set_size(Header *h, uint64_t size) {
        if (size < 1ULL << 33) {
                (void) snprintf(h->size, sizeof(h->size), "%011llo", (unsigned long long) size);
                return;
        }
        h->size[0] = (char) 0x80; /* GNU's binary form */
        for (size_t i = 0; i < 8; i++)
                h->size[11 - i] = (char) (size >> (8 * i));
}

static int write_header(int fd, const char *name, uint64_t size, Error *reterr) {
        Header h = { .type = '0', .magic = { 'u', 's', 't', 'a', 'r', 0, '0', '0' } };
        unsigned sum = 0;

        assert(strlen(name) < sizeof(h.name));
        (void) stpcpy(h.name, name);
        (void) snprintf(h.mode, sizeof(h.mode), "%07o", 0644);
        (void) snprintf(h.uid, sizeof(h.uid), "%07o", 0);
        (void) snprintf(h.gid, sizeof(h.gid), "%07o", 0);
        (void) snprintf(h.mtime, sizeof(h.mtime), "%011o", 0);
        set_size(&h, size);
        memset(h.checksum, ' ', sizeof(h.checksum));
        for (size_t i = 0; i < sizeof(h); i++)
                sum += ((const unsigned char *) &h)[i];
        (void) snprintf(h.checksum, sizeof(h.checksum), "%06o", sum);
        return write_all(fd, &h, sizeof(h), reterr);
}

static int make_parents(int fd, const char *name) {
        _cleanup_free_ char *path = strdup(name);

        if (!path)
                return -ENOMEM;
        for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = 0;
                if (mkdirat(fd, path, 0755) < 0 && errno != EEXIST)
                        return -errno;
                *slash = '/';
        }
        return 0;
}

int save_output_begin(SaveOutput *output, const char *name, uint64_t size, int *ret_fd, Error *reterr) {
        if (strv_contains(output->names, name))
                return 0;
        if (strv_append(&output->names, name) < 0)
                return error_oom(reterr);
        if (!output->directory) {
                int r = write_header(output->fd, name, size, reterr);

                *ret_fd = output->fd;
                return r < 0 ? r : 1;
        }
        int r = make_parents(output->fd, name);
        if (r >= 0) {
                *ret_fd = openat(output->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
                r = *ret_fd < 0 ? -errno : 1;
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot make '%s'", name) : r;
}

int save_output_end(SaveOutput *output, uint64_t size, int fd, Error *reterr) {
        static const char zeros[BLOCK];

        if (output->directory) {
                (void) fd_close(fd);
                return 0;
        }
        return write_all(output->fd, zeros, (BLOCK - size % BLOCK) % BLOCK, reterr);
}

int save_output_file(SaveOutput *output, const char *name, const void *data, size_t size, Error *reterr) {
        int fd, r = save_output_begin(output, name, size, &fd, reterr);

        if (r <= 0)
                return r;
        r = write_all(fd, data, size, reterr);
        int ended = save_output_end(output, size, fd, r < 0 ? NULL : reterr);
        return r < 0 ? r : ended;
}

int save_output_finish(SaveOutput *output, Error *reterr) {
        static const char zeros[2 * BLOCK];

        return output->directory ? 0 : write_all(output->fd, zeros, sizeof(zeros), reterr);
}
