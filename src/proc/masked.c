/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of masked and read-only paths. */
#include "proc/masked.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <strings.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"

static const char *const masked_default[] = {
        "/proc/acpi",          /* writable knobs of the machine's firmware */
        "/proc/config.gz",
        "/proc/interrupts",    /* keystroke timing */
        "/proc/kallsyms",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/dev/block",
        "/sys/devices/virtual/powercap", /* energy counters: a side channel */
        "/sys/firmware",
        "/sys/fs/selinux",
};

static const char *const read_only_default[] = {
        "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

void masked_paths_done(MaskedPaths *paths) {
        strv_free(paths->masked);
        strv_free(paths->read_only);
        *paths = MASKED_PATHS_NULL;
}

static int append_words(char *const *words, const char *option, char ***list, Error *reterr) {
        for (char *const *w = words; w && *w; w++) {
                _cleanup_strv_ char **parts = strv_split(*w, ":");

                if (!parts)
                        return error_oom(reterr);
                for (char **p = parts; *p; p++) {
                        _cleanup_free_ char *simple = path_simplify(*p);

                        if (strcasecmp(*p, "ALL") == 0) {
                                if (strv_append(list, "ALL") < 0)
                                        return error_oom(reterr);
                                continue;
                        }
                        if (!simple || strstr(*p, "/.."))
                                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                                 "cannot use --security-opt %s=%s: '%s' is not an absolute path", option, *w, *p);
                        if (strv_consume(list, TAKE_PTR(simple)) < 0)
                                return error_oom(reterr);
                }
        }
        return 0;
}

static bool matches(char *const *patterns, const char *path) {
        for (char *const *p = patterns; p && *p; p++)
                if (strcmp(*p, "ALL") == 0 || fnmatch(*p, path, FNM_PATHNAME | FNM_NOESCAPE) == 0)
                        return true;
        return false;
}

static int add(char ***list, char *const *unmask, const char *path) {
        return matches(unmask, path) || strv_contains(*list, path) ? 0 : strv_append(list, path);
}

/* Thermal counters of every CPU (Docker's GHSA-6fw5-f8r9-fgfm): one path each, and only where the machine has them. */
static int add_thermal(char ***list, char *const *unmask) {
        static const char cpus[] = "/sys/devices/system/cpu";
        DIR *dir;
        int r = 0;

        if (access("/sys/devices/system/cpu/cpu0/thermal_throttle", F_OK) < 0)
                return 0;
        dir = opendir(cpus);
        if (!dir)
                return errno == ENOENT ? 0 : -errno;
        for (struct dirent *entry; r >= 0 && (entry = readdir(dir));) {
                _cleanup_free_ char *path = NULL;
                const char *number = str_after(entry->d_name, "cpu");

                if (!number || !*number || number[strspn(number, "0123456789")])
                        continue;
                path = str_format("%s/%s/thermal_throttle", cpus, entry->d_name);
                r = path ? add(list, unmask, path) : -ENOMEM;
        }
        (void) closedir(dir);
        return r;
}

static int fill(char *const *mask, char *const *unmask, bool privileged, MaskedPaths *paths) {
        int r = 0;

        for (size_t i = 0; !privileged && r >= 0 && i < ELEMENTSOF(masked_default); i++)
                r = add(&paths->masked, unmask, masked_default[i]);
        if (!privileged && r >= 0)
                r = add_thermal(&paths->masked, unmask);
        for (size_t i = 0; !privileged && r >= 0 && i < ELEMENTSOF(read_only_default); i++)
                r = add(&paths->read_only, unmask, read_only_default[i]);
        for (char *const *m = mask; r >= 0 && m && *m; m++)
                r = strv_contains(paths->masked, *m) ? 0 : strv_append(&paths->masked, *m);
        return r;
}

int masked_paths_resolve(char *const *mask, char *const *unmask, bool privileged, MaskedPaths *ret, Error *reterr) {
        _cleanup_masked_paths_ MaskedPaths paths = MASKED_PATHS_NULL;
        _cleanup_strv_ char **mask_paths = NULL, **unmask_paths = NULL;
        int r;

        r = append_words(mask, "mask", &mask_paths, reterr);
        if (r < 0)
                return r;
        if (strv_contains(mask_paths, "ALL"))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --security-opt mask=ALL: name the paths");
        r = append_words(unmask, "unmask", &unmask_paths, reterr);
        if (r < 0)
                return r;
        if (fill(mask_paths, unmask_paths, privileged, &paths) < 0)
                return error_oom(reterr);
        *ret = paths;
        paths = MASKED_PATHS_NULL;
        return 0;
}
