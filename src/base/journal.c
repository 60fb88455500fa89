/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for the journal, in its native protocol. */
#include "base/journal.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"

static bool is_unit(const char *name) {
        static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount", ".swap" }; /* have a cgroup */

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (str_has_suffix(name, suffixes[i]))
                        return true;
        return false;
}

/* The unit is the first directory below the slices; below the user manager's own for one of its units. */
char *journal_unit_of(const char *cgroup, bool of_user) {
        _cleanup_strv_ char **names = strv_split(cgroup, "/");
        bool there = !of_user;

        for (char **name = names; name && *name; name++) {
                const char *plain = **name == '_' ? *name + 1 : *name; /* escaped (systemd, CONTROL_GROUP_INTERFACE) */

                if (str_empty(plain) || str_has_suffix(plain, ".slice"))
                        continue;
                if (!there) {
                        there = str_after(plain, "user@") != NULL && str_has_suffix(plain, ".service");
                        if (there)
                                continue;
                        return NULL; /* the system manager's, as a session is */
                }
                return is_unit(plain) ? strdup(plain) : NULL;
        }
        return NULL;
}

char *journal_own_unit(void) {
        _cleanup_free_ char *cgroup = NULL;

        return process_cgroup(0, &cgroup) < 0 ? NULL : journal_unit_of(cgroup, geteuid() != 0);
}

bool journal_is(int fd) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &st) >= 0 && st.st_dev == device &&
               st.st_ino == inode;
}

/* The fields that name this process's unit, and which of its starts this is, as systemd's own entries have them. */
static char *unit_fields(void) {
        _cleanup_free_ char *unit = journal_own_unit();
        const char *user = geteuid() != 0 ? "USER_" : "", *start = getenv("INVOCATION_ID"); /* systemd.exec(5) */
        bool known = start && strlen(start) == 32 && strspn(start, "0123456789abcdef") == 32;

        if (!unit)
                return strdup("");
        return known ? str_format("%sUNIT=%s\n%sINVOCATION_ID=%s\n", user, unit, user, start)
                     : str_format("%sUNIT=%s\n", user, unit);
}

int journal_send(const char *identifier, int priority, const char *message) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
        _cleanup_free_ char *unit = unit_fields();
        _cleanup_free_ char *fields =
                unit ? str_format("PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\n%sMESSAGE\n", priority, identifier, unit) : NULL;
        _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        uint64_t size = htole64(strlen(message));

        if (!fields)
                return -ENOMEM;
        if (fd < 0)
                return -errno;
        const struct iovec parts[] = {
                { fields, strlen(fields) }, { &size, sizeof(size) }, { (char *) message, strlen(message) }, { (char *) "\n", 1 },
        };
        struct msghdr header = { (struct sockaddr *) &address, sizeof(address), (struct iovec *) parts, ELEMENTSOF(parts) };
        return RETRY_EINTR(sendmsg(fd, &header, MSG_NOSIGNAL)) < 0 ? -errno : 0;
}
