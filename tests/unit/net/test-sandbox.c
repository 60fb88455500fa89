/* SPDX-License-Identifier: Apache-2.0 */
/* What the sandbox leaves, tried from inside. The child reports by its exit status, as it can do little else. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/test.h"
#include "net/sandbox.h"

enum { NO_NAMESPACES = 77 };

/* Runs `attempt` in the sandbox; 0 is success, else what it returned. */
static int in_sandbox(int (*attempt)(DnsSource *dns)) {
        int status = 0;

        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
                NetConfig config = NET_CONFIG_NULL;
                DnsSource dns = DNS_SOURCE_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                if (dns_source_open(&config, &dns, &error) < 0 || sandbox_enter(&dns, &error) < 0)
                        _exit(NO_NAMESPACES);
                if (sandbox_lock(&dns, &error) < 0)
                        _exit(78);
                _exit(attempt(&dns));
        }
        if (waitpid(pid, &status, 0) != pid)
                return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define CHECK_SANDBOX(attempt)                                       \
        do {                                                         \
                int _r = in_sandbox(attempt);                        \
                if (_r == NO_NAMESPACES)                             \
                        SKIP("user namespaces cannot be made here"); \
                CHECK_INT(_r, 0);                                    \
        } while (0)

/* Fails the attempt with the line's number (as far as an exit status goes) unless the call is refused. */
#define REFUSED(call)                                                \
        do {                                                         \
                errno = 0;                                           \
                if ((long) (call) != -1 || errno != EPERM)           \
                        return __LINE__ % 120 + 1;                   \
        } while (0)
#define ALLOWED(call)                                                \
        do {                                                         \
                if ((long) (call) < 0)                               \
                        return __LINE__ % 120 + 1;                   \
        } while (0)

static int try_processes(DnsSource *dns) {
        char *const argv[] = { (char *) "/bin/true", NULL };

        (void) dns;
        REFUSED(execve("/bin/true", argv, NULL));
        REFUSED(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
        REFUSED(kill(getppid(), 0));
        REFUSED(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
        REFUSED(unshare(CLONE_NEWUSER));
        REFUSED(setns(0, 0));
        REFUSED(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
        return 0;
}

TEST(no_processes) {
        CHECK_SANDBOX(try_processes);
}

static int try_sockets(DnsSource *dns) {
        (void) dns;
        REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
        REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
        REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
        REFUSED(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ALLOWED(fd);
        REFUSED(listen(fd, 1));
        ALLOWED(socket(AF_INET6, SOCK_DGRAM, 0));
        return 0;
}

TEST(internet_sockets_that_do_not_listen) {
        CHECK_SANDBOX(try_sockets);
}

static int try_memory(DnsSource *dns) {
        void *page = (void *) ((uintptr_t) dns->name & ~(uintptr_t) 4095);

        REFUSED(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        REFUSED(mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
        REFUSED(mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        REFUSED(mprotect(page, 4096, PROT_READ | PROT_WRITE));
        REFUSED(munmap(page, 4096));
        REFUSED(madvise(page, 4096, MADV_DONTNEED));
        REFUSED(mremap(page, 4096, 8192, MREMAP_MAYMOVE));
        void *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (own == MAP_FAILED)
                return __LINE__ % 120 + 1;
        REFUSED(mremap(own, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, page));
        ALLOWED(munmap(own, 4096));
        return 0;
}

TEST(memory_that_stays_what_it_is) {
        CHECK_SANDBOX(try_memory);
}

static int try_files(DnsSource *dns) {
        char copy[64] = "resolv.conf";
        struct stat st;

        if (dns->dir_fd >= 0 && dns->name) {
                int fd = openat(dns->dir_fd, dns->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

                if (fd < 0 && errno == EPERM)
                        return __LINE__ % 120 + 1;
                (void) snprintf(copy, sizeof(copy), "%s", dns->name);
                /* the same name, but not the same memory */
                REFUSED(openat(dns->dir_fd, copy, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
                REFUSED(openat(dns->dir_fd, dns->name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
                REFUSED(openat(dns->dir_fd, "../etc/passwd", O_RDONLY));
                REFUSED(syscall(SYS_newfstatat, dns->dir_fd, "..", &st, 0));
        }
        ALLOWED(open("/etc/resolv.conf", O_RDONLY));
        REFUSED(open("/etc/resolv.conf", O_WRONLY));
        REFUSED(open("/etc/new", O_RDWR | O_CREAT, 0600));
        if (open("/etc/passwd", O_RDONLY) >= 0 || open("/proc/self/mem", O_RDONLY) >= 0)
                return __LINE__ % 120 + 1;
        REFUSED(mkdir("/x", 0700));
        REFUSED(chdir("/"));
        REFUSED(fchdir(dns->dir_fd));
        REFUSED(dup2(0, dns->dir_fd));
        return 0;
}

TEST(one_file) {
        CHECK_SANDBOX(try_files);
}

TEST(the_filter_needs_what_the_tests_try) {
        /* the same attempts outside: so the refusals above are the sandbox's */
        CHECK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
        CHECK_INT(kill(getppid(), 0), 0);
        CHECK(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
}
