/* SPDX-License-Identifier: Apache-2.0
 * hadamard_test.c - fast transform against the definition H_ij = (-1)^popcount(i & j), the seeded
 * signs against the keystream they are promised to be, and the rotation against its inverse. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/hadamard.h"
#include "common/prng.h"

enum { NAIVE_MAX = 4096, LARGE = TACIT_MAX_DIMS };

static float x32[LARGE];
static double x64[LARGE], before[LARGE];

static void fill(size_t count, uint64_t seed) {
    tacit_prng p;
    tacit_prng_init_seed(&p, seed, 0);
    for (size_t i = 0; i < count; i++) {
        before[i] = (float)(2 * tacit_prng_unit(&p) - 1); /* exact in both types */
        x32[i] = (float)before[i];
        x64[i] = before[i];
    }
}

static void naive(double *out, const double *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t j = 0; j < count; j++) sum += __builtin_parityll(i & j) ? -x[j] : x[j];
        out[i] = sum;
    }
}

static void equals_the_definition(void **state) {
    (void)state;
    static double want[NAIVE_MAX];
    const double small[4] = {1, 2, 3, 4}, small_want[4] = {10, -2, -4, 0};
    double y[4];
    memcpy(y, small, sizeof y);
    tacit_hadamard_f64(y, 4);
    assert_memory_equal(y, small_want, sizeof y);
    for (size_t n = 1; n <= NAIVE_MAX; n *= 2) {
        fill(n, n);
        naive(want, before, n);
        tacit_hadamard_f32(x32, n);
        tacit_hadamard_f64(x64, n);
        for (size_t i = 0; i < n; i++) {
            assert_true(fabs(x64[i] - want[i]) <= 1e-15 * (double)n);
            assert_true(fabs(x32[i] - want[i]) <= 1e-6 * sqrt((double)n) * log2((double)n + 1));
        }
    }
}

/* Above the naive reference's reach: single rows of H are known, and so is H H. */
static void equals_the_definition_when_large(void **state) {
    (void)state;
    for (size_t n = 2 * NAIVE_MAX; n <= LARGE; n *= 2) {
        const size_t at[3] = {1, n / 2 + 5, n - 1};
        for (size_t k = 0; k < 3; k++) {
            memset(x64, 0, n * sizeof *x64);
            memset(x32, 0, n * sizeof *x32);
            x64[at[k]] = x32[at[k]] = 1;
            tacit_hadamard_f64(x64, n);
            tacit_hadamard_f32(x32, n);
            for (size_t i = 0; i < n; i++) {
                double want = __builtin_parityll(i & at[k]) ? -1 : 1;
                if (x64[i] != want || x32[i] != (float)want) fail_msg("n %zu row %zu", n, i);
            }
        }
        fill(n, n);
        tacit_hadamard_f64(x64, n);
        tacit_hadamard_f64(x64, n);
        tacit_hadamard_f32(x32, n);
        tacit_hadamard_f32(x32, n);
        for (size_t i = 0; i < n; i++) {
            if (fabs(x64[i] / (double)n - before[i]) > 1e-13) fail_msg("n %zu index %zu", n, i);
            if (fabs(x32[i] / (double)n - before[i]) > 1e-5) fail_msg("n %zu index %zu", n, i);
        }
    }
}

static void signs_are_the_keystream(void **state) {
    (void)state;
    enum { COUNT = 32768 };
    static uint8_t stream[COUNT / 8];
    const uint8_t seed[TACIT_KEY_LEN] = {7, 7, 7}, nonce[12] = {0};
    uint8_t key[TACIT_KEY_LEN];
    tacit_hash_of(key, TACIT_LABEL_ROTATION, seed, sizeof seed);
    tacit_chacha20(stream, sizeof stream, key, nonce, 0);
    const size_t counts[4] = {1, 4, 64, COUNT};
    for (size_t c = 0; c < 4; c++) {
        size_t n = counts[c], minus = 0;
        fill(COUNT, 3);
        tacit_hadamard_signs_f32(x32, n, seed);
        tacit_hadamard_signs_f64(x64, n, seed);
        for (size_t i = 0; i < COUNT; i++) {
            bool flip = i < n && (stream[i / 8] >> (i % 8) & 1);
            minus += flip;
            double want = flip ? -before[i] : before[i];
            assert_true(x64[i] == want && x32[i] == (float)want);
        }
        if (n == COUNT) assert_in_range(minus, COUNT / 2 - 500, COUNT / 2 + 500);
    }
}

static void rotation_has_an_inverse_and_keeps_norms(void **state) {
    (void)state;
    uint8_t seed[TACIT_KEY_LEN] = {1}, other[TACIT_KEY_LEN] = {2};
    for (size_t n = 1; n <= LARGE; n *= 4) {
        fill(n, 100 + n);
        double norm = 0, rotated_norm = 0, differ = 0;
        tacit_rotate_f32(x32, n, seed);
        for (size_t i = 0; i < n; i++) {
            norm += before[i] * before[i];
            rotated_norm += (double)x32[i] * x32[i];
            x64[i] = x32[i];
        }
        assert_true(fabs(rotated_norm / norm - 1) < 1e-5);
        tacit_unrotate_f64(x64, n, seed);
        for (size_t i = 0; i < n; i++) assert_true(fabs(x64[i] - before[i]) < 1e-5);
        for (size_t i = 0; i < n; i++) x64[i] = x32[i];
        tacit_unrotate_f64(x64, n, other);
        for (size_t i = 0; i < n; i++) differ += fabs(x64[i] - before[i]);
        if (n > 16) assert_true(differ / (double)n > 0.1); /* another seed does not undo it */
    }
}

/* What the rotation is for: one number becomes many of the same small size. */
static void rotation_spreads_a_spike(void **state) {
    (void)state;
    const uint8_t seed[TACIT_KEY_LEN] = {9};
    enum { N = 65536 };
    memset(x32, 0, N * sizeof *x32);
    x32[12345] = 1;
    tacit_rotate_f32(x32, N, seed);
    for (size_t i = 0; i < N; i++) assert_true(fabsf(x32[i]) == 1.0f / 256);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_definition),
        cmocka_unit_test(equals_the_definition_when_large),
        cmocka_unit_test(signs_are_the_keystream),
        cmocka_unit_test(rotation_has_an_inverse_and_keeps_norms),
        cmocka_unit_test(rotation_spreads_a_spike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
