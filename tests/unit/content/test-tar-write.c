/* SPDX-License-Identifier: Apache-2.0 */
/* What the tar writer writes, our own reader reads: names, numbers and attributes at their edges. */
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "content/tar-write.h"

static TarXattr xattr = { (char *) "user.x", (uint8_t *) "a\0b", 3 };

static void check_entry(const TarEntry *wanted) {
        _cleanup_fd_ int fd = io_memfd("tar", "", 0);
        _cleanup_tar_writer_ TarWriter writer = {};
        _cleanup_stream_ Stream *stream = NULL;
        _cleanup_tar_reader_ TarReader *reader = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        const TarEntry *found;

        CHECK_INT(tar_writer_open(&writer, fd, &error), 0);
        CHECK_INT(tar_write_header(&writer, wanted, &error), 0);
        if (wanted->type == '0' && wanted->size == 3) {
                CHECK_INT(tar_write_data(&writer, "abc", 3, &error), 0);
                CHECK_INT(tar_write_padding(&writer, 3, &error), 0);
        }
        CHECK_INT(tar_write_end(&writer, &error), 0);
        CHECK_INT(lseek(fd, 0, SEEK_END) % 512, 0);
        CHECK(lseek(fd, 0, SEEK_SET) == 0);
        CHECK_INT(stream_open(fd, 0, UINT64_MAX, UINT64_MAX, STREAM_PLAIN, &stream, &error), 0);
        CHECK(reader = tar_reader_new(stream));
        CHECK_INT(tar_reader_next(reader, &found, &error), 1);
        CHECK_STR(found->path, wanted->path);
        CHECK_STR(found->link, wanted->link);
        CHECK_INT(found->type, wanted->type);
        CHECK_INT(found->mode, wanted->mode);
        CHECK(found->uid == wanted->uid && found->gid == wanted->gid);
        CHECK_INT(found->mtime, wanted->mtime);
        CHECK(found->size == wanted->size);
        CHECK_INT(found->n_xattrs, wanted->n_xattrs);
        if (found->n_xattrs > 0) {
                CHECK_STR(found->xattrs->name, wanted->xattrs->name);
                CHECK_INT(found->xattrs->size, 3);
                CHECK(memcmp(found->xattrs->value, "a\0b", 3) == 0);
        }
        if (wanted->size <= 3)
                CHECK_INT(tar_reader_next(reader, &found, &error), 0);
}

static char *repeat(const char *text, size_t n) {
        char *all = strdup("");

        for (size_t i = 0; i < n; i++) {
                char *longer = str_format("%s%s", all, text);
                free(all);
                all = longer;
        }
        return all;
}

TEST(names_of_every_length) {
        static const size_t lengths[] = { 1, 99, 100, 101, 155, 156, 255, 256, 257, 300, 4000 };

        for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
                _cleanup_free_ char *flat = repeat("x", lengths[i]), *deep = repeat("0123456789abcde/", lengths[i] / 16 + 1);
                _cleanup_free_ char *file = str_format("%sf", deep);

                check_entry(&(TarEntry){ .type = '0', .path = flat, .mode = 0644 });
                check_entry(&(TarEntry){ .type = '0', .path = file, .mode = 0644 });
                check_entry(&(TarEntry){ .type = '2', .path = (char *) "l", .link = flat, .mode = 0777 });
        }
        check_entry(&(TarEntry){ .type = '0', .path = (char *) "n\xff\xfe\xc3", .mode = 0644 }); /* no text at all */
}

TEST(numbers) {
        check_entry(&(TarEntry){ .type = '0', .path = (char *) "f", .mode = 07777, .size = 3 });
        check_entry(&(TarEntry){ .type = '6', .path = (char *) "f", .uid = 2097151, .gid = 2097152 });
        check_entry(&(TarEntry){ .type = '6', .path = (char *) "f", .uid = 4294967294, .mtime = 8589934591 });
        check_entry(&(TarEntry){ .type = '6', .path = (char *) "f", .mtime = 8589934592 });
        check_entry(&(TarEntry){ .type = '6', .path = (char *) "f", .mtime = -1 });
}

TEST(attributes) {
        check_entry(&(TarEntry){ .type = '0', .path = (char *) "f", .size = 3, .xattrs = &xattr, .n_xattrs = 1 });
}
