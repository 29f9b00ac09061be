/* SPDX-License-Identifier: Apache-2.0
 * shamir.c - Shamir's scheme over GF(P), P = 2^61 - 1, five limbs side by side.
 *
 * Points and Lagrange coefficients are public and may steer branches; secrets, shares and
 * coefficients of polynomials never steer a branch or an address. (64-bit multiplication takes the
 * same time for all operands on the CPUs this is meant for; that of some microcontrollers does
 * not.) Refuses points that are 0 or repeated, shares that are not canonical, results that are no
 * secret. Wrong shares among right ones are found in shamir_locate.c. */
#include "common/shamir.h"

#include "common/crypto.h"
#include "common/field61.h"

_Static_assert(TACIT_SHARE_LEN == 8 * TACIT_SHAMIR_LIMBS, "a share is one word per limb");
_Static_assert(TACIT_SECRET_LEN == 7 * (TACIT_SHAMIR_LIMBS - 1) + 3, "4 limbs of 7 bytes, 1 of 3");

/* Uniform in [0, P). Rejects one draw in 2^61, whatever the secret. */
static uint64_t draw(tacit_prng *prng) {
    uint64_t v;
    do {
        v = tacit_prng_u64(prng) & P;
    } while (v == P);
    return v;
}

static void split(uint64_t limbs[static TACIT_SHAMIR_LIMBS],
                  const uint8_t secret[static TACIT_SECRET_LEN]) {
    for (size_t l = 0; l < TACIT_SHAMIR_LIMBS; l++) {
        size_t len = l + 1 < TACIT_SHAMIR_LIMBS ? 7 : 3;
        limbs[l] = 0;
        for (size_t i = 0; i < len; i++) limbs[l] |= (uint64_t)secret[7 * l + i] << (8 * i);
    }
}

static bool check_points(const uint16_t *points, size_t count) {
    uint8_t seen[(TACIT_MAX_COHORT + 8) / 8] = {0};
    for (size_t i = 0; i < count; i++) {
        uint16_t x = points[i];
        if (x == 0 || x > TACIT_MAX_COHORT || tacit_bit_get(seen, x)) return false;
        tacit_bit_set(seen, x);
    }
    return true;
}

/* One step of Horner's rule at every point. Values stay below 2^62: x < 2^16 gives a product below
 * 2^78, folded below 2^61 + 2^17, plus a term below 2^61. */
static void step(uint8_t *shares, const uint64_t term[static TACIT_SHAMIR_LIMBS],
                 const uint16_t *points, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint8_t *share = shares + i * TACIT_SHARE_LEN;
        for (size_t l = 0; l < TACIT_SHAMIR_LIMBS; l++) {
            uint64_t y = tacit_get_u64(share + 8 * l);
            tacit_put_u64(share + 8 * l, fold((wide)y * points[i]) + term[l]);
        }
    }
}

tacit_status tacit_shamir_deal(uint8_t *shares, const uint8_t secret[static TACIT_SECRET_LEN],
                               const uint16_t *points, size_t count, size_t threshold,
                               tacit_prng *prng) {
    if (threshold < 1 || threshold > count || count > TACIT_MAX_NEIGHBOURS ||
        !check_points(points, count))
        return TACIT_INVALID_ARGUMENT;
    uint64_t term[TACIT_SHAMIR_LIMBS];
    memset(shares, 0, count * TACIT_SHARE_LEN);
    for (size_t degree = threshold - 1; degree > 0; degree--) {
        for (size_t l = 0; l < TACIT_SHAMIR_LIMBS; l++) term[l] = draw(prng);
        step(shares, term, points, count);
    }
    split(term, secret);
    step(shares, term, points, count);
    for (uint8_t *y = shares; y < shares + count * TACIT_SHARE_LEN; y += 8)
        tacit_put_u64(y, canonical(tacit_get_u64(y)));
    tacit_wipe(term, sizeof term);
    return TACIT_OK;
}

/* 1 when a limb is not below P, else 0. */
static uint64_t find_excess(const uint8_t *share) {
    uint64_t bad = 0;
    for (size_t l = 0; l < TACIT_SHAMIR_LIMBS; l++) {
        uint64_t y = tacit_get_u64(share + 8 * l);
        bad |= y >> 61 | ((y & P) + 1) >> 61;
    }
    return (bad | (0 - bad)) >> 63;
}

bool tacit_shamir_share_check(const uint8_t share[static TACIT_SHARE_LEN]) {
    return find_excess(share) == 0;
}

/* x_i * product over j of (x_j - x_i), up to its sign, three differences of 16 bits to one
 * reduction; 0 when a point is 0 or repeated. */
static uint64_t denominator_of(const uint16_t *points, size_t count, size_t i, bool *negative) {
    uint64_t product = points[i], group = 1;
    *negative = false;
    for (size_t j = 0; j < count; j++) {
        if (j == i) continue;
        int32_t difference = (int32_t)points[j] - (int32_t)points[i];
        *negative ^= difference < 0;
        group *= (uint64_t)(difference < 0 ? -difference : difference);
        if (group >> 45 != 0) {
            product = mul(product, canonical(group));
            group = 1;
        }
    }
    return mul(product, canonical(group));
}

enum { INVERT_TOGETHER = 32 };

/* Coefficients of up to INVERT_TOGETHER points from `first` on: one inversion serves them all
 * (Montgomery's trick). */
static tacit_status lagrange_some(uint64_t *out, const uint16_t *points, size_t count, size_t first,
                                  size_t some, uint64_t numerator) {
    uint64_t denominators[INVERT_TOGETHER], before[INVERT_TOGETHER], product = 1;
    bool negative[INVERT_TOGETHER];
    for (size_t i = 0; i < some; i++) {
        denominators[i] = denominator_of(points, count, first + i, &negative[i]);
        if (denominators[i] == 0) return TACIT_BAD_SHARE;
        before[i] = product;
        product = mul(product, denominators[i]);
    }
    uint64_t inverse = invert(product);
    for (size_t i = some; i-- > 0;) {
        uint64_t coefficient = mul(numerator, mul(inverse, before[i]));
        inverse = mul(inverse, denominators[i]);
        out[first + i] = negative[i] ? P - coefficient : coefficient;
    }
    return TACIT_OK;
}

tacit_status tacit_shamir_lagrange(uint64_t *out, const uint16_t *points, size_t count) {
    if (count == 0) return TACIT_INVALID_ARGUMENT;
    uint64_t numerator = 1;
    for (size_t i = 0; i < count; i++) numerator = mul(numerator, points[i]);
    for (size_t i = 0; i < count; i += INVERT_TOGETHER) {
        size_t some = count - i < INVERT_TOGETHER ? count - i : INVERT_TOGETHER;
        tacit_status st = lagrange_some(out, points, count, i, some, numerator);
        if (st != TACIT_OK) return st;
    }
    return TACIT_OK;
}

tacit_status tacit_shamir_combine(uint8_t secret[static TACIT_SECRET_LEN], const uint8_t *shares,
                                  size_t stride, const uint64_t *lagrange, size_t count) {
    if (count == 0) return TACIT_INVALID_ARGUMENT;
    uint64_t bad = 0, sum[TACIT_SHAMIR_LIMBS] = {0};
    for (size_t i = 0; i < count; i++) {
        const uint8_t *share = shares + i * stride;
        bad |= find_excess(share);
        for (size_t l = 0; l < TACIT_SHAMIR_LIMBS; l++) {
            /* A product below 2^122 and a sum below 2^62 fold to less than 2^62. */
            uint64_t y = tacit_get_u64(share + 8 * l) & P;
            sum[l] = fold((wide)y * lagrange[i] + sum[l]);
        }
    }
    for (size_t l = 0; l < TACIT_SHAMIR_LIMBS; l++) {
        size_t len = l + 1 < TACIT_SHAMIR_LIMBS ? 7 : 3;
        sum[l] = canonical(sum[l]);
        for (size_t b = 0; b < len; b++) secret[7 * l + b] = (uint8_t)(sum[l] >> (8 * b));
        bad |= sum[l] >> (8 * len);
    }
    tacit_wipe(sum, sizeof sum);
    if (bad == 0) return TACIT_OK;
    tacit_wipe(secret, TACIT_SECRET_LEN);
    return TACIT_BAD_SHARE;
}
