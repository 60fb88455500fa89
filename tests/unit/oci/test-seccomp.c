/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "oci/seccomp.h"

static const char asking[] = "{\"ociVersion\":\"1.0.2\",\"annotations\":{\"a\":\"b\"},\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\","
                             "\"listenerPath\":\"/no/such/agent\",\"listenerMetadata\":\"m\",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}}}";
static const char plain[] = "{\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/no/such/agent\","
                            "\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_KILL\"}]}}}";

static void parse(const char *text, RuntimeSpec *spec) {
        *spec = RUNTIME_SPEC_NULL;
        CHECK_INT(json_fields_parse(text, strlen(text), runtime_spec_fields, spec, NULL), 0);
}

static int make_root(char *template) {
        CHECK(mkdtemp(template));
        return open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The number of files that are kept; -1: there is no directory. */
static int count_kept(int root) {
        int fd = openat(root, ".cache/seccomp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

        if (!dir)
                return -1;
        for (struct dirent *entry; (entry = readdir(dir));)
                n += entry->d_name[0] != '.';
        (void) closedir(dir);
        return n;
}

TEST(a_filter_is_compiled_once) {
        char directory[] = "/tmp/test-oci-seccomp.XXXXXX";
        _cleanup_seccomp_filter_ SeccompFilter first, second, other;
        _cleanup_runtime_spec_ RuntimeSpec spec, another;
        _cleanup_fd_ int root = make_root(directory);
        struct stat st;

        parse(plain, &spec);
        parse(asking, &another);
        CHECK_INT(oci_seccomp_prepare(&spec, root, &first, NULL), 0);
        CHECK_INT(count_kept(root), 1);
        CHECK_INT(fstatat(root, ".cache", &st, AT_SYMLINK_NOFOLLOW), 0);
        CHECK_INT(st.st_mode & 07777, 0700);
        CHECK_INT(oci_seccomp_prepare(&spec, root, &second, NULL), 0);
        CHECK_INT(count_kept(root), 1);
        CHECK(second.n_code == first.n_code && second.flags == first.flags && memcmp(second.code, first.code, first.n_code * sizeof(*first.code)) == 0);
        CHECK_INT(oci_seccomp_prepare(&another, root, &other, NULL), 0);
        CHECK_INT(count_kept(root), 2);
        CHECK(other.flags != first.flags);
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}

/* Nobody else hands out filters: not by a directory that was there before, nor through a link. */
TEST(nobody_else_hands_out_filters) {
        char directory[] = "/tmp/test-oci-seccomp.XXXXXX";
        _cleanup_seccomp_filter_ SeccompFilter filter;
        _cleanup_runtime_spec_ RuntimeSpec spec;
        _cleanup_fd_ int root = make_root(directory);

        parse(plain, &spec);
        CHECK_INT(mkdirat(root, ".cache", 0700), 0);
        CHECK_INT(fchmodat(root, ".cache", 0777, 0), 0);
        CHECK_INT(oci_seccomp_prepare(&spec, root, &filter, NULL), 0);
        CHECK_INT(count_kept(root), -1);
        seccomp_filter_done(&filter);
        CHECK_INT(renameat(root, ".cache", root, "elsewhere"), 0);
        CHECK_INT(fchmodat(root, "elsewhere", 0700, 0), 0);
        CHECK_INT(symlinkat("elsewhere", root, ".cache"), 0);
        CHECK_INT(oci_seccomp_prepare(&spec, root, &filter, NULL), 0);
        CHECK_INT(faccessat(root, "elsewhere/seccomp", F_OK, 0), -1);
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}

TEST(no_rules_are_no_filter) {
        _cleanup_runtime_spec_ RuntimeSpec spec;
        SeccompFilter filter;
        int fd;

        parse("{}", &spec);
        CHECK_INT(oci_seccomp_prepare(&spec, -EBADF, &filter, NULL), 0);
        CHECK(!seccomp_filter_is_set(&filter));
        CHECK_INT(oci_seccomp_connect(&spec, &filter, &fd, NULL), 0);
        CHECK_INT(fd, -EBADF);
}

TEST(an_agent_is_there_or_it_is_an_error) {
        char directory[] = "/tmp/test-oci-seccomp.XXXXXX";
        _cleanup_seccomp_filter_ SeccompFilter filter, silent;
        _cleanup_runtime_spec_ RuntimeSpec spec, ignored;
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_fd_ int root = make_root(directory), socket = -EBADF, fd = -EBADF;
        char deep[200];

        parse(asking, &spec);
        parse(plain, &ignored);
        CHECK_INT(oci_seccomp_prepare(&spec, -EBADF, &filter, NULL), 0);
        CHECK_INT(oci_seccomp_prepare(&ignored, -EBADF, &silent, NULL), 0);
        CHECK_INT(oci_seccomp_connect(&ignored, &silent, &fd, &error), 0); /* nothing is asked: the path is ignored */
        CHECK_INT(oci_seccomp_connect(&spec, &filter, &fd, &error), -ENOENT);
        CHECK_STR(error.message, "cannot use linux.seccomp.listenerPath: failed to connect with seccomp agent '/no/such/agent': No such file or directory");
        CHECK_INT(str_replace(&spec.seccomp.listener_path, ""), 0);
        CHECK_INT(oci_seccomp_connect(&spec, &filter, &fd, &error), -EINVAL);
        memset(deep, 'd', sizeof(deep)); /* longer than sun_path */
        deep[sizeof(deep) - 1] = 0;
        CHECK_INT(mkdirat(root, deep, 0700), 0);
        free(spec.seccomp.listener_path);
        spec.seccomp.listener_path = str_format("%s/%s/agent", directory, deep);
        int below = openat(root, deep, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK((socket = io_unix_listen(below, "agent", SOCK_STREAM, 0600)) >= 0);
        CHECK_INT(oci_seccomp_connect(&spec, &filter, &fd, &error), 0);
        CHECK(fd >= 0);
        (void) close(below);
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}

TEST(what_the_agent_is_told) {
        _cleanup_runtime_spec_ RuntimeSpec spec;
        _cleanup_free_ char *text = NULL;

        parse(asking, &spec);
        text = oci_seccomp_state(&spec, "one", "/b", "creating", 4422, 4400);
        CHECK_STR(text, "{\"ociVersion\":\"1.0.2\",\"fds\":[\"seccompFd\"],\"pid\":4422,\"metadata\":\"m\",\"state\":{\"ociVersion\":\"1.0.2\",\"id\":\"one\","
                        "\"status\":\"creating\",\"pid\":4400,\"bundle\":\"/b\",\"annotations\":{\"a\":\"b\"}}}");
}
