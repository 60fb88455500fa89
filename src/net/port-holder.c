/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the process behind a taken port: the socket's inode from /proc/net, then its owner among /proc/PID/fd (proc(5)). */
#include "net/port-holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/str.h"

enum { TABLE_LIMIT = 4 * 1024 * 1024, STATE_LISTEN = 0x0a };

typedef struct Socket {
        uint64_t inode;
        uint32_t uid;
} Socket;

/* One line of /proc/net/tcp and its like: "sl: ADDRESS:PORT REMOTE:PORT STATE tx:rx tr:when retrnsmt UID timeout INODE". */
static bool parse_line(const char *line, bool tcp, uint16_t port, Socket *ret) {
        unsigned found, state, uid;
        uint64_t inode;

        if (sscanf(line, " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %u %*u %" SCNu64, &found, &state, &uid,
                   &inode) != 4)
                return false;
        if (found != port || (tcp && state != STATE_LISTEN) || inode == 0)
                return false;
        *ret = (Socket){ .inode = inode, .uid = uid };
        return true;
}

static bool find_socket(int family, bool tcp, uint16_t port, Socket *ret) {
        _cleanup_free_ char *text = NULL;
        char path[32];

        (void) snprintf(path, sizeof(path), "/proc/net/%s%s", tcp ? "tcp" : "udp", family == AF_INET ? "" : "6");
        if (file_read(AT_FDCWD, path, TABLE_LIMIT, &text, /* ret_size= */ NULL) < 0)
                return false;
        for (char *line = text, *next; line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                if (parse_line(line, tcp, port, ret))
                        return true;
        }
        return false;
}

/* Whether the process has the socket among its descriptors. */
static bool process_has_socket(uint32_t pid, const char *wanted) {
        char path[64], target[64];
        bool found = false;

        (void) snprintf(path, sizeof(path), "/proc/%u/fd", pid);
        DIR *dir = opendir(path);
        if (!dir)
                return false;
        for (struct dirent *e; !found && (e = readdir(dir));) {
                ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);

                if (n > 0) {
                        target[n] = '\0';
                        found = str_equal(target, wanted);
                }
        }
        (void) closedir(dir);
        return found;
}

/* Whether the process has this one's network: each has tables of its own below /proc/PID/net, which can be looked at where
 * /proc/PID/ns cannot. */
static bool shares_network(uint32_t pid) {
        struct stat own, other;
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%u/net/tcp", pid);
        return stat("/proc/thread-self/net/tcp", &own) >= 0 && stat(path, &other) >= 0 && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

/* sdpod-net says in its arguments whose ports it holds, as nobody can look at its descriptors. NULL if it is not one that
 * holds this port. */
static char *describe_helper(uint32_t pid, bool tcp, uint16_t port) {
        _cleanup_free_ char *arguments = NULL;
        char path[64], wanted[32];
        const char *name = NULL;
        size_t size = 0, at;
        bool holds = false;

        (void) snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
        if (file_read(AT_FDCWD, path, 65536, &arguments, &size) < 0 || !str_has_suffix(arguments, "/sdpod-net"))
                return NULL;
        (void) snprintf(wanted, sizeof(wanted), "--publish=%u/%s", port, tcp ? "tcp" : "udp");
        for (at = 0; at < size; at += strlen(arguments + at) + 1) {
                holds = holds || str_equal(arguments + at, wanted);
                name = str_after(arguments + at, "--name=") ?: name;
        }
        if (!holds || !shares_network(pid))
                return NULL;
        return name ? str_format("container '%s'", name) : str_format("a container (process %u)", pid);
}

static char *describe(uint32_t pid) {
        _cleanup_free_ char *command = NULL;
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%u/comm", pid);
        if (file_read(AT_FDCWD, path, 256, &command, /* ret_size= */ NULL) < 0)
                return NULL;
        command[strcspn(command, "\n")] = '\0';
        return str_format("'%s' (process %u)", command, pid);
}

char *port_holder_find(int family, bool tcp, uint16_t port) {
        char wanted[64], *holder = NULL;
        Socket found;

        /* a dual-stack IPv6 socket is in the way of IPv4 too */
        if (!find_socket(family, tcp, port, &found) && !find_socket(family == AF_INET ? AF_INET6 : AF_INET, tcp, port, &found))
                return NULL;
        (void) snprintf(wanted, sizeof(wanted), "socket:[%" PRIu64 "]", found.inode);
        DIR *dir = opendir("/proc");
        if (!dir)
                return NULL;
        for (struct dirent *e; !holder && (e = readdir(dir));) {
                uint32_t pid;

                if (parse_u32(e->d_name, &pid) < 0)
                        continue;
                holder = process_has_socket(pid, wanted) ? describe(pid) : describe_helper(pid, tcp, port);
        }
        (void) closedir(dir);
        if (!holder && found.uid != getuid())
                return strdup("another user's process");
        return holder;
}
