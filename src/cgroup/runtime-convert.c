/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of cgroup v1 as v2 has them. */
#include "cgroup/runtime-limits.h"

enum { SHARES_MIN = 2, SHARES_MAX = 262144, WEIGHT_MAX = 10000 };

/* The two are small enough that a library for them would cost more at each start. */
static double binary_logarithm(double x) {
        double result = 0, bit = 0.5;

        for (; x >= 2; x /= 2)
                result++;
        for (unsigned i = 0; i < 50; i++, bit /= 2) {
                x *= x;
                if (x >= 2) {
                        x /= 2;
                        result += bit;
                }
        }
        return result;
}

static double power_of_ten(double exponent) {
        double term = 1, sum = 1, y = exponent * 2.302585092994045684;

        for (unsigned i = 1; i < 60; i++) {
                term *= y / i;
                sum += term;
        }
        return sum;
}

uint64_t runtime_cpu_weight(uint64_t shares) {
        if (shares <= SHARES_MIN)
                return 1;
        if (shares >= SHARES_MAX)
                return WEIGHT_MAX;
        double l = binary_logarithm((double) shares), weight = power_of_ten((l * l + 125 * l) / 612.0 - 7.0 / 34.0);
        uint64_t whole = (uint64_t) weight;

        /* rounded up, past what the two functions lack in exactness */
        return weight - (double) whole > 1e-9 ? whole + 1 : whole;
}

int runtime_swap(int64_t memory, int64_t swap, int64_t *ret, Error *reterr) {
        if (swap <= 0) {
                *ret = swap == 0 && memory != -1 ? 0 : -1;
                return 0;
        }
        if (memory <= 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "unable to set swap limit without memory limit");
        if (swap < memory)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "memory+swap limit should be >= memory limit");
        *ret = swap - memory;
        return 0;
}
