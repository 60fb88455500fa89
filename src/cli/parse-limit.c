/* SPDX-License-Identifier: Apache-2.0 */
/* Reads limits, kernel parameters and devices. */
#include "cli/parse-limit.h"

#include <ctype.h>
#include <sys/resource.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/rlimit.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

enum { CPU_PERIOD = 100000, CPUS_MAX = 8192, CPU_QUOTA_MIN = 1000 };

/* A decimal fraction in microseconds of a period; thousandths of a CPU are exact. */
int parse_cpus(ContainerConfig *config, const char *value, Error *reterr) {
        uint64_t micro = 0, scale = CPU_PERIOD;
        const char *p = value;

        for (; isdigit((unsigned char) *p) && micro <= CPUS_MAX; p++)
                micro = micro * 10 + (uint64_t) (*p - '0');
        if (p == value || micro > CPUS_MAX)
                return INVALID("not a number of CPUs such as 1.5");
        micro *= CPU_PERIOD;
        if (*p == '.')
                for (p++; isdigit((unsigned char) *p); p++) {
                        scale /= 10;
                        micro += (uint64_t) (*p - '0') * scale;
                }
        if (*p)
                return INVALID("not a number of CPUs such as 1.5");
        if (micro > 0 && micro < CPU_QUOTA_MIN)
                return INVALID("less than 0.01 of a CPU, the least the kernel can do");
        config->resources.cpu_quota = (int64_t) micro;
        config->resources.cpu_period = micro ? CPU_PERIOD : 0;
        return 0;
}

static int parse_cpu_number(const char **p, uint32_t *ret) {
        uint32_t number = 0;

        if (!isdigit((unsigned char) **p))
                return -EINVAL;
        for (; isdigit((unsigned char) **p); (*p)++) {
                number = number * 10 + (uint32_t) (**p - '0');
                if (number >= CPUS_MAX)
                        return -ERANGE;
        }
        *ret = number;
        return 0;
}

int parse_cpu_list(const char *value, char **ret, Error *reterr) {
        const char *p = value;

        for (;;) {
                uint32_t first, last;

                if (parse_cpu_number(&p, &first) < 0)
                        return INVALID("not a list such as 0-3,7");
                last = first;
                if (*p == '-') {
                        p++;
                        if (parse_cpu_number(&p, &last) < 0 || last < first)
                                return INVALID("not a list such as 0-3,7");
                }
                if (!*p)
                        break;
                if (*p++ != ',')
                        return INVALID("not a list such as 0-3,7");
        }
        return str_replace(ret, value) < 0 ? error_oom(reterr) : 0;
}

int parse_memory_swap(ContainerConfig *config, const char *value, Error *reterr) {
        uint64_t bytes;

        if (str_equal(value, "-1")) {
                config->resources.memory_swap = -1;
                return 0;
        }
        if (parse_bytes(value, &bytes) < 0)
                return INVALID("not a size such as 512m, nor -1");
        config->resources.memory_swap = (int64_t) bytes;
        return 0;
}

int parse_pids_limit(ContainerConfig *config, const char *value, Error *reterr) {
        int64_t number;

        if (parse_i64(value, &number) < 0 || number < -1)
                return INVALID("not a number of processes, nor -1");
        config->resources.pids_limit = number == 0 ? -1 : number;
        return 0;
}

static int set_rlimit(ContainerConfig *config, const char *type, uint64_t soft, uint64_t hard, Error *reterr) {
        ContainerRlimit *found = NULL;

        for (size_t i = 0; i < config->n_rlimits; i++)
                if (str_equal(config->rlimits[i].type, type))
                        found = &config->rlimits[i];
        if (!found)
                found = container_array_add((void **) &config->rlimits, &config->n_rlimits, sizeof(*found));
        if (!found || str_replace(&found->type, type) < 0)
                return error_oom(reterr);
        found->soft = soft;
        found->hard = hard;
        return 0;
}

static int parse_limit_value(const char *text, uint64_t *ret) {
        int64_t number;

        if (parse_i64(text, &number) < 0 || number < -1)
                return -EINVAL;
        *ret = number == -1 ? UINT64_MAX : (uint64_t) number;
        return 0;
}

static int copy_host_limits(ContainerConfig *config, Error *reterr) {
        for (size_t i = 0; i < RLIMIT_KINDS; i++) {
                struct rlimit limit;

                if (getrlimit((__rlimit_resource_t) rlimit_kinds[i].resource, &limit) < 0)
                        return error_set_errno(reterr, -errno, "cannot read the limit '%s'", rlimit_kinds[i].name);
                int r = set_rlimit(config, rlimit_kinds[i].type, limit.rlim_cur, limit.rlim_max, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int parse_ulimit(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_free_ char *text = strdup(value);
        uint64_t soft, hard;
        char *equals, *colon;

        if (!text)
                return error_oom(reterr);
        if (str_equal(value, "host"))
                return copy_host_limits(config, reterr);
        equals = strchr(text, '=');
        if (!equals)
                return INVALID("it is NAME=SOFT[:HARD], or host");
        *equals = '\0';
        colon = strchr(equals + 1, ':');
        if (colon)
                *colon = '\0';
        if (parse_limit_value(equals + 1, &soft) < 0)
                return INVALID("'%s' is not a limit", equals + 1);
        hard = soft;
        if (colon && parse_limit_value(colon + 1, &hard) < 0)
                return INVALID("'%s' is not a limit", colon + 1);
        if (soft > hard)
                return INVALID("the soft limit is above the hard one");
        const RlimitKind *kind = rlimit_kind_by_name(text);
        return kind ? set_rlimit(config, kind->type, soft, hard, reterr) : INVALID("there is no limit of the name '%s'", text);
}

static const char *const ipc_sysctls[] = {
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
        "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
};

bool parse_sysctl_is_ipc(const char *sysctl) {
        size_t n = strcspn(sysctl, "=");

        if (str_after(sysctl, "fs.mqueue."))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(ipc_sysctls); i++)
                if (strlen(ipc_sysctls[i]) == n && strncmp(sysctl, ipc_sysctls[i], n) == 0)
                        return true;
        return false;
}

/* The name becomes a path below /proc/sys, so each part between dots and slashes must be a plain word. */
static bool sysctl_name_is_plain(const char *name, size_t n) {
        bool part = false;

        for (size_t i = 0; i < n; i++) {
                if (name[i] == '.' || name[i] == '/') {
                        if (!part)
                                return false;
                        part = false;
                } else if (isalnum((unsigned char) name[i]) || name[i] == '_' || name[i] == '-')
                        part = true;
                else
                        return false;
        }
        return part;
}

int parse_sysctl(ContainerConfig *config, const char *value, Error *reterr) {
        size_t n = strcspn(value, "=");

        if (!value[n])
                return INVALID("it is NAME=VALUE");
        if (!sysctl_name_is_plain(value, n))
                return INVALID("'%.*s' is not a kernel parameter's name", (int) n, value);
        if (!str_after(value, "net.") && !parse_sysctl_is_ipc(value))
                return INVALID(
                        "'%.*s' belongs to the whole host: only net.*, fs.mqueue.* and kernel.msg*, sem and shm* are a "
                        "container's own",
                        (int) n, value);
        return strv_env_set(&config->sysctl, value) < 0 ? error_oom(reterr) : 0;
}

static bool permissions_are_valid(const char *text) {
        return *text && strspn(text, "rwm") == strlen(text) && strlen(text) <= 3 &&
               (!strchr(text, 'r') || strchr(text, 'r') == strrchr(text, 'r')) &&
               (!strchr(text, 'w') || strchr(text, 'w') == strrchr(text, 'w')) &&
               (!strchr(text, 'm') || strchr(text, 'm') == strrchr(text, 'm'));
}

int parse_device(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_strv_ char **parts = strv_split(value, ":");
        _cleanup_free_ char *source = NULL, *destination = NULL;
        const char *permissions = "rwm", *inside;
        ContainerDevice *device;

        if (!parts)
                return error_oom(reterr);
        size_t n = strv_length(parts);
        inside = parts[0];
        if (n > 3)
                return INVALID("more than three parts: it is SOURCE[:DESTINATION][:PERMISSIONS]");
        if (n == 3) {
                inside = parts[1];
                permissions = parts[2];
        } else if (n == 2 && *parts[1] == '/')
                inside = parts[1];
        else if (n == 2)
                permissions = parts[1];
        if (!permissions_are_valid(permissions))
                return INVALID("'%s' are not permissions of r, w and m", permissions);
        if (*parts[0] != '/' && strchr(parts[0], '='))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "CDI devices are not there yet");
        source = path_simplify(parts[0]);
        destination = path_simplify(inside);
        if (!source || !destination)
                return INVALID("a device's path begins with '/'");
        if (str_equal(destination, "/"))
                return INVALID("'/' is not a device's path in the container");
        device = container_array_add((void **) &config->devices, &config->n_devices, sizeof(*device));
        if (!device || str_replace(&device->permissions, permissions) < 0)
                return error_oom(reterr);
        device->source = TAKE_PTR(source);
        device->destination = TAKE_PTR(destination);
        return 0;
}
