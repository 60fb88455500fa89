/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci ps: the processes of a container, by the host's IDs. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/state.h"
#include "oci/verb.h"

enum { OUTPUT_LIMIT = 64 * 1024 * 1024 };

typedef struct PsOptions {
        char *format;
} PsOptions;

static const char *const formats[] = { "table", "json", NULL };

static const Option rows[] = {
        { "format", 'f', .kind = OPTION_STRING, .offset = offsetof(PsOptions, format), .metavar = "FORMAT",
          .help = "table (the default): what ps(1) says of them; json: their IDs", .complete = COMPLETE_WORDS, .words = formats },
        {},
};
static const Option *const options[] = { rows, NULL };

typedef struct Pids {
        pid_t *ids;
        size_t n;
} Pids;

static void print_json(const Pids *pids) {
        for (size_t i = 0; i < pids->n; i++)
                printf("%c%d", i == 0 ? '[' : ',', (int) pids->ids[i]);
        puts(pids->n > 0 ? "]" : "null");
}

static const char *find_ps(void) {
        static const char *const paths[] = { "/usr/bin/ps", "/bin/ps", "/usr/local/bin/ps", "/run/current-system/sw/bin/ps" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (access(paths[i], X_OK) == 0)
                        return paths[i];
        return NULL;
}

static bool namespace_of(uint32_t pid, struct stat *ret) {
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
        return stat(path, ret) >= 0;
}

/* Without a cgroup of its own: who is in the PID namespace of its init, where that is its own. */
static int find_by_namespace(const OciContainer *c, Pids *pids, Error *reterr) {
        struct stat wanted, st;
        uint32_t pid;

        if (c->pidfd < 0 || !c->record.own_pid_namespace || !namespace_of((uint32_t) c->record.pid, &wanted))
                return 0;
        DIR *dir = opendir("/proc");
        if (!dir)
                return error_set_errno(reterr, -errno, "cannot read '/proc'");
        int r = 0;
        for (struct dirent *entry; r >= 0 && (entry = readdir(dir));) {
                if (parse_u32(entry->d_name, &pid) < 0 || !namespace_of(pid, &st) || st.st_ino != wanted.st_ino ||
                    st.st_dev != wanted.st_dev)
                        continue;
                pid_t *ids = reallocarray(pids->ids, pids->n + 1, sizeof(*ids));
                if (ids) {
                        pids->ids = ids;
                        ids[pids->n++] = (pid_t) pid;
                } else
                        r = error_oom(reterr);
        }
        (void) closedir(dir);
        return r;
}

/* All that ps(1) prints with these words. */
static int run_ps(char **words, char **ret, Error *reterr) {
        const char *path = find_ps();
        _cleanup_free_ char **argv = calloc(strv_length(words) + 3, sizeof(char *));
        _cleanup_fd_ int out = -EBADF, in = -EBADF;
        int fds[2];
        pid_t pid;

        if (!path)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot list processes: there is no ps(1); --format json needs none");
        if (!argv)
                return error_oom(reterr);
        argv[0] = (char *) "ps";
        argv[1] = (char *) "-ef";
        if (*words)
                memcpy(argv + 1, words, strv_length(words) * sizeof(char *));
        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a pipe");
        out = fds[0];
        in = fds[1];
        int r = process_spawn(path, argv, NULL, (const int[]) { -EBADF, in, STDERR_FILENO }, 3, &pid, NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run ps(1)");
        in = fd_close(in);
        r = io_read_all(out, OUTPUT_LIMIT, ret, /* ret_size= */ NULL);
        int status = process_reap(pid);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the answer of ps(1)");
        return status > 0 ? error_set(reterr, -EINVAL, ERROR_INVALID, "cannot list processes: ps(1) ended with status %d", status) : 0;
}

/* The n-th word of a line; its length, 0 where there is none. */
static size_t word_at(const char *line, size_t n, const char **ret) {
        for (;; n--) {
                line += strspn(line, " \t");
                size_t length = strcspn(line, " \t");

                if (n == 0 || length == 0) {
                        *ret = line;
                        return length;
                }
                line += length;
        }
}

static bool is_ours(const Pids *pids, const char *word, size_t length) {
        char number[16];
        uint32_t pid;

        if (length == 0 || length >= sizeof(number))
                return false;
        (void) snprintf(number, sizeof(number), "%.*s", (int) length, word);
        for (size_t i = 0; parse_u32(number, &pid) >= 0 && i < pids->n; i++)
                if ((uint32_t) pids->ids[i] == pid)
                        return true;
        return false;
}

static int print_table(const Pids *pids, char **words, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        const char *word;
        size_t column = 0, length;

        int r = run_ps(words, &text, reterr);
        if (r < 0)
                return r;
        char *line = strtok_r(text, "\n", &save);
        while (line && (length = word_at(line, column, &word)) > 0 && !(length == 3 && strncmp(word, "PID", 3) == 0))
                column++;
        if (!line || length == 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot list processes: ps(1) prints no column PID with these options");
        puts(line);
        while ((line = strtok_r(NULL, "\n", &save)))
                if ((length = word_at(line, column, &word)) > 0 && is_ours(pids, word, length))
                        puts(line);
        return 0;
}

static int run(Invocation *in, Error *reterr) {
        const PsOptions *o = in->options;
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;
        Pids pids = {};

        int r = oci_container_find(&in->global, in->arguments[0], /* lock= */ false, &root, &c, reterr);
        if (r < 0)
                return r;
        r = runtime_cgroup_pids(&c.record.cgroup, &pids.ids, &pids.n, reterr);
        if (r >= 0 && pids.n == 0)
                r = find_by_namespace(&c, &pids, reterr);
        if (r >= 0 && str_equal(o->format, "json"))
                print_json(&pids);
        else if (r >= 0)
                r = print_table(&pids, in->arguments + 1, reterr);
        free(pids.ids);
        return r;
}

const Verb verb_ps = {
        .name = "ps",
        .arguments = "ID [PS-OPTION...]",
        .summary = "List the processes of a container",
        .description = "The options of ps(1) behind the ID choose its columns, of which PID must be one; -ef where there are none.",
        .options = options,
        .options_size = sizeof(PsOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .stop_at_argument = true,
        .run = run,
};
