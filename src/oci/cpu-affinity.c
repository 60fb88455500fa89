/* SPDX-License-Identifier: Apache-2.0 */
/* sched_setaffinity(2) by a list of CPUs. */
#include "oci/cpu-affinity.h"

#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"

enum { CPUS_MAX = 8192, BITS = 8 * sizeof(unsigned long) };

int oci_parse_bits(const char *list, unsigned long *bits, size_t n_bits) {
        _cleanup_strv_ char **ranges = strv_split(list, ",");

        if (!ranges)
                return -ENOMEM;
        for (char **p = ranges; *p; p++) {
                char *dash = strchr(*p, '-');
                uint32_t first, last;

                if (dash)
                        *dash++ = 0;
                if (parse_u32(*p, &first) < 0 || parse_u32(dash ?: *p, &last) < 0 || last < first || last >= n_bits)
                        return -EINVAL;
                for (uint32_t i = first; i <= last; i++)
                        bits[i / BITS] |= 1UL << i % BITS;
        }
        return 0;
}

static int set_bits(const unsigned long bits[static CPUS_MAX / BITS]) {
        return syscall(SYS_sched_setaffinity, 0, sizeof(unsigned long) * (CPUS_MAX / BITS), bits) < 0 ? -errno : 0;
}

int oci_cpu_affinity_set(const char *list, Error *reterr) {
        unsigned long bits[CPUS_MAX / BITS] = {};
        int r = oci_parse_bits(list, bits, CPUS_MAX);

        if (r < 0)
                return error_set(reterr, r, ERROR_INVALID, "cannot use the CPU affinity '%s': it is no list of CPUs", list);
        r = set_bits(bits);
        return r < 0 ? error_set_errno(reterr, r, "cannot set the CPU affinity '%s'", list) : 0;
}

void oci_cpu_affinity_reset(void) {
        unsigned long bits[CPUS_MAX / BITS];

        memset(bits, 0xff, sizeof(bits));
        (void) set_bits(bits);
}
