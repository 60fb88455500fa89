/* SPDX-License-Identifier: Apache-2.0 */
/* Writing members: ustar headers, or files. */
#include "image/save-output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
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

static int write_block(int fd, char type, const char *name, uint64_t size, Error *reterr) {
        Header h = { .type = type, .magic = { 'u', 's', 't', 'a', 'r', 0, '0', '0' } };
        unsigned sum = 0;

        assert(strlen(name) < sizeof(h.name));
        (void) stpcpy(h.name, name);
        (void) snprintf(h.mode, sizeof(h.mode), "%07o", type == '5' ? 0755 : 0644);
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

/* The directories that the name goes through come first: unpackers that must make them unasked want to own them as root. */
static int write_header(SaveOutput *output, const char *name, uint64_t size, Error *reterr) {
        for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
                _cleanup_free_ char *parent = strndup(name, (size_t) (slash - name) + 1);

                if (!parent)
                        return error_oom(reterr);
                if (strv_contains(output->names, parent))
                        continue;
                if (strv_append(&output->names, parent) < 0)
                        return error_oom(reterr);
                int r = write_block(output->fd, '5', parent, 0, reterr);
                if (r < 0)
                        return r;
        }
        return write_block(output->fd, '0', name, size, reterr);
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

bool save_output_has(const SaveOutput *output, const char *name, uint64_t size) {
        struct stat st;

        return strv_contains(output->names, name) || (output->directory && fstatat(output->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                                                      S_ISREG(st.st_mode) && (uint64_t) st.st_size == size);
}

int save_output_begin(SaveOutput *output, const char *name, uint64_t size, SaveMember *ret, Error *reterr) {
        if (name && !output->directory) {
                *ret = (SaveMember){ .fd = output->fd, .in_place = true };
                return write_header(output, name, size, reterr);
        }
        *ret = (SaveMember){ .fd = openat(output->directory ? output->fd : output->temporary_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644) };
        if (ret->fd < 0 && output->directory) /* not every file system has unnamed files; the store's has */
                ret->fd = openat(output->temporary_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
        return ret->fd < 0 ? error_set_errno(reterr, -errno, "cannot make a temporary file") : 0;
}

void save_output_cancel(_unused_ SaveOutput *output, SaveMember *member) {
        if (!member->in_place)
                (void) fd_close(member->fd);
        *member = SAVE_MEMBER_NULL;
}

static int pad(const SaveOutput *output, uint64_t size, Error *reterr) {
        static const char zeros[BLOCK];

        return write_all(output->fd, zeros, (BLOCK - size % BLOCK) % BLOCK, reterr);
}

/* All of a temporary file; 0 or -errno. */
static int copy_bytes(int from, int to) {
        off_t offset = 0;

        for (;;) {
                ssize_t n = RETRY_EINTR(sendfile(to, from, &offset, 1024 * 1024 * 1024));

                if (n <= 0)
                        return n < 0 ? -errno : 0;
        }
}

/* The file gets its name; from another file system it is copied. */
static int link_file(const SaveOutput *output, int fd, const char *name, Error *reterr) {
        char path[64];
        int r = make_parents(output->fd, name);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot make '%s'", name);
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        if (unlinkat(output->fd, name, 0) < 0 && errno != ENOENT)
                return error_set_errno(reterr, -errno, "cannot replace '%s'", name);
        if (linkat(AT_FDCWD, path, output->fd, name, AT_SYMLINK_FOLLOW) >= 0)
                return 0;
        if (errno != EXDEV && errno != EOPNOTSUPP && errno != EPERM)
                return error_set_errno(reterr, -errno, "cannot make '%s'", name);
        _cleanup_fd_ int to = openat(output->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        r = to < 0 ? -errno : copy_bytes(fd, to);
        return r < 0 ? error_set_errno(reterr, r, "cannot write '%s'", name) : 0;
}

int save_output_end(SaveOutput *output, SaveMember *member, const char *name, uint64_t size, Error *reterr) {
        int r = 0;

        if (member->in_place)
                r = pad(output, size, reterr);
        else if (!save_output_has(output, name, size)) {
                if (output->directory)
                        r = link_file(output, member->fd, name, reterr);
                else {
                        r = write_header(output, name, size, reterr);
                        if (r >= 0 && (r = copy_bytes(member->fd, output->fd)) < 0)
                                r = error_set_errno(reterr, r, "cannot write");
                        if (r >= 0)
                                r = pad(output, size, reterr);
                }
        }
        save_output_cancel(output, member);
        if (r < 0)
                return r;
        return !strv_contains(output->names, name) && strv_append(&output->names, name) < 0 ? error_oom(reterr) : 0;
}

/* In a directory: replaced as a whole. */
static int replace_file(const SaveOutput *output, const char *name, const void *data, size_t size) {
        const char *slash = strrchr(name, '/');
        _cleanup_free_ char *parent_name = slash ? strndup(name, (size_t) (slash - name)) : strdup(".");
        int r = parent_name ? make_parents(output->fd, name) : -ENOMEM;

        if (r < 0)
                return r;
        _cleanup_fd_ int parent = openat(output->fd, parent_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return parent < 0 ? -errno : file_write_atomic(parent, slash ? slash + 1 : name, data, size, 0644, FILE_VOLATILE);
}

int save_output_file(SaveOutput *output, const char *name, const void *data, size_t size, Error *reterr) {
        if (strv_contains(output->names, name))
                return 0;
        if (strv_append(&output->names, name) < 0)
                return error_oom(reterr);
        if (output->directory) {
                int r = replace_file(output, name, data, size);
                return r < 0 ? error_set_errno(reterr, r, "cannot write '%s'", name) : 0;
        }
        int r = write_header(output, name, size, reterr);
        if (r >= 0)
                r = write_all(output->fd, data, size, reterr);
        return r < 0 ? r : pad(output, size, reterr);
}

int save_output_finish(SaveOutput *output, Error *reterr) {
        static const char zeros[2 * BLOCK];

        return output->directory ? 0 : write_all(output->fd, zeros, sizeof(zeros), reterr);
}
