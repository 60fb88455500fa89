/* SPDX-License-Identifier: Apache-2.0 */
/* What a cgroup has used so far. */
#include "cgroup/counters.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/parse.h"
#include "base/str.h"

enum { COUNTER_FILE_SIZE = 16384 };

/* A small file as text. These are the kernel's: one read(2) has all of it. */
static int read_file(int dir_fd, const char *name, char *text, size_t size) {
        _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

        if (n < 0)
                return -errno;
        text[n] = 0;
        return 0;
}

static int read_number(int dir_fd, const char *name, uint64_t *ret) {
        char text[32];
        int r = read_file(dir_fd, name, text, sizeof(text));

        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = 0;
        if (str_equal(text, "max")) {
                *ret = UINT64_MAX;
                return 0;
        }
        return parse_u64(text, ret);
}

/* The value of a key in a flat-keyed file; 0 where it is not there. */
static uint64_t value_of(const char *text, const char *key) {
        for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                const char *value = str_after(line, key);

                if (value && *value == ' ')
                        return strtoull(value + 1, NULL, 10);
        }
        return 0;
}

/* The sum of "KEY=N" over all lines of a nested-keyed file. */
static uint64_t sum_of(const char *text, const char *key) {
        uint64_t sum = 0;

        for (const char *at = text; (at = strstr(at, key)); at += strlen(key))
                sum += strtoull(at + strlen(key), NULL, 10);
        return sum;
}

static void read_memory(int dir_fd, CgroupCounters *c) {
        uint64_t now, max;

        if (read_number(dir_fd, "memory.current", &now) < 0)
                return;
        if (!c->has_memory)
                c->memory = now;
        c->has_memory = true;
        if (read_number(dir_fd, "memory.max", &max) >= 0)
                c->memory_max = MIN(c->memory_max, max);
}

static void read_io(int dir_fd, CgroupCounters *c) {
        char text[COUNTER_FILE_SIZE];

        if (read_file(dir_fd, "io.stat", text, sizeof(text)) < 0)
                return;
        c->has_io = true;
        c->io_read = sum_of(text, " rbytes=");
        c->io_written = sum_of(text, " wbytes=");
}

static int read_cpu(int dir_fd, uint64_t *ret_usec, uint64_t *ret_system_usec) {
        char text[1024];
        int r = read_file(dir_fd, "cpu.stat", text, sizeof(text));

        if (r < 0)
                return r;
        *ret_usec = value_of(text, "usage_usec");
        *ret_system_usec = value_of(text, "system_usec");
        return 0;
}

static int open_cgroup(int root_fd, const char *path) {
        if (str_empty(path))
                return -ENOENT;
        return path_open_beneath(root_fd, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0);
}

int cgroup_counters_read(int root_fd, const char *path, CgroupCounters *ret) {
        CgroupCounters c = { .memory_max = UINT64_MAX };
        _cleanup_fd_ int fd = open_cgroup(root_fd, path), parent = -EBADF;

        if (fd < 0)
                return fd;
        c.has_cpu = read_cpu(fd, &c.cpu_usec, &c.cpu_system_usec) >= 0;
        if (str_has_suffix(path, "/" CGROUP_OF_CONTAINER))
                parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const int places[] = { fd, parent };
        for (size_t i = 0; i < ELEMENTSOF(places) && places[i] >= 0; i++) {
                read_memory(places[i], &c); /* of both: either may have the limit */
                if (!c.has_io)
                        read_io(places[i], &c);
                if (!c.has_pids)
                        c.has_pids = read_number(places[i], "pids.current", &c.pids) >= 0;
        }
        *ret = c;
        return 0;
}
