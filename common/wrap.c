/* SPDX-License-Identifier: Apache-2.0
 * wrap.c - how far the edge of the ring is from a sum, and the width that keeps it far enough
 * (security M3). A number beyond the edge comes out as another one, and nobody can see that: the
 * width is the only thing that stands against it. It bounds correctness, never privacy. */
#include <math.h>

#include "common/accountant.h"

static const double WRAP_Z = 6.5; /* distance of the ring's edge in standard deviations */

double tacit_wrap_z(uint32_t bits, double sum_norm_grid, uint32_t dims, double noise_variance,
                    uint32_t n) {
    double variance = sum_norm_grid * sum_norm_grid / dims + noise_variance + n / 4.0;
    return ldexp(1, (int)bits - 1) / sqrt(variance);
}

uint32_t tacit_wrap_bits(double sum_norm_grid, uint32_t dims, double noise_variance, uint32_t n) {
    static const uint32_t widths[] = {16, 20, 24, 32};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        if (tacit_wrap_z(widths[i], sum_norm_grid, dims, noise_variance, n) >= WRAP_Z)
            return widths[i];
    return 0;
}
