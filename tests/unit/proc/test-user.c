/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "proc/user.h"

#define STRV(...) ((char **) (const char *const[]){ __VA_ARGS__, NULL })

static int fresh_root(void) {
        char name[] = "/tmp/sdpod-test-XXXXXX";
        int fd;

        CHECK(mkdtemp(name));
        fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_INT(mkdirat(fd, "etc", 0755), 0);
        return fd;
}

static void put(int root, const char *name, const char *text) {
        _cleanup_fd_ int etc = openat(root, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        CHECK_INT(file_write_atomic(etc, name, text, strlen(text), 0644, FILE_VOLATILE), 0);
}

static void clean(int root) {
        char link[64], path[256] = "";

        snprintf(link, sizeof(link), "/proc/self/fd/%d", root);
        (void) !readlink(link, path, sizeof(path) - 1);
        (void) path_remove_tree(AT_FDCWD, path);
        (void) close(root);
}

static int usual_root(void) {
        int root = fresh_root();

        put(root, "passwd", "root:x:0:0:root:/root:/bin/sh\n"
                            "1:x:0:0:digits for a name:/evil:/bin/sh\n"
                            "-1:x:0:0::/evil:\n"
                            "broken line\n"
                            "bad:x:99999999999:0::/:\n"
                            "minus:x:4294967295:0::/:\n"
                            "web:x:33:44:web:/var/www:/bin/false\n"
                            "rel:x:50:50::relative:/bin/sh\n"
                            "dup:x:60:60::/first:\ndup:x:61:61::/second:\n"
                            "last:x:70:70::/last:/bin/sh");
        put(root, "group", "root:x:0:\nwww:x:44:web\nextra:x:45:other,web\nnear:x:46:webb,we\n45:x:99:web\nlast:x:70:last");
        return root;
}

/* "uid:gid:groups:home", or the error's number. */
static const char *resolved(int root, const char *spec, char *const *add) {
        static char text[256];
        _cleanup_container_user_ ContainerUser user = CONTAINER_USER_NULL;
        int r = user_resolve(root, spec, add, &user, NULL);
        size_t n;

        if (r < 0) {
                snprintf(text, sizeof(text), "%d", r);
                return text;
        }
        n = (size_t) snprintf(text, sizeof(text), "%u:%u:", user.uid, user.gid);
        for (size_t i = 0; i < user.n_groups; i++)
                n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%u", i > 0 ? "," : "", user.groups[i]);
        snprintf(text + n, sizeof(text) - n, "%s:%s", user.keep_groups ? "keep" : "", user.home);
        return text;
}

TEST(specs) {
        static const struct {
                const char *spec, *wanted;
        } rows[] = {
                { NULL, "0:0::/root" },
                { "0", "0:0::/root" },
                { "root", "0:0::/root" },
                { "web", "33:44:44,45,99:/var/www" },
                { "33", "33:44:44,45,99:/var/www" },
                { "web:", "33:44:44,45,99:/var/www" },
                { "web:extra", "33:45::/var/www" },
                { "web:7", "33:7::/var/www" },
                { "web:45", "33:45::/var/www" },
                { "1", "1:0::/" },
                { "1:1", "1:1::/" },
                { "12345", "12345:0::/" },
                { "rel", "50:50::/" },
                { "dup", "60:60::/first" },
                { "last", "70:70:70:/last" },
                { "007", "7:0::/" },
        };
        int root = usual_root();

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                CHECK_STR(resolved(root, rows[i].spec, NULL), rows[i].wanted);
        clean(root);
}

TEST(refused_specs) {
        static const char *const rows[] = {
                "", "-1", "4294967295", "99999999999", "18446744073709551616", ":", ":1", "nobody", "web:nobody", "web:-1",
                "web:4294967295", "bad", "minus", "a b", "root\n", "+0", "0x0", "we", "web:44:45", "\x1b]0;x\x07", "../x",
        };
        int root = usual_root();

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *found = resolved(root, rows[i], NULL);

                if (found[0] != '-')
                        test_note("'%s' gave %s", rows[i], found);
                CHECK(found[0] == '-');
        }
        clean(root);
}

TEST(group_add) {
        int root = usual_root();

        CHECK_STR(resolved(root, "web", STRV("root", "1000", "extra")), "33:44:0,44,45,99,1000:/var/www");
        CHECK_STR(resolved(root, "web:web", STRV("root")), "-2");
        CHECK_STR(resolved(root, "web:www", STRV("last", "70")), "33:44:70:/var/www");
        CHECK_STR(resolved(root, "0", STRV("keep-groups")), "0:0:keep:/root");
        CHECK_STR(resolved(root, "0", STRV("keep-groups", "5")), "-22");
        CHECK_STR(resolved(root, "0", STRV("nogroup")), "-2");
        CHECK_STR(resolved(root, "0", STRV("45")), "0:0:45:/root"); /* not the group of that name */
        CHECK_STR(resolved(root, "0", STRV("-5")), "-22");
        clean(root);
}

TEST(files_of_a_stranger) {
        static const char *const targets[] = { "/etc/passwd", "../../../../../etc/passwd", "/proc/self/environ", "/dev/zero", "passwd" };
        int root = fresh_root();

        CHECK_STR(resolved(root, "0", NULL), "0:0::/");
        CHECK_STR(resolved(root, "web", NULL), "-2");
        CHECK_INT(mkfifoat(root, "etc/passwd", 0666), 0);
        CHECK_INT(mkfifoat(root, "etc/group", 0666), 0);
        CHECK_STR(resolved(root, "0", NULL), "0:0::/"); /* does not wait */
        CHECK(resolved(root, "root", NULL)[0] == '-');
        CHECK_INT(unlinkat(root, "etc/passwd", 0), 0);
        CHECK_INT(mkdirat(root, "etc/passwd", 0755), 0);
        CHECK(resolved(root, "root", NULL)[0] == '-');
        CHECK_INT(unlinkat(root, "etc/passwd", AT_REMOVEDIR), 0);
        for (size_t i = 0; i < ELEMENTSOF(targets); i++) {
                CHECK_INT(symlinkat(targets[i], root, "etc/passwd"), 0);
                CHECK(resolved(root, "root", NULL)[0] == '-'); /* the host's is not read */
                CHECK_INT(unlinkat(root, "etc/passwd", 0), 0);
        }
        CHECK_INT(symlinkat("/etc/real", root, "etc/passwd"), 0); /* as in images of Nix: found inside the root */
        put(root, "real", "web:x:5:6::/w:\n");
        CHECK_STR(resolved(root, "web", NULL), "5:6::/w");
        clean(root);
}

TEST(huge_files_take_little_memory) {
        int root = fresh_root();
        _cleanup_fd_ int fd = openat(root, "etc/group", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        FILE *f = fdopen(dup(fd), "w");
        struct rusage before, after;

        put(root, "passwd", "web:x:5:6::/w:\n");
        for (int i = 0; i < 300000; i++)
                fprintf(f, "group%d:x:%d:web,other\n", i, i + 100);
        fprintf(f, "long:x:7:");
        for (int i = 0; i < 200000; i++)
                fputs("member,", f);
        fprintf(f, "web\nlast:x:8:web\n");
        fclose(f);
        getrusage(RUSAGE_SELF, &before);
        _cleanup_container_user_ ContainerUser user = CONTAINER_USER_NULL;
        CHECK_INT(user_resolve(root, "web:last", NULL, &user, NULL), 0);
        CHECK_INT(user.gid, 8);
        getrusage(RUSAGE_SELF, &after);
        CHECK(after.ru_maxrss - before.ru_maxrss < 4096);
        clean(root);
}

TEST(many_groups_are_capped) {
        int root = fresh_root();
        FILE *f = fdopen(openat(root, "etc/group", O_CREAT | O_WRONLY | O_CLOEXEC, 0644), "w");
        _cleanup_container_user_ ContainerUser user = CONTAINER_USER_NULL;

        put(root, "passwd", "web:x:5:6::/w:\n");
        for (int i = 0; i < 300000; i++)
                fprintf(f, "g%d:x:%d:web\n", i, i + 100);
        fclose(f);
        CHECK_INT(user_resolve(root, "web", NULL, &user, NULL), 0);
        CHECK_INT(user.n_groups, 65536);
        clean(root);
}

TEST(ids_outside_of_the_namespace_are_named) {
        ContainerIdMapping ranges[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };
        const UserMap map = { .uid = { ranges, 2 }, .gid = { ranges, 1 } };
        gid_t groups[] = { 0, 7 };
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK_INT(user_check_mapped(&(ContainerUser){ .uid = 65536 }, &map, NULL), 0);
        CHECK_INT(user_check_mapped(&(ContainerUser){ .uid = 70000 }, &map, &error), -EINVAL);
        CHECK_STR(error.message, "cannot use user ID 70000: the container's user namespace has 65537 IDs");
        CHECK_INT(user_check_mapped(&(ContainerUser){ .gid = 1 }, &map, &error), -EINVAL);
        CHECK_STR(error.message, "cannot use group ID 1: the container's user namespace has 1 IDs");
        CHECK_INT(user_check_mapped(&(ContainerUser){ .groups = groups, .n_groups = 2 }, &map, &error), -EINVAL);
        CHECK_STR(error.message, "cannot use group ID 7: the container's user namespace has 1 IDs");
        CHECK_INT(user_check_mapped(&(ContainerUser){ .uid = 70000 }, &(UserMap){ .host = true }, NULL), 0);
}
