/* SPDX-License-Identifier: Apache-2.0 */
/* peak FILE CMD...: runs it, and writes to the file the largest resident memory, in kB, that one of its processes had. It is a
 * program of its own because a process begins with the peak of the one that it was forked from. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
        struct rusage usage;
        int status;

        if (argc < 3)
                return 125;
        pid_t pid = vfork();
        if (pid == 0) {
                execv(argv[2], argv + 2);
                _exit(127);
        }
        if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
                return 125;
        FILE *file = fopen(argv[1], "we");
        if (!file || fprintf(file, "%ld\n", usage.ru_maxrss) < 0 || fclose(file) != 0)
                return 125;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
