/* SPDX-License-Identifier: Apache-2.0
 * shamir.c - Shamir's scheme over GF(P), P = 2^61 - 1, five limbs side by side.
 *
 * 2^61 = 1 mod P, so a product is reduced by adding its upper bits to its lower 61. Values on the
 * way are kept below 2^62 and made canonical once at the end, by a mask instead of a branch. Points
 * and Lagrange coefficients are public and may steer branches; secrets, shares and coefficients of
 * polynomials never steer a branch or an address. (64-bit multiplication takes the same time for
 * all operands on the CPUs this is meant for; that of some microcontrollers does not.) Refuses
 * points that are 0 or repeated, shares that are not canonical, results that are no secret. */
#include "common/shamir.h"

#include "common/crypto.h"

_Static_assert(TACIT_SHARE_LEN == 8 * TACIT_SHAMIR_LIMBS, "a share is one word per limb");
_Static_assert(TACIT_SECRET_LEN == 7 * (TACIT_SHAMIR_LIMBS - 1) + 3, "4 limbs of 7 bytes, 1 of 3");

#define P ((UINT64_C(1) << 61) - 1)

__extension__ typedef unsigned __int128 wide;

/* Below 2^61 + 2^k for v < 2^(61 + k), k <= 61; equal to v mod P. */
static uint64_t fold(wide v) { return ((uint64_t)v & P) + (uint64_t)(v >> 61); }

/* v mod P in [0, P), for v < 2^63. */
static uint64_t canonical(uint64_t v) {
    v = (v & P) + (v >> 61); /* <= P + 3 */
    uint64_t less = v - P;
    uint64_t keep = 0 - (less >> 63); /* all ones when v < P */
    return (v & keep) | (less & ~keep);
}

/* a * b mod P, canonical, for a, b < 2^62. */
static uint64_t mul(uint64_t a, uint64_t b) { return canonical(fold((wide)a * b)); }

/* a^(P - 2): the inverse, for a public a that is not 0 mod P. */
static uint64_t invert(uint64_t a) {
    uint64_t r = 1;
    for (int bit = 60; bit >= 0; bit--) {
        r = mul(r, r);
        if ((P - 2) >> bit & 1) r = mul(r, a);
    }
    return r;
}

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

tacit_status tacit_shamir_lagrange(uint64_t *out, const uint16_t *points, size_t count) {
    if (count == 0) return TACIT_INVALID_ARGUMENT;
    uint64_t numerator = 1;
    for (size_t i = 0; i < count; i++) numerator = mul(numerator, points[i]);
    for (size_t i = 0; i < count; i++) {
        if (points[i] == 0) return TACIT_BAD_SHARE;
        /* x_i * product of |x_j - x_i|, three differences of 16 bits to one reduction. */
        uint64_t denominator = points[i], group = 1;
        bool negative = false;
        for (size_t j = 0; j < count; j++) {
            if (j == i) continue;
            int32_t difference = (int32_t)points[j] - (int32_t)points[i];
            if (difference == 0) return TACIT_BAD_SHARE;
            negative ^= difference < 0;
            group *= (uint64_t)(difference < 0 ? -difference : difference);
            if (group >> 45 != 0) {
                denominator = mul(denominator, canonical(group));
                group = 1;
            }
        }
        denominator = mul(denominator, canonical(group));
        uint64_t coefficient = mul(numerator, invert(denominator));
        out[i] = negative ? P - coefficient : coefficient;
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
