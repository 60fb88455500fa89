/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/journal.h"
#include "base/test.h"

TEST(the_unit_of_a_cgroup) {
        static const struct {
                const char *cgroup;
                bool of_user;
                const char *unit;
        } cases[] = {
                { "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service", true, "web.service" },
                { "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.slice/web.service/container", true, "web.service" },
                { "/user.slice/user-1000.slice/user@1000.service/init.scope", true, "init.scope" },
                { "/user.slice/user-1000.slice/user@1000.service", true, NULL },
                { "/user.slice/user-1000.slice/session-3.scope", true, NULL },
                { "/user.slice/user-1000.slice/session-3.scope", false, "session-3.scope" },
                { "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service", false, "user@1000.service" },
                { "/system.slice/web@a.service/container", false, "web@a.service" },
                { "/system.slice/_notify.service", false, "notify.service" }, /* escaped */
                { "/system.slice/web.service", true, NULL },
                { "/", false, NULL },
                { "/container", false, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *unit = journal_unit_of(cases[i].cgroup, cases[i].of_user);

                CHECK_STR(unit ?: "none", cases[i].unit ?: "none");
        }
}

TEST(only_the_stream_itself_is_the_journals) {
        _cleanup_fd_ int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        char text[64];
        struct stat st;

        CHECK(fd >= 0 && fstat(fd, &st) == 0);
        unsetenv("JOURNAL_STREAM");
        CHECK(!journal_is(fd));
        (void) snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long) st.st_dev, (unsigned long long) st.st_ino);
        setenv("JOURNAL_STREAM", text, 1);
        CHECK(journal_is(fd));
        (void) snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long) st.st_dev, (unsigned long long) st.st_ino + 1);
        setenv("JOURNAL_STREAM", text, 1);
        CHECK(!journal_is(fd));
        setenv("JOURNAL_STREAM", "rubbish", 1);
        CHECK(!journal_is(fd));
}
