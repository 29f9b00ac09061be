/* SPDX-License-Identifier: Apache-2.0
 * training_test.c - one training run as a state machine: its plans decode, its sums become models,
 * its state survives a restart, and what is no sum is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/crypto.h"
#include "common/hadamard.h"
#include "common/prng.h"
#include "server/training.h"

enum { ITEMS = 40, FEATURES = 5, DEVICES = 900 };

static learn_features *make_features(void) {
    double f[ITEMS * FEATURES];
    learn_features *out = NULL;
    tacit_prng prng;
    tacit_prng_init_seed(&prng, 3, 0);
    for (size_t i = 0; i < ITEMS; i++)
        for (size_t j = 0; j < FEATURES; j++)
            f[i * FEATURES + j] =
                j + 1 == FEATURES ? 1.0 : (double)(tacit_prng_below(&prng, 3) == 0);
    assert_int_equal(learn_features_new(&out, f, ITEMS, FEATURES), TACIT_OK);
    return out;
}

static training *make(const learn_features *features, double epsilon, int preset, uint32_t sums) {
    training_spec spec = {.epsilon = epsilon,
                          .delta = 1e-5,
                          .devices = DEVICES,
                          .preset = preset,
                          .factor = 4,
                          .sums = sums,
                          .seed = 7};
    training *t = NULL;
    assert_int_equal(training_new(&t, &spec, features), TACIT_OK);
    return t;
}

/* A sum as the devices would send it: each coordinate of `real` (before rotation), rounded, with
 * noise of about the given variance, mod 2^bits. */
static uint32_t *make_sum(const training *t, double amplitude, double variance) {
    tacit_plan plan = {0};
    training_plan(t, &plan);
    uint32_t *words = malloc(plan.dims * sizeof *words);
    float *x = calloc(plan.dims, sizeof *x);
    tacit_prng prng;
    assert_true(words && x);
    tacit_prng_init_seed(&prng, 11, plan.sum_index);
    for (size_t i = 0; i < (plan.blocks & TACIT_BLOCK_COUNTS ? ITEMS : 0); i++)
        x[i] = (float)(amplitude * plan.counts_weight * (1.0 + (double)(i % 7)));
    size_t from = plan.blocks & TACIT_BLOCK_COUNTS ? ITEMS : 0;
    for (size_t i = 0; plan.factor > 0 && i < (size_t)ITEMS * plan.factor; i++)
        x[from + i] = (float)(amplitude * plan.gradient_weight * tacit_prng_normal(&prng));
    tacit_rotate_f32(x, plan.dims, plan.rotation_seed);
    for (size_t i = 0; i < plan.dims; i++) {
        double v = (double)x[i] * plan.scale + sqrt(variance) * tacit_prng_normal(&prng);
        words[i] = (uint32_t)(int32_t)lround(v) & (uint32_t)((UINT64_C(1) << plan.bits) - 1);
    }
    free(x);
    return words;
}

static double noise_of(const training *t) {
    tacit_plan plan = {0};
    training_plan(t, &plan);
    return (double)plan.mu;
}

static void plans_are_whole(void **state) {
    (void)state;
    learn_features *f = make_features();
    training *t = make(f, 8, PRESET_HI, 3);
    assert_int_equal(training_sum_count(t), 3);
    tacit_plan first = {0};
    training_plan(t, &first);
    assert_int_equal(first.blocks, TACIT_BLOCK_COUNTS | TACIT_BLOCK_GRADIENT);
    assert_int_equal(first.dims, 256); /* 40 + 160, padded */
    assert_int_equal(first.factor, 4);
    double square =
        first.counts_weight * first.counts_weight + first.gradient_weight * first.gradient_weight;
    assert_true(fabs(square - 1) < 1e-9);
    tacit_mechanism m;
    assert_int_equal(tacit_plan_mechanism(&m, &first), TACIT_OK);
    training_free(t);
    learn_features_free(f);
}

/* The run's promise, charged the way a device charges it, keeps epsilon. */
static void plans_keep_the_budget(void **state) {
    (void)state;
    learn_features *f = make_features();
    const double epsilons[] = {8, 4, 1};
    for (size_t e = 0; e < 3; e++) {
        double rdp[TACIT_ORDER_COUNT] = {0};
        training *t = make(f, epsilons[e], PRESET_HI, 3);
        while (!training_done(t)) {
            tacit_plan plan = {0};
            tacit_mechanism m;
            training_step step;
            training_plan(t, &plan);
            assert_int_equal(tacit_plan_mechanism(&m, &plan), TACIT_OK);
            tacit_mechanism_charge(rdp, &m, 1);
            uint32_t *sum = make_sum(t, 20, noise_of(t));
            assert_int_equal(training_apply(t, &step, sum, DEVICES, noise_of(t)), TACIT_OK);
            free(sum);
        }
        double spent = tacit_grid_epsilon(rdp, 1e-5 - TACIT_PROTOCOL_DELTA, NULL);
        assert_true(spent <= epsilons[e]);
        assert_true(spent > 0.99 * epsilons[e]);
        training_free(t);
    }
    learn_features_free(f);
}

static void state_survives(void **state) {
    (void)state;
    learn_features *f = make_features();
    training *t = make(f, 8, PRESET_HI, 3), *again = make(f, 8, PRESET_HI, 3);
    training_step step;
    uint32_t *sum = make_sum(t, 20, noise_of(t));
    assert_int_equal(training_apply(t, &step, sum, DEVICES, noise_of(t)), TACIT_OK);
    free(sum);
    size_t len = training_state_len(t);
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    training_state_save(t, bytes);
    assert_int_equal(training_state_restore(again, bytes, len), TACIT_OK);
    assert_int_equal(training_sum_index(again), 1);
    tacit_model_source a, b;
    training_model(t, &a);
    training_model(again, &b);
    assert_memory_equal(a.factors, b.factors, ITEMS * 4 * sizeof(float));
    assert_memory_equal(a.content, b.content, ITEMS * FEATURES * sizeof(float));
    assert_int_equal(training_state_restore(again, bytes, len - 1), TACIT_BAD_MESSAGE);
    bytes[0] = 200; /* a sum the run does not have */
    assert_int_equal(training_state_restore(again, bytes, len), TACIT_BAD_MESSAGE);
    free(bytes);
    training_free(t);
    training_free(again);
    learn_features_free(f);
}

/* Masks that did not come off look like uniform words: refused, and the run stays where it was. */
static void no_sum_is_refused(void **state) {
    (void)state;
    learn_features *f = make_features();
    training *t = make(f, 8, PRESET_LO, 1);
    tacit_plan plan = {0};
    training_plan(t, &plan);
    uint32_t *words = malloc(plan.dims * sizeof *words);
    tacit_prng prng;
    training_step step;
    assert_non_null(words);
    tacit_prng_init_seed(&prng, 5, 0);
    for (size_t i = 0; i < plan.dims; i++)
        words[i] = tacit_prng_u32(&prng) & (uint32_t)((UINT64_C(1) << plan.bits) - 1);
    assert_int_equal(training_apply(t, &step, words, 60, noise_of(t)), TACIT_BAD_MESSAGE);
    assert_int_equal(training_sum_index(t), 0);
    free(words);
    training_free(t);
    learn_features_free(f);
}

/* Nothing but noise: the factors are not shipped. */
static void noise_falls_back(void **state) {
    (void)state;
    learn_features *f = make_features();
    training *t = make(f, 1, PRESET_LO, 1);
    training_step step;
    uint32_t *sum = make_sum(t, 0, noise_of(t));
    assert_int_equal(training_apply(t, &step, sum, DEVICES, noise_of(t)), TACIT_OK);
    free(sum);
    assert_true(step.fell_back);
    assert_true(step.signal < 20);
    tacit_model_source source;
    training_model(t, &source);
    assert_int_equal(source.factor, 0);
    assert_int_equal(source.features, FEATURES);
    assert_true(training_done(t));
    training_free(t);
    learn_features_free(f);
}

static void budgets_out_of_range(void **state) {
    (void)state;
    learn_features *f = make_features();
    training *t = NULL;
    training_spec spec = {.epsilon = 1e-4, .delta = 1e-5, .devices = DEVICES, .preset = -1};
    assert_int_equal(training_new(&t, &spec, f), TACIT_INVALID_ARGUMENT);
    spec.epsilon = 8;
    spec.factor = TACIT_MAX_FACTOR + 1;
    assert_int_equal(training_new(&t, &spec, f), TACIT_INVALID_ARGUMENT);
    learn_features_free(f);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_whole),  cmocka_unit_test(plans_keep_the_budget),
        cmocka_unit_test(state_survives),   cmocka_unit_test(no_sum_is_refused),
        cmocka_unit_test(noise_falls_back), cmocka_unit_test(budgets_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
