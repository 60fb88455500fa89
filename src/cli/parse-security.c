/* SPDX-License-Identifier: Apache-2.0 */
/* Reads capabilities and security options. */
#include "cli/parse-security.h"

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

static int set_label(_unused_ ContainerConfig *config, const char *value, Error *reterr) {
        return str_equal(value, "disable") ? 0 : NOT_YET("SELinux labels are not there yet");
}

static int set_apparmor(_unused_ ContainerConfig *config, const char *value, Error *reterr) {
        return str_equal(value, "unconfined") ? 0 : NOT_YET("AppArmor profiles are not there yet");
}

static int set_later(_unused_ ContainerConfig *config, _unused_ const char *value, Error *reterr) {
        return NOT_YET("it is not there yet");
}

static const struct {
        const char *name, *otherwise; /* the value where none is given; NULL: it is needed */
        int (*set)(ContainerConfig *config, const char *value, Error *reterr);
} security_opts[] = {
        { "apparmor", NULL, set_apparmor },
        { "label", NULL, set_label },
        { "mask", NULL, set_mask },
        { "no-new-privileges", "true", set_no_new_privileges },
        { "proc-opts", NULL, set_later },
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
