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
        char port_start[16]; /* the lowest port that everybody may bind, before */
        int watch_fd;      /* inotify(7) */
        int ours, theirs;  /* a socket pair: a byte as the word to go, a result where the start failed */
        pid_t pid;
        int pidfd;
} Start;

static int append(char ***argv, char *owned) {
        return strv_consume(argv, owned);
}

static bool is_internal(const NamesRequest *request) {
        for (size_t i = 0; i < request->n_networks; i++)
                if (!request->networks[i]->internal)
                        return false;
        return true;
}

/* Nobody else is asked for names of our own domain, for addresses of the networks, and for names without a dot (--domain-needed); but
 * for the peers. */
static int add_own_domains(char ***argv, const NamesRequest *request) {
        int r = 0;

        if (!request->peers || !*request->peers)
                r = strv_append(argv, "--domain-needed");
        if (r >= 0)
                r = append(argv, strdup("--local=/" NAMES_DOMAIN "/"));
        for (char *const *peer = request->peers; peer && *peer && r >= 0; peer++) {
                r = append(argv, str_format("--server=/" NAMES_DOMAIN "/%s#%d", *peer, NAMES_PEER_PORT));
                if (r >= 0)
                        r = append(argv, str_format("--server=//%s#%d", *peer, NAMES_PEER_PORT));
        }
        for (size_t i = 0; i < request->n_networks; i++)
                for (size_t k = 0; k < request->networks[i]->n_subnets && r >= 0; k++)
                        r = append(argv, str_format("--rev-server=%s", request->networks[i]->subnets[k].subnet));
        return r;
}

static int add_servers(char ***argv, const NamesRequest *request) {
        int r = add_own_domains(argv, request);

        if (is_internal(request) || !request->upstream || !*request->upstream)
                return r < 0 ? r : strv_append(argv, "--local=/#/"); /* every other name */
        for (char *const *s = request->upstream; *s && r >= 0; s++)
                r = append(argv, str_format("--server=%s", *s));
        return r;
}

/* Without a server a name that is not known is refused, and who asks tries the next one. Where there is only one who asks, and no next
 * one, it is said that there is no such name: that is quicker, and right also for a known name without an address of that family. */
static int add_refusal(char ***argv, const NamesRequest *request) {
        return strv_length(request->peers) > 1 ? 0 : strv_append(argv, "--local=/#/");
}

static int add_listener(char ***argv, const NamesRequest *request) {
        int r;

        if (request->role == NAMES_OF_CONTAINER) {
                r = strv_append(argv, "--bind-interfaces");
                return r < 0 ? r : strv_append(argv, "--listen-address=" NAMES_ADDRESS);
        }
        r = strv_append(argv, "--bind-dynamic");
        if (r >= 0)
                r = strv_append(argv, "--except-interface=lo");
        if (r >= 0)
                r = append(argv, str_format("--interface=%s", request->interface));
        return r >= 0 && request->role == NAMES_FOR_PEERS ? append(argv, str_format("--port=%d", NAMES_PEER_PORT)) : r;
}

static char **arguments_of(const NamesRequest *request) {
        static const char *const fixed[] = {
                "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=root", "--group=root", "--log-facility=/dev/null",
                "--no-hosts", "--no-resolv", "--all-servers",
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
                r = add_listener(&argv, request);
        for (size_t i = 0; i < request->n_networks && r >= 0; i++)
                r = append(&argv, str_format("--hostsdir=/names/%zu", i));
        if (r >= 0)
                r = request->role == NAMES_FOR_PEERS ? add_refusal(&argv, request) : add_servers(&argv, request);
        return r < 0 ? NULL : TAKE_PTR(argv);
}

const char *names_program(void) {
        static const char *const paths[] = { "/usr/sbin/dnsmasq", "/usr/bin/dnsmasq", "/usr/local/sbin/dnsmasq" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (access(paths[i], X_OK) == 0)
                        return paths[i];
        return NULL;
}

static int open_program(const char *path, Error *reterr) {
        int fd = path ? open(path, O_PATH | O_CLOEXEC) : -EBADF;

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

#define PORT_START "/proc/sys/net/ipv4/ip_unprivileged_port_start"

/* dnsmasq has no privilege with which to bind port 53. */
static int open_ports(Start *start) {
        _cleanup_fd_ int fd = open(PORT_START, O_RDONLY | O_CLOEXEC);

        if (fd < 0 || io_read_full(fd, start->port_start, sizeof(start->port_start) - 1) < 0)
                return -errno;
        return file_write_string(AT_FDCWD, PORT_START, "0");
}

/* A container's setting is its own again. */
static int close_ports(void *data, _unused_ Error *reterr) {
        Start *start = data;

        return file_write_string(AT_FDCWD, PORT_START, start->port_start);
}

/* Runs as root of the router's user namespace, in its network namespace, sharing memory and descriptors with the caller. The child is the
 * caller's (CLONE_PARENT). */
static int start_inside(void *data, Error *reterr) {
        Start *start = data;
        struct clone_args args = {
                .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PIDFD | CLONE_PARENT,
                .pidfd = (uint64_t) (uintptr_t) &start->pidfd,
        };

        int r = open_ports(start);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot open port 53 of the network namespace");
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
        return error_set(reterr, -EIO, ERROR_INTERNAL, "cannot start dnsmasq for %s: %s", start->request->subject, reason);
}

/* Whether it has looked into each directory. Watches are numbered from 1. */
static bool all_seen(const Start *start, uint32_t *seen) {
        struct inotify_event event;
        char buffer[4096] __attribute__((aligned(8)));
        ssize_t n = read(start->watch_fd, buffer, sizeof(buffer));

        for (ssize_t at = 0; at + (ssize_t) sizeof(event) <= n; at += (ssize_t) (sizeof(event) + event.len)) {
                memcpy(&event, buffer + at, sizeof(event));
                if (event.wd > 0 && event.wd <= NAMES_NETWORKS_MAX)
                        *seen |= 1U << (event.wd - 1);
        }
        return *seen == (1U << start->sandbox.n_directories) - 1;
}

/* dnsmasq binds its sockets, then looks into its directories: that is when queries do not get lost any more. */
static int wait_ready(const Start *start, Error *reterr) {
        struct pollfd fds[] = { { .fd = start->watch_fd, .events = POLLIN }, { .fd = start->pidfd, .events = POLLIN } };
        struct pollfd answer = { .fd = start->ours, .events = POLLIN };
        uint32_t seen = 0;
        char byte;

        /* the result, or the end of the socket by the exec */
        if (RETRY_EINTR(poll(&answer, 1, START_MSEC)) == 1 && recv(start->ours, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
                return wire_receive_result(start->ours, reterr);
        long n;
        do
                n = RETRY_EINTR(poll(fds, ELEMENTSOF(fds), START_MSEC));
        while (n > 0 && fds[0].revents && !all_seen(start, &seen));
        if (n < 0)
                return error_set_errno(reterr, -errno, "cannot wait for dnsmasq");
        if (fds[0].revents)
                return 0;
        return n > 0 ? explain(start, reterr)
                     : error_set(reterr, -ETIMEDOUT, ERROR_INTERNAL, "cannot start dnsmasq for %s: it does not begin to answer", start->request->subject);
}

static int add_directory(Start *start, const char *network) {
        NamesDirectory *d = &start->sandbox.directories[start->sandbox.n_directories];
        _cleanup_fd_ int fd = names_open_directory(start->request->directory_fd, network);
        char link[48];
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return fd < 0 ? fd : -errno;
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        *d = (NamesDirectory){ .path = realpath(link, /* resolved= */ NULL), .device = st.st_dev, .inode = st.st_ino };
        if (!d->path)
                return -errno;
        start->sandbox.n_directories++;
        return inotify_add_watch(start->watch_fd, link, IN_ACCESS | IN_ONLYDIR) < 0 ? -errno : 0;
}

static int prepare(Start *start, Error *reterr) {
        const NamesRequest *request = start->request;
        int pair[2], r = 0;

        if (request->n_networks == 0 || request->n_networks > NAMES_NETWORKS_MAX)
                return error_set(reterr, -E2BIG, ERROR_UNSUPPORTED, "it is on %zu networks with names, and %d are possible", request->n_networks,
                                 NAMES_NETWORKS_MAX);
        start->sandbox.argv = arguments_of(request);
        if (!start->sandbox.argv)
                return error_oom(reterr);
        start->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (start->watch_fd < 0)
                return error_set_errno(reterr, -errno, "cannot watch the directories of names");
        for (size_t i = 0; i < request->n_networks && r >= 0; i++)
                r = add_directory(start, request->networks[i]->name);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot open the directories of names");
        start->sandbox.program_fd = open_program(request->program ?: names_program(), reterr);
        if (start->sandbox.program_fd < 0)
                return start->sandbox.program_fd;
        start->sandbox.stderr_fd = io_memfd("dnsmasq", "", 0);
        if (start->sandbox.stderr_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start dnsmasq");
        start->ours = pair[0];
        start->theirs = pair[1];
        return 0;
}

static void start_done(Start *start) {
        (void) fd_close(start->watch_fd);
        (void) fd_close(start->ours);
        (void) fd_close(start->theirs);
        (void) fd_close(start->sandbox.program_fd);
        (void) fd_close(start->sandbox.stderr_fd);
        for (size_t i = 0; i < start->sandbox.n_directories; i++)
                free(start->sandbox.directories[i].path);
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
        if (request->role == NAMES_OF_CONTAINER && *start.port_start)
                (void) ns_visit(request->userns_fd, request->netns_fd, close_ports, &start, /* reterr= */ NULL);
        if (r < 0)
                return error_prefix(reterr, r, "cannot answer the names of %s", request->subject);
        *ret = (Names){ .pid = start.pid, .pidfd = TAKE_FD(start.pidfd) };
        return 0;
}

void names_done(Names *names) {
        names->pidfd = fd_close(names->pidfd);
}
