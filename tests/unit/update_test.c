/* SPDX-License-Identifier: Apache-2.0
 * update_test.c - the one pipeline from a history to an upload vector: the reference's uploads, the
 * slice, the clip, and above all that no model, plan or history makes the rounded integers exceed
 * the bound the accountant charges for (security H4, H5). */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "common/hadamard.h"
#include "common/rounding.h"
#include "common/skellam.h"
#include "firmware/update.h"
#include "tests/support/device_fixture.h"

enum { MEMORY = 4 << 20, WINDOW = 256, MAX_DIMS = 1 << 14 };

typedef struct {
    fixture_keys keys;
    fixture_model model;
    tacit_plan plan;
    void *memory;
    tacit_factor f;
    tacit_history h;
    tacit_window_item items[WINDOW];
    float x[MAX_DIMS];
    int32_t q[MAX_DIMS];
    uint32_t words[MAX_DIMS];
} device;

static device d;

static void begin(uint32_t items, uint32_t k, void (*fill)(fixture_numbers *n)) {
    memset(&d, 0, sizeof d);
    fixture_keys_init(&d.keys);
    d.model = fixture_model_make(&d.keys, 3, items, k, 0, fill);
    d.plan = fixture_plan(&d.keys, &d.model, 1, 4, 16, 1800000000);
    assert_true(d.plan.dims <= MAX_DIMS);
    d.memory = aligned_alloc(64, MEMORY);
    assert_non_null(d.memory);
    tacit_arena a;
    tacit_arena_init(&a, d.memory, MEMORY);
    tacit_factor_place(&d.f, &a, k);
    assert_int_equal(tacit_factor_begin(&d.f, &d.model.model, false), TACIT_OK);
    d.h.items = d.items;
    d.h.cap = WINDOW;
}

static void end(void) {
    fixture_model_free(&d.model);
    free(d.memory);
}

static void tap(uint32_t index) {
    (void)tacit_history_note(&d.h, 10 * ((uint64_t)index + 1), TACIT_EVENT_VIEW, &d.model.model);
}

static double norm_of(const float *x, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

static bool is_null(const float *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (x[i] != 0) return false;
    }
    return true;
}

/* Rounds x under the plan and checks the integers against bounds computed here. */
static void assert_bounded(void) {
    tacit_prng prng;
    tacit_prng_init_seed(&prng, 5, 0);
    double s = d.plan.scale, dims = d.plan.dims;
    assert_int_equal(tacit_update_quantise(d.q, d.x, &d.plan, &prng), TACIT_OK);
    double bound = fmin((s + sqrt(dims)) * (s + sqrt(dims)), s * s + dims / 4 + s + sqrt(dims) / 2);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < d.plan.dims; i++) {
        int64_t v = d.q[i];
        assert_true((double)(v * v) <= bound * (1 + 1e-12));
        sum += (uint64_t)(v * v);
    }
    assert_true((double)sum <= bound * (1 + 1e-12));
}

/* ---- The reference ----------------------------------------------------------------------------*/

static double *ref_V, *ref_b;
static size_t ref_k;

static void fill_reference(fixture_numbers *n) {
    for (size_t i = 0; i < n->item_count; i++) n->bias[i] = (float)ref_b[i];
    for (size_t i = 0; i < n->item_count * ref_k; i++) n->factors[i] = (float)ref_V[i];
}

static void load_reference(void) {
    size_t m, n, one;
    ref_V = fixture_matrix("V", &m, &ref_k);
    ref_b = fixture_matrix("b", &one, &n);
    begin((uint32_t)m, (uint32_t)ref_k, fill_reference);
    free(ref_V);
    free(ref_b);
}

/* joint.txt: [.6 counts | .8 gradient] of every history. A full history has norm 1 there and is
 * clipped to 1 - 1e-5 here. */
static void test_reference_uploads(void **state) {
    (void)state;
    load_reference();
    size_t n, h, users, width, m = d.model.model.item_count, k = ref_k;
    double *hist = fixture_matrix("hist", &n, &h), *joint = fixture_matrix("joint", &users, &width);
    assert_int_equal(width, m * (k + 1));
    for (size_t user = 0; user < n; user++) {
        d.h.count = 0;
        for (size_t j = 0; j < h && !isnan(hist[user * h + j]); j++) {
            tap((uint32_t)hist[user * h + j]);
        }
        assert_true(tacit_update_statistics(d.x, &d.f, &d.h, &d.plan));
        const double *want = joint + user * width;
        double norm = 0;
        for (size_t i = 0; i < width; i++) norm += want[i] * want[i];
        double clip = fmin(1, (1 - 1e-5) / sqrt(norm));
        for (size_t i = 0; i < width; i++) {
            assert_true(fabs((double)d.x[i] - clip * want[i]) <= 1e-5 * fabs(want[i]) + 2e-6);
        }
        assert_true(is_null(d.x + width, d.plan.dims - width)); /* padding */
        assert_true(norm_of(d.x, d.plan.dims) <= 1 - 0.99e-5);
    }
    end();
    free(hist);
    free(joint);
}

/* Later sums carry the gradient alone: rows of B for the whole history. */
static void test_gradient_alone(void **state) {
    (void)state;
    load_reference();
    size_t n, h, rows, k;
    double *hist = fixture_matrix("hist", &n, &h), *B = fixture_matrix("B", &rows, &k);
    double *sum = calloc(rows * k, sizeof *sum);
    assert_non_null(sum);
    d.plan.blocks = TACIT_BLOCK_GRADIENT;
    d.plan.counts_weight = 0;
    d.plan.gradient_weight = 0.5; /* below the clip, so that the sum is exact */
    for (size_t user = 0; user < n; user++) {
        d.h.count = 0;
        for (size_t j = 0; j < h && !isnan(hist[user * h + j]); j++) {
            tap((uint32_t)hist[user * h + j]);
        }
        assert_true(tacit_update_statistics(d.x, &d.f, &d.h, &d.plan));
        for (size_t i = 0; i < rows * k; i++) sum[i] += (double)d.x[i] / 0.5;
    }
    for (size_t i = 0; i < rows * k; i++) assert_true(fabs(sum[i] - B[i]) < 1e-5);
    end();
    free(hist);
    free(B);
    free(sum);
}

/* ---- Slices and blocks ------------------------------------------------------------------------*/

static void test_slice_is_a_cut_of_the_whole(void **state) {
    (void)state;
    static float whole[MAX_DIMS];
    begin(60, 5, NULL);
    d.plan.counts_weight = 0.3;
    d.plan.gradient_weight = 0.4; /* no clip: a slice must not change the numbers */
    for (uint32_t i = 0; i < 60; i += 4) tap(i);
    assert_true(tacit_update_statistics(whole, &d.f, &d.h, &d.plan));
    d.plan.slice_start = 13;
    d.plan.slice_count = 21;
    assert_true(tacit_update_statistics(d.x, &d.f, &d.h, &d.plan));
    for (uint32_t i = 0; i < 21; i++) {
        assert_true(d.x[i] == whole[13 + i]);
        for (uint32_t j = 0; j < 5; j++) {
            assert_true(d.x[21 + i * 5 + j] == whole[60 + (13 + i) * 5 + j]);
        }
    }
    assert_true(is_null(d.x + 21 * 6, d.plan.dims - 21 * 6));
    d.plan.slice_start = 57; /* items 57..59: none of the history (0, 4, .., 56) */
    d.plan.slice_count = 3;
    assert_false(tacit_update_statistics(d.x, &d.f, &d.h, &d.plan));
    assert_true(is_null(d.x, d.plan.dims));
    end();
}

static void test_counts_alone(void **state) {
    (void)state;
    begin(60, 0, NULL);
    for (uint32_t i = 0; i < 5; i++) tap(i * 3);
    assert_true(tacit_update_statistics(d.x, &d.f, &d.h, &d.plan));
    for (uint32_t i = 0; i < 60; i++) {
        double want = i % 3 == 0 && i < 15 ? 1 / sqrt(10) : 0; /* H = 5 below the floor of 10 */
        assert_true(fabs((double)d.x[i] - want) < 1e-7);
    }
    end();
}

/* Only interest in items the model knows counts. */
static void test_skips_and_unknown_items_do_not_count(void **state) {
    (void)state;
    static float before[MAX_DIMS];
    begin(60, 5, NULL);
    for (uint32_t i = 0; i < 12; i++) tap(i);
    assert_true(tacit_update_statistics(before, &d.f, &d.h, &d.plan));
    (void)tacit_history_note(&d.h, 555, TACIT_EVENT_PURCHASE, &d.model.model);
    (void)tacit_history_note(&d.h, 600, TACIT_EVENT_SKIP, &d.model.model);
    (void)tacit_history_note(&d.h, 10, TACIT_EVENT_CART, &d.model.model); /* again: once is once */
    assert_true(tacit_update_statistics(d.x, &d.f, &d.h, &d.plan));
    for (uint32_t i = 0; i < d.plan.dims; i++) {
        assert_true(fabs((double)d.x[i] - (double)before[i]) < 1e-6); /* order of summing */
    }
    end();
}

/* ---- Clip -------------------------------------------------------------------------------------*/

static void test_clip(void **state) {
    (void)state;
    float x[8];
    const float small[4] = {0.3f, -0.2f, 0, 0.1f};
    memcpy(x, small, sizeof small);
    assert_true(tacit_update_clip(x, 4));
    assert_memory_equal(x, small, sizeof small); /* inside: untouched */
    for (int i = 0; i < 8; i++) x[i] = 1;
    assert_true(tacit_update_clip(x, 8));
    assert_true(norm_of(x, 8) <= (1 - 1e-5) * (1 + 1e-7) && norm_of(x, 8) > 1 - 1.1e-5);
    for (int i = 0; i < 8; i++) x[i] = FLT_MAX; /* finite in double: scaled */
    assert_true(tacit_update_clip(x, 8));
    assert_true(norm_of(x, 8) <= (1 - 1e-5) * (1 + 1e-7));
    const float bad[3] = {NAN, INFINITY, -INFINITY};
    for (int b = 0; b < 3; b++) {
        for (int i = 0; i < 8; i++) x[i] = 0.1f;
        x[5] = bad[b];
        assert_false(tacit_update_clip(x, 8));
        assert_true(is_null(x, 8));
    }
    memset(x, 0, sizeof x);
    assert_false(tacit_update_clip(x, 8));
    for (int i = 0; i < 8; i++) x[i] = FLT_TRUE_MIN; /* denormal: as it is */
    assert_true(tacit_update_clip(x, 8));
    assert_true(x[3] == FLT_TRUE_MIN);
}

/* ---- The integer bound ------------------------------------------------------------------------*/

static uint32_t variant;

/* Numbers the model check lets pass, chosen to hurt. */
static void fill_hostile(fixture_numbers *n) {
    tacit_prng prng;
    tacit_prng_init_seed(&prng, 77, variant);
    size_t count = (size_t)n->item_count * n->factor;
    const float extremes[8] = {1e6f, -1e6f, 0, FLT_MIN, FLT_TRUE_MIN, -FLT_TRUE_MIN, 1, 1e-30f};
    for (size_t i = 0; i < count; i++) {
        switch (variant % 6) {
            case 0: n->factors[i] = 1e6f; break; /* rank one, huge */
            case 1: n->factors[i] = FLT_TRUE_MIN; break;
            case 2: n->factors[i] = 0; break;
            case 3: n->factors[i] = extremes[tacit_prng_below(&prng, 8)]; break;
            case 4: n->factors[i] *= 1e6f / 2; break;
            default: n->factors[i] = (float)(1e-20 * tacit_prng_normal(&prng)); break;
        }
    }
    for (uint32_t i = 0; i < n->item_count; i++) {
        if (variant & 1) n->bias[i] = extremes[tacit_prng_below(&prng, 8)];
        if (variant & 2) n->bias[i] = (float)(1 + n->source.a0); /* y = 0 */
    }
    n->source.user_ridge = variant & 4 ? DBL_MIN : 1e4;
    n->source.a0 = variant & 8 ? DBL_MIN : 100;
    n->source.user_ridge_exponent = variant & 16 ? 2 : 0;
}

static void test_hostile_models_keep_the_bound(void **state) {
    (void)state;
    int spoken = 0, silent = 0;
    for (variant = 0; variant < 96; variant++) {
        begin(40, 6, fill_hostile);
        const double floors[3] = {1, 10, 1e4};
        const double leave[3] = {0, 0.5, 1};
        for (uint32_t taps = 0; taps < 40; taps += 13) {
            for (uint32_t i = 0; i < taps; i++) tap(i);
            for (int j = 0; j < 3; j++) {
                d.plan.history_floor = floors[j];
                d.plan.leave_one_out = leave[(j + (int)variant) % 3];
                d.plan.counts_weight = 0.6;
                d.plan.gradient_weight = 0.8;
                d.plan.scale = j == 0 ? 1 : j == 1 ? 1000 : 1 << 20;
                bool said = tacit_update_statistics(d.x, &d.f, &d.h, &d.plan);
                said ? spoken++ : silent++;
                assert_true(norm_of(d.x, d.plan.dims) <= 1 - 0.99e-5);
                assert_int_equal(said, !is_null(d.x, d.plan.dims));
                assert_bounded();
            }
        }
        end();
    }
    assert_true(spoken > 100 && silent > 100);
}

/* The worst directions for rounding: all weight on one coordinate after the rotation, all spread
 * evenly, and vectors that were never clipped. */
static void test_hostile_vectors_keep_the_bound(void **state) {
    (void)state;
    begin(40, 6, NULL);
    d.plan.scale = 64; /* rounding adds most to the norm where the scale is small */
    for (int kind = 0; kind < 6; kind++) {
        memset(d.x, 0, sizeof d.x);
        for (uint32_t i = 0; i < d.plan.dims; i++) {
            switch (kind) {
                case 0: d.x[i] = (float)((1 - 1e-5) / sqrt(d.plan.dims)); break;
                case 1: d.x[i] = i == 17 ? 1 : 0; break;
                case 2: d.x[i] = 10; break;    /* norm 10 sqrt(d): never clipped */
                case 3: d.x[i] = 1e30f; break; /* beyond any integer */
                case 4: d.x[i] = i == 3 ? NAN : 0; break;
                default: d.x[i] = (float)(0.5 / d.plan.scale); break;
            }
        }
        if (kind == 0) { /* one coordinate after the rotation: undo the signs */
            tacit_hadamard_signs_f32(d.x, d.plan.dims, d.plan.rotation_seed);
        }
        assert_bounded();
        bool null = true;
        for (uint32_t i = 0; i < d.plan.dims; i++) null = null && d.q[i] == 0;
        assert_int_equal(null, kind >= 2 && kind <= 4);
    }
    end();
}

/* ---- Words ------------------------------------------------------------------------------------*/

static const uint8_t seed_a[32] = {1}, seed_b[32] = {2}, seed_c[32] = {3};

/* words - noise, as integers: the noise is reproduced from its seed. */
static void without_noise(int32_t *q, uint64_t variance, const uint8_t seed[static TACIT_KEY_LEN]) {
    static int32_t noise[MAX_DIMS];
    tacit_skellam s;
    tacit_prng prng;
    memset(noise, 0, sizeof noise);
    assert_int_equal(tacit_skellam_init(&s, variance), TACIT_OK);
    tacit_prng_init(&prng, seed, 1);
    tacit_skellam_add(noise, d.plan.dims, &s, &prng);
    for (uint32_t i = 0; i < d.plan.dims; i++) q[i] = (int32_t)(d.words[i] - (uint32_t)noise[i]);
}

/* What the server would read off one device's vector without noise is the clipped statistic. */
static void test_words_carry_the_statistics(void **state) {
    (void)state;
    static float x[MAX_DIMS];
    static double back[MAX_DIMS];
    begin(60, 5, NULL);
    for (uint32_t i = 0; i < 25; i++) tap(2 * i);
    assert_true(tacit_update_statistics(d.x, &d.f, &d.h, &d.plan));
    memcpy(x, d.x, sizeof x);
    d.plan.scale = 1 << 16;
    assert_int_equal(tacit_update_words(d.words, d.x, &d.plan, 500, seed_a, seed_b), TACIT_OK);
    without_noise(d.q, 500, seed_b);
    for (uint32_t i = 0; i < d.plan.dims; i++) back[i] = d.q[i] / d.plan.scale;
    tacit_unrotate_f64(back, d.plan.dims, d.plan.rotation_seed);
    for (uint32_t i = 0; i < d.plan.dims; i++) {
        assert_true(fabs(back[i] - (double)x[i]) < 8 / d.plan.scale);
    }
    end();
}

/* Each seed does its own part, and the same seeds give the same words. */
static void test_words_follow_the_two_seeds(void **state) {
    (void)state;
    static float x[MAX_DIMS];
    static uint32_t first[MAX_DIMS];
    static int32_t q[MAX_DIMS], r[MAX_DIMS];
    begin(60, 5, NULL);
    for (uint32_t i = 0; i < 25; i++) tap(2 * i);
    assert_true(tacit_update_statistics(x, &d.f, &d.h, &d.plan));
    size_t len = d.plan.dims * sizeof *first;
#define WORDS(rounding, noise)                                                            \
    do {                                                                                  \
        memcpy(d.x, x, sizeof x);                                                         \
        assert_int_equal(tacit_update_words(d.words, d.x, &d.plan, 900, rounding, noise), \
                         TACIT_OK);                                                       \
    } while (0)
    WORDS(seed_a, seed_b);
    memcpy(first, d.words, len);
    without_noise(q, 900, seed_b);
    WORDS(seed_a, seed_b);
    assert_memory_equal(first, d.words, len);
    WORDS(seed_a, seed_c);
    without_noise(r, 900, seed_c);
    assert_memory_equal(q, r, len); /* same rounding under other noise */
    WORDS(seed_c, seed_b);
    without_noise(r, 900, seed_b);
    assert_memory_not_equal(q, r, len);
    end();
}

/* Nothing to say: noise of the full variance, and nothing else, in every coordinate. */
static void test_null_update_is_noise(void **state) {
    (void)state;
    begin(200, 24, NULL);
    assert_false(tacit_update_statistics(d.x, &d.f, &d.h, &d.plan));
    assert_true(is_null(d.x, d.plan.dims));
    const uint32_t variance = 4000;
    assert_int_equal(tacit_update_words(d.words, d.x, &d.plan, variance, seed_a, seed_b), TACIT_OK);
    double square = 0, mean = 0, n = d.plan.dims;
    for (uint32_t i = 0; i < d.plan.dims; i++) {
        double v = (int32_t)d.words[i];
        mean += v / n;
        square += v * v / n;
    }
    assert_true(fabs(mean) < 6 * sqrt(variance / n));
    assert_true(square > variance * (1 - 6 * sqrt(2 / n)));
    assert_true(square < variance * 1.01 * (1 + 6 * sqrt(2 / n)));
    without_noise(d.q, variance, seed_b);
    for (uint32_t i = 0; i < d.plan.dims; i++) assert_int_equal(d.q[i], 0);
    end();
}

static void test_impossible_variance_is_refused(void **state) {
    (void)state;
    begin(60, 5, NULL);
    memset(d.words, 0xAB, sizeof d.words);
    assert_int_equal(tacit_update_words(d.words, d.x, &d.plan, 0, seed_a, seed_b),
                     TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_update_words(d.words, d.x, &d.plan, UINT64_C(1) << 40, seed_a, seed_b),
                     TACIT_INVALID_ARGUMENT);
    end();
}

/* ---- Time --------------------------------------------------------------------------------------
 */

/* Least CPU seconds of a few goes at the statistics of `count` items. */
static double seconds_of(uint32_t count, bool padded) {
    double least = 1e9;
    d.h.count = 0;
    for (uint32_t i = 0; i < count; i++) tap(i);
    for (int go = 0; go < 50; go++) {
        clock_t start = clock();
        (void)tacit_update_statistics(d.x, &d.f, &d.h, &d.plan);
        if (padded) tacit_update_pad(&d.f, &d.h, &d.plan);
        least = fmin(least, (double)(clock() - start) / CLOCKS_PER_SEC);
    }
    return least;
}

/* H5, H6: nobody sees from the time it takes whether a history is empty, short or full. */
static void test_time_does_not_tell_the_history(void **state) {
    (void)state;
    begin(MAX_DIMS / 65, 64, NULL);
    double full = seconds_of(WINDOW - 6, false);
    assert_true(seconds_of(0, false) < full / 3); /* without padding it shows */
    full = seconds_of(WINDOW - 6, true);
    const uint32_t counts[] = {0, 1, 20, 120};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        double t = seconds_of(counts[i], true);
        assert_true(t > full / 1.6 && t < full * 1.6);
    }
    assert_int_equal(d.f.count, 0);
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_uploads),
        cmocka_unit_test(test_gradient_alone),
        cmocka_unit_test(test_slice_is_a_cut_of_the_whole),
        cmocka_unit_test(test_counts_alone),
        cmocka_unit_test(test_skips_and_unknown_items_do_not_count),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_hostile_models_keep_the_bound),
        cmocka_unit_test(test_hostile_vectors_keep_the_bound),
        cmocka_unit_test(test_words_carry_the_statistics),
        cmocka_unit_test(test_words_follow_the_two_seeds),
        cmocka_unit_test(test_null_update_is_noise),
        cmocka_unit_test(test_impossible_variance_is_refused),
        cmocka_unit_test(test_time_does_not_tell_the_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
