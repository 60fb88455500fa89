/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/secret-memory.h"
#include "base/str.h"
#include "base/test.h"

/* The line of the mapping's flags in /proc/self/smaps (proc(5)); empty where it is not mapped. */
static char *flags_of(const void *at) {
        _cleanup_free_ char *text = NULL, *head = str_format("%lx-", (unsigned long) at);

        CHECK(file_read(AT_FDCWD, "/proc/self/smaps", 4 * 1024 * 1024, &text, NULL) >= 0);
        char *mapping = strstr(text, head), *flags = mapping ? strstr(mapping, "VmFlags:") : NULL;
        return flags ? strndup(flags, strcspn(flags, "\n")) : strdup("");
}

TEST(it_is_in_no_core_dump) {
        _cleanup_secret_memory_ SecretMemory memory = SECRET_MEMORY_NULL;

        CHECK_INT(secret_memory_new(10000, &memory), 0);
        _cleanup_free_ char *flags = flags_of(memory.data);
        CHECK(strstr(flags, " dd"));
        CHECK_INT(((char *) memory.data)[10000], 0);
        secret_memory_done(&memory);
        CHECK(!memory.data);
        secret_memory_done(&memory);
}

static int read_text(const char *text, size_t limit, SecretMemory *ret) {
        _cleanup_fd_ int fd = io_memfd("test", text, strlen(text));

        return secret_memory_read(fd, limit, ret);
}

TEST(reading_up_to_the_limit) {
        _cleanup_secret_memory_ SecretMemory a = SECRET_MEMORY_NULL, b = SECRET_MEMORY_NULL, c = SECRET_MEMORY_NULL;

        CHECK_INT(read_text("12345", 5, &a), 0);
        CHECK_INT(a.size, 5);
        CHECK_STR(a.data, "12345");
        CHECK_INT(read_text("123456", 5, &b), -EFBIG);
        CHECK(!b.data);
        CHECK_INT(read_text("", 5, &c), 0);
        CHECK_INT(c.size, 0);
}
