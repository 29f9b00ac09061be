/* SPDX-License-Identifier: Apache-2.0
 * rounding_test.c - the exact check at its edges, and rounding against a slow reference that reads
 * the same stream.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/rounding.h"

enum { MAX_L2 = 1 << 21 };

static float x[TACIT_MAX_DIMS];
static int32_t q[TACIT_MAX_DIMS];

static void check_bounds_each_number(void **state) {
    (void)state;
    int32_t v[9] = {0};
    const int32_t outside[] = {6, -6, INT32_MAX, INT32_MIN, INT32_MIN + 5, INT32_MAX - 4, -11};
    for (size_t at = 0; at < 9; at++) {
        for (size_t k = 0; k < sizeof outside / sizeof outside[0]; k++) {
            memset(v, 0, sizeof v);
            v[at] = outside[k];
            assert_false(tacit_rounding_check(v, 9, 5, UINT64_MAX));
        }
        for (int32_t ok = -5; ok <= 5; ok++) {
            v[at] = ok;
            assert_true(tacit_rounding_check(v, 9, 5, 25));
        }
    }
    int32_t one[1] = {1};
    assert_false(tacit_rounding_check(one, 1, 0, UINT64_MAX));
    one[0] = 0;
    assert_true(tacit_rounding_check(one, 1, 0, 0));
}

static void check_bounds_the_sum_exactly(void **state) {
    (void)state;
    int32_t v[5] = {3, -4, 12, -84, 0}; /* squares sum to 7225 = 85^2 */
    assert_true(tacit_rounding_check(v, 5, 84, 7225));
    assert_false(tacit_rounding_check(v, 5, 84, 7224));
    v[4] = 1;
    assert_false(tacit_rounding_check(v, 5, 84, 7225));
    /* the greatest sum there is, 2^20 * 2^42 = 2^62, is still exact */
    for (size_t i = 0; i < TACIT_MAX_DIMS; i++) q[i] = i % 2 ? MAX_L2 : -MAX_L2;
    assert_true(tacit_rounding_check(q, TACIT_MAX_DIMS, MAX_L2, UINT64_C(1) << 62));
    assert_false(tacit_rounding_check(q, TACIT_MAX_DIMS, MAX_L2, (UINT64_C(1) << 62) - 1));
    /* a sum whose low bits would vanish in a double */
    memset(q, 0, sizeof q);
    for (size_t i = 0; i < 4096; i++) q[i] = MAX_L2;
    q[4096] = 1;
    assert_false(tacit_rounding_check(q, TACIT_MAX_DIMS, MAX_L2, UINT64_C(1) << 54));
    assert_true(tacit_rounding_check(q, TACIT_MAX_DIMS, MAX_L2, (UINT64_C(1) << 54) + 1));
}

static void fill(size_t count, float size, uint64_t seed) {
    tacit_prng p;
    tacit_prng_init_seed(&p, seed, 9);
    for (size_t i = 0; i < count; i++) x[i] = (float)(2 * tacit_prng_unit(&p) - 1) * size;
}

static void equals_the_reference(void **state) {
    (void)state;
    const size_t counts[] = {1, 3, 1023, 1024, 1025, 5000};
    const double scales[] = {1, 17.25, 1280, 1e6};
    for (size_t c = 0; c < 6; c++) {
        for (size_t k = 0; k < 4; k++) {
            tacit_prng a, b;
            uint32_t tries;
            fill(counts[c], 1, c + k);
            x[0] = 0;
            tacit_prng_init_seed(&a, 5, k);
            tacit_prng_init_seed(&b, 5, k);
            tacit_round(q, &tries, x, counts[c], scales[k], MAX_L2, UINT64_MAX, &a);
            assert_int_equal(tries, 1);
            for (size_t i = 0; i < counts[c]; i++) {
                double u = (double)tacit_prng_u32(&b) / 4294967296.0;
                assert_int_equal(q[i], (int32_t)floor(scales[k] * x[i] + u));
            }
            assert_int_equal(tacit_prng_u64(&a), tacit_prng_u64(&b)); /* same place in the stream */
        }
    }
}

static void is_unbiased(void **state) {
    (void)state;
    enum { N = 1 << 20 };
    const float value[] = {0.25f, -0.25f, -1.9f, 3.0f, -7.0f, 0.001f};
    for (size_t k = 0; k < 6; k++) {
        tacit_prng p;
        uint32_t tries;
        tacit_prng_init_seed(&p, 77, k);
        for (size_t i = 0; i < N; i++) x[i] = value[k];
        tacit_round(q, &tries, x, N, 1, MAX_L2, UINT64_MAX, &p);
        double sum = 0, low = floor(value[k]), p_up = value[k] - low;
        for (size_t i = 0; i < N; i++) {
            assert_true(q[i] == (int32_t)low || q[i] == (int32_t)low + 1);
            sum += q[i];
        }
        double sd = sqrt(p_up * (1 - p_up) / N);
        assert_true(fabs(sum / N - value[k]) <= 4.5 * sd + 1e-9);
    }
}

/* 1000 halves: the sum of squares is Binomial(1000, 1/2); a bound at its median forces redraws. */
static void redraws_until_the_bound_holds(void **state) {
    (void)state;
    enum { N = 1000, RUNS = 400 };
    uint32_t total = 0, above_one = 0;
    for (size_t i = 0; i < N; i++) x[i] = 0.5f;
    for (uint64_t run = 0; run < RUNS; run++) {
        tacit_prng p, ref;
        uint32_t tries;
        uint8_t skipped[4 * N];
        tacit_prng_init_seed(&p, run, 0);
        tacit_prng_init_seed(&ref, run, 0);
        tacit_round(q, &tries, x, N, 1, MAX_L2, N / 2, &p);
        assert_in_range(tries, 1, TACIT_ROUNDING_TRIES);
        assert_true(tacit_rounding_check(q, N, 1, N / 2));
        total += tries;
        above_one += tries > 1;
        for (uint32_t i = 0; i < tries; i++) tacit_prng_bytes(&ref, skipped, sizeof skipped);
        assert_int_equal(tacit_prng_u64(&p), tacit_prng_u64(&ref));
    }
    /* acceptance is 0.5126 per draw */
    assert_true(fabs((double)total / RUNS - 1 / 0.5126) < 5 * 1.4 / sqrt(RUNS));
    assert_in_range(above_one, 150, 240);
}

static void gives_the_null_vector(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f, 2097153.0f, -2097153.0f};
    tacit_prng p;
    uint32_t tries;
    tacit_prng_init_seed(&p, 1, 0);
    for (size_t k = 0; k < 6; k++) {
        for (size_t at = 0; at < 70; at += 23) {
            memset(x, 0, 70 * sizeof *x);
            memset(q, 1, 70 * sizeof *q);
            x[at] = bad[k];
            tries = 99;
            tacit_round(q, &tries, x, 70, 1, MAX_L2, UINT64_MAX, &p);
            assert_int_equal(tries, 0);
            for (size_t i = 0; i < 70; i++) assert_int_equal(q[i], 0);
        }
    }
    x[0] = INFINITY; /* 0 * infinity is no number either */
    tacit_round(q, &tries, x, 1, 0, MAX_L2, UINT64_MAX, &p);
    assert_int_equal(tries, 0);
    /* a bound that no draw can meet: 64 tries, then null */
    for (size_t i = 0; i < 70; i++) x[i] = 3;
    tacit_round(q, &tries, x, 70, 1, MAX_L2, 600, &p);
    assert_int_equal(tries, 0);
    for (size_t i = 0; i < 70; i++) assert_int_equal(q[i], 0);
    tacit_round(q, &tries, x, 70, 1, 2, UINT64_MAX, &p); /* each number, not only the sum */
    assert_int_equal(tries, 0);
    tacit_round(q, &tries, x, 70, 1, 3, 630, &p); /* whole numbers stay what they are */
    assert_int_equal(tries, 1);
    for (size_t i = 0; i < 70; i++) assert_int_equal(q[i], 3);
    x[0] = 2097152.0f; /* the range's ends are inside */
    x[1] = -2097152.0f;
    tacit_round(q, &tries, x, 2, 1, MAX_L2, UINT64_MAX, &p);
    assert_int_equal(tries, 1);
    assert_int_equal(q[0], MAX_L2);
    assert_int_equal(q[1], -MAX_L2);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_bounds_each_number),
        cmocka_unit_test(check_bounds_the_sum_exactly),
        cmocka_unit_test(equals_the_reference),
        cmocka_unit_test(is_unbiased),
        cmocka_unit_test(redraws_until_the_bound_holds),
        cmocka_unit_test(gives_the_null_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
