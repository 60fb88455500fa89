/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "bpf.h"
#include "proc/caps.h"
#include "proc/seccomp.h"

#if defined(__x86_64__)
enum { NATIVE = AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { NATIVE = AUDIT_ARCH_AARCH64 };
#endif

static char directory[] = "/tmp/sdpod-test-XXXXXX", *profile_path;

static int open_directory(void) {
        if (!profile_path) {
                CHECK(mkdtemp(directory));
                profile_path = str_format("%s/profile.json", directory);
        }
        return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int prepare(const char *text, uint64_t caps, bool keep, SeccompFilter *ret, Error *reterr) {
        _cleanup_fd_ int fd = open_directory();

        CHECK_INT(file_write_atomic(fd, "profile.json", text, strlen(text), 0644, FILE_VOLATILE), 0);
        return seccomp_prepare(&(SeccompRequest){ .profile = profile_path, .capabilities = caps, .data_fd = keep ? fd : -EBADF }, ret, reterr);
}

static uint32_t verdict(const SeccompFilter *filter, int nr, uint64_t a0, uint64_t a1) {
        return bpf_run(filter->code, filter->n_code, &(struct seccomp_data){ .arch = NATIVE, .nr = nr, .args = { a0, a1 } });
}

static const char usual[] =
        "{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrno\": \"ENOSYS\", \"comment\": \"x\","
        "  \"archMap\": [ { \"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": [ \"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\" ] },"
        "                 { \"architecture\": \"SCMP_ARCH_AARCH64\", \"subArchitectures\": [ \"SCMP_ARCH_ARM\" ] },"
        "                 { \"architecture\": \"SCMP_ARCH_S390X\", \"subArchitectures\": [ \"SCMP_ARCH_S390\" ] } ],"
        "  \"syscalls\": ["
        "    { \"names\": [ \"read\", \"no_such_call_yet\" ], \"action\": \"SCMP_ACT_ALLOW\" },"
        "    { \"names\": [ \"write\" ], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 5 },"
        "    { \"name\": \"close\", \"action\": \"SCMP_ACT_ERRNO\", \"errno\": \"EBADF\" },"
        "    { \"names\": [ \"chroot\" ], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"caps\": [ \"CAP_SYS_CHROOT\" ] } },"
        "    { \"names\": [ \"chroot\" ], \"action\": \"SCMP_ACT_ERRNO\", \"excludes\": { \"caps\": [ \"CAP_SYS_CHROOT\" ] } },"
        "    { \"names\": [ \"kill\" ], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"arches\": [ \"s390x\" ] } },"
        "    { \"names\": [ \"getpid\" ], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"minKernel\": \"4.8\" } },"
        "    { \"names\": [ \"getppid\" ], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"minKernel\": \"99.0\" } },"
        "    { \"names\": [ \"dup\" ], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [ { \"index\": 0, \"value\": 7, \"op\": \"SCMP_CMP_EQ\" },"
        "        { \"index\": 0, \"value\": 8, \"op\": \"SCMP_CMP_EQ\" } ] },"
        "    { \"names\": [ \"dup3\" ], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [ { \"index\": 0, \"value\": 240, \"valueTwo\": 16, \"op\": \"SCMP_CMP_MASKED_EQ\" },"
        "        { \"index\": 1, \"value\": 8, \"op\": \"SCMP_CMP_GT\" } ] },"
        "    { \"names\": [ \"fsync\" ], \"action\": \"SCMP_ACT_KILL_PROCESS\", \"args\": null } ] }";

static void check_usual(const SeccompFilter *filter) {
        const uint32_t otherwise = SECCOMP_RET_ERRNO | ENOSYS;

        CHECK_INT(verdict(filter, SYS_read, 0, 0), SECCOMP_RET_ALLOW);
        CHECK_INT(verdict(filter, SYS_write, 0, 0), SECCOMP_RET_ERRNO | 5);
        CHECK_INT(verdict(filter, SYS_close, 0, 0), SECCOMP_RET_ERRNO | EBADF);
        CHECK_INT(verdict(filter, SYS_chroot, 0, 0), SECCOMP_RET_ALLOW);
        CHECK_INT(verdict(filter, SYS_kill, 0, 0), otherwise);
        CHECK_INT(verdict(filter, SYS_getpid, 0, 0), SECCOMP_RET_ALLOW);
        CHECK_INT(verdict(filter, SYS_getppid, 0, 0), otherwise);
        CHECK_INT(verdict(filter, SYS_dup, 7, 0), SECCOMP_RET_ALLOW);
        CHECK_INT(verdict(filter, SYS_dup, 8, 0), SECCOMP_RET_ALLOW);
        CHECK_INT(verdict(filter, SYS_dup, 9, 0), otherwise);
        CHECK_INT(verdict(filter, SYS_dup3, 0x1f, 9), SECCOMP_RET_ALLOW);
        CHECK_INT(verdict(filter, SYS_dup3, 0x1f, 8), otherwise);
        CHECK_INT(verdict(filter, SYS_dup3, 0x2f, 9), otherwise);
        CHECK_INT(verdict(filter, SYS_fsync, 0, 0), SECCOMP_RET_KILL_PROCESS);
        CHECK_INT(verdict(filter, SYS_openat, 0, 0), otherwise);
}

TEST(a_profile_means_what_it_says) {
        _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL, none = SECCOMP_FILTER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        int r = prepare(usual, CAPS_BIT(CAP_SYS_CHROOT), false, &filter, &error);

        if (r < 0)
                test_note("%s", error.message);
        CHECK_INT(r, 0);
        check_usual(&filter);
        CHECK_INT(prepare(usual, 0, false, &none, NULL), 0);
        CHECK_INT(verdict(&none, SYS_chroot, 0, 0), SECCOMP_RET_ERRNO | EPERM);
}

TEST(what_is_kept_is_the_same_and_is_checked) {
        _cleanup_seccomp_filter_ SeccompFilter first = SECCOMP_FILTER_NULL, again = SECCOMP_FILTER_NULL, other = SECCOMP_FILTER_NULL,
                                               damaged = SECCOMP_FILTER_NULL;
        _cleanup_fd_ int fd = open_directory(), dir = -EBADF;
        _cleanup_free_ char *kept = NULL, *listing = NULL, *path = NULL;
        struct stat st;
        size_t size;
        FILE *ls;
        char name[32];

        (void) path_remove_tree(fd, "seccomp");
        CHECK_INT(prepare(usual, CAPS_BIT(CAP_SYS_CHROOT), true, &first, NULL), 0);
        CHECK_INT(fstatat(fd, "seccomp", &st, 0), 0);
        CHECK_INT(st.st_mode & 07777, 0700);
        path = str_format("ls %s/seccomp", directory);
        ls = popen(path, "r");
        CHECK_INT(fscanf(ls, "%31s", name), 1);
        pclose(ls);
        CHECK_INT(prepare(usual, CAPS_BIT(CAP_SYS_CHROOT), true, &again, NULL), 0);
        check_usual(&again);
        CHECK_INT(again.n_code, first.n_code);
        CHECK_INT(prepare(usual, 0, true, &other, NULL), 0); /* another set is another filter */
        CHECK_INT(verdict(&other, SYS_chroot, 0, 0), SECCOMP_RET_ERRNO | EPERM);
        dir = openat(fd, "seccomp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_INT(file_read(dir, name, 1 << 20, &kept, &size), 0);
        for (size_t i = 0; i < size; i += 7) { /* a damaged file is never used */
                _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL;

                kept[i] ^= 1;
                CHECK_INT(file_write_atomic(dir, name, kept, size, 0600, FILE_VOLATILE), 0);
                kept[i] ^= 1;
                CHECK_INT(prepare(usual, CAPS_BIT(CAP_SYS_CHROOT), true, &filter, NULL), 0);
                CHECK(filter.n_code == first.n_code && memcmp(filter.code, first.code, first.n_code * sizeof(*first.code)) == 0);
        }
        CHECK_INT(file_write_atomic(dir, name, kept, size - 8, 0600, FILE_VOLATILE), 0);
        CHECK_INT(prepare(usual, CAPS_BIT(CAP_SYS_CHROOT), true, &damaged, NULL), 0);
        check_usual(&damaged);
}

TEST(what_is_not_understood_is_refused) {
        static const char *const rows[] = {
                "", "[]", "{", "{}", "{ \"defaultAction\": \"SCMP_ACT_ALOW\" }", "{ \"defaultAction\": 1 }",
                "{ \"defaultAction\": \"SCMP_ACT_NOTIFY\" }", "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"sycalls\": [] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": {} }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [ {} ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [ \"SCMP_ARCH_PDP11\" ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": \"SCMP_ARCH_X86_64\" }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"archMap\": [ { \"architecture\": \"SCMP_ARCH_NONE\" } ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [ \"SECCOMP_FILTER_FLAG_FUTURE\" ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"/x\" }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"defaultAction\": \"SCMP_ACT_KILL\" }",
                "{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 70000 }",
                "{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrno\": \"ENOTHING\" }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [ { \"names\": [ \"read\" ], \"action\": \"SCMP_ACT_WRONG\" } ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [ { \"names\": [ 1 ], \"action\": \"SCMP_ACT_KILL\" } ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [ { \"names\": [ \"read\" ], \"name\": \"x\", \"action\": \"SCMP_ACT_KILL\" } ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [ { \"names\": [ \"read\" ], \"action\": \"SCMP_ACT_KILL\", \"args\": [ { \"index\": 6, \"value\": 1, \"op\": \"SCMP_CMP_EQ\" } ] } ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [ { \"names\": [ \"read\" ], \"action\": \"SCMP_ACT_KILL\", \"args\": [ { \"index\": 0, \"value\": \"1\", \"op\": \"SCMP_CMP_EQ\" } ] } ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [ { \"names\": [ \"read\" ], \"action\": \"SCMP_ACT_KILL\", \"args\": [ { \"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_LIKE\" } ] } ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [ { \"names\": [ \"read\" ], \"action\": \"SCMP_ACT_KILL\", \"includes\": { \"caps\": [ \"CAP_FLY\" ] } } ] }",
                "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [ { \"names\": [ \"read\" ], \"action\": \"SCMP_ACT_KILL\", \"includes\": { \"minKernel\": \"new\" } } ] }",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                int r = prepare(rows[i], 0, false, &filter, &error);

                if (r >= 0)
                        test_note("let through: %s", rows[i]);
                CHECK(r < 0 && error.message);
        }
}

TEST(files_that_are_no_profile) {
        _cleanup_fd_ int fd = open_directory();
        _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL;
        _cleanup_free_ char *fifo = str_format("%s/fifo", directory);

        CHECK_INT(mkfifoat(fd, "fifo", 0600), 0);
        CHECK_INT(seccomp_prepare(&(SeccompRequest){ .profile = fifo, .data_fd = -EBADF }, &filter, NULL), -EINVAL);
        CHECK_INT(seccomp_prepare(&(SeccompRequest){ .profile = "/dev/zero", .data_fd = -EBADF }, &filter, NULL), -EINVAL);
        CHECK_INT(seccomp_prepare(&(SeccompRequest){ .profile = "/no/such/profile", .data_fd = -EBADF }, &filter, NULL), -ENOENT);
        CHECK_INT(seccomp_prepare(&(SeccompRequest){ .profile = "/no/such/profile", .data_fd = -EBADF, .privileged = true }, &filter, NULL), -ENOENT);
        CHECK_INT(seccomp_prepare(&(SeccompRequest){ .profile = "unconfined", .data_fd = -EBADF }, &filter, NULL), 0);
        CHECK(!seccomp_filter_is_set(&filter));
        CHECK_INT(seccomp_prepare(&(SeccompRequest){ .profile = profile_path, .data_fd = -EBADF,
                                                     .openings = SECURITY_OPENING_BIT(SECURITY_OPENING_KEYRING) }, &filter, NULL), -EINVAL);
}

TEST(zz_clean_up) {
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}
