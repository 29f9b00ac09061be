/* SPDX-License-Identifier: Apache-2.0
 * field61.h - private to shamir*.c: arithmetic in GF(P), P = 2^61 - 1. 2^61 = 1 mod P, so a product
 * is reduced by adding its upper bits to its lower 61; values on the way stay below 2^62 and become
 * canonical by a mask instead of a branch. All but the inverse take the same time for every operand
 * (where 64-bit multiplication does). */
#ifndef TACIT_COMMON_FIELD61_H
#define TACIT_COMMON_FIELD61_H

#include "common/base.h"

#define P ((UINT64_C(1) << 61) - 1)

__extension__ typedef unsigned __int128 wide;

/* Below 2^61 + 2^k for v < 2^(61 + k), k <= 61; equal to v mod P. */
static inline uint64_t fold(wide v) { return ((uint64_t)v & P) + (uint64_t)(v >> 61); }

/* v mod P in [0, P), for v < 2^63. */
static inline uint64_t canonical(uint64_t v) {
    v = (v & P) + (v >> 61); /* <= P + 3 */
    uint64_t less = v - P;
    uint64_t keep = 0 - (less >> 63); /* all ones when v < P */
    return (v & keep) | (less & ~keep);
}

/* a * b mod P, canonical, for a, b < 2^62. */
static inline uint64_t mul(uint64_t a, uint64_t b) { return canonical(fold((wide)a * b)); }

/* a - b mod P, canonical, for canonical a, b. */
static inline uint64_t subtract(uint64_t a, uint64_t b) { return canonical(a + P - b); }

/* base^exponent, for a public exponent. */
static inline uint64_t power(uint64_t base, uint64_t exponent) {
    uint64_t r = 1;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1) r = mul(r, base);
        base = mul(base, base);
    }
    return r;
}

/* The inverse of a public a that is not 0 mod P. */
static inline uint64_t invert(uint64_t a) { return power(a, P - 2); }

#endif
