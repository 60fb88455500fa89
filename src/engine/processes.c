/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a running container, from /proc. */
#include "engine/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"
#include "proc/caps.h"

enum {
        STATUS_LIMIT = 64 * 1024,
        ARGS_LIMIT = 256 * 1024,
        DATABASE_LIMIT = 1024 * 1024,
        MAP_LINES_LIMIT = 340, /* of a uid_map, user_namespaces(7) */
};

static void info_done(ProcessInfo *p) {
        free(p->comm);
        free(p->args);
        free(p->label);
        free(p->groups);
        *p = (ProcessInfo){};
}

void process_list_done(ProcessList *list) {
        for (size_t i = 0; i < list->n; i++)
                info_done(&list->items[i]);
        free(list->items);
        free(list->passwd);
        free(list->group);
        *list = (ProcessList){};
}

/* The text behind "Key:\t" of a line of /proc/PID/status; NULL. */
static const char *status_value(const char *status, const char *key) {
        size_t n = strlen(key);

        for (const char *line = status; line && *line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, key, n) == 0 && line[n] == ':')
                        return line + n + 1 + strspn(line + n + 1, " \t");
        }
        return NULL;
}

/* The n-th number of a line, or its last one for SIZE_MAX. */
static uint64_t status_number(const char *status, const char *key, size_t n, int base) {
        const char *value = status_value(status, key);
        uint64_t found = 0;

        for (size_t i = 0; value && *value && *value != '\n'; i++) {
                char *end;

                found = strtoull(value, &end, base);
                if (i == n || end == value)
                        break;
                value = end + strspn(end, " \t");
        }
        return found;
}

static int parse_stat(const char *stat, ProcessInfo *p) {
        const char *open = strchr(stat, '('), *close = strrchr(stat, ')');
        unsigned long long utime, stime, start, vsize;
        long long rss;
        int nice;

        /* the name may hold anything, parentheses too: it ends at the last one */
        if (!open || !close || close < open)
                return -EBADMSG;
        if (sscanf(close + 1, " %c %*d %*d %*d %d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %d %*d %*d %llu %llu %lld",
                   &p->state, &p->tty, &utime, &stime, &nice, &start, &vsize, &rss) != 8)
                return -EBADMSG;
        p->cpu_ticks = utime + stime;
        p->nice = nice;
        p->start_ticks = start;
        p->vsize = vsize;
        p->rss = rss > 0 ? (uint64_t) rss * (uint64_t) sysconf(_SC_PAGESIZE) : 0;
        p->comm = strndup(open + 1, (size_t) (close - open - 1));
        return p->comm ? 0 : -ENOMEM;
}

static ProcessIds parse_ids(const char *status, const char *key) {
        uint32_t real = (uint32_t) status_number(status, key, 0, 10), effective = (uint32_t) status_number(status, key, 1, 10);

        return (ProcessIds){ .real = real, .effective = effective, .host_effective = effective };
}

static int parse_groups(const char *status, ProcessInfo *p) {
        const char *value = status_value(status, "Groups");
        char *end;

        for (size_t length = value ? strcspn(value, "\n") : 0; value && length > 0;) {
                uint32_t id = (uint32_t) strtoul(value, &end, 10);

                if (end == value || (size_t) (end - value) > length)
                        break;
                length -= (size_t) (end - value);
                value = end;
                ProcessIds *group = container_array_add((void **) &p->groups, &p->n_groups, sizeof(*group));
                if (!group)
                        return -ENOMEM;
                *group = (ProcessIds){ .real = id, .effective = id, .host_effective = id };
        }
        return 0;
}

int process_parse(const char *stat, const char *status, ProcessInfo *ret) {
        ProcessInfo p = {};
        int r = parse_stat(stat, &p);

        if (r < 0)
                return r;
        p.host_pid = (pid_t) status_number(status, "Pid", 0, 10);
        p.host_ppid = (pid_t) status_number(status, "PPid", 0, 10);
        p.pid = (pid_t) status_number(status, "NSpid", SIZE_MAX, 10);
        p.pgid = (pid_t) status_number(status, "NSpgid", SIZE_MAX, 10);
        p.uid = parse_ids(status, "Uid");
        p.gid = parse_ids(status, "Gid");
        p.cap_inherited = status_number(status, "CapInh", 0, 16);
        p.cap_permitted = status_number(status, "CapPrm", 0, 16);
        p.cap_effective = status_number(status, "CapEff", 0, 16);
        p.cap_bounding = status_number(status, "CapBnd", 0, 16);
        p.cap_ambient = status_number(status, "CapAmb", 0, 16);
        p.seccomp = (int) status_number(status, "Seccomp", 0, 10);
        r = parse_groups(status, &p);
        if (r < 0) {
                info_done(&p);
                return r;
        }
        *ret = p;
        return 0;
}

/* NUL-separated words as one line. */
static char *read_args(int fd, const char *comm) {
        char *text = NULL;
        size_t size;

        if (file_read(fd, "cmdline", ARGS_LIMIT, &text, &size) < 0 || size == 0) {
                free(text);
                return str_format("[%s]", comm);
        }
        while (size > 0 && text[size - 1] == 0)
                size--;
        for (size_t i = 0; i < size; i++)
                if (text[i] == 0)
                        text[i] = ' ';
        return text;
}

static int read_process(pid_t pid, ProcessInfo *ret) {
        _cleanup_free_ char *stat = NULL, *status = NULL;
        char path[32];

        (void) snprintf(path, sizeof(path), "/proc/%d", pid);
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        int r = file_read(fd, "stat", STATUS_LIMIT, &stat, /* ret_size= */ NULL);
        if (r >= 0)
                r = file_read(fd, "status", STATUS_LIMIT, &status, /* ret_size= */ NULL);
        if (r >= 0)
                r = process_parse(stat, status, ret);
        if (r < 0)
                return r;
        ret->args = read_args(fd, ret->comm);
        if (file_read(fd, "attr/current", STATUS_LIMIT, &ret->label, /* ret_size= */ NULL) >= 0)
                ret->label[strcspn(ret->label, "\n")] = 0;
        return ret->args ? 0 : -ENOMEM;
}

/* The namespace's inode, 0 where we may not look. */
static ino_t pid_namespace(pid_t pid) {
        struct stat st;
        char path[48];

        (void) snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
        return stat(path, &st) < 0 ? 0 : st.st_ino;
}

/* A process that ended meanwhile is left out. */
static int add_process(ProcessList *list, pid_t pid) {
        ProcessInfo info = {}, *item;
        int r = read_process(pid, &info);

        if (r == -ENOENT || r == -ESRCH)
                return 0;
        if (r >= 0 && !(item = container_array_add((void **) &list->items, &list->n, sizeof(ProcessInfo))))
                r = -ENOMEM;
        if (r < 0) {
                info_done(&info);
                return r;
        }
        *item = info;
        return 0;
}

/* By the cgroup, where it is the container's own: its init is in it. Other processes there (a supervisor) are in another
 * PID namespace. Returns whether the init was found. */
static int read_from_cgroup(const Container *c, ino_t namespace, ProcessList *list) {
        _cleanup_free_ pid_t *pids = NULL;
        bool found = false;
        size_t n;

        if (str_empty(c->process.cgroup))
                return 0;
        _cleanup_fd_ int fd = cgroup_open(c->process.cgroup, /* reterr= */ NULL);
        if (fd < 0 || cgroup_pids(fd, &pids, &n) < 0)
                return 0;
        for (size_t i = 0; i < n; i++) {
                if (pid_namespace(pids[i]) != namespace)
                        continue;
                found = found || pids[i] == c->process.pid;
                int r = add_process(list, pids[i]);
                if (r < 0)
                        return r;
        }
        return found;
}

static int read_from_proc(ino_t namespace, ProcessList *list) {
        DIR *dir = opendir("/proc");
        int r = 0;

        if (!dir)
                return -errno;
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                uint32_t pid;

                if (parse_u32(e->d_name, &pid) >= 0 && pid_namespace((pid_t) pid) == namespace)
                        r = add_process(list, (pid_t) pid);
        }
        closedir(dir);
        return r;
}

/* IDs as the container has them, by its init's map: "inside outside count" as we see the outside. */
static void map_ids(const char *map, ProcessIds *ids) {
        uint32_t host_real = ids->real, host_effective = ids->effective;
        size_t lines = 0;

        ids->real = ids->effective = UINT32_MAX;
        for (const char *line = map; line && *line && lines++ < MAP_LINES_LIMIT;) {
                uint32_t inside, outside, n;

                if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &n) != 3)
                        break;
                if (host_real >= outside && host_real - outside < n)
                        ids->real = inside + (host_real - outside);
                if (host_effective >= outside && host_effective - outside < n)
                        ids->effective = inside + (host_effective - outside);
                line = strchr(line, '\n');
                line = line ? line + 1 : NULL;
        }
}

static pid_t inside_pid(const ProcessList *list, pid_t host_pid) {
        for (size_t i = 0; i < list->n; i++)
                if (list->items[i].host_pid == host_pid)
                        return list->items[i].pid;
        return 0;
}

static int translate(pid_t init, ProcessList *list) {
        _cleanup_free_ char *uid_map = NULL, *gid_map = NULL;
        char path[32];

        (void) snprintf(path, sizeof(path), "/proc/%d", init);
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        int r = file_read(fd, "uid_map", STATUS_LIMIT, &uid_map, /* ret_size= */ NULL);
        if (r >= 0)
                r = file_read(fd, "gid_map", STATUS_LIMIT, &gid_map, /* ret_size= */ NULL);
        for (size_t i = 0; i < list->n && r >= 0; i++) {
                list->items[i].ppid = inside_pid(list, list->items[i].host_ppid);
                map_ids(uid_map, &list->items[i].uid);
                map_ids(gid_map, &list->items[i].gid);
                for (size_t k = 0; k < list->items[i].n_groups; k++)
                        map_ids(gid_map, &list->items[i].groups[k]);
        }
        return r;
}

/* A file of the container's, found by the kernel inside its root; NULL where it cannot be read. */
static char *read_database(int root_fd, const char *name) {
        _cleanup_fd_ int fd = path_open_in_root(root_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        struct stat st;
        char *text;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return NULL;
        return io_read_all(fd, DATABASE_LIMIT, &text, /* ret_size= */ NULL) < 0 ? NULL : text;
}

static void read_databases(pid_t init, ProcessList *list) {
        char path[40];

        (void) snprintf(path, sizeof(path), "/proc/%d/root", init);
        _cleanup_fd_ int root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return;
        list->passwd = read_database(root_fd, "etc/passwd");
        list->group = read_database(root_fd, "etc/group");
}

char *process_name_of_id(const char *database, uint32_t id) {
        for (const char *line = database; line && *line; line = strchr(line, '\n')) {
                line += *line == '\n';
                const char *name_end = line + strcspn(line, ":\n");
                const char *password_end = *name_end == ':' ? name_end + 1 + strcspn(name_end + 1, ":\n") : name_end;
                uint32_t found;

                if (*password_end != ':' || name_end == line)
                        continue;
                _cleanup_free_ char *number = strndup(password_end + 1, strcspn(password_end + 1, ":\n"));
                if (number && parse_id(number, &found) >= 0 && found == id)
                        return strndup(line, (size_t) (name_end - line));
        }
        return NULL;
}

static int by_pid(const void *a, const void *b) {
        return ((const ProcessInfo *) a)->pid - ((const ProcessInfo *) b)->pid;
}

int process_list_read(const Container *c, ProcessList *ret, Error *reterr) {
        _cleanup_process_list_ ProcessList list = {};
        ino_t namespace;

        if (c->status != CONTAINER_RUNNING && c->status != CONTAINER_PAUSED)
                return error_set(reterr, -ESRCH, ERROR_STATE, "cannot list the processes of '%s': it is not running",
                                 c->config.name);
        namespace = pid_namespace(c->process.pid);
        int r = namespace == 0 ? -ESRCH : read_from_cgroup(c, namespace, &list);
        if (r == 0) {
                bool own = !c->config.pid_mode || str_equal(c->config.pid_mode, "private");

                process_list_done(&list);
                if (!own)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                         "cannot list the processes of '%s': it shares its PID namespace and has no cgroup "
                                         "of its own, so they cannot be told from others",
                                         c->config.name);
                r = read_from_proc(namespace, &list);
        }
        if (r >= 0)
                r = translate(c->process.pid, &list);
        if (r == -ESRCH || (r < 0 && process_has_ended(c->pidfd)))
                return error_set(reterr, -ESRCH, ERROR_STATE, "cannot list the processes of '%s': it ended meanwhile", c->config.name);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot list the processes of '%s'", c->config.name);
        read_databases(c->process.pid, &list);
        if (list.n > 0)
                qsort(list.items, list.n, sizeof(ProcessInfo), by_pid);
        *ret = list;
        list = (ProcessList){};
        return 0;
}

char *process_capabilities_text(uint64_t set) {
        _cleanup_strv_ char **names = NULL, **shortened = NULL;

        if (set == 0)
                return strdup("none");
        if (set == caps_all())
                return strdup("full");
        names = caps_to_strv(set);
        for (char **n = names; n && *n; n++)
                if (strv_append(&shortened, str_after(*n, "CAP_") ?: *n) < 0)
                        return NULL;
        return names ? strv_join(shortened, ",") : NULL;
}
