/* SPDX-License-Identifier: Apache-2.0
 * metrics_test.c - the measures on lists whose values are worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tools/metrics.h"

static void near(double got, double want) {
    if (!(fabs(got - want) < 1e-12)) fail_msg("%.15g is not %.15g", got, want);
}

static void test_one_person_by_hand(void **state) {
    (void)state;
    metrics_tally t;
    static const uint32_t ranked[4] = {7, 2, 9, 4}, test[3] = {1, 2, 4};
    assert_int_equal(metrics_begin(&t, 4, 10), 0);
    metrics_add(&t, ranked, 4, test, 3);
    metrics m = metrics_end(&t);
    assert_int_equal(m.n, 4);
    assert_int_equal(m.people, 1);
    /* Hits at ranks 2 and 4; the ideal has three at the top. */
    double dcg = 1 / log2(3) + 1 / log2(5), ideal = 1 + 1 / log2(3) + 0.5;
    near(m.precision, 0.5);
    near(m.recall, 2.0 / 3);
    near(m.f1, 2 * 0.5 * (2.0 / 3) / (0.5 + 2.0 / 3));
    near(m.ndcg, dcg / ideal);
    near(m.hit_rate, 1);
    near(m.coverage, 0.4);
}

static void test_perfect_and_hopeless(void **state) {
    (void)state;
    metrics_tally t;
    static const uint32_t ranked[2] = {3, 5}, hit[3] = {3, 5, 6}, miss[1] = {4};
    assert_int_equal(metrics_begin(&t, 2, 8), 0);
    metrics_add(&t, ranked, 2, hit, 3); /* more test items than places: still 1 */
    metrics m = metrics_end(&t);
    near(m.ndcg, 1);
    near(m.precision, 1);
    near(m.recall, 2.0 / 3);
    assert_int_equal(metrics_begin(&t, 2, 8), 0);
    metrics_add(&t, ranked, 2, miss, 1);
    m = metrics_end(&t);
    near(m.ndcg, 0);
    near(m.f1, 0);
    near(m.hit_rate, 0);
    near(m.coverage, 0.25); /* shown, though useless */
}

static void test_averages_over_people_with_tests(void **state) {
    (void)state;
    metrics_tally t;
    static const uint32_t ranked[2] = {1, 2}, hit[1] = {1}, miss[1] = {7};
    assert_int_equal(metrics_begin(&t, 2, 10), 0);
    metrics_add(&t, ranked, 2, hit, 1);
    metrics_add(&t, ranked, 2, miss, 1);
    metrics_add(&t, ranked, 2, NULL, 0); /* nothing held out: does not count */
    metrics_add(&t, ranked, 1, miss, 1); /* a short list: precision is still over n */
    metrics m = metrics_end(&t);
    assert_int_equal(m.people, 3);
    near(m.ndcg, 1.0 / 3);
    near(m.precision, 0.5 / 3);
    near(m.recall, 1.0 / 3);
    near(m.hit_rate, 1.0 / 3);
    near(m.coverage, 0.2);
}

static void test_merge_is_the_same_as_one(void **state) {
    (void)state;
    metrics_tally a, b, whole;
    uint32_t ranked[5], test[3];
    assert_int_equal(metrics_begin(&a, 5, 50), 0);
    assert_int_equal(metrics_begin(&b, 5, 50), 0);
    assert_int_equal(metrics_begin(&whole, 5, 50), 0);
    for (uint32_t p = 0; p < 40; p++) {
        for (uint32_t i = 0; i < 5; i++) ranked[i] = (p * 7 + i * 11) % 50;
        for (uint32_t i = 0; i < 3; i++) test[i] = p % 10 + i * 15;
        metrics_add(p % 3 ? &a : &b, ranked, 5, test, 3);
        metrics_add(&whole, ranked, 5, test, 3);
    }
    metrics_merge(&a, &b);
    metrics_end(&b);
    metrics got = metrics_end(&a), want = metrics_end(&whole);
    assert_int_equal(got.people, 40);
    near(got.ndcg, want.ndcg);
    near(got.recall, want.recall);
    near(got.f1, want.f1);
    near(got.coverage, want.coverage);
    assert_true(want.ndcg > 0 && want.ndcg < 1);
}

static void test_nobody(void **state) {
    (void)state;
    metrics_tally t;
    assert_int_equal(metrics_begin(&t, 20, 0), 0);
    metrics m = metrics_end(&t);
    assert_int_equal(m.people, 0);
    near(m.ndcg, 0);
    near(m.coverage, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_person_by_hand),
        cmocka_unit_test(test_perfect_and_hopeless),
        cmocka_unit_test(test_averages_over_people_with_tests),
        cmocka_unit_test(test_merge_is_the_same_as_one),
        cmocka_unit_test(test_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
