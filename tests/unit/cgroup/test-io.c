/* SPDX-License-Identifier: Apache-2.0 */
/* What limits of block devices and --cgroup-conf write into a cgroup's files; a directory of plain files stands for it. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "cgroup/limits.h"

static int make_cgroup(const char *const *files) {
        char path[] = "/tmp/sdpod-test-XXXXXX";
        int fd;

        CHECK(mkdtemp(path));
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(fd >= 0);
        for (; *files; files++)
                CHECK_INT(close(openat(fd, *files, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
        return fd;
}

static char *read_back(int fd, const char *file) {
        char *text = NULL;

        CHECK_INT(file_read(fd, file, 4096, &text, NULL), 0);
        return text;
}

TEST(weights_are_those_of_io_weight) {
        static const uint64_t rows[][2] = { { 10, 1 }, { 100, 910 }, { 500, 4950 }, { 1000, 10000 }, { 5, 1 }, { 9999, 10000 } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                CHECK_INT(limits_io_weight(rows[i][0]), rows[i][1]);
}

TEST(a_file_of_the_cgroup_is_written) {
        static const char *const files[] = { "memory.high", "io.weight", NULL };
        _cleanup_fd_ int fd = make_cgroup(files);
        char *conf[] = { (char *) "memory.high=123", NULL }, *missing[] = { (char *) "memory.nosuch=1", NULL },
             *elsewhere[] = { (char *) "../x=1", NULL };
        ContainerResources resources = { .blkio_weight = 500, .cgroup_conf = conf };
        char **controllers = (char **) (const char *const[]){ "memory", "io", NULL }, **less = (char **) (const char *const[]){ "memory", NULL };
        LimitSettings settings;

        CHECK_INT(limits_resolve(&resources, false, &settings, NULL), 0);
        CHECK(settings.asked);
        CHECK_INT(limits_check(&settings, controllers, NULL), 0);
        CHECK_INT(limits_check(&settings, less, NULL), -EOPNOTSUPP);
        CHECK_INT(limits_write(&settings, fd, NULL), 0);
        _cleanup_free_ char *high = read_back(fd, "memory.high"), *weight = read_back(fd, "io.weight");
        CHECK_STR(high, "123");
        CHECK_STR(weight, "default 4950");
        resources.cgroup_conf = missing;
        CHECK_INT(limits_write(&settings, fd, NULL), -ENOENT);
        resources.cgroup_conf = elsewhere;
        CHECK_INT(limits_write(&settings, fd, NULL), -EINVAL);
}

TEST(the_scheduler_bfq_has_a_file_of_its_own) {
        static const char *const files[] = { "io.bfq.weight", NULL }, *const none[] = { NULL };
        _cleanup_fd_ int fd = make_cgroup(files), empty = make_cgroup(none);
        ContainerResources resources = { .blkio_weight = 500 };
        LimitSettings settings;

        CHECK_INT(limits_resolve(&resources, false, &settings, NULL), 0);
        CHECK_INT(limits_write(&settings, fd, NULL), 0);
        _cleanup_free_ char *weight = read_back(fd, "io.bfq.weight");
        CHECK_STR(weight, "default 500");
        CHECK_INT(limits_write(&settings, empty, NULL), -ENOENT);
}

TEST(what_is_no_block_device_has_no_limit) {
        static const char *const files[] = { "io.max", NULL };
        _cleanup_fd_ int fd = make_cgroup(files);
        ContainerDeviceLimit null_limit = { (char *) "/dev/null", 1000 };
        ContainerResources resources = { .read_bps = &null_limit, .n_read_bps = 1 };
        LimitSettings settings;

        CHECK_INT(limits_resolve(&resources, false, &settings, NULL), 0);
        CHECK_INT(limits_write(&settings, fd, NULL), -ENOTBLK);
}
