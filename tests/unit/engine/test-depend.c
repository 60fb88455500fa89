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

typedef struct Race {
        Store store;
        Container needed;
} Race;

static int run_race(size_t i, void *data) {
        const Race *race = data;

        return i < 2 ? mark_again_and_again(&race->store, race->needed.config.id, (char) ('1' + i)) : look_again_and_again(&race->store, &race->needed);
}

TEST(a_mark_is_there_while_its_container_is_made) {
        Race race = { .store = STORE_NULL, .needed = CONTAINER_NULL };
        int results[5];

        fresh_store(&race.store);
        CHECK_INT(create_container(&race.store, "needed", &race.needed), 0);
        container_unlock(&race.needed);
        test_together(ELEMENTSOF(results), run_race, &race, results);
        container_done(&race.needed);
        store_done(&race.store);
        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                CHECK_INT(results[i], 0);
}
