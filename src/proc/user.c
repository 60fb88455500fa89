/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the container's passwd and group files. */
#include "proc/user.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"

enum {
        FILE_LIMIT = 64 * 1024 * 1024, /* bytes of passwd or group that are looked at */
        LINE_LIMIT = 64 * 1024,        /* longer lines are passed over */
        GROUPS_LIMIT = 65536,          /* the kernel's NGROUPS_MAX */
        HOME_LIMIT = 4095,
};

/* Lines of one file through a buffer of a fixed size. */
typedef struct LineReader {
        int fd;
        size_t start, end, total;
        bool skipping; /* inside a line that is too long */
        char buffer[LINE_LIMIT];
} LineReader;

static LineReader *line_reader_new(int fd) {
        LineReader *reader = malloc(sizeof(*reader));

        if (reader) {
                reader->fd = fd;
                reader->start = reader->end = reader->total = 0;
                reader->skipping = false;
        }
        return reader;
}

/* The next line without its newline, NULL at the end. Borrowed, and may be cut up by the caller. */
static char *next_line(LineReader *reader) {
        for (;;) {
                char *line = reader->buffer + reader->start;
                char *newline = memchr(line, '\n', reader->end - reader->start);
                ssize_t n;

                if (newline) {
                        bool tail = reader->skipping;

                        *newline = '\0';
                        reader->start = (size_t) (newline + 1 - reader->buffer);
                        reader->skipping = false;
                        if (tail)
                                continue;
                        return line;
                }
                memmove(reader->buffer, line, reader->end - reader->start);
                reader->end -= reader->start;
                reader->start = 0;
                if (reader->end == sizeof(reader->buffer) - 1) {
                        reader->skipping = true;
                        reader->end = 0;
                }
                n = reader->total < FILE_LIMIT ? RETRY_EINTR(read(reader->fd, reader->buffer + reader->end,
                                                                  sizeof(reader->buffer) - 1 - reader->end)) : 0;
                if (n <= 0) {
                        bool last = reader->end > 0 && !reader->skipping;

                        reader->buffer[reader->end] = '\0';
                        reader->start = reader->end = 0;
                        return last ? reader->buffer : NULL;
                }
                reader->end += (size_t) n;
                reader->total += (size_t) n;
        }
}

/* A regular file inside the root, never procfs under another name; -ENOENT for anything else that cannot be a list of
 * users. Opening never waits. */
static int open_list(int root_fd, const char *path) {
        _cleanup_fd_ int fd = path_open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        struct statfs about;
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0 || fstatfs(fd, &about) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || about.f_type == PROC_SUPER_MAGIC || about.f_type == SYSFS_MAGIC)
                return -EINVAL;
        return TAKE_FD(fd);
}

/* Cuts a line at its colons into exactly `n` fields (the last one keeps the rest); false when there are fewer. */
static bool cut_fields(char *line, char **fields, size_t n) {
        for (size_t i = 0; i < n; i++) {
                fields[i] = line;
                if (i + 1 == n)
                        break;
                line = strchr(line, ':');
                if (!line)
                        return false;
                *line++ = '\0';
        }
        return true;
}

static bool all_digits(const char *s) {
        return *s && !s[strspn(s, "0123456789")];
}

/* A name that could stand in passwd: no sign, no control byte, no separator. */
static bool is_name(const char *s) {
        if (!*s || *s == '-' || *s == '+' || strlen(s) > 255)
                return false;
        for (const unsigned char *c = (const unsigned char *) s; *c; c++)
                if (*c <= ' ' || *c == 0x7f || *c == ':' || *c == ',' || *c == '/')
                        return false;
        return true;
}

/* One half of a spec: an ID or a name. */
typedef struct Who {
        bool is_id;
        uint32_t id;
        char *name; /* owned, NULL for an ID */
} Who;

static void who_done(Who *who) {
        free(who->name);
}

static int parse_who(const char *word, const char *option, const char *spec, Who *ret, Error *reterr) {
        Who who = {};

        if (all_digits(word)) {
                if (parse_id(word, &who.id) < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use %s '%s': %s is not a valid ID", option,
                                         spec, word);
                who.is_id = true;
        } else if (is_name(word)) {
                who.name = strdup(word);
                if (!who.name)
                        return error_oom(reterr);
        } else
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use %s '%s': '%s' is not a name or an ID", option,
                                 spec, word);
        *ret = who;
        return 0;
}

/* Looks the user up in passwd; fills uid, gid, name and home. */
static int look_up_user(int root_fd, const Who *who, ContainerUser *user, Error *reterr) {
        _cleanup_fd_ int fd = open_list(root_fd, "etc/passwd");
        _cleanup_free_ LineReader *reader = NULL;
        char *fields[7];

        user->uid = who->id;
        if (fd < 0)
                goto not_there;
        reader = line_reader_new(fd);
        if (!reader)
                return error_oom(reterr);
        for (char *line; (line = next_line(reader));) {
                uint32_t uid, gid;

                if (!cut_fields(line, fields, ELEMENTSOF(fields)) || parse_id(fields[2], &uid) < 0 ||
                    parse_id(fields[3], &gid) < 0)
                        continue;
                if (who->is_id ? uid != who->id : strcmp(fields[0], who->name) != 0)
                        continue;
                user->uid = uid;
                user->gid = gid;
                if (is_name(fields[0]) && str_replace(&user->name, fields[0]) < 0)
                        return error_oom(reterr);
                if (fields[5][0] == '/' && strlen(fields[5]) <= HOME_LIMIT && str_replace(&user->home, fields[5]) < 0)
                        return error_oom(reterr);
                return 0;
        }
not_there:
        if (who->is_id)
                return 0;
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot find user '%s': the container's /etc/passwd cannot be read", who->name);
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find user '%s': no such line in the container's /etc/passwd",
                         who->name);
}

static int add_group(ContainerUser *user, gid_t gid) {
        size_t n = user->n_groups;

        if (n >= GROUPS_LIMIT)
                return 0;
        if ((n & (n - 1)) == 0) { /* the room doubles at each power of two */
                gid_t *grown = reallocarray(user->groups, n > 0 ? n * 2 : 1, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                user->groups = grown;
        }
        user->groups[user->n_groups++] = gid;
        return 0;
}

static int compare_groups(const void *a, const void *b) {
        gid_t x = *(const gid_t *) a, y = *(const gid_t *) b;

        return x < y ? -1 : x > y;
}

/* In ascending order, each once. */
static void sort_groups(ContainerUser *user) {
        size_t n = 0;

        if (user->n_groups == 0)
                return;
        qsort(user->groups, user->n_groups, sizeof(*user->groups), compare_groups);
        for (size_t i = 0; i < user->n_groups; i++)
                if (n == 0 || user->groups[n - 1] != user->groups[i])
                        user->groups[n++] = user->groups[i];
        user->n_groups = n;
}

static bool lists_member(char *members, const char *name) {
        for (char *save = NULL, *m = strtok_r(members, ",", &save); m; m = strtok_r(NULL, ",", &save))
                if (strcmp(m, name) == 0)
                        return true;
        return false;
}

/* One pass over the group file: `wanted` (may be NULL) becomes the user's group; the names in `added` become
 * supplementary, and are marked as found by freeing their name; `member` (may be NULL) collects where it is listed. */
static int read_groups(int root_fd, Who *wanted, Who *added, size_t n_added, const char *member, ContainerUser *user) {
        _cleanup_fd_ int fd = open_list(root_fd, "etc/group");
        _cleanup_free_ LineReader *reader = NULL;
        char *fields[4];

        if (fd < 0)
                return 0; /* who needs a name from it says so */
        reader = line_reader_new(fd);
        if (!reader)
                return -ENOMEM;
        for (char *line; (line = next_line(reader));) {
                uint32_t gid;

                if (!cut_fields(line, fields, ELEMENTSOF(fields)) || parse_id(fields[2], &gid) < 0)
                        continue;
                if (wanted && wanted->name && strcmp(wanted->name, fields[0]) == 0) {
                        user->gid = gid;
                        free(TAKE_PTR(wanted->name));
                }
                for (size_t i = 0; i < n_added; i++)
                        if (added[i].name && strcmp(added[i].name, fields[0]) == 0) {
                                added[i].id = gid;
                                added[i].is_id = true;
                                free(TAKE_PTR(added[i].name));
                        }
                if (member && lists_member(fields[3], member) && add_group(user, gid) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int group_not_found(const char *name, Error *reterr) {
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find group '%s': no such line in the container's /etc/group",
                         name);
}

static int resolve_groups(int root_fd, Who *group, char *const *group_add, ContainerUser *user, Error *reterr) {
        size_t n = strv_length(group_add);
        _cleanup_free_ Who *added = calloc(n + 1, sizeof(*added));
        int r = 0;

        if (!added)
                return error_oom(reterr);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (strcmp(group_add[i], "keep-groups") == 0) {
                        user->keep_groups = true;
                        if (n > 1)
                                r = error_set(reterr, -EINVAL, ERROR_INVALID,
                                              "cannot use --group-add 'keep-groups' together with another --group-add");
                        added[i].is_id = true;
                } else
                        r = parse_who(group_add[i], "--group-add", group_add[i], &added[i], reterr);
        }
        if (r >= 0 && group && group->is_id)
                user->gid = group->id;
        if (r >= 0)
                r = read_groups(root_fd, group, added, n, group ? NULL : user->name, user);
        if (r == -ENOMEM)
                r = error_oom(reterr);
        if (r >= 0 && group && group->name)
                r = group_not_found(group->name, reterr);
        for (size_t i = 0; r >= 0 && !user->keep_groups && i < n; i++) {
                if (added[i].name)
                        r = group_not_found(added[i].name, reterr);
                else if (add_group(user, added[i].id) < 0)
                        r = error_oom(reterr);
        }
        for (size_t i = 0; i < n; i++)
                who_done(&added[i]);
        sort_groups(user);
        return r;
}

int user_add_own_group(ContainerUser *user) {
        if (user->keep_groups)
                return 0;
        if (add_group(user, user->gid) < 0)
                return -ENOMEM;
        sort_groups(user);
        return 0;
}

void container_user_done(ContainerUser *user) {
        free(user->groups);
        free(user->name);
        free(user->home);
        *user = CONTAINER_USER_NULL;
}

int user_resolve(int root_fd, const char *spec, char *const *group_add, ContainerUser *ret, Error *reterr) {
        _cleanup_container_user_ ContainerUser user = CONTAINER_USER_NULL;
        _cleanup_(who_done) Who who = {}, group = {};
        _cleanup_free_ char *user_word = strdup(spec ?: "0");
        char *group_word;
        int r;

        if (!user_word)
                return error_oom(reterr);
        group_word = strchr(user_word, ':');
        if (group_word)
                *group_word++ = '\0';
        if (group_word && !*group_word) /* "user:" means no group, as in Podman */
                group_word = NULL;
        r = parse_who(user_word, "--user", spec ?: "0", &who, reterr);
        if (r >= 0 && group_word)
                r = parse_who(group_word, "--user", spec, &group, reterr);
        if (r >= 0)
                r = look_up_user(root_fd, &who, &user, reterr);
        if (r >= 0)
                r = resolve_groups(root_fd, group_word ? &group : NULL, group_add, &user, reterr);
        if (r < 0) {
                if (reterr && r != -ENOMEM)
                        reterr->kind = ERROR_NOT_EXECUTABLE; /* as this user the command cannot be invoked: 126 */
                return r;
        }
        if (!user.home && str_replace(&user.home, "/") < 0)
                return error_oom(reterr);
        *ret = user;
        user = CONTAINER_USER_NULL;
        return 0;
}

bool user_is_listed(int root_fd, const char *list, const char *name, uint32_t id) {
        _cleanup_fd_ int fd = open_list(root_fd, list);
        _cleanup_free_ LineReader *reader = fd >= 0 ? line_reader_new(fd) : NULL;
        char *fields[4];
        uint32_t found;

        if (!reader)
                return true;
        for (char *line; (line = next_line(reader));)
                if (cut_fields(line, fields, ELEMENTSOF(fields)) &&
                    (strcmp(fields[0], name) == 0 || (parse_id(fields[2], &found) >= 0 && found == id)))
                        return true;
        return false;
}

static int not_mapped(const char *what, uint32_t id, const IdMap *map, Error *reterr) {
        (void) error_set(reterr, -EINVAL, ERROR_NOT_EXECUTABLE, "cannot use %s ID %u: the container's user namespace has %llu IDs", what, id,
                         (unsigned long long) idmap_size(map));
        return error_with_hint(reterr, -EINVAL, "more come with larger ranges in /etc/subuid and /etc/subgid, or with --uidmap and --gidmap");
}

int user_check_mapped(const ContainerUser *user, const UserMap *map, Error *reterr) {
        uint32_t host;

        if (map->host)
                return 0;
        if (!idmap_to_host(&map->uid, user->uid, &host))
                return not_mapped("user", user->uid, &map->uid, reterr);
        if (!idmap_to_host(&map->gid, user->gid, &host))
                return not_mapped("group", user->gid, &map->gid, reterr);
        for (size_t i = 0; i < user->n_groups; i++)
                if (!idmap_to_host(&map->gid, user->groups[i], &host))
                        return not_mapped("group", user->groups[i], &map->gid, reterr);
        return 0;
}
