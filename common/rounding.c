/* SPDX-License-Identifier: Apache-2.0
 * rounding.c - conditional stochastic rounding under the exact bound check (rounding_check.c).
 *
 * The check is the only thing the proof uses (security H5): whatever the floating-point steps
 * before it did, a vector that leaves tacit_round satisfies |q_i| <= l2_max and sum q_i^2 <=
 * l2_sq_max in integers. What it refuses: a vector that is not finite or out of range, or that does
 * not pass in TACIT_ROUNDING_TRIES redraws, leaves as the null vector, never as an error, so that
 * nobody sees from outside which it was. */
#include "common/rounding.h"

#include <math.h>

#include "common/crypto.h"

enum {
    BLOCK = 1024 /* coordinates whose random words are fetched at once: 4 KB */
};

/* False when any scale x_i is not finite or beyond +-TACIT_ROUNDING_RANGE. */
static bool in_range(const float *x, size_t count, double scale) {
    uint32_t outside = 0;
    for (size_t i = 0; i < count; i++)
        outside |= (uint32_t) !(fabs(scale * x[i]) <= TACIT_ROUNDING_RANGE);
    return outside == 0;
}

/* q_i = floor(scale x_i + w_i / 2^32); |scale x_i| <= TACIT_ROUNDING_RANGE. */
static void round_block(int32_t *restrict q, const float *restrict x, const uint8_t *restrict words,
                        size_t count, double scale) {
    for (size_t i = 0; i < count; i++) {
        int32_t centred = (int32_t)(tacit_get_u32(words + 4 * i) ^ UINT32_C(0x80000000));
        double t = scale * x[i] + ((double)centred * 0x1p-32 + 0.5);
        int32_t whole = (int32_t)t; /* towards zero, then down */
        q[i] = whole - (int32_t)(t < (double)whole);
    }
}

void tacit_round(int32_t *q, uint32_t *tries, const float *x, size_t count, double scale,
                 uint32_t l2_max, uint64_t l2_sq_max, tacit_prng *prng) {
    uint8_t words[4 * BLOCK];
    uint32_t limit = in_range(x, count, scale) ? TACIT_ROUNDING_TRIES : 0;
    for (*tries = 1; *tries <= limit; ++*tries) {
        for (size_t first = 0; first < count; first += BLOCK) {
            size_t part = count - first < BLOCK ? count - first : BLOCK;
            tacit_prng_bytes(prng, words, 4 * part);
            round_block(q + first, x + first, words, part, scale);
        }
        if (tacit_rounding_check(q, count, l2_max, l2_sq_max)) goto exit;
    }
    memset(q, 0, count * sizeof *q);
    *tries = 0;
exit:
    tacit_wipe(words, sizeof words);
}
