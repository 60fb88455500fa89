/* SPDX-License-Identifier: Apache-2.0 */
/* set_mempolicy(2) by the words of config.json. */
#include "oci/memory-policy.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "oci/cpu-affinity.h"

enum { NODES_MAX = 1024, BITS = 8 * sizeof(unsigned long) };

typedef struct Word {
        const char *name;
        int value;
} Word;

static const Word modes[] = {
        { "MPOL_BIND", MPOL_BIND },           { "MPOL_DEFAULT", MPOL_DEFAULT },     { "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
        { "MPOL_LOCAL", MPOL_LOCAL },         { "MPOL_PREFERRED", MPOL_PREFERRED }, { "MPOL_PREFERRED_MANY", 5 },
        { "MPOL_WEIGHTED_INTERLEAVE", 6 },
};

static const Word flags[] = {
        { "MPOL_F_NUMA_BALANCING", 1 << 13 },
        { "MPOL_F_RELATIVE_NODES", 1 << 14 },
        { "MPOL_F_STATIC_NODES", 1 << 15 },
};

const char *oci_memory_policy_mode(size_t i) {
        return i < ELEMENTSOF(modes) ? modes[i].name : NULL;
}

const char *oci_memory_policy_flag(size_t i) {
        return i < ELEMENTSOF(flags) ? flags[i].name : NULL;
}

static int find(const Word *words, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (str_equal(words[i].name, name))
                        return words[i].value;
        return -ENOENT;
}

int oci_memory_policy_set(const RuntimeSpec *spec, Error *reterr) {
        unsigned long mask[NODES_MAX / BITS] = {};
        int mode = find(modes, ELEMENTSOF(modes), spec->memory_policy_mode);
        bool has_nodes = !str_empty(spec->memory_policy_nodes);

        if (mode < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "invalid memory policy: mode '%s' is not known", spec->memory_policy_mode ?: "");
        for (char **f = spec->memory_policy_flags; f && *f; f++) {
                int flag = find(flags, ELEMENTSOF(flags), *f);

                if (flag < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "invalid memory policy: flag '%s' is not known", *f);
                mode |= flag;
        }
        int r = has_nodes ? oci_parse_bits(spec->memory_policy_nodes, mask, NODES_MAX) : 0;
        if (r < 0)
                return error_set(reterr, r, ERROR_INVALID, "invalid memory policy: nodes '%s' are no list of numbers", spec->memory_policy_nodes);
        if (syscall(SYS_set_mempolicy, mode, has_nodes ? mask : NULL, has_nodes ? NODES_MAX + 1UL : 0UL) < 0)
                return error_set_errno(reterr, -errno, "cannot set the memory policy '%s'", spec->memory_policy_mode ?: "");
        return 0;
}
