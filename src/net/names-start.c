/* SPDX-License-Identifier: Apache-2.0 */
/* Starts dnsmasq, and waits until it answers. */
#include "net/names.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "base/wire.h"
#include "net/names-sandbox.h"
#include "net/names-files.h"
#include "ns/visit.h"

enum {
        START_MSEC = 20000, /* a machine that is busy; it takes some milliseconds */
        TEXT_LIMIT = 64 * 1024,
        FORWARDED_AT_ONCE = 1000,
};

typedef struct Start {
        const NamesRequest *request;
        NamesSandbox sandbox;
        int directory_fd;  /* the network's */
        int watch_fd;      /* inotify(7) */
        int ours, theirs;  /* a socket pair: a byte as the word to go, a result where the start failed */
        pid_t pid;
        int pidfd;
} Start;

static int append(char ***argv, char *owned) {
        return strv_consume(argv, owned);
}

/* Nobody else is asked for names of our own domain, for addresses of the network, and for names without a dot (--domain-needed); of an
 * internal network for nothing at all ("#" is every name). */
static int add_servers(char ***argv, const NamesRequest *request) {
        const NetworkConfig *network = request->network;
        char *const *servers = network->network_dns_servers && *network->network_dns_servers ? network->network_dns_servers : request->upstream;
        int r = append(argv, strdup("--local=/" NAMES_DOMAIN "/"));

        for (size_t i = 0; i < network->n_subnets && r >= 0; i++)
                r = append(argv, str_format("--rev-server=%s", network->subnets[i].subnet));
        if (network->internal || !servers || !*servers)
                return r < 0 ? r : append(argv, strdup("--local=/#/"));
        for (char *const *s = servers; *s && r >= 0; s++)
                r = append(argv, str_format("--server=%s", *s));
        return r;
}

static char **arguments_of(const NamesRequest *request) {
        static const char *const fixed[] = {
                "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=root", "--group=root", "--log-facility=/dev/null",
                "--no-hosts", "--no-resolv", "--hostsdir=/names", "--bind-dynamic", "--except-interface=lo", "--domain-needed",
                /* nothing is kept: a name may come and go, and what one container asked another shall not find out by the time it takes */
                "--cache-size=0", "--no-negcache", "--edns-packet-max=1232",
        };
        _cleanup_strv_ char **argv = NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(fixed) && r >= 0; i++)
                r = strv_append(&argv, fixed[i]);
        if (r >= 0)
                r = append(&argv, str_format("--dns-forward-max=%d", FORWARDED_AT_ONCE));
        if (r >= 0)
                r = append(&argv, str_format("--interface=%s", request->interface));
        if (r >= 0)
                r = add_servers(&argv, request);
        return r < 0 ? NULL : TAKE_PTR(argv);
}

static int open_program(const char *path, Error *reterr) {
        static const char *const paths[] = { "/usr/sbin/dnsmasq", "/usr/bin/dnsmasq", "/usr/local/sbin/dnsmasq" };
        int fd = -EBADF;

        if (path)
                fd = open(path, O_PATH | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(paths) && fd < 0 && !path; i++)
                fd = open(paths[i], O_PATH | O_CLOEXEC);
        if (fd >= 0)
                return fd;
        return error_with_hint(reterr, error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot start dnsmasq: it is not installed"),
                               "it answers the names of containers (package dnsmasq-base); a network made with --disable-dns needs none");
}

/* The starter's side of the maps: nobody is nobody outside, too; where the user has no such ID, it is the user. */
static int write_maps(pid_t pid, Error *reterr) {
        static const char *const files[] = { "uid_map", "gid_map" };
        const unsigned own[] = { geteuid(), getegid() };
        char path[48], line[64];

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                (void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
                (void) snprintf(line, sizeof(line), "%d %d 1\n", NAMES_UID, NAMES_UID);
                int r = file_write_string(AT_FDCWD, path, line);
                if (r == -EPERM) {
                        (void) snprintf(line, sizeof(line), "%d %u 1\n", NAMES_UID, own[i]);
                        r = file_write_string(AT_FDCWD, path, line);
                }
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot map the user of dnsmasq");
        }
        return 0;
}

_noreturn_ static void child(const Start *start) {
        _cleanup_error_ Error error = ERROR_NULL;
        char word;

        (void) fd_close(start->ours);
        if (read(start->theirs, &word, 1) != 1)
                _exit(1);
        int r = names_sandbox_exec(&start->sandbox, &error);
        (void) wire_send_result(start->theirs, r, &error);
        _exit(1);
}

/* Runs as root of the router's user namespace, in its network namespace, sharing memory and descriptors with the caller. The child is the
 * caller's (CLONE_PARENT). */
static int start_inside(void *data, Error *reterr) {
        Start *start = data;
        struct clone_args args = {
                .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PIDFD | CLONE_PARENT,
                .pidfd = (uint64_t) (uintptr_t) &start->pidfd,
        };

        int r = file_write_string(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
        if (r < 0)
                return error_set_errno(reterr, r, "cannot open port 53 of the router's namespace");
        long pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0)
                child(start);
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot make the namespaces of dnsmasq");
        start->pid = (pid_t) pid;
        r = write_maps(start->pid, reterr);
        if (r >= 0 && write(start->ours, "", 1) != 1)
                r = error_set_errno(reterr, -errno, "cannot start dnsmasq");
        return r;
}

/* What dnsmasq said before it ended: its last line, without its own name in front. */
static int explain(const Start *start, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        const char *reason = "it ended at once";

        if (lseek(start->sandbox.stderr_fd, 0, SEEK_SET) == 0 && io_read_all(start->sandbox.stderr_fd, TEXT_LIMIT, &text, /* ret_size= */ NULL) >= 0) {
                const char *colon = strstr(text, ": ");

                text[strcspn(text + strspn(text, "\n"), "\n") + strspn(text, "\n")] = '\0';
                if (colon && colon[2])
                        reason = colon + 2;
        }
        return error_set(reterr, -EIO, ERROR_INTERNAL, "cannot start dnsmasq for network '%s': %s", start->request->network->name, reason);
}

/* dnsmasq binds its sockets, then looks into its directory: that is when queries do not get lost any more. */
static int wait_ready(const Start *start, Error *reterr) {
        struct pollfd fds[] = { { .fd = start->watch_fd, .events = POLLIN }, { .fd = start->pidfd, .events = POLLIN } };
        struct pollfd answer = { .fd = start->ours, .events = POLLIN };
        char byte;

        /* the result, or the end of the socket by the exec */
        if (RETRY_EINTR(poll(&answer, 1, START_MSEC)) == 1 && recv(start->ours, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
                return wire_receive_result(start->ours, reterr);
        long n = RETRY_EINTR(poll(fds, ELEMENTSOF(fds), START_MSEC));
        if (n < 0)
                return error_set_errno(reterr, -errno, "cannot wait for dnsmasq");
        if (fds[0].revents)
                return 0;
        return n > 0 ? explain(start, reterr)
                     : error_set(reterr, -ETIMEDOUT, ERROR_INTERNAL, "cannot start dnsmasq for network '%s': it does not begin to answer", start->request->network->name);
}

static int prepare(Start *start, Error *reterr) {
        char link[48];
        struct stat st;
        int pair[2];

        start->directory_fd = names_open_directory(start->request->directory_fd, start->request->network->name);
        if (start->directory_fd < 0 || fstat(start->directory_fd, &st) < 0)
                return error_set_errno(reterr, start->directory_fd < 0 ? start->directory_fd : -errno, "cannot open the directory of names");
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", start->directory_fd);
        start->sandbox.directory = realpath(link, /* resolved= */ NULL);
        start->sandbox.argv = arguments_of(start->request);
        if (!start->sandbox.directory || !start->sandbox.argv)
                return error_oom(reterr);
        start->sandbox.device = st.st_dev;
        start->sandbox.inode = st.st_ino;
        start->sandbox.program_fd = open_program(start->request->program, reterr);
        if (start->sandbox.program_fd < 0)
                return start->sandbox.program_fd;
        start->sandbox.stderr_fd = io_memfd("dnsmasq", "", 0);
        start->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (start->sandbox.stderr_fd < 0 || start->watch_fd < 0 || inotify_add_watch(start->watch_fd, link, IN_ACCESS | IN_ONLYDIR) < 0)
                return error_set_errno(reterr, -errno, "cannot watch the directory of names");
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make a socket pair");
        start->ours = pair[0];
        start->theirs = pair[1];
        return 0;
}

static void start_done(Start *start) {
        (void) fd_close(start->directory_fd);
        (void) fd_close(start->watch_fd);
        (void) fd_close(start->ours);
        (void) fd_close(start->theirs);
        (void) fd_close(start->sandbox.program_fd);
        (void) fd_close(start->sandbox.stderr_fd);
        free((char *) start->sandbox.directory);
        strv_free((char **) start->sandbox.argv);
        if (start->pid > 0 && start->pidfd >= 0) {
                (void) process_signal(start->pidfd, SIGKILL);
                (void) process_reap(start->pid);
        }
        (void) fd_close(start->pidfd);
}

int names_start(const NamesRequest *request, Names *ret, Error *reterr) {
        _cleanup_(start_done) Start start = {
                .request = request,
                .sandbox = { .program_fd = -EBADF, .stderr_fd = -EBADF },
                .directory_fd = -EBADF,
                .watch_fd = -EBADF,
                .ours = -EBADF,
                .theirs = -EBADF,
                .pidfd = -EBADF,
        };

        int r = prepare(&start, reterr);
        if (r >= 0)
                r = ns_visit(request->userns_fd, request->netns_fd, start_inside, &start, reterr);
        start.theirs = fd_close(start.theirs);
        if (r >= 0)
                r = wait_ready(&start, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot answer the names of network '%s'", request->network->name);
        *ret = (Names){ .pid = start.pid, .pidfd = TAKE_FD(start.pidfd) };
        return 0;
}

void names_done(Names *names) {
        names->pidfd = fd_close(names->pidfd);
}
