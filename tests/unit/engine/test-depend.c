/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../state/fresh-store.h"
#include "engine/depend.h"

enum { ROUNDS = 3000 };

/* Makes marks as `create --requires` does. 0: each of them had its name when it was there. */
static int mark_again_and_again(const Store *store, const char *needed, char first) {
        for (int i = 0; i < ROUNDS; i++) {
                ContainerConfig config = CONTAINER_CONFIG_NULL;
                _cleanup_dependency_marks_ DependencyMarks marks = {};
                struct stat st;

                config.id = strdup("0000000000000000000000000000000000000000000000000000000000000000");
                config.id[0] = first;
                config.requires = (char *[]){ (char *) needed, NULL };
                if (dependencies_mark(store, &config, &marks, /* reterr= */ NULL) < 0 || marks.n != 1)
                        return 1;
                if (fstat(marks.fds[0], &st) < 0 || st.st_nlink != 1)
                        return 2;
                dependencies_unmark(store, &config);
                free(config.id);
        }
        return 0;
}

/* Looks for marks as `rm` does before it has the lock. */
static int look_again_and_again(const Store *store, const Container *needed) {
        for (int i = 0; i < ROUNDS; i++) {
                int r = dependents_check(store, needed, /* reterr= */ NULL);

                if (r < 0 && r != -EEXIST)
                        return 1;
        }
        return 0;
}

TEST(a_mark_is_there_while_its_container_is_made) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container needed = CONTAINER_NULL;
        pid_t children[5];

        fresh_store(&store);
        CHECK_INT(create_container(&store, "needed", &needed), 0);
        container_unlock(&needed);
        for (size_t i = 0; i < ELEMENTSOF(children); i++) {
                children[i] = fork();
                if (children[i] == 0)
                        _exit(i < 2 ? mark_again_and_again(&store, needed.config.id, (char) ('1' + i)) : look_again_and_again(&store, &needed));
        }
        for (size_t i = 0; i < ELEMENTSOF(children); i++) {
                int status = -1;

                CHECK_INT(waitpid(children[i], &status, 0), children[i]);
                CHECK_INT(WIFEXITED(status) ? WEXITSTATUS(status) : 128, 0);
        }
}
