/* SPDX-License-Identifier: Apache-2.0
 * rounding.h - conditional stochastic rounding to integers (Kairouz, Liu, Steinke 2021, Prop. 26)
 * and the exact integer check the privacy proof rests on (security.md H5). */
#ifndef TACIT_COMMON_ROUNDING_H
#define TACIT_COMMON_ROUNDING_H

#include "common/base.h"
#include "common/prng.h"

enum {
    TACIT_ROUNDING_TRIES = 64,
    TACIT_ROUNDING_RANGE = 1 << 21 /* greatest |scale x_i|: the sum of 2^20 squares fits 64 bits */
};

/* True when |q_i| <= l2_max for each i and sum q_i^2 <= l2_sq_max, in exact 64-bit integers
 * (count <= 2^20 and |q_i| <= 2^21 after the first test, so the sum cannot overflow). */
bool tacit_rounding_check(const int32_t *q, size_t count, uint32_t l2_max, uint64_t l2_sq_max);

/* q_i = floor(scale * x_i + U_i), U_i uniform in [0, 1) with 32 random bits from `prng`; redraws
 * all coordinates while tacit_rounding_check fails, at most TACIT_ROUNDING_TRIES times, then (or
 * when any scale * x_i is not finite or beyond +-2^21) writes the null vector. *tries: draws made,
 * 0 for the null vector. Takes the same stream length for every accepted draw. */
void tacit_round(int32_t *q, uint32_t *tries, const float *x, size_t count, double scale,
                 uint32_t l2_max, uint64_t l2_sq_max, tacit_prng *prng);

#endif
