/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for what nobody else may read. */
#include "base/secret-memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"

int secret_memory_new(size_t room, SecretMemory *ret) {
        void *data = mmap(NULL, room + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (data == MAP_FAILED)
                return -ENOMEM;
        if (madvise(data, room + 1, MADV_DONTDUMP) < 0) {
                int code = -errno;

                (void) munmap(data, room + 1);
                return code;
        }
        (void) mlock(data, room + 1); /* what a user may lock is limited (RLIMIT_MEMLOCK) */
        *ret = (SecretMemory){ .data = data, .room = room };
        return 0;
}

void secret_memory_done(SecretMemory *memory) {
        if (memory->data) {
                explicit_bzero(memory->data, memory->room + 1);
                (void) munmap(memory->data, memory->room + 1);
        }
        *memory = SECRET_MEMORY_NULL;
}

int secret_memory_read(int fd, size_t limit, SecretMemory *ret) {
        _cleanup_secret_memory_ SecretMemory memory = SECRET_MEMORY_NULL;
        int r = secret_memory_new(limit, &memory);

        if (r < 0)
                return r;
        ssize_t n = io_read_full(fd, memory.data, limit + 1); /* the byte more tells of what does not fit */
        if (n < 0)
                return (int) n;
        if ((size_t) n > limit)
                return -EFBIG;
        memory.size = (size_t) n;
        *ret = memory;
        memory = SECRET_MEMORY_NULL;
        return 0;
}

void secret_free(char *s) {
        if (s)
                explicit_bzero(s, strlen(s));
        free(s);
}

void secret_strv_free(char **v) {
        for (char **s = v; s && *s; s++)
                secret_free(*s);
        free(v);
}
