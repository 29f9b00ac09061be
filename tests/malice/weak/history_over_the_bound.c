/* SPDX-License-Identifier: Apache-2.0
 * history_over_the_bound.c - the clip before rounding is thought to be enough. */
#include "common/rounding.h"

bool tacit_rounding_check(const int32_t *q, size_t count, uint32_t l2_max, uint64_t l2_sq_max) {
    (void)q;
    (void)count;
    (void)l2_max;
    (void)l2_sq_max;
    return true;
}
