/* SPDX-License-Identifier: Apache-2.0
 * rounding_check.c - the exact bound of an update: the only thing the privacy proof uses (security
 * H5). It stands alone because nothing may pass by it. */
#include "common/rounding.h"

bool tacit_rounding_check(const int32_t *q, size_t count, uint32_t l2_max, uint64_t l2_sq_max) {
    assert(count <= TACIT_MAX_DIMS && l2_max <= TACIT_ROUNDING_RANGE);
    uint32_t outside = 0;
    for (size_t i = 0; i < count; i++) {
        outside |= (uint32_t)((uint32_t)q[i] + l2_max > 2 * l2_max); /* wraps for q < -l2_max */
    }
    if (outside) return false;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t a = (uint32_t)(q[i] < 0 ? -q[i] : q[i]);
        sum += (uint64_t)a * a;
    }
    return sum <= l2_sq_max;
}
