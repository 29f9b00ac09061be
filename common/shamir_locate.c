/* SPDX-License-Identifier: Apache-2.0
 * shamir_locate.c - which of the revealed shares are wrong (security M2).
 *
 * For points x_i and any polynomial p of degree < count - threshold, sum_i u_i p(x_i) y_i = 0 for
 * every word y of the code, where u_i = 1 / prod_{j != i} (x_i - x_j). Only u up to a common factor
 * matters, and lambda_i x_i is that: lambda_i, the Lagrange coefficient at 0, has the factor 1/x_i
 * more. With p = z^j the sums are syndromes; errors e_i make them sum_i (u_i e_i) x_i^j, a sequence
 * whose shortest recurrence has exactly the wrong points as its roots. It knows nothing of who is
 * to blame, and refuses words with more errors than the recurrence can be sure of. */
#include "common/field61.h"
#include "common/shamir.h"

enum { LIMBS = TACIT_SHAMIR_LIMBS };

static uint64_t limb_of(const uint8_t *shares, size_t i, size_t limb) {
    return tacit_get_u64(shares + i * TACIT_SHARE_LEN + 8 * limb);
}

bool tacit_shamir_agree(const uint8_t *shares, const uint16_t *points, const uint64_t *lagrange,
                        size_t count, size_t threshold, uint64_t challenge) {
    if (threshold >= count) return true;
    uint64_t sum[LIMBS] = {0}, off = 0;
    challenge = canonical(challenge & P);
    for (size_t i = 0; i < count; i++) {
        /* p(z) = (z + challenge)^(count - threshold - 1) */
        uint64_t p = power(canonical(challenge + points[i]), count - threshold - 1);
        uint64_t weight = mul(mul(lagrange[i], points[i]), p);
        for (size_t l = 0; l < LIMBS; l++)
            sum[l] = fold((wide)limb_of(shares, i, l) * weight + sum[l]);
    }
    for (size_t l = 0; l < LIMBS; l++) off |= canonical(sum[l]);
    return off == 0;
}

/* ---- recurrence ------------------------------------------------------------------------------ */

/* A polynomial 1 + c_1 z + ... and its length as a recurrence. */
typedef struct {
    uint64_t *c;
    size_t len;
} recurrence;

static uint64_t discrepancy(const recurrence *r, const uint64_t *s, size_t n) {
    uint64_t d = 0;
    for (size_t k = 0; k <= r->len; k++) d = canonical(fold((wide)r->c[k] * s[n - k] + d));
    return d;
}

/* Massey's algorithm: the shortest recurrence of s[count]; connection, before and spare hold count
 * + 1 words each. */
static recurrence shortest(const uint64_t *s, size_t count, uint64_t *connection, uint64_t *before,
                           uint64_t *spare) {
    recurrence now = {connection, 0};
    size_t words = count + 1, shift = 1;
    uint64_t last = 1;
    memset(now.c, 0, words * sizeof *now.c);
    memset(before, 0, words * sizeof *before);
    now.c[0] = before[0] = 1;
    for (size_t n = 0; n < count; n++, shift++) {
        uint64_t d = discrepancy(&now, s, n);
        if (d == 0) continue;
        uint64_t factor = mul(d, invert(last));
        bool longer = 2 * now.len <= n;
        if (longer) memcpy(spare, now.c, words * sizeof *spare);
        for (size_t k = shift; k < words; k++)
            now.c[k] = subtract(now.c[k], mul(factor, before[k - shift]));
        if (!longer) continue;
        memcpy(before, spare, words * sizeof *before);
        now.len = n + 1 - now.len;
        last = d;
        shift = 0;
    }
    return now;
}

/* Marks the points where the reversed locator vanishes; how many there are. */
static size_t mark_roots(uint8_t *wrong, const recurrence *r, const uint16_t *points,
                         size_t count) {
    size_t found = 0;
    for (size_t i = 0; i < count && r->len > 0; i++) {
        uint64_t value = 0;
        for (size_t k = 0; k <= r->len; k++)
            value = canonical(fold((wide)value * points[i] + r->c[k]));
        if (value != 0) continue;
        tacit_bit_set(wrong, (uint32_t)i);
        found++;
    }
    return found;
}

/* ---- locating -------------------------------------------------------------------------------- */

size_t tacit_shamir_locate_scratch(size_t count) { return (LIMBS + 4) * (count + 1); }

/* syndromes[LIMBS x spare]: sum_i u_i x_i^j y_i for j < spare. powers: [count]. */
static void make_syndromes(uint64_t *syndromes, size_t spare, uint64_t *powers,
                           const uint8_t *shares, const uint16_t *points, const uint64_t *lagrange,
                           size_t count) {
    for (size_t i = 0; i < count; i++) powers[i] = mul(lagrange[i], points[i]);
    for (size_t j = 0; j < spare; j++) {
        uint64_t sum[LIMBS] = {0};
        for (size_t i = 0; i < count; i++) {
            for (size_t l = 0; l < LIMBS; l++)
                sum[l] = fold((wide)limb_of(shares, i, l) * powers[i] + sum[l]);
            powers[i] = mul(powers[i], points[i]);
        }
        for (size_t l = 0; l < LIMBS; l++) syndromes[l * spare + j] = canonical(sum[l]);
    }
}

tacit_status tacit_shamir_locate(uint8_t *wrong, const uint8_t *shares, const uint16_t *points,
                                 const uint64_t *lagrange, size_t count, size_t threshold,
                                 uint64_t *scratch) {
    if (threshold < 1 || threshold > count) return TACIT_INVALID_ARGUMENT;
    size_t spare = count - threshold, words = count + 1;
    uint64_t *syndromes = scratch, *powers = scratch + LIMBS * words;
    memset(wrong, 0, (count + 7) / 8);
    make_syndromes(syndromes, spare, powers, shares, points, lagrange, count);
    for (size_t l = 0; l < LIMBS; l++) {
        recurrence r = shortest(syndromes + l * spare, spare, powers + words, powers + 2 * words,
                                powers + 3 * words);
        if (2 * r.len > spare || mark_roots(wrong, &r, points, count) != r.len)
            return TACIT_BAD_SHARE;
    }
    return TACIT_OK;
}
