/* SPDX-License-Identifier: Apache-2.0 */
/* Lines in the container's passwd and group for users that the image does not know: --user with a number, and whoever keeps
 * their ID. Programs ask for the name of the user they run as, and many (ssh, sudo, shells) end where there is none. */
#include "proc/init.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/user.h"

/* Whether the file lies in the root file system itself: what somebody mounted there is theirs. */
static bool is_of_root(int root_fd, int fd) {
        struct statx root, file;

        return statx(root_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &root) == 0 &&
               statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_TYPE, &file) == 0 && S_ISREG(file.stx_mode) &&
               root.stx_mnt_id == file.stx_mnt_id;
}

/* A list that cannot be written (a root without an upper layer, a full disk) stays as it is: the process runs without a name. */
static void append_line(int root_fd, const char *path, const char *line) {
        _cleanup_fd_ int fd = path_open_in_root(root_fd, path, O_RDWR | O_APPEND | O_NONBLOCK | O_NOCTTY, 0);
        _cleanup_free_ char *text = NULL;
        struct stat st;
        char last = '\n';

        if (fd < 0 || !is_of_root(root_fd, fd) || fstat(fd, &st) < 0 ||
            (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1))
                return;
        text = str_format("%s%s\n", last == '\n' ? "" : "\n", line);
        if (text && io_write_full(fd, text, strlen(text)) < 0 && ftruncate(fd, st.st_size) < 0)
                return;
}

static const char *working_directory(const ContainerConfig *config) {
        const char *home = config->workdir;

        return str_empty(home) || strpbrk(home, ":\n") ? "/" : home;
}

/* A name of the container's that a line may have: what --passwd-entry and --group-entry replace. */
typedef struct Word {
        const char *name, *value;
} Word;

/* The line that the template makes; words are replaced in one pass, so that no value is looked into. Owned. */
static char *fill_in(const char *template, const Word *words, size_t n_words) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        while (*template) {
                const Word *found = NULL;

                for (size_t i = 0; i < n_words && *template == '$'; i++)
                        if (str_after(template + 1, words[i].name))
                                found = words + i;
                (void) (found ? fputs(found->value, out) : fputc(*template, out));
                template += found ? 1 + strlen(found->name) : 1;
        }
        return fclose(out) == 0 ? TAKE_PTR(text) : NULL;
}

typedef struct Account {
        const char *name, *comment, *home;
        uid_t uid;
        gid_t gid;
} Account;

static char *passwd_line(const Init *init, const Account *account) {
        _cleanup_free_ char *uid = str_format("%u", account->uid), *gid = str_format("%u", account->gid);
        const Word words[] = { { "USERNAME", account->name }, { "UID", uid }, { "GID", gid }, { "NAME", account->comment }, { "HOME", account->home } };
        const char *template = init->plan->config->passwd_entry ?: "$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh";

        return uid && gid ? fill_in(template, words, ELEMENTSOF(words)) : NULL;
}

static char *group_line(const Init *init, const Account *account, const char *group) {
        _cleanup_free_ char *gid = str_format("%u", account->gid);
        const Word words[] = { { "GROUPNAME", group }, { "GID", gid }, { "USERLIST", account->name } };

        return gid ? fill_in(init->plan->config->group_entry ?: "$GROUPNAME:x:$GID:$USERLIST", words, ELEMENTSOF(words)) : NULL;
}

/* `group` NULL: passwd alone. */
static int list(const Init *init, const Account *account, const char *group, Error *reterr) {
        _cleanup_free_ char *user_line = NULL, *line = NULL;

        if (user_is_listed(init->root_fd, "etc/passwd", account->name, account->uid))
                return 0;
        if (!(user_line = passwd_line(init, account)) || (group && !(line = group_line(init, account, group))))
                return error_oom(reterr);
        append_line(init->root_fd, "etc/passwd", user_line);
        if (group && !user_is_listed(init->root_fd, "etc/group", group, account->gid))
                append_line(init->root_fd, "etc/group", line);
        return 0;
}

/* A home that is mounted into the container is theirs there, too. */
static const char *home_of(const ContainerConfig *config, const char *home) {
        for (size_t i = 0; i < config->n_mounts && home && *home == '/' && home[1]; i++) {
                const char *rest = str_after(home, config->mounts[i].destination);

                if (rest && (!*rest || *rest == '/'))
                        return home;
        }
        return working_directory(config);
}

static int list_host_users(const Init *init, Error *reterr) {
        const ProcPlan *plan = init->plan;
        int r = 0;

        for (size_t i = 0; i < plan->n_host_users && r >= 0; i++) {
                const HostUser *user = plan->host_users + i;

                r = list(init, &(Account){ user->name, user->gecos ?: "", home_of(plan->config, user->home), user->uid, user->gid }, NULL, reterr);
        }
        return r;
}

int init_list_user(Init *init, Error *reterr) {
        const ProcPlan *plan = init->plan;
        const char *user = plan->config->user, *home = working_directory(plan->config);
        _cleanup_container_user_ ContainerUser found = CONTAINER_USER_NULL;
        char uid[16], gid[16];
        int r = 0;

        if (plan->config->no_passwd || plan->config->rootfs) /* --rootfs: a directory of the user's, who keeps its lists */
                return 0;
        r = list_host_users(init, reterr);
        if (r >= 0 && plan->kept_name)
                r = list(init, &(Account){ plan->kept_name, plan->kept_gecos ?: "", home, plan->kept_uid, plan->kept_gid }, plan->kept_name, reterr);
        if (r < 0 || !user || *user < '1' || *user > '9') /* a name has its line */
                return r;
        r = user_resolve(init->root_fd, user, NULL, &found, reterr);
        if (r < 0 || found.name)
                return r;
        (void) snprintf(uid, sizeof(uid), "%u", found.uid);
        (void) snprintf(gid, sizeof(gid), "%u", found.gid);
        return list(init, &(Account){ uid, "container user", home, found.uid, found.gid }, gid, reterr);
}
