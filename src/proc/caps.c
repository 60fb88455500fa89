/* SPDX-License-Identifier: Apache-2.0 */
/* Capability names, arithmetic and system calls. */
#include "proc/caps.h"

#include <linux/capability.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

/* By number, linux/capability.h. */
static const char *const names[] = {
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
        "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
        "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
        "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
        "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
        "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

uint64_t caps_default(void) {
        return CAPS_BIT(CAP_CHOWN) | CAPS_BIT(CAP_DAC_OVERRIDE) | CAPS_BIT(CAP_FOWNER) | CAPS_BIT(CAP_FSETID) |
               CAPS_BIT(CAP_KILL) | CAPS_BIT(CAP_NET_BIND_SERVICE) | CAPS_BIT(CAP_SETFCAP) | CAPS_BIT(CAP_SETGID) |
               CAPS_BIT(CAP_SETPCAP) | CAPS_BIT(CAP_SETUID) | CAPS_BIT(CAP_SYS_CHROOT);
}

uint64_t caps_all(void) {
        int known = 0, unknown = 64;

        /* a number beyond the kernel's last one is EINVAL; one that is known and not held is 0 */
        while (unknown - known > 1) {
                int middle = (known + unknown) / 2;

                if (prctl(PR_CAPBSET_READ, middle, 0, 0, 0) >= 0)
                        known = middle;
                else
                        unknown = middle;
        }
        return known == 63 ? UINT64_MAX : CAPS_BIT(known + 1) - 1;
}

int caps_from_name(const char *name) {
        if (strncasecmp(name, "CAP_", 4) == 0)
                name += 4;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcasecmp(name, names[i] + 4) == 0)
                        return (int) i;
        return -ENOENT;
}

const char *caps_to_name(int cap) {
        return cap >= 0 && cap < (int) ELEMENTSOF(names) ? names[cap] : NULL;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

char **caps_to_strv(uint64_t set) {
        _cleanup_strv_ char **v = NULL;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if ((set & CAPS_BIT(i)) && strv_append(&v, names[i]) < 0)
                        return NULL;
        if (v)
                qsort(v, strv_length(v), sizeof(*v), compare_names);
        return TAKE_PTR(v);
}

static int parse_list(char *const *words, const char *option, uint64_t *ret_set, bool *ret_all, Error *reterr) {
        uint64_t set = 0;
        bool all = false;

        for (char *const *w = words; w && *w; w++) {
                int cap;

                if (strcasecmp(*w, "ALL") == 0 || strcasecmp(*w, "CAP_ALL") == 0) {
                        all = true;
                        continue;
                }
                cap = caps_from_name(*w);
                if (cap < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use %s '%s': there is no such capability",
                                         option, *w);
                set |= CAPS_BIT(cap);
        }
        *ret_set = set;
        *ret_all = all;
        return 0;
}

int caps_resolve(char *const *add, char *const *drop, bool privileged, CapSet *ret, Error *reterr) {
        uint64_t added, dropped, both, all = caps_all(), bounding = privileged ? all : caps_default();
        bool add_all, drop_all;
        int r;

        r = parse_list(add, "--cap-add", &added, &add_all, reterr);
        if (r < 0)
                return r;
        r = parse_list(drop, "--cap-drop", &dropped, &drop_all, reterr);
        if (r < 0)
                return r;
        if (add_all && drop_all)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot add and drop capability 'ALL': only one of the two can hold");
        both = added & dropped;
        if (both)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot add and drop capability '%s': only one of the two can hold",
                                 caps_to_name(__builtin_ctzll(both)));
        if (add_all)
                bounding = added = all;
        if (drop_all)
                bounding = 0;
        bounding = ((bounding | added) & ~dropped) & all;
        *ret = (CapSet){ .bounding = bounding, .added = added & bounding };
        return 0;
}

int caps_write(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
                { .effective = (uint32_t) effective, .permitted = (uint32_t) permitted, .inheritable = (uint32_t) inheritable },
                { .effective = (uint32_t) (effective >> 32), .permitted = (uint32_t) (permitted >> 32),
                  .inheritable = (uint32_t) (inheritable >> 32) },
        };

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int caps_read_permitted(uint64_t *ret) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        *ret = data[0].permitted | (uint64_t) data[1].permitted << 32;
        return 0;
}

int caps_limit(uint64_t bounding) {
        for (int cap = 0; cap < 64; cap++) {
                if (bounding & CAPS_BIT(cap))
                        continue;
                if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
                        if (errno == EINVAL) /* past the last one of this kernel */
                                break;
                        return -errno;
                }
        }
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return -errno;
        return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int caps_set(const CapSet *set, bool root, bool keep_sys_admin) {
        uint64_t wanted = root ? set->bounding : set->added, ambient = root ? 0 : set->added, extra = 0, held = 0;
        int r;

        r = caps_read_permitted(&held);
        if (r < 0)
                return r;
        if (keep_sys_admin)
                extra = held & CAPS_BIT(CAP_SYS_ADMIN);
        r = caps_write(wanted | extra, wanted | extra, ambient);
        if (r < 0)
                return r;
        for (int cap = 0; cap < 64; cap++)
                if ((ambient & CAPS_BIT(cap)) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
                        return -errno;
        return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ? -errno : 0;
}
