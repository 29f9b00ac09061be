/* SPDX-License-Identifier: Apache-2.0
 * shamir.h - Shamir secret sharing of a 31-byte secret over GF(2^61 - 1), constant time in secrets.
 *
 * The secret is five limbs: bytes 0-6, 7-13, 14-20, 21-27 (56 bits each) and 28-30 (24 bits),
 * little-endian. Each limb has its own polynomial of degree threshold - 1 whose constant term is
 * the limb; a share is the five values at point x, 8 little-endian bytes each, every one < 2^61
 * - 1. Points are roster index + 1, never 0 (a share at 0 would be the secret). The Mersenne prime
 * makes one product two multiplications and adds; libsodium's ristretto255 scalars are the
 * reference implementation in the tests. Shamir 1979; the security needs uniform coefficients,
 * drawn by rejection from a secret stream. */
#ifndef TACIT_COMMON_SHAMIR_H
#define TACIT_COMMON_SHAMIR_H

#include "common/base.h"
#include "common/prng.h"

enum { TACIT_SHAMIR_LIMBS = 5 };

/* Makes shares[count * TACIT_SHARE_LEN] for points[count] (distinct, each 1..TACIT_MAX_COHORT).
 * Coefficients come from `prng`, high degree first, and live on the stack one at a time (Horner
 * over all points at once), so memory does not grow with the threshold. threshold 1..count; count
 * up to TACIT_MAX_NEIGHBOURS. INVALID_ARGUMENT otherwise. */
TACIT_MUST_CHECK tacit_status tacit_shamir_deal(uint8_t *shares,
                                                const uint8_t secret[static TACIT_SECRET_LEN],
                                                const uint16_t *points, size_t count,
                                                size_t threshold, tacit_prng *prng);

/* True when the encoding is canonical: each limb < 2^61 - 1. */
bool tacit_shamir_share_check(const uint8_t share[static TACIT_SHARE_LEN]);

/* Lagrange coefficients at 0 for a set of distinct nonzero points: out[count]. BAD_SHARE when a
 * point is 0 or repeated, INVALID_ARGUMENT when count is 0. O(count^2). */
TACIT_MUST_CHECK tacit_status tacit_shamir_lagrange(uint64_t *out, const uint16_t *points,
                                                    size_t count);

/* secret from `count` >= threshold shares (each TACIT_SHARE_LEN bytes, `stride` bytes apart) and
 * the coefficients of their points. BAD_SHARE when a share is not canonical or the result is not a
 * 31-byte secret (a limb out of range: some share is wrong); secret is then zeroed.
 * INVALID_ARGUMENT when count is 0. With more shares than the threshold all of them must be right.
 * The caller checks the result against its commitment. */
TACIT_MUST_CHECK tacit_status tacit_shamir_combine(uint8_t secret[static TACIT_SECRET_LEN],
                                                   const uint8_t *shares, size_t stride,
                                                   const uint64_t *lagrange, size_t count);

/* ---- Wrong shares ------------------------------------------------------------------------------
 * Shares of one secret are a word of a Reed-Solomon code: `count` of them bear floor((count -
 * threshold) / 2) wrong ones in each limb. Shares are canonical, packed [count x TACIT_SHARE_LEN],
 * points distinct and nonzero, `lagrange` the coefficients of all of them. These look at revealed
 * shares only and take time that depends on them. */

/* True when all shares lie on polynomials of degree < threshold. `challenge`: any number the dealer
 * could not foresee; wrong shares pass for at most count of the 2^61 challenges. */
bool tacit_shamir_agree(const uint8_t *shares, const uint16_t *points, const uint64_t *lagrange,
                        size_t count, size_t threshold, uint64_t challenge);

/* uint64_t of scratch for tacit_shamir_locate. */
size_t tacit_shamir_locate_scratch(size_t count);

/* Marks the wrong shares in the bitmap wrong[(count + 7) / 8] by their place. BAD_SHARE when some
 * limb has more wrong ones than the code bears (or, with more still, looks as if it had none of
 * them; so check the secret's commitment). Syndromes, then Massey's algorithm (IEEE Trans. Inf.
 * Theory 15, 1969) for the locator, whose roots among the points are the wrong places. O(count *
 * (count - threshold)). INVALID_ARGUMENT when threshold is not 1..count. */
TACIT_MUST_CHECK tacit_status tacit_shamir_locate(uint8_t *wrong, const uint8_t *shares,
                                                  const uint16_t *points, const uint64_t *lagrange,
                                                  size_t count, size_t threshold,
                                                  uint64_t *scratch);

#endif
