/* SPDX-License-Identifier: Apache-2.0 */
/* Reads limits of block devices, and files of the cgroup. */
#include "cli/parse-blkio.h"

#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

enum { WEIGHT_MIN = 10, WEIGHT_MAX = 1000 };

static int parse_weight(const char *text, uint64_t *ret) {
        int r = parse_u64(text, ret);

        return r >= 0 && (*ret < WEIGHT_MIN || *ret > WEIGHT_MAX) ? -ERANGE : r;
}

int parse_blkio_weight(ContainerConfig *config, const char *value, Error *reterr) {
        uint64_t weight;

        if (parse_weight(value, &weight) < 0)
                return INVALID("not a number from 10 to 1000");
        config->resources.blkio_weight = (uint32_t) weight;
        return 0;
}

/* The path before the last colon; *ret_rest is what stands behind it. */
static int cut_device(const char *value, char **ret_path, const char **ret_rest, Error *reterr) {
        const char *colon = strrchr(value, ':');
        _cleanup_free_ char *path = colon ? strndup(value, (size_t) (colon - value)) : NULL, *simple = NULL;

        if (!colon)
                return INVALID("it is DEVICE:VALUE, such as /dev/sda:1mb");
        if (!path)
                return error_oom(reterr);
        if (!str_after(path, "/dev/"))
                return INVALID("'%s' is not a path below /dev", path);
        simple = path_simplify(path);
        if (!simple)
                return INVALID("'%s' is not a path below /dev", path);
        *ret_path = TAKE_PTR(simple);
        *ret_rest = colon + 1;
        return 0;
}

static int set_limit(char **path, uint64_t value, ContainerDeviceLimit **limits, size_t *n_limits, Error *reterr) {
        ContainerDeviceLimit *limit = NULL;

        for (size_t i = 0; i < *n_limits; i++)
                if (str_equal((*limits)[i].path, *path))
                        limit = *limits + i;
        if (!limit) {
                limit = container_array_add((void **) limits, n_limits, sizeof(*limit));
                if (!limit)
                        return error_oom(reterr);
                limit->path = TAKE_PTR(*path);
        }
        limit->value = value;
        return 0;
}

typedef int (*ParseNumber)(const char *text, uint64_t *ret);

static int parse_device(const char *value, ParseNumber parse, const char *what, ContainerDeviceLimit **limits, size_t *n_limits,
                        Error *reterr) {
        _cleanup_free_ char *path = NULL;
        const char *rest = NULL;
        uint64_t number;
        int r = cut_device(value, &path, &rest, reterr);

        if (r < 0)
                return r;
        if (parse(rest, &number) < 0 || number == 0)
                return INVALID("'%s' is not a %s", rest, what);
        return set_limit(&path, number, limits, n_limits, reterr);
}

int parse_device_weight(const char *value, ContainerDeviceLimit **limits, size_t *n_limits, Error *reterr) {
        return parse_device(value, parse_weight, "number from 10 to 1000", limits, n_limits, reterr);
}

int parse_device_bps(const char *value, ContainerDeviceLimit **limits, size_t *n_limits, Error *reterr) {
        return parse_device(value, parse_bytes, "size a second, such as 1mb", limits, n_limits, reterr);
}

int parse_device_iops(const char *value, ContainerDeviceLimit **limits, size_t *n_limits, Error *reterr) {
        return parse_device(value, parse_u64, "number of operations a second", limits, n_limits, reterr);
}

/* A file of a controller. Those of the cgroup itself decide which processes are in it and what they may be given: they are not
 * for a container's maker, but for the two that only bound its depth and size. */
static bool is_conf_file(const char *name, size_t n) {
        static const char *const core[] = { "cgroup.max.depth", "cgroup.max.descendants" };
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"; /* "hugetlb.2MB.max" */

        if (n == 0 || strspn(name, letters) < n || *name == '.' || !memchr(name, '.', n))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(core); i++)
                if (strlen(core[i]) == n && memcmp(name, core[i], n) == 0)
                        return true;
        return !str_after(name, "cgroup.");
}

int parse_cgroup_conf(ContainerConfig *config, const char *value, Error *reterr) {
        size_t n = strcspn(value, "=");

        if (!value[n])
                return INVALID("it is FILE=VALUE, such as memory.high=1073741824");
        if (!is_conf_file(value, n))
                return INVALID("'%.*s' is not a controller's file, nor cgroup.max.depth or cgroup.max.descendants", (int) n, value);
        return strv_env_set(&config->resources.cgroup_conf, value) < 0 ? error_oom(reterr) : 0;
}
