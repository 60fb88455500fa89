/* SPDX-License-Identifier: Apache-2.0 */
/* Where unit files are looked for, and when Podman's generator is there to read them. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/test.h"
#include "unit/dirs.h"

static const char *list(const UnitDirsContext *context) {
        static char joined[2048];
        UnitDirs dirs = {};
        const char *relative;
        size_t n = 0;

        joined[0] = '\0';
        CHECK_INT(unit_dirs_list(context, &dirs, &relative), 0);
        for (size_t i = 0; i < dirs.n; i++)
                n += (size_t) snprintf(joined + n, sizeof(joined) - n, "%s%s%s%s", i > 0 ? " " : "",
                                       dirs.items[i].path, dirs.items[i].without_users ? "!users" : "",
                                       dirs.items[i].without_numbers ? "!0-9" : "");
        if (relative)
                n += (size_t) snprintf(joined + n, sizeof(joined) - n, " relative:%s", relative);
        unit_dirs_done(&dirs);
        return joined;
}

TEST(system_directories) {
        CHECK_STR(list(&(UnitDirsContext){ .share = true }),
                  "/run/sdpod/systemd!users /run/containers/systemd!users /etc/sdpod/systemd!users "
                  "/etc/containers/systemd!users "
                  "/usr/share/sdpod/systemd!users /usr/share/containers/systemd!users");
        CHECK_STR(list(&(UnitDirsContext){ .share = false }),
                  "/run/sdpod/systemd!users /etc/sdpod/systemd!users /usr/share/sdpod/systemd!users");
}

TEST(user_directories) {
        CHECK_STR(list(&(UnitDirsContext){
                          .user = true, .share = true, .uid = 7, .runtime_dir = "/run/user/7", .home = "/h" }),
                  "/run/user/7/sdpod/systemd /run/user/7/containers/systemd /h/.config/sdpod/systemd "
                  "/h/.config/containers/systemd "
                  "/etc/sdpod/systemd/users!0-9 /etc/sdpod/systemd/users/7 "
                  "/etc/containers/systemd/users!0-9 /etc/containers/systemd/users/7 "
                  "/usr/share/sdpod/systemd/users!0-9 /usr/share/sdpod/systemd/users/7 "
                  "/usr/share/containers/systemd/users!0-9 /usr/share/containers/systemd/users/7");
        CHECK_STR(list(&(UnitDirsContext){ .user = true, .uid = 7, .config_home = "/c", .home = "/h" }),
                  "/c/sdpod/systemd /etc/sdpod/systemd/users!0-9 /etc/sdpod/systemd/users/7 "
                  "/usr/share/sdpod/systemd/users!0-9 /usr/share/sdpod/systemd/users/7");
}

TEST(nothing_in_the_environment_is_no_fault) {
        CHECK_STR(list(&(UnitDirsContext){ .user = true, .config_home = "relative", .runtime_dir = "", .home = "" }),
                  "/etc/sdpod/systemd/users!0-9 /etc/sdpod/systemd/users/0 "
                  "/usr/share/sdpod/systemd/users!0-9 /usr/share/sdpod/systemd/users/0");
}

TEST(given_directories_replace_all_others) {
        CHECK_STR(list(&(UnitDirsContext){ .user = true, .unit_dirs = "/a:/b::/c" }), "/a /b /c");
        CHECK_STR(list(&(UnitDirsContext){ .unit_dirs = "/a:b:/c" }), "/a relative:b:/c");
}

TEST(podman_generates_where_its_generator_is_not_masked) {
        char root[] = "/tmp/sdpod-test-XXXXXX", path[256];
        int fd;

        CHECK(mkdtemp(root));
        CHECK(!unit_dirs_podman_generates(true, root));
        (void) snprintf(path, sizeof(path), "%s/usr/lib/systemd/user-generators", root);
        CHECK_INT(path_mkdirs(path, 0755), 0);
        (void) snprintf(path, sizeof(path), "%s/usr/lib/systemd/user-generators/podman-user-generator", root);
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
        CHECK(fd >= 0);
        (void) close(fd);
        CHECK(unit_dirs_podman_generates(true, root));
        CHECK(!unit_dirs_podman_generates(false, root));
        (void) snprintf(path, sizeof(path), "%s/etc/systemd/user-generators", root);
        CHECK_INT(path_mkdirs(path, 0755), 0);
        (void) snprintf(path, sizeof(path), "%s/etc/systemd/user-generators/podman-user-generator", root);
        CHECK_INT(symlink("/dev/null", path), 0);
        CHECK(!unit_dirs_podman_generates(true, root));
        CHECK_INT(path_remove_tree(AT_FDCWD, root), 0);
}
