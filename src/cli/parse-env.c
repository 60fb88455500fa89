/* SPDX-License-Identifier: Apache-2.0 */
/* Reads environment variables and labels. */
#include "cli/parse-env.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

#define BLANKS " \t"

static int set_pair(char ***pairs, const char *assignment, Error *reterr) {
        return strv_env_set(pairs, assignment) < 0 ? error_oom(reterr) : 0;
}

int parse_env(const char *value, char *const *host, char ***env, Error *reterr) {
        value += strspn(value, BLANKS);
        size_t n = strcspn(value, "=");

        if (n == 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "the name is missing");
        if (value[n])
                return set_pair(env, value, reterr);
        if (value[n - 1] == '*') {
                for (; host && *host; host++)
                        if (strncmp(*host, value, n - 1) == 0 && strchr(*host, '=')) {
                                int r = set_pair(env, *host, reterr);

                                if (r < 0)
                                        return r;
                        }
                return 0;
        }
        const char *found = strv_env_get(host, value);
        if (!found)
                return 0;
        _cleanup_free_ char *assignment = str_format("%s=%s", value, found);
        return assignment ? set_pair(env, assignment, reterr) : error_oom(reterr);
}

static int parse_label(const char *value, char ***labels, Error *reterr) {
        _cleanup_free_ char *bare = NULL;

        if (!*value || *value == '=')
                return error_set(reterr, -EINVAL, ERROR_INVALID, "the name is missing");
        if (!strchr(value, '=')) {
                bare = str_format("%s=", value);
                if (!bare)
                        return error_oom(reterr);
        }
        return set_pair(labels, bare ?: value, reterr);
}

/* Calls one of the two above for each line. The file may be a pipe: people write --env-file <(...). */
static int each_line(const char *path, char *const *host, char ***pairs, bool labels, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
        unsigned number = 0;

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open the file");
        int r = io_read_all(fd, ENV_FILE_LIMIT, &text, NULL);
        if (r == -EBADMSG)
                return error_set(reterr, r, ERROR_INVALID, "the file has a NUL byte");
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the file");
        for (char *line = text, *next; line; line = next) {
                number++;
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                line += strspn(line, BLANKS "\v\f\r");
                size_t n = strlen(line);
                if (n > 0 && line[n - 1] == '\r')
                        line[n - 1] = '\0';
                if (!*line || *line == '#')
                        continue;
                r = labels ? parse_label(line, pairs, reterr) : parse_env(line, host, pairs, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "line %u", number);
        }
        return 0;
}

int parse_env_file(const char *path, char *const *host, char ***env, Error *reterr) {
        const char *optional = *path == '-' && path[1] ? path + 1 : NULL;

        if (optional && access(optional, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
                return 0;
        path = optional ?: path;
        return each_line(path, host, env, /* labels= */ false, reterr);
}

int parse_label_file(const char *path, char ***labels, Error *reterr) {
        return each_line(path, NULL, labels, /* labels= */ true, reterr);
}

int parse_labels(char *const *files, char *const *values, char ***labels, Error *reterr) {
        for (char *const *f = files; f && *f; f++) {
                int r = parse_label_file(*f, labels, reterr);

                if (r < 0)
                        return error_prefix(reterr, r, "cannot use '--label-file %s'", *f);
        }
        for (char *const *v = values; v && *v; v++) {
                int r = parse_label(*v, labels, reterr);

                if (r < 0)
                        return error_prefix(reterr, r, "cannot use '--label %s'", *v);
        }
        return 0;
}
