/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the registered tests of one program and prints TAP. */
#include "base/test.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

Test *test_first;
jmp_buf test_failed;
const char *test_skipped;

static int n, failed; /* static: a longjmp must not lose them */

void test_note(const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&text, format, ap) < 0)
                text = NULL;
        va_end(ap);
        for (const char *line = text ?: "out of memory"; *line;) {
                size_t length = strcspn(line, "\n");

                printf("# %.*s\n", (int) length, line);
                line += length + (line[length] ? 1 : 0);
        }
}

enum { TOGETHER_SEC = 120, KILLED = 256 };

void test_together(size_t n_processes, int (*run)(size_t i, void *data), void *data, int results[]) {
        _cleanup_free_ pid_t *pids = calloc(n_processes, sizeof(*pids));
        int gate[2];

        CHECK(pids);
        CHECK_INT(pipe(gate), 0);
        for (size_t i = 0; i < n_processes; i++) {
                pids[i] = fork();
                if (pids[i] == 0) {
                        char byte;

                        (void) close(gate[1]);
                        (void) !read(gate[0], &byte, 1);
                        (void) alarm(TOGETHER_SEC);
                        _exit(run(i, data));
                }
        }
        (void) close(gate[0]);
        (void) close(gate[1]); /* they begin */
        for (size_t i = 0; i < n_processes; i++) {
                int status = -1;

                CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
                results[i] = WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
        }
}

int main(void) {
        for (Test *t = test_first; t; t = t->next)
                n++;
        printf("1..%d\n", n);
        n = 0;
        for (Test *t = test_first; t; t = t->next) {
                test_skipped = NULL;
                if (setjmp(test_failed) == 0) {
                        t->run();
                        printf("ok %d - %s\n", ++n, t->name);
                } else if (test_skipped)
                        printf("ok %d - %s # SKIP %s\n", ++n, t->name, test_skipped);
                else {
                        printf("not ok %d - %s\n", ++n, t->name);
                        failed = 1;
                }
                fflush(stdout);
        }
        return failed;
}
