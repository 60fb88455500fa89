/* SPDX-License-Identifier: Apache-2.0 */
/* The table of resource limits. */
#include "spec/rlimit.h"

#include <sys/resource.h>

#include "base/str.h"

const RlimitKind rlimit_kinds[RLIMIT_KINDS] = {
        { "as", "RLIMIT_AS", RLIMIT_AS },
        { "core", "RLIMIT_CORE", RLIMIT_CORE },
        { "cpu", "RLIMIT_CPU", RLIMIT_CPU },
        { "data", "RLIMIT_DATA", RLIMIT_DATA },
        { "fsize", "RLIMIT_FSIZE", RLIMIT_FSIZE },
        { "locks", "RLIMIT_LOCKS", RLIMIT_LOCKS },
        { "memlock", "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
        { "msgqueue", "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
        { "nice", "RLIMIT_NICE", RLIMIT_NICE },
        { "nofile", "RLIMIT_NOFILE", RLIMIT_NOFILE },
        { "nproc", "RLIMIT_NPROC", RLIMIT_NPROC },
        { "rss", "RLIMIT_RSS", RLIMIT_RSS },
        { "rtprio", "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
        { "rttime", "RLIMIT_RTTIME", RLIMIT_RTTIME },
        { "sigpending", "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
        { "stack", "RLIMIT_STACK", RLIMIT_STACK },
};

const RlimitKind *rlimit_kind_by_name(const char *name) {
        for (size_t i = 0; i < RLIMIT_KINDS; i++)
                if (str_equal(name, rlimit_kinds[i].name))
                        return &rlimit_kinds[i];
        return NULL;
}

const RlimitKind *rlimit_kind_by_type(const char *type) {
        for (size_t i = 0; i < RLIMIT_KINDS; i++)
                if (str_equal(type, rlimit_kinds[i].type))
                        return &rlimit_kinds[i];
        return NULL;
}
