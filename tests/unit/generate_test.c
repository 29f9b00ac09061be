/* SPDX-License-Identifier: Apache-2.0
 * generate_test.c - the synthetic shop repeats with its seed, looks like a shop, and holds
 * structure that private training finds: at epsilon 8 at least half of the gap from popularity to
 * the non-private ceiling is closed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "tools/dataset.h"
#include "tools/quality.h"
#include "tools/rehearsal.h"

static dataset *generate(uint32_t people, uint32_t items, double events, uint64_t seed) {
    dataset *d = NULL;
    dataset_generate_spec spec = {people, items, events, seed};
    assert_int_equal(dataset_generate(&d, &spec), TACIT_OK);
    return d;
}

static void test_repeats_with_the_seed(void **state) {
    (void)state;
    dataset *a = generate(50, 100, 20, 4), *b = generate(50, 100, 20, 4),
            *c = generate(50, 100, 20, 5);
    assert_int_equal(a->event_count, b->event_count);
    assert_memory_equal(a->catalogue->digest, b->catalogue->digest, TACIT_HASH_LEN);
    for (size_t i = 0; i < a->event_count; i++) {
        assert_int_equal(a->events[i].item, b->events[i].item);
        assert_int_equal(a->events[i].time_s, b->events[i].time_s);
    }
    assert_memory_not_equal(a->catalogue->digest, c->catalogue->digest, TACIT_HASH_LEN);
    dataset_free(a);
    dataset_free(b);
    dataset_free(c);
}

static int down(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x > y ? -1 : x < y;
}

static void test_looks_like_a_shop(void **state) {
    (void)state;
    dataset *d = generate(1200, 800, 40, 1);
    size_t counts[800] = {0}, kinds[TACIT_EVENT_SKIP + 1] = {0}, activity[1200];
    assert_int_equal(d->person_count, 1200);
    assert_int_equal(d->catalogue->count, 800);
    double mean = (double)d->event_count / 1200;
    assert_true(mean > 36 && mean < 44);
    for (size_t p = 0; p < 1200; p++) {
        activity[p] = d->offsets[p + 1] - d->offsets[p];
        assert_true(activity[p] >= 5);
        for (size_t i = d->offsets[p]; i + 1 < d->offsets[p + 1]; i++)
            assert_true(d->events[i].time_s <= d->events[i + 1].time_s);
    }
    for (size_t i = 0; i < d->event_count; i++) {
        counts[d->events[i].item]++;
        kinds[d->events[i].kind]++;
    }
    /* Few items have much of the demand, and few people much of the activity. */
    qsort(counts, 800, sizeof *counts, down);
    qsort(activity, 1200, sizeof *activity, down);
    size_t head = 0, tail = 0;
    for (size_t i = 0; i < 80; i++) head += counts[i];
    for (size_t i = 400; i < 800; i++) tail += counts[i];
    assert_true(head * 100 > d->event_count * 35);
    assert_true(tail * 100 < d->event_count * 25);
    assert_true(activity[60] > 2 * activity[600]);
    /* Looks are commoner than purchases; some items are skipped; ratings are no part of it. */
    assert_true(kinds[TACIT_EVENT_VIEW] > kinds[TACIT_EVENT_CLICK]);
    assert_true(kinds[TACIT_EVENT_CLICK] > kinds[TACIT_EVENT_CART]);
    assert_true(kinds[TACIT_EVENT_CART] > 0 && kinds[TACIT_EVENT_PURCHASE] > 0);
    assert_true(kinds[TACIT_EVENT_SKIP] * 100 > d->event_count * 2);
    assert_true(kinds[TACIT_EVENT_SKIP] * 100 < d->event_count * 8);
    assert_int_equal(kinds[TACIT_EVENT_RATING], 0);
    for (size_t i = 0; i < 800; i++) {
        const catalogue_item *it = &d->catalogue->items[i];
        static const char *const tokens[] = {"category:", " brand:", " word:", " price:"};
        for (size_t t = 0; t < 4; t++) assert_non_null(strstr(it->features, tokens[t]));
        assert_true(strlen(it->title) > 10);
    }
    dataset_free(d);
}

static void test_bounds(void **state) {
    (void)state;
    dataset *d = NULL;
    static const dataset_generate_spec wrong[] = {
        {0, 100, 20, 1}, {10, 9, 5, 1}, {10, 100, 4, 1}, {10, 100, NAN, 1}, {10, 100, 101, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(dataset_generate(&d, &wrong[i]), TACIT_INVALID_ARGUMENT);
    d = generate(1, 10, 10, 1); /* the smallest; more events are wanted than items can give */
    assert_int_equal(d->person_count, 1);
    dataset_free(d);
}

static double ndcg_of_run(const dataset *d, const dataset_split *s, const learn_features *f,
                          double epsilon, int preset, uint32_t honest) {
    rehearsal_spec spec = {.training = {.epsilon = epsilon,
                                        .delta = 1e-5,
                                        .devices = (uint32_t)d->person_count,
                                        .preset = preset,
                                        .seed = 1},
                           .seed = 2,
                           .honest = honest,
                           .threads = 2};
    training *t = NULL;
    tacit_model model;
    uint8_t *file = NULL;
    metrics m;
    assert_int_equal(rehearsal_run(&t, &spec, f, s), TACIT_OK);
    assert_int_equal(rehearsal_model(&model, &file, t, d->catalogue), TACIT_OK);
    assert_int_equal(quality_of_model(&m, &model, s, 20, 2), TACIT_OK);
    training_free(t);
    free(file);
    return m.ndcg;
}

static void test_private_training_closes_half_the_gap(void **state) {
    (void)state;
    if (getenv("TACIT_QUICK") != NULL) skip();
    dataset *d = generate(1200, 800, 40, 1);
    dataset_split *s = NULL;
    learn_features *f = NULL;
    metrics popular;
    assert_int_equal(dataset_split_new(&s, d, 0.2, 0), TACIT_OK);
    assert_int_equal(catalogue_features(&f, d->catalogue, CATALOGUE_TOKEN_MIN_ITEMS), TACIT_OK);
    assert_int_equal(quality_of_popularity(&popular, s, d->catalogue->count, 20, 2), TACIT_OK);
    double ceiling = ndcg_of_run(d, s, f, INFINITY, PRESET_CENTRAL, 0);
    /* Noise shares as at 10 % colluding and 20 % dropping out: more noise than exactly mu. */
    double private = ndcg_of_run(d, s, f, 8, -1, 1200 * 69 / 100);
    print_message("popularity %.4f, private %.4f, ceiling %.4f\n", popular.ndcg, private, ceiling);
    assert_true(ceiling > 1.5 * popular.ndcg);
    assert_true(private - popular.ndcg > 0.5 * (ceiling - popular.ndcg));
    learn_features_free(f);
    dataset_split_free(s);
    dataset_free(d);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeats_with_the_seed),
        cmocka_unit_test(test_looks_like_a_shop),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_private_training_closes_half_the_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
