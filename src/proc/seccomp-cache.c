/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps compiled JSON profiles. */
#include "proc/seccomp-cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/seccomp-table.h"

enum { FILES_MAX = 64, FILE_LIMIT = 4 * 1024 * 1024, NAME_SIZE = 17 };

static const char magic[8] = "sdpodbp1";

/* What a file begins with; the key and the code follow. */
typedef struct Header {
        char magic[8];
        uint64_t n_key, n_code, flags;
        uint64_t checksum; /* of the code */
} Header;

/* FNV-1a: tells damage and finds names; the comparison of the whole key is what decides. */
static uint64_t hash(const void *data, size_t n) {
        uint64_t h = UINT64_C(0xcbf29ce484222325);

        for (const unsigned char *c = data; n > 0; n--, c++)
                h = (h ^ *c) * UINT64_C(0x100000001b3);
        return h;
}

static void file_name(const void *key, size_t n_key, char ret[static NAME_SIZE]) {
        (void) snprintf(ret, NAME_SIZE, "%016" PRIx64, hash(key, n_key));
}

int seccomp_cache_read(int data_fd, const void *key, size_t n_key, SeccompFilter *ret) {
        _cleanup_fd_ int dir_fd = path_open_beneath(data_fd, "seccomp", O_RDONLY | O_DIRECTORY, 0);
        _cleanup_free_ char *text = NULL;
        struct sock_filter *code;
        char name[NAME_SIZE];
        size_t size;
        Header header;
        int r;

        if (dir_fd < 0)
                return dir_fd;
        file_name(key, n_key, name);
        r = file_read(dir_fd, name, FILE_LIMIT, &text, &size);
        if (r < 0)
                return r;
        if (size < sizeof(header))
                return -ENOENT;
        memcpy(&header, text, sizeof(header));
        if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.n_key != n_key || header.n_code == 0 ||
            header.n_code > SECCOMP_CODE_MAX || size != sizeof(header) + n_key + header.n_code * sizeof(*code) ||
            memcmp(text + sizeof(header), key, n_key) != 0 ||
            hash(text + sizeof(header) + n_key, header.n_code * sizeof(*code)) != header.checksum)
                return -ENOENT;
        code = malloc(header.n_code * sizeof(*code));
        if (!code)
                return -ENOMEM;
        memcpy(code, text + sizeof(header) + n_key, header.n_code * sizeof(*code));
        *ret = (SeccompFilter){ .code = code, .owned = code, .n_code = header.n_code, .flags = (unsigned) header.flags };
        return 0;
}

/* Profiles that nobody uses any more are not worth a bookkeeping: a full directory is emptied. */
static void make_room(int dir_fd) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        size_t n = 0;

        if (!dir) {
                (void) fd_close(fd);
                return;
        }
        while (readdir(dir))
                n++;
        rewinddir(dir);
        for (struct dirent *entry; n > FILES_MAX && (entry = readdir(dir));)
                if (entry->d_name[0] != '.')
                        (void) unlinkat(dir_fd, entry->d_name, 0);
        (void) closedir(dir);
}

int seccomp_cache_write(int data_fd, const void *key, size_t n_key, const SeccompFilter *filter) {
        size_t n_bytes = filter->n_code * sizeof(*filter->code), size = sizeof(Header) + n_key + n_bytes;
        Header header = { .n_key = n_key, .n_code = filter->n_code, .flags = filter->flags,
                          .checksum = hash(filter->code, n_bytes) };
        _cleanup_fd_ int dir_fd = path_open_or_make_dir(data_fd, "seccomp", 0700);
        _cleanup_free_ char *text = NULL;
        char name[NAME_SIZE];

        if (dir_fd < 0)
                return dir_fd;
        text = malloc(size);
        if (!text)
                return -ENOMEM;
        memcpy(header.magic, magic, sizeof(magic));
        memcpy(text, &header, sizeof(header));
        memcpy(text + sizeof(header), key, n_key);
        memcpy(text + sizeof(header) + n_key, filter->code, n_bytes);
        make_room(dir_fd);
        file_name(key, n_key, name);
        return file_write_atomic(dir_fd, name, text, size, 0600, FILE_VOLATILE);
}
