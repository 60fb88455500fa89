/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "registry/sandbox.h"

/* Each in a child that has entered the sandbox: true is what is wanted. */
static bool internet(void) {
        return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 && socket(AF_INET6, SOCK_DGRAM, 0) >= 0;
}

static bool no_unix_socket(void) {
        return socket(AF_UNIX, SOCK_STREAM, 0) < 0 && socket(AF_PACKET, SOCK_RAW, 0) < 0;
}

static bool no_execution(void) {
        char *argv[] = { (char *) "true", NULL };

        (void) execv("/bin/true", argv);
        return errno == ENOSYS;
}

static bool no_process(void) {
        return fork() < 0 && kill(getppid(), 0) < 0;
}

static bool no_code(void) {
        return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static bool no_writing(void) {
        return open("/tmp/sdpod-test-x", O_WRONLY | O_CREAT, 0600) < 0 && mkdir("/tmp/sdpod-test-x", 0700) < 0 && unlink("/tmp/x") < 0;
}

static bool no_reading(void) {
        return open("/etc/passwd", O_RDONLY) < 0;
}

static bool names(void) {
        struct addrinfo *found;

        return open("/etc/hosts", O_RDONLY) >= 0 && getaddrinfo("localhost", "80", NULL, &found) == 0;
}

static bool no_core(void) {
        return syscall(SYS_prctl, 3 /* PR_GET_DUMPABLE */) != 1;
}

static void check(bool (*run)(void)) {
        pid_t pid = fork();
        int status;

        if (pid == 0)
                _exit(fetcher_sandbox(NULL) < 0 ? 9 : !run());
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status));
        CHECK_INT(WEXITSTATUS(status), 0);
}

TEST(what_is_left) {
        check(internet);
        check(names);
}

TEST(what_is_gone) {
        check(no_unix_socket);
        check(no_execution);
        check(no_process);
        check(no_code);
        check(no_writing);
        check(no_core);
}

TEST(files_of_the_user) {
        if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1)
                SKIP("this kernel has no Landlock");
        check(no_reading);
}
