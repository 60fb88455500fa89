/* SPDX-License-Identifier: Apache-2.0 */
/* Reads capabilities and security options. */
#include "cli/parse-security.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/str.h"
#include "cli/parse-mount.h"
#include "spec/opening.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)
#define NOT_YET(...) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, __VA_ARGS__)

const char *const parse_capability_names[] = {
        "CAP_AUDIT_CONTROL", "CAP_AUDIT_READ", "CAP_AUDIT_WRITE", "CAP_BLOCK_SUSPEND", "CAP_BPF",
        "CAP_CHECKPOINT_RESTORE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
        "CAP_FSETID", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_KILL", "CAP_LEASE", "CAP_LINUX_IMMUTABLE",
        "CAP_MAC_ADMIN", "CAP_MAC_OVERRIDE", "CAP_MKNOD", "CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE",
        "CAP_NET_BROADCAST", "CAP_NET_RAW", "CAP_PERFMON", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
        "CAP_SYSLOG", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_CHROOT", "CAP_SYS_MODULE", "CAP_SYS_NICE",
        "CAP_SYS_PACCT", "CAP_SYS_PTRACE", "CAP_SYS_RAWIO", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
        "CAP_SYS_TTY_CONFIG", "CAP_WAKE_ALARM", NULL,
};

int parse_capability(const char *value, char ***capabilities, Error *reterr) {
        const char *name = NULL;

        if (strcasecmp(value, "all") == 0)
                name = "ALL";
        for (const char *const *c = parse_capability_names; *c && !name; c++)
                if (strcasecmp(*c, value) == 0 || strcasecmp(*c + STRLEN("CAP_"), value) == 0)
                        name = *c;
        if (!name)
                return INVALID("there is no such capability");
        if (strv_contains(*capabilities, name))
                return 0;
        return strv_append(capabilities, name) < 0 ? error_oom(reterr) : 0;
}

static int set_no_new_privileges(ContainerConfig *config, const char *value, Error *reterr) {
        if (parse_bool(value, &config->no_new_privileges) < 0)
                return INVALID("'%s' is neither true nor false", value);
        return 0;
}

static int set_seccomp(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_free_ char *path = NULL;

        if (!*value)
                return INVALID("the profile is missing");
        if (!str_equal(value, "unconfined")) {
                int r = parse_host_path(value, &path, reterr);
                if (r < 0)
                        return r;
        }
        return str_replace(&config->seccomp, path ?: value) < 0 ? error_oom(reterr) : 0;
}

static int add_paths(char ***paths, const char *value, bool patterns, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(value, ":");

        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w; w++) {
                if (**w != '/')
                        return INVALID("'%s' is not an absolute path", *w);
                if (!patterns && strpbrk(*w, "*?["))
                        return INVALID("'%s' is not one path", *w);
        }
        return strv_extend(paths, words) < 0 ? error_oom(reterr) : 0;
}

static int set_mask(ContainerConfig *config, const char *value, Error *reterr) {
        return add_paths(&config->masked_paths_add, value, /* patterns= */ false, reterr);
}

static int set_unmask(ContainerConfig *config, const char *value, Error *reterr) {
        if (strcasecmp(value, "all") == 0)
                return strv_append(&config->unmask, "ALL") < 0 ? error_oom(reterr) : 0;
        return add_paths(&config->unmask, value, /* patterns= */ true, reterr);
}

static int set_systempaths(ContainerConfig *config, const char *value, Error *reterr) {
        if (!str_equal(value, "unconfined"))
                return INVALID("'%s' is not unconfined", value);
        return set_unmask(config, "ALL", reterr);
}

/* SELinux's labels mean something only to a kernel with SELinux; on others they are without effect, as in Podman. */
static int set_label(_unused_ ContainerConfig *config, const char *value, Error *reterr) {
        static const char *const names[] = { "user:", "role:", "type:", "level:", "filetype:" };

        if (str_equal(value, "disable"))
                return 0;
        bool known = str_equal(value, "nested");
        for (size_t i = 0; i < ELEMENTSOF(names) && !known; i++)
                known = str_after(value, names[i]) && *str_after(value, names[i]);
        if (!known)
                return INVALID("'%s' is not disable, nested, user:, role:, type:, level: or filetype:", value);
        if (access("/sys/fs/selinux/enforce", F_OK) == 0)
                return NOT_YET("SELinux labels are not there yet");
        return 0;
}

static bool apparmor_is_enabled(void) {
        _cleanup_free_ char *text = NULL;

        return file_read(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &text, /* ret_size= */ NULL) >= 0 && *text == 'Y';
}

static int set_apparmor(ContainerConfig *config, const char *value, Error *reterr) {
        if (str_equal(value, "unconfined"))
                return str_replace(&config->apparmor, NULL) < 0 ? error_oom(reterr) : 0;
        if (str_empty(value) || strpbrk(value, " \t\n\r"))
                return INVALID("'%s' is not the name of a profile", value);
        if (!apparmor_is_enabled())
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "AppArmor is not enabled on this machine");
        return str_replace(&config->apparmor, value) < 0 ? error_oom(reterr) : 0;
}

/* Of proc(5), by the words that the kernel has for them. */
static int set_proc_opts(ContainerConfig *config, const char *value, Error *reterr) {
        static const char *const hidepid[] = { "0", "1", "2", "4", "off", "noaccess", "invisible", "ptraceable", NULL };
        _cleanup_strv_ char **words = strv_split(value, ",");
        uint32_t gid;

        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w; w++) {
                const char *rest;

                if ((rest = str_after(*w, "hidepid=")) ? !strv_contains((char *const *) hidepid, rest)
                    : (rest = str_after(*w, "gid=")) ? parse_id(rest, &gid) < 0 : !str_equal(*w, "subset=pid"))
                        return INVALID("'%s' is not hidepid=0, 1, 2 or 4, gid=ID or subset=pid", *w);
        }
        return str_replace(&config->proc_opts, value) < 0 ? error_oom(reterr) : 0;
}

static const struct {
        const char *name, *otherwise; /* the value where none is given; NULL: it is needed */
        int (*set)(ContainerConfig *config, const char *value, Error *reterr);
} security_opts[] = {
        { "apparmor", NULL, set_apparmor },
        { "label", NULL, set_label },
        { "mask", NULL, set_mask },
        { "no-new-privileges", "true", set_no_new_privileges },
        { "proc-opts", NULL, set_proc_opts },
        { "seccomp", NULL, set_seccomp },
        { "systempaths", NULL, set_systempaths },
        { "unmask", NULL, set_unmask },
};

int parse_security_opt(ContainerConfig *config, const char *value, Error *reterr) {
        size_t n = strcspn(value, "=:");

        if (security_opening_from_name(value) >= 0)
                return strv_append(&config->security_opt, value) < 0 ? error_oom(reterr) : 0;
        for (size_t i = 0; i < ELEMENTSOF(security_opts); i++) {
                if (strlen(security_opts[i].name) != n || strncmp(value, security_opts[i].name, n) != 0)
                        continue;
                if (!value[n] && !security_opts[i].otherwise)
                        return INVALID("it is %s=VALUE", security_opts[i].name);
                int r = security_opts[i].set(config, value[n] ? value + n + 1 : security_opts[i].otherwise, reterr);
                if (r < 0)
                        return r;
                return strv_append(&config->security_opt, value) < 0 ? error_oom(reterr) : 0;
        }
        return INVALID("there is no security option '%.*s'", (int) n, value);
}
