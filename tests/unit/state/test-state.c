/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/test.h"
#include "fresh-store.h"
#include "state/container.h"
#include "state/name-link.h"
#include "state/name.h"
#include "state/pending.h"

TEST(a_name_is_taken_once) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, b = CONTAINER_NULL, c = CONTAINER_NULL;
        _cleanup_strv_ char **ids = NULL;
        _cleanup_free_ char *id = NULL;

        fresh_store(&store);
        CHECK_INT(create_container(&store, "web", &a), 0);
        CHECK_INT(create_container(&store, "web", &b), -EEXIST);
        CHECK_INT(create_container(&store, NULL, &c), 0);
        CHECK_INT(container_list(&store, &ids, NULL), 0);
        CHECK_INT(strv_length(ids), 2);
        CHECK_INT(container_find(&store, "web", &id, NULL), 0);
        CHECK_STR(id, a.config.id);
        CHECK_INT(container_delete(&store, &a, NULL, NULL, NULL), 0);
        CHECK_INT(create_container(&store, "web", &b), 0);
        CHECK_INT(container_find(&store, "../web", &id, NULL), -ENOENT);
}

TEST(a_record_without_a_name_is_no_container) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, b = CONTAINER_NULL;
        _cleanup_strv_ char **ids = NULL;

        fresh_store(&store);
        CHECK_INT(create_container(&store, "web", &a), 0);
        /* as a kill between the removal of the name and that of the record leaves it */
        CHECK_INT(unlinkat(store.data_fd, "names/web", 0), 0);
        CHECK_INT(container_list(&store, &ids, NULL), 0);
        CHECK_INT(strv_length(ids), 0);
        /* a name whose record is gone can be taken */
        CHECK_INT(symlinkat("0123456789012345678901234567890123456789012345678901234567890123", store.data_fd, "names/web"), 0);
        CHECK_INT(create_container(&store, "web", &b), 0);
}

TEST(ids_are_found_by_their_first_digits) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, b = CONTAINER_NULL;
        ContainerConfig one = CONTAINER_CONFIG_NULL, other = CONTAINER_CONFIG_NULL;
        _cleanup_free_ char *id = NULL;

        fresh_store(&store);
        one.id = strdup("abc0123456789012345678901234567890123456789012345678901234567890");
        other.id = strdup("abc1123456789012345678901234567890123456789012345678901234567890");
        CHECK_INT(container_create(&store, &one, &a, NULL), 0);
        CHECK_INT(container_create(&store, &other, &b, NULL), 0);
        CHECK_INT(container_find(&store, "abc", &id, NULL), -EINVAL);
        CHECK_INT(container_find(&store, "abd", &id, NULL), -ENOENT);
        CHECK_INT(container_find(&store, "abc0", &id, NULL), 0);
        CHECK_STR(id, a.config.id);
        free(id);
        id = NULL;
        CHECK_INT(container_find(&store, b.config.id, &id, NULL), 0);
        CHECK_STR(id, b.config.id);
        free(id);
        id = NULL;
        /* a directory that no name leads to is neither found nor in the way */
        _cleanup_free_ char *name = str_format("names/%s", b.config.name);
        CHECK_INT(unlinkat(store.data_fd, name, 0), 0);
        CHECK_INT(container_find(&store, b.config.id, &id, NULL), -ENOENT);
        CHECK_INT(container_find(&store, "abc1", &id, NULL), -ENOENT);
        CHECK_INT(container_find(&store, "abc", &id, NULL), 0);
        CHECK_STR(id, a.config.id);
        free(id);
        id = NULL;
        /* nor where the name has become another container's */
        CHECK_INT(symlinkat(a.config.id, store.data_fd, name), 0);
        CHECK_INT(container_find(&store, "abc1", &id, NULL), -ENOENT);
}

/* Of a container all of whose rows are filled, a list knows what the record says. */
TEST(a_list_has_of_a_record_what_it_shows) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, listed = CONTAINER_NULL, none = CONTAINER_NULL;
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        ContainerConfig config = CONTAINER_CONFIG_NULL;
        char *word[] = { (char *) "word", NULL };
        _cleanup_error_ Error error = ERROR_NULL;

        fresh_store(&store);
        config.image = strdup("i");
        config.image_name = strdup("n");
        config.image_id = strdup("d");
        config.command = strv_copy(word);
        config.env = strv_copy(word);
        config.labels = strv_copy(word);
        config.health.test = strv_copy(word);
        config.auto_remove = true;
        CHECK_INT(container_create(&store, &config, &a, NULL), 0);
        a.state.exit_code = 3;
        a.state.started_usec = 1;
        CHECK_INT(container_save_state(&a, NULL), 0);
        CHECK_INT(container_lister_open(&store, &lister, NULL), 0);
        CHECK(!container_may_run(&lister, a.config.id));
        CHECK_INT(container_load_listed(&lister, a.config.id, &listed, &error), 0);
        for (const JsonField *f = container_listed_fields; f->name; f++) {
                if (f->type == JSON_FIELD_STRING)
                        CHECK_STR(*(char **) (void *) ((char *) &listed.config + f->offset), *(char **) (void *) ((char *) &a.config + f->offset));
                if (f->type == JSON_FIELD_STRV)
                        CHECK_INT(strv_length(*(char ***) (void *) ((char *) &listed.config + f->offset)),
                                  strv_length(*(char ***) (void *) ((char *) &a.config + f->offset)));
        }
        CHECK_INT(listed.config.created_usec, a.config.created_usec);
        CHECK(listed.config.auto_remove && listed.config.health.test && listed.config.labels);
        CHECK(!listed.config.env); /* nothing shows it */
        CHECK_INT(listed.status, CONTAINER_EXITED);
        CHECK_INT(listed.state.exit_code, 3);
        CHECK_INT(container_load_listed(&lister, "../etc", &none, &error), -ENOENT);
}

TEST(links_of_names_are_short) {
        static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        char text[NAME_LINK_SIZE], back[65];

        name_link_text(id, text);
        CHECK_STR(text, "ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8");
        CHECK(name_link_id(text, back));
        CHECK_STR(back, id);
        CHECK(name_link_id(id, back)); /* as older versions wrote it */
        CHECK_STR(back, id);
        text[5] = '/';
        CHECK(!name_link_id(text, back));
        CHECK(!name_link_id("", back));
        CHECK(!name_link_id("ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze9", back)); /* bits that no ID has */
        CHECK(!name_link_id("0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", back));
}

/* What stands there becomes paths and interfaces. */
TEST(a_damaged_process_record_is_refused) {
        static const char *const rows[] = {
                "{}", "{\"networks\":[{\"network\":\"a\",\"interfaceName\":\"eth0\",\"mac\":\"02:00:00:00:00:01\"}]}",
                /* these are wrong */
                "{\"networks\":[{}]}", "{\"networks\":[{\"network\":\"../a\",\"interfaceName\":\"eth0\",\"mac\":\"02:00:00:00:00:01\"}]}",
                "{\"networks\":[{\"network\":\"a\",\"interfaceName\":\"a/b\",\"mac\":\"02:00:00:00:00:01\"}]}",
                "{\"networks\":[{\"network\":\"a\",\"interfaceName\":\"eth0\"}]}", "{\"ports\":[{}]}",
        };
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL;

        fresh_store(&store);
        CHECK_INT(create_container(&store, "web", &a), 0);
        int fd = container_runtime_fd(&store, &a, NULL); /* the container's */
        CHECK(fd >= 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                CHECK_INT(file_write_atomic(fd, "process.json", rows[i], strlen(rows[i]), 0600, FILE_VOLATILE), 0);
                CHECK_INT(container_refresh(&store, &a, NULL), i < 2 ? 0 : -EBADMSG);
        }
}

/* The marks are there as long as process.json is: what they leave out is never asked. */
TEST(a_list_never_shows_an_old_status) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL;
        static const ContainerStatus wanted[] = { CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED, CONTAINER_RUNNING, CONTAINER_EXITED };

        fresh_store(&store);
        CHECK_INT(create_container(&store, "web", &a), 0);
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
                _cleanup_container_ Container listed = CONTAINER_NULL, loaded = CONTAINER_NULL;
                bool runs = wanted[i] == CONTAINER_RUNNING;

                a.process.pid = runs ? getpid() : 0;
                CHECK_INT(runs ? process_start_time(getpid(), &a.process.start_time) : 0, 0);
                CHECK_INT(runs ? str_replace(&a.process.boot_id, store.boot_id) : 0, 0);
                a.state.started_usec = wanted[i] == CONTAINER_CREATED ? 0 : 5;
                CHECK_INT(container_save_process(&store, &a, NULL), 0);
                CHECK_INT(container_save_state(&a, NULL), 0);
                CHECK_INT(container_lister_open(&store, &lister, NULL), 0);
                CHECK_INT(container_may_run(&lister, a.config.id), runs);
                CHECK_INT(container_load_listed(&lister, a.config.id, &listed, NULL), 0);
                CHECK_INT(container_load(&store, a.config.id, &loaded, NULL), 0);
                CHECK_INT(listed.status, wanted[i]);
                CHECK_INT(loaded.status, wanted[i]);
        }
        /* a mark that a kill left costs nothing but a look */
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        _cleanup_container_ Container listed = CONTAINER_NULL;
        _cleanup_free_ char *mark = str_format("running/%s", a.config.id);
        CHECK_INT(close(openat(store.runtime_fd, mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
        CHECK_INT(container_lister_open(&store, &lister, NULL), 0);
        CHECK(container_may_run(&lister, a.config.id));
        CHECK_INT(container_load_listed(&lister, a.config.id, &listed, NULL), 0);
        CHECK_INT(listed.status, CONTAINER_EXITED);
        /* and goes with its container */
        CHECK_INT(container_delete(&store, &a, NULL, NULL, NULL), 0);
        CHECK_INT(faccessat(store.runtime_fd, mark, F_OK, 0), -1);
}

TEST(running_is_what_the_process_says) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, again = CONTAINER_NULL;
        _cleanup_free_ char *boot_id = NULL;

        fresh_store(&store);
        CHECK_INT(create_container(&store, "web", &a), 0);
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

TEST(a_rename_that_was_killed_is_done_again) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, b = CONTAINER_NULL;
        _cleanup_strv_ char **ids = NULL;
        _cleanup_free_ char *old = NULL;
        char text[NAME_LINK_SIZE];

        fresh_store(&store);
        CHECK_INT(create_container(&store, "old", &a), 0);
        CHECK_INT(create_container(&store, "other", &b), 0);
        name_link_text(a.config.id, text);
        CHECK(symlinkat(text, store.data_fd, "names/new") == 0);
        CHECK_INT(container_list(&store, &ids, NULL), 0);
        CHECK_INT(strv_length(ids), 2); /* two names are one container */
        CHECK_INT(container_rename(&store, &b, "new", NULL), -EEXIST);
        CHECK_INT(container_rename(&store, &a, "new", NULL), 0);
        CHECK_STR(a.config.name, "new");
        CHECK_INT(container_find(&store, "old", &old, NULL), -ENOENT);
}

TEST(rename_moves_the_name) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, b = CONTAINER_NULL;
        _cleanup_free_ char *id = NULL;

        fresh_store(&store);
        CHECK_INT(create_container(&store, "old", &a), 0);
        CHECK_INT(create_container(&store, "b", &b), 0);
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
        CHECK_INT(create_container(&store, "web", &a), 0);
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

TEST(a_mark_of_a_container_that_is_there_is_born_locked) {
        static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_strv_ char **ids = NULL;

        fresh_store(&store);
        int fd = pending_take_born_locked(&store, id, NULL);
        CHECK(fd >= 0);
        CHECK_INT(pending_try(&store, id), -EAGAIN);
        CHECK_INT(pending_take_born_locked(&store, id, NULL), -EAGAIN);
        CHECK_INT(pending_list(&store, &ids, NULL), 0);
        CHECK_INT(strv_length(ids), 1);
        (void) close(fd); /* its command was killed */
        fd = pending_take_born_locked(&store, id, NULL);
        CHECK(fd >= 0);
        pending_drop(&store, id, &fd);
        CHECK_INT(pending_try(&store, id), -ENOENT);
}

/* Makers take a mark and let it go, as commands that make containers do, while others look for marks that nobody holds: a lock on
 * a file that was removed is none. */
static int take_turns(size_t number, void *data) {
        static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        const Store *store = data;
        bool maker = number < 2;

        for (int i = 0; i < 3000; i++) {
                int fd = maker ? pending_take(store, id, NULL) : i % 2 ? pending_take_now(store, id) : pending_try(store, id);

                if (fd < 0 && (maker || (fd != -EAGAIN && fd != -ENOENT)))
                        return 1;
                if (fd < 0)
                        continue;
                bool alone = mkdirat(store->data_fd, "held", 0700) == 0;
                (void) sched_yield();
                if (!alone || unlinkat(store->data_fd, "held", AT_REMOVEDIR) < 0)
                        return 2;
                pending_drop(store, id, &fd);
        }
        return 0;
}

TEST(a_mark_has_one_holder) {
        _cleanup_store_ Store store = STORE_NULL;
        int results[6];

        fresh_store(&store);
        test_together(ELEMENTSOF(results), take_turns, &store, results);
        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                CHECK_INT(results[i], 0);
}

typedef struct Takers {
        Store store;
        Container containers[6];
} Takers;

static int take_wanted(size_t i, void *data) {
        const Takers *takers = data;

        return name_link_take(&takers->store, NAME_CONTAINER, "wanted", takers->containers[i].config.id, /* reterr= */ NULL) == 0;
}

/* A name that leads nowhere is taken by one, though several see that it leads nowhere. */
TEST(a_leftover_name_is_taken_once) {
        Takers takers = { .store = STORE_NULL };
        int results[ELEMENTSOF(takers.containers)], wrong = 0;

        fresh_store(&takers.store);
        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                CHECK_INT(create_container(&takers.store, NULL, &takers.containers[i]), 0);
        for (int round = 0; round < 150; round++) {
                int winners = 0;

                (void) unlinkat(takers.store.data_fd, "names/wanted", 0);
                CHECK_INT(symlinkat("0123456789012345678901234567890123456789012345678901234567890123", takers.store.data_fd, "names/wanted"), 0);
                test_together(ELEMENTSOF(results), take_wanted, &takers, results);
                for (size_t i = 0; i < ELEMENTSOF(results); i++)
                        winners += results[i];
                wrong += winners != 1;
        }
        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                container_done(&takers.containers[i]);
        store_done(&takers.store);
        CHECK_INT(wrong, 0);
}

/* Two commands have read the record before either has the lock. */
TEST(what_was_renamed_since_it_was_read_leaves_no_name) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container made = CONTAINER_NULL, first = CONTAINER_NULL, second = CONTAINER_NULL, third = CONTAINER_NULL;
        _cleanup_free_ char *id = NULL;

        fresh_store(&store);
        CHECK_INT(create_container(&store, "old", &made), 0);
        container_unlock(&made);
        CHECK_INT(container_open(&store, "old", &first, NULL), 0);
        CHECK_INT(container_open(&store, "old", &second, NULL), 0);
        CHECK_INT(container_open(&store, "old", &third, NULL), 0);
        CHECK_INT(container_lock(&store, &first, NULL), 0);
        CHECK_INT(container_rename(&store, &first, "new", NULL), 0);
        container_unlock(&first);
        CHECK_INT(container_lock(&store, &second, NULL), 0);
        CHECK_INT(container_rename(&store, &second, "newer", NULL), 0);
        container_unlock(&second);
        CHECK_INT(container_find(&store, "new", &id, NULL), -ENOENT);
        CHECK_INT(container_lock(&store, &third, NULL), 0);
        CHECK_INT(container_delete(&store, &third, NULL, NULL, NULL), 0);
        CHECK_STR(third.config.name, "newer");
        CHECK_INT(faccessat(store.data_fd, "names/new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
        CHECK_INT(faccessat(store.data_fd, "names/newer", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

/* Who clears leftovers away would take it for one. */
TEST(what_is_being_renamed_is_there) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container made = CONTAINER_NULL;
        ContainerConfig config = CONTAINER_CONFIG_NULL;
        int status = -1, missed = 0;

        fresh_store(&store);
        config.name = strdup("old");
        config.auto_remove = true; /* written without waiting for the disk */
        CHECK_INT(container_create(&store, &config, &made, NULL), 0);
        pid_t pid = fork();
        if (pid == 0) {
                int r = 0;

                for (int i = 0; i < 3000 && r >= 0; i++)
                        r = container_rename(&store, &made, i % 2 ? "old" : "new", NULL);
                _exit(r < 0);
        }
        while (waitpid(pid, &status, WNOHANG) == 0) {
                _cleanup_free_ char *id = NULL;

                missed += container_find(&store, made.config.id, &id, NULL) < 0;
        }
        CHECK_INT(status, 0);
        CHECK_INT(missed, 0);
}

TEST(who_waits_for_the_lock_of_what_is_removed_leaves_nothing) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container made = CONTAINER_NULL, late = CONTAINER_NULL;

        fresh_store(&store);
        CHECK_INT(create_container(&store, "a", &made), 0);
        _cleanup_free_ char *path = str_format("containers/%s", made.config.id);
        CHECK_INT(container_open(&store, "a", &late, NULL), 0);
        CHECK_INT(container_delete(&store, &made, NULL, NULL, NULL), 0);
        CHECK_INT(container_lock(&store, &late, NULL), -ENOENT);
        CHECK_INT(faccessat(store.runtime_fd, path, F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

TEST(removing_does_not_wait_for_the_holder_of_the_mark) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_container_ Container a = CONTAINER_NULL, b = CONTAINER_NULL;

        fresh_store(&store);
        CHECK_INT(create_container(&store, "web", &a), 0);
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
