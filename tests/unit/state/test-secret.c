/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "state/secret.h"

enum { NOBODY = 65534 };

static char directory[] = "/tmp/sdpod-secret-XXXXXX";

static void fresh_store(Store *store) {
        static bool made;
        _cleanup_free_ char *unique = str_random_hex(8);

        /* root's key is the machine's, and not for a test to make: nobody has one of their own */
        if (geteuid() == 0)
                CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
        if (!made)
                CHECK(mkdtemp(directory));
        made = true;
        _cleanup_free_ char *data = str_format("%s/%s/data", directory, unique), *runtime = str_format("%s/%s/run", directory, unique),
                            *config = str_format("%s/config", directory);
        CHECK_INT(setenv("XDG_CONFIG_HOME", config, 1), 0);
        CHECK_INT(store_open(data, runtime, store, /* reterr= */ NULL), 0);
}

static int content_of(const char *text, SecretMemory *ret) {
        int r = secret_memory_new(strlen(text), ret);

        if (r >= 0)
                memcpy(ret->data, text, ret->size = strlen(text));
        return r;
}

static int create(const Store *store, const char *name, const char *text, SecretExisting existing, Secret *ret) {
        _cleanup_secret_memory_ SecretMemory content = SECRET_MEMORY_NULL;

        ret->name = strdup(name);
        CHECK_INT(content_of(text, &content), 0);
        return secret_create(store, ret, &content, SECRET_BY_KEY, existing, /* reterr= */ NULL);
}

static bool holds(const Secret *secret, const char *text) {
        _cleanup_secret_memory_ SecretMemory content = SECRET_MEMORY_NULL;

        return secret_unseal(secret, &content, /* reterr= */ NULL) >= 0 && content.size == strlen(text) &&
               memcmp(content.data, text, content.size) == 0;
}

TEST(names) {
        CHECK(secret_name_is_valid("a"));
        CHECK(secret_name_is_valid("db-password_1.x"));
        static const char *const bad[] = { "", ".", "..", "../x", "a/b", "-rf", "a\nb", ".tmp-x", ".lock", "a=b", "a,b", "$(id)" };
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK(!secret_name_is_valid(bad[i]));
        char name[SECRET_NAME_MAX + 2] = {};
        memset(name, 'a', SECRET_NAME_MAX);
        CHECK(secret_name_is_valid(name));
        name[SECRET_NAME_MAX] = 'a';
        CHECK(!secret_name_is_valid(name));
}

TEST(what_is_kept_comes_back_and_is_not_to_be_seen) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_secret_ Secret secret = SECRET_NULL, found = SECRET_NULL;
        _cleanup_free_ char *text = NULL;
        struct stat st;

        fresh_store(&store);
        CHECK_INT(create(&store, "one", "hunter2 is the word", SECRET_REFUSE, &secret), 0);
        CHECK_INT(strlen(secret.id), SECRET_ID_LENGTH);
        CHECK_INT(secret_open(&store, "one", &found, NULL), 0);
        CHECK_STR(found.id, secret.id);
        CHECK(holds(&found, "hunter2 is the word"));
        CHECK_INT(file_read(store.data_fd, "secrets/one", 65536, &text, NULL), 0);
        CHECK(!strstr(text, "hunter2"));
        CHECK_INT(fstatat(store.data_fd, "secrets/one", &st, 0), 0);
        CHECK_INT(st.st_mode & 07777, 0600);
        CHECK_INT(stat(secret.key, &st), 0);
        CHECK_INT(st.st_mode & 07777, 0600);
        CHECK_INT(st.st_size, 32);
}

TEST(sizes_up_to_the_limit) {
        static const size_t sizes[] = { 1, 2, 3, 4, 15, 16, 17, 4095, 4096, 4097, SECRET_SIZE_LIMIT };
        _cleanup_store_ Store store = STORE_NULL;

        fresh_store(&store);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_secret_ Secret secret = { .name = strdup("s") };
                _cleanup_secret_memory_ SecretMemory content = SECRET_MEMORY_NULL, again = SECRET_MEMORY_NULL;

                CHECK_INT(secret_memory_new(sizes[i], &content), 0);
                content.size = sizes[i];
                for (size_t k = 0; k < sizes[i]; k++)
                        ((char *) content.data)[k] = (char) (k * 7);
                CHECK_INT(secret_create(&store, &secret, &content, SECRET_BY_KEY, SECRET_REPLACE, NULL), 0);
                CHECK_INT(secret_unseal(&secret, &again, NULL), 0);
                CHECK(again.size == sizes[i] && memcmp(again.data, content.data, sizes[i]) == 0);
        }
        _cleanup_secret_ Secret secret = { .name = strdup("t") };
        _cleanup_secret_memory_ SecretMemory content = SECRET_MEMORY_NULL;
        CHECK_INT(secret_memory_new(SECRET_SIZE_LIMIT + 1, &content), 0);
        CHECK_INT(secret_create(&store, &secret, &content, SECRET_BY_KEY, SECRET_REFUSE, NULL), -EINVAL); /* empty */
        content.size = SECRET_SIZE_LIMIT + 1;
        CHECK_INT(secret_create(&store, &secret, &content, SECRET_BY_KEY, SECRET_REFUSE, NULL), -EINVAL);
}

TEST(one_name_has_one_secret) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_secret_ Secret a = SECRET_NULL, b = SECRET_NULL, c = SECRET_NULL, d = SECRET_NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "x", "first", SECRET_REFUSE, &a), 0);
        CHECK_INT(create(&store, "x", "second", SECRET_REFUSE, &b), -EEXIST);
        CHECK_INT(create(&store, "x", "second", SECRET_IGNORE, &c), 0);
        CHECK_STR(c.id, a.id);
        CHECK(holds(&c, "first"));
        CHECK_INT(create(&store, "x", "second", SECRET_REPLACE, &d), 0);
        CHECK_STR(d.id, a.id);
        CHECK_INT(d.created_usec, a.created_usec);
        CHECK(holds(&d, "second"));
}

TEST(found_by_id_and_its_beginning) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_secret_ Secret a = SECRET_NULL, found = SECRET_NULL, again = SECRET_NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "x", "first", SECRET_REFUSE, &a), 0);
        _cleanup_free_ char *beginning = strndup(a.id, 6);
        CHECK_INT(secret_open(&store, beginning, &found, NULL), 0);
        CHECK_STR(found.name, "x");
        CHECK_INT(secret_remove(&store, &found, NULL), 0);
        CHECK_INT(secret_open(&store, "x", &again, NULL), -ENOENT);
        CHECK_INT(secret_remove(&store, &found, NULL), -ENOENT);
        CHECK_INT(secret_open(&store, "../x", &again, NULL), -ENOENT);
}

/* A container's own record stays what it was. */
TEST(a_kept_record_is_not_touched_by_what_becomes_of_the_secret) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_secret_ Secret a = SECRET_NULL, b = SECRET_NULL, kept = SECRET_NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "x", "first", SECRET_REFUSE, &a), 0);
        CHECK_INT(secret_keep(&store, &a, store.data_fd, "0.json", NULL), 0);
        CHECK_INT(create(&store, "x", "second", SECRET_REPLACE, &b), 0);
        CHECK_INT(secret_remove(&store, &b, NULL), 0);
        CHECK_INT(secret_load(store.data_fd, "0.json", &kept, NULL), 0);
        CHECK(holds(&kept, "first"));
}

TEST(damage_and_exchange_are_found) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_secret_ Secret a = SECRET_NULL, b = SECRET_NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "a", "content of a", SECRET_REFUSE, &a), 0);
        CHECK_INT(create(&store, "b", "content of b", SECRET_REFUSE, &b), 0);
        CHECK_INT(str_replace(&a.data, b.data), 0); /* another one's content under this name */
        CHECK(!holds(&a, "content of b"));
        for (size_t i = 0; i + 3 < strlen(b.data); i++) { /* the last digit has bits that mean nothing */
                _cleanup_free_ char *whole = strdup(b.data);

                b.data[i] = b.data[i] == 'A' ? 'B' : 'A';
                CHECK(!holds(&b, "content of b"));
                free(b.data);
                b.data = TAKE_PTR(whole);
        }
        CHECK(holds(&b, "content of b"));
        CHECK_INT(str_replace(&b.data, ""), 0);
        CHECK(!holds(&b, ""));
        CHECK_INT(str_replace(&b.data, "A==="), 0);
        CHECK(!holds(&b, ""));
}

TEST(a_key_that_others_can_read_is_not_used) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_secret_ Secret a = SECRET_NULL, b = SECRET_NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "a", "content", SECRET_REFUSE, &a), 0);
        CHECK_INT(chmod(a.key, 0644), 0);
        CHECK(!holds(&a, "content"));
        CHECK_INT(create(&store, "b", "content", SECRET_REFUSE, &b), -EPERM);
        CHECK_INT(chmod(a.key, 0600), 0);
        CHECK(holds(&a, "content"));
}

/* What a killed writer left is taken away by the next one, and nothing of it is the secret. */
TEST(leftovers_are_collected) {
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_secret_ Secret a = SECRET_NULL, b = SECRET_NULL;
        _cleanup_strv_ char **names = NULL;

        fresh_store(&store);
        CHECK_INT(create(&store, "a", "content", SECRET_REFUSE, &a), 0);
        CHECK_INT(file_write_atomic(store.data_fd, "secrets/.tmp-0123", "x", 1, 0600, FILE_VOLATILE), 0);
        CHECK_INT(secret_list(&store, &names, NULL), 0);
        CHECK_INT(strv_length(names), 1);
        CHECK_INT(create(&store, "b", "content", SECRET_REFUSE, &b), 0);
        CHECK_INT(faccessat(store.data_fd, "secrets/.tmp-0123", F_OK, 0), -1);
}

TEST(the_end) {
        (void) path_remove_tree(AT_FDCWD, directory);
}
