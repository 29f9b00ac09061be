/* SPDX-License-Identifier: Apache-2.0
 * shamir_test.c - the scheme against tests/vectors/shamir.txt and against a second implementation
 * over libsodium's ristretto255 scalars (a prime of 252 bits, audited arithmetic), through one
 * table of functions so that both pass the same properties. Under valgrind it also checks that
 * secrets steer no branch and no address. Run from the root of the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAVE_MEMCHECK 1
#endif
#endif

#include "common/crypto.h"
#include "common/mask.h"
#include "common/shamir.h"
#include "tests/support/vectors.h"

enum { MOST = 300, S = TACIT_SECRET_LEN, LIMBS = TACIT_SHAMIR_LIMBS };
static const uint64_t P = (UINT64_C(1) << 61) - 1;

/* ---- the reference over ristretto255 scalars ------------------------------------------------- */

enum { SCALAR = crypto_core_ristretto255_SCALARBYTES };

static void scalar_of(uint8_t out[SCALAR], uint64_t v) {
    memset(out, 0, SCALAR);
    tacit_put_u64(out, v);
}

static tacit_status reference_deal(uint8_t *shares, const uint8_t *secret, const uint16_t *points,
                                   size_t count, size_t threshold, tacit_prng *prng) {
    uint8_t term[SCALAR], x[SCALAR], wide[64];
    memset(shares, 0, count * SCALAR);
    for (size_t degree = threshold; degree-- > 0;) {
        memset(term, 0, sizeof term);
        memcpy(term, secret, S);
        if (degree > 0) {
            tacit_prng_bytes(prng, wide, sizeof wide);
            crypto_core_ristretto255_scalar_reduce(term, wide);
        }
        for (size_t i = 0; i < count; i++) {
            uint8_t *y = shares + i * SCALAR;
            scalar_of(x, points[i]);
            crypto_core_ristretto255_scalar_mul(y, y, x);
            crypto_core_ristretto255_scalar_add(y, y, term);
        }
    }
    return TACIT_OK;
}

static tacit_status reference_combine(uint8_t *secret, const uint8_t *shares,
                                      const uint16_t *points, size_t count) {
    uint8_t sum[SCALAR] = {0}, c[SCALAR], a[SCALAR], b[SCALAR];
    for (size_t i = 0; i < count; i++) {
        memcpy(c, shares + i * SCALAR, SCALAR);
        for (size_t j = 0; j < count; j++) {
            if (j == i) continue;
            scalar_of(a, points[i]);
            scalar_of(b, points[j]);
            crypto_core_ristretto255_scalar_mul(c, c, b);
            crypto_core_ristretto255_scalar_sub(b, b, a);
            if (crypto_core_ristretto255_scalar_invert(a, b) != 0) return TACIT_BAD_SHARE;
            crypto_core_ristretto255_scalar_mul(c, c, a);
        }
        crypto_core_ristretto255_scalar_add(sum, sum, c);
    }
    memcpy(secret, sum, S);
    return sum[S] == 0 ? TACIT_OK : TACIT_BAD_SHARE;
}

static tacit_status own_deal(uint8_t *shares, const uint8_t *secret, const uint16_t *points,
                             size_t count, size_t threshold, tacit_prng *prng) {
    return tacit_shamir_deal(shares, secret, points, count, threshold, prng);
}

static tacit_status own_combine(uint8_t *secret, const uint8_t *shares, const uint16_t *points,
                                size_t count) {
    uint64_t lagrange[TACIT_MAX_NEIGHBOURS];
    tacit_status st = tacit_shamir_lagrange(lagrange, points, count);
    if (st != TACIT_OK) return st;
    return tacit_shamir_combine(secret, shares, TACIT_SHARE_LEN, lagrange, count);
}

typedef struct {
    size_t share_len, most;
    tacit_status (*deal)(uint8_t *, const uint8_t *, const uint16_t *, size_t, size_t,
                         tacit_prng *);
    tacit_status (*combine)(uint8_t *, const uint8_t *, const uint16_t *, size_t);
} scheme;

/* The reference inverts a scalar for each pair: it is asked for less. */
static const scheme own = {TACIT_SHARE_LEN, MOST, own_deal, own_combine};
static const scheme reference = {SCALAR, 24, reference_deal, reference_combine};

/* ---- helpers --------------------------------------------------------------------------------- */

/* `count` distinct points of 1..most in random order. */
static void draw_points(tacit_prng *p, uint16_t *points, size_t count, uint32_t most) {
    static uint16_t all[TACIT_MAX_COHORT];
    for (uint32_t i = 0; i < most; i++) all[i] = (uint16_t)(i + 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = i + tacit_prng_below(p, most - i);
        uint16_t x = all[j];
        all[j] = all[i];
        points[i] = all[i] = x;
    }
}

/* A random subset of `take` of the shares, in random order. */
static void choose(tacit_prng *p, const scheme *s, uint8_t *out, uint16_t *out_points,
                   const uint8_t *shares, const uint16_t *points, size_t count, size_t take) {
    uint16_t index[TACIT_MAX_NEIGHBOURS];
    draw_points(p, index, take, (uint32_t)count);
    for (size_t i = 0; i < take; i++) {
        size_t at = index[i] - 1u;
        memcpy(out + i * s->share_len, shares + at * s->share_len, s->share_len);
        out_points[i] = points[at];
    }
}

static uint64_t multiply(uint64_t a, uint64_t b) {
    return (uint64_t)((unsigned __int128)a * b % P);
}

static uint64_t power(uint64_t a, uint64_t e) {
    uint64_t r = 1;
    for (; e > 0; e >>= 1, a = multiply(a, a))
        if (e & 1) r = multiply(r, a);
    return r;
}

/* A stream whose next words are `words`: at most 128. */
static tacit_prng scripted(const uint64_t *words, size_t count) {
    tacit_prng p;
    tacit_prng_init_seed(&p, 0, 0);
    tacit_prng_refill(&p);
    assert_true(8 * count <= TACIT_PRNG_BUFFER);
    p.used = TACIT_PRNG_BUFFER - 8 * (uint32_t)count;
    for (size_t i = 0; i < count; i++) tacit_put_u64(p.buf + p.used + 8 * i, words[i]);
    return p;
}

/* ---- vectors --------------------------------------------------------------------------------- */

static void check_deal(FILE *f) {
    uint8_t key[TACIT_KEY_LEN], secret[S], back[S];
    static uint8_t want[64 * TACIT_SHARE_LEN], got[64 * TACIT_SHARE_LEN];
    uint16_t points[64];
    tacit_prng p;
    vectors_hex(f, key, sizeof key);
    vectors_hex(f, secret, S);
    size_t threshold = (size_t)vectors_u64(f), count = (size_t)vectors_u64(f);
    assert_true(count <= 64);
    for (size_t i = 0; i < count; i++) {
        points[i] = (uint16_t)vectors_u64(f);
        vectors_hex(f, want + i * TACIT_SHARE_LEN, TACIT_SHARE_LEN);
    }
    tacit_prng_init(&p, key, 0);
    assert_int_equal(tacit_shamir_deal(got, secret, points, count, threshold, &p), TACIT_OK);
    assert_memory_equal(got, want, count * TACIT_SHARE_LEN);
    assert_int_equal(own_combine(back, want, points, threshold), TACIT_OK);
    assert_memory_equal(back, secret, S);
}

static void check_lagrange(FILE *f) {
    uint16_t points[MOST];
    uint64_t want[MOST], got[MOST];
    size_t count = (size_t)vectors_u64(f);
    assert_true(count <= MOST);
    for (size_t i = 0; i < count; i++) {
        points[i] = (uint16_t)vectors_u64(f);
        want[i] = vectors_u64(f);
    }
    assert_int_equal(tacit_shamir_lagrange(got, points, count), TACIT_OK);
    assert_memory_equal(got, want, 8 * count);
}

static void vectors(void **state) {
    (void)state;
    char word[VECTORS_WORD];
    int deals = 0, coefficients = 0;
    FILE *f = vectors_open("shamir.txt");
    while (vectors_word(f, word)) {
        if (strcmp(word, "deal") == 0) {
            check_deal(f);
            deals++;
        } else if (strcmp(word, "lagrange") == 0) {
            check_lagrange(f);
            coefficients++;
        } else {
            fail_msg("unknown line: %s", word);
        }
    }
    fclose(f);
    assert_int_equal(deals, 5);
    assert_int_equal(coefficients, 8);
}

/* ---- both schemes ---------------------------------------------------------------------------- */

static void check_subsets(const scheme *s, size_t n, size_t threshold, uint64_t seed) {
    static uint8_t shares[MOST * TACIT_SHARE_LEN], chosen[MOST * TACIT_SHARE_LEN];
    uint16_t points[MOST], chosen_points[MOST];
    uint8_t secret[S], back[S];
    tacit_prng p;
    tacit_prng_init_seed(&p, seed, n);
    draw_points(&p, points, n, TACIT_MAX_COHORT);
    tacit_prng_bytes(&p, secret, S);
    assert_int_equal(s->deal(shares, secret, points, n, threshold, &p), TACIT_OK);
    for (int round = 0; round < 4; round++) {
        choose(&p, s, chosen, chosen_points, shares, points, n, threshold);
        assert_int_equal(s->combine(back, chosen, chosen_points, threshold), TACIT_OK);
        assert_memory_equal(back, secret, S);
        if (threshold == 1) continue;
        /* One share less gives another secret, or none. */
        tacit_status st = s->combine(back, chosen, chosen_points, threshold - 1);
        assert_true(st == TACIT_BAD_SHARE || memcmp(back, secret, S) != 0);
    }
    /* More than the threshold give the same secret. */
    assert_int_equal(s->combine(back, shares, points, n), TACIT_OK);
    assert_memory_equal(back, secret, S);
}

static void check_scheme(const scheme *s) {
    static const size_t sizes[] = {1, 2, 3, 5, 12, 24, 59, 63, 128, 255, 299, 300};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && sizes[i] <= s->most; i++) {
        size_t n = sizes[i], thresholds[] = {1, n / 2 + 1, n > 1 ? n - 1 : 1, n};
        for (size_t k = 0; k < 4; k++) check_subsets(s, n, thresholds[k], 100 + k);
    }
}

static void any_subset_rebuilds(void **state) {
    (void)state;
    check_scheme(&own);
}

static void reference_passes_too(void **state) {
    (void)state;
    check_scheme(&reference);
}

/* Small coefficients and points: nothing is reduced in either field, so both must give the value of
 * the polynomial over the integers. */
static void integers_agree(void **state) {
    (void)state;
    enum { COUNT = 16, T = 6 };
    tacit_prng p;
    tacit_prng_init_seed(&p, 5, 0);
    for (int round = 0; round < 50; round++) {
        uint64_t script[LIMBS * (T - 1)];
        uint16_t points[COUNT];
        uint8_t secret[S], shares[COUNT * TACIT_SHARE_LEN];
        for (size_t i = 0; i < LIMBS * (T - 1); i++) script[i] = tacit_prng_below(&p, 1 << 30);
        draw_points(&p, points, COUNT, 40);
        tacit_prng_bytes(&p, secret, S);
        tacit_prng scripted_stream = scripted(script, LIMBS * (T - 1));
        assert_int_equal(tacit_shamir_deal(shares, secret, points, COUNT, T, &scripted_stream),
                         TACIT_OK);
        for (size_t i = 0; i < COUNT; i++)
            for (size_t l = 0; l < LIMBS; l++) {
                uint8_t y[SCALAR] = {0}, x[SCALAR], term[SCALAR];
                scalar_of(x, points[i]);
                for (size_t d = 0; d < T; d++) {
                    if (d + 1 < T) scalar_of(term, script[LIMBS * d + l]);
                    if (d + 1 == T) {
                        memset(term, 0, sizeof term);
                        memcpy(term, secret + 7 * l, l < LIMBS - 1 ? 7 : 3);
                    }
                    crypto_core_ristretto255_scalar_mul(y, y, x);
                    crypto_core_ristretto255_scalar_add(y, y, term);
                }
                assert_memory_equal(shares + i * TACIT_SHARE_LEN + 8 * l, y, 8);
                for (size_t b = 8; b < SCALAR; b++) assert_int_equal(y[b], 0);
            }
    }
}

/* ---- edges of the field ---------------------------------------------------------------------- */

/* Draws of P and above are cut to 61 bits and P itself is drawn again: 2^64 - 1 and P are rejected,
 * P - 1 stays. */
static void rejection(void **state) {
    (void)state;
    const uint64_t script[] = {UINT64_MAX, P, P - 1, 0, P + 1, 7, UINT64_C(5) << 61 | 9};
    const uint64_t slopes[LIMBS] = {P - 1, 0, 0, 7, 9};
    static const uint8_t secret[S] = {1};
    static const uint16_t points[2] = {1, 10000};
    uint8_t shares[2 * TACIT_SHARE_LEN];
    tacit_prng p = scripted(script, 7);
    assert_int_equal(tacit_shamir_deal(shares, secret, points, 2, 2, &p), TACIT_OK);
    assert_int_equal(p.used, TACIT_PRNG_BUFFER);
    for (size_t i = 0; i < 2; i++)
        for (size_t l = 0; l < LIMBS; l++)
            assert_true(tacit_get_u64(shares + i * TACIT_SHARE_LEN + 8 * l) ==
                        (multiply(slopes[l], points[i]) + (l == 0)) % P);
}

/* Values that end exactly at P, and the largest everywhere. */
static void extremes(void **state) {
    (void)state;
    enum { T = 20 };
    uint64_t script[LIMBS * (T - 1)], want;
    uint16_t points[T];
    uint8_t secret[S], back[S], shares[T * TACIT_SHARE_LEN];
    for (size_t i = 0; i < LIMBS * (T - 1); i++) script[i] = P - 1;
    for (size_t i = 0; i < T; i++) points[i] = (uint16_t)(TACIT_MAX_COHORT - i);
    memset(secret, 0xff, S);
    tacit_prng p = scripted(script, LIMBS * (T - 1));
    assert_int_equal(tacit_shamir_deal(shares, secret, points, T, T, &p), TACIT_OK);
    for (size_t i = 0; i < T; i++) {
        want = 0;
        for (size_t d = 0; d + 1 < T; d++) want = (multiply(want, points[i]) + P - 1) % P;
        want = (multiply(want, points[i]) + (UINT64_C(1) << 56) - 1) % P;
        assert_true(tacit_get_u64(shares + i * TACIT_SHARE_LEN) == want);
        assert_true(tacit_shamir_share_check(shares + i * TACIT_SHARE_LEN));
    }
    assert_int_equal(own_combine(back, shares, points, T), TACIT_OK);
    assert_memory_equal(back, secret, S);
    /* 1 + (P - 1) * 1 = P: must be written as 0. */
    const uint64_t minus_one[LIMBS] = {P - 1, P - 1, P - 1, P - 1, P - 1};
    static const uint16_t one[2] = {1, 2};
    memset(secret, 0, S);
    for (size_t l = 0; l < LIMBS; l++) secret[7 * l] = 1;
    p = scripted(minus_one, LIMBS);
    assert_int_equal(tacit_shamir_deal(shares, secret, one, 2, 2, &p), TACIT_OK);
    for (size_t i = 0; i < TACIT_SHARE_LEN; i++) assert_int_equal(shares[i], 0);
}

static void canonical_shares(void **state) {
    (void)state;
    const uint64_t good[] = {0, 1, P - 1, UINT64_C(1) << 60, UINT64_C(1) << 56};
    const uint64_t bad[] = {P,
                            P + 1,
                            UINT64_C(1) << 62,
                            UINT64_C(1) << 63,
                            UINT64_MAX,
                            P | UINT64_C(1) << 63,
                            UINT64_C(1) << 61 | 5};
    const uint64_t lagrange[1] = {1};
    uint8_t share[TACIT_SHARE_LEN] = {0}, secret[S];
    for (size_t l = 0; l < LIMBS; l++) {
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
            tacit_put_u64(share + 8 * l, good[i]);
            assert_true(tacit_shamir_share_check(share));
        }
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            tacit_put_u64(share + 8 * l, bad[i]);
            assert_false(tacit_shamir_share_check(share));
            memset(secret, 0xee, S);
            assert_int_equal(tacit_shamir_combine(secret, share, TACIT_SHARE_LEN, lagrange, 1),
                             TACIT_BAD_SHARE);
            for (size_t b = 0; b < S; b++) assert_int_equal(secret[b], 0);
        }
        tacit_put_u64(share + 8 * l, 0);
    }
}

/* Limbs of 56 bits, the last of 24: the largest is a secret, one more is not. */
static void limb_ranges(void **state) {
    (void)state;
    const uint64_t lagrange[1] = {1};
    uint8_t share[TACIT_SHARE_LEN] = {0}, secret[S];
    for (size_t l = 0; l < LIMBS; l++) {
        uint64_t end = UINT64_C(1) << (l < LIMBS - 1 ? 56 : 24);
        tacit_put_u64(share + 8 * l, end - 1);
        assert_int_equal(tacit_shamir_combine(secret, share, 0, lagrange, 1), TACIT_OK);
        for (size_t b = 0; b < S; b++)
            assert_int_equal(secret[b], b / 7 == l || (b >= 28 && l == 4) ? 0xff : 0);
        tacit_put_u64(share + 8 * l, end);
        assert_int_equal(tacit_shamir_combine(secret, share, 0, lagrange, 1), TACIT_BAD_SHARE);
        tacit_put_u64(share + 8 * l, 0);
    }
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void refused_points(void **state) {
    (void)state;
    static uint8_t shares[(TACIT_MAX_NEIGHBOURS + 1) * TACIT_SHARE_LEN];
    static uint16_t many[TACIT_MAX_NEIGHBOURS + 1];
    static const uint8_t secret[S] = {1};
    static const uint16_t zero[] = {1, 0, 2}, twice[] = {1, 2, 3, 2}, far[] = {1, 10001, 2};
    static const uint16_t fine[] = {1, 10000, 2};
    uint64_t out[4];
    tacit_prng p;
    tacit_prng_init_seed(&p, 3, 0);
    for (size_t i = 0; i <= TACIT_MAX_NEIGHBOURS; i++) many[i] = (uint16_t)(i + 1);
    const tacit_status refused = TACIT_INVALID_ARGUMENT;
    assert_int_equal(tacit_shamir_deal(shares, secret, zero, 3, 2, &p), refused);
    assert_int_equal(tacit_shamir_deal(shares, secret, twice, 4, 2, &p), refused);
    assert_int_equal(tacit_shamir_deal(shares, secret, far, 3, 2, &p), refused);
    assert_int_equal(tacit_shamir_deal(shares, secret, fine, 3, 0, &p), refused);
    assert_int_equal(tacit_shamir_deal(shares, secret, fine, 3, 4, &p), refused);
    assert_int_equal(tacit_shamir_deal(shares, secret, fine, 0, 0, &p), refused);
    assert_int_equal(tacit_shamir_deal(shares, secret, fine, 3, 2, &p), TACIT_OK);
    assert_int_equal(tacit_shamir_deal(shares, secret, many, TACIT_MAX_NEIGHBOURS + 1, 2, &p),
                     refused);
    assert_int_equal(tacit_shamir_deal(shares, secret, many, TACIT_MAX_NEIGHBOURS, 2, &p),
                     TACIT_OK);
    assert_int_equal(tacit_shamir_lagrange(out, zero, 3), TACIT_BAD_SHARE);
    assert_int_equal(tacit_shamir_lagrange(out, zero + 1, 1), TACIT_BAD_SHARE);
    assert_int_equal(tacit_shamir_lagrange(out, twice, 4), TACIT_BAD_SHARE);
    assert_int_equal(tacit_shamir_lagrange(out, twice, 3), TACIT_OK);
    assert_int_equal(tacit_shamir_lagrange(out, fine, 0), refused);
    uint8_t back[S];
    assert_int_equal(tacit_shamir_combine(back, shares, TACIT_SHARE_LEN, out, 0), refused);
}

/* A share changed at random is caught by a limb's range or by the commitment; one changed with care
 * (so that the result is a secret again) by the commitment alone. */
static void wrong_shares(void **state) {
    (void)state;
    enum { N = 9, T = 6 };
    static const uint16_t points[N] = {4, 8, 15, 16, 23, 42, 99, 100, 10000};
    uint8_t shares[N * TACIT_SHARE_LEN], secret[S], back[S], commitment[32], got[32];
    uint64_t lagrange[T];
    int out_of_range = 0;
    tacit_prng p;
    tacit_prng_init_seed(&p, 21, 0);
    tacit_prng_bytes(&p, secret, S);
    secret[0] = 0; /* room for one more in the lowest limb */
    tacit_mask_commit(commitment, secret);
    assert_int_equal(tacit_shamir_deal(shares, secret, points, N, T, &p), TACIT_OK);
    assert_int_equal(tacit_shamir_lagrange(lagrange, points, T), TACIT_OK);
    for (size_t at = 0; at < T * TACIT_SHARE_LEN; at++) {
        shares[at] ^= 4;
        tacit_status st = tacit_shamir_combine(back, shares, TACIT_SHARE_LEN, lagrange, T);
        out_of_range += st == TACIT_BAD_SHARE;
        if (st == TACIT_OK) {
            tacit_mask_commit(got, back);
            assert_memory_not_equal(got, commitment, 32);
        }
        shares[at] ^= 4;
    }
    assert_true(out_of_range > T * TACIT_SHARE_LEN * 8 / 10);
    for (size_t i = 0; i < T; i++) {
        uint64_t y = tacit_get_u64(shares + i * TACIT_SHARE_LEN);
        uint64_t forged = (y + power(lagrange[i], P - 2)) % P;
        tacit_put_u64(shares + i * TACIT_SHARE_LEN, forged);
        assert_int_equal(tacit_shamir_combine(back, shares, TACIT_SHARE_LEN, lagrange, T),
                         TACIT_OK);
        secret[0] = 1;
        assert_memory_equal(back, secret, S);
        secret[0] = 0;
        tacit_mask_commit(got, back);
        assert_memory_not_equal(got, commitment, 32);
        tacit_put_u64(shares + i * TACIT_SHARE_LEN, y);
    }
    assert_int_equal(tacit_shamir_combine(back, shares, TACIT_SHARE_LEN, lagrange, T), TACIT_OK);
    tacit_mask_commit(got, back);
    assert_memory_equal(got, commitment, 32);
}

static void strided_shares(void **state) {
    (void)state;
    enum { T = 5, STRIDE = 53 };
    static const uint16_t points[T] = {9, 1, 7, 3, 5};
    uint8_t shares[T * TACIT_SHARE_LEN], spread[T * STRIDE], secret[S], back[S];
    uint64_t lagrange[T];
    tacit_prng p;
    tacit_prng_init_seed(&p, 31, 0);
    tacit_prng_bytes(&p, secret, S);
    tacit_prng_bytes(&p, spread, sizeof spread);
    assert_int_equal(tacit_shamir_deal(shares, secret, points, T, T, &p), TACIT_OK);
    for (size_t i = 0; i < T; i++)
        memcpy(spread + i * STRIDE, shares + i * TACIT_SHARE_LEN, TACIT_SHARE_LEN);
    assert_int_equal(tacit_shamir_lagrange(lagrange, points, T), TACIT_OK);
    assert_int_equal(tacit_shamir_combine(back, spread, STRIDE, lagrange, T), TACIT_OK);
    assert_memory_equal(back, secret, S);
}

/* ---- what too few shares tell ---------------------------------------------------------------- */

/* Pearson's statistic of the top four bits of two holders' shares of limb 0 together: 256 cells. */
static double joint_statistic(const uint8_t secret[S], size_t threshold) {
    enum { DEALS = 51200, CELLS = 256 };
    static const uint16_t points[3] = {1, 2, 3};
    static uint32_t seen[CELLS];
    uint8_t shares[3 * TACIT_SHARE_LEN];
    tacit_prng p;
    tacit_prng_init_seed(&p, 41, 0);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < DEALS; i++) {
        assert_int_equal(tacit_shamir_deal(shares, secret, points, 3, threshold, &p), TACIT_OK);
        uint64_t a = tacit_get_u64(shares), b = tacit_get_u64(shares + TACIT_SHARE_LEN);
        seen[(a >> 57) << 4 | b >> 57]++;
    }
    double sum = 0, expected = (double)DEALS / CELLS;
    for (size_t c = 0; c < CELLS; c++) {
        double d = seen[c] - expected;
        sum += d * d / expected;
    }
    return sum;
}

/* With threshold 3 two shares are uniform whatever the secret: 255 degrees of freedom, standard
 * deviation 22.6, refused at five of them. With threshold 2 the same statistic sees the secret. */
static void too_few_reveal_nothing(void **state) {
    (void)state;
    uint8_t secret[S] = {0};
    assert_true(joint_statistic(secret, 3) < 255 + 5 * 22.6);
    assert_true(joint_statistic(secret, 2) > 5000);
    memset(secret, 0xff, S);
    assert_true(joint_statistic(secret, 3) < 255 + 5 * 22.6);
    assert_true(joint_statistic(secret, 2) > 5000);
}

/* ---- constant time --------------------------------------------------------------------------- */

/* The secret is marked as undefined: memcheck then reports any branch or address that hangs on it.
 * In combine the last decision, whether the result is a secret at all, is taken on public ground:
 * its one report is expected. */
static void constant_time(void **state) {
    (void)state;
#ifdef HAVE_MEMCHECK
    if (RUNNING_ON_VALGRIND) {
        enum { N = 40, T = 25 };
        uint16_t points[N];
        uint64_t lagrange[T];
        uint8_t secret[S] = {1, 2, 3}, back[S], shares[N * TACIT_SHARE_LEN];
        tacit_prng p;
        tacit_prng_init_seed(&p, 51, 0);
        draw_points(&p, points, N, TACIT_MAX_COHORT);
        assert_int_equal(tacit_shamir_lagrange(lagrange, points, T), TACIT_OK);
        long before = (long)VALGRIND_COUNT_ERRORS;
        (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, S);
        assert_int_equal(tacit_shamir_deal(shares, secret, points, N, T, &p), TACIT_OK);
        assert_int_equal((long)VALGRIND_COUNT_ERRORS - before, 0);
        (void)VALGRIND_MAKE_MEM_UNDEFINED(shares, sizeof shares);
        tacit_status st = tacit_shamir_combine(back, shares, TACIT_SHARE_LEN, lagrange, T);
        assert_int_equal((long)VALGRIND_COUNT_ERRORS - before, 1);
        (void)VALGRIND_MAKE_MEM_DEFINED(&st, sizeof st);
        (void)VALGRIND_MAKE_MEM_DEFINED(back, S);
        (void)VALGRIND_MAKE_MEM_DEFINED(secret, S);
        assert_int_equal(st, TACIT_OK);
        assert_memory_equal(back, secret, S);
        return;
    }
#endif
    print_message("only under valgrind\n");
    skip();
}

static int prepare(void **state) {
    (void)state;
    return tacit_crypto_init() == TACIT_OK ? 0 : -1;
}

/* ---- wrong shares located ------------------------------------------------------------------- */

typedef struct {
    uint16_t points[120];
    uint8_t shares[120 * TACIT_SHARE_LEN], right[120 * TACIT_SHARE_LEN], wrong[15];
    uint64_t lagrange[120], scratch[9 * 121];
    size_t count, threshold;
    tacit_prng p;
} word;

static void draw_word(word *w, size_t count, size_t threshold, uint64_t seed) {
    uint8_t secret[S];
    tacit_prng_init_seed(&w->p, seed, count);
    w->count = count;
    w->threshold = threshold;
    draw_points(&w->p, w->points, count, TACIT_MAX_COHORT);
    tacit_prng_bytes(&w->p, secret, S);
    assert_int_equal(tacit_shamir_deal(w->right, secret, w->points, count, threshold, &w->p),
                     TACIT_OK);
    memcpy(w->shares, w->right, sizeof w->shares);
    assert_int_equal(tacit_shamir_lagrange(w->lagrange, w->points, count), TACIT_OK);
    assert_true(tacit_shamir_locate_scratch(count) <= sizeof w->scratch / 8);
}

/* `errors` different places get other limbs: one limb each (`limb` < 5), or all of them. */
static void err(word *w, size_t errors, size_t limb) {
    for (size_t i = 0, done = 0; done < errors; i++) {
        if (tacit_prng_below(&w->p, (uint32_t)(w->count - i)) >= errors - done) continue;
        for (size_t l = 0; l < 5; l++)
            if (limb == 5 || l == limb)
                tacit_put_u64(w->shares + i * TACIT_SHARE_LEN + 8 * l, tacit_prng_u64(&w->p) >> 4);
        done++;
    }
}

static bool agree(word *w) {
    return tacit_shamir_agree(w->shares, w->points, w->lagrange, w->count, w->threshold,
                              tacit_prng_u64(&w->p));
}

static void marks_are_the_errors(const word *w) {
    for (size_t i = 0; i < w->count; i++) {
        const uint8_t *is = w->shares + i * TACIT_SHARE_LEN, *was = w->right + i * TACIT_SHARE_LEN;
        assert_int_equal(tacit_bit_get(w->wrong, (uint32_t)i),
                         memcmp(is, was, TACIT_SHARE_LEN) != 0);
    }
}

static tacit_status locate(word *w) {
    return tacit_shamir_locate(w->wrong, w->shares, w->points, w->lagrange, w->count, w->threshold,
                               w->scratch);
}

/* Every number of errors the spare shares bear, in one limb or all, is found exactly. */
static void errors_are_located(void **state) {
    (void)state;
    static const struct {
        size_t count, threshold;
    } sizes[] = {{3, 1}, {7, 4}, {20, 20}, {41, 39}, {63, 35}, {120, 77}, {120, 1}};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t most = (sizes[k].count - sizes[k].threshold) / 2;
        for (size_t errors = 0; errors <= most; errors += 1 + errors / 3) {
            word w;
            draw_word(&w, sizes[k].count, sizes[k].threshold, 31 + errors);
            assert_true(agree(&w));
            err(&w, errors, errors % 6);
            assert_int_equal(agree(&w), errors == 0);
            assert_int_equal(locate(&w), TACIT_OK);
            marks_are_the_errors(&w);
        }
    }
}

/* Each limb bears as many by itself: more wrong shares than half of the spare ones in all. */
static void limbs_err_apart(void **state) {
    (void)state;
    word w;
    draw_word(&w, 90, 60, 5);
    for (size_t limb = 0; limb < 5; limb++) err(&w, 15, limb);
    assert_int_equal(locate(&w), TACIT_OK);
    marks_are_the_errors(&w);
}

/* One error more is refused, or taken for the errors of another word, which the commitment then
 * tells (it is as rare as a guess); a word of nothing but errors too. */
static void too_many_errors(void **state) {
    (void)state;
    word w;
    for (size_t errors = 16; errors <= 90; errors += 7) {
        draw_word(&w, 90, 60, errors);
        err(&w, errors, 5);
        assert_false(agree(&w));
        assert_int_equal(locate(&w), TACIT_BAD_SHARE);
    }
    draw_word(&w, 61, 60, 1); /* one spare share tells of an error and cannot find it */
    err(&w, 1, 2);
    assert_false(agree(&w));
    assert_int_equal(locate(&w), TACIT_BAD_SHARE);
    w.threshold = 0;
    assert_int_equal(locate(&w), TACIT_INVALID_ARGUMENT);
    w.threshold = 62;
    assert_int_equal(locate(&w), TACIT_INVALID_ARGUMENT);
}

/* Errors made to pass for one challenge do not pass for another. */
static void errors_cannot_foresee_the_challenge(void **state) {
    (void)state;
    word w;
    const uint64_t foreseen = 123456789;
    draw_word(&w, 30, 20, 8);
    /* Two errors whose weighted sum at z + foreseen to the 9th vanishes. */
    uint64_t weight[2];
    for (size_t i = 0; i < 2; i++) {
        weight[i] = power((foreseen + w.points[i]) % P, 9);
        weight[i] = multiply(weight[i], multiply(w.lagrange[i], w.points[i]));
    }
    uint64_t error = multiply(P - weight[0], power(weight[1], P - 2));
    uint64_t first = tacit_get_u64(w.shares), second = tacit_get_u64(w.shares + TACIT_SHARE_LEN);
    tacit_put_u64(w.shares, (first + 1) % P);
    tacit_put_u64(w.shares + TACIT_SHARE_LEN, (second + error) % P);
    assert_true(tacit_shamir_agree(w.shares, w.points, w.lagrange, 30, 20, foreseen));
    for (int i = 0; i < 100; i++) assert_false(agree(&w));
    assert_int_equal(locate(&w), TACIT_OK);
    marks_are_the_errors(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(any_subset_rebuilds),
        cmocka_unit_test(reference_passes_too),
        cmocka_unit_test(integers_agree),
        cmocka_unit_test(rejection),
        cmocka_unit_test(extremes),
        cmocka_unit_test(canonical_shares),
        cmocka_unit_test(limb_ranges),
        cmocka_unit_test(refused_points),
        cmocka_unit_test(wrong_shares),
        cmocka_unit_test(strided_shares),
        cmocka_unit_test(too_few_reveal_nothing),
        cmocka_unit_test(errors_are_located),
        cmocka_unit_test(limbs_err_apart),
        cmocka_unit_test(too_many_errors),
        cmocka_unit_test(errors_cannot_foresee_the_challenge),
        cmocka_unit_test(constant_time),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
