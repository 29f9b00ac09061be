/* SPDX-License-Identifier: Apache-2.0
 * recommend_test.c - rankings against sorting everything, the reference's scores, ties and filters;
 * explanations against their own sum; similar items against cosines. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "firmware/explain.h"
#include "firmware/recommend.h"
#include "tests/support/device_fixture.h"

enum { MEMORY = 2 << 20, WINDOW = 64 };

typedef struct {
    fixture_keys keys;
    fixture_model model;
    void *memory;
    tacit_factor f;
    tacit_history h;
    tacit_window_item items[WINDOW];
    uint8_t seen[64];
} device;

static void begin(device *d, uint32_t items, uint32_t k, uint32_t features,
                  void (*fill)(fixture_numbers *n)) {
    memset(d, 0, sizeof *d);
    fixture_keys_init(&d->keys);
    d->model = fixture_model_make(&d->keys, 3, items, k, features, fill);
    d->memory = aligned_alloc(64, MEMORY);
    assert_non_null(d->memory);
    tacit_arena a;
    tacit_arena_init(&a, d->memory, MEMORY);
    tacit_factor_place(&d->f, &a, k + features);
    assert_int_equal(tacit_factor_begin(&d->f, &d->model.model, true), TACIT_OK);
    d->h.items = d->items;
    d->h.cap = WINDOW;
}

static void end(device *d) {
    fixture_model_free(&d->model);
    free(d->memory);
}

static void tap(device *d, uint64_t item, tacit_event_kind kind) {
    tacit_history_change c = tacit_history_note(&d->h, item, kind, &d->model.model);
    if (c.added != TACIT_NO_INDEX) tacit_factor_change(&d->f, c.added, true);
    assert_int_equal(tacit_factor_solve(&d->f), TACIT_OK);
}

/* b_i + q_i . u in doubles. */
static double score(const device *d, uint32_t index) {
    double row[TACIT_FACTOR_ROW_MAX];
    tacit_factor_row(&d->f, row, index);
    return (double)d->model.model.bias[index] + tacit_factor_dot(row, d->f.u, d->f.len);
}

static void assert_sorted(const tacit_scored *s, size_t count) {
    for (size_t i = 1; i < count; i++) {
        assert_true(s[i - 1].score > s[i].score ||
                    (s[i - 1].score == s[i].score && s[i - 1].item < s[i].item));
    }
}

static void test_best_of_all_for_each_length(void **state) {
    (void)state;
    device d;
    begin(&d, 200, 7, 5, NULL);
    tap(&d, 500, TACIT_EVENT_VIEW);
    tap(&d, 30, TACIT_EVENT_CART);
    for (size_t cap = 0; cap <= 210; cap += 7) {
        tacit_scored out[210];
        size_t count;
        tacit_rank(out, &count, cap, &d.f, &d.h, d.seen, NULL);
        assert_int_equal(count, cap < 198 ? cap : 198);
        assert_sorted(out, count);
        for (size_t i = 0; i < count; i++) {
            assert_true(fabs((double)out[i].score - score(&d, (uint32_t)(out[i].item / 10 - 1))) <
                        1e-5);
        }
        /* Nothing better was left out. */
        size_t better = 0;
        for (uint32_t i = 0; i < 200 && count > 0; i++) {
            if (i == 49 || i == 2) continue;
            better += score(&d, i) > (double)out[count - 1].score + 1e-5;
        }
        assert_true(better < (count > 0 ? count : 1));
    }
    end(&d);
}

static void fill_ties(fixture_numbers *n) {
    for (uint32_t i = 0; i < n->item_count; i++) n->bias[i] = (float)(i % 4) / 4;
    for (uint32_t i = 0; i < n->item_count * n->factor; i++) n->factors[i] = 0;
}

static void test_ties_go_to_the_lower_item(void **state) {
    (void)state;
    device d;
    begin(&d, 100, 3, 0, fill_ties);
    tacit_scored out[30];
    size_t count;
    tacit_rank(out, &count, 30, &d.f, &d.h, d.seen, NULL);
    assert_int_equal(count, 30);
    for (size_t i = 0; i < 25; i++) assert_int_equal(out[i].item, 10 * (4 * i + 3 + 1));
    for (size_t i = 25; i < 30; i++) assert_int_equal(out[i].item, 10 * (4 * (i - 25) + 2 + 1));
    end(&d);
}

static bool allow_even(void *self, uint64_t item) {
    ++*(size_t *)self;
    return item / 10 % 2 == 0;
}

static bool listed(const tacit_scored *s, size_t count, uint64_t item) {
    for (size_t i = 0; i < count; i++) {
        if (s[i].item == item) return true;
    }
    return false;
}

static void test_filters(void **state) {
    (void)state;
    device d;
    begin(&d, 40, 4, 2, NULL);
    tap(&d, 10, TACIT_EVENT_VIEW);
    tap(&d, 20, TACIT_EVENT_SKIP);
    tap(&d, 30, TACIT_EVENT_PURCHASE);
    tap(&d, 30, TACIT_EVENT_SKIP);
    tap(&d, 77777, TACIT_EVENT_VIEW); /* unknown to the model: no matter */
    tacit_scored out[40];
    size_t count, asked = 0;
    tacit_rank(out, &count, 40, &d.f, &d.h, d.seen, NULL);
    assert_int_equal(count, 37);
    for (uint64_t item = 10; item <= 30; item += 10) assert_false(listed(out, count, item));
    tacit_query q = {.include_seen = true};
    tacit_rank(out, &count, 40, &d.f, &d.h, d.seen, &q);
    assert_int_equal(count, 38); /* seen is back, hidden stays hidden */
    assert_true(listed(out, count, 10));
    assert_false(listed(out, count, 20));
    assert_false(listed(out, count, 30));
    q = (tacit_query){.allow = allow_even, .allow_self = &asked};
    tacit_rank(out, &count, 40, &d.f, &d.h, d.seen, &q);
    assert_int_equal(asked, 37); /* candidates only */
    for (size_t i = 0; i < count; i++) assert_int_equal(out[i].item / 10 % 2, 0);
    assert_sorted(out, count);
    asked = 0;
    tacit_rank(out, &count, 1, &d.f, &d.h, d.seen, &q);
    assert_in_range(asked, 1, 36); /* fewer: what cannot enter is not asked about */
    end(&d);
}

/* ---- The reference's final scores -------------------------------------------------------------*/

static double *ref_Q, *ref_b;
static size_t ref_width;

static void fill_final(fixture_numbers *n) {
    uint32_t k = n->factor, f = n->features;
    for (uint32_t i = 0; i < n->item_count; i++) {
        n->bias[i] = (float)ref_b[i];
        for (uint32_t j = 0; j < k; j++) n->factors[i * k + j] = (float)ref_Q[i * ref_width + j];
        for (uint32_t j = 0; j < f; j++) {
            n->content[i * f + j] = (float)ref_Q[i * ref_width + k + j];
        }
    }
}

static void test_reference_scores(void **state) {
    (void)state;
    size_t m, n, h, one, users, k;
    ref_Q = fixture_matrix("Vfinal", &m, &ref_width);
    ref_b = fixture_matrix("b2", &one, &n);
    double *V = fixture_matrix("V2", &m, &k);
    double *hist = fixture_matrix("hist", &n, &h), *scores = fixture_matrix("scores", &users, &one);
    assert_int_equal(one, m);
    assert_int_equal(users, n);
    device d;
    begin(&d, (uint32_t)m, (uint32_t)k, (uint32_t)(ref_width - k), fill_final);
    tacit_query all = {.include_seen = true};
    for (size_t user = 0; user < n; user++) {
        const double *want = scores + user * m;
        d.h.count = 0;
        tacit_factor_clear(&d.f);
        for (size_t j = 0; j < h && !isnan(hist[user * h + j]); j++) {
            tap(&d, 10 * ((uint64_t)hist[user * h + j] + 1), TACIT_EVENT_CLICK);
        }
        tacit_scored out[64];
        size_t count;
        tacit_rank(out, &count, m, &d.f, &d.h, d.seen, &all);
        assert_int_equal(count, m);
        double largest = 0;
        for (size_t i = 0; i < m; i++) largest = fmax(largest, fabs(want[i]));
        for (size_t i = 0; i < m; i++) {
            double ref = want[out[i].item / 10 - 1];
            assert_true(fabs((double)out[i].score - ref) <= 1e-5 * largest);
        }
    }
    end(&d);
    free(V);
    free(hist);
    free(scores);
    free(ref_Q);
    free(ref_b);
}

/* ---- Explanations -----------------------------------------------------------------------------*/

static void test_parts_add_up(void **state) {
    (void)state;
    device d;
    begin(&d, 120, 8, 6, NULL);
    for (uint64_t i = 0; i < 30; i++) tap(&d, 10 * (1 + i * 7 % 120), TACIT_EVENT_VIEW);
    tap(&d, 50, TACIT_EVENT_SKIP); /* no interest: gives no reason */
    for (uint32_t index = 0; index < 120; index += 11) {
        tacit_explanation whole, cut;
        tacit_reason all[64], few[5];
        size_t count, few_count;
        tacit_explain_item(&whole, all, &count, 64, &d.f, &d.h, index);
        assert_int_equal(count, d.f.count);
        assert_true(whole.rest == 0);
        double sum = (double)whole.bias + (double)whole.base;
        for (size_t i = 0; i < count; i++) {
            sum += (double)all[i].share;
            if (i > 0) assert_true(all[i - 1].share >= all[i].share);
        }
        assert_true(fabs(sum - (double)whole.score) < 1e-5);
        assert_true(fabs((double)whole.score - score(&d, index)) < 1e-6);
        tacit_explain_item(&cut, few, &few_count, 5, &d.f, &d.h, index);
        assert_int_equal(few_count, 5);
        for (int i = 0; i < 5; i++) {
            assert_true(few[i].item == all[i].item && few[i].share == all[i].share);
        }
        double rest = 0;
        for (size_t i = 5; i < count; i++) rest += (double)all[i].share;
        assert_true(fabs(rest - (double)cut.rest) < 1e-5);
        tacit_explain_item(&cut, few, &few_count, 0, &d.f, &d.h, index);
        assert_int_equal(few_count, 0);
        assert_true(fabs(rest +
                         (double)(all[0].share + all[1].share + all[2].share + all[3].share +
                                  all[4].share) -
                         (double)cut.rest) < 1e-5);
    }
    end(&d);
}

/* A share is what the score loses in the numerator when the event's target is zero: checked by
 * solving again with that y_j left out of the right-hand side. */
static void test_share_is_the_events_own(void **state) {
    (void)state;
    device d;
    begin(&d, 60, 6, 0, NULL);
    for (uint64_t i = 1; i <= 9; i++) tap(&d, 10 * i, TACIT_EVENT_VIEW);
    tacit_explanation e;
    tacit_reason r[9];
    size_t count;
    tacit_explain_item(&e, r, &count, 9, &d.f, &d.h, 44);
    for (size_t i = 0; i < count; i++) {
        uint32_t j = (uint32_t)(r[i].item / 10 - 1);
        double row[TACIT_FACTOR_ROW_MAX], without[TACIT_FACTOR_ROW_MAX], q[TACIT_FACTOR_ROW_MAX];
        tacit_factor_row(&d.f, row, j);
        tacit_factor_row(&d.f, q, 44);
        for (uint32_t c = 0; c < d.f.len; c++) {
            without[c] = d.f.rhs[c] - tacit_factor_target(&d.f, j) * row[c];
        }
        tacit_factor_apply(&d.f, without);
        double lost = (double)e.score - (double)e.bias - tacit_factor_dot(q, without, d.f.len);
        assert_true(fabs(lost - (double)r[i].share) < 1e-5);
    }
    end(&d);
}

static void test_empty_history_explains_by_bias(void **state) {
    (void)state;
    device d;
    begin(&d, 20, 3, 3, NULL);
    tacit_explanation e;
    size_t count;
    tacit_explain_item(&e, NULL, &count, 0, &d.f, &d.h, 7);
    assert_int_equal(count, 0);
    assert_true(e.score == d.model.model.bias[7] && e.bias == e.score);
    assert_true(e.base == 0 && e.rest == 0);
    end(&d);
}

/* ---- Similar items ----------------------------------------------------------------------------*/

static void fill_similar(fixture_numbers *n) {
    for (uint32_t j = 0; j < n->factor; j++) {
        n->factors[5 * n->factor + j] = 3 * n->factors[2 * n->factor + j]; /* same direction */
        n->factors[9 * n->factor + j] = 0;
    }
    for (uint32_t j = 0; j < n->features; j++) {
        n->content[5 * n->features + j] = 3 * n->content[2 * n->features + j];
        n->content[9 * n->features + j] = 0;
    }
}

static void test_similar_by_cosine(void **state) {
    (void)state;
    device d;
    begin(&d, 50, 6, 9, fill_similar);
    tacit_scored out[60];
    size_t count;
    tacit_rank_similar(out, &count, 60, &d.model.model, 2);
    assert_int_equal(count, 48); /* without itself and without the zero row */
    assert_sorted(out, count);
    assert_int_equal(out[0].item, 60);
    assert_true(fabs((double)out[0].score - 1) < 1e-5);
    double a[TACIT_FACTOR_ROW_MAX], b[TACIT_FACTOR_ROW_MAX];
    tacit_factor_row(&d.f, a, 2);
    for (size_t i = 0; i < count; i++) {
        tacit_factor_row(&d.f, b, (uint32_t)(out[i].item / 10 - 1));
        double cosine = tacit_factor_dot(a, b, d.f.len) /
                        sqrt(tacit_factor_dot(a, a, d.f.len) * tacit_factor_dot(b, b, d.f.len));
        assert_true(fabs(cosine - (double)out[i].score) < 1e-5);
    }
    tacit_rank_similar(out, &count, 60, &d.model.model, 9);
    assert_int_equal(count, 0); /* a zero row is alike to nothing */
    end(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_of_all_for_each_length),
        cmocka_unit_test(test_ties_go_to_the_lower_item),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_reference_scores),
        cmocka_unit_test(test_parts_add_up),
        cmocka_unit_test(test_share_is_the_events_own),
        cmocka_unit_test(test_empty_history_explains_by_bias),
        cmocka_unit_test(test_similar_by_cosine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
