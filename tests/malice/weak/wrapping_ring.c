/* SPDX-License-Identifier: Apache-2.0
 * wrapping_ring.c - the smallest ring for everybody. */
#include "common/accountant.h"

uint32_t tacit_wrap_bits(double sum_norm_grid, uint32_t dims, double noise_variance, uint32_t n) {
    (void)sum_norm_grid, (void)dims, (void)noise_variance, (void)n;
    return 16;
}
