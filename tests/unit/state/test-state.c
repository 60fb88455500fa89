/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/test.h"
#include "state/container.h"
#include "state/name.h"
#include "state/pending.h"

static void fresh_store(Store *store) {
        char name[] = "/tmp/sdpod-state-XXXXXX";
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK(mkdtemp(name));
        _cleanup_free_ char *data = str_format("%s/data", name), *runtime = str_format("%s/run", name);
        CHECK_INT(store_open(data, runtime, store, &error), 0);
}

static int create(Store *store, const char *name, Container *ret) {
        ContainerConfig config = CONTAINER_CONFIG_NULL;

        if (name)
                config.name = strdup(name);
        int r = container_create(store, &config, ret, /* reterr= */ NULL);
        container_config_done(&config);
        return r;
}

TEST(a_name_is_taken_once) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, b = CONTAINER_NULL, c = CONTAINER_NULL;
        _cleanup_strv_ char **ids = NULL;
        _cleanup_free_ char *id = NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "web", &a), 0);
        CHECK_INT(create(&store, "web", &b), -EEXIST);
        CHECK_INT(create(&store, NULL, &c), 0);
        CHECK_INT(container_list(&store, &ids, NULL), 0);
        CHECK_INT(strv_length(ids), 2);
        CHECK_INT(container_find(&store, "web", &id, NULL), 0);
        CHECK_STR(id, a.config.id);
        CHECK_INT(container_delete(&store, &a, NULL, NULL, NULL), 0);
        CHECK_INT(create(&store, "web", &b), 0);
        CHECK_INT(container_find(&store, "../web", &id, NULL), -ENOENT);
}

TEST(a_record_without_a_name_is_no_container) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, b = CONTAINER_NULL;
        _cleanup_strv_ char **ids = NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "web", &a), 0);
        /* as a kill between the removal of the name and that of the record leaves it */
        CHECK_INT(unlinkat(store.data_fd, "names/web", 0), 0);
        CHECK_INT(container_list(&store, &ids, NULL), 0);
        CHECK_INT(strv_length(ids), 0);
        /* a name whose record is gone can be taken */
        CHECK_INT(symlinkat("0123456789012345678901234567890123456789012345678901234567890123", store.data_fd, "names/web"), 0);
        CHECK_INT(create(&store, "web", &b), 0);
}

TEST(running_is_what_the_process_says) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, again = CONTAINER_NULL;
        _cleanup_free_ char *boot_id = NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "web", &a), 0);
        pid_t pid = fork();
        if (pid == 0) {
                (void) pause();
                _exit(0);
        }
        CHECK_INT(file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &boot_id, NULL), 0);
        boot_id[strcspn(boot_id, "\n")] = 0;
        a.process.pid = pid;
        CHECK_INT(process_start_time(pid, &a.process.start_time), 0);
        a.process.boot_id = strdup(boot_id);
        a.state.started_usec = 1;
        CHECK_INT(container_save_state(&a, NULL), 0);
        CHECK_INT(container_save_process(&store, &a, NULL), 0);
        container_unlock(&a);
        CHECK_INT(container_open(&store, "web", &again, NULL), 0);
        CHECK_INT(again.status, CONTAINER_RUNNING);

        /* another process with that pid is not the container */
        a.process.start_time++;
        CHECK_INT(container_save_process(&store, &a, NULL), 0);
        CHECK_INT(container_refresh(&store, &again, NULL), 0);
        CHECK_INT(again.status, CONTAINER_EXITED);
        a.process.start_time--;
        CHECK_INT(container_save_process(&store, &a, NULL), 0);

        CHECK_INT(kill(pid, SIGKILL), 0);
        CHECK_INT(process_reap(pid), 128 + SIGKILL);
        CHECK_INT(container_refresh(&store, &again, NULL), 0);
        CHECK_INT(again.status, CONTAINER_EXITED);
}

TEST(rename_moves_the_name) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, b = CONTAINER_NULL;
        _cleanup_free_ char *id = NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "old", &a), 0);
        CHECK_INT(create(&store, "b", &b), 0);
        CHECK_INT(container_rename(&store, &a, "b", NULL), -EEXIST);
        CHECK_INT(container_rename(&store, &a, "a/b", NULL), -EINVAL);
        CHECK_INT(container_rename(&store, &a, "new", NULL), 0);
        CHECK_INT(container_find(&store, "old", &id, NULL), -ENOENT);
        CHECK_INT(container_find(&store, "new", &id, NULL), 0);
        CHECK_STR(id, a.config.id);
}

TEST(a_runtime_directory_of_others_is_refused) {
        Store store = STORE_NULL;
        char name[] = "/tmp/sdpod-state-XXXXXX";

        CHECK(mkdtemp(name));
        CHECK_INT(chmod(name, 0777), 0);
        CHECK_INT(store_open(name, name, &store, NULL), -EPERM);
}

TEST(a_mark_that_nobody_holds_is_found) {
        _cleanup_store_ Store store = STORE_NULL;
        Container a = CONTAINER_NULL;
        _cleanup_strv_ char **ids = NULL, **none = NULL;
        char id[CONTAINER_ID_LENGTH + 1];

        fresh_store(&store);
        CHECK_INT(create(&store, "web", &a), 0);
        CHECK_INT(pending_list(&store, &ids, NULL), 0);
        CHECK_INT(strv_length(ids), 1);
        CHECK_INT(pending_try(&store, ids[0]), -EAGAIN);
        memcpy(id, a.config.id, sizeof(id));
        container_done(&a); /* as the end of the process does */
        int fd = pending_try(&store, id);
        CHECK(fd >= 0);
        pending_drop(&store, id, &fd);
        CHECK_INT(pending_list(&store, &none, NULL), 0);
        CHECK(!none);
        CHECK_INT(pending_try(&store, id), -ENOENT);
}

TEST(removing_does_not_wait_for_the_holder_of_the_mark) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, b = CONTAINER_NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "web", &a), 0);
        CHECK_INT(container_load(&store, a.config.id, &b, NULL), 0);
        CHECK_INT(container_delete(&store, &b, NULL, NULL, NULL), 0);
        container_settled(&store, &a);
}

TEST(names_of_units_without_their_alias) {
        static const struct {
                const char *alias, *own, *name, *wanted; /* NULL: it stays */
        } rows[] = {
                { "web.container.service", "web.service", "systemd-web.container", "systemd-web" },
                { "web.container.service", "web.service", "web.container", "web" },
                { "web.container.service", "web.service", "web", NULL },
                { "web.service", "web.service", "systemd-web", NULL },
                { "web.container.service", NULL, "systemd-web.container", NULL },
                { NULL, "web.service", "systemd-web.container", NULL },
                { ".service", "web.service", "x", NULL },
                { "other.service", "front.service", "systemd-other-1", "systemd-front-1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *meant = NULL;

                CHECK_INT(name_without_alias(rows[i].name, rows[i].alias, rows[i].own, &meant), 0);
                CHECK_STR(meant, rows[i].wanted);
        }
}
