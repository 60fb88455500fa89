/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what concerns the container's process and the small files around it. */
#include "cli/parse-process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/parse-mount.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

enum {
        PRESERVED_MAX = 1024,
        ENTRY_MAX = 4096,
};

static int replace(char **field, const char *value, Error *reterr) {
        return str_replace(field, value) < 0 ? error_oom(reterr) : 0;
}

int parse_personality(ContainerConfig *config, const char *value, Error *reterr) {
        if (!*value) /* none, as in Podman */
                return replace(&config->personality, NULL, reterr);
        if (!str_equal(value, "LINUX") && !str_equal(value, "LINUX32"))
                return INVALID("not one of LINUX, LINUX32");
        return replace(&config->personality, value, reterr);
}

/* Names of the zone database: letters, digits and a few signs, never a way out of its directory. */
static bool zone_name_is_plain(const char *name) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";

        return strspn(name, letters) == strlen(name) && *name != '/' && !strstr(name, "//") && name[strlen(name) - 1] != '/';
}

int parse_timezone(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_free_ char *path = str_format("/usr/share/zoneinfo/%s", value);
        struct stat st;

        if (!path)
                return error_oom(reterr);
        if (!*value || str_equal(value, "local"))
                return replace(&config->timezone, *value ? value : NULL, reterr);
        if (!zone_name_is_plain(value))
                return INVALID("not a time zone such as Europe/Berlin, nor local");
        if (stat(path, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot find '%s'", path);
        if (!S_ISREG(st.st_mode))
                return INVALID("'%s' is not a time zone but a group of them", value);
        return replace(&config->timezone, value, reterr);
}

static int set_entry(char **field, const char *value, Error *reterr) {
        if (!*value || strlen(value) > ENTRY_MAX)
                return INVALID("a line has 1 to %d bytes", ENTRY_MAX);
        for (const unsigned char *p = (const unsigned char *) value; *p; p++)
                if (*p < ' ' || *p == 0x7f)
                        return INVALID("it is more than one line");
        return replace(field, value, reterr);
}

int parse_passwd_entry(ContainerConfig *config, const char *value, Error *reterr) {
        return set_entry(&config->passwd_entry, value, reterr);
}

int parse_group_entry(ContainerConfig *config, const char *value, Error *reterr) {
        return set_entry(&config->group_entry, value, reterr);
}

int parse_host_user(ContainerConfig *config, const char *value, Error *reterr) {
        if (!*value)
                return INVALID("the name is missing");
        return strv_append(&config->host_users, value) < 0 ? error_oom(reterr) : 0;
}

int parse_hosts_file(ContainerConfig *config, const char *value, Error *reterr) {
        if (str_equal(value, "none") || str_equal(value, "image"))
                return replace(&config->hosts_file, value, reterr);
        if (*value != '/')
                return INVALID("not one of none, image, or an absolute path");
        return parse_path_field(value, &config->hosts_file, reterr);
}

int parse_chrootdir(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_free_ char *path = *value == '/' ? path_simplify(value) : NULL;

        if (*value != '/' || str_equal(path, "/"))
                return INVALID("'%s' is not a directory of the container such as /var/lib/app", value);
        if (!path)
                return error_oom(reterr);
        if (strv_contains(config->chroot_dirs, path))
                return 0;
        return strv_append(&config->chroot_dirs, path) < 0 ? error_oom(reterr) : 0;
}

int parse_path_field(const char *value, char **field, Error *reterr) {
        _cleanup_free_ char *path = NULL;

        int r = *value ? parse_host_path(value, &path, reterr) : 0;
        if (r < 0)
                return r;
        free(*field);
        *field = TAKE_PTR(path);
        return 0;
}

int parse_seccomp_policy(ContainerConfig *config, const char *value, Error *reterr) {
        if (!str_equal(value, "default") && !str_equal(value, "image"))
                return INVALID("not one of default, image");
        if (str_equal(value, "default") || config->seccomp) /* a profile of --security-opt wins */
                return 0;
        return replace(&config->seccomp, "image", reterr);
}

int parse_shm_size_systemd(ContainerConfig *config, const char *value, Error *reterr) {
        uint64_t size;

        if (parse_bytes(value, &size) < 0)
                return INVALID("not a size such as 64m");
        config->shm_size_systemd = size ?: UINT64_MAX;
        return 0;
}

static int add_fd(int **fds, size_t *n, uint32_t number, const char *option, Error *reterr) {
        int flags = number > INT32_MAX ? -1 : fcntl((int) number, F_GETFD);

        if (number < 3)
                return INVALID("cannot use %s: descriptor %u is standard input, output or error", option, number);
        if (*n >= PRESERVED_MAX)
                return INVALID("cannot use %s: more than %d descriptors", option, PRESERVED_MAX);
        if (flags < 0 || (flags & FD_CLOEXEC)) {
                int r = INVALID("cannot use %s: file descriptor %u is not available", option, number);
                return error_with_hint(reterr, r, "it must be open in the command that calls sdpod, as in: sdpod run ... %u<FILE", number);
        }
        for (size_t i = 0; i < *n; i++)
                if ((*fds)[i] == (int) number)
                        return 0;
        int *added = container_array_add((void **) fds, n, sizeof(**fds));
        if (!added)
                return error_oom(reterr);
        *added = (int) number;
        return 0;
}

static int by_number(const void *a, const void *b) {
        int x = *(const int *) a, y = *(const int *) b;

        return x < y ? -1 : x > y;
}

int parse_preserved_fds(uint32_t n_first, char *const *list, int **ret, size_t *ret_n, Error *reterr) {
        _cleanup_free_ int *fds = NULL;
        size_t n = 0;
        int r = 0;

        if (n_first > PRESERVED_MAX)
                return INVALID("cannot use --preserve-fds: more than %d descriptors", PRESERVED_MAX);
        for (uint32_t i = 0; i < n_first && r >= 0; i++)
                r = add_fd(&fds, &n, 3 + i, "--preserve-fds", reterr);
        for (char *const *word = list; word && *word && r >= 0; word++) {
                uint32_t number;

                if (parse_u32(*word, &number) < 0)
                        return INVALID("cannot use --preserve-fd '%s': not a descriptor's number", *word);
                r = add_fd(&fds, &n, number, "--preserve-fd", reterr);
        }
        if (r < 0)
                return r;
        if (n > 0)
                qsort(fds, n, sizeof(*fds), by_number);
        *ret = TAKE_PTR(fds);
        *ret_n = n;
        return 0;
}
