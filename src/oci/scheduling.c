/* SPDX-License-Identifier: Apache-2.0 */
/* How the kernel runs a process: scheduler, I/O priority, personality, memory policy. Apart from the rest as the kernel's own header of the
 * scheduler and the C library's do not go together. */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "oci/identity.h"
#include "oci/memory-policy.h"

typedef struct Word {
        const char *name;
        uint64_t value;
} Word;

static bool find_word(const Word *words, size_t n, const char *name, uint64_t *ret) {
        for (size_t i = 0; i < n; i++)
                if (str_equal(words[i].name, name)) {
                        *ret = words[i].value;
                        return true;
                }
        return false;
}

static int set_scheduler(const RuntimeScheduler *scheduler, bool has_cpus, Error *reterr) {
        static const Word policies[] = {
                { "SCHED_OTHER", SCHED_NORMAL }, { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_RR", SCHED_RR }, { "SCHED_BATCH", SCHED_BATCH },
                { "SCHED_ISO", 4 },             { "SCHED_IDLE", SCHED_IDLE }, { "SCHED_DEADLINE", 6 },
        };
        static const Word flags[] = {
                { "SCHED_FLAG_RESET_ON_FORK", 1 }, { "SCHED_FLAG_RECLAIM", 2 },     { "SCHED_FLAG_DL_OVERRUN", 4 },    { "SCHED_FLAG_KEEP_POLICY", 8 },
                { "SCHED_FLAG_KEEP_PARAMS", 16 },  { "SCHED_FLAG_UTIL_CLAMP_MIN", 32 }, { "SCHED_FLAG_UTIL_CLAMP_MAX", 64 },
        };
        struct sched_attr attr = {
                .size = sizeof(attr),
                .sched_nice = (int32_t) scheduler->nice,
                .sched_priority = (uint32_t) scheduler->priority,
                .sched_runtime = scheduler->runtime,
                .sched_deadline = scheduler->deadline,
                .sched_period = scheduler->period,
        };
        uint64_t value;

        if (!find_word(policies, ELEMENTSOF(policies), scheduler->policy, &value))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the scheduler '%s': it is not known", scheduler->policy ?: "");
        attr.sched_policy = (uint32_t) value;
        for (char **f = scheduler->flags; f && *f; f++) {
                if (!find_word(flags, ELEMENTSOF(flags), *f, &value))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the scheduler's flag '%s': it is not known", *f);
                attr.sched_flags |= value;
        }
        if (syscall(SYS_sched_setattr, 0, &attr, 0) == 0)
                return 0;
        int r = error_set_errno(reterr, -errno, "cannot set the scheduler '%s'", scheduler->policy);
        /* SCHED_DEADLINE is for all CPUs or none (sched_setattr(2)) */
        return r == -EPERM && has_cpus ? error_with_hint(reterr, r, "process scheduler can't be used together with AllowedCPUs (linux.resources.cpu.cpus)") : r;
}

static int set_io_priority(const RuntimeProcess *process, Error *reterr) {
        static const Word classes[] = { { "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT }, { "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE }, { "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE } };
        uint64_t class;

        if (!find_word(classes, ELEMENTSOF(classes), process->io_priority_class, &class))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the I/O priority class '%s': it is not known", process->io_priority_class ?: "");
        if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(class, (unsigned) process->io_priority)) < 0)
                return error_set_errno(reterr, -errno, "cannot set the I/O priority");
        return 0;
}

static int set_personality(const RuntimeSpec *spec, Error *reterr) {
        static const Word domains[] = { { "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 } };
        uint64_t domain;

        if (!find_word(domains, ELEMENTSOF(domains), spec->personality_domain, &domain))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the personality '%s': it is not known", spec->personality_domain);
        return personality(domain) < 0 ? error_set_errno(reterr, -errno, "cannot set the personality '%s'", spec->personality_domain) : 0;
}

int oci_identity_prepare(const RuntimeSpec *spec, const RuntimeProcess *process, Error *reterr) {
        int r = 0;

        if (process->has_scheduler)
                r = set_scheduler(&process->scheduler, !str_empty(spec->resources.cpu.cpus), reterr);
        if (r >= 0 && process->has_io_priority)
                r = set_io_priority(process, reterr);
        if (r >= 0 && spec->personality_domain)
                r = set_personality(spec, reterr);
        if (r >= 0 && spec->has_memory_policy)
                r = oci_memory_policy_set(spec, reterr);
        return r;
}
